//! What the client of a remote shuffle service takes of an executor's memory while a map task writes.
//!
//! Celeborn's hash writer has a buffer a partition, which doubles from 8 to 64 KiB as rows come, its sort writer pages up to a
//! threshold and then one more page; it cannot be made to spill, and a refused page fails the task. Both have a queue of 512
//! buffers of the largest size from the start. Uniffle's writer holds rows up to a size in managed memory of the heap. None of
//! them writes to scratch: what is full is pushed. Assumption: rows are spread evenly over the partitions. Source: Celeborn's
//! `HashBasedShuffleWriter`, `SortBasedPusher` and `DataPusher`, Uniffle's `WriteBufferManager`; 3.7.

use crate::spec::RemoteClient;
use crate::units::Bytes;

/// First pointer array of Celeborn's sorter: at most 2^20 entries of 8 bytes.
const FIRST_ARRAY: u64 = 8 << 20;

/// Heap that one task's buffers occupy, which the memory manager does not count.
pub fn heap_buffers(client: RemoteClient, partitions: u32, rows: Bytes) -> Bytes {
    match client {
        RemoteClient::Celeborn { buffer_initial, buffer_max, queue, hash_up_to, .. } => {
            let queued = buffer_max * u64::from(queue);
            if partitions > hash_up_to {
                return queued;
            }
            let mean = rows.get() / u64::from(partitions.max(1));
            let grown = mean.div_ceil(buffer_initial.get().max(1)).max(1).next_power_of_two();
            let buffer = Bytes::new(buffer_initial.get().saturating_mul(grown)).min(buffer_max);
            queued + buffer * u64::from(partitions)
        }
        RemoteClient::Uniffle { .. } => Bytes::ZERO,
    }
}

/// Execution memory that one task's writer asks for: what it cannot do without, and what it fills before it pushes. `None` when it
/// asks for none.
pub fn managed(client: RemoteClient, partitions: u32, rows: Bytes, page: Bytes) -> Option<(Bytes, Bytes)> {
    match client {
        RemoteClient::Celeborn { sort_threshold, hash_up_to, .. } if partitions > hash_up_to => {
            let array = Bytes::new(FIRST_ARRAY.min(sort_threshold.get()));
            let pages = Bytes::new(rows.get().div_ceil(page.get().max(1)).saturating_mul(page.get()));
            let all = array + pages.min(sort_threshold.saturating_sub(array) + page);
            Some((all, all))
        }
        RemoteClient::Celeborn { .. } => None,
        RemoteClient::Uniffle { spill_size, step, spills } => {
            let steps = rows.min(spill_size).get().div_ceil(step.get().max(1));
            let all = Bytes::new(steps.saturating_mul(step.get()));
            Some((if spills { step.min(all) } else { all }, all))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn celeborn(hash_up_to: u32) -> RemoteClient {
        RemoteClient::Celeborn { buffer_initial: Bytes::kib(8), buffer_max: Bytes::kib(64), queue: 512, sort_threshold: Bytes::mib(64), hash_up_to }
    }

    /// Celeborn's own example: 2000 reducers with 64 KiB buffers take 125 MiB a task; its queue is 32 MiB.
    #[test]
    fn celeborns_own_example_of_2000_partitions() {
        let rows = Bytes::gib(1);
        assert_eq!(heap_buffers(celeborn(u32::MAX), 2000, rows), Bytes::mib(125) + Bytes::mib(32));
        assert_eq!(managed(celeborn(u32::MAX), 2000, rows, Bytes::mib(16)), None);
        // 20 KiB a partition: 8 KiB doubled twice.
        assert_eq!(heap_buffers(celeborn(u32::MAX), 100, Bytes::kib(2000)), Bytes::kib(3200) + Bytes::mib(32));
    }

    #[test]
    fn the_sort_writer_holds_its_threshold_and_a_page() {
        let page = Bytes::mib(16);
        assert_eq!(heap_buffers(celeborn(0), 2000, Bytes::gib(1)), Bytes::mib(32));
        assert_eq!(managed(celeborn(0), 2000, Bytes::gib(1), page), Some((Bytes::mib(80), Bytes::mib(80))));
        assert_eq!(managed(celeborn(0), 2000, Bytes::mib(10), page), Some((Bytes::mib(24), Bytes::mib(24))), "an array and a page");
    }

    #[test]
    fn uniffle_holds_rows_up_to_its_spill_size() {
        let of = |spills, rows| managed(RemoteClient::Uniffle { spill_size: Bytes::mib(128), step: Bytes::mib(16), spills }, 200, rows, Bytes::mib(16));
        assert_eq!(of(false, Bytes::gib(1)), Some((Bytes::mib(128), Bytes::mib(128))));
        assert_eq!(of(true, Bytes::gib(1)), Some((Bytes::mib(16), Bytes::mib(128))));
        assert_eq!(of(false, Bytes::mib(20)), Some((Bytes::mib(32), Bytes::mib(32))));
    }
}

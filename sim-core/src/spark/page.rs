//! Size of the pages in which tasks hold rows.
//!
//! A page is a sixteenth of what one core could have of the initial execution pool, rounded up to a power of two and kept
//! between 1 and 64 MiB; under G1 the header of the array is taken off, so that a page fills whole G1 regions. The value
//! decides how coarse grants and spills are. Source: MEM-33 (executed on both collectors), A7.

use crate::spec::Collector;
use crate::units::Bytes;

/// Smallest default page (MEM-33).
pub const MIN_PAGE: Bytes = Bytes::mib(1);
/// Largest default page (MEM-33).
pub const MAX_PAGE: Bytes = Bytes::mib(64);
/// Header of a `long[]`, taken off a page under G1 (MEM-33).
pub const ARRAY_HEADER: Bytes = Bytes::new(16);
/// Most pages that one task may hold (MEM-32).
pub const MAX_PAGES_PER_TASK: u64 = 8192;

/// Page size when `spark.buffer.pageSize` is unset (MEM-33). `initial_pool` is the execution pool as it starts,
/// M − S (on-heap) or the same of the off-heap size; `cores` is `spark.executor.cores`, at least 1 is assumed.
pub fn default_page_size(initial_pool: Bytes, cores: u32, collector: Collector, on_heap: bool) -> Bytes {
    let share = initial_pool.get() / u64::from(cores.max(1)) / 16;
    let page = Bytes::new(share.min(MAX_PAGE.get()).next_power_of_two()).clamp(MIN_PAGE, MAX_PAGE);
    if on_heap && collector == Collector::G1 { page - ARRAY_HEADER } else { page }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spark::unified_memory::{storage_region, unified_region};

    fn page(heap: Bytes, cores: u32, collector: Collector) -> u64 {
        let max = unified_region(heap, 0.6);
        default_page_size(max - storage_region(max, 0.5), cores, collector, true).get()
    }

    #[test]
    fn a7_page_size_by_heap_and_cores() {
        for (gib, cores, page_size) in [(8, 1, 67_108_864), (8, 4, 67_108_864), (8, 16, 16_777_216), (1, 1, 16_777_216)] {
            assert_eq!(page(Bytes::gib(gib), cores, Collector::Parallel), page_size);
            assert_eq!(page(Bytes::gib(gib), cores, Collector::G1), page_size - 16);
        }
    }

    #[test]
    fn mem_33_pages_stay_between_1_and_64_mib_and_keep_their_header_off_heap() {
        assert_eq!(page(Bytes::mib(300), 1, Collector::Serial), 1 << 20);
        assert_eq!(default_page_size(Bytes::MAX, 0, Collector::Serial, true), MAX_PAGE);
        assert_eq!(default_page_size(Bytes::gib(8), 1, Collector::G1, false), MAX_PAGE);
    }
}

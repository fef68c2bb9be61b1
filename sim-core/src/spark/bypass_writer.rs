//! The bypass writer: one file and one set of buffers for each reduce partition.
//!
//! It uses no managed memory and never spills; its cost is heap that Spark does not count, a file buffer and codec state
//! for each partition. At the end the partition files are appended to one output, and each is deleted as soon as it
//! has been copied, so scratch peaks at the output plus one partition. Source: BP-1 (buffer sizes recalled), BP-2
//! (measured byte code).

use crate::units::Bytes;

/// `spark.shuffle.file.buffer`, one for each open file (2.2).
pub const FILE_BUFFER: Bytes = Bytes::kib(32);
/// State of a compression stream: between 32 and 64 KiB for lz4, the middle taken (BP-1, recalled).
pub const CODEC_BUFFERS: Bytes = Bytes::kib(48);

/// Heap that one task's buffers occupy while it writes (BP-1). Not counted by the memory manager.
pub fn heap_buffers(partitions: u32, compress: bool) -> Bytes {
    let codec = if compress { CODEC_BUFFERS } else { Bytes::ZERO };
    (FILE_BUFFER + codec) * u64::from(partitions)
}

/// Most scratch that one map task occupies: its output plus the largest partition (BP-2).
pub fn scratch_peak(out: Bytes, largest_partition: Bytes) -> Bytes {
    out + largest_partition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a18_bypass_peak_of_200_equal_partitions() {
        assert_eq!(scratch_peak(Bytes::new(1_000_000_000), Bytes::new(5_000_000)), Bytes::new(1_005_000_000));
    }

    #[test]
    fn bp_1_200_partitions_cost_13_to_20_mib_of_heap() {
        assert!((Bytes::mib(13)..=Bytes::mib(20)).contains(&heap_buffers(200, true)));
        assert_eq!(heap_buffers(200, false), Bytes::new(6_553_600));
    }
}

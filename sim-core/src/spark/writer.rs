//! Which shuffle writer a stage uses.
//!
//! Spark decides once for each shuffle, from the number of reduce partitions, map-side combine and whether serialised
//! records may be moved. SQL shuffles never combine and always relocate, so they bypass up to the threshold and use the
//! serialised writer above it (SW-1); RDD code with Java serialisation goes through bypass or sort (SW-2).
//! Source: 2.1, A16.

use crate::spec::RemoteClient;

/// Most partitions that the serialised writer's packed pointers can name, 2^24 (2.1).
pub const MAX_SERIALIZED_PARTITIONS: u32 = 1 << 24;

/// A shuffle writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterKind {
    /// `BypassMergeSortShuffleWriter`: a file for each partition, no managed memory.
    Bypass,
    /// `UnsafeShuffleWriter`: serialised rows in pages, sorted by partition.
    Unsafe,
    /// `SortShuffleWriter`: live objects in a collection that spills.
    Sort,
    /// The client of a remote shuffle service: what is full is pushed, nothing is spilled.
    Push,
}

/// The writer that Spark takes for a shuffle (2.1). `bypass_threshold` is `spark.shuffle.sort.bypassMergeThreshold`.
pub const fn choose(partitions: u32, map_side_combine: bool, relocatable: bool, bypass_threshold: u32) -> WriterKind {
    if map_side_combine {
        WriterKind::Sort
    } else if partitions <= bypass_threshold {
        WriterKind::Bypass
    } else if relocatable && partitions <= MAX_SERIALIZED_PARTITIONS {
        WriterKind::Unsafe
    } else {
        WriterKind::Sort
    }
}

/// The writer of a shuffle that a remote service has. Celeborn's client combines with Spark's own map, which spills to scratch;
/// Uniffle's sends rows as they are, unless `spark.rss.client.mapSideCombine.enabled` says otherwise.
pub const fn remote(map_side_combine: bool, client: RemoteClient) -> WriterKind {
    if map_side_combine && matches!(client, RemoteClient::Celeborn { .. }) { WriterKind::Sort } else { WriterKind::Push }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a16_writer_by_partitions_combine_and_serializer() {
        for relocatable in [false, true] {
            assert_eq!(choose(200, false, relocatable, 200), WriterKind::Bypass);
            assert_eq!(choose(10, true, relocatable, 200), WriterKind::Sort);
        }
        assert_eq!(choose(201, false, true, 200), WriterKind::Unsafe);
        assert_eq!(choose(201, false, false, 200), WriterKind::Sort);
        assert_eq!(choose(16_777_216, false, true, 200), WriterKind::Unsafe);
        assert_eq!(choose(16_777_217, false, true, 200), WriterKind::Sort);
    }
}

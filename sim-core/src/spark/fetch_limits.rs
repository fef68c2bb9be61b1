//! How much a reducer fetches at once, and the direct memory that takes.
//!
//! Blocks of one address are grouped into requests of a fifth of what may be in flight, so that about five peers are read in
//! parallel; a request goes out while it fits, or when nothing else is in flight. Fetched bytes wait, compressed, in pooled
//! direct buffers outside the heap, but for requests above a size, which are streamed to the reader's local directories and
//! stay there until it has read all its input. Assumes blocks of one size and that their sizes are known (FR-5 says when not).
//! Source: FR-1 to FR-3, A19; the life of fetched files from `ShuffleBlockFetcherIterator`; rounding of the arenas recalled.

use crate::units::Bytes;

/// What bounds a reducer's fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// `spark.reducer.maxSizeInFlight`.
    pub max_in_flight: Bytes,
    /// `spark.reducer.maxReqsInFlight`.
    pub max_requests: u32,
    /// `spark.reducer.maxBlocksInFlightPerAddress`.
    pub max_blocks_per_address: u32,
    /// `spark.network.maxRemoteBlockSizeFetchToMem`.
    pub to_memory_max: Bytes,
}

impl FetchLimits {
    /// Size of a request for some of `blocks` blocks of `block` bytes at one address: blocks are added until a fifth of what may be
    /// in flight is reached, or their number is (FR-1).
    pub fn request(&self, block: Bytes, blocks: u64) -> Bytes {
        let grouped = request_target(self.max_in_flight).get().div_ceil(block.get().max(1));
        block * grouped.min(blocks).min(u64::from(self.max_blocks_per_address)).max(1)
    }

    /// Most bytes of `total` that are in flight at a time in requests of this size: as many as fit, or one (FR-1).
    pub fn in_flight(&self, request: Bytes, total: Bytes) -> Bytes {
        let fitting = (self.max_in_flight.get() / request.get().max(1)).clamp(1, u64::from(self.max_requests.max(1)));
        Bytes::new(request.get().saturating_mul(fitting)).min(total)
    }

    /// Whether a request is streamed to a file in the local directories, which costs memory where those are tmpfs (FR-2).
    pub fn goes_to_disk(&self, request: Bytes) -> bool {
        request > self.to_memory_max
    }
}

/// Direct memory for each byte in flight: pooled arenas round up, 1.0 to 1.3 (FR-3, recalled).
pub const ARENA_ROUNDING: f64 = 1.15;

/// Size up to which blocks of one address are grouped: a fifth of `spark.reducer.maxSizeInFlight` (FR-1).
pub fn request_target(max_in_flight: Bytes) -> Bytes {
    Bytes::new((max_in_flight.get() / 5).max(1))
}

/// Whether a request may go out now: it fits, or nothing is in flight (FR-1).
pub fn may_issue(request: Bytes, in_flight: Bytes, max_in_flight: Bytes) -> bool {
    in_flight.is_zero() || request <= max_in_flight.saturating_sub(in_flight)
}

/// Direct memory that the reducers of one executor hold: each has up to `max_in_flight` on the way, but no more than it
/// has to read over the network (FR-3).
pub fn direct_memory(reducers: u32, max_in_flight: Bytes, to_read: Bytes) -> Bytes {
    max_in_flight.min(to_read).scale(ARENA_ROUNDING * f64::from(reducers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a19_request_target_of_48_mib() {
        assert_eq!(request_target(Bytes::mib(48)), Bytes::new(10_066_329));
        assert_eq!(request_target(Bytes::new(3)), Bytes::new(1));
    }

    #[test]
    fn fr_1_a_huge_block_goes_when_nothing_is_in_flight() {
        let max = Bytes::mib(48);
        assert!(may_issue(Bytes::gib(1), Bytes::ZERO, max));
        assert!(may_issue(Bytes::mib(8), Bytes::mib(40), max));
        assert!(!may_issue(Bytes::new((8 << 20) + 1), Bytes::mib(40), max));
        assert!(!may_issue(Bytes::new(1), Bytes::gib(1), max));
    }

    fn defaults() -> FetchLimits {
        FetchLimits { max_in_flight: Bytes::mib(48), max_requests: u32::MAX, max_blocks_per_address: u32::MAX, to_memory_max: Bytes::mib(200) }
    }

    #[test]
    fn fr_2_requests_above_200_mib_go_to_disk() {
        assert!(!defaults().goes_to_disk(Bytes::mib(200)));
        assert!(defaults().goes_to_disk(Bytes::new((200 << 20) + 1)));
    }

    /// FR-1, A19: blocks are added until 10 066 329 B are reached, so blocks of 4 MiB go in threes, and four such requests of
    /// 12 MiB fit in 48 MiB. A block of 300 MiB goes alone.
    #[test]
    fn fr_1_blocks_are_grouped_until_the_target_is_reached() {
        let limits = defaults();
        assert_eq!(limits.request(Bytes::mib(4), 100), Bytes::mib(12));
        assert_eq!(limits.request(Bytes::mib(4), 2), Bytes::mib(8));
        assert_eq!(limits.in_flight(Bytes::mib(12), Bytes::gib(1)), Bytes::mib(48));
        assert_eq!(limits.in_flight(Bytes::mib(13), Bytes::gib(1)), Bytes::mib(39));
        assert_eq!(limits.in_flight(limits.request(Bytes::mib(300), 100), Bytes::gib(1)), Bytes::mib(300));
        assert_eq!(limits.in_flight(Bytes::mib(12), Bytes::mib(5)), Bytes::mib(5));
        let few = FetchLimits { max_requests: 2, max_blocks_per_address: 1, ..limits };
        assert_eq!((few.request(Bytes::mib(4), 100), few.in_flight(Bytes::mib(4), Bytes::gib(1))), (Bytes::mib(4), Bytes::mib(8)));
    }

    #[test]
    fn fr_3_four_cores_take_200_to_260_mib() {
        assert!((Bytes::mib(200)..=Bytes::mib(260)).contains(&direct_memory(4, Bytes::mib(48), Bytes::gib(1))));
        assert_eq!(direct_memory(4, Bytes::mib(48), Bytes::mib(1)), Bytes::mib(1).scale(4.6), "bounded by what there is to read");
    }
}

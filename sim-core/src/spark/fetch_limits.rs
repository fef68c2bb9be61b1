//! How much a reducer fetches at once, and the direct memory that takes.
//!
//! Blocks of one address are grouped into requests of a fifth of what may be in flight, so that about five peers are read in
//! parallel; a request goes out while it fits, or when nothing else is in flight. Fetched bytes wait, compressed, in pooled
//! direct buffers outside the heap. Assumes that block sizes are known exactly (FR-5 says when they are not).
//! Source: FR-1 to FR-3, A19; rounding of the pooled arenas recalled.

use crate::units::Bytes;

/// `spark.network.maxRemoteBlockSizeFetchToMem`: larger requests go to the local directories (FR-2).
pub const FETCH_TO_MEMORY_MAX: Bytes = Bytes::mib(200);
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

/// Whether a request is streamed to a file in the local directories, which costs memory where those are tmpfs (FR-2).
pub fn goes_to_disk(request: Bytes) -> bool {
    request > FETCH_TO_MEMORY_MAX
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

    #[test]
    fn fr_2_requests_above_200_mib_go_to_disk() {
        assert!(!goes_to_disk(Bytes::mib(200)));
        assert!(goes_to_disk(Bytes::new((200 << 20) + 1)));
    }

    #[test]
    fn fr_3_four_cores_take_200_to_260_mib() {
        assert!((Bytes::mib(200)..=Bytes::mib(260)).contains(&direct_memory(4, Bytes::mib(48), Bytes::gib(1))));
        assert_eq!(direct_memory(4, Bytes::mib(48), Bytes::mib(1)), Bytes::mib(1).scale(4.6), "bounded by what there is to read");
    }
}

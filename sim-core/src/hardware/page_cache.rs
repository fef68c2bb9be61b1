//! The page cache as arithmetic: what it absorbs, what it saves, how much it shows.
//!
//! A buffered write goes into dirty pages at memory speed until the dirty threshold is reached, then at the
//! disk's pace (PC-1 to PC-3). Written-back pages stay as clean cache while there is room beside anonymous and
//! tmpfs memory; reads of what is still there touch no disk. Cache is reclaimed before anything is killed
//! (PC-4), so it is never part of a limit; write-back is assumed to start at once instead of after the
//! flusher's wake-up of 5 s. Assumption: clean cache is shared by the node, so a container's limit does not shrink what it
//! can read from memory (PC-3 says it does).

use crate::units::Bytes;

/// `vm.dirty_ratio`: share of available memory that may be dirty before writers wait (PC-1).
const DIRTY_RATIO: f64 = 0.20;

/// How many of `write` bytes are absorbed at memory speed, given the room for cache and what is dirty already.
pub(crate) fn absorbed(write: Bytes, room: Bytes, dirty: Bytes) -> Bytes {
    write.min(room.scale(DIRTY_RATIO).saturating_sub(dirty))
}

/// File bytes that are in memory: all of them as long as there is room.
pub(crate) fn resident(files: Bytes, room: Bytes) -> Bytes {
    files.min(room)
}

/// Bytes of a read that must come from the disk.
pub(crate) fn missed(read: Bytes, files: Bytes, room: Bytes) -> Bytes {
    if files <= room { Bytes::ZERO } else { read.scale(1.0 - room.as_f64() / files.as_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_wait_beyond_a_fifth_of_available_memory_pc1() {
        assert_eq!(absorbed(Bytes::gib(1), Bytes::gib(10), Bytes::ZERO), Bytes::gib(1));
        assert_eq!(absorbed(Bytes::gib(3), Bytes::gib(10), Bytes::ZERO), Bytes::gib(2));
        assert_eq!(absorbed(Bytes::gib(1), Bytes::gib(10), Bytes::gib(2)), Bytes::ZERO);
    }

    #[test]
    fn reads_miss_in_proportion_to_what_did_not_fit() {
        assert_eq!(missed(Bytes::mib(100), Bytes::gib(1), Bytes::gib(2)), Bytes::ZERO);
        assert_eq!(missed(Bytes::mib(100), Bytes::gib(4), Bytes::gib(1)), Bytes::mib(75));
        assert_eq!(resident(Bytes::gib(4), Bytes::gib(1)), Bytes::gib(1));
    }
}

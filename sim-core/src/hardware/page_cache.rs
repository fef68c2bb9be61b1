//! Buffered writes: how much the page cache absorbs before a writer waits.
//!
//! A buffered write goes into dirty pages at memory speed until a threshold is reached, then at the disk's pace (PC-1 to PC-3). The
//! node's threshold is a fifth of the memory that is not anonymous or tmpfs. With cgroup v2 the same fifth holds for what the
//! container's limit leaves, by the container's own dirty pages (PC-2); version 1 knows no thresholds by cgroup: there a container can
//! fill all its room with dirty pages, and then waits for their write-back when it reclaims. Write-back is assumed to start at
//! once instead of after the flusher's wake-up of 5 s. Which pages are resident is in [`crate::linux`].

use crate::spec::CgroupVersion;
use crate::units::Bytes;

/// `vm.dirty_ratio`: share of available memory that may be dirty before writers wait (PC-1).
const DIRTY_RATIO: f64 = 0.20;

/// Room for page cache, and what is dirty of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Domain {
    pub(crate) room: Bytes,
    pub(crate) dirty: Bytes,
}

impl Domain {
    fn takes(&self, share: f64) -> Bytes {
        self.room.scale(share).saturating_sub(self.dirty)
    }
}

/// How many of `write` bytes are absorbed at memory speed by the node, and by the writer's container if that is limited.
pub(crate) fn absorbed(write: Bytes, node: Domain, container: Option<Domain>, version: CgroupVersion) -> Bytes {
    let by_container = container.map_or(Bytes::MAX, |container| match version {
        CgroupVersion::V1 => container.takes(1.0),
        CgroupVersion::V2 { .. } => container.takes(DIRTY_RATIO),
    });
    write.min(node.takes(DIRTY_RATIO)).min(by_container)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: CgroupVersion = CgroupVersion::V2 { group_kill: true };

    fn domain(room: u64, dirty: u64) -> Domain {
        Domain { room: Bytes::gib(room), dirty: Bytes::gib(dirty) }
    }

    #[test]
    fn writers_wait_beyond_a_fifth_of_available_memory_pc1() {
        let absorbed = |write, room, dirty| absorbed(Bytes::gib(write), domain(room, dirty), None, V2);
        assert_eq!(absorbed(1, 10, 0), Bytes::gib(1));
        assert_eq!(absorbed(3, 10, 0), Bytes::gib(2));
        assert_eq!(absorbed(1, 10, 2), Bytes::ZERO);
    }

    /// PC-2: the others' dirty pages do not throttle a container that has none, and its own do although the node has room.
    #[test]
    fn a_container_waits_for_its_own_dirty_pages_only_pc2() {
        let write = Bytes::gib(3);
        assert_eq!(absorbed(write, domain(50, 4), Some(domain(5, 0)), V2), Bytes::gib(1));
        assert_eq!(absorbed(write, domain(50, 4), Some(domain(5, 1)), V2), Bytes::ZERO);
        assert_eq!(absorbed(write, domain(50, 4), Some(domain(5, 1)), CgroupVersion::V1), write);
        assert_eq!(absorbed(write, domain(50, 4), Some(domain(5, 3)), CgroupVersion::V1), Bytes::gib(2));
        assert_eq!(absorbed(write, domain(50, 10), Some(domain(5, 0)), CgroupVersion::V1), Bytes::ZERO);
    }
}

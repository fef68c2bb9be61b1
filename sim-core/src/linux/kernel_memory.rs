//! What the kernel itself takes beside the pages of processes and files, charged to the same cgroups.
//!
//! A page of a process needs an entry in a page table, a page of a file (tmpfs too) a slot in the file's tree; a page that was written to a
//! file on ext4 also a buffer head. All of it counts against limits (6.1) and in no process's RSS. It is in proportion to what is there, so a limit
//! is compared with it by leaving that part of it out: no bookkeeping, no cost. What threads and sockets take is part of the JVM's
//! non-heap memory. Sizes: 8 B an entry, 576 B a node of 64 slots, 104 B a buffer head (Linux 6.x, x86-64), and measured
//! (`docs/model/kernel.md`). Assumptions: pages of 4 KiB; ext4 (xfs has no buffer heads).

use super::cgroup::NodeMemory;
use crate::units::Bytes;

/// A page of 4 KiB to the kernel's part of it, for anonymous memory; tmpfs has 455.
const PAGES_PER_TABLE: u64 = 512;
/// A file page's slot in its file's tree, as a part of the page.
const SLOT: f64 = 576.0 / 64.0 / 4096.0;
/// A written file page's buffer head on ext4, as a part of the page.
const BUFFER_HEAD: f64 = 104.0 / 4096.0;

impl NodeMemory {
    /// The node with the kernel's own memory counted.
    #[must_use]
    pub fn with_kernel_memory(mut self) -> Self {
        self.kernel_memory = true;
        self
    }

    /// How much anonymous and tmpfs memory a limit leaves room for.
    pub(crate) fn usable(&self, limit: Bytes) -> Bytes {
        if self.kernel_memory { limit - Bytes::new(limit.get() / (PAGES_PER_TABLE + 1)) } else { limit }
    }

    /// What so much anonymous and tmpfs memory is with the kernel's part.
    pub(super) fn with_tables(&self, level: Bytes) -> Bytes {
        if self.kernel_memory { level + Bytes::new(level.get() / PAGES_PER_TABLE) } else { level }
    }

    /// How many file pages fit where so much is free, when this part of them was written and not read.
    pub(super) fn file_pages_in(&self, room: Bytes, written: f64) -> Bytes {
        if self.kernel_memory { room.scale(1.0 / (1.0 + SLOT + BUFFER_HEAD * written)) } else { room }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::cgroup::Charge;
    use crate::linux::limits::Over;

    /// 8 B a page of 4 KiB: of a limit of 513 MiB one is page tables.
    #[test]
    fn page_tables_count_against_the_limit() {
        let mut node = NodeMemory::new(Bytes::gib(64), None).with_kernel_memory();
        let pod = node.open_pod(Some(Bytes::mib(513)), None);
        node.charge(pod, Charge::Heap, Bytes::mib(512) - Bytes::new(1));
        assert_eq!(node.over_limit(0.0), None);
        node.charge(pod, Charge::Heap, Bytes::new(1));
        assert_eq!(node.over_limit(0.0), Some(Over::Pod(pod)));
        assert_eq!(node.used_and_limit(Over::Pod(pod), 0.0), (Bytes::mib(513), Bytes::mib(513)));
    }
}

//! What the kernel itself takes beside the pages of processes and files, charged to the same cgroups.
//!
//! A page of a process needs an entry in a page table, a page of a file (tmpfs too) a slot in the file's tree; a page that was written to a
//! file on ext4 also a buffer head. All of it counts against limits (6.1) and in no process's RSS. It is in proportion to what is there, so a limit
//! is compared with it by leaving that part of it out: no bookkeeping, no cost. Slots outlive their pages: an evicted page leaves a shadow entry, by which the
//! kernel would know it again (`workingset_eviction`), and a node full of them stays until the file goes or there are more than one for eight pages of the cgroup
//! (`count_shadow_nodes`). So page cache that gives way leaves up to 1.8 % of a limit behind that nothing can be used for. What threads and sockets take is part of the JVM's
//! non-heap memory. Sizes: 8 B an entry, 592 B a node of 64 slots, 112 B a buffer head, 8 B of the last two for the cgroup's own note (`obj_full_size`; Linux 6.x, x86-64), and measured
//! (`docs/model/kernel.md`). Assumptions: pages of 4 KiB; ext4 (xfs has no buffer heads); no inode of a file with shadow entries is reclaimed.

use super::cgroup::NodeMemory;
use crate::ids::PodSlot;
use crate::units::Bytes;

/// A page of 4 KiB to the kernel's part of it, for anonymous memory; tmpfs has 443.
const PAGES_PER_TABLE: u64 = 512;
/// A file page's slot in its file's tree, as a part of the page.
const SLOT: f64 = 592.0 / 64.0 / 4096.0;
/// A written file page's buffer head on ext4, as a part of the page.
const BUFFER_HEAD: f64 = 112.0 / 4096.0;
/// Evicted pages may keep slots for so many times the pages that a cgroup holds: a node of 64 slots for 8 pages (`count_shadow_nodes`).
const SLOTS_PER_PAGE: u64 = 8;

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

    /// What the slots of so many file pages take at most under a limit. Slots outlive their pages' eviction, so it does not depend on how much of
    /// the cache has been reclaimed.
    pub(super) fn slots(&self, slotted: Bytes, limit: Bytes) -> Bytes {
        if self.kernel_memory { slotted.min(Bytes::new(limit.get().saturating_mul(SLOTS_PER_PAGE))).scale(SLOT) } else { Bytes::ZERO }
    }

    fn usable_beside(&self, limit: Bytes, slotted: Bytes) -> Bytes {
        self.usable(limit - self.slots(slotted, limit))
    }

    /// How much anonymous and tmpfs memory fits into a pod's container, where it has a limit of its own.
    pub(super) fn usable_in_container(&self, slot: PodSlot) -> Option<Bytes> {
        let pod = &self.pods[slot.index()];
        pod.container_limit.map(|limit| self.usable_beside(limit, pod.files.slotted().0))
    }

    /// How much anonymous and tmpfs memory fits into a pod, where it has a limit.
    pub(super) fn usable_in_pod(&self, slot: PodSlot) -> Option<Bytes> {
        let pod = &self.pods[slot.index()];
        pod.limit.map(|limit| self.usable_beside(limit, pod.files.slotted().1))
    }

    /// How much anonymous and tmpfs memory fits into `kubepods`, where it has a limit.
    pub(super) fn usable_in_kubepods(&self) -> Option<Bytes> {
        self.kubepods_limit.map(|limit| self.usable_beside(limit, self.slotted))
    }

    /// How much anonymous and tmpfs memory fits into the node.
    pub(crate) fn usable_on_node(&self) -> Bytes {
        self.usable_beside(self.capacity, self.slotted)
    }

    /// What so much anonymous and tmpfs memory is with the kernel's part.
    pub(super) fn with_tables(&self, level: Bytes) -> Bytes {
        if self.kernel_memory { level + Bytes::new(level.get() / PAGES_PER_TABLE) } else { level }
    }

    /// How many file pages fit where so much is free, when this part of them was written and not read.
    pub(super) fn file_pages_in(&self, room: Bytes, written: f64) -> Bytes {
        room.scale(1.0 / (1.0 + (self.with_buffer_head() - 1.0) * written))
    }

    /// A written page with its buffer head, in pages.
    pub(super) fn with_buffer_head(&self) -> f64 {
        if self.kernel_memory { 1.0 + BUFFER_HEAD } else { 1.0 }
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

    /// Measured: 400 MiB written in a cgroup are charged with 12 435 456 B of kernel memory, after their reclaim with 966 656, after the
    /// file's removal with none. (25 upper nodes of the tree and an inode are not in the model.)
    #[test]
    fn slots_outlive_their_pages_and_go_with_the_file() {
        let (limit, file) = (Bytes::gib(1), Bytes::mib(400));
        let mut node = NodeMemory::new(Bytes::gib(64), None).with_kernel_memory();
        let pod = node.open_pod(Some(limit), None);
        let usable = |node: &NodeMemory| node.usable_in_pod(pod).expect("a limit");
        let without = usable(&node);
        node.file_written(pod, file, 0.0);
        let slots = (without - usable(&node)).get() * (PAGES_PER_TABLE + 1) / PAGES_PER_TABLE;
        let buffer_heads = file.scale(node.with_buffer_head() - 1.0).get();
        assert!(slots.abs_diff(966_656) < 20_000 && (slots + buffer_heads).abs_diff(12_435_456) < 20_000, "{slots} {buffer_heads}");
        // The process grows until all cache is gone: its slots are not.
        node.charge(pod, Charge::Heap, usable(&node) - Bytes::new(1));
        assert_eq!((node.page_cache(pod, 0.0), node.over_limit(0.0)), (Bytes::ZERO, None));
        node.charge(pod, Charge::Heap, Bytes::new(1));
        let (used, of) = node.used_and_limit(Over::Pod(pod), 0.0);
        assert!(node.over_limit(0.0) == Some(Over::Pod(pod)) && of == limit && used.get().abs_diff(limit.get()) <= 2, "{used:?}");
        node.file_removed(Some(pod), file);
        assert_eq!((node.over_limit(0.0), usable(&node)), (None, without));
    }

    /// Measured: page cache, in pages, of a cgroup of 64 MiB in which a file of so many MiB was written.
    #[test]
    fn slots_of_evicted_pages_take_no_more_than_a_part_of_the_limit() {
        for (mib, measured) in [(200, 15_798), (800, 15_520), (2000, 15_520)] {
            let mut node = NodeMemory::new(Bytes::gib(64), None).with_kernel_memory();
            let pod = node.open_pod(Some(Bytes::mib(64)), None);
            node.file_written(pod, Bytes::mib(mib), 0.0);
            let pages = node.page_cache(pod, 0.0).get() / 4096;
            assert!(pages.abs_diff(measured) < measured / 100, "{mib} MiB: {pages} pages, the kernel has {measured}");
        }
    }
}

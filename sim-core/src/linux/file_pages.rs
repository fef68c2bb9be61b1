//! Page cache of disk files, by the cgroup that brought it in, and how limits reclaim it.
//!
//! A page of a file is charged to the container that wrote it, or that read it when it was in no memory (6.1), and stays with the pod
//! when the container goes (LM-1). It never counts towards a kill, only the slot that it leaves behind does (`kernel_memory`): what grows beside it takes its place, first within the container's and
//! the pod's own limit, then, over all pods in proportion, within `kubepods` and the node (PC-3, PC-4). What was reclaimed comes
//! back only by a read. Within a pod the older kind, written or read, goes first. Levels fall nowhere but in [`super::cgroup`], which reclaims before they do; between two such moments ramps only rise, so
//! reclaim can wait for the next look and misses nothing. Assumptions: files of a pod are alike, so a removed or a read part has the
//! resident share of all; no active list: a second read protects nothing.

use super::cgroup::NodeMemory;
use crate::ids::PodSlot;
use crate::units::Bytes;

/// Folios of reads are no larger than this, however far ahead the machine reads.
const LARGEST_FOLIO: Bytes = Bytes::mib(2);

/// Files of one pod, and how much of them is in memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FilePages {
    /// Bytes of files that exist.
    pub(crate) size: Bytes,
    /// Resident and charged to the running container.
    container: Bytes,
    /// Resident and charged to the pod by containers that are gone.
    left: Bytes,
    /// Resident and brought in by reads: such pages have no buffer heads.
    read_in: Bytes,
    /// What came last was read in, not written.
    read_last: bool,
    /// Pages that have slots in the files' trees, charged to the running container: resident ones, and evicted ones, whose slots stay.
    slotted: Bytes,
    /// The same, charged to the pod.
    slotted_left: Bytes,
    /// Dirty pages whose write-back is under way.
    pub(crate) dirty: Bytes,
}

impl FilePages {
    fn resident(&self) -> Bytes {
        self.container + self.left
    }
    /// Pages that have slots in the files' trees, charged to the running container, and to the whole pod.
    pub(super) fn slotted(&self) -> (Bytes, Bytes) {
        (self.slotted, self.slotted + self.slotted_left)
    }
    /// Brings in so much of what is absent, for the running container. Evicted pages find their slots again.
    fn bring_in(&mut self, missed: Bytes) {
        let (absent, slotless) = (self.size.saturating_sub(self.resident()), self.size.saturating_sub(self.slotted().1));
        self.slotted += slotless.scale(missed.as_f64() / absent.as_f64().max(1.0)).min(slotless);
        self.container += missed;
        self.read_in += missed;
        self.read_last = true;
    }
    /// Which of so many written and read pages stay where `room` is, of which a written page with its buffer head takes `head`. What came last
    /// stays longest; pages that were read in go by whole folios, down to the last one.
    fn staying(&self, written: Bytes, read: Bytes, room: Bytes, head: f64, folio: Bytes) -> (Bytes, Bytes) {
        let fitting = |room: Bytes| written.min(room.scale(1.0 / head));
        let whole = |room: Bytes| {
            let taken = Bytes::new(read.saturating_sub(room).get().next_multiple_of(folio.get()));
            if taken <= read { read - taken } else { room.min(read) }
        };
        if self.read_last {
            let read = whole(room);
            (fitting(room.saturating_sub(read)), read)
        } else {
            (fitting(room), whole(room.saturating_sub(written.scale(head))))
        }
    }
    /// Reclaims down to `room`, from the running container and from what was left in proportion.
    fn shrink_to(&mut self, room: Bytes, head: f64, folio: Bytes) {
        let resident = self.resident();
        let (written, read) = self.staying(resident.saturating_sub(self.read_in), self.read_in, room, head, folio);
        self.left = self.left.scale((written + read).as_f64() / resident.as_f64().max(1.0));
        (self.container, self.read_in) = ((written + read).saturating_sub(self.left), read);
    }
    /// Reclaims the running container's part down to `room`.
    fn shrink_container(&mut self, room: Bytes, head: f64, folio: Bytes) {
        let read_here = self.read_in.scale(self.container.as_f64() / self.resident().as_f64().max(1.0)).min(self.container);
        let (written, read) = self.staying(self.container - read_here, read_here, room, head, folio);
        self.read_in = self.read_in - read_here + read;
        self.container = written + read;
    }
    /// Gives a share of all pages back.
    fn keep(&mut self, share: f64) {
        (self.left, self.container) = (self.left.scale(share), self.container.scale(share));
        self.read_in = self.read_in.scale(share).min(self.resident());
    }
    /// Part of the resident pages that was written, and so has buffer heads.
    fn written_share(&self) -> f64 {
        1.0 - self.read_in.as_f64() / self.resident().as_f64().max(1.0)
    }
    /// Removes so many bytes of files; of their pages those that are resident go.
    fn remove(&mut self, bytes: Bytes) {
        let kept = self.size.saturating_sub(bytes);
        let share = if kept.is_zero() { 0.0 } else { kept.as_f64() / self.size.as_f64() };
        for part in [&mut self.container, &mut self.left, &mut self.read_in, &mut self.slotted, &mut self.slotted_left] {
            *part = part.scale(share);
        }
        self.size = kept;
    }
    /// The container is gone: its pages stay with the pod.
    pub(crate) fn container_gone(&mut self) {
        self.left += std::mem::take(&mut self.container);
        self.slotted_left += std::mem::take(&mut self.slotted);
    }
}

impl NodeMemory {
    /// The node with disks that it reads so far ahead. Reads come in folios as large, and reclaim takes whole ones; up to 128 KiB, Linux's
    /// default, that is no more than it takes at once anyway, and pages go one by one.
    #[must_use]
    pub fn with_read_ahead(mut self, bytes: Bytes) -> Self {
        self.folio = if bytes > Bytes::kib(128) { bytes.min(LARGEST_FOLIO) } else { Bytes::new(1) };
        self
    }

    /// A pod's container has written `bytes` of new file at virtual time `v`.
    pub fn file_written(&mut self, slot: PodSlot, bytes: Bytes, v: f64) {
        let pages = &mut self.pods[slot.index()].files;
        pages.size += bytes;
        pages.container += bytes;
        pages.slotted += bytes;
        pages.read_last = false;
        self.cached += bytes;
        self.slotted += bytes;
        self.reclaim(slot, v);
    }

    /// Files that somebody wrote elsewhere are there, and not in memory.
    pub(crate) fn file_found(&mut self, slot: Option<PodSlot>, bytes: Bytes) {
        let pages = match slot {
            Some(slot) => &mut self.pods[slot.index()].files,
            None => &mut self.orphans,
        };
        pages.size += bytes;
    }

    /// A pod's container reads `bytes` of the pod's files; returns those that were not in memory, and now are as far as there is room.
    pub fn file_read(&mut self, slot: PodSlot, bytes: Bytes, v: f64) -> Bytes {
        self.reclaim(slot, v);
        let pages = &mut self.pods[slot.index()].files;
        let absent = pages.size.saturating_sub(pages.resident());
        let missed = if absent.is_zero() { Bytes::ZERO } else { bytes.scale(absent.as_f64() / pages.size.as_f64()).min(absent) };
        if !missed.is_zero() {
            let before = pages.slotted().1;
            pages.bring_in(missed);
            self.slotted += pages.slotted().1 - before;
            self.cached += missed;
            let (resident, all) = (pages.resident(), bytes >= pages.size);
            if all && self.room_in_pod(slot, v).is_some_and(|room| resident > room) {
                // The oldest goes first: from begin to end, that is what the read has not come to yet, and it is read in again.
                self.pods[slot.index()].files.read_in = resident;
            }
            self.reclaim(slot, v);
        }
        missed
    }

    /// Somebody reads `bytes` of all files on the node in proportion; returns those that were not in memory. Each is served, and so
    /// charged, by the container whose file it is.
    pub(crate) fn any_file_read(&mut self, bytes: Bytes, v: f64) -> Bytes {
        if self.absent().is_zero() && self.cached <= self.room_for_files(v) && !self.any_pod_must_reclaim(v) {
            return Bytes::ZERO;
        }
        self.reclaim_everywhere(v);
        let absent = self.absent();
        let missed = bytes.scale(absent.as_f64() / self.file_bytes().as_f64().max(1.0)).min(absent);
        if !missed.is_zero() {
            self.refill(missed.as_f64() / absent.as_f64());
            self.reclaim_everywhere(v);
        }
        missed
    }

    /// `bytes` of files are removed: a pod's, or with none those that pods left on the node.
    pub fn file_removed(&mut self, slot: Option<PodSlot>, bytes: Bytes) {
        let pages = match slot {
            Some(slot) => &mut self.pods[slot.index()].files,
            None => &mut self.orphans,
        };
        let (resident, slotted) = (pages.resident(), pages.slotted().1);
        pages.remove(bytes);
        self.cached -= resident - pages.resident();
        self.slotted -= slotted - pages.slotted().1;
    }

    /// Page cache of a pod at virtual time `v`.
    pub fn page_cache(&mut self, slot: PodSlot, v: f64) -> Bytes {
        self.reclaim_everywhere(v);
        self.pods[slot.index()].files.resident()
    }

    /// Page cache of the node at virtual time `v`.
    pub fn node_page_cache(&self, v: f64) -> Bytes {
        let pods: Bytes = self.open_slots().map(|slot| self.after_own_reclaim(slot, v).resident()).sum();
        (pods + self.orphans.resident()).min(self.room_for_files(v))
    }

    /// Files on the node's disks.
    pub(crate) fn file_bytes(&self) -> Bytes {
        self.open_slots().map(|slot| self.pods[slot.index()].files.size).sum::<Bytes>() + self.orphans.size
    }

    /// Room for page cache beside a container's anonymous and tmpfs memory; none when it has no limit.
    pub(crate) fn room_in_pod(&self, slot: PodSlot, v: f64) -> Option<Bytes> {
        let pod = &self.pods[slot.index()];
        let in_pod = self.usable_in_pod(slot).map(|usable| usable.saturating_sub(self.level(slot, v)));
        let in_container = self.usable_in_container(slot).map(|usable| usable.saturating_sub(self.container_level(slot, v)));
        [in_pod, in_container].into_iter().flatten().min().map(|room| self.file_pages_in(room, pod.files.written_share()))
    }

    /// Room for page cache beside all anonymous and tmpfs memory.
    pub(crate) fn room_for_files(&self, v: f64) -> Bytes {
        let node = self.usable_on_node().saturating_sub(self.node_level(v));
        self.file_pages_in(self.usable_in_kubepods().map_or(node, |usable| node.min(usable.saturating_sub(self.pods_level(v)))), 1.0)
    }

    /// Reclaims what no longer fits, in one pod and on the node.
    pub(super) fn reclaim(&mut self, slot: PodSlot, v: f64) {
        if self.cached.is_zero() {
            return;
        }
        self.reclaim_in_pod(slot, v);
        if self.cached > self.room_for_files(v) {
            self.reclaim_everywhere(v);
        }
    }

    /// A pod goes. Files that it leaves, of an application that goes on without it, belong to nobody.
    pub(super) fn leave_files(&mut self, slot: PodSlot) {
        let pages = std::mem::take(&mut self.pods[slot.index()].files);
        self.orphans.size += pages.size;
        self.orphans.left += pages.resident();
        self.orphans.slotted_left += pages.slotted().1;
    }

    fn absent(&self) -> Bytes {
        self.file_bytes().saturating_sub(self.cached)
    }

    fn after_own_reclaim(&self, slot: PodSlot, v: f64) -> FilePages {
        let mut pages = self.pods[slot.index()].files;
        if let Some(usable) = self.usable_in_container(slot) {
            pages.shrink_container(usable.saturating_sub(self.container_level(slot, v)), self.with_buffer_head(), self.folio);
        }
        if let Some(usable) = self.usable_in_pod(slot) {
            pages.shrink_to(usable.saturating_sub(self.level(slot, v)), self.with_buffer_head(), self.folio);
        }
        pages
    }

    fn any_pod_must_reclaim(&self, v: f64) -> bool {
        self.open_slots().any(|slot| self.room_in_pod(slot, v).is_some_and(|room| self.pods[slot.index()].files.resident() > room))
    }

    fn reclaim_in_pod(&mut self, slot: PodSlot, v: f64) {
        let before = self.pods[slot.index()].files.resident();
        if before.is_zero() {
            return;
        }
        let pages = self.after_own_reclaim(slot, v);
        self.cached -= before - pages.resident();
        self.pods[slot.index()].files = pages;
    }

    pub(crate) fn reclaim_everywhere(&mut self, v: f64) {
        for index in 0..self.pods.len() {
            if self.pods[index].open {
                self.reclaim_in_pod(PodSlot::new(index as u32), v);
            }
        }
        self.reclaim_on_node(v);
    }

    fn reclaim_on_node(&mut self, v: f64) {
        let room = self.room_for_files(v);
        if self.cached <= room {
            return;
        }
        let share = room.as_f64() / self.cached.as_f64();
        let mut cached = Bytes::ZERO;
        for pages in self.pods.iter_mut().filter(|pod| pod.open).map(|pod| &mut pod.files).chain([&mut self.orphans]) {
            pages.keep(share);
            cached += pages.resident();
        }
        self.cached = cached;
    }

    /// Brings in a share of what is absent everywhere.
    fn refill(&mut self, share: f64) {
        for pages in self.pods.iter_mut().filter(|pod| pod.open).map(|pod| &mut pod.files) {
            let (more, before) = (pages.size.saturating_sub(pages.resident()).scale(share), pages.slotted().1);
            pages.bring_in(more);
            self.slotted += pages.slotted().1 - before;
            self.cached += more;
        }
        let (more, before) = (self.orphans.size.saturating_sub(self.orphans.resident()).scale(share), self.orphans.slotted().1);
        self.orphans.bring_in(more);
        self.orphans.container_gone();
        self.slotted += self.orphans.slotted().1 - before;
        self.cached += more;
    }

    /// Whether the sum of the page cache is that of its parts.
    pub(super) fn check_files(&self) -> Result<(), String> {
        let files = || self.pods.iter().filter(|pod| pod.open).map(|pod| &pod.files).chain([&self.orphans]);
        let parts: (Bytes, Bytes) = (files().map(FilePages::resident).sum(), files().map(|pages| pages.slotted().1).sum());
        if parts != (self.cached, self.slotted) {
            return Err(format!("page cache and slots are booked with {:?}, the pods hold {parts:?}", (self.cached, self.slotted)));
        }
        let over = self.pods.iter().find(|pod| pod.open && pod.files.resident() > pod.files.size);
        over.map_or(Ok(()), |pod| Err(format!("more page cache than files: {:?}", pod.files)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::cgroup::Charge;

    fn node() -> NodeMemory {
        NodeMemory::new(Bytes::gib(64), Some(Bytes::gib(58)))
    }

    /// PC-3, PC-4: the cache of a container is what its limit leaves beside heap and tmpfs, however much the node has; it never
    /// kills, and what was reclaimed is read from the disk once.
    #[test]
    fn pc3_a_containers_limit_shrinks_its_own_cache() {
        let mut node = node();
        let (tight, roomy) = (node.open_pod(Some(Bytes::gib(4)), None), node.open_pod(Some(Bytes::gib(12)), None));
        for pod in [tight, roomy] {
            node.charge(pod, Charge::Heap, Bytes::gib(2));
            node.file_written(pod, Bytes::gib(3), 0.0);
        }
        assert_eq!((node.page_cache(tight, 0.0), node.page_cache(roomy, 0.0)), (Bytes::gib(2), Bytes::gib(3)));
        node.charge(tight, Charge::Heap, Bytes::gib(1));
        assert_eq!((node.page_cache(tight, 0.0), node.over_limit(0.0)), (Bytes::gib(1), None));
        assert_eq!((node.file_read(roomy, Bytes::gib(3), 0.0), node.file_read(tight, Bytes::mib(300), 0.0)), (Bytes::ZERO, Bytes::mib(200)));
        // Room that comes back is filled by reads, not by itself.
        node.uncharge(tight, Charge::Heap, Bytes::gib(3), 0.0);
        assert_eq!(node.page_cache(tight, 0.0), Bytes::gib(1));
        assert_eq!((node.file_read(tight, Bytes::gib(3), 0.0), node.page_cache(tight, 0.0)), (Bytes::gib(2), Bytes::gib(3)));
        assert_eq!(node.check(), Ok(()));
    }

    /// A ramp that has risen and gone between two looks has taken its room from the cache.
    #[test]
    fn cache_is_reclaimed_before_a_level_falls() {
        let mut node = node();
        let pod = node.open_pod(Some(Bytes::gib(4)), None);
        node.file_written(pod, Bytes::gib(3), 0.0);
        let flow = crate::linux::ramp::FlowRamp::new(0.0, 2.0, Bytes::ZERO, Bytes::gib(4));
        node.start_ramp(pod, &flow);
        let brought = node.abort_ramp(pod, &flow, 1.5);
        node.uncharge(pod, Charge::Shmem, brought.shmem, 1.5);
        assert_eq!((brought.shmem, node.page_cache(pod, 1.5)), (Bytes::gib(3), Bytes::gib(1)));
    }

    /// LM-1: pages stay with the pod when the container goes, and go with the files; those of a pod that is gone are the node's.
    #[test]
    fn lm_1_cache_outlives_its_container() {
        let mut node = node();
        let pod = node.open_pod(Some(Bytes::gib(4)), None);
        node.file_written(pod, Bytes::gib(2), 0.0);
        node.container_died(pod, 0.0);
        node.restart_container(pod);
        node.charge(pod, Charge::Heap, Bytes::gib(3));
        assert_eq!(node.page_cache(pod, 0.0), Bytes::gib(1));
        node.file_removed(Some(pod), Bytes::gib(1));
        assert_eq!(node.page_cache(pod, 0.0), Bytes::mib(512));
        node.close_pod(pod, 0.0);
        assert_eq!((node.node_page_cache(0.0), node.any_file_read(Bytes::gib(1), 0.0)), (Bytes::mib(512), Bytes::mib(512)));
        node.file_removed(None, Bytes::gib(1));
        assert_eq!((node.node_page_cache(0.0), node.check()), (Bytes::ZERO, Ok(())));
    }

    /// Above the pods all give in proportion.
    #[test]
    fn a_full_node_takes_cache_from_all_pods() {
        let mut node = node();
        let (one, other) = (node.open_pod(None, None), node.open_pod(None, None));
        node.file_written(one, Bytes::gib(20), 0.0);
        node.file_written(other, Bytes::gib(10), 0.0);
        node.charge(one, Charge::Process, Bytes::gib(43));
        assert_eq!((node.page_cache(one, 0.0), node.page_cache(other, 0.0)), (Bytes::gib(10), Bytes::gib(5)));
        assert_eq!((node.node_page_cache(0.0), node.over_limit(0.0)), (Bytes::gib(15), None));
    }

    /// Recorded (seed 159): 20 340 pages are read where 4655 fit, beside what then grows by 3345 and 1245 pages; the kernel has 4468, 884 and
    /// 52 of them left. Folios have 512 pages, the last ones are smaller.
    #[test]
    fn pages_that_were_read_go_by_whole_folios() {
        let pages = |n: u64| Bytes::kib(4) * n;
        let mut node = node().with_read_ahead(Bytes::mib(8));
        let pod = node.open_pod(Some(pages(11_618)), None);
        node.file_found(Some(pod), pages(20_340));
        node.charge(pod, Charge::Heap, pages(6963));
        assert_eq!(node.file_read(pod, pages(20_340), 0.0), pages(20_340));
        assert_eq!(node.page_cache(pod, 0.0), pages(4468));
        node.charge(pod, Charge::Heap, pages(3345));
        assert_eq!(node.page_cache(pod, 0.0), pages(884));
        node.charge(pod, Charge::Heap, pages(1245));
        assert_eq!((node.page_cache(pod, 0.0), node.check()), (pages(65), Ok(())));
    }

    /// What came last stays: pages that are written push out those that were read before them, and the other way round.
    #[test]
    fn the_older_kind_of_pages_goes_first() {
        let mut node = node().with_kernel_memory();
        let pod = node.open_pod(Some(Bytes::mib(100)), None);
        node.file_found(Some(pod), Bytes::mib(60));
        node.file_read(pod, Bytes::mib(60), 0.0);
        node.file_written(pod, Bytes::mib(80), 0.0);
        let files = |node: &NodeMemory| node.pods[pod.index()].files;
        let read = files(&node).read_in;
        assert!(read < Bytes::mib(18) && files(&node).resident() - read == Bytes::mib(80), "{:?}", files(&node));
        // Two thirds of what is absent come back, and written pages go for them.
        node.file_read(pod, Bytes::mib(90), 0.0);
        assert!(files(&node).read_in > read + Bytes::mib(25), "{:?}", files(&node));
        assert!(files(&node).resident() > Bytes::mib(97), "{:?}", files(&node));
        assert_eq!(node.check(), Ok(()));
    }
}

//! One node's memory cgroups: accounts, classes, ramps.
//!
//! The tree is node → `kubepods` → pod → container (5.7); YARN, standalone and bare cgroups use the same tree
//! with fewer limits. A container that dies gives its anonymous memory back at once; its tmpfs pages stay
//! charged to the pod until the volumes are torn down (6.4). Page cache is kept beside these books (`file_pages`): it is
//! reclaimed before any limit bites.

use super::file_pages::FilePages;
use super::ramp::{Brought, FlowRamp, Ramp};
use super::swap::{Swap, Swapped};
use crate::ids::PodSlot;
use crate::kernel::{AccountClass, AccountId, Ledger};
use crate::record::MemoryClass;
use crate::units::Bytes;

/// Classes of charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// JVM heap pages touched.
    Heap,
    /// JVM non-heap and direct buffers.
    NonHeap,
    /// Python workers.
    Python,
    /// Memory of other processes: neighbours, the driver, the system.
    Process,
    /// tmpfs pages.
    Shmem,
}

impl Charge {
    pub(crate) const ALL: [Self; 5] = [Self::Heap, Self::NonHeap, Self::Python, Self::Process, Self::Shmem];
    pub(super) const ANON: [Self; 4] = [Self::Heap, Self::NonHeap, Self::Python, Self::Process];
}

impl AccountClass for Charge {
    const COUNT: usize = 5;
    fn index(self) -> usize {
        self as usize
    }
}

/// A pod's (or container's) place in the node's memory.
#[derive(Debug)]
pub(crate) struct PodMemory {
    pod: AccountId,
    container: Option<AccountId>,
    /// Memory limit of the pod, if any.
    pub(crate) limit: Option<Bytes>,
    /// Memory limit of its container where the pod's does not imply it.
    pub(crate) container_limit: Option<Bytes>,
    pub(crate) files: FilePages,
    /// Tells it from earlier pods in the same slot.
    pub(crate) serial: u32,
    /// Capacity of its tmpfs scratch, if it has some.
    pub(crate) tmpfs_capacity: Option<Bytes>,
    pub(crate) ramp: Ramp,
    /// Largest anonymous + shmem memory so far.
    pub(crate) peak: Bytes,
    /// Whether it is in the books.
    pub(crate) open: bool,
    /// Its pages in swap.
    pub(super) swapped: Swapped,
    /// `memory.swap.max`.
    pub(super) swap_max: Bytes,
}

/// The memory of one node: charges, limits and page cache of its cgroups.
#[derive(Debug)]
pub struct NodeMemory {
    ledger: Ledger<Charge>,
    root: AccountId,
    kubepods: AccountId,
    pub(crate) capacity: Bytes,
    pub(crate) kubepods_limit: Option<Bytes>,
    pub(crate) pods: Vec<PodMemory>,
    ramp: Ramp,
    /// Page cache of all pods and orphans.
    pub(super) cached: Bytes,
    /// File pages with slots in their files' trees, resident or evicted, of all pods and orphans.
    pub(super) slotted: Bytes,
    /// What reclaim takes at least of pages that were read in.
    pub(super) folio: Bytes,
    /// Files whose pods are gone.
    pub(super) orphans: FilePages,
    opened: u32,
    /// Whether page tables and the like count.
    pub(super) kernel_memory: bool,
    /// Largest anonymous + shmem memory so far.
    pub(crate) peak: Bytes,
    pub(super) swap: Swap,
}

impl NodeMemory {
    /// An empty node with so much RAM.
    pub fn new(capacity: Bytes, kubepods_limit: Option<Bytes>) -> Self {
        let mut ledger = Ledger::new();
        let root = ledger.open(None);
        let kubepods = ledger.open(Some(root));
        Self {
            ledger,
            root,
            kubepods,
            capacity,
            kubepods_limit,
            pods: Vec::new(),
            ramp: Ramp::default(),
            cached: Bytes::ZERO,
            slotted: Bytes::ZERO,
            folio: Bytes::new(1),
            orphans: FilePages::default(),
            opened: 0,
            kernel_memory: false,
            peak: Bytes::ZERO,
            swap: Swap::default(),
        }
    }

    /// Memory of the kernel, system services, kubelet and runtime: outside `kubepods`.
    pub fn charge_system(&mut self, bytes: Bytes) {
        self.ledger.charge(self.root, Charge::Process, bytes);
    }

    /// Memory outside `kubepods` that is given back.
    pub fn uncharge_system(&mut self, bytes: Bytes) {
        self.ledger.uncharge(self.root, Charge::Process, bytes);
    }

    /// A new pod with one container, both with this limit.
    pub fn open_pod(&mut self, limit: Option<Bytes>, tmpfs_capacity: Option<Bytes>) -> PodSlot {
        self.opened += 1;
        let pod = self.ledger.open(Some(self.kubepods));
        let container = Some(self.ledger.open(Some(pod)));
        let memory = PodMemory {
            pod,
            container,
            limit,
            container_limit: None,
            files: FilePages::default(),
            serial: self.opened,
            tmpfs_capacity,
            ramp: Ramp::default(),
            peak: Bytes::ZERO,
            open: true,
            swapped: Swapped::default(),
            swap_max: Bytes::MAX,
        };
        if let Some(free) = self.pods.iter().position(|p| !p.open) {
            self.pods[free] = memory;
            return PodSlot::new(free as u32);
        }
        self.pods.push(memory);
        PodSlot::new(self.pods.len() as u32 - 1)
    }

    /// Limits a pod's container more narrowly than the pod: the pod has room for other containers, or no limit.
    pub fn limit_container(&mut self, slot: PodSlot, limit: Bytes) {
        let pod = &mut self.pods[slot.index()];
        pod.container_limit = Some(limit).filter(|&limit| pod.limit.is_none_or(|whole| limit < whole));
    }

    /// A new container in a pod whose container has died; tmpfs pages stay with the pod (ED-5).
    pub fn restart_container(&mut self, slot: PodSlot) {
        let container = self.ledger.open(Some(self.pods[slot.index()].pod));
        self.pods[slot.index()].container = Some(container);
    }

    /// Slots in use, in order.
    pub(super) fn open_slots(&self) -> impl Iterator<Item = PodSlot> {
        (0..self.pods.len()).filter(|&i| self.pods[i].open).map(|i| PodSlot::new(i as u32))
    }

    fn account(&self, slot: PodSlot) -> AccountId {
        let pod = &self.pods[slot.index()];
        pod.container.unwrap_or(pod.pod)
    }

    /// Charges bytes to a pod's container (to the pod when the container is gone).
    pub fn charge(&mut self, slot: PodSlot, class: Charge, bytes: Bytes) {
        let account = self.account(slot);
        self.ledger.charge(account, class, bytes);
    }

    /// Gives bytes back; peaks are taken and cache is reclaimed first, because only here can levels fall. tmpfs pages may lie with
    /// the pod, left by a container before this one (LM-1).
    pub fn uncharge(&mut self, slot: PodSlot, class: Charge, bytes: Bytes, v: f64) {
        self.note_peaks(slot, v);
        if bytes.is_zero() {
            return;
        }
        self.reclaim(slot, v);
        self.free_swap(slot, class, bytes);
        let (account, pod) = (self.account(slot), self.pods[slot.index()].pod);
        let here = self.ledger.own(account, class);
        if class == Charge::Shmem && here < bytes {
            self.ledger.uncharge(account, class, here);
            self.ledger.uncharge(pod, class, bytes - here);
        } else {
            self.ledger.uncharge(account, class, bytes);
        }
    }

    /// Starts the ramp of a task's CPU flow.
    pub fn start_ramp(&mut self, slot: PodSlot, flow: &FlowRamp) {
        self.pods[slot.index()].ramp.add(flow);
        self.ramp.add(flow);
    }

    /// Ends the ramp of a flow that is through: all that it brings is posted.
    pub fn finish_ramp(&mut self, slot: PodSlot, flow: &FlowRamp) {
        self.post_ramp(slot, flow, flow.whole());
    }

    /// Ends the ramp of a flow that is cut off: what it has brought by virtual time `v` is posted, and returned.
    pub fn abort_ramp(&mut self, slot: PodSlot, flow: &FlowRamp, v: f64) -> Brought {
        let brought = flow.partial(v);
        self.post_ramp(slot, flow, brought);
        brought
    }

    fn post_ramp(&mut self, slot: PodSlot, flow: &FlowRamp, brought: Brought) {
        self.pods[slot.index()].ramp.remove(flow);
        self.ramp.remove(flow);
        self.charge(slot, Charge::Heap, brought.heap);
        self.charge(slot, Charge::Shmem, brought.shmem);
        self.charge(slot, Charge::NonHeap, brought.non_heap);
    }

    /// The container's processes are gone: anonymous memory is free at once, tmpfs stays with the pod.
    pub fn container_died(&mut self, slot: PodSlot, v: f64) {
        self.note_peaks(slot, v);
        self.reclaim(slot, v);
        self.pods[slot.index()].files.container_gone();
        let Some(container) = self.pods[slot.index()].container.take() else { return };
        for class in Charge::ANON {
            let held = self.ledger.own(container, class);
            self.ledger.uncharge(container, class, held);
        }
        self.page_in(slot, false, Bytes::MAX);
        self.ledger.reparent_remains(container);
    }

    /// The pod's volumes are torn down and its cgroup is removed.
    pub fn close_pod(&mut self, slot: PodSlot, v: f64) {
        self.container_died(slot, v);
        let pod = self.pods[slot.index()].pod;
        let held = self.ledger.own(pod, Charge::Shmem);
        self.ledger.uncharge(pod, Charge::Shmem, held);
        self.page_in(slot, true, Bytes::MAX);
        self.ledger.close(pod);
        self.leave_files(slot);
        self.pods[slot.index()].open = false;
    }

    /// Bytes of a class in a pod at virtual time `v`, ramps included.
    pub fn held(&self, slot: PodSlot, class: Charge, v: f64) -> Bytes {
        let pod = &self.pods[slot.index()];
        let settled = self.ledger.total(pod.pod, class);
        match class {
            Charge::Heap => settled + Bytes::from_f64(pod.ramp.heap(v)),
            Charge::Shmem => settled + Bytes::from_f64(pod.ramp.shmem(v)),
            Charge::NonHeap => settled + Bytes::from_f64(pod.ramp.non_heap(v)),
            Charge::Python | Charge::Process => settled,
        }
    }

    /// Whether a process lives in the pod: only processes hold anonymous memory.
    pub(crate) fn has_process(&self, slot: PodSlot, v: f64) -> bool {
        Charge::ANON.into_iter().any(|class| !self.held(slot, class, v).is_zero())
    }

    /// Settled anonymous + shmem memory of a pod in RAM, without ramps.
    pub(crate) fn settled(&self, slot: PodSlot) -> Bytes {
        let pod = &self.pods[slot.index()];
        self.ledger.sum(pod.pod) - pod.swapped.sum()
    }

    /// Settled memory of a pod in some classes, in RAM or in swap.
    pub(super) fn settled_of(&self, slot: PodSlot, classes: &[Charge]) -> Bytes {
        classes.iter().map(|&class| self.ledger.total(self.pods[slot.index()].pod, class)).sum()
    }

    /// Settled heap of a pod.
    pub(crate) fn settled_heap(&self, slot: PodSlot) -> Bytes {
        self.ledger.total(self.pods[slot.index()].pod, Charge::Heap)
    }

    /// Settled tmpfs of a pod.
    pub(crate) fn settled_shmem(&self, slot: PodSlot) -> Bytes {
        self.ledger.total(self.pods[slot.index()].pod, Charge::Shmem)
    }

    /// Anonymous + shmem memory of a pod.
    pub fn level(&self, slot: PodSlot, v: f64) -> Bytes {
        self.settled(slot) + self.pods[slot.index()].ramp.bytes(v)
    }

    /// Anonymous + shmem memory of a pod's running container.
    pub(super) fn container_level(&self, slot: PodSlot, v: f64) -> Bytes {
        let pod = &self.pods[slot.index()];
        let settled = pod.container.map_or(Bytes::ZERO, |container| self.ledger.sum(container));
        settled.saturating_sub(pod.swapped.sum()) + pod.ramp.bytes(v)
    }

    /// Settled memory of all pods, and of the node.
    pub(crate) fn settled_sums(&self) -> (Bytes, Bytes) {
        let swapped = self.swap_used();
        (self.ledger.sum(self.kubepods) - swapped, self.ledger.sum(self.root) - swapped)
    }

    /// The sum of all pods' ramps.
    pub(crate) fn node_ramp(&self) -> &Ramp {
        &self.ramp
    }

    /// Anonymous + shmem memory of all pods.
    pub fn pods_level(&self, v: f64) -> Bytes {
        self.settled_sums().0 + self.ramp.bytes(v)
    }

    /// Anonymous + shmem memory of the node.
    pub fn node_level(&self, v: f64) -> Bytes {
        self.settled_sums().1 + self.ramp.bytes(v)
    }

    /// Takes the peaks of a pod and of the node. A process that takes much at once (a JVM's start) may be booked beyond a limit
    /// until the kill that follows in the same instant; the kernel never grants that part, so it is in no peak.
    pub(crate) fn note_peaks(&mut self, slot: PodSlot, v: f64) {
        let granted = self.note_node_peak(v);
        let level = self.level(slot, v).min(granted);
        let most = self.usable_in_pod(slot).map_or(level, |usable| level.min(usable));
        let pod = &mut self.pods[slot.index()];
        pod.peak = pod.peak.max(most);
    }

    /// Takes the peak of the node; returns its level as far as the RAM goes.
    pub(crate) fn note_node_peak(&mut self, v: f64) -> Bytes {
        let granted = self.node_level(v).min(self.usable_on_node());
        self.peak = self.peak.max(granted);
        granted
    }

    /// Memory by class for observers; neighbours and the driver are one class.
    pub(crate) fn classes(&self, v: f64, page_cache: Bytes) -> [Bytes; MemoryClass::ALL.len()] {
        let total = |class| self.ledger.total(self.kubepods, class);
        let mut out = [Bytes::ZERO; MemoryClass::ALL.len()];
        out[MemoryClass::System as usize] = self.ledger.own(self.root, Charge::Process);
        out[MemoryClass::Neighbour as usize] = total(Charge::Process);
        out[MemoryClass::Heap as usize] = total(Charge::Heap) + Bytes::from_f64(self.ramp.heap(v));
        out[MemoryClass::NonHeap as usize] = total(Charge::NonHeap) + Bytes::from_f64(self.ramp.non_heap(v));
        out[MemoryClass::Python as usize] = total(Charge::Python);
        out[MemoryClass::Tmpfs as usize] = total(Charge::Shmem) + Bytes::from_f64(self.ramp.shmem(v));
        out[MemoryClass::PageCache as usize] = page_cache;
        self.leave_out_swap(&mut out);
        out
    }

    /// Whether the books balance; the text says where they do not.
    pub fn check(&self) -> Result<(), String> {
        self.ledger.check().map_err(|imbalance| format!("{imbalance:?}"))?;
        self.check_files()?;
        self.check_swap()
    }

    /// Memory outside `kubepods`.
    pub(crate) fn system(&self) -> Bytes {
        self.ledger.own(self.root, Charge::Process)
    }

    /// All bytes in the books, without ramps.
    pub(crate) fn outstanding(&self) -> Bytes {
        self.ledger.outstanding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LM-1, LM-2, 6.4: after a kill anonymous memory is free at once, tmpfs only when the volume goes.
    #[test]
    fn tmpfs_outlives_its_writer_until_the_volume_is_torn_down() {
        let mut node = NodeMemory::new(Bytes::gib(64), Some(Bytes::gib(58)));
        let pod = node.open_pod(Some(Bytes::gib(12)), Some(Bytes::gib(12)));
        node.charge(pod, Charge::Heap, Bytes::gib(6));
        node.charge(pod, Charge::NonHeap, Bytes::gib(1));
        let flow = FlowRamp::new(0.0, 10.0, Bytes::gib(1), Bytes::gib(2));
        node.start_ramp(pod, &flow);
        assert_eq!(node.level(pod, 5.0), Bytes::mib(8704));
        assert_eq!(node.abort_ramp(pod, &flow, 5.0).shmem, Bytes::gib(1));
        node.container_died(pod, 5.0);
        assert_eq!((node.level(pod, 5.0), node.node_level(5.0)), (Bytes::gib(1), Bytes::gib(1)));
        node.close_pod(pod, 5.0);
        assert_eq!((node.outstanding(), node.peak), (Bytes::ZERO, Bytes::mib(8704)));
        node.check().expect("the books balance");
    }
}

//! A node's swap: what it does to the books.
//!
//! When a limit is reached the kernel pages out before it kills: anonymous memory, and tmpfs that is not mounted `noswap`. What is in swap is no part of a cgroup's
//! `memory.current`, so levels that limits are compared with leave it out; it stays in the ledger as what its owner holds, in a class of its own
//! beside it (anonymous, tmpfs), because badness counts it (6.3) and a tmpfs mount's size does, too. A container has no more of it than its `memory.swap.max`; with
//! `vm.swappiness` 0 nothing is paged out for a cgroup's limit. Where none can go the kill follows. Page cache goes first. Assumptions: pages go from all who may under the
//! limit, and of anonymous and tmpfs memory, in proportion to what is resident (the kernel takes the least recently used); what is freed is in swap in the same
//! proportion; a 256th of the limit is freed at once, where the kernel goes on in smaller batches; nothing outside pods is paged out. Measured on a real kernel: the tests.

use super::cgroup::{Charge, NodeMemory};
use super::limits::Over;
use crate::ids::PodSlot;
use crate::record::MemoryClass;
use crate::spec::SwapSpec;
use crate::units::Bytes;

/// Part of a limit that is freed beyond it, so that the next page is not the next event.
const BATCH: u64 = 256;

/// A node's swap.
#[derive(Debug, Default)]
pub struct Swap {
    spec: SwapSpec,
    /// Pages of all pods in it.
    used: Bytes,
}

/// A pod's pages in swap, by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swapped {
    /// Of processes.
    pub anon: Bytes,
    /// Of tmpfs.
    pub shmem: Bytes,
}

impl Swapped {
    /// Both.
    pub fn sum(self) -> Bytes {
        self.anon + self.shmem
    }
}

impl NodeMemory {
    /// The node with swap.
    #[must_use]
    pub fn with_swap(mut self, spec: SwapSpec) -> Self {
        self.swap.spec = spec;
        self
    }

    /// Whether there is swap.
    pub(crate) fn has_swap(&self) -> bool {
        !self.swap.spec.size.is_zero()
    }

    /// Pages in swap.
    pub fn swap_used(&self) -> Bytes {
        self.swap.used
    }

    /// `memory.swap.max` of a pod; without it there is no limit but the swap's size.
    pub fn limit_swap(&mut self, slot: PodSlot, most: Bytes) {
        self.pods[slot.index()].swap_max = most;
    }

    /// A pod's pages in swap.
    pub fn swapped(&self, slot: PodSlot) -> Swapped {
        self.pods[slot.index()].swapped
    }

    /// Settled anonymous memory of a pod, in RAM or not.
    fn anon(&self, slot: PodSlot) -> Bytes {
        self.settled_of(slot, &Charge::ANON)
    }

    /// Part of a pod's anonymous memory, or of its tmpfs, that is in swap.
    pub(crate) fn swapped_share(&self, slot: PodSlot, tmpfs: bool) -> f64 {
        let swapped = self.swapped(slot);
        let (part, whole) = if tmpfs { (swapped.shmem, self.settled_shmem(slot)) } else { (swapped.anon, self.anon(slot)) };
        if part.is_zero() { 0.0 } else { part.as_f64() / whole.as_f64() }
    }

    /// What of a pod may be paged out: anonymous and tmpfs pages in RAM, as far as its limit of swap goes.
    fn may_go(&self, slot: PodSlot) -> (Bytes, Swapped) {
        let pod = &self.pods[slot.index()];
        let shmem = if self.swap.spec.tmpfs_noswap { Bytes::ZERO } else { self.settled_shmem(slot) - pod.swapped.shmem };
        let resident = Swapped { anon: self.anon(slot) - pod.swapped.anon, shmem };
        (resident.sum().min(pod.swap_max.saturating_sub(pod.swapped.sum())), resident)
    }

    /// Swap that may be used under a limit: part of the total that badness adjustments are parts of (`mem_cgroup_get_max`).
    pub(super) fn swap_under(&self, over: Over) -> Bytes {
        let spec = self.swap.spec;
        match over {
            Over::Node => spec.size,
            _ if !spec.for_cgroups => Bytes::ZERO,
            Over::Kubepods => spec.size,
            Over::Container(slot) | Over::Pod(slot) => spec.size.min(self.pods[slot.index()].swap_max),
            Over::Tmpfs(_) => Bytes::ZERO,
        }
    }

    /// Pages out for a limit that is reached; how much, zero when nothing can go.
    pub fn page_out(&mut self, over: Over, v: f64) -> Bytes {
        let spec = self.swap.spec;
        if spec.size.is_zero() || !spec.for_cgroups && over != Over::Node {
            return Bytes::ZERO;
        }
        let (used, limit) = self.used_and_limit(over, v);
        let wanted = (used.saturating_sub(limit) + Bytes::new(limit.get() / BATCH)).min(spec.size - self.swap.used);
        let slots: Vec<PodSlot> = match over {
            Over::Container(slot) | Over::Pod(slot) => vec![slot],
            Over::Kubepods | Over::Node => self.open_slots().collect(),
            Over::Tmpfs(_) => Vec::new(),
        };
        let room: Bytes = slots.iter().map(|&slot| self.may_go(slot).0).sum();
        let (mut left, share) = (wanted.min(room), wanted.as_f64() / room.as_f64().max(1.0));
        for slot in slots {
            let (may, resident) = self.may_go(slot);
            // Rounded up, so that nothing is left for nobody.
            let goes = Bytes::new(libm::ceil(may.as_f64() * share.min(1.0)) as u64).min(may).min(left);
            if !goes.is_zero() {
                self.note_peaks(slot, v);
                let anon = goes.scale(resident.anon.as_f64() / resident.sum().as_f64()).min(resident.anon).max(goes.saturating_sub(resident.shmem));
                let swapped = &mut self.pods[slot.index()].swapped;
                swapped.anon += anon;
                swapped.shmem += goes - anon;
                left -= goes;
                self.swap.used += goes;
            }
        }
        wanted.min(room) - left
    }

    /// Pages that are needed again come back into RAM: so many of a pod's, if it has so many there. Returns how many.
    pub fn page_in(&mut self, slot: PodSlot, tmpfs: bool, bytes: Bytes) -> Bytes {
        let swapped = &mut self.pods[slot.index()].swapped;
        let class = if tmpfs { &mut swapped.shmem } else { &mut swapped.anon };
        let back = bytes.min(*class);
        *class -= back;
        self.swap.used -= back;
        back
    }

    /// Bytes of a class are about to be freed; their part in swap goes with them.
    pub(super) fn free_swap(&mut self, slot: PodSlot, class: Charge, bytes: Bytes) {
        if self.swap.used.is_zero() {
            return;
        }
        let tmpfs = class == Charge::Shmem;
        let swapped = self.swapped(slot);
        let (part, whole) = if tmpfs { (swapped.shmem, self.settled_shmem(slot)) } else { (swapped.anon, self.anon(slot)) };
        if !part.is_zero() {
            let freed = (u128::from(part.get()) * u128::from(bytes.get())).div_ceil(u128::from(whole.get()));
            self.page_in(slot, tmpfs, Bytes::new(freed as u64));
        }
    }

    /// Takes out of a node's memory by class what is in swap.
    pub(super) fn leave_out_swap(&self, classes: &mut [Bytes; MemoryClass::ALL.len()]) {
        for slot in self.open_slots().filter(|_| !self.swap.used.is_zero()) {
            let mut left = self.swapped(slot).anon;
            let share = self.swapped_share(slot, false);
            for (charge, class) in Charge::ANON.into_iter().zip([MemoryClass::Heap, MemoryClass::NonHeap, MemoryClass::Python, MemoryClass::Neighbour]) {
                let gone = self.settled_of(slot, &[charge]).scale(share).min(left);
                left -= gone;
                classes[class as usize] = classes[class as usize].saturating_sub(gone);
            }
            classes[MemoryClass::Tmpfs as usize] = classes[MemoryClass::Tmpfs as usize].saturating_sub(self.swapped(slot).shmem);
        }
    }

    /// Whether swap holds what pods have there, no more than they hold or may, and no more than its size.
    pub(super) fn check_swap(&self) -> Result<(), String> {
        let mut all = Bytes::ZERO;
        for slot in self.open_slots() {
            let (pod, anon, shmem) = (&self.pods[slot.index()], self.anon(slot), self.settled_shmem(slot));
            let swapped = pod.swapped;
            if swapped.anon > anon || swapped.shmem > shmem || swapped.sum() > pod.swap_max {
                return Err(format!("{slot:?} has {swapped:?} in swap of {anon:?} and {shmem:?}, and may have {:?}", pod.swap_max));
            }
            all += swapped.sum();
        }
        let used = self.swap.used;
        if all == used && used <= self.swap.spec.size {
            Ok(())
        } else {
            Err(format!("swap holds {used:?} of {:?}, pods have {all:?} there", self.swap.spec.size))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::oom_badness::Candidate;

    /// What is done to the cgroup, and what a kernel then had in RAM and in swap, MiB; `None`: it killed.
    type Step = (Charge, u64, Option<(f64, f64)>);

    const ALL: SwapSpec = SwapSpec { size: Bytes::gib(1), for_cgroups: true, limited: false, tmpfs_noswap: false };

    fn node(swap: SwapSpec, most: Option<Bytes>) -> (NodeMemory, PodSlot) {
        let mut node = NodeMemory::new(Bytes::gib(24), None).with_kernel_memory().with_swap(swap);
        let pod = node.open_pod(Some(Bytes::mib(256)), None);
        // The process itself.
        node.charge(pod, Charge::NonHeap, Bytes::kib(256));
        if let Some(most) = most {
            node.limit_swap(pod, most);
        }
        (node, pod)
    }
    /// Charges, and pages out as long as that helps; `false` when only a kill does.
    fn charge(node: &mut NodeMemory, pod: PodSlot, class: Charge, bytes: Bytes) -> bool {
        node.charge(pod, class, bytes);
        while let Some(over) = node.over_limit(0.0) {
            if node.page_out(over, 0.0).is_zero() {
                return false;
            }
            node.check().expect("the books balance");
        }
        true
    }

    /// Six sequences that a real kernel went through (Linux 6.18, cgroup v1, a swap file of 1 GiB, a limit of 256 MiB; `tests/recorders/swap`): which
    /// ops fit, and what then was in RAM and in swap, to 2 MiB.
    #[test]
    fn a_real_kernel_pages_out_as_much() {
        let (anon, tmpfs) = (Charge::Process, Charge::Shmem);
        let (noswap, swappiness_0) = (SwapSpec { tmpfs_noswap: true, ..ALL }, SwapSpec { for_cgroups: false, ..ALL });
        let sequences: [(&str, SwapSpec, Option<Bytes>, &[Step]); 6] = [
            ("anon", ALL, None, &[(anon, 200, Some((200.5, 0.0))), (anon, 200, Some((255.9, 145.0)))]),
            ("memsw 320", ALL, Some(Bytes::mib(64)), &[(anon, 200, Some((200.5, 0.0))), (anon, 100, Some((255.9, 44.8))), (anon, 100, None)]),
            ("tmpfs", ALL, None, &[(tmpfs, 200, Some((201.6, 0.0))), (tmpfs, 200, Some((255.8, 146.2)))]),
            ("noswap", noswap, None, &[(tmpfs, 200, Some((201.6, 0.0))), (tmpfs, 200, None)]),
            ("swappiness 0", swappiness_0, None, &[(anon, 200, Some((200.5, 0.0))), (anon, 200, None)]),
            (
                "both",
                ALL,
                None,
                &[(anon, 100, Some((100.3, 0.0))), (tmpfs, 100, Some((201.5, 0.0))), (anon, 100, Some((255.6, 46.1))), (tmpfs, 100, Some((255.9, 146.0)))],
            ),
        ];
        for (name, swap, most, steps) in sequences {
            let (mut node, pod) = node(swap, most);
            for &(class, mib, expected) in steps {
                let fits = charge(&mut node, pod, class, Bytes::mib(mib));
                assert_eq!(fits, expected.is_some(), "{name}: {mib} MiB");
                if let Some((ram, swapped)) = expected {
                    let found = (node.with_tables(node.level(pod, 0.0)), node.swapped(pod).sum());
                    let near = |found: Bytes, expected: f64| (found.as_f64() / f64::from(1 << 20) - expected).abs() < 2.0;
                    assert!(near(found.0, ram) && near(found.1, swapped), "{name}: {found:?}, a kernel had {ram} and {swapped}");
                }
            }
        }
    }

    /// 6.3, and the same kernel: of a process of 240 MiB, half of it in swap, and one of 200, which was about to grow, the first died.
    #[test]
    fn badness_counts_what_is_in_swap() {
        let (mut node, pod) = node(ALL, Some(Bytes::mib(144)));
        assert!(charge(&mut node, pod, Charge::Process, Bytes::mib(240)) && charge(&mut node, pod, Charge::Process, Bytes::mib(140)));
        assert!(!charge(&mut node, pod, Charge::Process, Bytes::mib(60)));
        let processes = [240, 200].map(|mib| (Some(pod), Candidate::resident(Bytes::mib(mib), 0)));
        assert_eq!(node.victim(Over::Pod(pod), &processes), Some(0));
    }

    /// What is freed is in swap in proportion, a dead container's pages of both kinds leave it, tmpfs stays until the volume goes, and nothing is left.
    #[test]
    fn swap_is_given_back() {
        let (mut node, pod) = node(ALL, None);
        charge(&mut node, pod, Charge::Process, Bytes::mib(200));
        charge(&mut node, pod, Charge::Shmem, Bytes::mib(200));
        let before = node.swapped(pod);
        node.uncharge(pod, Charge::Process, Bytes::mib(100), 0.0);
        let after = node.swapped(pod);
        // 100 of 200.25 MiB are freed, and so 400 of 801 parts of what is in swap.
        assert!(after.anon.get().abs_diff(before.anon.get() * 401 / 801) <= 1 && after.shmem == before.shmem, "{before:?} {after:?}");
        assert_eq!(node.page_in(pod, true, Bytes::mib(5)), Bytes::mib(5));
        assert_eq!(node.swapped(pod).shmem, before.shmem - Bytes::mib(5));
        node.container_died(pod, 0.0);
        assert_eq!((node.swapped(pod).anon, node.swap_used()), (Bytes::ZERO, before.shmem - Bytes::mib(5)));
        node.close_pod(pod, 0.0);
        assert_eq!((node.swap_used(), node.outstanding()), (Bytes::ZERO, Bytes::ZERO));
        node.check().expect("the books balance");
    }

    /// At a full node all who may give in proportion to what they have in RAM: 42 GiB have to fit into 24 less a 256th, so 18 GiB and 96 MiB go, three quarters
    /// (13.57 GiB) of a pod with 30 and a quarter (4.52) of one with 10; a pod without a share of swap gives nothing.
    #[test]
    fn pods_give_in_proportion() {
        let mut node = NodeMemory::new(Bytes::gib(24), None).with_swap(SwapSpec { size: Bytes::gib(64), ..ALL });
        let pods = [30, 10, 2].map(|gib| {
            let pod = node.open_pod(None, None);
            node.charge(pod, Charge::Process, Bytes::gib(gib));
            pod
        });
        node.limit_swap(pods[2], Bytes::ZERO);
        // 42 in 24: 18 GiB and 96 MiB go.
        assert_eq!(node.page_out(Over::Node, 0.0), Bytes::gib(18) + Bytes::mib(96));
        let gone = pods.map(|pod| node.swapped(pod).sum().as_gib());
        assert!((gone[0] - 13.57).abs() < 0.01 && (gone[1] - 4.523).abs() < 0.01 && gone[2] == 0.0, "{gone:?}");
        node.check().expect("the books balance");
    }
}

//! Which limit of a node is reached, and when the next one will be.
//!
//! Checked from the inside out: a tmpfs mount's size (ENOSPC), the container's or pod's limit, `kubepods`, the
//! node's RAM. A pod that holds nothing but tmpfs files has no process to kill and nobody who could charge more. When a mount and a cgroup limit fall together the cgroup's OOM wins (open question 14). Page
//! cache is not counted: the kernel reclaims it before it kills.

use super::cgroup::{Charge, NodeMemory};
use super::oom_badness::{self, Candidate};
use crate::ids::PodSlot;
use crate::units::{Bytes, SimSpan, round_up};

/// A crossing this far away, 30 years in seconds, is none.
const NEVER_S: f64 = 1e9;

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The limit of a pod's container, where it is narrower than the pod's.
    Container(PodSlot),
    /// The pod's memory limit, which is its container's unless the pod has others.
    Pod(PodSlot),
    /// The `kubepods` cgroup.
    Kubepods,
    /// The node's RAM.
    Node,
    /// A pod's tmpfs scratch is full.
    Tmpfs(PodSlot),
}

impl NodeMemory {
    /// The innermost limit that is reached at virtual time `v`, if any.
    pub fn over_limit(&self, v: f64) -> Option<Over> {
        // Runs after every event on every node that it touched, so one pass over the pods finds a full mount as well.
        let mut full_mount = None;
        for slot in self.open_slots() {
            if self.usable_in_container(slot).is_some_and(|usable| self.container_level(slot, v) >= usable) && self.has_process(slot, v) {
                return Some(Over::Container(slot));
            }
            if self.usable_in_pod(slot).is_some_and(|usable| self.level(slot, v) >= usable) && self.has_process(slot, v) {
                return Some(Over::Pod(slot));
            }
            if full_mount.is_none() && self.tmpfs_full(slot, v) {
                full_mount = Some(Over::Tmpfs(slot));
            }
        }
        if self.usable_in_kubepods().is_some_and(|usable| self.pods_level(v) >= usable) {
            return Some(Over::Kubepods);
        }
        if self.node_level(v) >= self.usable_on_node() {
            return Some(Over::Node);
        }
        full_mount
    }

    /// What a limit is compared with at virtual time `v`, the kernel's part included, and the limit.
    pub fn used_and_limit(&self, over: Over, v: f64) -> (Bytes, Bytes) {
        let pod = |slot: PodSlot| &self.pods[slot.index()];
        let (level, slotted, limit) = match over {
            Over::Container(slot) => (self.container_level(slot, v), pod(slot).files.slotted().0, pod(slot).container_limit),
            Over::Pod(slot) => (self.level(slot, v), pod(slot).files.slotted().1, pod(slot).limit),
            Over::Kubepods => (self.pods_level(v), self.slotted, self.kubepods_limit),
            Over::Node => (self.node_level(v), self.slotted, Some(self.capacity)),
            Over::Tmpfs(slot) => return (self.held(slot, Charge::Shmem, v), pod(slot).tmpfs_capacity.unwrap_or(Bytes::MAX)),
        };
        let limit = limit.unwrap_or(Bytes::MAX);
        (self.with_tables(level) + self.slots(slotted, limit), limit)
    }

    /// Which of the node's processes, each with its pod if it is in one, dies when a limit is reached: that with the most points among those under the limit,
    /// which with the swap that may be used there is also the total that adjustments are parts of (OO-1, VS-1, VS-2). None when there is none to kill.
    pub fn victim(&self, over: Over, processes: &[(Option<PodSlot>, Candidate)]) -> Option<usize> {
        let is_under = |slot: Option<PodSlot>| match over {
            Over::Container(limited) | Over::Pod(limited) => slot == Some(limited),
            Over::Kubepods => slot.is_some(),
            Over::Node => true,
            Over::Tmpfs(_) => false,
        };
        let under: Vec<usize> = (0..processes.len()).filter(|&index| is_under(processes[index].0)).collect();
        let candidates: Vec<Candidate> = under.iter().map(|&index| processes[index].1).collect();
        oom_badness::victim(&candidates, self.used_and_limit(over, 0.0).1 + self.swap_under(over)).map(|index| under[index])
    }

    /// A mount is full for writers only: one that holds its capacity and has no writer does no harm.
    fn tmpfs_full(&self, slot: PodSlot, v: f64) -> bool {
        let pod = &self.pods[slot.index()];
        let Some(capacity) = pod.tmpfs_capacity else { return false };
        pod.ramp.shmem_slope() > 0.5 && (self.settled_shmem(slot) + Bytes::from_f64(pod.ramp.shmem(v))) >= capacity
    }

    /// Time until the next limit is reached if all ramps go on at `rate` core-seconds per second.
    pub fn next_crossing(&self, v: f64, rate: f64) -> Option<SimSpan> {
        if rate <= 0.0 || self.node_ramp().slope() <= 0.5 {
            return None;
        }
        let mut soonest = f64::INFINITY;
        let mut consider = |room: f64, slope: f64| {
            if slope > 0.5 {
                soonest = soonest.min(room.max(0.0) / (slope * rate));
            }
        };
        for (index, pod) in self.pods.iter().enumerate().filter(|(_, pod)| pod.open) {
            let slope = pod.ramp.slope();
            if slope <= 0.5 {
                continue;
            }
            let slot = PodSlot::new(index as u32);
            if let Some(usable) = self.usable_in_pod(slot) {
                consider(usable.as_f64() - self.settled(slot).as_f64() - pod.ramp.sum_at(v), slope);
            }
            if let Some(usable) = self.usable_in_container(slot) {
                consider(usable.as_f64() - self.container_level(slot, v).as_f64(), slope);
            }
            if let Some(capacity) = pod.tmpfs_capacity {
                consider(capacity.as_f64() - self.settled_shmem(slot).as_f64() - pod.ramp.shmem(v), pod.ramp.shmem_slope());
            }
        }
        let ramp = self.node_ramp();
        let under_way = ramp.sum_at(v);
        let (pods, node) = self.settled_sums();
        if let Some(usable) = self.usable_in_kubepods() {
            consider(usable.as_f64() - pods.as_f64() - under_way, ramp.slope());
        }
        consider(self.usable_on_node().as_f64() - node.as_f64() - under_way, ramp.slope());
        // A trickle that would take longer than any run never arrives; its nanoseconds would not fit either.
        (soonest < NEVER_S).then(|| SimSpan::from_ns(round_up(soonest * 1e9) + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::ramp::FlowRamp;

    fn node() -> NodeMemory {
        NodeMemory::new(Bytes::gib(64), Some(Bytes::gib(58)))
    }

    /// A13: L 9011 MiB, heap 6000, non-heap 600, tmpfs 2300: 111 MiB of headroom for a write of 200.
    #[test]
    fn a13_a_write_beyond_the_headroom_is_an_oom_after_the_headroom() {
        let mut node = node();
        let pod = node.open_pod(Some(Bytes::mib(9011)), Some(Bytes::mib(9011)));
        node.charge(pod, Charge::Heap, Bytes::mib(6000));
        node.charge(pod, Charge::NonHeap, Bytes::mib(600));
        node.charge(pod, Charge::Shmem, Bytes::mib(2300));
        node.start_ramp(pod, &FlowRamp::new(0.0, 2.0, Bytes::ZERO, Bytes::mib(200)));
        let crossing = node.next_crossing(0.0, 1.0).expect("a limit comes").as_secs_f64();
        assert!((crossing - 1.11).abs() < 1e-6, "{crossing}");
        assert_eq!(node.over_limit(1.10), None);
        assert_eq!(node.over_limit(1.111), Some(Over::Pod(pod)));
    }

    /// A13, second half: a mount of 1024 MiB with 1000 in it takes 24 more, then ENOSPC.
    #[test]
    fn a13_a_write_beyond_the_mount_is_enospc() {
        let mut node = node();
        let pod = node.open_pod(Some(Bytes::mib(9011)), Some(Bytes::mib(1024)));
        node.charge(pod, Charge::Shmem, Bytes::mib(1000));
        node.start_ramp(pod, &FlowRamp::new(0.0, 2.0, Bytes::ZERO, Bytes::mib(200)));
        assert_eq!(node.over_limit(0.23), None);
        assert_eq!(node.over_limit(0.241), Some(Over::Tmpfs(pod)));
    }

    /// 1 B a core-second towards 64 GiB: 2000 years, more nanoseconds than 64 bits hold.
    #[test]
    fn a_trickle_has_no_crossing() {
        let mut node = node();
        let pod = node.open_pod(None, None);
        node.start_ramp(pod, &FlowRamp::new(0.0, 1000.0, Bytes::new(1000), Bytes::ZERO));
        assert_eq!(node.next_crossing(0.0, 1.0), None);
    }

    /// A22: at +1.2 GB/s from 55 GiB the kubepods limit of 58.52 GiB is 3.1 s away.
    #[test]
    fn a22_the_kernel_is_reached_three_seconds_after_55_gib() {
        let limit = Bytes::gib(1).scale(58.52);
        let mut node = NodeMemory::new(Bytes::gib(64), Some(limit));
        let pod = node.open_pod(None, None);
        node.charge(pod, Charge::Process, Bytes::gib(55));
        node.start_ramp(pod, &FlowRamp::new(0.0, 10.0, Bytes::new(6_000_000_000), Bytes::new(6_000_000_000)));
        let crossing = node.next_crossing(0.0, 1.0).expect("a limit comes").as_secs_f64();
        assert!((crossing - 3.15).abs() < 0.01, "{crossing}");
        assert_eq!(node.over_limit(crossing + 1e-6), Some(Over::Kubepods));
    }

    /// A22: 2.5 s to the eviction line of 57.79 GiB, 3.1 s to the limit: one of the kubelet's looks, 10 s apart, falls between them in
    /// 6 to 7 % of the cases.
    #[test]
    fn a22_a_look_falls_between_line_and_limit_in_one_case_of_fifteen() {
        let seconds_to = |gib: f64| {
            let mut node = NodeMemory::new(Bytes::gib(64), Some(Bytes::gib(1).scale(gib)));
            let pod = node.open_pod(None, None);
            node.charge(pod, Charge::Process, Bytes::gib(55));
            node.start_ramp(pod, &FlowRamp::new(0.0, 10.0, Bytes::new(6_000_000_000), Bytes::new(6_000_000_000)));
            node.next_crossing(0.0, 1.0).expect("a limit comes").as_secs_f64()
        };
        let (line, limit) = (seconds_to(57.7876), seconds_to(58.52));
        assert!((line - 2.49).abs() < 0.01 && (0.06..0.07).contains(&((limit - line) / 10.0)), "{line} {limit}");
    }
}

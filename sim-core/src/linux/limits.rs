//! Which limit of a node is reached, and when the next one will be.
//!
//! Checked from the inside out: a tmpfs mount's size (ENOSPC), the container's or pod's limit, `kubepods`, the
//! node's RAM. When a mount and a cgroup limit fall together the cgroup's OOM wins (open question 14). Page
//! cache is not counted: the kernel reclaims it before it kills.

use super::cgroup::NodeMemory;
use crate::ids::PodSlot;
use crate::units::{Bytes, SimSpan};

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The container's or pod's memory limit.
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
    pub(crate) fn over_limit(&self, v: f64) -> Option<Over> {
        for slot in self.open_slots() {
            if self.pods[slot.index()].limit.is_some_and(|limit| self.level(slot, v) >= limit) {
                return Some(Over::Pod(slot));
            }
        }
        if self.kubepods_limit.is_some_and(|limit| self.pods_level(v) >= limit) {
            return Some(Over::Kubepods);
        }
        if self.node_level(v) >= self.capacity {
            return Some(Over::Node);
        }
        self.open_slots().find(|&slot| self.tmpfs_full(slot, v)).map(Over::Tmpfs)
    }

    /// A mount is full for writers only: one that holds its capacity and has no writer does no harm.
    fn tmpfs_full(&self, slot: PodSlot, v: f64) -> bool {
        let pod = &self.pods[slot.index()];
        let Some(capacity) = pod.tmpfs_capacity else { return false };
        pod.ramp.shmem_slope() > 0.5 && (self.settled_shmem(slot) + Bytes::from_f64(pod.ramp.shmem(v))) >= capacity
    }

    fn open_slots(&self) -> impl Iterator<Item = PodSlot> {
        (0..self.pods.len()).filter(|&i| self.pods[i].open).map(|i| PodSlot::new(i as u32))
    }

    /// Time until the next limit is reached if all ramps go on at `rate` core-seconds per second.
    pub(crate) fn next_crossing(&self, v: f64, rate: f64) -> Option<SimSpan> {
        if rate <= 0.0 || self.node_ramp().slope() <= 0.5 {
            return None;
        }
        let mut soonest = f64::INFINITY;
        let mut consider = |room: f64, slope: f64| {
            if slope > 0.5 {
                soonest = soonest.min(room.max(0.0) / (slope * rate));
            }
        };
        for slot in self.open_slots() {
            let pod = &self.pods[slot.index()];
            let slope = pod.ramp.slope();
            if slope <= 0.5 {
                continue;
            }
            if let Some(limit) = pod.limit {
                consider(limit.as_f64() - self.settled(slot).as_f64() - pod.ramp.heap(v) - pod.ramp.shmem(v), slope);
            }
            if let Some(capacity) = pod.tmpfs_capacity {
                consider(capacity.as_f64() - self.settled_shmem(slot).as_f64() - pod.ramp.shmem(v), pod.ramp.shmem_slope());
            }
        }
        let ramp = self.node_ramp();
        let under_way = ramp.heap(v) + ramp.shmem(v);
        let (pods, node) = self.settled_sums();
        if let Some(limit) = self.kubepods_limit {
            consider(limit.as_f64() - pods.as_f64() - under_way, ramp.slope());
        }
        consider(self.capacity.as_f64() - node.as_f64() - under_way, ramp.slope());
        soonest.is_finite().then(|| SimSpan::from_ns((soonest * 1e9).ceil() as u64 + 1))
    }
}

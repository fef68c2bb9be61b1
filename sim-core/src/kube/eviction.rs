//! Node-pressure eviction: when the kubelet acts, and on whom.
//!
//! Every pass compares signals with thresholds and, under pressure, evicts one pod (NE-1, NE-2); the caller owns the
//! clock, the age of the metrics and the wait for clean-up. Two memory signals exist, and on a node with a tight
//! reservation the one on `kubepods` comes first (5.9). Pods are ranked by usage above request, then priority, then how
//! far usage is above request; the same rule serves memory and disk (NE-3, NE-7). Executors have request = limit, so
//! they rarely exceed their memory request, but never have an ephemeral one. A critical pod is skipped and the next one
//! is tried. A soft threshold counts when it was met for its grace period; a minimum reclaim makes the manager go on. Pages in swap are in
//! no working set. Inodes are not modelled. Source: 5.9, A22.

use std::cmp::Reverse;

use crate::kube::qos;
use crate::spec::EvictionSpec;
use crate::units::{Bytes, SimTime};

/// A pod that might be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Working set for memory; logs, writable layers and disk `emptyDir` for disk.
    pub usage: Bytes,
    /// Memory request, or ephemeral-storage request.
    pub request: Bytes,
    /// Pod priority.
    pub priority: i32,
    /// Whether the pod is critical whatever its priority (a static pod).
    pub critical: bool,
}

impl Candidate {
    fn evictable(&self) -> bool {
        !self.critical && !qos::is_critical(self.priority)
    }

    /// Victims first: above the request, then low priority, then large usage minus request.
    fn rank(&self) -> (Reverse<bool>, i32, Reverse<i128>) {
        let above = i128::from(self.usage.get()) - i128::from(self.request.get());
        (Reverse(above > 0), self.priority, Reverse(above))
    }
}

/// Indices of the pods that may be evicted, first victim first; equal ones keep their order (NE-3, NE-7).
pub fn ranked(candidates: &[Candidate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).filter(|&index| candidates[index].evictable()).collect();
    order.sort_by_key(|&index| candidates[index].rank());
    order
}

/// The pod that one pass evicts: the first of [`ranked`].
pub fn victim(candidates: &[Candidate]) -> Option<usize> {
    let evictable = candidates.iter().enumerate().filter(|(_, candidate)| candidate.evictable());
    evictable.min_by_key(|(_, candidate)| candidate.rank()).map(|(index, _)| index)
}

/// An eviction signal below its threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// `memory.available`: the whole node (limit D of 5.9).
    Memory,
    /// `allocatableMemory.available`: the `kubepods` cgroup (limit B of 5.9).
    AllocatableMemory,
    /// `nodefs.available`: the disk that carries the kubelet directory (NE-6).
    NodeFs,
}

/// A node's memory as the kubelet sees it. Working set is usage minus inactive file cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryStats {
    /// `MemTotal`.
    pub capacity: Bytes,
    /// Working set of the whole node, pods and system.
    pub working_set: Bytes,
    /// Limit of the `kubepods` cgroup.
    pub kubepods_limit: Bytes,
    /// Working set of all pods.
    pub kubepods_working_set: Bytes,
}

/// The memory signal that is below `threshold`, if any; the node's before that of `kubepods`. Both lead to the same
/// ranking.
pub fn memory_pressure(stats: &MemoryStats, threshold: Bytes) -> Option<Signal> {
    if starved(stats.capacity, stats.working_set, threshold) {
        Some(Signal::Memory)
    } else {
        starved(stats.kubepods_limit, stats.kubepods_working_set, threshold).then_some(Signal::AllocatableMemory)
    }
}

/// What the eviction manager remembers between its looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Since when the soft threshold has been met at every look.
    soft_since: Option<SimTime>,
    /// Whether the last look acted: its threshold is resolved only when the minimum reclaim is there, too.
    acted: bool,
}

/// What one look finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether the node reports memory pressure: any threshold is met, a soft one also before its grace is over.
    pub pressure: bool,
    /// The signal to act on, with the threshold that it is below.
    pub act: Option<(Signal, Bytes)>,
}

impl Remembered {
    /// Compares the signals with the hard threshold, which exists for the node and for `kubepods`, and the soft one, which exists
    /// for the node only (5.9). A threshold that was acted on stays met until `minimum_reclaim` more is available.
    pub fn look(&mut self, stats: &MemoryStats, hard: Bytes, spec: &EvictionSpec, now: SimTime) -> Look {
        let unresolved = |threshold: Bytes| if self.acted { threshold + spec.minimum_reclaim } else { threshold };
        let at_hard = memory_pressure(stats, unresolved(hard)).map(|signal| (signal, hard));
        let at_soft = spec.soft.filter(|soft| starved(stats.capacity, stats.working_set, unresolved(soft.available)));
        self.soft_since = at_soft.map(|_| self.soft_since.unwrap_or(now));
        let over = self.soft_since.is_some_and(|since| spec.soft.is_some_and(|soft| now.since(since) >= soft.grace));
        let act = at_hard.or(at_soft.filter(|_| over).map(|soft| (Signal::Memory, soft.available)));
        self.acted = act.is_some();
        Look { pressure: at_hard.is_some() || at_soft.is_some(), act }
    }
}

/// Whether a disk has less than `percent` % of its size available (NE-6). Zero percent means no threshold.
pub fn nodefs_pressure(size: Bytes, available: Bytes, percent: u32) -> Option<Signal> {
    let below = u128::from(available.get()) * 100 < u128::from(size.get()) * u128::from(percent);
    below.then_some(Signal::NodeFs)
}

/// The working set above which a signal on `limit` is below `threshold`: the crossing to watch for.
pub fn eviction_line(limit: Bytes, threshold: Bytes) -> Bytes {
    limit.saturating_sub(threshold)
}

/// Strictly below, as the kubelet compares.
fn starved(limit: Bytes, working_set: Bytes, threshold: Bytes) -> bool {
    limit.saturating_sub(working_set) < threshold
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::reservation::{Provider, reservation};
    use crate::spec::SoftEviction;
    use crate::units::{CoreMillis, SimSpan};

    fn pod(usage: u64, request: u64, priority: i32) -> Candidate {
        Candidate { usage: Bytes::mib(usage), request: Bytes::mib(request), priority, critical: false }
    }

    fn check(candidates: &[Candidate], expected: &[usize]) {
        assert_eq!(ranked(candidates), expected, "{candidates:?}");
        assert_eq!(victim(candidates), expected.first().copied());
    }

    #[test]
    fn ne3_above_request_before_priority() {
        // A high-priority pod above its request goes before a low-priority one below it.
        check(&[pod(100, 200, -10), pod(300, 200, 1000)], &[1, 0]);
    }

    #[test]
    fn ne3_priority_before_excess() {
        check(&[pod(900, 200, 5), pod(300, 200, 0)], &[1, 0]);
    }

    #[test]
    fn ne3_largest_excess_last() {
        check(&[pod(300, 200, 0), pod(250, 0, 0), pod(220, 200, 0)], &[1, 0, 2]);
        // Below the request, the one nearest to it goes first: 9011 − 8800 before 9011 − 6000.
        check(&[pod(6000, 9011, 0), pod(8800, 9011, 0)], &[1, 0]);
    }

    #[test]
    fn ne3_executors_survive_best_effort_and_overusing_pods() {
        let executor = pod(9000, 9011, 0);
        check(&[executor, pod(50, 0, 0), pod(700, 512, 0), executor], &[2, 1, 0, 3]);
    }

    #[test]
    fn usage_equal_to_request_is_not_above_it() {
        check(&[pod(200, 200, 0), pod(201, 200, 1)], &[1, 0]);
    }

    #[test]
    fn critical_pods_are_never_evicted() {
        let critical = pod(5000, 0, 2_000_000_000);
        let static_pod = Candidate { critical: true, ..pod(5000, 0, 0) };
        check(&[critical, static_pod, pod(10, 100, 0)], &[2]);
        check(&[critical, static_pod], &[]);
        check(&[pod(1, 0, 1_999_999_999)], &[0]);
        check(&[], &[]);
    }

    #[test]
    fn ne7_heavy_spillers_go_first_on_disk() {
        // Executors have no ephemeral request; one that wrote 40 GiB goes before one with 5 GiB and a pod within its request.
        check(&[pod(5 << 10, 0, 0), pod(40 << 10, 0, 0), pod(60 << 10, 100 << 10, 0)], &[1, 0, 2]);
    }

    #[test]
    fn a22_eviction_lines_on_64_gib_aks() {
        let capacity = Bytes::gib(64);
        let reserved = reservation(Provider::Aks, (1, 28), capacity, CoreMillis::cores(16), 110);
        let kubepods_limit = capacity - reserved.memory;
        let pods_line = eviction_line(kubepods_limit, reserved.eviction_memory);
        let node_line = eviction_line(capacity, reserved.eviction_memory);
        assert!((pods_line.as_gib() - 57.7876).abs() < 5e-5);
        assert!((node_line.as_gib() - 63.2676).abs() < 5e-5);
        // At +1.2 GB/s from 55 GiB: 2.5 s to the line, 3.1 s to the kernel's limit, so a 10 s tick falls between in 6 to 7 % of cases.
        let seconds = |line: Bytes| (line - Bytes::gib(55)).as_f64() / 1.2e9;
        assert!((seconds(pods_line) - 2.5).abs() < 0.05 && (seconds(kubepods_limit) - 3.1).abs() < 0.06);
        let chance = (seconds(kubepods_limit) - seconds(pods_line)) / 10.0;
        assert!((0.06..0.07).contains(&chance), "{chance}");
    }

    #[test]
    fn a22_signals_fire_just_above_their_lines() {
        let stats = |working_set, kubepods_working_set| MemoryStats {
            capacity: Bytes::mib(65_536),
            working_set: Bytes::mib(working_set),
            kubepods_limit: Bytes::mib(59_924),
            kubepods_working_set: Bytes::mib(kubepods_working_set),
        };
        let threshold = Bytes::mib(750);
        assert_eq!(memory_pressure(&stats(60_000, 59_174), threshold), None);
        assert_eq!(memory_pressure(&stats(60_000, 59_175), threshold), Some(Signal::AllocatableMemory));
        assert_eq!(memory_pressure(&stats(64_786, 50_000), threshold), None);
        assert_eq!(memory_pressure(&stats(64_787, 50_000), threshold), Some(Signal::Memory));
        assert_eq!(memory_pressure(&stats(70_000, 60_000), threshold), Some(Signal::Memory));
        assert_eq!(memory_pressure(&stats(70_000, 60_000), Bytes::ZERO), None);
    }

    /// Looks at a node of 1000 bytes, `(second, working set)` each, against hand-worked answers `(pressure, acts)`.
    fn looks(spec: EvictionSpec, seen: &[(u64, u64, bool, bool)]) {
        let mut remembered = Remembered::default();
        for &(second, working_set, pressure, acts) in seen {
            let stats = MemoryStats {
                capacity: Bytes::new(1000),
                working_set: Bytes::new(working_set),
                kubepods_limit: Bytes::new(1000),
                kubepods_working_set: Bytes::ZERO,
            };
            let look = remembered.look(&stats, Bytes::new(100), &spec, SimTime::ZERO + SimSpan::from_secs(second));
            assert_eq!((look.pressure, look.act.is_some()), (pressure, acts), "at {second} s");
        }
    }

    const HARD: EvictionSpec =
        EvictionSpec { soft: None, minimum_reclaim: Bytes::ZERO, pressure_transition: SimSpan::from_secs(300), unused_images: Bytes::ZERO };

    #[test]
    fn a_soft_threshold_waits_for_its_grace_and_starts_anew_when_it_was_not_met() {
        let soft = EvictionSpec { soft: Some(SoftEviction { available: Bytes::new(300), grace: SimSpan::from_secs(20) }), ..HARD };
        let met = [(0, 700, false, false), (10, 701, true, false), (20, 750, true, false), (30, 750, true, true)];
        looks(soft, &met);
        looks(soft, &[(0, 750, true, false), (10, 700, false, false), (20, 750, true, false), (30, 750, true, false), (40, 750, true, true)]);
        // The hard threshold has no grace.
        looks(soft, &[(0, 901, true, true)]);
    }

    #[test]
    fn a_minimum_reclaim_makes_the_manager_go_on() {
        let reclaim = EvictionSpec { minimum_reclaim: Bytes::new(50), ..HARD };
        looks(HARD, &[(0, 901, true, true), (10, 900, false, false)]);
        // 100 to 149 available are enough to start no eviction, not to end one.
        looks(reclaim, &[(0, 900, false, false), (10, 901, true, true), (20, 851, true, true), (30, 850, false, false), (40, 900, false, false)]);
    }

    #[test]
    fn ne6_nodefs_below_ten_percent() {
        assert_eq!(nodefs_pressure(Bytes::new(1000), Bytes::new(100), 10), None);
        assert_eq!(nodefs_pressure(Bytes::new(1000), Bytes::new(99), 10), Some(Signal::NodeFs));
        assert_eq!(nodefs_pressure(Bytes::new(1000), Bytes::ZERO, 0), None);
        assert_eq!(nodefs_pressure(Bytes::MAX, Bytes::ZERO, 100), Some(Signal::NodeFs));
    }
}

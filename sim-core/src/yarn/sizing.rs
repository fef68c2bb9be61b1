//! Sizes of containers and of what a `NodeManager` offers.
//!
//! A request is raised to `yarn.scheduler.minimum-allocation-mb` and rounded up to a multiple of the scheduler's step (YRN-1), which is the
//! minimum in the Capacity scheduler and a setting of its own in the Fair scheduler: with the default of 1 GiB an executor of 9011 MiB
//! takes 9216 MiB, and the slack is real headroom because the monitor compares with the rounded size. Rounding stops at the largest
//! allocation; what asks for more is refused by Spark's client before anything starts. A node offers `yarn.nodemanager.resource.memory-mb`, here a
//! share of its memory in whole MiB. Source: `DefaultResourceCalculator.normalize` of Hadoop 3.4; Spark's `Client.verifyClusterResources`.

use crate::spec::YarnSpec;
use crate::units::Bytes;

/// The container that a request for `asked` bytes becomes (YRN-1), where `largest` is the most that one can have.
pub fn container_size(asked: Bytes, yarn: &YarnSpec, largest: Bytes) -> Bytes {
    let raised = asked.max(yarn.minimum_allocation);
    let step = yarn.increment_allocation.get();
    let rounded = if step == 0 { raised } else { Bytes::new(raised.get().div_ceil(step).saturating_mul(step)) };
    if asked > largest { rounded } else { rounded.min(largest) }
}

/// Memory for containers on a node with this `MemTotal`, whole MiB.
pub fn node_capacity(memory: Bytes, yarn: &YarnSpec) -> Bytes {
    Bytes::mib(memory.scale(yarn.node_memory_share).min(memory).whole_mib())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(minimum: u64, increment: u64) -> YarnSpec {
        YarnSpec { minimum_allocation: Bytes::mib(minimum), increment_allocation: Bytes::mib(increment), ..YarnSpec::default() }
    }

    #[test]
    fn yrn1_rounds_up_to_a_multiple() {
        // Capacity: steps of the minimum.
        let cases = [(9011, 1024, 9216), (9216, 1024, 9216), (2432, 1024, 3072), (0, 1024, 1024), (100, 512, 512), (9011, 0, 9011)];
        for (asked, minimum, container) in cases {
            let size = container_size(Bytes::mib(asked), &steps(minimum, minimum), Bytes::MAX);
            assert_eq!(size, Bytes::mib(container), "{asked} by {minimum}");
        }
        assert_eq!(container_size(Bytes::MAX, &steps(1024, 1024), Bytes::MAX), Bytes::MAX);
    }

    #[test]
    fn yrn1_the_fair_scheduler_has_a_step_of_its_own() {
        // At least 1024, in steps of 512: 9011 -> 17.6 steps -> 18.
        let cases = [(9011, 9216), (9217, 9728), (100, 1024), (1025, 1536)];
        for (asked, container) in cases {
            assert_eq!(container_size(Bytes::mib(asked), &steps(1024, 512), Bytes::MAX), Bytes::mib(container), "{asked}");
        }
    }

    #[test]
    fn yrn1_rounding_stops_at_the_largest_allocation() {
        // 8192 MiB is Hadoop's default: 7700 -> 8192; with 8000 at most it stays at 8000. What asks for more is not cut down.
        assert_eq!(container_size(Bytes::mib(7700), &steps(1024, 1024), Bytes::mib(8192)), Bytes::mib(8192));
        assert_eq!(container_size(Bytes::mib(7700), &steps(1024, 1024), Bytes::mib(8000)), Bytes::mib(8000));
        assert_eq!(container_size(Bytes::mib(9011), &steps(1024, 1024), Bytes::mib(8192)), Bytes::mib(9216));
    }

    #[test]
    fn node_capacity_is_whole_mib_and_never_more_than_the_node() {
        let yarn = |node_memory_share| YarnSpec { node_memory_share, ..YarnSpec::default() };
        // 0.8 · 64 GiB = 52 428.8 MiB.
        assert_eq!(node_capacity(Bytes::gib(64), &yarn(0.8)), Bytes::mib(52_428));
        assert_eq!(node_capacity(Bytes::gib(64), &yarn(2.0)), Bytes::gib(64));
        assert_eq!(node_capacity(Bytes::gib(64), &yarn(-1.0)), Bytes::ZERO);
    }
}

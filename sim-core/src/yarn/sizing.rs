//! Sizes of containers and of what a `NodeManager` offers.
//!
//! A request is rounded up to a multiple of `yarn.scheduler.minimum-allocation-mb` (YRN-1): with the default of 1 GiB
//! an executor of 9011 MiB takes 9216 MiB, and the slack is real headroom because the monitor compares with the rounded
//! size. A node offers `yarn.nodemanager.resource.memory-mb`, here a share of its memory in whole MiB. The largest
//! allocation of the scheduler is not modelled: a larger request would be refused at submission.

use crate::spec::YarnSpec;
use crate::units::Bytes;

/// The container that a request for `asked` bytes becomes (YRN-1): at least one multiple of `minimum`. No minimum means
/// no rounding.
pub fn container_size(asked: Bytes, minimum: Bytes) -> Bytes {
    if minimum.is_zero() {
        return asked;
    }
    let multiples = asked.get().div_ceil(minimum.get()).max(1);
    Bytes::new(multiples.saturating_mul(minimum.get()))
}

/// Memory for containers on a node with this `MemTotal`, whole MiB.
pub fn node_capacity(memory: Bytes, yarn: &YarnSpec) -> Bytes {
    Bytes::mib(memory.scale(yarn.node_memory_share).min(memory).whole_mib())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yrn1_rounds_up_to_a_multiple() {
        let cases = [(9011, 1024, 9216), (9216, 1024, 9216), (2432, 1024, 3072), (0, 1024, 1024), (100, 512, 512), (9011, 0, 9011)];
        for (asked, minimum, container) in cases {
            assert_eq!(container_size(Bytes::mib(asked), Bytes::mib(minimum)), Bytes::mib(container), "{asked} by {minimum}");
        }
        assert_eq!(container_size(Bytes::MAX, Bytes::gib(1)), Bytes::MAX);
    }

    #[test]
    fn node_capacity_is_whole_mib_and_never_more_than_the_node() {
        let yarn = |node_memory_share| YarnSpec {
            minimum_allocation: Bytes::gib(1),
            node_memory_share,
            monitor_interval_s: 3.0,
            pmem_check: true,
            vmem_check: true,
            vmem_ratio: 2.1,
        };
        // 0.8 · 64 GiB = 52 428.8 MiB.
        assert_eq!(node_capacity(Bytes::gib(64), &yarn(0.8)), Bytes::mib(52_428));
        assert_eq!(node_capacity(Bytes::gib(64), &yarn(2.0)), Bytes::gib(64));
        assert_eq!(node_capacity(Bytes::gib(64), &yarn(-1.0)), Bytes::ZERO);
    }
}

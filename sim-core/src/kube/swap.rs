//! How much swap the kubelet lets a container have.
//!
//! `NoSwap` gives none. `LimitedSwap` gives a container of a Burstable pod a part of the node's swap as large as its memory request is of the node's
//! memory, on cgroup v2 only, and nothing to critical pods, to containers without request and limit, and to those whose request is their limit: so
//! nothing to Spark's pods, whose memory request always is. Source: `GetContainerSwapBehavior` and `calcSwapForBurstablePods` of the kubelet.

use super::qos::{self, QosClass};
use crate::spec::{CgroupVersion, Resources, SwapSpec};
use crate::units::Bytes;

/// `memory.swap.max` of a pod with one container of such resources.
pub fn swap_max(swap: &SwapSpec, cgroup: CgroupVersion, resources: &Resources, priority: i32, node_memory: Bytes) -> Bytes {
    let fixed = resources.memory_limit == Some(resources.memory_request);
    let burstable = qos::qos_class(resources) == QosClass::Burstable && !fixed;
    if !swap.limited || cgroup == CgroupVersion::V1 || qos::is_critical(priority) || !burstable {
        return Bytes::ZERO;
    }
    let part = u128::from(resources.memory_request.get()) * u128::from(swap.size.get()) / u128::from(node_memory.get().max(1));
    Bytes::new(u64::try_from(part).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::CoreMillis;

    /// The example of the Kubernetes documentation's formula, worked by hand: a request of 4 GiB on a node of 64 GiB with 16 GiB of swap gives 1 GiB.
    #[test]
    fn limited_swap_follows_the_request() {
        let swap = SwapSpec { size: Bytes::gib(16), for_cgroups: true, limited: true, tmpfs_noswap: true };
        let v2 = CgroupVersion::V2 { group_kill: true };
        let burstable = Resources { memory_request: Bytes::gib(4), memory_limit: Some(Bytes::gib(8)), ..Resources::default() };
        let given = |swap: &SwapSpec, cgroup, resources: &Resources, priority| swap_max(swap, cgroup, resources, priority, Bytes::gib(64));
        assert_eq!(given(&swap, v2, &burstable, 0), Bytes::gib(1));
        assert_eq!(given(&swap, v2, &Resources { memory_limit: None, ..burstable }, 0), Bytes::gib(1));
        let none = [
            given(&SwapSpec { limited: false, ..swap }, v2, &burstable, 0),
            given(&swap, CgroupVersion::V1, &burstable, 0),
            given(&swap, v2, &burstable, qos::CRITICAL_PRIORITY),
            given(&swap, v2, &Resources { memory_limit: Some(Bytes::gib(4)), cpu_request: CoreMillis::cores(1), ..burstable }, 0),
            given(&swap, v2, &Resources::default(), 0),
            given(&SwapSpec { size: Bytes::ZERO, ..swap }, v2, &burstable, 0),
        ];
        assert_eq!(none, [Bytes::ZERO; 6]);
    }
}

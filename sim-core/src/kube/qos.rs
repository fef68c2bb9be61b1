//! Quality of service: a pod's class and the score adjustment that the kernel sees.
//!
//! The class follows from requests and limits alone. The kubelet turns it into `oom_score_adj`, which orders victims
//! when a limit above the container is hit (kubepods or the node, VS-2): a Burstable container gets 1000 minus its
//! memory request in thousandths of the node's memory, so one that uses more than its request tends to be chosen before
//! one that uses less. `Resources` are taken as they are after the API's defaulting, where a missing request has become
//! the limit. Sources: QO-1 to QO-3, POD-6, A8.

use crate::spec::Resources;
use crate::units::{Bytes, CoreMillis};

/// Priority from which the kubelet calls a pod critical: never evicted, admitted under pressure.
pub const CRITICAL_PRIORITY: i32 = 2_000_000_000;

/// Priority of the class `system-node-critical`, whose pods get the lowest `oom_score_adj`; pods of
/// `system-cluster-critical` (2 000 000 000) do not.
pub const NODE_CRITICAL_PRIORITY: i32 = 2_000_001_000;

/// `oom_score_adj` of Guaranteed and node-critical pods; −998 in old releases (QO-1).
const GUARANTEED_ADJ: i32 = -997;
/// `oom_score_adj` of best-effort pods.
const BEST_EFFORT_ADJ: i32 = 1000;

/// Quality of service class of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QosClass {
    /// CPU and memory have limits, and requests equal to them.
    Guaranteed,
    /// Anything between.
    Burstable,
    /// Neither requests nor limits of CPU or memory.
    BestEffort,
}

/// The class of a pod from the sums over its containers. Zero quantities count as not set.
pub fn qos_class(r: &Resources) -> QosClass {
    let cpu_limit = r.cpu_limit.filter(|&limit| limit > CoreMillis::ZERO);
    let memory_limit = r.memory_limit.filter(|limit| !limit.is_zero());
    let nothing_requested = r.cpu_request == CoreMillis::ZERO && r.memory_request.is_zero();
    if nothing_requested && cpu_limit.is_none() && memory_limit.is_none() {
        QosClass::BestEffort
    } else if cpu_limit == Some(r.cpu_request) && memory_limit == Some(r.memory_request) {
        QosClass::Guaranteed
    } else {
        QosClass::Burstable
    }
}

/// Whether the kubelet treats a pod of this priority as critical.
pub const fn is_critical(priority: i32) -> bool {
    priority >= CRITICAL_PRIORITY
}

/// `oom_score_adj` of a container's processes (A8): `memory_request` is the container's, `node_memory` the node's
/// `MemTotal` (QO-3).
pub fn oom_score_adj(class: QosClass, memory_request: Bytes, node_memory: Bytes, priority: i32) -> i32 {
    match class {
        _ if priority >= NODE_CRITICAL_PRIORITY => GUARANTEED_ADJ,
        QosClass::Guaranteed => GUARANTEED_ADJ,
        QosClass::BestEffort => BEST_EFFORT_ADJ,
        QosClass::Burstable => {
            let thousandths = 1000 * u128::from(memory_request.get()) / u128::from(node_memory.get().max(1));
            let adj = 1000 - i32::try_from(thousandths).unwrap_or(i32::MAX);
            // Above every Guaranteed container that uses all memory, below every best-effort one.
            adj.clamp(BEST_EFFORT_ADJ + GUARANTEED_ADJ, BEST_EFFORT_ADJ - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burstable(request_mib: u64, node_mib: u64) -> i32 {
        oom_score_adj(QosClass::Burstable, Bytes::mib(request_mib), Bytes::mib(node_mib), 0)
    }

    #[test]
    fn a8_oom_score_adj() {
        for (request, expected) in [(9011, 863), (2432, 963), (1, 999), (0, 999), (65_536, 3), (100_000, 3)] {
            assert_eq!(burstable(request, 65_536), expected, "request {request} MiB");
        }
        assert_eq!(oom_score_adj(QosClass::BestEffort, Bytes::ZERO, Bytes::gib(64), 0), 1000);
        assert_eq!(oom_score_adj(QosClass::Guaranteed, Bytes::gib(1), Bytes::gib(64), 0), -997);
    }

    #[test]
    fn qo2_on_62_8_gib_of_mem_total() {
        // 62.8 GiB = 64 307 MiB: 1000 · 9011 / 64 307 = 140.1 -> 860.
        assert_eq!(burstable(9011, 64_307), 860);
    }

    #[test]
    fn node_critical_priority_protects_any_class() {
        for class in [QosClass::Guaranteed, QosClass::Burstable, QosClass::BestEffort] {
            assert_eq!(oom_score_adj(class, Bytes::mib(70), Bytes::gib(64), 2_000_001_000), -997);
        }
        // `system-cluster-critical` is critical to the kubelet, but not to the OOM killer.
        assert_eq!(oom_score_adj(QosClass::BestEffort, Bytes::ZERO, Bytes::gib(64), CRITICAL_PRIORITY), 1000);
    }

    #[test]
    fn a_node_without_memory_or_an_absurd_request_is_no_panic() {
        assert_eq!(oom_score_adj(QosClass::Burstable, Bytes::MAX, Bytes::ZERO, 0), 3);
    }

    #[test]
    fn qo1_classes() {
        let memory = |request, limit| Resources { memory_request: Bytes::mib(request), memory_limit: Some(Bytes::mib(limit)), ..Resources::default() };
        let cpu = |resources, request, limit| Resources { cpu_request: CoreMillis::new(request), cpu_limit: limit, ..resources };
        assert_eq!(qos_class(&Resources::default()), QosClass::BestEffort);
        assert_eq!(qos_class(&Resources { cpu_limit: Some(CoreMillis::ZERO), ..Resources::default() }), QosClass::BestEffort);
        assert_eq!(qos_class(&Resources { ephemeral_request: Bytes::gib(1), ..Resources::default() }), QosClass::BestEffort);
        // A Spark executor by default: memory request = limit, CPU request without limit (POD-6).
        assert_eq!(qos_class(&cpu(memory(9011, 9011), 4000, None)), QosClass::Burstable);
        assert_eq!(qos_class(&cpu(memory(9011, 9011), 4000, Some(CoreMillis::cores(4)))), QosClass::Guaranteed);
        assert_eq!(qos_class(&cpu(memory(9011, 9011), 2000, Some(CoreMillis::cores(4)))), QosClass::Burstable);
        assert_eq!(qos_class(&cpu(memory(100, 200), 4000, Some(CoreMillis::cores(4)))), QosClass::Burstable);
        assert_eq!(qos_class(&memory(0, 200)), QosClass::Burstable);
    }
}

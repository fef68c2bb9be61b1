//! `NodeResourcesBalancedAllocation` and `ImageLocality`.

use super::{Case, case, scores, sized};
use crate::kube::scheduler::fixture::{Node, Pod, executor, node, pod};

const PLUGIN: &str = "NodeResourcesBalancedAllocation";

/// 3000m and 5000 MiB, and 3000m alone.
fn pair() -> (Pod, Pod) {
    (pod(3000, 5000), pod(3000, 0))
}

pub(super) fn cases() -> Vec<Case> {
    let (both, cpu) = pair();
    vec![
        // 0.75 and 0.5: 1 − 0.125 = 0.875 -> 87; 0.5 and 0.5 -> 100.
        case("k8s: balance on nodes of two sizes", PLUGIN, both.clone(), vec![sized(4000, 10_000, vec![]), sized(6000, 10_000, vec![])], scores(&[87, 100])),
        // 0.6 and 0.25: 1 − 0.175 -> 82; 0.6 and 0.5: 1 − 0.05 -> 95.
        case(
            "k8s: balance with pods there",
            PLUGIN,
            both.clone(),
            vec![sized(10_000, 20_000, vec![cpu.clone()]), sized(10_000, 20_000, vec![both.clone()])],
            scores(&[82, 95]),
        ),
        // The second: 0.6 and 10 000/50 000 = 0.2: 1 − 0.2 -> 80.
        case(
            "k8s: balance with pods there on nodes of two sizes",
            PLUGIN,
            both.clone(),
            vec![sized(10_000, 20_000, vec![cpu.clone()]), sized(10_000, 50_000, vec![both.clone()])],
            scores(&[82, 80]),
        ),
        // 1 and 0: 1 − 0.5 -> 50; 1 and 0.5 -> 75.
        case(
            "k8s: balance where the cores are gone",
            PLUGIN,
            cpu.clone(),
            vec![sized(6000, 10_000, vec![cpu]), sized(6000, 10_000, vec![both.clone()])],
            scores(&[50, 75]),
        ),
        // 0.85714 and 0.125: 1 − 0.36607 -> 63.
        case("k8s: balance of a pod that wants cores", PLUGIN, both, vec![sized(3500, 40_000, vec![]), sized(3500, 40_000, vec![])], scores(&[63, 63])),
        // Since 1.33 it is passed over; before, an emptier node would have been as good as a full one.
        case("k8s: balance of a pod without requests", PLUGIN, Pod::default(), vec![sized(4000, 10_000, vec![]), sized(4000, 10_000, vec![])], scores(&[0, 0])),
    ]
}

/// Size in MiB times the share of nodes that have it, less 23, of 977.
pub(super) fn images() -> Vec<Case> {
    let pulling = |mib| Pod { image_mib: Some(mib), ..executor() };
    let nodes = |warm: &[bool]| warm.iter().map(|&has_image| Node { has_image, ..node("n", vec![]) }).collect::<Vec<Node>>();
    let plugin = "ImageLocality";
    vec![
        // 250/2 − 23 = 102 of 977 = 10.4.
        case("k8s: an image of 250 on one of two nodes", plugin, pulling(250), nodes(&[false, true]), scores(&[0, 10])),
        // 2000/2 = 1000, the largest.
        case("k8s: an image of 2000 on one of two nodes", plugin, pulling(2000), nodes(&[true, false]), scores(&[100, 0])),
        // 2000/3 − 23 = 643.7 of 977 = 65.9.
        case("k8s: an image of 2000 on one of three nodes", plugin, pulling(2000), nodes(&[true, false, false]), scores(&[65, 0, 0])),
        // 40/2 = 20, below the smallest.
        case("k8s: an image of 40 on one of two nodes", plugin, pulling(40), nodes(&[true, false]), scores(&[0, 0])),
    ]
}

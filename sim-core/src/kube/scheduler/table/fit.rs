//! `NodeResourcesFit` with `LeastAllocated` and `MostAllocated`.

use super::{Case, case, scores, sized};
use crate::kube::scheduler::fixture::{Node, Pod, pod};
use crate::spec::FitStrategy::{LeastAllocated, MostAllocated};
use crate::spec::ScoredResource::{Cpu, EphemeralStorage, Memory};
use crate::spec::{FitStrategy, KubeSchedulerSpec, ScoredResource};

const PLUGIN: &str = "NodeResourcesFit";

fn profile(fit: FitStrategy, resources: &[(ScoredResource, i64)]) -> KubeSchedulerSpec {
    KubeSchedulerSpec { fit, fit_resources: resources.to_vec(), ..KubeSchedulerSpec::default() }
}

fn most_of(resources: &[(ScoredResource, i64)]) -> KubeSchedulerSpec {
    profile(MostAllocated, resources)
}

/// 3000m and 5000 MiB.
fn three_and_five() -> Pod {
    pod(3000, 5000)
}

fn with_foo(foo: u64, pod: Pod) -> Pod {
    Pod { ephemeral_mib: foo, ..pod }
}

/// 6000m, 10 000 MiB and so much of the third resource.
fn six_and_ten(foo: u64) -> Node {
    Node { ephemeral_mib: foo, ..sized(6000, 10_000, vec![]) }
}

pub(super) fn least() -> Vec<Case> {
    let three = [(Cpu, 1), (Memory, 1), (EphemeralStorage, 1)];
    vec![
        // (4000 − 3000)·100/4000 = 25, (10 000 − 5000)·100/10 000 = 50 -> 75/2 = 37; (6000 − 3000)·100/6000 = 50, 50 -> 50.
        case(
            "k8s: least allocated on nodes of two sizes",
            PLUGIN,
            three_and_five(),
            vec![sized(4000, 10_000, vec![]), sized(6000, 10_000, vec![])],
            scores(&[37, 50]),
        ),
        // Both have 3000m in use: 40. Memory: (20 000 − 6000)·100/20 000 = 70 -> 55; 10 000 left of 20 000 = 50 -> 45.
        case(
            "k8s: least allocated with pods there",
            PLUGIN,
            three_and_five(),
            vec![sized(10_000, 20_000, vec![pod(3000, 1000)]), sized(10_000, 20_000, vec![pod(3000, 5000)])],
            scores(&[55, 45]),
        ),
        // The second has 50 000 MiB: 40 000·100/50 000 = 80 -> (40 + 80)/2 = 60.
        case(
            "k8s: least allocated with pods there on nodes of two sizes",
            PLUGIN,
            three_and_five(),
            vec![sized(10_000, 20_000, vec![pod(3000, 1000)]), sized(10_000, 50_000, vec![pod(3000, 5000)])],
            scores(&[55, 60]),
        ),
        // 25 and 50 with weights 1 and 2: 125/3 = 41; 150/3 = 50.
        case(
            "k8s: least allocated with memory twice as heavy",
            PLUGIN,
            three_and_five(),
            vec![sized(4000, 10_000, vec![]), sized(6000, 10_000, vec![])],
            scores(&[41, 50]),
        )
        .with(profile(LeastAllocated, &[(Memory, 2), (Cpu, 1)])),
        // 50, 50 and (4 − 2)·100/4 = 50 -> 50; 50, 50 and 80 -> 60.
        case("k8s: least allocated of a third resource", PLUGIN, with_foo(2, three_and_five()), vec![six_and_ten(4), six_and_ten(10)], scores(&[50, 60]))
            .with(profile(LeastAllocated, &three)),
        // An extended resource that the pod does not ask for is passed over; ephemeral storage is not: 200/3 = 66. A node without it: 100/2.
        case(
            "hand: least allocated of a third resource that the pod does not ask for",
            PLUGIN,
            three_and_five(),
            vec![six_and_ten(0), six_and_ten(4)],
            scores(&[50, 66]),
        )
        .with(profile(LeastAllocated, &three)),
        // 5000 of 5000m and 1000 of 10 000: 0 and 90 -> 45; 5000 of 10 000: 50 and 90 -> 70.
        case(
            "hand: least allocated where the cores are gone",
            PLUGIN,
            pod(1000, 1000),
            vec![sized(5000, 10_000, vec![pod(4000, 0)]), sized(10_000, 10_000, vec![pod(4000, 0)])],
            // The pods there ask for no memory and count as 200 MiB: 8800·100/10 000 = 88 -> 44 and 69.
            scores(&[44, 69]),
        ),
    ]
}

pub(super) fn most() -> Vec<Case> {
    let both = [(Cpu, 1), (Memory, 1)];
    let three = [(Cpu, 1), (Memory, 1), (EphemeralStorage, 1)];
    let two_sizes = || vec![sized(4000, 10_000, vec![]), sized(6000, 10_000, vec![])];
    vec![
        // 75 and 50 -> 62; 50 and 50.
        case("k8s: most allocated on nodes of two sizes", PLUGIN, three_and_five(), two_sizes(), scores(&[62, 50])).with(most_of(&both)),
        // 6000 of 10 000 = 60; 6000 of 20 000 = 30 -> 45; 10 000 of 20 000 = 50 -> 55.
        case(
            "k8s: most allocated with pods there",
            PLUGIN,
            three_and_five(),
            vec![sized(10_000, 20_000, vec![pod(3000, 1000)]), sized(10_000, 20_000, vec![pod(3000, 5000)])],
            scores(&[45, 55]),
        )
        .with(most_of(&both)),
        // 5000 of 5000 = 100, 9000 of 10 000 = 90 -> 95; 50 and 100 -> 75.
        case("k8s: most allocated up to the brim", PLUGIN, pod(5000, 9000), vec![sized(5000, 10_000, vec![]), sized(10_000, 9000, vec![])], scores(&[95, 75]))
            .with(most_of(&both)),
        // (75 + 2·50)/3 = 58; 50.
        case("k8s: most allocated with memory twice as heavy", PLUGIN, three_and_five(), two_sizes(), scores(&[58, 50]))
            .with(most_of(&[(Memory, 2), (Cpu, 1)])),
        // Three pods without requests count as 300m and 600 MiB: 300 of 250 is 100, 60 -> 80; one pod: 40 and 20 -> 30.
        case(
            "k8s: most allocated by default requests",
            PLUGIN,
            Pod::default(),
            vec![sized(250, 1000, vec![Pod::default(); 2]), sized(250, 1000, vec![])],
            scores(&[80, 30]),
        )
        .with(most_of(&both)),
        // 50, 50 and 2 of 4 = 50 -> 50; 2 of 10 = 20 -> 120/3 = 40.
        case("k8s: most allocated of a third resource", PLUGIN, with_foo(2, three_and_five()), vec![six_and_ten(4), six_and_ten(10)], scores(&[50, 40]))
            .with(most_of(&three)),
        // 50 and 40 -> 45 without the third; with it, weight 2: (2·0 + 50 + 40)/4 = 22.
        case("hand: most allocated where a node lacks a resource", PLUGIN, pod(3000, 4000), vec![six_and_ten(0), six_and_ten(4)], scores(&[45, 22]))
            .with(most_of(&[(EphemeralStorage, 2), (Cpu, 1), (Memory, 1)])),
    ]
}

//! `NodeResourcesFit` with `RequestedToCapacityRatio`.

use super::{Case, case, scores, sized};
use crate::kube::scheduler::fixture::{Node, Pod, pod};
use crate::spec::ScoredResource::{Cpu, EphemeralStorage, Memory};
use crate::spec::{FitStrategy, KubeSchedulerSpec, ScoredResource, ShapePoint};

const PLUGIN: &str = "NodeResourcesFit";

fn profile(shape: &[(u32, u32)], resources: &[(ScoredResource, i64)]) -> KubeSchedulerSpec {
    let points = shape.iter().map(|&(utilization, score)| ShapePoint { utilization, score }).collect();
    KubeSchedulerSpec { fit: FitStrategy::RequestedToCapacityRatio(points), fit_resources: resources.to_vec(), ..KubeSchedulerSpec::default() }
}

/// A pod that wants so much of `intel.com/foo`.
fn foo(wanted: u64) -> Pod {
    Pod { ephemeral_mib: wanted, ..Pod::default() }
}

/// A node with so much of it.
fn offering(foo: u64, pods: Vec<Pod>) -> Node {
    Node { ephemeral_mib: foo, ..sized(4000, 10_000, pods) }
}

/// The examples of "Resource Bin Packing", and those of the plugin's tests for one and for two extended resources.
pub(super) fn documented() -> Vec<Case> {
    let packing = || profile(&[(0, 0), (100, 1)], &[(EphemeralStorage, 1)]);
    let pair = |memory, foo| Pod { ephemeral_mib: foo, ..pod(0, memory) };
    let two = |memory, foo| Node { ephemeral_mib: foo, ..sized(4000, memory, vec![]) };
    let weighted = || profile(&[(0, 0), (100, 1)], &[(Memory, 3), (EphemeralStorage, 5)]);
    let machine = |foo, resident| Node { ephemeral_mib: foo, ..sized(8000, 1024, vec![resident]) };
    let job = |foo, cpu, mib| Pod { ephemeral_mib: foo, ..pod(cpu, mib) };
    vec![
        case("k8s: nothing asked of intel.com/foo", PLUGIN, foo(0), vec![offering(8, vec![]), offering(4, vec![])], scores(&[0, 0])).with(packing()),
        // 2 of 8 = 25 % -> 2.5 -> 2; 2 of 4 = 50 % -> 5, on a shape up to 1, which is 10 points of 100.
        case("k8s: two of intel.com/foo", PLUGIN, foo(2), vec![offering(8, vec![]), offering(4, vec![])], scores(&[2, 5])).with(packing()),
        // 25 % -> 2; (2 + 2) of 4 -> 10.
        case("k8s: two of intel.com/foo where two are taken", PLUGIN, foo(2), vec![offering(8, vec![]), offering(4, vec![foo(2)])], scores(&[2, 10]))
            .with(packing()),
        // 50 % -> 5; 100 % -> 10.
        case("k8s: four of intel.com/foo", PLUGIN, foo(4), vec![offering(8, vec![]), offering(4, vec![])], scores(&[5, 10])).with(packing()),
        // Weights 3 and 5. First: 2 of 8 -> 2, 2 of 4 -> 5: (6 + 25)/8 = 3.9 -> 4; second: 5 and 2: (15 + 10)/8 = 3.1 -> 3.
        case("k8s: two resources of weights 3 and 5", PLUGIN, pair(2000, 2), vec![two(8000, 4), two(4000, 8)], scores(&[4, 3])).with(weighted()),
        // First: 4 of 8 -> 5, 2 of 4 -> 5: 40/8 = 5; second: 4 of 4 -> 10, 2 of 8 -> 2: (30 + 10)/8 = 5.
        case("k8s: two resources of weights 3 and 5, more of the first", PLUGIN, pair(4000, 2), vec![two(8000, 4), two(4000, 8)], scores(&[5, 5]))
            .with(weighted()),
        // The manual has weights 5, 1, 3 and a pod of 2, 256, 2. Node 1: (1+2)/4 = 75, 512/1024 = 50, 3/8 = 37: (375 + 50 + 111)/9 = 59.6;
        // node 2: 4/8 = 50, 768/1024 = 75, 8/8 = 100: (250 + 75 + 300)/9 = 69.4. It prints 5 and 7 on its scale to 10.
        case(
            "docs: node scores for capacity allocation",
            PLUGIN,
            job(2, 2000, 256),
            vec![machine(4, job(1, 1000, 256)), machine(8, job(2, 6000, 512))],
            scores(&[60, 69]),
        )
        .with(profile(&[(0, 0), (100, 10)], &[(EphemeralStorage, 5), (Memory, 1), (Cpu, 3)])),
    ]
}

pub(super) fn shapes() -> Vec<Case> {
    let both = [(Cpu, 1), (Memory, 1)];
    let cpu = [(Cpu, 1)];
    // 10 000m with so much requested already; the pod asks for 500m.
    let at = |used: &[u64]| used.iter().map(|&used| sized(10_000, 50_000, vec![pod(used, 100)])).collect::<Vec<Node>>();
    let falling = || profile(&[(0, 10), (100, 0)], &both);
    vec![
        // 75 % -> 25, 50 % -> 50: 37.5 -> 38; 50 and 50.
        case(
            "k8s: a falling line on nodes of two sizes",
            PLUGIN,
            pod(3000, 5000),
            vec![sized(4000, 10_000, vec![]), sized(6000, 10_000, vec![])],
            scores(&[38, 50]),
        )
        .with(falling()),
        // The same requested in all, most of it by a pod that is there.
        case(
            "k8s: a falling line with pods there",
            PLUGIN,
            pod(1000, 2000),
            vec![sized(4000, 10_000, vec![pod(2000, 3000)]), sized(6000, 10_000, vec![pod(2000, 3000)])],
            scores(&[38, 50]),
        )
        .with(falling()),
        // From 10 % (1) to 90 % (9): level outside; 15 -> 15, 20 -> 20, 89 -> 89.
        case("k8s: a line between 10 and 90 percent", PLUGIN, pod(500, 100), at(&[400, 500, 1000, 1500, 8400, 9400]), scores(&[10, 10, 15, 20, 89, 90]))
            .with(profile(&[(10, 1), (90, 9)], &cpu)),
        // 0 -> 20, 40 -> 100, 100 -> 0: 20 % 20 + 80·20/40 = 60; 30 % 80; 40 % 100; 70 % 100 − 100·30/60 = 50; 100 % 0.
        case("k8s: up to 40 percent and down again", PLUGIN, pod(500, 100), at(&[1500, 2500, 3500, 6500, 9500]), scores(&[60, 80, 100, 50, 0]))
            .with(profile(&[(0, 2), (40, 10), (100, 0)], &cpu)),
        case("k8s: a level line", PLUGIN, pod(500, 100), at(&[0, 3500, 9500]), scores(&[20, 20, 20])).with(profile(&[(0, 2), (40, 2), (100, 2)], &cpu)),
    ]
}

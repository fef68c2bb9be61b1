//! `NodeResourcesFit`'s strategies.

use super::column_with;
use crate::kube::scheduler::fixture::{Node, Pod, node, pod};
use crate::spec::FitStrategy::{LeastAllocated, MostAllocated, RequestedToCapacityRatio};
use crate::spec::ScoredResource::{Cpu, EphemeralStorage, Memory};
use crate::spec::{FitStrategy, KubeSchedulerSpec, ScoredResource, ShapePoint};

/// A node of 8000m and 10 000 MiB where so much is requested.
fn used(cpu: u64, mib: u64) -> Node {
    Node { cpu: 8000, mib: 10_000, ..node("a", vec![pod(cpu, mib)]) }
}

fn shape(points: &[(u32, u32)]) -> FitStrategy {
    RequestedToCapacityRatio(points.iter().map(|&(utilization, score)| ShapePoint { utilization, score }).collect())
}

fn settings(fit: FitStrategy, resources: &[(ScoredResource, i64)]) -> KubeSchedulerSpec {
    KubeSchedulerSpec { fit, fit_resources: resources.to_vec(), ..KubeSchedulerSpec::default() }
}

/// The score of the first node; the second one is there because one feasible node is not scored.
fn first(settings: &KubeSchedulerSpec, incoming: &Pod, node_of: Node) -> i64 {
    let scores = column_with(settings, "NodeResourcesFit", incoming, &[node_of, node("b", vec![])]);
    let (raw, normalised) = scores[0].expect("feasible");
    assert_eq!(raw, normalised);
    raw
}

#[test]
fn strategies_by_hand() {
    let pack = shape(&[(0, 0), (100, 10)]);
    let spread = shape(&[(0, 10), (100, 0)]);
    let knee = shape(&[(0, 0), (50, 2), (80, 10), (100, 5)]);
    let both = [(Cpu, 1), (Memory, 1)];
    // The new pod is 1000m and 1000 MiB. With it: cpu% and memory% in use, then the score.
    let table = [
        // 3000/8000 = 37.5, free 62.5 -> 62; 4000/10 000 = 40, free 60 -> (62 + 60) / 2 = 61.
        (LeastAllocated, &both[..], 2000, 3000, 61),
        // 37 and 40 -> 77 / 2 = 38.
        (MostAllocated, &both[..], 2000, 3000, 38),
        // Weights 3 and 1: (3·62 + 60) / 4 = 246 / 4 = 61.
        (LeastAllocated, &[(Cpu, 3), (Memory, 1)][..], 2000, 3000, 61),
        // (3·37 + 40) / 4 = 151 / 4 = 37.
        (MostAllocated, &[(Cpu, 3), (Memory, 1)][..], 2000, 3000, 37),
        // CPU alone.
        (LeastAllocated, &[(Cpu, 1)][..], 2000, 9000, 62),
        (MostAllocated, &[(Memory, 7)][..], 2000, 8000, 90),
        // A full node: nothing free, all in use.
        (LeastAllocated, &both[..], 7000, 9000, 0),
        (MostAllocated, &both[..], 7000, 9000, 100),
        // The line from 0 to 100 is the percentage; (37 + 40) / 2 = 38.5, and this one rounds -> 39.
        (pack.clone(), &both[..], 2000, 3000, 39),
        // Downwards: 100 − 37 = 63, 60 -> 61.5 -> 62.
        (spread.clone(), &both[..], 2000, 3000, 62),
        // Full: 0 each; both score nothing and are left out -> 0.
        (spread.clone(), &both[..], 7000, 9000, 0),
        // CPU full scores 0 and is left out with its weight, memory 40 % -> 60 alone.
        (spread, &both[..], 7000, 3000, 60),
        // Knee: 37 % lies on the first piece: 0 + 20·37/50 = 14; 40 % -> 16; 15.
        (knee.clone(), &both[..], 2000, 3000, 15),
        // 62 % on the second piece: 20 + 80·(62 − 50)/30 = 52; 70 % -> 20 + 80·20/30 = 73; 62.5 -> 63.
        (knee.clone(), &both[..], 4000, 6000, 63),
        // 87 % on the third: 100 − 50·7/20 = 83 (the division truncates towards 0: −17); 90 % -> 100 − 25 = 75; 79.
        (knee, &both[..], 6000, 8000, 79),
        // Level before the first point and after the last.
        (shape(&[(50, 4), (60, 6)]), &both[..], 1000, 9000, 50),
        // CPU 75 %; memory 1000 and the 200 MiB of a pod without a request: 12 %; (5·75 + 12) / 6 = 64.5 -> 65.
        (pack, &[(Cpu, 5), (Memory, 1)][..], 5000, 0, 65),
    ];
    for (number, (strategy, resources, cpu, mib, expected)) in table.into_iter().enumerate() {
        let score = first(&settings(strategy, resources), &pod(1000, 1000), used(cpu, mib));
        assert_eq!(score, expected, "row {number}");
    }
}

/// The example of "Resource Bin Packing" in Kubernetes' documentation, with ephemeral storage as its `intel.com/foo`: weights foo 5, memory 1,
/// cpu 3; pod foo 2, 256 MB, 2 CPU. It is worked there in points to 10: 5 and 7; to 100, as the plugin works now:
/// node 1, foo (1+2)/4 = 75, memory 512/1024 = 50, cpu (1+2)/8 = 37: (5·75 + 50 + 3·37) / 9 = 59.6 -> 60;
/// node 2, foo (2+2)/8 = 50, memory 768/1024 = 75, cpu (6+2)/8 = 100: (250 + 75 + 300) / 9 = 69.4 -> 69.
#[test]
fn the_documented_bin_packing_example() {
    let settings = settings(shape(&[(0, 0), (100, 10)]), &[(EphemeralStorage, 5), (Memory, 1), (Cpu, 3)]);
    let with_foo = |foo: u64, cpu, mib| Pod { ephemeral_mib: 1024 * foo, ..pod(cpu, mib) };
    let machine = |foo: u64, resident| Node { cpu: 8000, mib: 1024, ephemeral_mib: 1024 * foo, ..node("n", vec![resident]) };
    let nodes = [machine(4, with_foo(1, 1000, 256)), machine(8, with_foo(2, 6000, 512))];
    let scores = column_with(&settings, "NodeResourcesFit", &with_foo(2, 2000, 256), &nodes);
    assert_eq!(scores, [Some((60, 60)), Some((69, 69))]);
}

#[test]
fn most_allocated_caps_what_default_requests_bring_above_the_node() {
    // 40 pods without requests and the new one: 41·100 = 4100m of 4000m, capped -> 100; memory 41·200 = 8200 of
    // 10 000 MiB -> 82; (100 + 82) / 2 = 91. With `LeastAllocated`: 0 and 18 -> 9.
    let crowd = Node { cpu: 4000, mib: 10_000, ..node("a", vec![Pod::default(); 40]) };
    let both = [(Cpu, 1), (Memory, 1)];
    assert_eq!(first(&settings(MostAllocated, &both), &Pod::default(), crowd.clone()), 91);
    assert_eq!(first(&settings(LeastAllocated, &both), &Pod::default(), crowd), 9);
}

#[test]
fn most_allocated_packs_where_least_allocated_spreads() {
    // 8000m, 10 000 MiB; the pod takes 1000m, 1000 MiB. Empty: 12, 10 -> 11 in use; with 4000m, 5000 MiB: 62, 60 -> 61.
    let nodes = [used(4000, 5000), Node { cpu: 8000, mib: 10_000, ..node("b", vec![]) }];
    let both = [(Cpu, 1), (Memory, 1)];
    let scores = column_with(&settings(MostAllocated, &both), "NodeResourcesFit", &pod(1000, 1000), &nodes);
    assert_eq!(scores, [Some((61, 61)), Some((11, 11))]);
    // Free: 37, 40 -> 38; 87, 90 -> 88.
    let scores = column_with(&settings(LeastAllocated, &both), "NodeResourcesFit", &pod(1000, 1000), &nodes);
    assert_eq!(scores, [Some((38, 38)), Some((88, 88))]);
}

#[test]
fn a_resource_that_the_node_lacks_is_left_out_with_its_weight() {
    // No ephemeral storage: only CPU, 62 free.
    let bare = Node { ephemeral_mib: 0, ..used(2000, 0) };
    assert_eq!(first(&settings(LeastAllocated, &[(Cpu, 1), (EphemeralStorage, 9)]), &pod(1000, 1000), bare), 62);
}

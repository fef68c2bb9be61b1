//! Queue, preemption and placement in a running cluster, worked out by hand.

use super::*;
use crate::fixture;
use crate::kube::scheduler::Rule;
use crate::observe::{Nobody, Placements};
use crate::sim::{RunKey, Simulator};
use crate::spark::executor::Life;
use crate::spec::{
    DeviceUse, Dist, Expander, NeighbourPlacement, NeighbourSpec, Resources, SelectorOp, Spec, SpreadConstraint, Volume, VolumeSource, WhenUnsatisfiable,
};
use crate::units::{ByteRate, CoreMillis};

const KEY: RunKey = RunKey { seed: 1, replication: 0 };

/// The case study's four nodes of 15 740m, without its neighbours: all that is placed is the driver and four executors.
fn spec(change: impl Fn(&mut Spec)) -> Spec {
    let mut spec = fixture::case_study(false, false);
    spec.cluster.neighbours.clear();
    spec.limits.paranoid = true;
    change(&mut spec);
    spec
}

/// Runs until so many seconds, and looks.
fn at<T>(spec: &Spec, seconds: f64, look: impl Fn(&Sim) -> T) -> T {
    let plan = SimPlan::compile(spec).expect("the fixture compiles");
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    settle_in(&mut sim);
    sim.run_until(SimTime::ZERO + SimSpan::from_secs_f64(seconds));
    look(&sim)
}

fn bound(sim: &Sim) -> usize {
    sim.executors.values().filter(|e| e.node.is_some() && e.life != Life::Gone).count()
}

/// Two pods that want a whole node each, of some priority, from a moment on.
fn big(count: u32, priority: i32, arrives_s: Option<u64>) -> NeighbourSpec {
    let resources = Resources { cpu_request: CoreMillis::new(15_000), memory_request: Bytes::gib(1), ..Resources::default() };
    NeighbourSpec {
        name: "big".into(),
        placement: NeighbourPlacement::Replicas(count),
        resources,
        memory: crate::spec::MemoryUse { anon: Dist::Constant(1e8), shmem: Dist::Constant(0.0), processes: 1 },
        cpu_use: CoreMillis::new(100),
        devices: crate::spec::DeviceUse::NONE,
        priority,
        labels: Vec::new(),
        namespace: "default".into(),
        arrives: arrives_s.map(SimSpan::from_secs),
        restarts: true,
    }
}

#[test]
fn a_later_neighbour_of_higher_priority_drives_executors_out_and_nothing_counts() {
    // Four nodes with an executor each (preferred anti-affinity); at 60 s three pods that need a node to themselves.
    let busy = spec(|spec| spec.cluster.neighbours.push(big(3, 1000, Some(60))));
    let plan = SimPlan::compile(&busy).expect("the fixture compiles");
    let outcome = Simulator::new(&plan).run(KEY);
    assert_eq!((outcome.executors_lost, outcome.incidents.len()), (0, 0), "a preempted executor is no death");
    assert!(at(&busy, 59.0, bound) == 4);
    let (tenants, on_their_nodes) = at(&busy, 100.0, |sim| {
        let nodes: Vec<NodeId> = sim.cluster.tenants.iter().map(|tenant| tenant.node).collect();
        let shared = sim.executors.values().filter(|e| e.life != Life::Gone && e.node.is_some_and(|node| nodes.contains(&node))).count();
        (nodes.len(), shared)
    });
    assert_eq!((tenants, on_their_nodes), (3, 0));
}

#[test]
fn without_priority_or_preemption_the_later_neighbour_waits() {
    let mut full = spec(|spec| {
        // Each executor takes most of a node's CPU: 15 740m less 15 000m leave no room for another.
        spec.spark.executor.cpu_request = CoreMillis::new(14_000);
        spec.cluster.neighbours.push(big(1, 0, Some(60)));
    });
    let waiting = |spec: &Spec| at(spec, 120.0, |sim| (sim.cluster.tenants.len(), sim.cluster.pending_neighbours.len()));
    assert_eq!(waiting(&full), (0, 1));
    full.cluster.neighbours[0].priority = 5;
    assert_eq!(waiting(&full), (1, 0));
    full.cluster.scheduler.preemption = false;
    assert_eq!(waiting(&full), (0, 1));
}

#[test]
fn executors_of_higher_priority_drive_neighbours_out_after_their_grace() {
    // Four pods hold all nodes. The driver finds room for itself beside them only in CPU: 740m are left.
    let mut held = spec(|spec| {
        spec.spark.driver.cpu = CoreMillis::new(100);
        spec.cluster.neighbours.push(big(4, 0, None));
        spec.spark.kubernetes.pod_template.priority = 100;
    });
    // The executors are asked for at 10 s and drive out one to four, since several may be nominated for one node; they are bound when
    // the grace of 30 s is over, and the controllers' new pods wait.
    let (bound_early, leaving) = at(&held, 39.9, |sim| (bound(sim), sim.cluster.leaving.len()));
    assert!(bound_early == 0 && (1..=4).contains(&leaving));
    assert_eq!(at(&held, 41.5, |sim| (bound(sim), sim.cluster.leaving.len(), sim.cluster.pending_neighbours.len())), (4, 0, leaving));
    held.spark.kubernetes.pod_template.never_preempts = true;
    assert_eq!(at(&held, 100.0, bound), 0);
}

#[test]
fn sc4_an_executor_that_does_not_fit_is_parked() {
    // One node, full with seven executors and the driver: 7 · 2100m + 1000m of 15 740m. The eighth is refused, and since nothing happens
    // that could help it, it stays parked.
    let one = spec(|spec| {
        spec.cluster.pools[0].count = 1;
        spec.spark.executor.instances = 8;
        spec.spark.executor.container_memory = Bytes::gib(1);
        spec.spark.executor.cpu_request = CoreMillis::new(2100);
    });
    let (waiting, parked) = at(&one, 16.0, |sim| (sim.cluster.pending.len(), sim.cluster.pending.iter().filter(|&&id| is_parked(sim, id)).count()));
    assert_eq!((waiting, parked), (1, 1));
}

#[test]
fn a_cold_image_draws_later_executors_to_warm_nodes() {
    let decisions = |cold: Option<Bytes>| {
        let cold_spec = spec(|spec| {
            spec.cluster.scheduler.cold_image = cold;
            spec.spark.kubernetes.pod_template.affinity = crate::spec::Affinity::NONE;
        });
        let plan = SimPlan::compile(&cold_spec).expect("the fixture compiles");
        let mut placements = Placements::default();
        Simulator::new(&plan).run_observed(KEY, &mut placements);
        let first = placements.all.iter().find(|placement| placement.pod == "executor-1").expect("it was placed").explained.decision.clone();
        first.table.iter().map(|row| row.by_plugin.iter().find(|score| score.plugin == "ImageLocality").map_or(0, |score| score.raw)).collect::<Vec<_>>()
    };
    // Only the driver's node has the image, of 1000 MiB: 1000 · 1/4 = 250 MiB, (250 − 23) · 100 / 977 = 23.
    let mut scores = decisions(Some(Bytes::mib(1000)));
    scores.sort_unstable();
    assert_eq!(scores, [0, 0, 0, 23]);
    assert_eq!(decisions(None), [0, 0, 0, 0]);
}

#[test]
fn claims_fill_a_node_of_few_data_disks() {
    let disks = spec(|spec| {
        spec.cluster.pools[0].count = 1;
        spec.cluster.pools[0].max_volumes = Some(3);
        let claim = fixture::claim(Bytes::gib(100));
        spec.spark.kubernetes.pod_template.volumes =
            vec![Volume { name: "spark-local-dir-1".into(), mount_path: "/scratch".into(), source: VolumeSource::Claim(claim) }];
    });
    assert_eq!(at(&disks, 30.0, |sim| (bound(sim), sim.cluster.pending.len())), (3, 1));
}

#[test]
fn spread_constraints_of_the_template_spread_over_zones() {
    let zoned = spec(|spec| {
        spec.cluster.pools[0].zones = vec!["1".into(), "1".into(), "1".into(), "2".into()];
        spec.spark.kubernetes.pod_template.affinity = crate::spec::Affinity::NONE;
        let requirement = crate::spec::Requirement { key: "spark-role".into(), op: SelectorOp::In, values: vec!["executor".into()] };
        spec.spark.kubernetes.pod_template.spread = vec![SpreadConstraint {
            max_skew: 1,
            topology_key: "topology.kubernetes.io/zone".into(),
            when_unsatisfiable: WhenUnsatisfiable::DoNotSchedule,
            selector: crate::spec::LabelSelector { requirements: vec![requirement] },
            min_domains: 1,
            honor_affinity: true,
            honor_taints: false,
            match_label_keys: Vec::new(),
        }];
    });
    // Node 3 is zone 2 alone: two of the four executors.
    assert_eq!(at(&zoned, 30.0, |sim| sim.executors.values().filter(|e| e.node == Some(NodeId::new(3))).count()), 2);
}

/// One node with room for three of four executors, which are asked for at 10 s; scans each second, nodes that take 100 s.
fn growing(change: impl Fn(&mut Spec)) -> Spec {
    spec(|spec| {
        spec.cluster.pools[0].count = 1;
        spec.cluster.pools[0].max_count = Some(3);
        spec.cluster.autoscaler.scan_interval = SimSpan::from_secs(1);
        spec.cluster.autoscaler.scale_up_s = Dist::Constant(100.0);
        spec.spark.driver.cpu = CoreMillis::new(1000);
        // 3 · 4500m and the driver's 1000m of 15 740m.
        spec.spark.executor.cpu_request = CoreMillis::new(4500);
        change(spec);
    })
}

/// Nodes that are there, and executors that have one.
fn grown(spec: &Spec, seconds: f64) -> (usize, usize) {
    at(spec, seconds, |sim| {
        autoscaler::check(sim);
        (sim.cluster.present.len(), bound(sim))
    })
}

#[test]
fn a_refused_pod_brings_one_node_after_scan_and_start() {
    // Asked for at 10 s, seen by a scan within a second, there 100 s later.
    let growing = growing(|_| {});
    assert_eq!([60.0, 110.0, 111.1].map(|seconds| grown(&growing, seconds)), [(1, 3), (1, 3), (2, 4)]);
    assert_eq!(grown(&growing, 300.0).0, 2, "the second spare node is not needed");
}

#[test]
fn a_pool_grows_to_its_maximum_and_not_beyond() {
    // Eight executors need three nodes: 3, 3 and 2.
    let ask = |max: Option<u32>| {
        growing(|spec| {
            spec.spark.executor.instances = 8;
            spec.cluster.pools[0].max_count = max;
        })
    };
    assert_eq!([Some(9), Some(3), Some(2), Some(1), None].map(|max| grown(&ask(max), 125.0)), [(3, 8), (3, 8), (2, 6), (1, 3), (1, 3)]);
}

#[test]
fn a_pod_that_waits_for_company_brings_no_node() {
    // Required affinity to each other on the host: no new node has company (the case study's packing).
    let packed = growing(|spec| spec.spark.kubernetes.pod_template.affinity = fixture::affinity(true));
    assert_eq!(grown(&packed, 150.0), (1, 3));
}

#[test]
fn a_pod_that_no_machine_of_the_pool_could_hold_brings_no_node() {
    let huge = growing(|spec| spec.spark.executor.cpu_request = CoreMillis::new(15_800));
    assert_eq!(grown(&huge, 150.0), (1, 0));
    // A pod below the cutoff of priority brings none, either.
    let expendable = growing(|spec| spec.spark.kubernetes.pod_template.priority = -11);
    assert_eq!(grown(&expendable, 150.0), (1, 3));
}

#[test]
fn a_new_node_comes_with_the_neighbours_of_every_node() {
    // 1800m of a daemon leave 13 940m: three executors without the driver, two beside it. Four executors want one more node.
    let daemon = |cpu: u64| {
        growing(|spec| {
            let resources = Resources { cpu_request: CoreMillis::new(cpu), ..big(0, 0, None).resources };
            spec.cluster.neighbours.push(NeighbourSpec { placement: NeighbourPlacement::EveryNode, resources, ..big(0, 0, None) });
        })
    };
    assert_eq!(grown(&daemon(1800), 125.0), (2, 4));
    let tenants = at(&daemon(1800), 125.0, |sim| sim.cluster.tenants.iter().map(|tenant| tenant.node).collect::<Vec<_>>());
    assert_eq!(tenants, [NodeId::new(0), NodeId::new(1)]);
    // 11 300m leave 4440m everywhere: a new node would hold none.
    assert_eq!(grown(&daemon(11_300), 125.0), (1, 0));
}

#[test]
fn a_node_that_does_not_come_is_given_up_and_its_pool_left_alone() {
    // Each executor wants a node without the driver; two may come. They would take 100 s and have 60: asked for by 11 s, given up by 71 s;
    // the pool is left alone for 300 s, and after the second time for 600 s.
    let late = growing(|spec| {
        spec.cluster.autoscaler.max_node_provision = SimSpan::from_secs(60);
        spec.spark.executor.cpu_request = CoreMillis::new(14_750);
    });
    let asked = |seconds: f64| at(&late, seconds, |sim| sim.cluster.autoscaler.asked());
    assert_eq!([9.9, 11.2, 370.0, 371.2, 1030.0, 1031.2].map(asked), [0, 2, 2, 4, 4, 6]);
    assert_eq!(grown(&late, 1000.0), (1, 0));
}

#[test]
fn the_expander_takes_the_pool_that_wastes_least() {
    // The second pool's machines have twice the CPU for one executor that waits.
    let two = |least: bool| {
        growing(|spec| {
            let mut large = spec.cluster.pools[0].clone();
            (large.name, large.count, large.max_count) = ("large".into(), 0, Some(2));
            large.shape.cpu = CoreMillis::new(32_000);
            spec.cluster.pools.insert(0, large);
            spec.cluster.autoscaler.expander = if least { Expander::LeastWaste } else { Expander::Random };
        })
    };
    let pool = |spec: &Spec, replication: u64| {
        let plan = SimPlan::compile(spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { replication, ..KEY }, &mut nobody);
        settle_in(&mut sim);
        sim.run_until(SimTime::ZERO + SimSpan::from_secs(120));
        let new = sim.cluster.present[1..].iter().map(|node| plan.nodes[node.index()].pool).collect::<Vec<_>>();
        assert_eq!(new.len(), 1);
        new[0]
    };
    assert!((0..20).all(|replication| pool(&two(true), replication) == 1));
    let large = (0..40).filter(|&replication| pool(&two(false), replication) == 0).count();
    // A fair coin leaves 8 to 32 of 40 once in ten thousand.
    assert!((8..=32).contains(&large), "{large} of 40");
}

#[test]
fn nodes_that_nobody_asks_for_change_nothing() {
    let fixed = fixture::case_study(true, false);
    let run = |spec: &Spec| Simulator::new(&SimPlan::compile(spec).expect("the fixture compiles")).run(KEY);
    let mut spare = fixed.clone();
    spare.cluster.pools[0].max_count = Some(spare.cluster.pools[0].count + 5);
    assert_eq!(run(&spare), run(&fixed));
}

#[test]
fn watching_placements_changes_no_run_and_names_every_pod() {
    let plan = SimPlan::compile(&fixture::case_study(true, true)).expect("the fixture compiles");
    let mut placements = Placements::default();
    let watched = Simulator::new(&plan).run_observed(KEY, &mut placements);
    assert_eq!(watched, Simulator::new(&plan).run(KEY));
    let names: Vec<&str> = placements.all.iter().map(|placement| placement.pod.as_str()).take(5).collect();
    assert_eq!(names, ["driver", "executor-1", "executor-2", "executor-3", "executor-4"]);
    // Packed by required affinity: without it the second would be elsewhere.
    let second = &placements.all[2].explained;
    let term = second.without.iter().find(|one| one.rule == Rule::PodAffinity { required: true, index: 0 }).expect("its term");
    assert!(second.decision.node == placements.all[1].explained.decision.node && term.node != second.decision.node);
}

/// A neighbour that holds nine tenths of a disk of 512 GiB is evicted at the kubelet's first look, within 10 s, and is back 10 s later with an
/// empty volume and its rate; one that is killed in place keeps its files, and asks for nothing until it is back.
#[test]
fn an_evicted_neighbour_comes_back_without_its_files() {
    let devices = DeviceUse { held: Dist::Constant(Bytes::gib(480).as_f64()), write: ByteRate::mb_per_sec(30), ..DeviceUse::NONE };
    let holds =
        spec(|spec| spec.cluster.neighbours.push(NeighbourSpec { placement: NeighbourPlacement::On(vec![0]), devices: devices.clone(), ..big(0, 0, None) }));
    let state = |sim: &Sim| {
        let machine = &sim.machines[NodeId::new(0)];
        (machine.disk_used - sim.plan.nodes[0].shape.disks[0].used, (machine.devices.standing_sum() * 10.0).round() as u64)
    };
    // 30 of 150 MB/s are two tenths of the disk.
    assert_eq!(at(&holds, 0.0, state), (Bytes::gib(480), 2));
    assert_eq!(at(&holds, 10.1, state), (Bytes::ZERO, 0));
    assert_eq!(at(&holds, 25.0, state), (Bytes::ZERO, 2));
    let mut small = holds.clone();
    small.cluster.neighbours[0].devices.held = Dist::Constant(Bytes::gib(100).as_f64());
    let plan = SimPlan::compile(&small).expect("the fixture compiles");
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    settle_in(&mut sim);
    sim.run_until(SimTime::ZERO + SimSpan::from_secs(5));
    let slot = sim.cluster.tenants[0].slot;
    neighbours::on_killed(&mut sim, NodeId::new(0), slot, 1);
    assert_eq!(state(&sim), (Bytes::gib(100), 0));
    sim.run_until(SimTime::ZERO + SimSpan::from_secs(16));
    assert_eq!(state(&sim), (Bytes::gib(100), 2));
}

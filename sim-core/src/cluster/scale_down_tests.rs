//! Nodes that go, worked out by hand on the case study's four nodes of 15 740m and 57 639 MiB.
//!
//! Scans are 10 s apart from a phase between 10 and 20 s on; an empty node is unneeded from the first one on and goes 600 s later, so between 610
//! and 620 s.

use super::*;
use crate::fixture;
use crate::observe::Nobody;
use crate::sim::{RunKey, Simulator};
use crate::spark::executor::Life;
use crate::spec::{DaemonRole, DaemonSpec, DeviceUse, Dist, JobSpec, JobStart, MemoryUse, NeighbourPlacement, NeighbourSpec, PodsAllocator, Resources, Spec};
use crate::units::CoreMillis;

const KEY: RunKey = RunKey { seed: 1, replication: 0 };

/// One executor of 4 cores and 11 GiB on four nodes, of which three may go; the application does nothing for hours after its first job.
fn spec(change: impl Fn(&mut Spec)) -> Spec {
    let mut spec = fixture::case_study(false, false);
    spec.uncertainty = fixture::certain();
    spec.limits.paranoid = true;
    spec.cluster.neighbours.clear();
    spec.cluster.pools[0].min_count = Some(1);
    spec.spark.deploy_mode = DeployMode::Client;
    spec.spark.executor.instances = 1;
    spec.app.jobs.truncate(1);
    spec.app.jobs[0].driver_gap = SimSpan::from_secs(10_000);
    spec.app.jobs.push(JobSpec { stages: vec![0], driver_gap: SimSpan::ZERO, start: JobStart::InTurn, pool: None });
    change(&mut spec);
    spec
}

fn run<T>(spec: &Spec, look: impl Fn(&mut Sim) -> T) -> T {
    let plan = SimPlan::compile(spec).expect("the fixture compiles");
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    settle_in(&mut sim);
    look(&mut sim)
}

fn at(seconds: u64) -> SimTime {
    SimTime::ZERO + SimSpan::from_secs(seconds)
}

/// Nodes that are there at some seconds.
fn nodes(spec: &Spec, seconds: &[u64]) -> Vec<usize> {
    run(spec, |sim| {
        let count = |&second: &u64| {
            sim.run_until(at(second));
            sim.cluster.present.len()
        };
        seconds.iter().map(count).collect()
    })
}

fn neighbour(placement: NeighbourPlacement, cpu: u64, namespace: &str) -> NeighbourSpec {
    NeighbourSpec {
        name: "other".into(),
        placement,
        resources: Resources { cpu_request: CoreMillis::new(cpu), memory_request: Bytes::gib(1), ..Resources::default() },
        memory: MemoryUse { anon: Dist::Constant(1e8), shmem: Dist::Constant(0.0), processes: 1 },
        cpu_use: CoreMillis::new(100),
        priority: 0,
        labels: Vec::new(),
        namespace: namespace.into(),
        devices: DeviceUse::NONE,
        arrives: None,
        restarts: true,
    }
}

#[test]
fn empty_nodes_go_after_ten_minutes_down_to_the_pools_min() {
    type Row<'a> = (&'a dyn Fn(&mut Spec), usize);
    let table: [Row; 5] = [
        (&|_| {}, 1),
        (&|s| s.cluster.pools[0].min_count = Some(2), 2),
        (&|s| s.cluster.pools[0].min_count = None, 4),
        (&|s| s.cluster.autoscaler.scale_down = false, 4),
        // A pool that may grow shrinks no further than its count.
        (&|s| (s.cluster.pools[0].min_count, s.cluster.pools[0].max_count) = (None, Some(6)), 4),
    ];
    for (row, (change, left)) in table.into_iter().enumerate() {
        assert_eq!(nodes(&spec(change), &[605, 625, 3000]), [4, left, left], "row {row}");
    }
}

#[test]
fn a_growth_delays_every_removal() {
    let counts = run(&spec(|_| {}), |sim| {
        sim.run_until(at(300));
        sim.cluster.autoscaler.down.grew_at = Some(at(300));
        [890, 925].map(|second| {
            sim.run_until(at(second));
            sim.cluster.present.len()
        })
    });
    assert_eq!(counts, [4, 1]);
}

/// 7870m of 15 740m is half, and not below it.
#[test]
fn utilisation_counts_daemons_and_is_strictly_below_the_threshold() {
    for (cpu, left) in [(7869, 1), (7870, 4)] {
        let daemons = spec(|spec| {
            spec.cluster.neighbours.push(neighbour(NeighbourPlacement::EveryNode, cpu, "default"));
            spec.spark.executor.cpu_request = CoreMillis::new(100);
        });
        assert_eq!(nodes(&daemons, &[640]), [left], "{cpu}m");
    }
    // By memory: 28 GiB of 56.3 are below, 29 are not.
    for (gib, left) in [(28, 1), (29, 4)] {
        let daemons = spec(|spec| {
            let mut daemon = neighbour(NeighbourPlacement::EveryNode, 100, "default");
            daemon.resources.memory_request = Bytes::gib(gib);
            spec.cluster.neighbours.push(daemon);
        });
        assert_eq!(nodes(&daemons, &[640]), [left], "{gib} GiB");
    }
}

/// Executors that nobody would replace keep their nodes, whatever their use; those that say so do not, and one node goes at a time.
#[test]
fn bare_executors_keep_their_nodes_unless_they_are_safe_to_evict() {
    let four = |may| {
        spec(move |spec| {
            spec.spark.executor.instances = 4;
            spec.spark.kubernetes.pod_template.safe_to_evict = may;
        })
    };
    assert_eq!(nodes(&four(None), &[4000]), [4]);
    assert_eq!(nodes(&four(Some(false)), &[4000]), [4]);
    let seen = nodes(&four(Some(true)), &[605, 625, 660]);
    assert!(seen[0] == 4 && seen[1] >= 3 && seen[2] == 3, "{seen:?}");
    run(&four(Some(true)), |sim| {
        sim.run_until(at(4000));
        let up = sim.executors.values().filter(|e| e.life == Life::Registered).count();
        assert!(up == 4 && sim.cluster.present.len() < 4, "{up} executors on {} nodes", sim.cluster.present.len());
        assert!(sim.executors.values().all(|e| e.cause.is_none()), "an eviction is no death");
    });
}

/// A StatefulSet replaces its pods; an `emptyDir` on disk keeps them where the autoscaler minds, one in memory does not.
#[test]
fn local_storage_keeps_pods_of_a_controller() {
    for (tmpfs, minds, goes) in [(false, true, false), (false, false, true), (true, true, true)] {
        let mut spec = spec(|_| {});
        let base = fixture::case_study(tmpfs, false);
        spec.spark.kubernetes.local_dirs_tmpfs = base.spark.kubernetes.local_dirs_tmpfs;
        spec.spark.allocation.allocator = PodsAllocator::Controller;
        spec.spark.executor.instances = 4;
        spec.cluster.autoscaler.skip_local_storage = minds;
        assert_eq!(nodes(&spec, &[1000])[0] < 4, goes, "tmpfs {tmpfs}, minds {minds}");
    }
}

/// Replicas move, if they fit elsewhere; those of `kube-system` and pods of named nodes stay, and so do their nodes.
#[test]
fn neighbours_move_or_keep_their_nodes() {
    let table = [
        // Four replicas of 3000m, one a node: with the executor's 4000m all fit one node of 15 740m. Of these a node is below half with two at most.
        (NeighbourPlacement::Replicas(4), "default", true),
        (NeighbourPlacement::Replicas(4), "kube-system", false),
        (NeighbourPlacement::On(vec![0, 1, 2, 3]), "default", false),
        (NeighbourPlacement::EveryNode, "kube-system", true),
    ];
    for (placement, namespace, goes) in table {
        let with = spec(|spec| spec.cluster.neighbours.push(neighbour(placement.clone(), 3000, namespace)));
        let left = nodes(&with, &[2000])[0];
        assert_eq!(left < 4, goes, "{placement:?} in {namespace}: {left}");
    }
    // Seven replicas of 7000m, two a node on three nodes: those of the fourth, with less than half, fit nowhere.
    let full = spec(|spec| {
        spec.cluster.neighbours.push(neighbour(NeighbourPlacement::Replicas(7), 7000, "default"));
        spec.spark.executor.cpu_request = CoreMillis::new(100);
    });
    assert_eq!(nodes(&full, &[2000]), [4]);
}

/// What has gone comes back when pods need it, empty and with its daemons, and the books balance to the end.
#[test]
fn a_node_that_went_may_come_back() {
    let mut spec = spec(|spec| {
        spec.app.jobs[0].driver_gap = SimSpan::from_secs(2000);
        spec.cluster.neighbours.push(neighbour(NeighbourPlacement::EveryNode, 100, "default"));
        let mut late = neighbour(NeighbourPlacement::Replicas(2), 14_000, "default");
        (late.name, late.arrives) = ("late".into(), Some(SimSpan::from_secs(700)));
        spec.cluster.neighbours.push(late);
    });
    assert_eq!(nodes(&spec, &[650, 1100]), [1, 3]);
    let plan = SimPlan::compile(&spec).expect("the fixture compiles");
    assert!(!Simulator::new(&plan).run(KEY).job_failed());
    // At once, while the last look of its kubelet is still on its way.
    spec.cluster.autoscaler.scale_up_s = Dist::Constant(0.0);
    spec.cluster.neighbours[1].arrives = Some(SimSpan::from_secs(615));
    let plan = SimPlan::compile(&spec).expect("the fixture compiles");
    assert!(!Simulator::new(&plan).run(KEY).job_failed());
}

/// A node goes with the processes outside `kubepods`, whether they run or wait for systemd, and comes back with all of them, each once.
#[test]
fn daemons_of_the_node_go_and_come_back_with_it() {
    let mut spec = spec(|spec| {
        let mut late = neighbour(NeighbourPlacement::Replicas(2), 14_000, "default");
        (late.name, late.arrives) = ("late".into(), Some(SimSpan::from_secs(700)));
        spec.cluster.neighbours.push(late);
        let daemon = |name: &str, mib| DaemonSpec {
            name: name.into(),
            anon: Dist::Constant(Bytes::mib(mib).as_f64()),
            oom_score_adj: 0,
            role: DaemonRole::Service,
            restart: Some(SimSpan::from_secs(60)),
        };
        spec.cluster.daemons = vec![daemon("agent", 200), daemon("logs", 100)];
    });
    let seen = |spec: &Spec| {
        run(spec, |sim| {
            let full = sim.machines[NodeId::new(0)].memory.system();
            sim.run_until(at(600));
            for node in sim.machines.ids() {
                daemons::on_killed(sim, node, 1);
                assert_eq!(sim.machines[node].memory.system(), full - Bytes::mib(100));
            }
            // At 660 s systemd would start it again.
            [650, 670, 1100].map(|second| {
                sim.run_until(at(second));
                let held: Vec<Bytes> = sim.machines.values().map(|machine| machine.memory.system()).collect();
                let (there, gone) = (held.iter().filter(|&&held| held == full).count(), held.iter().filter(|held| held.is_zero()).count());
                (sim.cluster.present.len(), there, gone)
            })
        })
    };
    assert_eq!(seen(&spec), [(1, 0, 3), (1, 1, 3), (3, 3, 1)]);
    // Back at once: what systemd had left to do was the old machine's.
    spec.cluster.autoscaler.scale_up_s = Dist::Constant(0.0);
    spec.cluster.neighbours[0].arrives = Some(SimSpan::from_secs(625));
    assert_eq!(seen(&spec), [(3, 2, 1), (3, 3, 1), (3, 3, 1)]);
}

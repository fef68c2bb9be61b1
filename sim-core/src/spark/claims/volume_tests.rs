//! Volumes of a place: zones, nodes, and disks that one node has, each worked out by hand.
//!
//! The case study's four nodes lie in two zones by turns (pool-0 and pool-2 in a), with one executor each. Claims are attached after 15 s,
//! detached after 10 s; pods register 8 s after that; volumes are torn down a second after a death, which is seen after two.

use super::*;
use crate::cluster;
use crate::fixture;
use crate::observe::{Nobody, Placements};
use crate::record::{Cause, Level};
use crate::sim::RunKey;
use crate::spark::executor::{self, Death, Life};
use crate::spec::{AccessMode, ClaimReuse, ClaimSpec, ClassFacts, Dist, Reach, Reclaim, Reclaimed, Spec, Volume, VolumeSource, ZoneSet};

const KEY: RunKey = RunKey { seed: 1, replication: 0 };
const REUSE: ClaimReuse = ClaimReuse { wait: false, recover: false, verify: false };
const ZONAL: ClassFacts = ClassFacts { reach: Reach::Zone, access: AccessMode::ReadWriteOnce, ..ClassFacts::FREE };
const LOCAL: ClassFacts = ClassFacts { reach: Reach::Node, access: AccessMode::ReadWriteOnce, ..ClassFacts::FREE };

/// Four executors with a claim of a class; the application does nothing for hours after its first job.
fn world(class: ClassFacts, change: impl Fn(&mut Spec)) -> SimPlan {
    let mut spec = fixture::case_study(false, false);
    spec.uncertainty = fixture::certain();
    spec.limits.paranoid = true;
    spec.cluster.neighbours.clear();
    spec.cluster.kubelet.teardown_s = Dist::Constant(1.0);
    spec.cluster.pools[0].zones = vec!["a".into(), "b".into()];
    spec.spark.deploy_mode = crate::spec::DeployMode::Client;
    let claim = ClaimSpec { class, ..fixture::claim(Bytes::gib(10)) };
    spec.spark.kubernetes.pod_template.volumes =
        vec![Volume { name: "spark-local-dir-1".into(), mount_path: "/scratch".into(), source: VolumeSource::Claim(claim) }];
    super::tests::idle_for_hours(&mut spec);
    change(&mut spec);
    SimPlan::compile(&spec).expect("the fixture compiles")
}

fn share(spec: &mut Spec) {
    if let VolumeSource::Claim(claim) = &mut spec.spark.kubernetes.pod_template.volumes[0].source {
        claim.shared = true;
    }
}

fn seconds(s: f64) -> SimTime {
    SimTime::ZERO + SimSpan::from_secs_f64(s)
}

fn run<T>(plan: &SimPlan, look: impl Fn(&mut Sim) -> T) -> T {
    let mut nobody = Nobody;
    let mut sim = Sim::new(plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    look(&mut sim)
}

fn kill(sim: &mut Sim, id: ExecutorId) {
    executor::die(sim, id, Death { cause: Cause::Container, level: Level::Pod, used: Bytes::ZERO, limit: Bytes::ZERO });
    sim.look_at_touched();
}

fn node_of(sim: &Sim, id: u32) -> Option<usize> {
    sim.executors[ExecutorId::new(id)].node.map(NodeId::index)
}

fn zone_of(sim: &Sim, id: u32) -> Option<usize> {
    node_of(sim, id).map(|node| node % 2)
}

fn lives(sim: &Sim, life: Life) -> usize {
    sim.executors.values().filter(|e| e.life == life).count()
}

/// What the scheduler says of an executor now: its words, each once.
fn refusals(sim: &Sim, id: u32) -> Vec<String> {
    let mut words = cluster::refusals(sim, ExecutorId::new(id));
    words.sort();
    words.dedup();
    words
}

/// The story: an executor dies, and its zone is closed for others. The claim of 690 s is used again, and its volume holds the
/// new pod in its zone, where no node takes pods; a new claim, after 90 s, is made in the other zone.
#[test]
fn a_reused_claim_keeps_its_pod_in_its_zone() {
    for (at, reused) in [(700.0, true), (100.0, false)] {
        let plan = world(ZONAL, |_| {});
        run(&plan, |sim| {
            sim.run_until(seconds(at));
            let (dead, zone) = (ExecutorId::new(1), zone_of(sim, 1).expect("bound"));
            for node in (0..4).filter(|node| node % 2 == zone) {
                sim.machines[NodeId::new(node as u32)].cordoned = true;
            }
            kill(sim, dead);
            sim.run_until(seconds(at + 60.0));
            let new = &sim.executors[ExecutorId::new(4)];
            if reused {
                assert_eq!(new.life, Life::Pending);
                let words = ["node(s) had volume node affinity conflict", "node(s) were unschedulable"];
                assert_eq!(refusals(sim, 4), words, "two nodes are cordoned, two are in the other zone");
                for machine in sim.machines.values_mut() {
                    machine.cordoned = false;
                }
                cluster::pods_changed(sim);
                sim.run_until(seconds(at + 120.0));
                assert_eq!(zone_of(sim, 4), Some(zone));
            } else {
                assert_eq!((new.life, zone_of(sim, 4)), (Life::Registered, Some(1 - zone)));
            }
        });
    }
}

/// A local volume is on its node, and nowhere else; a node without one left takes no pod that needs one.
#[test]
fn a_local_volume_pins_its_pod_to_one_node() {
    let plan = world(LOCAL, |_| {});
    run(&plan, |sim| {
        sim.run_until(seconds(700.0));
        let node = node_of(sim, 2);
        kill(sim, ExecutorId::new(2));
        sim.run_until(seconds(760.0));
        assert_eq!((node_of(sim, 4), sim.executors[ExecutorId::new(4)].life), (node, Life::Registered));
    });
    // 4 executors; nodes, volumes a node, and how many start.
    for (nodes, per_node, expected) in [(4, 1, 4), (3, 1, 3), (2, 1, 2), (2, 2, 4), (1, 3, 3)] {
        let plan = world(ClassFacts { per_node: Some(per_node), ..LOCAL }, |spec| spec.cluster.pools[0].count = nodes);
        let (started, words) = run(&plan, |sim| {
            sim.run_until(seconds(300.0));
            let waiting = sim.cluster.pending.first().map(|id| id.index() as u32);
            (lives(sim, Life::Registered), waiting.map(|id| refusals(sim, id)))
        });
        assert_eq!(started, expected, "{nodes} nodes with {per_node}");
        let none_left = vec!["node(s) didn't find available persistent volumes to bind".to_owned()];
        assert_eq!(words, (expected < 4).then_some(none_left));
    }
}

/// Zones that a class allows; and zones of classes that bind at once, which do not ask where there is room.
#[test]
fn volumes_are_made_where_the_class_says() {
    let in_zone_a = |class: ClassFacts, change: &dyn Fn(&mut Spec)| {
        run(&world(class, change), |sim| {
            sim.run_until(seconds(300.0));
            (0..4).filter(|&id| zone_of(sim, id) == Some(0)).count()
        })
    };
    let only_a = ZoneSet::of([0].into_iter());
    assert_eq!(in_zone_a(ClassFacts { zones: only_a, ..ZONAL }, &|_| {}), 4);
    assert_eq!(in_zone_a(ClassFacts { zones: only_a, immediate: true, ..ZONAL }, &|_| {}), 4);
    assert_eq!(in_zone_a(ZONAL, &|_| {}), 2, "one on each node");
    // Zone b has no room for an executor: who waits for its node goes to a, who has a disk in b waits for ever.
    let counts: Vec<(usize, usize)> = (0..40)
        .map(|seed| {
            let plan = world(ClassFacts { immediate: true, ..ZONAL }, |_| {});
            let mut nobody = Nobody;
            let mut sim = Sim::new(&plan, RunKey { seed, replication: 0 }, &mut nobody);
            cluster::settle_in(&mut sim);
            sim.machines[NodeId::new(1)].cordoned = true;
            sim.machines[NodeId::new(3)].cordoned = true;
            sim.run_until(seconds(100.0));
            (lives(&sim, Life::Registered), sim.cluster.pending.len())
        })
        .collect();
    assert!(counts.iter().all(|(started, waiting)| started + waiting == 4));
    // 160 fair coins: 80 ± 6.3; four standard deviations.
    let started: usize = counts.iter().map(|(started, _)| started).sum();
    assert!((55..=105).contains(&started), "{started}");
}

/// A pod that dies is torn down a second later, and its disk hangs there 10 s more. Its death is seen after two seconds, its follower is made in
/// the next one, goes to another node, waits there for the disk, and registers 15 + 8 s later: 34 s after the death. A file share is there at once.
#[test]
fn a_disk_is_detached_before_another_node_has_it() {
    let registered = |class: ClassFacts| {
        let plan = world(class, |_| {});
        let mut watched = Placements::default();
        let mut sim = Sim::new(&plan, KEY, &mut watched);
        cluster::settle_in(&mut sim);
        sim.run_until(seconds(700.0));
        let node = sim.executors[ExecutorId::new(1)].node.expect("bound");
        sim.machines[node].cordoned = true;
        let died = sim.now();
        kill(&mut sim, ExecutorId::new(1));
        sim.run_until(seconds(760.0));
        let at = sim.executors[ExecutorId::new(4)].registered_at.expect("it is up").since(died).as_secs_f64();
        let other = sim.executors[ExecutorId::new(4)].node;
        assert!(other.is_some() && other != Some(node));
        drop(sim);
        let held = watched.all.iter().find(|placement| placement.pod == "executor-5").and_then(|placement| placement.held.clone());
        (at, held.map(|held| (held.volume, held.node == node.index(), held.wait.is_some_and(|wait| wait <= SimSpan::from_secs(9)))))
    };
    let (disk, held) = registered(ClassFacts { reach: Reach::Region, ..ZONAL });
    assert!((disk - 34.0).abs() < 1e-6, "{disk}");
    assert_eq!(held, Some(("spark-local-dir-1".to_owned(), true, true)));
    let (share, held) = registered(ClassFacts::FREE);
    assert!((25.0..=26.1).contains(&share) && held.is_none(), "{share}: made after 2 to 3 s, up 23 s later");
}

/// A node that vanishes at 700 s: its pods are deleted at 1040, its disks detached six minutes and 10 s later, at 1410. Who waits for the
/// claim registers 23 s after that.
#[test]
fn disks_of_a_node_that_vanished_are_detached_after_six_minutes() {
    let plan = world(ClassFacts { reach: Reach::Region, ..ZONAL }, |spec| {
        spec.spark.allocation.claims.reuse = Some(ClaimReuse { wait: true, ..REUSE });
        spec.reclaims = vec![Reclaim { who: Reclaimed::Node(0), at: SimSpan::from_secs(700), notice: SimSpan::ZERO, sudden: true }];
    });
    run(&plan, |sim| {
        sim.run_until(seconds(1039.0));
        assert_eq!(sim.executors.len(), 4, "its claim is not free");
        sim.run_until(seconds(1409.0));
        assert_eq!((sim.executors.len(), sim.executors[ExecutorId::new(4)].life), (5, Life::Bound));
        sim.run_until(seconds(1440.0));
        let at = sim.executors[ExecutorId::new(4)].registered_at.expect("it is up").as_secs_f64();
        assert!((at - 1433.0).abs() < 1e-6, "{at}");
    });
}

/// One `ReadWriteOnce` disk for all: the first node has it, pods of the others stay in `ContainerCreating` until nobody is there, and then one of them
/// gets it. With `ReadWriteOncePod` the scheduler refuses them; a file share serves all.
#[test]
fn one_disk_for_all_serves_one_node() {
    let once = ClassFacts { reach: Reach::Region, ..ZONAL };
    run(&world(once, share), |sim| {
        sim.run_until(seconds(600.0));
        assert_eq!((lives(sim, Life::Registered), lives(sim, Life::Bound)), (1, 3));
        let first = sim.executors.iter().find(|(_, e)| e.life == Life::Registered).map(|(id, _)| id).expect("one");
        let up = sim.now() + SimSpan::from_secs(34);
        kill(sim, first);
        // Torn down after 1 s, detached after 10 more, attached after 15, up after 8.
        sim.run_until(SimTime::from_ns(up.as_ns() - 1_000_000));
        assert_eq!(lives(sim, Life::Registered), 0);
        sim.run_until(up);
        assert_eq!(lives(sim, Life::Registered), 1);
    });
    run(
        &world(once, |spec| {
            share(spec);
            spec.cluster.pools[0].count = 1;
        }),
        |sim| {
            sim.run_until(seconds(60.0));
            assert_eq!(lives(sim, Life::Registered), 4, "one node");
        },
    );
    run(&world(ClassFacts { access: AccessMode::ReadWriteOncePod, ..once }, share), |sim| {
        sim.run_until(seconds(600.0));
        assert_eq!((lives(sim, Life::Registered), sim.cluster.pending.len()), (1, 3));
        let waiting = sim.cluster.pending[0].index() as u32;
        assert_eq!(refusals(sim, waiting), ["node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"]);
    });
    run(&world(ClassFacts::FREE, share), |sim| {
        sim.run_until(seconds(60.0));
        assert_eq!(lives(sim, Life::Registered), 4);
    });
}

/// A class that cannot expand leaves claims as they are.
#[test]
fn a_class_that_cannot_expand_does_not() {
    for (expands, size) in [(true, Bytes::gib(20)), (false, Bytes::gib(10))] {
        let plan = world(ClassFacts { expands, ..ZONAL }, |spec| {
            let resize = crate::spec::ClaimResize { interval: SimSpan::from_secs(60), threshold: 0.0, factor: 1.0 };
            spec.spark.allocation.claims.resize = Some(resize);
        });
        run(&plan, |sim| {
            sim.run_until(seconds(60.0));
            let (id, files) = (ExecutorId::new(1), crate::spark::scratch::Stored::at(&sim.plan.executor.scratch, 0, Bytes::gib(1)));
            let node = sim.executors[id].node.expect("bound");
            sim.executors[id].garbage += &files;
            crate::spark::scratch::put(sim, id, node, &files);
            // Reported at 93 s, seen at 130 s, grown at 160 s.
            sim.run_until(seconds(161.0));
            assert_eq!(sim.executors[id].claims.mounted[0].size, size);
        });
    }
}

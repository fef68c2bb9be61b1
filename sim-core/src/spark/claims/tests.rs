//! Claims in a run: their delay, their device, their ceiling, what comes after their first pod.

use super::*;
use crate::cluster;
use crate::fixture;
use crate::ids::ShuffleId;
use crate::observe::Nobody;
use crate::record::{Cause, Outcome};
use crate::sim::{RunKey, Simulator};
use crate::spark::driver::Location;
use crate::spark::executor::{self, Death, Life};
use crate::spark::scratch::{self, Stored};
use crate::spec::{ClaimResize, ClaimReuse, ClaimSpec, ClaimsConf, ClassFacts, JobSpec, JobStart, PodTemplate, Reach, RemoteSpec, Spec, Volume, VolumeSource};
use crate::units::{ByteRate, SimTime};

const KEY: RunKey = RunKey { seed: 1, replication: 0 };
const REUSE: ClaimReuse = ClaimReuse { wait: false, recover: false, verify: false };

/// The driver owns the claims, and the application does nothing for hours after its first job.
pub(super) fn idle_for_hours(spec: &mut Spec) {
    spec.spark.allocation.claims = ClaimsConf { reuse: Some(REUSE), resize: None };
    spec.spark.scheduling.min_registered_ratio = 0.0;
    spec.app.jobs.truncate(1);
    spec.app.jobs[0].driver_gap = SimSpan::from_secs(10_000);
    spec.app.jobs.push(JobSpec { stages: vec![0], driver_gap: SimSpan::ZERO, start: JobStart::InTurn, pool: None });
}

/// Spread executors with so many claims of a size each; the application does nothing for hours after its first job.
fn world(claims: usize, size: Bytes, change: impl Fn(&mut Spec)) -> SimPlan {
    let mut spec = fixture::case_study(false, false);
    spec.uncertainty = fixture::certain();
    spec.limits.paranoid = true;
    let volume = |n| Volume { name: format!("spark-local-dir-{n}"), mount_path: format!("/scratch/{n}"), source: VolumeSource::Claim(fixture::claim(size)) };
    spec.spark.kubernetes.pod_template = PodTemplate { volumes: (0..claims).map(volume).collect(), ..spec.spark.kubernetes.pod_template.clone() };
    idle_for_hours(&mut spec);
    change(&mut spec);
    SimPlan::compile(&spec).expect("the fixture compiles")
}

fn seconds(s: u64) -> SimTime {
    SimTime::ZERO + SimSpan::from_secs(s)
}

fn kill(sim: &mut Sim, id: ExecutorId) {
    executor::die(sim, id, Death { cause: Cause::Container, level: crate::record::Level::Pod, used: Bytes::ZERO, limit: Bytes::ZERO });
    sim.look_at_touched();
}

/// Files of a dead executor's shuffle on its first claim.
fn give_files(sim: &mut Sim, id: ExecutorId, bytes: Bytes) {
    let node = sim.executors[id].node.expect("bound");
    let stored = Stored::at(&sim.plan.executor.scratch, 0, bytes);
    sim.executors[id].outputs[ShuffleId::new(0)] += &stored;
    scratch::put(sim, id, node, &stored);
}

/// 4.8: the driver asks at 10 s, a pod registers 8 s after its binding, or 15 s later when its claim has to be attached.
#[test]
fn a_claim_is_attached_before_anything_starts() {
    for (claims, due) in [(0, 18), (1, 33)] {
        let plan = world(claims, Bytes::gib(10), |_| {});
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, KEY, &mut nobody);
        cluster::settle_in(&mut sim);
        sim.run_until(SimTime::ZERO + SimSpan::from_ms(due * 1000 - 100));
        assert_eq!(sim.executors[ExecutorId::new(0)].life, Life::Starting, "{claims} claims");
        sim.run_until(seconds(due) + SimSpan::from_ms(100));
        assert_eq!(sim.executors[ExecutorId::new(0)].life, Life::Registered, "{claims} claims");
    }
}

/// The executor after a death at 700 s or 100 s, and the plan's last look at it, with 2 GiB of old files on the dead one's claim.
fn replaced(plan: &SimPlan, at: u64, look: impl Fn(&mut Sim, ExecutorId)) {
    let mut nobody = Nobody;
    let mut sim = Sim::new(plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(seconds(at));
    give_files(&mut sim, ExecutorId::new(1), Bytes::gib(2));
    kill(&mut sim, ExecutorId::new(1));
    sim.run_until(seconds(at + 60));
    look(&mut sim, ExecutorId::new(4));
}

/// 4.8: a claim of 690 s is used again with all that is on it; one of 90 s is younger than 600 s, so the new pod gets a new one.
#[test]
fn an_old_claim_is_used_again_with_its_files_and_a_young_one_is_not() {
    let plan = world(1, Bytes::gib(10), |_| {});
    for (at, expected) in [(700, Bytes::gib(2)), (100, Bytes::ZERO)] {
        replaced(&plan, at, |sim, new| {
            assert_eq!((sim.executors[new].life, sim.executors[new].garbage.sum()), (Life::Registered, expected), "at {at} s");
        });
    }
    let without = world(1, Bytes::gib(10), |spec| spec.spark.allocation.claims.reuse = None);
    replaced(&without, 700, |sim, new| assert_eq!(sim.executors[new].garbage.sum(), Bytes::ZERO));
}

/// 4.8: with `waitToReuse…` nobody replaces an executor before its claim is old enough.
#[test]
fn a_pod_that_waits_for_a_claim_waits_until_it_is_old_enough() {
    let wait = |spec: &mut Spec| spec.spark.allocation.claims.reuse = Some(ClaimReuse { wait: true, ..REUSE });
    let plan = world(1, Bytes::gib(10), wait);
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(seconds(100));
    kill(&mut sim, ExecutorId::new(1));
    sim.run_until(seconds(609));
    assert_eq!(sim.executors.len(), 4);
    sim.run_until(seconds(700));
    assert_eq!((sim.executors.len(), sim.executors[ExecutorId::new(4)].life), (5, Life::Registered));
}

/// Claims are counted, not pods: with two a pod and `waitToReuse…`, four executors asked for become two.
#[test]
fn two_claims_a_pod_leave_room_for_half_of_the_pods_that_wait() {
    for (claims, expected) in [(1, 4), (2, 2)] {
        let plan = world(claims, Bytes::gib(10), |spec| spec.spark.allocation.claims.reuse = Some(ClaimReuse { wait: true, ..REUSE }));
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, KEY, &mut nobody);
        cluster::settle_in(&mut sim);
        sim.run_until(seconds(300));
        assert_eq!(sim.executors.len(), expected, "{claims} claims a pod");
    }
}

/// `KubernetesLocalDiskShuffleDataIO`: the outputs come back when the new executor gets a shuffle writer, and not before; those that
/// have been made again meanwhile stay where they are.
#[test]
fn outputs_on_a_claim_come_back_with_the_first_shuffle_writer() {
    let plan = world(1, Bytes::gib(10), |spec| spec.spark.allocation.claims.reuse = Some(ClaimReuse { recover: true, verify: true, ..REUSE }));
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(seconds(700));
    let (dead, new, other, shuffle) = (ExecutorId::new(1), ExecutorId::new(4), ExecutorId::new(0), ShuffleId::new(0));
    give_files(&mut sim, dead, Bytes::mib(300));
    let place = |sim: &Sim, executor: ExecutorId| Location { executor, node: sim.executors[executor].node.expect("bound") };
    for map in 0..3 {
        let at = place(&sim, dead);
        sim.driver.outputs[shuffle].register(map, at, Bytes::mib(100));
    }
    kill(&mut sim, dead);
    sim.run_until(seconds(760));
    assert!((0..3).all(|map| !sim.driver.outputs[shuffle].has(map)), "the driver has seen the loss");
    let elsewhere = place(&sim, other);
    sim.driver.outputs[shuffle].register(2, elsewhere, Bytes::mib(100));
    reuse::on_writer(&mut sim, new);
    let holders: Vec<ExecutorId> = (0..3).map(|map| sim.driver.outputs[shuffle].location(map).expect("there").executor).collect();
    assert_eq!(holders, [new, new, other]);
}

/// 4.7: reports at 33 s + 60 k, looks at 10 s + 60 k: 6 of 10 GiB are reported at 93 s, seen at 130 s and have room from 160 s on; the
/// report of 153 s is older than that, so the look at 190 s doubles once more; the report of 213 s finds 6 of 20, and that was the last.
#[test]
fn a_claim_grows_an_interval_and_a_resize_after_it_filled() {
    let resize = ClaimResize { interval: SimSpan::from_secs(60), threshold: 0.5, factor: 1.0 };
    let plan = world(1, Bytes::gib(10), |spec| spec.spark.allocation.claims.resize = Some(resize));
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(seconds(60));
    give_files(&mut sim, ExecutorId::new(1), Bytes::gib(6));
    let size = |sim: &Sim, id| sim.executors[ExecutorId::new(id)].claims.mounted[0].size;
    sim.run_until(seconds(159));
    assert_eq!(size(&sim, 1), Bytes::gib(10));
    sim.run_until(seconds(161));
    assert_eq!((size(&sim, 1), size(&sim, 0)), (Bytes::gib(20), Bytes::gib(10)));
    sim.run_until(seconds(600));
    assert_eq!(size(&sim, 1), Bytes::gib(40));
}

fn shuffling(change: impl Fn(&mut Spec)) -> Outcome {
    let mut spec = fixture::case_study(false, false);
    spec.uncertainty = fixture::certain();
    spec.limits.paranoid = true;
    spec.app = fixture::passes(Bytes::new(3_000_000_000), 2, 40);
    let volume = Volume { name: "spark-local-dir-1".into(), mount_path: "/scratch".into(), source: VolumeSource::Claim(fixture::claim(Bytes::gib(50))) };
    spec.spark.kubernetes.pod_template.volumes = vec![volume];
    change(&mut spec);
    let plan = SimPlan::compile(&spec).expect("the fixture compiles");
    Simulator::new(&plan).run(KEY)
}

/// 4.8: a claim is not the node's storage. On nodes whose disk is all but full, scratch on claims goes well, and on an `emptyDir` the
/// kubelet evicts (NE-6).
#[test]
fn scratch_on_claims_does_not_press_on_the_nodes_disk() {
    let full = |spec: &mut Spec| spec.cluster.pools[0].shape.disks[0].used = spec.cluster.pools[0].shape.disks[0].size.scale(0.8999);
    let on_claims = shuffling(full);
    assert!(!on_claims.job_failed() && on_claims.incidents.is_empty(), "{:?}", on_claims.incidents.first());
    let on_disk = shuffling(|spec| {
        full(spec);
        spec.spark.kubernetes.pod_template.volumes.clear();
    });
    assert!(on_disk.has(Cause::Eviction), "the same files on the node's disk are too many");
}

/// 5.11: what a VM lets through to remote disks holds for all its claims together; a ceiling above them changes nothing, nor does any for
/// local volumes.
#[test]
fn a_ceiling_on_remote_disks_slows_claims_that_pass_it() {
    let slow = |reach: Reach, remote: Option<u64>| {
        shuffling(|spec| {
            // More files than the page cache takes without writing them.
            spec.app = fixture::passes(Bytes::new(12_000_000_000), 2, 80);
            spec.cluster.pools[0].shape.memory = Bytes::gib(24);
            spec.cluster.neighbours.clear();
            let claim = ClaimSpec { class: ClassFacts { reach, ..ClassFacts::FREE }, ..fixture::claim(Bytes::gib(50)) };
            spec.spark.kubernetes.pod_template.volumes[0].source = VolumeSource::Claim(claim);
            spec.cluster.pools[0].shape.remote =
                remote.map(|mb| RemoteSpec { rate: ByteRate::mb_per_sec(mb), iops: 1_000_000, io_size: Bytes::kib(256), burst: None });
        })
        .duration
    };
    let (free, loose, tight) = (slow(Reach::Region, None), slow(Reach::Region, Some(10_000)), slow(Reach::Region, Some(5)));
    assert!(loose <= free + SimSpan::from_secs(1) && tight > free + SimSpan::from_secs(5), "{free:?} {loose:?} {tight:?}");
    assert_eq!(slow(Reach::Node, Some(5)), slow(Reach::Node, None));
}

//! Notices: what is saved, what is lost, how long a copy takes.

use super::*;
use crate::cluster;
use crate::fixture;
use crate::observe::Nobody;
use crate::plan::SimPlan;
use crate::record::{Ending, Outcome};
use crate::sim::{RunKey, Simulator};
use crate::spark::blocks::{self, Place};
use crate::spec::{DecommissionConf, FallbackStorage, Reclaim, Spec};
use crate::units::{ByteRate, Bytes, SimTime};

const KEY: RunKey = RunKey { seed: 1, replication: 0 };

fn leaving(shuffle_blocks: bool) -> DecommissionConf {
    DecommissionConf {
        shuffle_blocks,
        rdd_blocks: false,
        max_threads: 8,
        max_disk_size: None,
        max_failures_per_block: 3,
        reattempt_interval: SimSpan::from_secs(30),
        force_kill_timeout: None,
        fallback: None,
    }
}
/// Spread executors with scratch on disk; the second one's pod is taken in the middle of the shuffles.
fn plan(change: impl Fn(&mut Spec)) -> SimPlan {
    let mut spec = fixture::case_study(false, false);
    spec.uncertainty.data_volume = crate::spec::Dist::Constant(1.0);
    spec.reclaims = vec![Reclaim { who: Reclaimed::Executor(2), at: SimSpan::from_secs(60), notice: SimSpan::from_secs(600), sudden: false }];
    spec.limits.paranoid = true;
    change(&mut spec);
    SimPlan::compile(&spec).expect("the fixture compiles")
}
fn run(change: impl Fn(&mut Spec)) -> Outcome {
    Simulator::new(&plan(change)).run(KEY)
}
fn attempts(outcome: &Outcome) -> u32 {
    outcome.stages.iter().map(|stage| stage.attempts).sum()
}
fn again(outcome: &Outcome) -> u32 {
    outcome.stages.iter().map(|stage| stage.tasks_resubmitted).sum()
}

/// Law: whoever has time to leave with its files loses no output; nobody's leaving is a failure.
#[test]
fn law_a_migration_with_time_loses_no_output() {
    let outcome = run(|spec| spec.spark.allocation.decommission = Some(leaving(true)));
    let stages = outcome.stages.len() as u32;
    assert_eq!((outcome.ending, outcome.executors_lost), (Ending::Succeeded, 0));
    assert_eq!((attempts(&outcome), again(&outcome)), (stages, 0));
}

#[test]
fn without_migration_or_without_time_outputs_are_made_again() {
    let stages = plan(|_| {}).spec().app.stages.len() as u32;
    // No decommission, no migration, no time.
    for (name, conf, notice) in [("none", None, 600), ("stays", Some(leaving(false)), 600), ("late", Some(leaving(true)), 0)] {
        let outcome = run(|spec| {
            spec.spark.allocation.decommission = conf;
            spec.reclaims[0].notice = SimSpan::from_secs(notice);
        });
        assert!(attempts(&outcome) > stages || again(&outcome) > 0, "{name}");
        assert_eq!((outcome.ending, outcome.executors_lost), (Ending::Succeeded, 0), "{name}: a deleted pod is no failure");
    }
}

/// By hand: outputs that the page cache has go from a slow NIC to idle peers at the NIC's pace, whatever the threads.
#[test]
fn a_copy_takes_as_long_as_the_nic_needs() {
    let plan = plan(|spec| {
        spec.reclaims.clear();
        spec.app.jobs.truncate(1);
        spec.app.jobs[0].driver_gap = SimSpan::from_secs(10_000);
        spec.app.jobs.push(crate::spec::JobSpec { stages: vec![0], driver_gap: SimSpan::ZERO, start: crate::spec::JobStart::InTurn, pool: None });
        spec.cluster.pools[0].shape.nic = ByteRate::mb_per_sec(10);
        spec.spark.allocation.decommission = Some(leaving(true));
    });
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    let idle = SimTime::ZERO + SimSpan::from_secs(1000);
    sim.run_until(idle);
    let id = ExecutorId::new(1);
    let node = sim.executors[id].node.expect("bound");
    let bytes = Bytes::new(10_000_000);
    for map in 0..10 {
        let at = crate::spark::driver::Location { executor: id, node };
        let shuffle = crate::ids::ShuffleId::new(0);
        assert!(sim.driver.outputs[shuffle].register(map, at, bytes));
        let stored = crate::spark::scratch::Stored::at(&sim.plan.executor.scratch, 0, bytes);
        sim.executors[id].outputs[shuffle] += &stored;
        crate::spark::scratch::put(&mut sim, node, &stored);
    }
    let begun = sim.now();
    notify(&mut sim, id, None);
    sim.look_at_touched();
    // 100 MB at 10 MB/s, work-conserving: three threads at a time, the last output alone.
    let moved =
        |sim: &Sim| [0, 2, 3].map(|peer| sim.driver.outputs[crate::ids::ShuffleId::new(0)].maps_of(ExecutorId::new(peer)).count()).iter().sum::<usize>();
    sim.run_until(begun + SimSpan::from_ms(9900));
    assert_eq!((sim.executors[id].life, moved(&sim)), (Life::Registered, 9));
    sim.run_until(begun + SimSpan::from_ms(10_100));
    assert_eq!((sim.executors[id].life, moved(&sim)), (Life::Gone, 10));
}

/// 3.7: what peers refuse is lost, unless there is fallback storage; readers find it there.
#[test]
fn law_fallback_storage_takes_what_peers_refuse() {
    let leaving_with = |fallback| {
        run(|spec| {
            let conf = DecommissionConf { max_disk_size: Some(Bytes::ZERO), fallback, ..leaving(true) };
            spec.spark.allocation.decommission = Some(conf);
        })
    };
    let lost = leaving_with(None);
    let kept = leaving_with(Some(FallbackStorage { per_stream: ByteRate::mb_per_sec(70) }));
    assert!(attempts(&lost) > lost.stages.len() as u32 || again(&lost) > 0);
    assert_eq!((kept.ending, attempts(&kept), again(&kept)), (Ending::Succeeded, kept.stages.len() as u32, 0));
    assert_eq!(kept.shuffle_write, run(|spec| spec.reclaims.clear()).shuffle_write, "nothing is written twice");
}

/// By hand: a lone executor has one thread, to the storage, so 100 MB take 10 s in a stream of 10 MB/s whatever the NIC.
#[test]
fn a_copy_to_fallback_storage_takes_as_long_as_its_stream() {
    let plan = plan(|spec| {
        spec.reclaims.clear();
        spec.spark.executor.instances = 1;
        spec.app.jobs.truncate(1);
        spec.app.jobs[0].driver_gap = SimSpan::from_secs(10_000);
        spec.app.jobs.push(crate::spec::JobSpec { stages: vec![0], ..crate::spec::JobSpec::default() });
        spec.spark.allocation.decommission =
            Some(DecommissionConf { fallback: Some(FallbackStorage { per_stream: ByteRate::mb_per_sec(10) }), ..leaving(true) });
    });
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(SimTime::ZERO + SimSpan::from_secs(1000));
    let (id, shuffle) = (ExecutorId::new(0), crate::ids::ShuffleId::new(0));
    let node = sim.executors[id].node.expect("bound");
    for map in 0..10 {
        sim.driver.outputs[shuffle].register(map, crate::spark::driver::Location { executor: id, node }, Bytes::new(10_000_000));
        let stored = crate::spark::scratch::Stored::at(&sim.plan.executor.scratch, 0, Bytes::new(10_000_000));
        sim.executors[id].outputs[shuffle] += &stored;
        crate::spark::scratch::put(&mut sim, node, &stored);
    }
    let begun = sim.now();
    notify(&mut sim, id, None);
    sim.look_at_touched();
    sim.run_until(begun + SimSpan::from_ms(9_900));
    assert_eq!((sim.executors[id].life, sim.driver.outputs[shuffle].in_fallback()), (Life::Registered, Bytes::new(90_000_000)));
    sim.run_until(begun + SimSpan::from_ms(10_100));
    assert_eq!((sim.executors[id].life, sim.driver.outputs[shuffle].in_fallback()), (Life::Gone, Bytes::new(100_000_000)));
}

/// A job that caches a gigabyte and is done, on slow NICs; the second executor then leaves.
fn caching(rdd_blocks: bool) -> SimPlan {
    plan(|spec| {
        spec.reclaims.clear();
        spec.app.stages[0].cached = Bytes::new(1_000_000_000);
        spec.app.jobs[1].driver_gap = SimSpan::ZERO;
        spec.app.jobs[0].driver_gap = SimSpan::from_secs(10_000);
        spec.cluster.pools[0].shape.nic = ByteRate::mb_per_sec(10);
        spec.spark.allocation.decommission = Some(DecommissionConf { rdd_blocks, ..leaving(false) });
    })
}

/// By hand: cached blocks go one after the other at the NIC's pace, then the executor ends and nobody has lost a block.
#[test]
fn cached_blocks_take_as_long_as_the_nic_needs() {
    for (rdd_blocks, lost) in [(true, false), (false, true)] {
        let plan = caching(rdd_blocks);
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, KEY, &mut nobody);
        cluster::settle_in(&mut sim);
        sim.run_until(SimTime::ZERO + SimSpan::from_secs(5000));
        let id = ExecutorId::new(1);
        let here = |place: Place| place == Place::Memory(id);
        let places: Vec<_> = sim.driver.cache.iter().filter(|(_, _, place)| here(*place)).collect();
        let held: Bytes = places.iter().map(|&(stage, part, _)| blocks::size(&sim, stage, part)).sum();
        assert!(held > Bytes::new(10_000_000), "it has cached something: {held:?}");
        let (begun, takes) = (sim.now(), SimSpan::from_secs_f64(held.as_f64() / 10e6));
        notify(&mut sim, id, None);
        sim.look_at_touched();
        if rdd_blocks {
            sim.run_until(begun + takes.scale(0.98));
            assert_eq!(sim.executors[id].life, Life::Registered);
        }
        sim.run_until(begun + takes + SimSpan::from_ms(100));
        assert_eq!(sim.executors[id].life, Life::Gone);
        assert_eq!(sim.driver.cache.iter().any(|(_, _, place)| place == Place::Nowhere), lost, "rdd_blocks {rdd_blocks}");
    }
}

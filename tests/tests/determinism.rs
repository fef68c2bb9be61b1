//! The same bytes out, whoever computes and whoever watches.
//!
//! A study is run in pools of one and two threads, and a replication with and without an observer; every number of the
//! results and the hash over every event must agree.

use std::sync::atomic::AtomicBool;

use sim_core::observe::{Nobody, Timeline};
use sim_core::plan::SimPlan;
use sim_core::sim::{RunKey, Simulator};
use sim_core::spec::Spec;
use sim_core::study::{Study, StudyResult, run_study};
use sim_core::units::SimSpan;
use tests::{random_world, world};

fn study_with(threads: usize, spec: &Spec, study: &Study) -> StudyResult {
    let plan = SimPlan::compile(spec).expect("the spec compiles");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(|| run_study(&plan, study, &AtomicBool::new(false), &()))
}

/// A world in which replications differ and some die.
fn troubled() -> Spec {
    let mut spec = world::troubled(sim_core::units::Bytes::mib(4900));
    spec.limits.paranoid = false;
    spec
}

#[test]
fn one_thread_and_two_give_identical_results() {
    let study = Study { seed: 5, replications: 150, precision: None, confidence: 0.95 };
    let (one, two) = (study_with(1, &troubled(), &study), study_with(2, &troubled(), &study));
    assert!(one.outcomes.iter().any(sim_core::record::Outcome::oom), "the study must be worth comparing");
    let hashes = |s: &StudyResult| s.outcomes.iter().map(|o| (o.replication, o.events, o.event_hash)).collect::<Vec<_>>();
    assert_eq!(hashes(&one), hashes(&two));
    assert_eq!(one, two);
}

#[test]
fn a_stopping_rule_stops_at_the_same_replication_on_one_thread_and_two() {
    let study = Study { seed: 5, replications: 2000, precision: Some(0.06), confidence: 0.95 };
    assert_eq!(study_with(1, &troubled(), &study), study_with(2, &troubled(), &study));
}

#[test]
fn observers_change_nothing() {
    for number in 0..40 {
        let spec = random_world::case(number);
        let plan = SimPlan::compile(&spec).expect("the generator makes runnable specs");
        for replication in 0..3 {
            let key = RunKey { seed: 9, replication };
            let plain = Simulator::new(&plan).run(key);
            assert_eq!(plain, Simulator::new(&plan).run_observed(key, &mut Nobody), "case {number}");
            assert_eq!(plain, Simulator::new(&plan).run_observed(key, &mut Timeline::new(SimSpan::from_ms(10))), "case {number}");
        }
    }
}

/// One simulator for many replications is as good as a new one for each, in any order.
#[test]
fn a_replication_does_not_depend_on_those_before_it() {
    let plan = SimPlan::compile(&troubled()).expect("the spec compiles");
    let key = |replication| RunKey { seed: 1, replication };
    let mut reused = Simulator::new(&plan);
    let backwards: Vec<_> = (0..20).rev().map(|r| reused.run(key(r))).collect();
    for (outcome, replication) in backwards.iter().zip((0..20).rev()) {
        assert_eq!(*outcome, Simulator::new(&plan).run(key(replication)));
    }
}

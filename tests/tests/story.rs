//! The case study, told by its own scenarios: what killed it, what would not have helped, and what cures it.
//!
//! The built-in scenarios are loaded as the command line loads them, and each point of their sweeps is studied with a fixed
//! seed. Thresholds are those that the case study is held to, asserted on estimates; node memory is compared with what was
//! seen on the real cluster: near 42 GB before the shuffle, near 58 GB at the first kill (7.1).

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use scenarios::{Point, Request};
use serde_json::{Value, json};
use sim_core::plan::SimPlan;
use sim_core::record::Level;
use sim_core::study::{PointResult, Study, run_study};

const SEED: u64 = 20_240_229;
const GIB: f64 = (1_u64 << 30) as f64;

/// The points of a built-in scenario.
fn points(name: &str) -> Vec<Point> {
    let (scenario, problems) = scenarios::load(&Request { scenario: name.into(), ..Request::default() });
    let scenario = scenario.unwrap_or_else(|| panic!("{name} does not load: {problems:?}"));
    scenario.points().0
}

fn study(point: &Point, replications: u64) -> PointResult {
    let plan = SimPlan::compile(&point.spec).expect("a built-in scenario compiles");
    let study = Study { seed: SEED, replications, precision: None, confidence: 0.95 };
    run_study(&plan, &study, &AtomicBool::new(false), &()).result.expect("replications were run")
}

fn coordinate<'p>(point: &'p Point, axis: &str) -> &'p Value {
    &point.coordinates.iter().find(|(name, _)| name == axis).unwrap_or_else(|| panic!("no axis {axis}")).1
}

/// The four corners of the two misconfigurations, by (tmpfs, packed).
fn corners(name: &str) -> BTreeMap<(bool, bool), PointResult> {
    let corner = |p: &Point| (coordinate(p, "tmpfs") == &json!(true), coordinate(p, "placement") == &json!("required-affinity"));
    points(name).iter().map(|p| (corner(p), study(p, 300))).collect()
}

#[test]
fn only_both_misconfigurations_together_kill() {
    let corners = corners("aks-migration");
    assert_eq!(corners.len(), 4);
    for ((tmpfs, packed), result) in &corners {
        let p = result.p_oom.estimate;
        let holds = match (tmpfs, packed) {
            (true, true) => p >= 0.9,
            (false, false) => p <= 0.01,
            _ => p <= 0.15,
        };
        assert!(holds, "tmpfs {tmpfs}, packed {packed}: {:?}", result.p_oom);
    }
}

/// 42 GB before the shuffle, 58 GB at the first kill, killed at the node's level and not at a container's.
#[test]
fn node_memory_goes_from_42_to_58_gib_within_the_shuffle() {
    let broken = &corners("aks-migration")[&(true, true)];
    let (before, at_kill) = (broken.node_before_shuffle.p50 / GIB, broken.node_at_first_kill.p50 / GIB);
    assert!((before - 42.0).abs() <= 2.0, "{before} GiB before the shuffle");
    assert!((at_kill - 58.0).abs() <= 1.5, "{at_kill} GiB at the first kill");
    let (first, _) = *broken.first_level.iter().max_by_key(|(_, n)| *n).expect("somebody died");
    assert!(matches!(first, Level::Kubepods | Level::Node), "{:?}", broken.first_level);
    assert!(broken.executors_lost.p50 >= 1.0, "{:?}", broken.executors_lost);
}

#[test]
fn the_fixed_scenario_and_the_old_cluster_are_healthy() {
    for name in ["aks-migration-fixed", "aks-migration-celeborn", "on-prem-yarn"] {
        for point in points(name) {
            let result = study(&point, 300);
            assert!(result.p_oom.estimate <= 0.01, "{name}: {:?}", result.p_oom);
            assert_eq!((result.p_job_failure.estimate, result.truncated), (0.0, [0; 3]), "{name}: {:?}", result.failed);
        }
    }
}

/// Small test data passes; more input never helps.
#[test]
fn p_oom_grows_with_the_input() {
    let mut series: Vec<(f64, PointResult)> = points("aks-migration-growth").iter().map(|p| (number(&p.coordinates[0].1), study(p, 200))).collect();
    series.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in series.windows(2) {
        let ((less, p), (more, q)) = (&pair[0], &pair[1]);
        assert!(q.p_oom.high >= p.p_oom.estimate, "{less}: {:?}, {more}: {:?}", p.p_oom, q.p_oom);
    }
    let (smallest, largest) = (&series[0], &series[series.len() - 1]);
    assert!(largest.1.p_oom.estimate >= 0.9, "at {}: {:?}", largest.0, largest.1.p_oom);
    assert!(smallest.0 <= 10.0, "the sweep must begin with small test data, not {}", smallest.0);
    for (share, result) in series.iter().filter(|(share, _)| *share <= 10.0) {
        assert!(result.p_oom.estimate <= 0.02, "at {share}: {:?}", result.p_oom);
    }
}

/// A coordinate as a number: `0.1` or `10` or `"10 %"`.
fn number(value: &Value) -> f64 {
    let text = value.as_str().map(|s| s.trim_end_matches(['%', ' ']).to_owned());
    value.as_f64().or_else(|| text?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

/// By (executor memory factor, executors).
fn remedies(replications: u64, wanted: impl Fn(f64, u64) -> bool) -> Vec<(f64, u64, PointResult)> {
    let place = |p: &Point| (number(coordinate(p, "executor_memory")), number(coordinate(p, "executors")) as u64);
    let points = points("aks-migration-remedies");
    let chosen = points.iter().map(|p| (place(p), p)).filter(|((memory, executors), _)| wanted(*memory, *executors));
    chosen.map(|((memory, executors), p)| (memory, executors, study(p, replications))).collect()
}

/// More executor memory cures nothing while four executors fit the node. Where they do not fit, the result says that some
/// are pending, and the job pays in time for what it survives.
#[test]
fn more_executor_memory_does_not_cure_it() {
    let row = remedies(150, |_, executors| executors == 4);
    let healthy = study(&points("aks-migration-fixed")[0], 150);
    let (fit, starved): (Vec<_>, Vec<_>) = row.iter().partition(|(_, _, result)| result.executors_pending.max == 0.0);
    assert!(fit.len() >= 2 && !starved.is_empty(), "some must fit and some must not");
    for (memory, _, result) in fit {
        assert!(result.p_oom.estimate >= 0.7, "×{memory}: {:?}", result.p_oom);
    }
    for (memory, _, result) in starved {
        assert!(result.executors_pending.min >= 1.0, "×{memory}: {:?}", result.executors_pending);
        let duration = &result.duration_s;
        assert!(duration.n == 0 || duration.p50 > healthy.duration_s.p50, "×{memory}: {duration:?} against {:?}", healthy.duration_s);
    }
}

/// More executors on the one node that the affinity allows are more of the same.
#[test]
fn more_executors_do_not_help() {
    let column = remedies(150, |memory, executors| memory == 1.0 && executors >= 4);
    let four = column.iter().find(|(_, executors, _)| *executors == 4).expect("four executors are in the sweep").2.p_oom;
    assert!(column.len() >= 3);
    for (_, executors, result) in &column {
        assert!(result.p_oom.high >= four.estimate && result.p_oom.estimate >= 0.7, "{executors}: {:?}, four: {four:?}", result.p_oom);
    }
}

/// FB-3: where a container's own limit bites first, spreading alone does not help; only scratch on disk does.
#[test]
fn when_the_container_limit_bites_spreading_alone_does_not_help() {
    let corners = corners("request-equals-limit");
    for packed in [true, false] {
        let broken = &corners[&(true, packed)];
        assert!(broken.p_oom.estimate >= 0.9, "tmpfs, packed {packed}: {:?}", broken.p_oom);
        assert_eq!(broken.first_level.iter().map(|(level, _)| *level).collect::<Vec<_>>(), [Level::Pod], "packed {packed}");
        let healthy = &corners[&(false, packed)];
        assert!(healthy.p_oom.estimate <= 0.01, "disk, packed {packed}: {:?}", healthy.p_oom);
    }
}

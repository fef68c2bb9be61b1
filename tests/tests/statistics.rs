//! Intervals cover what they say, and stopping early gives a prefix of the full study.
//!
//! Coverage is measured on draws whose truth is known (no model runs): binomial counts for the Clopper–Pearson interval,
//! uniform and lognormal samples for order statistics. Bounds on the measured coverage are four standard errors of a
//! binomial share wide: a correct interval fails such a bound once in tens of thousands of seeds, and the seeds are fixed.

use std::sync::atomic::AtomicBool;

use sim_core::kernel::{Luck, Purpose, Stream};
use sim_core::plan::SimPlan;
use sim_core::spec::Dist;
use sim_core::study::{Estimate, Study, StudyEnd, Summary, run_study};
use sim_core::units::Bytes;
use tests::world;

const SEEDS: u64 = 2000;
/// Four standard errors of a share near 0.95 over 2000 seeds: `4 · sqrt(0.95 · 0.05 / 2000)`.
const FOUR_ERRORS: f64 = 0.0195;

fn stream(seed: u64) -> Stream {
    Luck::new(seed, 0).stream(Purpose::TaskOrder, 0)
}

fn coverage(covers: impl Fn(u64) -> bool) -> f64 {
    (0..SEEDS).filter(|&seed| covers(seed)).count() as f64 / SEEDS as f64
}

/// Clopper–Pearson is conservative: at least 95 %, whatever p and n; and not absurdly wide where n is large.
#[test]
fn clopper_pearson_covers_at_least_as_often_as_it_says() {
    for p in [0.02, 0.3, 0.9] {
        for n in [50_u64, 300] {
            let share = coverage(|seed| {
                let mut stream = stream(seed);
                let hits = (0..n).filter(|_| stream.unit() < p).count() as u64;
                let e = Estimate::proportion(hits, n, 0.95);
                e.low <= p && p <= e.high
            });
            assert!(share >= 0.95 - FOUR_ERRORS / 4.0, "p {p}, n {n}: covered {share}");
            assert!(share < 0.95 + 0.045, "p {p}, n {n}: covered {share}, wider than it needs to be");
        }
    }
}

/// One-sided misses are at most half of the 5 % each: the interval is central.
#[test]
fn clopper_pearson_misses_on_either_side_at_most_half_as_often() {
    let (p, n) = (0.3, 300_u64);
    let miss = |above: bool| {
        coverage(|seed| {
            let mut stream = stream(seed);
            let e = Estimate::proportion((0..n).filter(|_| stream.unit() < p).count() as u64, n, 0.95);
            if above { e.low > p } else { e.high < p }
        })
    };
    let error = 4.0 * (0.025_f64 * 0.975 / SEEDS as f64).sqrt();
    assert!(miss(true) <= 0.025 + error && miss(false) <= 0.025 + error, "{} above, {} below", miss(true), miss(false));
}

#[test]
fn order_statistic_intervals_of_the_median_cover_it() {
    // (distribution, its median): neither symmetric nor normal matters to order statistics.
    let cases = [(Dist::Uniform { low: 0.0, high: 2.0 }, 1.0), (Dist::Lognormal { median: 40.0, sigma: 0.8 }, 40.0)];
    for (dist, median) in cases {
        for n in [30, 200] {
            let share = coverage(|seed| {
                let mut stream = stream(seed);
                let s = Summary::of((0..n).map(|_| dist.quantile(stream.open_unit())).collect(), 0.95);
                s.p50_low <= median && median <= s.p50_high
            });
            // Ranks are whole numbers, rounded outwards: coverage lies above the nominal value, the more the smaller n is.
            assert!(share >= 0.95 - FOUR_ERRORS, "n {n}: covered {share}");
            assert!(share <= 0.995, "n {n}: covered {share}, wider than it needs to be");
        }
    }
}

#[test]
fn normal_intervals_of_the_mean_cover_it() {
    let share = coverage(|seed| {
        let mut stream = stream(seed);
        let s = Summary::of((0..200).map(|_| stream.unit()).collect(), 0.95);
        s.mean_low <= 0.5 && 0.5 <= s.mean_high
    });
    assert!((share - 0.95).abs() <= FOUR_ERRORS, "covered {share}");
}

/// A round is 64 replications (see `run_study`): a precise study ends with a whole round and is a prefix of the full one.
#[test]
fn precision_stops_at_round_ends_with_a_prefix_of_the_full_study() {
    let mut spec = world::troubled(Bytes::mib(4900));
    spec.limits.paranoid = false;
    let plan = SimPlan::compile(&spec).expect("the spec compiles");
    let full = Study { seed: 3, replications: 320, precision: None, confidence: 0.95 };
    let all = run_study(&plan, &full, &AtomicBool::new(false), &());
    assert_eq!((all.end, all.outcomes.len()), (StudyEnd::Complete, 320));
    for target in [0.2, 0.12, 0.08] {
        let part = run_study(&plan, &Study { precision: Some(target), ..full }, &AtomicBool::new(false), &());
        let n = part.outcomes.len();
        assert_eq!(part.outcomes[..], all.outcomes[..n]);
        let half = |n: usize| Estimate::proportion(all.outcomes[..n].iter().filter(|o| o.oom()).count() as u64, n as u64, 0.95).half_width();
        let expected = (1..=5).map(|round| 64 * round).find(|&n| half(n) <= target).unwrap_or(320);
        assert_eq!(n, expected, "target {target}");
        assert_eq!(part.end == StudyEnd::Precise, half(n) <= target, "target {target}");
    }
}

#[test]
fn a_stopped_study_keeps_a_prefix_and_says_so() {
    let plan = SimPlan::compile(&world::world()).expect("the spec compiles");
    let study = Study { seed: 3, replications: 64, precision: None, confidence: 0.95 };
    let stopped = run_study(&plan, &study, &AtomicBool::new(true), &());
    assert_eq!((stopped.end, stopped.outcomes.len(), stopped.result), (StudyEnd::Interrupted, 0, None));
}

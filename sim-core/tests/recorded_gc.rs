//! The cost of collection against what small JVMs took, recorded by `tests/recorders/gc_cost` (docs/model/gc-cost.md).

use sim_core::spark::jvm::gc_seconds;
use sim_core::spec::Collector;
use sim_core::units::Bytes;

const RECORDING: &str = include_str!("data/gc-cost.csv");

/// Collector, live share, churn, and recorded over modelled seconds.
fn ratios() -> Vec<(Collector, f64, f64, f64)> {
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        // What Serial reports as its maximum leaves out a survivor space.
        let (collector, heap) = if cells[0] == "G1" { (Collector::G1, number(cells[1])) } else { (Collector::Serial, 512.0) };
        let (live, churn) = (number(cells[2]), number(cells[3]));
        let mib = |n: f64| Bytes::mib(1).scale(n);
        let ours = gc_seconds(mib(live * number(cells[1])), mib(heap), collector, mib(number(cells[4])), 1e9);
        (collector, live, churn, number(cells[5]) / ours)
    };
    RECORDING.lines().skip(1).map(row).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Where a twentieth of the allocation survives, each load took between a third and twice what the formula gives, half of them more than it.
#[test]
fn the_formula_follows_the_loads_it_is_made_for() {
    let fitted: Vec<_> = ratios().into_iter().filter(|(_, _, churn, _)| (churn - 0.05).abs() < 1e-9).collect();
    assert!(fitted.len() >= 20);
    for (collector, live, _, ratio) in &fitted {
        assert!((0.3..2.0).contains(ratio), "{collector:?} with {live} live: {ratio}");
    }
    let middle = median(fitted.iter().map(|(.., ratio)| *ratio).collect());
    assert!((0.75..1.25).contains(&middle), "{middle}");
}

/// With six times the survivors G1 takes two to three times as much; without any, far less: the range that `allocation` has to cover.
#[test]
fn survival_moves_the_cost_by_a_small_factor() {
    let of = |wanted: f64| median(ratios().into_iter().filter(|(c, _, churn, _)| *c == Collector::G1 && (churn - wanted).abs() < 1e-9).map(|r| r.3).collect());
    let (none, some, much) = (of(0.0), of(0.05), of(0.3));
    assert!(none < 0.6 * some && (1.5..4.5).contains(&(much / some)), "{none} {some} {much}");
}

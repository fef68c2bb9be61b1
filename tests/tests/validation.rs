//! The committed score: a build that forecasts the committed trials worse than by its interval fails here.
//!
//! Trials are forecast by the fits that never saw their workload, as in the report card, with fewer replications. What the trials taught by their signs
//! (which remedies do not cure) is held as well, and that the page says what was computed.

use serde_json::Value;
use tests::card::{self, Book};
use tests::root;

/// Replications here: enough for the scores' intervals, which come from trials.
const REPLICATIONS: u64 = 48;

fn committed() -> Value {
    let text = std::fs::read_to_string(card::score_path()).expect("the committed scores");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn no_score_is_worse_than_the_committed_one_by_more_than_its_interval() {
    let book = Book::committed().expect("the committed trials");
    let validation = book.left_out(REPLICATIONS).expect("a fit for each workload");
    let committed = committed();
    assert_eq!(validation.scores().trials as u64, committed["trials"].as_u64().expect("a number"), "trials were lost");
    for (name, score, more_is_better) in validation.scores().named() {
        let score = score.unwrap_or_else(|| panic!("no {name}"));
        let was = &committed["intervals"][name];
        let bound = |end: &str| was[end].as_f64().unwrap_or_else(|| panic!("{name}.{end}"));
        let holds = if more_is_better { score.value >= bound("low") } else { score.value <= bound("high") };
        assert!(holds, "{name}: {} now, {} committed", score.value, was["value"]);
    }
    let (ours, rivals) = (validation.scores().brier.expect("trials"), [validation.scores().spreadsheet, validation.scores().majority]);
    assert!(rivals.into_iter().flatten().all(|rival| rival.brier.value > 2.0 * ours.value), "a simple rule does as well");
}

/// Trials that were recorded when the model stood are forecast about as well: who dies, and of whose limit.
#[test]
fn trials_that_came_afterwards_are_forecast_too() {
    let scores = Book::afterwards().expect("the trials that came later").by_the_fit(REPLICATIONS).scores();
    assert_eq!(scores.trials, 7);
    let (right, brier) = (scores.oom_accuracy.expect("trials").value, scores.brier.expect("trials").value);
    assert!(right >= 0.92 && brier <= 0.07, "{right} right, Brier {brier}");
    let (level, peak) = (scores.kill_level_accuracy.expect("deaths").value, scores.node_peak_mape.expect("peaks").value);
    assert!(level >= 0.9 && peak <= 0.08, "{level} of the limits, peaks off by {peak}");
}

/// In reality more heap did not cure, six executors were worse than four, and three survived.
#[test]
fn remedies_that_failed_fail_and_those_that_helped_help() {
    let book = Book::committed().expect("the committed trials");
    let all = book.left_out(REPLICATIONS).expect("a fit for each workload").trials;
    let of = |setup: &str| {
        let found = all.iter().find(|trial| trial.setup.starts_with(setup) && trial.group == "factorial-300");
        &found.unwrap_or_else(|| panic!("no trial {setup}")).trial.forecast
    };
    let case = |executors: u32, heap: u32| of(&format!("passes: {executors} × {heap} MiB Serial, tmpfs, packed"));
    for heap in [512, 768, 1024] {
        assert!(case(4, heap).p_oom.estimate > 0.5, "{heap} MiB of heap: {:?}", case(4, heap).p_oom);
    }
    assert!(case(6, 512).executors_lost.mean > 2.0 * case(4, 512).executors_lost.mean, "six executors are worse than four");
    assert!(case(6, 512).p_job_failure.estimate > 0.5 && case(4, 512).p_job_failure.estimate < 0.5);
    assert!(case(3, 512).p_oom.estimate < 0.1, "three survive: {:?}", case(3, 512).p_oom);
    for cure in ["passes: 4 × 512 MiB Serial, tmpfs, spread", "passes: 4 × 512 MiB Serial, disk, packed"] {
        assert!(of(cure).p_oom.estimate < 0.1, "{cure}: {:?}", of(cure).p_oom);
    }
}

#[test]
fn the_page_says_what_was_computed() {
    let page = std::fs::read_to_string(root().join(card::PAGE)).expect("the page");
    let committed = committed();
    for (name, share) in [("oom_accuracy", true), ("brier", false), ("kill_level_accuracy", true), ("node_peak_mape", true), ("executors_lost_mae", false)] {
        let value = committed["intervals"][name]["value"].as_f64().expect("a number");
        let text = if share { format!("**{:.1} %**", value * 100.0) } else { format!("**{value:.3}**") };
        assert!(page.contains(&text), "{name}: the page lacks {text}; run `cargo run --release -p tests --bin fit card`");
    }
}

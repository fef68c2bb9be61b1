//! The grammar as tables, the logic against truth tables, and a property: no text makes it panic.

use proptest::prelude::*;
use sim_core::record::{Cause, Ending, Incident, Level, Outcome, Party};
use sim_core::units::{Bytes, SimSpan, SimTime};

use super::*;

/// Ten replications: three die at the node's limit and do not succeed, seven take 100 s; node peaks are 1 to 10 GiB.
fn result() -> PointResult {
    PointResult::fold(&(0..10).map(|i| outcome(i, i < 3)).collect::<Vec<_>>(), 0.95)
}

/// Two replications, both failed.
fn hopeless() -> PointResult {
    PointResult::fold(&[outcome(0, true), outcome(1, true)], 0.95)
}

fn outcome(replication: u64, dies: bool) -> Outcome {
    let incident = Incident {
        at: SimTime::ZERO,
        cause: Cause::Node,
        level: Level::Kubepods,
        victim: Party::Executor(1),
        shown: sim_core::shown::Shown { reason: sim_core::shown::Reason::OomKilled, exit_code: Some(137) },
        node: 0,
        stage: None,
        used: Bytes::gib(1),
        limit: Bytes::gib(1),
        node_memory: Bytes::gib(1),
        holders: Vec::new(),
    };
    Outcome {
        replication,
        ending: if dies { Ending::Failed(sim_core::record::FailureReason::StageAttempts) } else { Ending::Succeeded },
        duration: SimSpan::from_secs(100),
        incidents: if dies { vec![incident] } else { Vec::new() },
        executors_lost: u32::from(dies),
        executors_pending: 0,
        executors_injected: 0,
        node_peak: Bytes::gib(replication + 1),
        node_before_shuffle: Bytes::ZERO,
        pod_peak: Bytes::ZERO,
        scratch_peak: Bytes::ZERO,
        shuffle_write: Bytes::ZERO,
        spill: Bytes::ZERO,
        task_ooms: 0,
        swap_out: Bytes::ZERO,
        stages: Vec::new(),
        events: 0,
        event_hash: 0,
    }
}

fn fails(text: &str, result: &PointResult) -> bool {
    match Gate::parse(text) {
        Ok(gate) => gate.failure(result).is_some(),
        Err(problem) => panic!("{text}: {problem:?}"),
    }
}

#[test]
fn expressions_that_hold_fail_the_gate() {
    let result = result();
    for (text, expected) in [
        ("p_oom > 0.01", true),
        ("p_oom>1%", true),
        ("p_oom > 30%", false),
        ("p_oom == 0.3", true),
        ("p_oom = 0.3", true),
        ("p_oom != 0.3", false),
        ("0.01 < p_oom", true),
        ("p_oom.low > 30%", false),
        ("p_oom.high > 30%", true),
        ("p_oom.high > p_oom.low", true),
        ("p_oom.n < 11", true),
        ("p_by_cause.node > 0", true),
        ("p_by_cause.heap > 0", false),
        ("p_job_failure > 1e-2", true),
        ("failed.stage_attempts == 3", true),
        ("truncated > 0 or truncated_by.horizon > 0", false),
        ("replications == 10", true),
        ("duration_s.p95 >= 100", true),
        ("duration_s.p95 >= 100s", true),
        ("duration_s.mean > 1.5min", true),
        ("duration_s.n == 7", true),
        ("executors_lost.mean > 0.25 && executors_lost.max == 1", true),
        ("node_peak_bytes.max > 9GiB", true),
        ("node_peak_bytes.max > 10Gi", false),
        ("node_peak_bytes.max > 10GB", true),
        ("node_peak_bytes.max > 10000000000", true),
        ("not p_oom > 1%", false),
        ("!(p_oom > 1% and p_oom > 99%)", true),
        ("p_oom > 99% and p_oom > 99% or p_oom > 1%", true),
        ("p_oom > 99% and (p_oom > 99% or p_oom > 1%)", false),
    ] {
        assert_eq!(fails(text, &result), expected, "{text}");
    }
}

#[test]
fn a_missing_value_fails_the_gate_unless_the_rest_decides() {
    let hopeless = hopeless();
    assert!(fails("duration_s.p95 > 2h", &hopeless));
    assert!(fails("not duration_s.p95 > 2h", &hopeless));
    assert!(fails("duration_s.p95 > 2h or p_oom > 2", &hopeless));
    assert!(!fails("duration_s.p95 > 2h and p_oom > 2", &hopeless));
    assert!(!fails("duration_s.n > 0", &hopeless));
}

#[test]
fn the_message_says_what_the_fields_are() {
    let why = |text: &str, result: &PointResult| Gate::parse(text).ok().and_then(|gate| gate.failure(result)).unwrap_or_default();
    assert_eq!(why("p_oom > 1% and p_oom < 99% and node_peak_bytes.max > 1GiB", &result()), "p_oom is 0.3, node_peak_bytes.max is 10.0 GiB");
    assert_eq!(why("duration_s.p95 > 1h", &hopeless()), "duration_s.p95 has no value, because no replication gave one");
}

#[test]
fn bad_expressions_say_where() {
    for (text, span, message, hint) in [
        ("", 0..0, "one side of a comparison is missing", "p_oom > 1%"),
        ("p_oom", 5..5, "a comparison is missing", ""),
        ("p_oom >", 7..7, "one side of a comparison is missing", ""),
        ("p_oom > 1 2", 10..11, "does not go on", ""),
        ("p_omm > 1", 0..5, "`p_omm` is not a field", "did you mean `p_oom`?"),
        ("duration_s > 1h", 0..10, "not a field", "duration_s.p95"),
        ("p_oom > 1GiBB", 9..13, "this unit is not known", ""),
        ("p_oom > 3GiB", 0..12, "a share is compared with a size", ""),
        ("duration_s.p95 > 5%", 0..19, "a time is compared with a share", ""),
        ("p_oom > 1.2.3", 8..13, "not a number", ""),
        ("p_oom > 1e999", 8..13, "not a number", ""),
        ("(p_oom > 1", 10..10, "not closed", ""),
        ("p_oom > 1 and", 13..13, "one side of a comparison is missing", ""),
        ("p_oom # 1", 6..7, "no meaning", ""),
        ("p_oom > -1", 8..9, "no meaning", ""),
        ("p_oom > 30 %", 11..12, "no meaning", ""),
        ("p_oom > 1 §", 10..12, "no meaning", ""),
    ] {
        let Err(problem) = Gate::parse(text) else { panic!("{text} was accepted") };
        assert!(problem.message.contains(message), "{text}: {}", problem.message);
        assert_eq!(problem.place.map(|place| place.span), Some(span), "{text}");
        assert!(problem.hint.is_some_and(|given| given.contains(hint)), "{text}");
        assert!(problem.expected.is_some() && problem.found.is_some(), "{text}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("{}p_oom > 1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(Gate::parse(&deep).is_err_and(|problem| problem.message.contains("nested")));
    assert!(Gate::parse(&format!("{}p_oom > 1", "not ".repeat(100_000))).is_err());
    let wide = vec!["p_oom > 1"; 10_000].join(" or ");
    assert!(Gate::parse(&wide).is_ok());
}

#[test]
fn every_field_has_a_value_and_parses() {
    let result = result();
    for (name, field) in fields::all() {
        assert!(field.value(&result).is_some(), "{name}");
        assert!(Gate::parse(&format!("{name} > 1")).is_ok(), "{name}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}") {
        let _ = Gate::parse(&text).map(|gate| gate.failure(&result()));
    }

    #[test]
    fn no_mixture_of_its_own_words_makes_it_panic(words in prop::collection::vec(prop::sample::select(vec![
        "p_oom", "duration_s.p95", "p_by_cause.node", "1", "5%", "3GiB", "2h", "<", ">=", "==", "!", "not", "and", "or", "(", ")", ".", "é", "1e", "\n",
    ]), 0..12)) {
        let text = words.join(" ");
        match Gate::parse(&text) {
            Ok(gate) => { let _ = gate.failure(&result()); }
            Err(problem) => {
                let span = problem.place.map(|place| place.span).unwrap_or_default();
                prop_assert!(text.get(span.clone()).is_some(), "{text:?} {span:?}");
            }
        }
    }

    /// The evaluator against Rust's own comparison.
    #[test]
    fn comparisons_are_those_of_numbers(threshold in 0.0..1.0f64) {
        let result = result();
        prop_assert_eq!(fails(&format!("p_oom > {threshold}"), &result), result.p_oom.estimate > threshold);
        prop_assert_eq!(fails(&format!("not p_oom <= {threshold}"), &result), result.p_oom.estimate > threshold);
    }
}

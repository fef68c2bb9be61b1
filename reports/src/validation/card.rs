//! The report card: scores, targets, rivals, charts and misses, as a part of a page.

use std::fmt::Write as _;

use sim_core::record::Level;
use sim_core::study::score::{Score, Scores, Trial};

use super::{ScoredTrial, Validation};

/// Trials in the table of the worst.
const WORST: usize = 15;

/// A row of the table of scores: name in results, words, whether it is a share, target and whether it is a least.
const ROWS: [(&str, &str, bool, f64, bool); 7] = [
    ("oom_accuracy", "runs out of memory: right", true, 0.92, true),
    ("brier", "Brier score of P(OOM)", false, 0.07, false),
    ("job_outcome_accuracy", "job ends well: right", true, 0.90, true),
    ("kill_level_accuracy", "whose limit, where something died: right", true, 0.90, true),
    ("node_peak_mape", "peak of the fullest node: mean error", true, 0.08, false),
    ("executors_lost_mae", "executors lost, where any died: mean error", false, 1.5, false),
    ("duration_mape", "duration: mean error", true, 0.35, false),
];

fn number(value: f64, share: bool) -> String {
    if share { format!("{:.1} %", value * 100.0) } else { format!("{value:.3}") }
}

/// The part of the page between its markers.
pub fn card(validation: &Validation) -> String {
    let scores = validation.scores();
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_scores(&mut out, validation, &scores);
    let _ = write_rivals(&mut out, &scores);
    let _ = write_mechanisms(&mut out, validation);
    let _ = write_worst(&mut out, validation);
    out
}

/// The table of scores alone.
pub fn scores(validation: &Validation) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_scores(&mut out, validation, &validation.scores());
    out
}

fn write_scores(out: &mut String, validation: &Validation, scores: &Scores) -> std::fmt::Result {
    writeln!(out, "{} trials, {} replications each, {:.0} % intervals.\n", scores.trials, validation.replications, validation.confidence * 100.0)?;
    writeln!(out, "| score | value | interval | trials | target | |\n| --- | --- | --- | --- | --- | --- |")?;
    let named = scores.named();
    for (name, words, share, target, least) in ROWS {
        let score = named.iter().find(|(of, ..)| *of == name).and_then(|(_, score, _)| *score);
        let Some(Score { value, low, high, n }) = score else { continue };
        let met = if least { value >= target } else { value <= target };
        let sign = if least { "at least" } else { "at most" };
        let (value, low, high) = (number(value, share), number(low, share), number(high, share));
        writeln!(out, "| {words} | **{value}** | {low} to {high} | {n} | {sign} {} | {} |", number(target, share), if met { "met" } else { "**missed**" })?;
    }
    let replays = validation.replays();
    if let (Some(peak), Some(time)) = (replays.node_peak_mape, replays.duration_mape) {
        writeln!(
            out,
            "\nThe {} calibration runs, replayed from their own logs: node peak off by {:.1} %, duration by {:.1} %. They are in no score.",
            replays.trials,
            peak.value * 100.0,
            time.value * 100.0
        )?;
    }
    Ok(())
}

fn write_rivals(out: &mut String, scores: &Scores) -> std::fmt::Result {
    writeln!(out, "\n## Against simpler rules\n\n| | runs out of memory: right | interval | Brier score |\n| --- | --- | --- | --- |")?;
    if let (Some(accuracy), Some(brier)) = (scores.oom_accuracy, scores.brier) {
        row(out, "**spillcast**", &accuracy, &brier)?;
    }
    for (name, rival) in [("spreadsheet: heap + overhead + scratch > limit", scores.spreadsheet), ("always what most trials did", scores.majority)] {
        if let Some(rival) = rival {
            row(out, name, &rival.accuracy, &rival.brier)?;
        }
    }
    Ok(())
}

fn row(out: &mut String, name: &str, accuracy: &Score, brier: &Score) -> std::fmt::Result {
    let share = |value| number(value, true);
    writeln!(out, "| {name} | {} | {} to {} | {:.3} |", share(accuracy.value), share(accuracy.low), share(accuracy.high), brier.value)
}

/// A kind of trials: its words, and which belong to it.
type Kind = (&'static str, fn(&ScoredTrial) -> bool);

fn write_mechanisms(out: &mut String, validation: &Validation) -> std::fmt::Result {
    let kinds: [Kind; 11] = [
        ("G1, `-Xms` = `-Xmx`", |trial| trial.setup.contains("G1 at full size")),
        ("Serial, `-Xmx` only", |trial| trial.setup.contains("Serial")),
        ("G1, `-Xmx` only", |trial| trial.setup.contains("MiB G1,")),
        ("scratch on tmpfs", |trial| trial.setup.contains("tmpfs")),
        ("scratch on disk", |trial| trial.setup.contains("disk")),
        ("pods with a limit", |trial| trial.setup.contains("pods of")),
        ("passes", |trial| trial.workload == "passes"),
        ("sort", |trial| trial.workload == "sort"),
        ("join", |trial| trial.workload == "join"),
        ("agg", |trial| trial.workload == "agg"),
        ("killed at the node's limit", |trial| trial.trial.observed.level == Some(Level::Node)),
    ];
    writeln!(
        out,
        "\n## By mechanism\n\n| trials with | n | out of memory: right | Brier | node peak | lost | duration |\n| --- | --- | --- | --- | --- | --- | --- |"
    )?;
    for (words, of) in kinds {
        let own: Vec<Trial> = validation.trials.iter().filter(|trial| !trial.calibration && of(trial)).map(|trial| trial.trial.clone()).collect();
        if own.is_empty() {
            continue;
        }
        let scores = Scores::of(&own, validation.confidence);
        let cell = |score: Option<Score>, share: bool| score.map_or_else(|| "-".to_owned(), |score| number(score.value, share));
        let cells = [cell(scores.oom_accuracy, true), cell(scores.brier, false), cell(scores.node_peak_mape, true), cell(scores.executors_lost_mae, false)];
        writeln!(out, "| {words} | {} | {} | {} |", own.len(), cells.join(" | "), cell(scores.duration_mape, true))?;
    }
    Ok(())
}

fn write_worst(out: &mut String, validation: &Validation) -> std::fmt::Result {
    writeln!(out, "\n## The worst forecasts\n\n| trial | setup | what was wrong |\n| --- | --- | --- |")?;
    for (trial, reason) in validation.worst().into_iter().filter_map(|trial| Some((trial, super::reason(trial)?))).take(WORST) {
        writeln!(out, "| {} | {} | {reason} |", trial.name, trial.setup)?;
    }
    Ok(())
}

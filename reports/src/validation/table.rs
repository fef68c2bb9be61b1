//! The scores for a terminal.

use std::fmt::Write as _;

use sim_core::study::score::Score;

use super::Validation;

/// Worst trials that are listed.
const WORST: usize = 12;

/// What a score is called, and whether it is a share.
fn words(name: &str) -> (&'static str, bool) {
    match name {
        "oom_accuracy" => ("runs out of memory: right", true),
        "brier" => ("Brier score of P(OOM)", false),
        "job_outcome_accuracy" => ("job ends well: right", true),
        "kill_level_accuracy" => ("whose limit: right", true),
        "node_peak_mape" => ("node peak: mean error", true),
        "executors_lost_mae" => ("executors lost: mean error", false),
        _ => ("duration: mean error", true),
    }
}

fn number(value: f64, share: bool) -> String {
    if share { format!("{:.1} %", value * 100.0) } else { format!("{value:.3}") }
}

fn cell(score: &Score, share: bool) -> String {
    format!("{:>8}  [{}, {}]  n = {}", number(score.value, share), number(score.low, share), number(score.high, share), score.n)
}

/// All scores, the rivals and the worst trials.
pub fn table(validation: &Validation) -> String {
    let scores = validation.scores();
    let mut out = format!(
        "{} trials of {}, each {} replications, seed {}; intervals {:.0} %, trials of one log drawn together\n\n",
        scores.trials,
        validation.source,
        validation.replications,
        validation.seed,
        validation.confidence * 100.0
    );
    for (name, score, _) in scores.named() {
        let (words, share) = words(name);
        let text = score.map_or_else(|| "       -".to_owned(), |score| cell(&score, share));
        let _ = writeln!(out, "  {words:<28}{text}");
    }
    for (name, rival) in [("spreadsheet", scores.spreadsheet), ("always the majority", scores.majority)] {
        if let Some(rival) = rival {
            let _ = writeln!(out, "  {:<28}{}  Brier {:.3}", format!("{name}: right"), cell(&rival.accuracy, true), rival.brier.value);
        }
    }
    let replays = validation.replays();
    if let (Some(peak), Some(time)) = (replays.node_peak_mape, replays.duration_mape) {
        let _ =
            writeln!(out, "  {:<28}peak {:.1} %, duration {:.1} %  n = {}", "replays of their own log", peak.value * 100.0, time.value * 100.0, replays.trials);
    }
    let worst: Vec<_> = validation.worst().into_iter().filter_map(|trial| Some((trial, super::reason(trial)?))).take(WORST).collect();
    if !worst.is_empty() {
        out.push_str("\nworst trials\n");
    }
    for (trial, reason) in worst {
        let _ = writeln!(out, "  {}  {}\n      {reason}", trial.name, trial.setup);
    }
    out
}

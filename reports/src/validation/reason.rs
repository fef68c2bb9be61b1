//! Why a forecast was wrong, as far as the numbers tell.

use sim_core::record::Level;

use super::ScoredTrial;
use crate::format;

/// What is wrong with a trial's forecast, in a sentence; nothing when its answers are right and its sizes near.
pub fn reason(scored: &ScoredTrial) -> Option<String> {
    let (forecast, observed) = (&scored.trial.forecast, &scored.trial.observed);
    let p = forecast.p_oom.estimate;
    let mut parts = Vec::new();
    match observed.oom {
        Some(true) if p <= 0.5 => parts.push(format!("a death that was given {}", format::percent(p))),
        Some(false) if p > 0.5 => parts.push(format!("no death, given {}", format::percent(p))),
        _ => {}
    }
    let job = forecast.p_job_failure.estimate;
    match observed.job_failed {
        Some(true) if job <= 0.5 => parts.push(format!("the job failed, given {}", format::percent(job))),
        Some(false) if job > 0.5 => parts.push(format!("the job ended well, its failure given {}", format::percent(job))),
        _ => {}
    }
    if let (Some(seen), Some(said)) = (observed.level, forecast.level)
        && sim_core::study::score::whose(seen) != said
    {
        parts.push(format!("{} instead of {}", words(said), words(seen)));
    }
    if let Some(error) = scored.trial.node_peak_error().filter(|error| error.abs() > 0.08) {
        parts.push(format!("node peak {:+.0} %", error * 100.0));
    }
    if let Some(error) = scored.trial.executors_lost_error().filter(|error| error.abs() >= 1.5) {
        parts.push(format!("{error:+.0} executors"));
    }
    if let Some(error) = scored.trial.duration_error().filter(|error| error.abs() > 0.35) {
        parts.push(format!("duration {:+.0} %", error * 100.0));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn words(level: Level) -> &'static str {
    match level {
        Level::Heap => "the heap",
        Level::Pod => "the pod's limit",
        Level::Kubepods | Level::Node => "the node's limit",
        Level::Eviction => "an eviction",
        Level::Volume => "a full scratch",
    }
}

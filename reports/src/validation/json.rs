//! The result object of `validate`.

use serde_json::{Map, Value, json};
use sim_core::record::Level;
use sim_core::study::score::{Rival, Score, Scores};
use sim_core::study::{Estimate, Summary};

use super::{ScoredTrial, Validation, reason};

/// The whole result.
pub fn result_object(validation: &Validation) -> Value {
    let scores = validation.scores();
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    put("schema_version", json!(1));
    put("version", json!(validation.version));
    put("source", json!(validation.source));
    put("seed", json!(validation.seed));
    put("replications", json!(validation.replications));
    put("confidence", json!(validation.confidence));
    put("command", json!(validation.command));
    put("interrupted", json!(validation.interrupted));
    put("trials", json!(scores.trials));
    for (name, score, _) in scores.named() {
        put(name, score.map_or(Value::Null, |score| json!(score.value)));
    }
    put("intervals", intervals(&scores));
    put("baselines", json!({"spreadsheet": scores.spreadsheet.map(|r| rival(&r)), "majority": scores.majority.map(|r| rival(&r))}));
    put("replays", replays(&validation.replays()));
    put("per_trial", Value::Array(validation.trials.iter().map(per_trial).collect()));
    Value::Object(object)
}

fn score(score: &Score) -> Value {
    json!({"value": score.value, "low": score.low, "high": score.high, "n": score.n})
}

fn intervals(scores: &Scores) -> Value {
    scores.named().iter().map(|(name, of, _)| ((*name).to_owned(), of.as_ref().map_or(Value::Null, score))).collect::<Map<_, _>>().into()
}

fn rival(rival: &Rival) -> Value {
    json!({"oom_accuracy": score(&rival.accuracy), "brier": score(&rival.brier)})
}

fn replays(scores: &Scores) -> Value {
    json!({"trials": scores.trials, "node_peak_mape": scores.node_peak_mape.map(|s| score(&s)), "duration_mape": scores.duration_mape.map(|s| score(&s))})
}

fn estimate(p: &Estimate) -> Value {
    json!({"estimate": p.estimate, "low": p.low, "high": p.high, "confidence": p.confidence, "n": p.n})
}

fn summary(s: &Summary) -> Value {
    json!({"mean": s.mean, "p50": s.p50, "p95": s.p95, "min": s.min, "max": s.max, "n": s.n})
}

/// A level as results name it.
fn level(level: Option<Level>) -> Value {
    level.map_or(Value::Null, |level| json!(if level == Level::Volume { "scratch_full" } else { level.key() }))
}

/// One trial, forecast and observed.
pub fn per_trial(scored: &ScoredTrial) -> Value {
    let (forecast, observed) = (&scored.trial.forecast, &scored.trial.observed);
    json!({
        "trial": scored.name,
        "workload": scored.workload,
        "group": scored.group,
        "setup": scored.setup,
        "role": if scored.calibration { "calibration" } else { "target" },
        "forecast": {
            "p_oom": estimate(&forecast.p_oom),
            "oom": forecast.p_oom.estimate > 0.5,
            "p_job_failure": estimate(&forecast.p_job_failure),
            "job_failed": forecast.p_job_failure.estimate > 0.5,
            "level": level(forecast.level),
            "executors_lost": summary(&forecast.executors_lost),
            "node_peak_bytes": summary(&forecast.node_peak),
            "duration_s": summary(&forecast.duration_s),
        },
        "observed": {
            "oom": observed.oom,
            "job_failed": observed.job_failed,
            "level": level(observed.level),
            "executors_lost": observed.executors_lost,
            "node_peak_bytes": observed.node_peak,
            "duration_s": observed.duration_s,
        },
        "spreadsheet_oom": scored.trial.spreadsheet,
        "reason": reason(scored),
    })
}

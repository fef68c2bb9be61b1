//! The result object: what `--format json` and `jsonl` print, one object a point.
//!
//! Field names and nesting are a promise (`schema_version`); fields may be added, never renamed. Sizes are
//! whole bytes, times are seconds, probabilities are shares with their interval, confidence and n. Every
//! number is finite: a summary of nothing is zeros with `n` 0. Field order is fixed, so equal results are
//! equal bytes.

use serde_json::{Map, Value, json};
use sim_core::record::{Cause, FailureReason};
use sim_core::study::{Estimate, Summary};

use crate::format::finite;
use crate::{Header, PointReport, SweepReport};

/// Version of the result object.
pub const SCHEMA_VERSION: u64 = 1;

/// One point as the documented object; `point` is there only when it has coordinates.
pub fn result_object(header: &Header, point: &PointReport) -> Value {
    let result = &point.result;
    let mut object = json!({
        "schema_version": SCHEMA_VERSION,
        "version": header.version,
        "scenario": header.scenario,
        "fingerprint": if point.fingerprint.is_empty() { &header.fingerprint } else { &point.fingerprint },
        "seed": header.seed,
        "replications": result.replications,
    });
    if let Some(fields) = object.as_object_mut() {
        if !point.coordinates.is_empty() {
            fields.insert("point".into(), Value::Object(point.coordinates.iter().cloned().collect()));
        }
        fields.insert("p_oom".into(), estimate(&result.p_oom));
        fields.insert("p_job_failure".into(), estimate(&result.p_job_failure));
        let causes = Cause::ALL.iter().zip(&result.p_by_cause);
        fields.insert("p_by_cause".into(), Value::Object(causes.map(|(cause, p)| (cause.key().to_owned(), estimate(p))).collect()));
        let levels = result.first_level.iter().map(|(level, n)| (level.key().to_owned(), json!(n)));
        fields.insert("first_level".into(), Value::Object(levels.collect()));
        let shown = result.first_shown.iter().map(|(shown, n)| (shown.words(), json!(n)));
        fields.insert("first_shown".into(), Value::Object(shown.collect()));
        summaries(fields, point);
        endings(fields, point);
    }
    object
}

/// One object a line, in the order of the points.
pub fn lines(report: &SweepReport) -> String {
    report.points.iter().map(|point| result_object(&report.header, point).to_string() + "\n").collect()
}

fn summaries(fields: &mut Map<String, Value>, point: &PointReport) {
    let result = &point.result;
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("executors_lost", summary(&result.executors_lost, real));
    put("executors_pending", summary(&result.executors_pending, real));
    put("duration_s", summary(&result.duration_s, real));
    put("node_peak_bytes", summary(&result.node_peak, whole));
    put("node_before_shuffle_bytes", summary(&result.node_before_shuffle, whole));
    put("node_at_first_kill_bytes", summary(&result.node_at_first_kill, whole));
    put("pod_peak_bytes", summary(&result.pod_peak, whole));
    put("scratch_peak_bytes", summary(&result.scratch_peak, whole));
    put("shuffle_write_bytes", summary(&result.shuffle_write, whole));
    put("spill_bytes", summary(&result.spill, whole));
    put("task_ooms", summary(&result.task_ooms, real));
    put("neighbours_lost", summary(&result.neighbours_lost, real));
    put("daemons_lost", summary(&result.daemons_lost, real));
    put("swap_out_bytes", summary(&result.swap_out, whole));
}

fn endings(fields: &mut Map<String, Value>, point: &PointReport) {
    let failed = FailureReason::ALL.iter().zip(point.result.failed).map(|(reason, n)| (reason.key().to_owned(), json!(n)));
    fields.insert("failed".into(), Value::Object(failed.collect()));
    let [horizon, events, starved] = point.result.truncated;
    fields.insert("truncated".into(), json!(horizon + events + starved));
    fields.insert("truncated_by".into(), json!({"horizon": horizon, "events": events, "starved": starved}));
}

fn estimate(p: &Estimate) -> Value {
    json!({"estimate": finite(p.estimate), "low": finite(p.low), "high": finite(p.high), "confidence": finite(p.confidence), "n": p.n})
}

/// All that a summary holds; quantities are never negative, so neither is the normal interval of their mean.
fn summary(s: &Summary, number: fn(f64) -> Value) -> Value {
    json!({
        "mean": number(s.mean), "p50": number(s.p50), "p95": number(s.p95), "max": number(s.max), "n": s.n,
        "min": number(s.min), "mean_low": number(s.mean_low.max(0.0)), "mean_high": number(s.mean_high),
        "p50_low": number(s.p50_low), "p50_high": number(s.p50_high), "p95_low": number(s.p95_low), "p95_high": number(s.p95_high),
        "confidence": finite(s.confidence),
    })
}

fn real(value: f64) -> Value {
    json!(finite(value))
}

fn whole(value: f64) -> Value {
    json!(finite(value).round() as u64)
}

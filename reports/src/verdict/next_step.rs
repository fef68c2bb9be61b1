//! One command to type next.
//!
//! Undecided reports ask for more replications of the same command. A sweep with a survivor suggests running
//! that point when its axes are settings that a command can set. A run that dies suggests the setting that
//! moves the memory which the largest holder had at the first death; a run that survives asks for enough
//! replications to bound rarer deaths.

use sim_core::record::{Cause, MemoryClass};

use super::finding::safest;
use crate::{PointReport, Standing, SweepReport};

/// The command; never empty.
pub(super) fn next_step(report: &SweepReport, worst: usize) -> String {
    let undecided = report.points.iter().any(|p| p.standing() == Standing::Undecided);
    if report.interrupted {
        return report.header.command.clone();
    }
    if undecided {
        return with_replications(report, 10);
    }
    if report.axes.is_empty() {
        return after_run(report, &report.points[worst]);
    }
    safest_point(report).unwrap_or_else(|| with_replications(report, 10))
}

fn after_run(report: &SweepReport, point: &PointReport) -> String {
    let scenario = quoted(&report.header.scenario);
    match change(point) {
        Some(conf) => format!("spillcast run {scenario} --conf {conf}"),
        None if point.result.p_oom.estimate > 0.0 => format!("spillcast explain spark.executor.memory {scenario}"),
        None => with_replications(report, 10),
    }
}

/// The setting that relieves the limit that was hit, going by who held the memory.
fn change(point: &PointReport) -> Option<&'static str> {
    let incident = point.result.example_incident.as_ref()?;
    let holder = incident.holders.first().map(|h| h.class);
    match (incident.cause, holder) {
        (Cause::Node | Cause::Container, Some(MemoryClass::Tmpfs)) => Some("spark.kubernetes.local.dirs.tmpfs=false"),
        (Cause::Container, Some(MemoryClass::NonHeap | MemoryClass::Python)) => Some("spark.executor.memoryOverheadFactor=0.4"),
        (Cause::Heap, _) => Some("spark.sql.shuffle.partitions=2000"),
        _ => None,
    }
}

/// The same command with `factor` times the replications.
fn with_replications(report: &SweepReport, factor: u64) -> String {
    let n = report.points.iter().map(|p| p.result.replications).max().unwrap_or(100).saturating_mul(factor);
    let mut words = Vec::new();
    let mut skip = false;
    for word in report.header.command.split_whitespace() {
        let is_flag = word == "-n" || word == "--replications";
        if !(skip || is_flag || word.starts_with("--replications=")) {
            words.push(word.to_owned());
        }
        skip = is_flag;
    }
    words.push(format!("-n {n}"));
    words.join(" ")
}

/// Runs the point with the lowest upper end, when something else dies and all axes can be set by a command.
fn safest_point(report: &SweepReport) -> Option<String> {
    let dies = report.points.iter().any(|p| matches!(p.standing(), Standing::Dies | Standing::Risky));
    let point = &report.points[safest(report).filter(|_| dies)?];
    let settings: Option<Vec<String>> = point.coordinates.iter().map(|(name, value)| setting(name, value)).collect();
    Some(format!("spillcast run {} {}", quoted(&report.header.scenario), settings?.join(" ")))
}

fn setting(name: &str, value: &serde_json::Value) -> Option<String> {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match name {
        _ if name.starts_with("spark.") => Some(format!("--conf {}", quoted(&format!("{name}={value}")))),
        _ if name.contains('.') => Some(format!("--set {}", quoted(&format!("{name}={value}")))),
        _ => None,
    }
}

/// Quoted for a shell when it has to be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

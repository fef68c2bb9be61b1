//! One command to type next, and why.
//!
//! A report that is still open asks for more replications. Where something dies and something survives, the next step is
//! the smallest change that survives ([`cure`]), when a command can make it. Where nothing survives, or the change is no
//! setting, it is the setting that moves the memory which was held at the first death. Where nothing dies, it is a
//! gate that keeps it so, once the interval is narrow enough for one. The user's own options stay in the command.

use sim_core::record::{Cause, Incident, MemoryClass};

use crate::{PointReport, Standing, SweepReport, format};

/// P(OOM) that a gate holds, and the bound that must be shown before one is proposed.
const GATE: f64 = 0.01;
/// Share of the memory in use from which on scratch in RAM is worth moving.
const WORTH_MOVING: f64 = 0.1;

/// A command and the reason for it.
pub(super) struct NextStep {
    pub(super) command: String,
    pub(super) reason: String,
}

fn step(command: String, reason: impl Into<String>) -> NextStep {
    NextStep { command, reason: reason.into() }
}

/// What to do next; the command is never empty.
pub(super) fn next_step(report: &SweepReport, worst: usize) -> NextStep {
    let point = &report.points[worst];
    if report.interrupted {
        return step(report.header.command.clone(), "finish what was interrupted");
    }
    if is_open(report, worst) {
        return step(again(report, 10), "more replications narrow the intervals");
    }
    let deadly = matches!(point.standing(), Standing::Dies | Standing::Risky);
    if !deadly {
        return after_survival(report);
    }
    cured(report, worst).or_else(|| relieved(report, point)).unwrap_or_else(|| {
        let command = format!("spillcast explain spark.executor.memory {}", quoted(&report.header.scenario));
        step(command, "see what the executor's memory is made of")
    })
}

/// Whether more replications are what is missing: the worst point is undecided, or more than one point in five.
fn is_open(report: &SweepReport, worst: usize) -> bool {
    let undecided = report.points.iter().filter(|p| p.standing() == Standing::Undecided).count();
    report.points[worst].standing() == Standing::Undecided || undecided * 5 > report.points.len()
}

/// The surviving point that is nearest to a dying one: without other trouble, with the fewest axes changed, then the
/// fewest steps on axes of numbers, then the lowest upper end of P(OOM), then the shortest duration.
pub fn cure(report: &SweepReport, dying: usize) -> Option<usize> {
    let from = report.position(dying);
    let key = |i: &usize| {
        let point = &report.points[*i];
        let to = report.position(*i);
        let steps = |a: usize| if report.axes[a].scale().is_some() { to[a].abs_diff(from[a]) } else { 0 };
        let changed = (0..to.len()).filter(|a| to[*a] != from[*a]).count();
        let duration = &point.result.duration_s;
        let seconds = if duration.n == 0 { f64::MAX } else { duration.p50 };
        (point.other_trouble().is_some(), changed, (0..to.len()).map(steps).sum::<usize>(), point.result.p_oom.high, seconds)
    };
    let survivors = (0..report.points.len()).filter(|i| *i != dying && report.points[*i].standing() == Standing::Survives);
    survivors.min_by(|a, b| {
        let (a, b) = (key(a), key(b));
        (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)).then(a.3.total_cmp(&b.3)).then(a.4.total_cmp(&b.4))
    })
}

/// Runs the cure, when every axis of it that matters is configuration that a command can set.
fn cured(report: &SweepReport, worst: usize) -> Option<NextStep> {
    let at = cure(report, worst).filter(|i| report.points[*i].other_trouble().is_none())?;
    let mut command = base(report, "run");
    let mut named = Vec::new();
    for (axis, (to, from)) in report.position(at).into_iter().zip(report.position(worst)).enumerate() {
        for (flag, text) in settings(report, axis, to, at)? {
            // Less work is no configuration: what the job does is given.
            if to != from && text.starts_with("job.") && flag == "--set" {
                return None;
            }
            command = format!("{command} {flag} {}", quoted(&text));
        }
        if to != from {
            named.push(report.axes[axis].phrase(to));
        }
    }
    let p = &report.points[at].result.p_oom;
    Some(step(command, format!("the smallest change that survives: {} ({})", named.join(", "), format::percent(p.estimate))))
}

/// Flags for one axis of a point; axes that are named after a setting say it themselves.
fn settings(report: &SweepReport, axis: usize, value: usize, point: usize) -> Option<Vec<(String, String)>> {
    if let Some(known) = report.axes[axis].settings.get(value) {
        return known.clone();
    }
    let (name, value) = report.points[point].coordinates.get(axis)?;
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let flag = match name {
        _ if name.starts_with("spark.") => "--conf",
        _ if name.contains('.') => "--set",
        _ => return None,
    };
    Some(vec![(flag.to_owned(), format!("{name}={value}"))])
}

/// The same study with the setting that moves the memory which stood in the way.
fn relieved(report: &SweepReport, point: &PointReport) -> Option<NextStep> {
    let incident = point.result.example_incident.as_ref()?;
    let (conf, reason) = relief(incident)?;
    let mode = if report.axes.is_empty() { "run" } else { "sweep" };
    let command = base(report, mode);
    // Without effect where it is set already.
    (!command.contains(conf)).then(|| step(format!("{command} --conf {conf}"), reason))
}

/// The setting that relieves the limit that was hit, going by who held the memory.
fn relief(incident: &Incident) -> Option<(&'static str, String)> {
    let held = |class: MemoryClass| incident.holders.iter().filter(|h| h.class == class).map(|h| h.bytes.as_f64()).sum::<f64>();
    let scratch = held(MemoryClass::Tmpfs);
    let largest = incident.holders.first().map(|h| h.class);
    match (incident.cause, largest) {
        (Cause::Node | Cause::Container, _) if scratch >= WORTH_MOVING * incident.used.as_f64() => {
            let reason = format!("scratch in RAM held {} when the first executor died: put it on disk", format::bytes(scratch));
            Some(("spark.kubernetes.local.dirs.tmpfs=false", reason))
        }
        (Cause::Container, Some(MemoryClass::NonHeap | MemoryClass::Python)) => {
            Some(("spark.executor.memoryOverheadFactor=0.4", "memory beside the heap held most of the container: give it room".into()))
        }
        (Cause::Heap, _) => Some(("spark.sql.shuffle.partitions=2000", "the heap was full of live objects: give each task less".into())),
        _ => None,
    }
}

fn after_survival(report: &SweepReport) -> NextStep {
    let highest = report.points.iter().map(|p| p.result.p_oom.high).fold(0.0, f64::max);
    if highest > GATE {
        return step(again(report, 10), format!("nothing died, but up to {} is not ruled out: more replications bound rarer deaths", format::percent(highest)));
    }
    let mode = if report.axes.is_empty() { "run" } else { "sweep" };
    step(format!("{} --fail-if 'p_oom > {}%'", base(report, mode), GATE * 100.0), "keep it so: as a gate in CI, this fails when a change breaks it")
}

/// The same command with `factor` times the replications.
fn again(report: &SweepReport, factor: u64) -> String {
    let n = report.points.iter().map(|p| p.result.replications).max().unwrap_or(100).saturating_mul(factor);
    format!("{} -n {n}", without(&report.header.command, &["-n", "--replications"]).join(" "))
}

/// The user's command as `run` or `sweep`, without what only belonged to that one run of it.
fn base(report: &SweepReport, mode: &str) -> String {
    let usual_seed = ["--seed"];
    let mut drop = vec!["-n", "--replications", "--precision", "-o", "--out"];
    if report.header.seed == 1 {
        drop.extend(usual_seed);
    }
    let mut words = without(&report.header.command, &drop);
    if let Some(command) = words.get_mut(1) {
        mode.clone_into(command);
    }
    words.join(" ")
}

/// The words of a command, as they are quoted, without some options and their arguments.
fn without(command: &str, options: &[&str]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut skip = false;
    for word in words(command) {
        let is_option = options.contains(&word.as_str());
        let has_value = options.iter().any(|o| word.strip_prefix(o).is_some_and(|rest| rest.starts_with('=')));
        if !(skip || is_option || has_value) {
            kept.push(word);
        }
        skip = is_option;
    }
    kept
}

/// Splits a command at blanks outside of single quotes; quotes and backslashes stay.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut inside, mut escaped) = (false, false);
    for c in command.chars() {
        if c == ' ' && !inside && !escaped {
            words.push(String::new());
            continue;
        }
        inside ^= c == '\'' && !escaped;
        escaped = c == '\\' && !inside && !escaped;
        if let Some(last) = words.last_mut() {
            last.push(c);
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Quoted for a shell when it has to be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_with_their_arguments_and_quoted_words_stay_whole() {
        let command = "spillcast sweep 'my file.toml' --conf 'a=b -n c' -n 300 --seed=4 --set x='it'\\''s -o y' -o out";
        assert_eq!(without(command, &["-n", "-o", "--seed"]).join(" "), "spillcast sweep 'my file.toml' --conf 'a=b -n c' --set x='it'\\''s -o y'");
    }
}

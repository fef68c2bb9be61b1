//! A team's own incidents: a scenario each, and what was seen of it.
//!
//! ```toml
//! [[incident]]
//! name = "nightly-2025-03-02"
//! scenario = "nightly.toml"          # beside this file, or the name of a built-in scenario
//! conf = { "spark.executor.memory" = "12g" }   # what was different, over the scenario
//! set = { "cluster.pool.0.count" = 3 }
//! oom = true
//! kills = 4
//! level = "node"                     # pod, node, heap, eviction or scratch
//! node_peak = "57.9GiB"
//! duration = "95m"
//! job = "failed"                     # or ok
//! ```
//! Everything that was seen is optional: a part that is missing is not scored.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use sim_core::record::Level;
use sim_core::study::score::{Observed, TrialClock};
use sim_core::units::{Bytes, SimSpan};

use super::Trial;
use crate::diag::{Diagnostic, Diagnostics};
use crate::quantity::{size, time};
use crate::scenario::{Request, load};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    incident: Vec<Incident>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Incident {
    scenario: String,
    name: Option<String>,
    workload: Option<String>,
    #[serde(default)]
    conf: BTreeMap<String, toml::Value>,
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    oom: Option<bool>,
    kills: Option<u32>,
    level: Option<String>,
    node_peak: Option<String>,
    duration: Option<String>,
    job: Option<String>,
}

/// Reads the list.
pub(super) fn read(path: &Path, text: &str, problems: &mut Diagnostics) -> Vec<Trial> {
    match toml::from_str::<File>(text) {
        Ok(file) => file.incident.into_iter().enumerate().filter_map(|(index, incident)| one(path, index, incident, problems)).collect(),
        Err(error) => {
            problems.push(
                Diagnostic::error("incidents", format!("{}: {}", path.display(), error.to_string().trim_end().replace('\n', "; ")))
                    .expected("`[[incident]]` blocks with `scenario` and what was seen: oom, kills, level, node_peak, duration, job"),
            );
            Vec::new()
        }
    }
}

fn one(path: &Path, index: usize, incident: Incident, problems: &mut Diagnostics) -> Option<Trial> {
    let name = incident.name.clone().unwrap_or_else(|| format!("{}", index + 1));
    let observed = match observed(&incident) {
        Ok(observed) => observed,
        Err(problem) => {
            problems.push(Diagnostic { message: format!("{}: incident {name:?}: {}", path.display(), problem.message), ..*problem });
            return None;
        }
    };
    let beside = path.parent().unwrap_or(Path::new("")).join(&incident.scenario);
    let scenario = if !crate::is_built_in_scenario(&incident.scenario) && beside.exists() { beside.display().to_string() } else { incident.scenario.clone() };
    let lines = |table: &BTreeMap<String, toml::Value>| table.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
    let (loaded, found) = load(&Request { scenario, conf: lines(&incident.conf), set: lines(&incident.set), ..Request::default() });
    problems.extend(found);
    let loaded = loaded?;
    Some(Trial {
        workload: incident.workload.unwrap_or_else(|| loaded.name.clone()),
        group: loaded.name.clone(),
        calibration: false,
        setup: loaded.title.clone(),
        clock: TrialClock::default(),
        spreadsheet: None,
        spec: loaded.spec,
        observed,
        name,
    })
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn observed(incident: &Incident) -> Result<Observed, Box<Diagnostic>> {
    let bad =
        |key: &str, text: &str, expected: &str| Box::new(Diagnostic::error("incidents", format!("`{key}` cannot be read")).found(text).expected(expected));
    let level = match incident.level.as_deref() {
        None => None,
        Some("pod" | "container") => Some(Level::Pod),
        Some("node") => Some(Level::Node),
        Some("heap") => Some(Level::Heap),
        Some("eviction") => Some(Level::Eviction),
        Some("scratch" | "scratch_full" | "volume") => Some(Level::Volume),
        Some(other) => return Err(bad("level", other, "pod, node, heap, eviction or scratch")),
    };
    let job_failed = match incident.job.as_deref() {
        None => None,
        Some("ok") => Some(false),
        Some("failed") => Some(true),
        Some(other) => return Err(bad("job", other, "ok or failed")),
    };
    let parse = |key: &str, text: &Option<String>, expected: &str, of: &dyn Fn(&str) -> Option<f64>| match text {
        None => Ok(None),
        Some(text) => of(text).map(Some).ok_or_else(|| bad(key, text, expected)),
    };
    Ok(Observed {
        oom: incident.oom,
        job_failed,
        executors_lost: incident.kills,
        level,
        node_peak: parse("node_peak", &incident.node_peak, "a size, such as 57.9GiB", &|text| size(text).ok().map(Bytes::as_f64))?,
        duration_s: parse("duration", &incident.duration, "a time, such as 95m", &|text| time(text).ok().map(SimSpan::as_secs_f64))?,
    })
}

//! Small jobs that real Spark ran, replayed where they were recorded.
//!
//! The recorder is `tests/recorders/spark_runs`; the recordings are event logs and, beside each, what was seen of the run: spills by
//! task in the executors' logs, the fullest moment of each executor's scratch directory, how tasks ended. The log alone makes
//! the profile and the world; what was seen is what the replay is held against. Nothing of the recordings is fitted. Held: shuffle
//! bytes to 1 %, spills to one a stage, scratch to 10 %, attempts and tasks exactly.

use std::path::PathBuf;

use scenarios::event_log::{Ingested, ingest};
use scenarios::profile::ProfileConf;
use scenarios::recorded;
use serde_json::Value;
use sim_core::plan::SimPlan;
use sim_core::record::{Ending, Outcome};
use sim_core::sim::{RunKey, Simulator};
use sim_core::spec::{Injection, Moment, Operators};
use sim_core::units::Bytes;

/// A recording and its replay.
struct Replay {
    name: String,
    seen: Value,
    log: Ingested,
    outcome: Outcome,
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(tests::data("spark_runs")).expect("the recordings are there");
    let mut names: Vec<String> = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".json")?.to_owned())).collect();
    names.sort();
    names
}

fn file(name: &str, kind: &str) -> PathBuf {
    tests::data(&format!("spark_runs/{name}.{kind}"))
}

/// A kill is replayed twice: Spark offers executors in a random order, so which of the replay's two is the recorded one is not known.
/// The one that agrees counts.
fn differences(name: &str) -> Vec<String> {
    let all = [2, 1].map(|executor| replay(name, executor).differences());
    all.into_iter().min_by_key(Vec::len).unwrap_or_default()
}

fn replay(name: &str, killed: u32) -> Replay {
    let text = std::fs::read_to_string(file(name, "json")).expect("a recording");
    let seen: Value = serde_json::from_str(&text).expect("JSON");
    let log = ingest(&file(name, "gz")).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
    let mut spec = recorded::spec(&log, None).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
    spec.limits.paranoid = true;
    spec.inject = injection(&seen, killed).into_iter().collect();
    let plan = SimPlan::compile(&spec).unwrap_or_else(|error| panic!("{name}: {error}"));
    let outcome = Simulator::new(&plan).run(RunKey { seed: 1, replication: 0 });
    assert_eq!(outcome.ending, Ending::Succeeded, "{name}");
    Replay { name: name.to_owned(), seen, log, outcome }
}

/// The kill of a recorded job `kill MAPS REDUCERS STAGE TASKS`: an executor of two, after so many tasks of a stage.
fn injection(seen: &Value, executor: u32) -> Option<Injection> {
    let job: Vec<&str> = seen["job"].as_str()?.split(' ').collect();
    let ["kill", _, _, stage, tasks] = job[..] else { return None };
    let number = |word: &str| word.parse::<u32>().expect("a number");
    Some(Injection { executor, when: Moment::TasksDone { stage: number(stage) as usize, tasks: number(tasks) } })
}

impl Replay {
    /// The stage's number in Spark, by its index in the profile.
    fn spark_stage(&self, index: usize) -> &str {
        self.log.recorded[index].name.strip_prefix("stage-").expect("ingest names stages by their number")
    }
    /// The values of `key` of all attempts of a stage.
    fn attempts<'a>(&'a self, key: &str, index: usize) -> Vec<&'a Value> {
        let prefix = format!("{}.", self.spark_stage(index));
        let all = self.seen[key].as_object().expect("an object");
        all.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(_, value)| value).collect()
    }
    /// Spills of a stage as the executors told them. The serialised writer also tells the writing of what is left at the end, when
    /// it has spilled before.
    fn spills(&self, index: usize) -> u64 {
        let tasks = self.attempts("spills", index).into_iter().flat_map(|tasks| tasks.as_object().expect("tasks").values());
        tasks
            .flat_map(|counts| counts.as_object().expect("counts"))
            .map(|(who, n)| n.as_u64().expect("a count") - u64::from(who == "ShuffleExternalSorter"))
            .sum::<u64>()
            + self.given_way(index)
    }
    /// Spills of sorters that were read, which no line tells.
    fn given_way(&self, index: usize) -> u64 {
        self.seen["given_way"][format!("{}.0", self.spark_stage(index))].as_u64().unwrap_or(0)
    }
    fn ended(&self, index: usize, reason: &str) -> u64 {
        self.attempts("ends", index).iter().map(|ends| ends[reason].as_u64().unwrap_or(0)).sum()
    }
    /// Fullest moment of one executor's scratch.
    fn scratch_peak(&self) -> f64 {
        let executors = self.seen["scratch"]["executors"].as_object().expect("executors");
        executors.values().map(|peak| peak["bytes"].as_f64().expect("bytes")).fold(0.0, f64::max)
    }
    /// Task slots of an executor. Where tasks share its memory, N and so the number of spills hang on the instants at which they start
    /// and end: then ±1 holds for a task, else for a stage.
    fn slots(&self) -> u32 {
        self.log.world.hosts.iter().map(|host| host.slots / host.executors).max().unwrap_or(1)
    }
    /// The output of the tasks beside one: whether their merges fall together hangs on instants, too.
    fn written_beside(&self) -> f64 {
        let largest = (0..self.log.recorded.len()).map(|index| self.written(index) as f64 / self.log.recorded[index].tasks as f64).fold(0.0, f64::max);
        f64::from(self.slots() - 1) * largest
    }
    fn written(&self, index: usize) -> u64 {
        let stage: u64 = self.spark_stage(index).parse().expect("a number");
        self.log.summary.stages.iter().filter(|s| s.stage == stage).map(|s| s.shuffle_write_bytes).sum()
    }

    fn differences(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut hold = |what: String, ours: f64, theirs: f64, most: f64| {
            if (ours - theirs).abs() > most {
                all.push(format!("{}: {what}: {ours} in the replay, {theirs} recorded", self.name));
            }
        };
        for (index, stage) in self.outcome.stages.iter().enumerate() {
            let (id, written) = (self.spark_stage(index).to_owned(), self.written(index) as f64);
            hold(format!("stage {id} shuffle bytes"), stage.shuffle_write.as_f64(), written, 0.01 * written);
            let tasks = if self.slots() > 1 { f64::from(stage.tasks_ok) } else { 1.0 };
            hold(format!("stage {id} spills"), f64::from(stage.spills), self.spills(index) as f64, tasks);
            hold(format!("stage {id} attempts"), f64::from(stage.attempts), self.attempts("ends", index).len() as f64, 0.0);
            hold(format!("stage {id} tasks that ended well"), f64::from(stage.tasks_ok), self.ended(index, "Success") as f64, 0.0);
            hold(format!("stage {id} resubmitted"), f64::from(stage.tasks_resubmitted), self.ended(index, "Resubmitted") as f64, 0.0);
        }
        let (peak, beside) = (self.scratch_peak(), self.written_beside());
        hold("scratch at its fullest".to_owned(), self.outcome.scratch_peak.as_f64(), peak, 0.1 * peak + beside);
        all
    }
}

#[test]
fn the_replay_does_what_the_real_run_did() {
    let differences: Vec<String> = names().iter().flat_map(|name| differences(name)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// What the executors of object hash aggregates and windows did is in the profile that their log gives.
#[test]
fn a_log_tells_the_operators_that_hold_objects() {
    for name in names() {
        let log = ingest(&file(&name, "gz")).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        let app = log.profile.to_app(log.profile.input(), &ProfileConf { shuffle_partitions: None, max_partition_bytes: Bytes::mib(128), joins: None });
        let holders: Vec<Operators> = app.stages.iter().map(|stage| stage.memory.operators).collect();
        let (aggregate, window) = (holders.contains(&Operators::ObjectHashAggregate), holders.contains(&Operators::Window));
        assert_eq!((aggregate, window), (name.contains("object-hash"), name.contains("window")), "{name}: {holders:?}");
    }
}

/// The collection covers what it says it covers, by what was seen and not by names.
#[test]
fn the_recordings_cover_writers_operators_and_kills() {
    let seen: Vec<Value> =
        names().iter().map(|name| serde_json::from_str(&std::fs::read_to_string(file(name, "json")).expect("a recording")).expect("JSON")).collect();
    let spilled = |who: &str| seen.iter().filter(|run| run["spills"].to_string().contains(who)).count();
    assert!(spilled("ShuffleExternalSorter") >= 3 && spilled("\"ExternalSorter\"") >= 2 && spilled("UnsafeExternalSorter") >= 2);
    assert!(seen.iter().filter(|run| run["spills"].as_object().is_some_and(serde_json::Map::is_empty)).count() >= 4, "runs without a spill");
    assert!(seen.iter().any(|run| run["ends"].to_string().contains("FetchFailed")) && seen.iter().any(|run| run["ends"].to_string().contains("Resubmitted")));
    assert!(seen.iter().any(|run| run["given_way"]["1.0"].as_u64() > Some(0)), "a sorter that was read gave way to a window's buffer");
    assert!(seen.iter().any(|run| run["spark"].as_str().is_some_and(|version| version.starts_with("4."))));
}

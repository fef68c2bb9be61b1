//! Real logs replayed in the world that recorded them: how long it took, how much was shuffled, and what calibrates memory.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use scenarios::event_log::{Ingested, ingest};
use scenarios::recorded::{self, Check};
use scenarios::{Request, Scenario, explain, load};
use sim_core::spark::jvm;
use sim_core::units::{Bytes, SimSpan};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn logs() -> Vec<(String, Ingested)> {
    let folder = root().join("scenarios/tests/data/recorded");
    let expected: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    let names: Vec<String> = expected.as_object().unwrap().keys().cloned().collect();
    assert!(names.len() >= 18, "{} logs", names.len());
    names.into_iter().map(|name| (name.clone(), ingest(&folder.join(&name)).unwrap())).collect()
}

/// The log with how fast its machine was taken from another one: nothing of its own times is left in the replay but the driver's.
fn with_speeds_of(log: &Ingested, other: &Ingested) -> Ingested {
    let mut log = log.clone();
    log.world.launch_s = other.world.launch_s;
    log.world.warm_up_s = other.world.warm_up_s;
    let scarce = other.world.hosts.iter().find_map(|host| host.scarce);
    log.world.hosts.iter_mut().for_each(|host| host.scarce = scarce);
    log
}

fn check(log: &Ingested) -> Check {
    recorded::check(log, None).unwrap()
}

fn percent(error: Option<f64>) -> String {
    error.map_or_else(|| "–".to_owned(), |error| format!("{:+.1} %", error * 100.0))
}

/// A log, its check, and its check with the speeds of another log.
type Checked = (String, Check, Option<(String, Check)>);

/// The table of the guide.
fn table(checks: &[Checked]) -> String {
    let mut out = String::from(
        "| log | recorded | lost | replayed | error | shuffle bytes | with the speeds of | error |\n| --- | --: | --: | --: | --: | --: | --- | --: |\n",
    );
    for (name, own, other) in checks {
        let name = name.trim_start_matches("eventlog_v2_");
        let (recorded, lost, replayed) = (own.recorded_s.unwrap_or(0.0), own.lost_s, own.replayed_s);
        let _ =
            write!(out, "| {name} | {recorded:.1} s | {lost:.1} s | {replayed:.1} s | {} | {} |", percent(own.duration_error()), percent(own.shuffle_error()));
        let _ = match other {
            Some((other, check)) => writeln!(out, " {} | {} |", other.trim_start_matches("eventlog_v2_"), percent(check.duration_error())),
            None => writeln!(out, " – | – |"),
        };
    }
    out
}

/// A log of the same Spark on the same kind of cluster, whose speeds may stand for this one's.
fn like(logs: &[(String, Ingested)], at: usize) -> Option<&(String, Ingested)> {
    let same = |other: &Ingested| other.world.version == logs[at].1.world.version && other.world.platform == logs[at].1.world.platform;
    (1..logs.len()).map(|step| &logs[(at + step) % logs.len()]).find(|(_, other)| same(other))
}

/// All logs within what the guide promises, and the guide's table is what this build gives. `SPILLCAST_ACCEPT=1` writes it.
#[test]
fn replays_of_all_logs_are_as_long_as_the_recordings_and_the_guide_says_how_long() {
    let logs = logs();
    let checks: Vec<_> = logs
        .iter()
        .enumerate()
        .map(|(at, (name, log))| {
            let other = like(&logs, at).map(|(other, its)| (other.clone(), check(&with_speeds_of(log, its))));
            (name.clone(), check(log), other)
        })
        .collect();
    let fresh = table(&checks);
    let (guide, start, end) = (root().join("docs/guide/ingest.md"), "<!-- replays -->\n", "<!-- /replays -->");
    let text = std::fs::read_to_string(&guide).unwrap();
    let (from, to) = (text.find(start).unwrap() + start.len(), text.find(end).unwrap());
    if std::env::var_os("SPILLCAST_ACCEPT").is_some() {
        std::fs::write(&guide, format!("{}\n{fresh}\n{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert_eq!(text[from..to].trim(), fresh.trim(), "the table of docs/guide/ingest.md");
    }
    let mut off = Vec::new();
    for (name, own, _) in &checks {
        assert!(own.succeeded, "{name}");
        let (time, bytes) = (own.duration_error().unwrap(), own.shuffle_error().unwrap_or(0.0));
        if time.abs() > 0.15 || bytes.abs() > 0.01 {
            off.push(format!("{name}: {:+.1} % of {:?} s, {:+.2} % of the bytes", time * 100.0, own.recorded_s, bytes * 100.0));
        }
    }
    assert!(off.is_empty(), "{off:#?}\n{fresh}");
}

/// The recorded world of a log, loaded with what a user sets beside it.
fn loaded(name: &str, set: &[&str]) -> (Ingested, Scenario) {
    let log = root().join("scenarios/tests/data/recorded").join(name);
    let ingested = ingest(&log).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.toml");
    std::fs::write(&path, recorded::scenario(&ingested, &log.canonicalize().unwrap().display().to_string(), None)).unwrap();
    let request = Request { scenario: path.display().to_string(), set: set.iter().map(|text| (*text).to_owned()).collect(), ..Request::default() };
    let (scenario, problems) = load(&request);
    (ingested, scenario.unwrap_or_else(|| panic!("{:?}", problems.items())))
}

fn origin(key: &str, scenario: &Scenario) -> String {
    explain(key, Some(scenario)).unwrap().origin.unwrap()
}

/// The metaspace and code cache that the recorded executors used come out of the scenario again: the model's non-heap memory counts
/// on 70 MiB of them, and only the difference moves it.
#[test]
fn executor_metrics_reach_the_scenario_and_explain_says_so() {
    let (ingested, scenario) = loaded("3.5.8-cache-metrics.zstd", &[]);
    let peaks: Vec<f64> = ingested.summary.executors.iter().map(|executor| executor.peak_non_heap_bytes as f64).filter(|peak| *peak > 0.0).collect();
    assert_eq!(peaks.len(), 2, "two executors with metrics");
    let usual = jvm::non_heap(Bytes::mib(512), jvm::threads(1), Bytes::ZERO, true, sim_core::spec::Collector::G1).as_f64();
    let want = usual - 70.0 * 1_048_576.0 + peaks.iter().sum::<f64>() / 2.0;
    let got = scenario.spec.uncertainty.non_heap.quantile(0.5) * usual;
    assert!((got / want - 1.0).abs() < 1e-3, "{got} {want}");
    assert_eq!(origin("uncertainty.non_heap", &scenario), "measured in 3 (recorded-cache), 2 executors");
    // A heap of 512 MiB was touched to more than half or was still growing; either way one of the two is measured, and the other says why not.
    let heap = ["uncertainty.heap_young_share", "uncertainty.heap_growth"].map(|key| origin(key, &scenario));
    assert!(heap.iter().any(|text| text.starts_with("measured in")), "{heap:?}");
    assert!(heap.iter().all(|text| text.starts_with("measured in") || text.contains("do not tell it")), "{heap:?}");
}

#[test]
fn what_the_user_sets_is_stronger_than_what_was_measured() {
    let (_, scenario) = loaded("3.5.8-cache-metrics.zstd", &["uncertainty.non_heap=1.5"]);
    assert_eq!(origin("uncertainty.non_heap", &scenario), "--set");
    assert_eq!(scenario.spec.uncertainty.non_heap.quantile(0.5), 1.5);
}

#[test]
fn without_executor_metrics_the_documented_defaults_hold_and_say_so() {
    let (_, scenario) = loaded("3.5.8-join-aqe.snappy", &[]);
    for key in ["uncertainty.heap_young_share", "uncertainty.heap_growth", "uncertainty.non_heap"] {
        let text = origin(key, &scenario);
        assert!(text.contains("default") && text.ends_with("do not tell it"), "{key}: {text}");
    }
    assert_eq!(scenario.spec.uncertainty.non_heap.quantile(0.5), 1.0);
    assert!((scenario.spec.uncertainty.heap_growth.quantile(0.5) - 2.1).abs() < 1e-9);
}

/// A stage that user code broke takes its slots until Spark gives it up; nothing of what the cluster did to a stage is work.
#[test]
fn a_stage_that_the_application_broke_is_work_and_a_lost_executor_is_not() {
    for name in ["2.4.8-fail.lz4", "3.3.4-fail.lzf", "3.5.8-fail", "eventlog_v2_4.0.5-fail-rolling"] {
        let log = ingest(&root().join("scenarios/tests/data/recorded").join(name)).unwrap();
        let broken: Vec<_> = log.profile.stages().iter().filter(|stage| stage.aborted).collect();
        assert_eq!(broken.len(), 1, "{name}");
        let last = log.profile.jobs().last().unwrap();
        assert_eq!(log.profile.stages()[*last.stages.last().unwrap()].name, broken[0].name, "{name}: its job ends with it");
        assert!(log.profile.evidence().unwrap().jobs.last().unwrap().failed, "{name}");
        assert_eq!(log.span.lost, SimSpan::ZERO, "{name}");
        let check = check(&log);
        let stage = check.stages.iter().find(|stage| stage.name == broken[0].name).unwrap();
        assert!(stage.recorded_s.unwrap() > 0.0 && stage.replayed_s > 0.0, "{name}: {stage:?}");
    }
    let killed = ingest(&root().join("scenarios/tests/data/recorded/3.5.8-kill.lz4")).unwrap();
    assert!(killed.profile.stages().iter().all(|stage| !stage.aborted));
    assert!(killed.span.lost > SimSpan::from_secs(10), "from the kill to the end of the fetch that it broke: {:?}", killed.span.lost);
}

/// What Spark's plans say of broadcast tables: the size is the driver's accumulator, and the stages before it do not hold it.
#[test]
fn broadcast_tables_are_held_from_the_job_on_that_can_use_them() {
    // Seven rows in the first page of a long hash relation, as the driver's updates in the logs say it; Spark 4.3 has larger pages.
    for (name, bytes) in
        [("2.4.8-mixed.lz4", 1_048_632), ("3.3.4-join-noaqe.lz4", 1_048_632), ("3.5.8-join-aqe.snappy", 1_048_632), ("4.3.0-join-aqe.zstd", 16_777_256)]
    {
        let log = ingest(&root().join("scenarios/tests/data/recorded").join(name)).unwrap();
        let holds: Vec<u64> = log.profile.stages().iter().map(|stage| stage.broadcast.get()).collect();
        assert_eq!(holds.iter().copied().filter(|bytes| *bytes > 0).collect::<Vec<_>>(), [bytes], "{name}: {holds:?}");
        let first = log.profile.stages().iter().position(|stage| !stage.broadcast.is_zero()).unwrap();
        assert!(first > 0, "{name}: the stage that makes it does not hold it");
    }
}

/// Jobs that ran at the same time are joined in the profile and stay apart in its evidence.
#[test]
fn jobs_keep_when_they_ran_and_which_stages_were_theirs() {
    for (name, log) in logs() {
        let evidence = log.profile.evidence().unwrap();
        assert_eq!(evidence.jobs.len() as u64, log.summary.totals.jobs, "{name}");
        assert_eq!(evidence.jobs[0].started, SimSpan::ZERO, "{name}");
        assert!(evidence.jobs.iter().all(|job| job.ended.is_some_and(|end| end >= job.started)), "{name}");
        let known = |job: Option<u64>| job.is_some_and(|job| evidence.jobs.iter().any(|known| known.id == job));
        assert!(log.profile.stages().iter().all(|stage| known(stage.job)), "{name}");
    }
}

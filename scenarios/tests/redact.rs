//! What a redacted log keeps, and that it keeps nothing else.

use std::io::Read;
use std::path::{Path, PathBuf};

use scenarios::event_log::{Ingested, RedactError, ingest, ingest_redacted, redact_log};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recorded")
}

/// All recorded logs.
fn logs() -> Vec<PathBuf> {
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(folder().join("expected.json")).unwrap()).unwrap();
    let mut logs: Vec<PathBuf> = expected.as_object().unwrap().keys().map(|name| folder().join(name)).collect();
    logs.extend(["train-2-02.json.zst", "factorial-200.json.zst"].map(|name| folder().parent().unwrap().join(name)));
    logs
}

/// Redacts a log into a file of this name and ingests that.
fn through(log: &Path, dir: &Path, name: &str) -> (PathBuf, Ingested) {
    let path = dir.join(name);
    redact_log(&[log.to_owned()], name, Box::new(std::fs::File::create(&path).unwrap())).unwrap();
    let ingested = ingest(&path).unwrap();
    (path, ingested)
}

#[test]
fn a_redacted_log_gives_the_same_work_and_the_redacted_profile() {
    let dir = tempfile::tempdir().unwrap();
    for log in logs() {
        let name = log.display();
        let original = ingest(&log).unwrap();
        let (_, redacted) = through(&log, dir.path(), "redacted");
        assert_eq!(redacted.summary.totals, original.summary.totals, "{name}");
        assert_eq!(redacted.summary.truncated, original.summary.truncated, "{name}");
        let numbers = |ingested: &Ingested| {
            let mut stages = ingested.profile.stages().to_vec();
            stages.iter_mut().for_each(|stage| stage.title = None);
            stages
        };
        assert_eq!(numbers(&redacted), numbers(&original), "{name}");
        assert_eq!((redacted.profile.input(), redacted.profile.jobs()), (original.profile.input(), original.profile.jobs()), "{name}");
        let evidence = |ingested: &Ingested| {
            let mut evidence = ingested.profile.evidence().unwrap().clone();
            evidence.application = None;
            // Names of RDDs hold queries.
            evidence.rdds.iter_mut().for_each(|rdd| rdd.name.clear());
            // Hosts keep who shares one, not their order.
            let mut seen = Vec::new();
            for executor in &mut evidence.executors {
                executor.host = executor.host.map(|host| {
                    let place = seen.iter().position(|known| *known == host).unwrap_or_else(|| {
                        seen.push(host);
                        seen.len() - 1
                    });
                    place.try_into().unwrap()
                });
            }
            // Of the reason for a loss only the exit code is kept: the text may name commands and hosts.
            for executor in &mut evidence.executors {
                executor.reason = executor.reason.take().map(|reason| reason[reason.find("exited with code").unwrap_or(0)..].to_owned());
            }
            let master = evidence.conf.get_mut("spark.master").unwrap();
            if master.starts_with("spark://") {
                *master = "spark://redacted".to_owned();
            }
            evidence
        };
        assert_eq!(evidence(&redacted), evidence(&original), "{name}");
        assert_eq!(
            ingest_redacted(std::slice::from_ref(&log)).unwrap().profile,
            redacted.profile,
            "{name}: the redacted profile is the profile of the redacted log"
        );
        // Nothing more to take out: redaction of the redacted changes nothing.
        let (first, _) = through(&log, dir.path(), "redacted");
        let (second, _) = through(&first, dir.path(), "again");
        assert!(std::fs::read(first).unwrap() == std::fs::read(second).unwrap(), "{name}");
    }
}

const MARK: &str = "Zq7acme";

/// Marks every text but the kinds of events, and every key of a map of names. Without `all` the words by which a task
/// counts as finished stay, so that its other texts are reached.
fn plant(value: &mut Value, key: &str, all: bool) {
    match value {
        Value::String(text) if key != "Event" && (all || !["Reason", "Task Type"].contains(&key)) => text.push_str(MARK),
        Value::Array(items) => {
            items.iter_mut().for_each(|item| plant(item, key, all));
            items.push(MARK.into());
        }
        Value::Object(map) => {
            map.iter_mut().for_each(|(key, value)| plant(value, key, all));
            let named =
                key.ends_with("Properties") || key.ends_with("Requests") || ["Log Urls", "Attributes", "JVM Information", "modifiedConfigs"].contains(&key);
            if named {
                map.insert(format!("spark.executor.{MARK}"), 1.into());
                map.insert("spark.driver.memory".to_owned(), MARK.into());
                map.insert("spark.ssl.keyPassword".to_owned(), MARK.into());
            }
        }
        _ => {}
    }
}

/// Every text of every event is a planted secret here, and none comes out, in a log or in a profile.
#[test]
fn no_planted_secret_comes_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut planted = 0;
    for name in ["3.5.8-fail", "4.3.0-cache"] {
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        let mut out = String::new();
        for line in text.lines() {
            let mut event: Value = serde_json::from_str(line).unwrap();
            for all in [true, false] {
                let mut event = event.clone();
                event.as_object_mut().unwrap().iter_mut().for_each(|(key, value)| plant(value, key, all));
                out.extend([event.to_string(), "\n".to_owned()]);
            }
            event["Event"] = format!("com.{MARK}.Event").into();
            out.extend([event.to_string(), format!("\nnot json {MARK}\n")]);
        }
        planted += out.matches(MARK).count();
        let log = dir.path().join(format!("app-{MARK}"));
        std::fs::write(&log, &out).unwrap();
        let (path, _) = through(&log, dir.path(), "redacted.gz");
        let mut redacted = String::new();
        flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut redacted).unwrap();
        assert!(redacted.lines().count() > text.lines().count(), "the events themselves are there");
        assert!(!redacted.contains("Zq7"), "{}", &redacted[redacted.find("Zq7").unwrap().saturating_sub(200)..][..260]);
        let profile = ingest_redacted(&[log]).unwrap().profile.to_toml();
        assert!(!profile.contains("Zq7"));
    }
    assert!(planted > 10_000, "{planted}");
}

/// The texts of a real log, not marked: whatever is not on a list of Spark's own words is gone.
#[test]
fn texts_of_real_logs_do_not_come_out() {
    let dir = tempfile::tempdir().unwrap();
    for log in logs() {
        let (path, _) = through(&log, dir.path(), "redacted");
        let text = std::fs::read_to_string(&path).unwrap();
        for secret in [
            "localhost",
            "127.0.0.1",
            "recorder",
            "/data",
            "/opt",
            "/jobs",
            "jobs.py",
            "recorded-",
            "file:",
            "cannot be read",
            "Traceback",
            "java.base",
            "local-1",
            "sha1",
            "k#",
        ] {
            assert!(!text.contains(secret), "{secret} in {}", log.display());
        }
    }
}

#[test]
fn codecs_by_ending_and_refusals() {
    let dir = tempfile::tempdir().unwrap();
    let log = folder().join("3.5.8-fail");
    let (_, plain) = through(&log, dir.path(), "plain");
    for (name, magic) in
        [("a.zst", &[0x28, 0xb5, 0x2f, 0xfd][..]), ("a.zstd", &[0x28, 0xb5]), ("a.gz", &[0x1f, 0x8b]), ("a.lz4", b"LZ4Block"), ("a.snappy", b"\x82SNAPPY")]
    {
        let (path, ingested) = through(&log, dir.path(), name);
        assert!(std::fs::read(path).unwrap().starts_with(magic), "{name}");
        assert_eq!(ingested.summary, plain.summary, "{name}");
    }
    assert!(matches!(redact_log(&[log], "a.lzf", Box::new(std::io::sink())), Err(RedactError::Write(_))));
    let junk = dir.path().join("junk");
    std::fs::write(&junk, "junk").unwrap();
    assert!(matches!(redact_log(&[junk], "a", Box::new(std::io::sink())), Err(RedactError::Log(_))));
}

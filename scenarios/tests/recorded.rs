//! Logs that real Spark wrote, of every codec and several versions, against an independent reader; and broken ones.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use scenarios::event_log::{Ingested, ingest, ingest_all, ingest_stream};
use scenarios::profile::{Profile, ProfileConf};
use sim_core::units::Bytes;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recorded")
}

fn expected() -> serde_json::Map<String, serde_json::Value> {
    let text = std::fs::read_to_string(folder().join("expected.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap().as_object().unwrap().clone()
}

/// Files of all recorded logs.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for name in expected().keys() {
        let path = folder().join(name);
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.metadata().unwrap().len() > 0));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Files to break: without the one whose text is 20 MB.
fn small_files() -> Vec<PathBuf> {
    files().into_iter().filter(|path| !path.display().to_string().contains("volume")).collect()
}

fn recorded(name: &str) -> Ingested {
    ingest(&folder().join(name)).unwrap()
}

#[test]
fn every_number_equals_that_of_the_python_reader() {
    let expected = expected();
    assert!(expected.len() >= 16, "{} logs", expected.len());
    for (name, want) in &expected {
        let summary = serde_json::to_value(recorded(name).summary).unwrap();
        for (key, value) in want["totals"].as_object().unwrap() {
            assert_eq!(&summary["totals"][key], value, "{name}: total {key}");
        }
        assert_eq!(summary["totals"].as_object().unwrap().len(), want["totals"].as_object().unwrap().len(), "{name}: the reader knows all totals");
        assert_eq!(summary["spark_version"], want["spark_version"], "{name}");
        assert_eq!(summary["lines"]["read"], want["lines"], "{name}");
        assert_eq!(summary["lines"]["malformed"], 0, "{name}");
        assert_eq!(summary["truncated"], false, "{name}");
        let executors: Vec<_> = summary["executors"].as_array().unwrap().iter().filter(|e| !e["added_ms"].is_null()).map(|e| e["id"].clone()).collect();
        assert_eq!(serde_json::Value::from(executors), want["executors"], "{name}");
        let (stages, wanted) = (summary["stages"].as_array().unwrap(), want["stages"].as_array().unwrap());
        assert_eq!(stages.len(), wanted.len(), "{name}");
        for (stage, wanted) in stages.iter().zip(wanted) {
            for (key, value) in wanted.as_object().unwrap() {
                assert_eq!(&stage[key], value, "{name}: stage {} {key}", wanted["stage"]);
            }
        }
    }
}

/// The collection covers what it says it covers, by what is in the files and not by their names.
#[test]
fn the_recordings_cover_versions_codecs_and_mishaps() {
    let files = files();
    let starts = |magic: &[u8]| files.iter().filter(|path| std::fs::read(path).unwrap().starts_with(magic)).count();
    for magic in [&[0x28, 0xb5, 0x2f, 0xfd][..], b"LZ4Block", b"\x82SNAPPY\0", b"ZV", b"{\"Event\""] {
        assert!(starts(magic) >= 1, "{magic:?}");
    }
    let all: Vec<(String, Ingested)> = expected().keys().map(|name| (name.clone(), recorded(name))).collect();
    for version in ["3.3.", "3.5.", "4.0.", "4.3."] {
        assert!(all.iter().any(|(_, log)| log.summary.spark_version.as_ref().unwrap().starts_with(version)), "{version}");
    }
    for value in ["true", "false"] {
        let adaptive = |log: &Ingested| log.profile.evidence().unwrap().conf.get("spark.sql.adaptive.enabled").map_or("true", String::as_str) == value;
        assert!(all.iter().any(|(_, log)| adaptive(log)), "adaptive {value}");
    }
    assert!(all.iter().filter(|(_, log)| log.summary.totals.failed_tasks > 0).count() >= 3, "failed jobs");
    let killed = |log: &Ingested| log.summary.executors.iter().any(|e| e.removed_reason.as_ref().is_some_and(|reason| reason.contains("137")));
    assert!(all.iter().any(|(_, log)| killed(log)), "an executor killed by signal 9");
    assert!(
        all.iter().any(|(_, log)| log.profile.stages().iter().any(|stage| stage.input == sim_core::spec::InputSource::Cached)),
        "cached rows that are read"
    );
    assert!(all.iter().any(|(_, log)| log.summary.executors.iter().any(|e| e.peak_rss_bytes > 0 && e.peak_heap_bytes > 0)), "executor metrics");
    assert!(all.iter().any(|(_, log)| log.summary.stages.iter().any(|stage| stage.attempt > 0)), "a stage that was tried again");
}

/// What one stage writes another reads, once per time it is read; nothing is read that nobody wrote.
#[test]
fn shuffle_bytes_are_conserved_in_the_graph() {
    for name in expected().keys() {
        let ingested = recorded(name);
        let failed = ingested.summary.totals.failed_tasks > 0;
        let app = ingested.profile.to_app(ingested.profile.input(), &conf());
        for stage in app.stages.iter().filter(|_| !failed) {
            let sum = |of: fn(&sim_core::spec::TaskRow) -> Bytes, stage: &sim_core::spec::StageSpec| -> u64 {
                let sim_core::spec::TaskWork::Recorded(rows) = &stage.work else { panic!("recorded") };
                rows.iter().map(|row| of(row).get()).sum()
            };
            let written: u64 = stage.reads.iter().map(|shuffle| sum(|row| row.shuffle_write, &app.stages[app.shuffles[*shuffle].writer])).sum();
            let read = sum(|row| row.shuffle_read, stage);
            assert!(read <= written, "{name}: {} reads {read} of {written}", stage.name);
        }
    }
}

#[test]
fn profiles_of_real_logs_read_back() {
    for name in expected().keys() {
        let profile = recorded(name).profile;
        assert_eq!(parse(&profile.to_toml()).as_ref(), Some(&profile), "{name}");
    }
}

fn parse(text: &str) -> Option<Profile> {
    let (profile, diagnostics) = Profile::parse(&scenarios::diag::Source::new("test.toml", text));
    assert!(!diagnostics.has_errors(), "{:?}", diagnostics.items());
    profile
}

fn conf() -> ProfileConf {
    ProfileConf { shuffle_partitions: None, max_partition_bytes: Bytes::mib(128), joins: None }
}

/// Bytes of a file under its own name, changed.
fn ingest_changed(path: &Path, bytes: Vec<u8>) -> Result<Ingested, scenarios::diag::Diagnostics> {
    ingest_stream(&path.file_name().unwrap().to_string_lossy(), std::io::Cursor::new(bytes))
}

/// Either a profile that reads back and makes an application, or an error with a hint.
fn sound(result: Result<Ingested, scenarios::diag::Diagnostics>) -> Result<(), TestCaseError> {
    match result {
        Ok(ingested) => {
            let again = parse(&ingested.profile.to_toml());
            prop_assert_eq!(again.as_ref(), Some(&ingested.profile));
            let app = ingested.profile.to_app(Bytes::gib(3), &conf());
            prop_assert!(app.jobs.iter().all(|job| !job.stages.is_empty() && job.stages.iter().all(|&stage| stage < app.stages.len())));
        }
        Err(problems) => {
            prop_assert!(problems.has_errors());
            prop_assert!(problems.items().iter().all(|problem| !problem.message.is_empty() && problem.hint.is_some()));
        }
    }
    Ok(())
}

/// Truncation at 200 random bytes, over all recorded files in turn: what is read is a prefix, and it is said that it is.
#[test]
fn cuts_at_200_random_bytes_give_a_partial_profile_or_a_clear_error() {
    let files: Vec<(PathBuf, Vec<u8>)> = small_files().into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut partial = 0;
    for cut in 0..200 {
        let (path, bytes) = &files[cut % files.len()];
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 33) as usize % bytes.len();
        let result = ingest_changed(path, bytes[..at].to_vec());
        if let Ok(ingested) = &result {
            partial += 1;
            assert!(ingested.summary.truncated && !ingested.summary.warnings.is_empty(), "{} cut at {at}", path.display());
            assert!(ingested.summary.lines.malformed <= 1);
        }
        sound(result).unwrap();
    }
    assert!(partial >= 60, "{partial} of 200 cuts leave something to read");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_in_any_file_never_panic(pick in any::<prop::sample::Index>(), flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..12)) {
        let files = small_files();
        let path = pick.get(&files);
        let mut bytes = std::fs::read(path).unwrap();
        for (at, bit) in &flips {
            *at.get_mut(&mut bytes) ^= 1 << bit;
        }
        sound(ingest_changed(path, bytes))?;
    }

    /// Junk behind the magic of each codec, under each name.
    #[test]
    fn junk_never_panics(
        magic in prop::sample::select(vec![&b""[..], &[0x28, 0xb5, 0x2f, 0xfd], &[0x1f, 0x8b, 8], b"LZ4Block\x25", &[4, 0x22, 0x4d, 0x18], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01", b"\xff\x06\0\0sNaPpY", b"ZV\x01", b"{\"Event\":\"SparkListener"]),
        junk in prop::collection::vec(any::<u8>(), 0..400),
        name in prop::sample::select(vec!["x", "x.zstd", "x.gz", "x.lz4", "x.snappy", "x.sz", "x.lzf", "x.lzf.inprogress", "events_1_x.zst.compact"]),
    ) {
        let result = ingest_stream(name, std::io::Cursor::new([magic, &junk].concat()));
        prop_assert!(result.is_err());
        sound(result)?;
    }
}

#[test]
fn empty_files_and_directories_are_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let says = |path: &Path, what: &str| {
        let problems = ingest(path).unwrap_err();
        let text = format!("{:?}", problems.items());
        assert!(text.contains(what) && problems.items()[0].hint.is_some(), "{what} in {text}");
    };
    says(dir.path(), "holds no event log");
    let rolled = dir.path().join("eventlog_v2_app-1");
    std::fs::create_dir(&rolled).unwrap();
    std::fs::write(rolled.join("appstatus_app-1.inprogress"), "").unwrap();
    says(&rolled, "holds no event log");
    std::fs::write(rolled.join("events_1_app-1"), "").unwrap();
    says(&rolled, "no lines");
    std::fs::write(dir.path().join("app-2"), "").unwrap();
    says(dir.path(), "2 logs");
    says(&dir.path().join("nowhere"), "cannot read");
}

#[test]
fn a_missing_rolling_file_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let name = "eventlog_v2_3.5.8-volume-rolling";
    let all = recorded(name);
    let mut parts: Vec<_> = std::fs::read_dir(folder().join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.retain(|path| !path.file_name().unwrap().to_string_lossy().contains("appstatus"));
    parts.sort();
    assert!(parts.len() >= 2, "{parts:?}");
    // Given one by one, and in the wrong order, they are the same log.
    parts.reverse();
    let again = ingest_all(&parts).unwrap();
    assert_eq!(again.summary, all.summary);
    assert_eq!(again.profile.stages(), all.profile.stages());
    for part in parts.iter().filter(|part| !part.file_name().unwrap().to_string_lossy().starts_with("events_1_")) {
        std::fs::copy(part, dir.path().join(part.file_name().unwrap())).unwrap();
    }
    let rest = ingest(dir.path()).unwrap();
    assert!(rest.summary.warnings.iter().any(|warning| warning.contains("events_1_* is missing")), "{:?}", rest.summary.warnings);
}

/// Databricks closes a file every while and packs it with gzip; the open one is called `eventlog`.
#[test]
fn databricks_files_are_one_log() {
    let text = std::fs::read(folder().join("3.5.8-fail")).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let dir = tempfile::tempdir().unwrap();
    let (third, metadata) = (lines.len() / 3, &b"{\"Event\":\"DBCEventLoggingListenerMetadata\",\"Rollover Number\":1}\n"[..]);
    for (name, part) in
        [("eventlog-2024-05-01--10-00.gz", &lines[..third]), ("eventlog-2024-05-01--10-30.gz", &lines[third..2 * third]), ("eventlog", &lines[2 * third..])]
    {
        let part = [metadata, &part.concat()].concat();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, &part).unwrap();
        std::fs::write(dir.path().join(name), if name.ends_with("gz") { gzip.finish().unwrap() } else { part }).unwrap();
    }
    let (rolled, whole) = (ingest(dir.path()).unwrap(), recorded("3.5.8-fail"));
    assert_eq!(rolled.summary.totals, whole.summary.totals);
    assert_eq!(rolled.profile.stages(), whole.profile.stages());
    assert_eq!(rolled.summary.lines.skipped, whole.summary.lines.skipped + 3);
}

/// A second attempt does the work again: it is not added, and of two attempts the one that got further counts.
#[test]
fn attempts_are_put_together_and_other_applications_refused() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(folder().join("4.3.0-cache")).unwrap();
    let id = text.split("\"App ID\":\"").nth(1).unwrap().split('"').next().unwrap();
    let attempt = |n: u32| text.replacen("\"App ID\":", &format!("\"App Attempt ID\":\"{n}\",\"App ID\":"), 1);
    let (first, second, other) = (dir.path().join("app_1"), dir.path().join("app_2"), dir.path().join("other"));
    let cut = attempt(1).len() * 2 / 3;
    std::fs::write(&first, &attempt(1)[..cut]).unwrap();
    std::fs::write(&second, attempt(2)).unwrap();
    std::fs::write(&other, text.replace(id, "local-1")).unwrap();
    for order in [[first.clone(), second.clone()], [second.clone(), first]] {
        let both = ingest_all(&order).unwrap();
        assert_eq!(both.profile.stages(), recorded("4.3.0-cache").profile.stages());
        assert!(both.summary.warnings.iter().any(|warning| warning.contains("app_1 is another attempt")), "{:?}", both.summary.warnings);
    }
    let problems = ingest_all(&[second, other]).unwrap_err();
    let text = format!("{:?}", problems.items());
    assert!(text.contains("different applications") && text.contains("`local-1`"), "{text}");
    assert!(ingest_all(&[]).unwrap_err().has_errors());
}

/// A log that is still being written ends in the middle of a line or block, and reading it takes no time to notice.
#[test]
fn reading_never_waits() {
    let path = folder().join("3.5.8-kill.lz4");
    let bytes = std::fs::read(&path).unwrap();
    let begun = std::time::Instant::now();
    let open = ingest_changed(Path::new("app.lz4.inprogress"), bytes[..bytes.len() - 1000].to_vec());
    assert!(open.is_ok() && begun.elapsed() < Duration::from_secs(60));
}

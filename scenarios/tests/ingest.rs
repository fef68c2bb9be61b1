//! The event-log reader against an independent one, and the laws of profiles.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use scenarios::diag::{Severity, Source};
use scenarios::event_log::{Ingested, ingest};
use scenarios::profile::{Profile, ProfileConf};
use sim_core::spec::{AppSpec, InputSource, SinkSpec, TaskCount, TaskRow, TaskWork};
use sim_core::units::{Bytes, SimSpan};

const BUILT_IN: &str = include_str!("../library/profiles/fixed-width-parse.toml");
const LOGS: [&str; 2] = ["train-2-02.json.zst", "factorial-200.json.zst"];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn plain(name: &str) -> Vec<u8> {
    zstd::decode_all(std::fs::File::open(data(name)).unwrap()).unwrap()
}

/// Ingests bytes under a file name.
fn ingest_bytes(name: &str, bytes: &[u8]) -> Result<Ingested, scenarios::diag::Diagnostics> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
    ingest(&path)
}

fn parse(text: &str) -> (Option<Profile>, scenarios::diag::Diagnostics) {
    Profile::parse(&Source::new("test.toml", text))
}

fn conf(shuffle_partitions: Option<u32>) -> ProfileConf {
    ProfileConf { shuffle_partitions, max_partition_bytes: Bytes::mib(128), joins: None }
}

fn stage_total(app: &AppSpec, stage: usize) -> TaskRow {
    let rows = match &app.stages[stage].work {
        TaskWork::Parametric(row) => std::slice::from_ref(row),
        TaskWork::Recorded(rows) => rows,
    };
    rows.iter().fold(TaskRow::ZERO, |sum, row| TaskRow {
        input: sum.input + row.input,
        shuffle_read: sum.shuffle_read + row.shuffle_read,
        shuffle_write: sum.shuffle_write + row.shuffle_write,
        output: sum.output + row.output,
        records: sum.records + row.records,
        cpu: sum.cpu + row.cpu,
        operator_memory: sum.operator_memory + row.operator_memory,
        writer_memory: sum.writer_memory + row.writer_memory,
        unmanaged: sum.unmanaged + row.unmanaged,
        allocated: sum.allocated + row.allocated,
        unspillable: sum.unspillable + row.unspillable,
    })
}

#[test]
fn every_total_equals_that_of_the_python_reader() {
    let expected: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(data("expected-totals.json")).unwrap()).unwrap();
    for log in LOGS {
        let summary = serde_json::to_value(ingest(&data(log)).unwrap().summary).unwrap();
        let want = &expected[log];
        assert_eq!(summary["totals"], want["totals"], "{log}");
        assert_eq!(summary["spark_version"], want["spark_version"]);
        assert_eq!(summary["lines"]["read"], want["lines"]);
        assert_eq!(summary["lines"]["malformed"], 0);
        assert_eq!(summary["truncated"], false);
        let executors: Vec<_> = summary["executors"].as_array().unwrap().iter().map(|e| e["id"].clone()).collect();
        assert_eq!(serde_json::Value::from(executors), want["executors"]);
        let (stages, wanted) = (summary["stages"].as_array().unwrap(), want["stages"].as_array().unwrap());
        assert_eq!(stages.len(), wanted.len());
        for (stage, wanted) in stages.iter().zip(wanted) {
            for (key, value) in wanted.as_object().unwrap() {
                assert_eq!(&stage[key], value, "{log}: stage {} {key}", wanted["stage"]);
            }
        }
    }
}

#[test]
fn the_summary_has_the_documented_keys_in_order() {
    let summary = serde_json::to_value(ingest(&data(LOGS[0])).unwrap().summary).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&summary), ["spark_version", "application", "totals", "stages", "executors", "lines", "truncated", "warnings"]);
    let totals =
        ["jobs", "stages", "stage_attempts", "tasks", "failed_tasks", "input_bytes", "shuffle_write_bytes", "shuffle_read_bytes", "spill_memory_bytes"];
    assert_eq!(keys(&summary["totals"])[..9], totals);
    assert_eq!(keys(&summary["totals"])[9..], ["spill_disk_bytes", "run_time_ms", "cpu_time_ns", "gc_time_ms"]);
    assert_eq!(keys(&summary["lines"]), ["read", "skipped", "malformed"]);
    assert_eq!(keys(&summary["stages"][0])[..3], ["stage", "attempt", "tasks"].map(str::to_owned)[..], "ids first");
}

/// The log of three hash shuffles and a sort: a chain, and all bytes written are read.
#[test]
fn stages_are_linked_to_the_shuffles_that_they_read() {
    let ingested = ingest(&data("factorial-200.json.zst")).unwrap();
    let app = ingested.profile.to_app(ingested.profile.input(), &conf(None));
    assert_eq!(app.jobs.len(), 1);
    assert_eq!(app.stages.iter().map(|s| s.reads.clone()).collect::<Vec<_>>(), [vec![], vec![0], vec![1], vec![2]]);
    assert_eq!(app.stages.iter().map(|s| s.sink).collect::<Vec<_>>(), [SinkSpec::Shuffle(0), SinkSpec::Shuffle(1), SinkSpec::Shuffle(2), SinkSpec::Result]);
    assert!(app.shuffles.iter().all(|shuffle| shuffle.partitions == 16));
    for stage in 1..4 {
        assert_eq!(stage_total(&app, stage).shuffle_read, stage_total(&app, stage - 1).shuffle_write);
    }
    // Rows are made by `spark.range`: the first shuffle stands for the input.
    assert_eq!(app.input, stage_total(&app, 0).shuffle_write);
    assert!(ingested.summary.warnings.iter().any(|w| w.contains("makes its rows itself")), "{:?}", ingested.summary.warnings);
}

/// Sorting by range samples first, in a job of its own that writes nothing.
#[test]
fn jobs_keep_their_order_and_the_time_between_them() {
    let ingested = ingest(&data("train-2-02.json.zst")).unwrap();
    let app = ingested.profile.to_app(ingested.profile.input(), &conf(None));
    assert_eq!(app.jobs.iter().map(|job| job.stages.clone()).collect::<Vec<_>>(), [vec![0], vec![1, 2]]);
    assert!(app.jobs[0].driver_gap > SimSpan::ZERO && app.jobs[0].driver_gap < SimSpan::from_secs(5), "{:?}", app.jobs[0].driver_gap);
    // `data size` of the exchange is 128 B a row, and the serializer adds 4.
    let writer = stage_total(&app, 1);
    assert_eq!(writer.writer_memory, Bytes::new(writer.records * 132));
    let evidence = ingested.profile.evidence().unwrap();
    assert_eq!(evidence.conf.get("spark.executor.memory").map(String::as_str), Some("640m"));
    assert!(evidence.executors.iter().all(|e| e.heap_peak > Bytes::ZERO && e.heap_peak < Bytes::mib(640) && e.rss_peak > e.heap_peak));
}

#[test]
fn profiles_read_back_what_they_write() {
    let mut profiles: Vec<Profile> = LOGS.map(|log| ingest(&data(log)).unwrap().profile).into();
    profiles.push(parse(BUILT_IN).0.unwrap());
    for profile in profiles {
        let (again, diagnostics) = parse(&profile.to_toml());
        assert_eq!(diagnostics.items(), []);
        assert_eq!(again.unwrap(), profile);
    }
}

#[test]
fn the_built_in_profile_is_the_case_study() {
    let (profile, diagnostics) = parse(BUILT_IN);
    assert_eq!(diagnostics.items(), []);
    let app = profile.unwrap().to_app(Bytes::new(3_000_000_000), &conf(None));
    assert_eq!(app.stages.len(), 11);
    assert_eq!(app.shuffles.len(), 8);
    assert!(app.shuffles.iter().all(|s| s.partitions == 200 && s.relocatable && !s.map_side_combine));
    assert!(matches!(app.stages[0].input, InputSource::Remote { .. }));
    let parse = stage_total(&app, 2);
    assert_eq!(parse.shuffle_write, Bytes::new(2_100_000_000));
    assert_eq!(parse.records, 23_437_500);
    assert_eq!(parse.cpu, SimSpan::from_secs(75));
    // 208 B a record as in A25: 1.6 × 128 is 204.8, and the serializer's 4.
    assert_eq!(parse.writer_memory, Bytes::new(4_800_000_000 + 4 * 23_437_500));
    assert_eq!(stage_total(&app, 10).shuffle_read, Bytes::new(2_100_000_000));
    assert_eq!(stage_total(&app, 3).unmanaged, Bytes::mib(20) * 200);
}

#[test]
fn totals_scale_with_the_input_and_task_counts_follow_it() {
    let (profile, _) = parse(BUILT_IN);
    let profile = profile.unwrap();
    let (one, three) = (profile.to_app(Bytes::new(3_000_000_000), &conf(None)), profile.to_app(Bytes::new(9_000_000_000), &conf(None)));
    for stage in 0..one.stages.len() {
        let (a, b) = (stage_total(&one, stage), stage_total(&three, stage));
        assert_eq!((a.shuffle_write * 3, a.cpu * 3, a.operator_memory * 3), (b.shuffle_write, b.cpu, b.operator_memory));
    }
    assert_eq!(one.stages[1].tasks, TaskCount::InputSplit(Bytes::mib(128)));
    assert_eq!(three.stages[3].tasks, TaskCount::Fixed(200));
    assert_eq!(profile.to_app(one.input, &conf(Some(64))).stages[3].tasks, TaskCount::Fixed(64));
    assert_eq!(profile.to_app(one.input, &conf(Some(64))).shuffles[0].partitions, 64);

    for log in LOGS {
        let profile = ingest(&data(log)).unwrap().profile;
        let (one, three) = (profile.to_app(profile.input(), &conf(None)), profile.to_app(profile.input() * 3, &conf(None)));
        for stage in 0..one.stages.len() {
            let (a, b) = (stage_total(&one, stage), stage_total(&three, stage));
            assert_eq!((a.shuffle_write * 3, a.cpu * 3, a.records * 3), (b.shuffle_write, b.cpu, b.records), "{log} stage {stage}");
            assert_eq!(a.unmanaged, b.unmanaged, "what a task holds does not grow");
            assert_eq!(one.stages[stage].tasks, three.stages[stage].tasks, "no stage of these logs reads storage");
        }
    }
}

const SMALL: &str = r#"
schema_version = 1
name = "small"
input = "1 GB"
max_partition_bytes = "128 MiB"
[[job]]
name = "all"
stages = ["scan", "sort"]
[[stage]]
name = "scan"
from = "local"
sink = "shuffle"
[stage.recorded]
columns = ["tasks", "input_bytes", "shuffle_write_bytes", "cpu_ns"]
rows = [[3, 300000000, 90, 9], [5, 700000000, 10, 1]]
[[stage]]
name = "sort"
reads = ["scan"]
sink = "result"
tasks = "shuffle-partitions"
[stage.recorded]
columns = ["shuffle_read_bytes"]
rows = [[60], [40]]
"#;

#[test]
fn recorded_stages_that_follow_the_input_get_more_tasks_of_the_same_size() {
    let profile = parse(SMALL).0.unwrap();
    let app = profile.to_app(Bytes::new(4_000_000_000), &ProfileConf { shuffle_partitions: Some(4), max_partition_bytes: Bytes::mib(64), joins: None });
    let TaskWork::Recorded(rows) = &app.stages[0].work else { panic!("recorded") };
    assert_eq!(rows.len(), 8 * 4 * 2, "four times the input in splits of half the size");
    assert_eq!(app.stages[0].tasks, TaskCount::InputSplit(Bytes::new(62_500_000)));
    assert_eq!(stage_total(&app, 0).input, Bytes::new(4_000_000_000));
    assert_eq!(stage_total(&app, 1).shuffle_read, stage_total(&app, 0).shuffle_write);
    assert_eq!((app.stages[1].tasks, app.shuffles[0].partitions), (TaskCount::Fixed(4), 4));
}

#[test]
fn all_problems_of_a_profile_come_at_once_with_their_places() {
    let text = BUILT_IN
        .replace("schema_version = 1", "schema_version = 2")
        .replace("reads = [\"pass-1\"]", "reads = [\"pass-one\"]")
        .replace("shuffle_write = 0.7\nrecord = \"128 B\"\nin_memory = 1.6\ncpu = \"40 MB/s\"", "shufle_write = 0.6\nrecord = 128.5\ncpu = \"40 MB\"")
        .replace("sink = \"result\"", "sink = \"nowhere\"");
    let (profile, diagnostics) = parse(&text);
    assert!(profile.is_none());
    let said: Vec<(usize, String)> =
        diagnostics.items().iter().map(|d| (d.place.as_ref().map_or(0, |p| p.source.line_column(p.span.start).0), d.message.clone())).collect();
    let has = |what: &str| said.iter().any(|(line, message)| message.contains(what) && text.lines().nth(line - 1).is_some());
    for what in [
        "schema version 1",
        "no stage called `pass-one`",
        "unknown key `shufle_write`",
        "`record` is not a size",
        "`cpu` is not a rate",
        "`sink` is not one of",
    ] {
        assert!(has(what), "{what} in {said:?}");
    }
    let typo = diagnostics.items().iter().find(|d| d.rule == "unknown-key").unwrap();
    assert_eq!(typo.hint.as_deref(), Some("did you mean `shuffle_write`?"));
    let place = typo.place.as_ref().unwrap();
    assert_eq!(&place.source.text[place.span.clone()], "shufle_write");
}

#[test]
fn stage_graphs_that_cannot_run_are_refused() {
    for (from, to, message) in [
        ("reads = [\"scan\"]", "reads = [\"sort\"]", "does not come before it"),
        ("sink = \"shuffle\"", "sink = \"result\"", "writes no shuffle"),
        ("sink = \"result\"", "sink = \"shuffle\"", "does not end with a result stage"),
        ("stages = [\"scan\", \"sort\"]", "stages = [\"sort\"]", "stage `scan` is in no job"),
        ("name = \"sort\"", "name = \"scan\"", "two stages are called"),
        ("input = \"1 GB\"", "input = 0", "`input` is zero"),
        ("rows = [[60], [40]]", "rows = [[60], [40, 1]]", "one value for each column"),
        ("rows = [[60], [40]]", "rows = []", "usable number of rows"),
        ("[\"shuffle_read_bytes\"]", "[\"shuffle_read\"]", "unknown column `shuffle_read`"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let (profile, diagnostics) = parse(&SMALL.replace(from, to));
        assert!(profile.is_none(), "{to}");
        assert!(diagnostics.items().iter().any(|d| d.message.contains(message)), "{message} in {:?}", diagnostics.items());
    }
}

#[test]
fn every_codec_gives_the_same_result() {
    let text = plain(LOGS[0]);
    let reference = ingest_bytes("log", &text).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&text).unwrap();
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    snappy.write_all(&text).unwrap();
    for (name, bytes) in [("log.gz", gzip.finish().unwrap()), ("log.sz", snappy.into_inner().unwrap()), ("log", std::fs::read(data(LOGS[0])).unwrap())] {
        let other = ingest_bytes(name, &bytes).unwrap();
        assert_eq!(other.summary, reference.summary, "{name}");
        assert_eq!(other.profile.stages(), reference.profile.stages(), "{name}");
    }
}

#[test]
fn rolling_files_are_one_log() {
    let text = plain(LOGS[0]);
    let middle = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(60).unwrap().0 + 1;
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("eventlog_v2_app-1");
    std::fs::create_dir(&log).unwrap();
    std::fs::write(log.join("appstatus_app-1"), "").unwrap();
    std::fs::write(log.join("events_10_app-1"), &text[middle..]).unwrap();
    std::fs::write(log.join("events_9_app-1.zstd"), zstd::encode_all(&text[..middle], 1).unwrap()).unwrap();
    let mut rolled = ingest(&log).unwrap();
    let gap = rolled.summary.warnings.remove(0);
    assert!(gap.contains("events_1_* is missing"), "{gap}");
    assert_eq!(rolled.summary, ingest_bytes("log", &text).unwrap().summary);
    assert_eq!(rolled.profile.name(), "app-1");
}

#[test]
fn a_log_that_breaks_off_gives_what_it_has_and_says_so() {
    let whole = ingest(&data(LOGS[0])).unwrap();
    let mut text = plain(LOGS[0]);
    text.truncate(text.len() * 3 / 4);
    let cut = ingest_bytes("app.inprogress", &text).unwrap();
    assert!(cut.summary.truncated && !cut.summary.warnings.is_empty());
    assert_eq!(cut.summary.lines.malformed, 1);
    assert!(cut.summary.totals.tasks < whole.summary.totals.tasks && cut.summary.totals.tasks > 0);
    assert!(cut.diagnostics.items().iter().all(|d| d.severity == Severity::Warning));
    let packed = std::fs::read(data(LOGS[1])).unwrap();
    let cut = ingest_bytes("app.zstd", &packed[..packed.len() * 9 / 10]).unwrap();
    assert!(cut.summary.truncated, "a compressed log that was cut");
}

/// A partition that ran again (its map output was lost) is counted in the totals and once in the work.
#[test]
fn repeated_partitions_count_once_as_work() {
    let text = String::from_utf8(plain(LOGS[1])).unwrap();
    let again: Vec<&str> = text.lines().filter(|line| line.contains("TaskEnd") && line.contains("\"Stage ID\":0,")).take(5).collect();
    let failed = again[0].replace("{\"Reason\":\"Success\"}", "{\"Reason\":\"FetchFailed\"}");
    let other = ingest_bytes("log", format!("{text}{}\n{failed}\n", again.join("\n")).as_bytes()).unwrap();
    let first = ingest_bytes("log", text.as_bytes()).unwrap();
    assert_eq!(other.summary.totals.tasks, first.summary.totals.tasks + 6);
    assert_eq!(other.summary.totals.failed_tasks, 1);
    let app = |i: &Ingested| i.profile.to_app(i.profile.input(), &conf(None));
    assert_eq!(app(&other), app(&first));
}

/// A later job that finds its shuffle files still there skips the map stage under a new stage id; the RDD tells which it is.
#[test]
fn skipped_stages_are_the_stages_that_wrote_the_shuffle() {
    let text = String::from_utf8(plain(LOGS[1])).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let job = lines.iter().find(|l| l.contains("SparkListenerJobStart")).unwrap();
    let mut event: serde_json::Value = serde_json::from_str(job).unwrap();
    // Second job: the sort stage again as stage 13, over stage 12, which stands for stage 2 and never runs.
    let infos = event["Stage Infos"].as_array_mut().unwrap();
    infos.retain(|info| [2, 3].contains(&info["Stage ID"].as_u64().unwrap()));
    for info in infos {
        info["Stage ID"] = (info["Stage ID"].as_u64().unwrap() + 10).into();
        let parent = if info["Stage ID"] == 12 { vec![] } else { vec![12] };
        info["Parent IDs"] = parent.into();
    }
    event["Job ID"] = 1.into();
    event["Submission Time"] = 1_900_000_000_000u64.into();
    let tasks = lines.iter().filter(|l| l.contains("TaskEnd") && l.contains("\"Stage ID\":3,")).map(|l| l.replace("\"Stage ID\":3,", "\"Stage ID\":13,"));
    let log = format!("{text}{event}\n{}\n", tasks.collect::<Vec<_>>().join("\n"));
    let app = ingest_bytes("log", log.as_bytes()).unwrap().profile.to_app(Bytes::gib(1), &conf(None));
    assert_eq!(app.stages.len(), 5);
    assert_eq!(app.stages[4].reads, app.stages[3].reads, "stage 13 reads what stage 3 read");
    assert_eq!(app.jobs.iter().map(|j| j.stages.clone()).collect::<Vec<_>>(), [vec![0, 1, 2, 3], vec![4]]);
}

#[test]
fn what_is_no_event_log_is_refused_with_a_reason() {
    for (name, bytes) in [("empty", &b""[..]), ("text", b"hello\nworld\n"), ("json", b"{\"a\": 1}\n"), ("log.lzf", b"ZV\x01\x00"), ("noise", &[0xff; 300])] {
        let diagnostics = ingest_bytes(name, bytes).unwrap_err();
        assert!(diagnostics.has_errors() && diagnostics.items().iter().all(|d| d.hint.is_some()), "{name}");
    }
    assert!(ingest(Path::new("no/such/log")).unwrap_err().has_errors());
    assert!(ingest_bytes("only-a-start", b"{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.1\"}\n").is_err());
}

/// Whatever the bytes: an error, or a profile that reads back and makes an application.
fn never_panics(name: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(ingested) = ingest_bytes(name, bytes) {
        let (again, diagnostics) = parse(&ingested.profile.to_toml());
        prop_assert!(!diagnostics.has_errors(), "{:?}", diagnostics.items());
        prop_assert_eq!(again.as_ref(), Some(&ingested.profile));
        let app = ingested.profile.to_app(Bytes::gib(3), &conf(Some(7)));
        let last = if ingested.profile.is_partial() { app.jobs.len() - 1 } else { app.jobs.len() };
        prop_assert!(app.jobs[..last].iter().all(|job| app.stages[*job.stages.last().unwrap()].sink == SinkSpec::Result));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_and_cuts_in_the_compressed_log_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 0..6), keep in 1usize..=100) {
        let mut bytes = std::fs::read(data(LOGS[0])).unwrap();
        for (at, bit) in &flips {
            *at.get_mut(&mut bytes) ^= 1 << bit;
        }
        bytes.truncate(bytes.len() * keep / 100);
        never_panics("log.zst", &bytes)?;
    }

    #[test]
    fn flipped_bits_and_cuts_in_the_plain_log_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 0..400), keep in 1usize..=100) {
        let mut bytes = plain(LOGS[1]);
        for (at, bit) in &flips {
            *at.get_mut(&mut bytes) ^= 1 << bit;
        }
        bytes.truncate(bytes.len() * keep / 100);
        never_panics("log", &bytes)?;
    }

    /// Numbers grow by many digits and stages point anywhere.
    #[test]
    fn absurd_numbers_never_panic(digits in prop::collection::vec((any::<prop::sample::Index>(), "[0-9]{1,19}"), 1..60)) {
        let text = String::from_utf8(plain(LOGS[1])).unwrap();
        let places: Vec<usize> = text.match_indices("\":").filter(|(at, _)| text.as_bytes().get(at + 2).is_some_and(u8::is_ascii_digit)).map(|(at, _)| at + 2).collect();
        let mut chosen: Vec<(usize, &String)> = digits.iter().map(|(at, d)| (*at.get(&places), d)).collect();
        chosen.sort();
        let mut out = text.clone();
        for (at, d) in chosen.iter().rev() {
            let end = at + text[*at..].bytes().take_while(u8::is_ascii_digit).count();
            if end <= out.len() && out.is_char_boundary(end) {
                out.replace_range(*at..end, d);
            }
        }
        never_panics("log", out.as_bytes())?;
    }

    #[test]
    fn changed_profiles_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..8)) {
        let mut text: Vec<char> = SMALL.chars().collect();
        for (at, c) in &flips {
            *at.get_mut(&mut text) = *c;
        }
        let source: Arc<Source> = Source::new("changed.toml", text.into_iter().collect::<String>());
        let (profile, diagnostics) = Profile::parse(&source);
        prop_assert_eq!(profile.is_none(), diagnostics.has_errors());
        for place in diagnostics.items().iter().filter_map(|d| d.place.as_ref()) {
            prop_assert!(place.span.end <= source.text.len());
        }
        if let Some(profile) = profile {
            profile.to_app(Bytes::MAX, &conf(None));
        }
    }
}

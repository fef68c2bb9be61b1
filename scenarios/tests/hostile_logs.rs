//! Logs that are not what they should be: each is refused with what was found, what was expected and one thing to try, or
//! gives what it has with warnings that count.

mod generated;

use std::io::{Cursor, Write};
use std::path::Path;

use generated::{Lines, job_of_one_stage, log};
use scenarios::diag::{Diagnostic, Severity};
use scenarios::event_log::{Ingested, ingest, ingest_all, ingest_stream};

fn good() -> String {
    std::io::read_to_string(Lines::new(log(job_of_one_stage(0, 3)))).expect("UTF-8")
}

/// The one problem of a log that is refused.
fn refusal(name: &str, bytes: &[u8]) -> Diagnostic {
    let problems = ingest_stream(name, Cursor::new(bytes.to_vec())).expect_err(name);
    problem(problems.items())
}

fn problem(problems: &[Diagnostic]) -> Diagnostic {
    let [problem] = problems else { panic!("{problems:?}") };
    assert_eq!(problem.severity, Severity::Error);
    assert!(problem.expected.is_some() && problem.hint.is_some(), "{problem:?}");
    problem.clone()
}

fn refused_path(path: &Path) -> Diagnostic {
    let problems = ingest(path).expect_err("no log");
    let problem = problem(problems.items());
    assert!(problem.message.contains(path.to_str().unwrap()), "{problem:?}");
    problem
}

fn has_warning(ingested: &Ingested, what: &str) -> bool {
    ingested.summary.warnings.iter().any(|warning| warning.contains(what))
}

#[test]
fn what_is_no_log_is_recognised() {
    let utf16: Vec<u8> = good().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe][..], &utf16].concat();
    for (name, bytes, found, hint) in [
        ("empty", &b""[..], "no lines", "spark.eventLog.dir"),
        ("blank", b"\n \n\t\n", "no lines", "spark.eventLog.dir"),
        ("text", b"hello\nworld\n", "2 lines, none of them an event; line 1 is `hello`", "spark.eventLog.dir"),
        ("other", b"\n{\"level\":\"INFO\",\"msg\":\"started\"}\n", "line 2 is JSON without an `Event`", "spark.eventLog.dir"),
        ("nul", &[0; 5000], "line 1 is binary data", "unpack"),
        ("elf", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", "line 1 is binary data", "unpack"),
        ("utf16", &utf16, "line 1 is UTF-16 text", "iconv"),
        ("marked", &marked, "line 1 is UTF-16 text", "iconv"),
        ("cut", b"{\"Event\":\"SparkListenerLogSt", "line 1 is an event that is damaged or cut", "spark.eventLog.dir"),
        ("app.lzf", b"ZV\x01\x00", "it cannot be read further", "unpack"),
        ("app.zstd", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "it cannot be read further", ""),
    ] {
        let problem = refusal(name, bytes);
        assert!(problem.message.starts_with(name), "{name}: {problem:?}");
        assert!(problem.found.as_deref().unwrap_or_default().contains(found), "{name}: {problem:?}");
        assert!(problem.hint.as_deref().unwrap_or_default().contains(hint), "{name}: {problem:?}");
    }
}

#[test]
fn damage_inside_a_log_is_counted_and_placed() {
    let text = good();
    let lines: Vec<&str> = text.lines().collect();
    let (head, tail) = lines.split_at(3);
    let damaged = format!("{}\n\n\0\0\0\n{{\"level\":1}}\n{}\n", head.join("\n"), tail.join("\n"));
    let read = ingest_stream("log", Cursor::new(damaged)).unwrap();
    assert_eq!((read.summary.totals.tasks, read.summary.lines.malformed), (3, 2));
    assert!(has_warning(&read, "2 of ") && has_warning(&read, "the first, line 5 is binary data"), "{:?}", read.summary.warnings);
    // In a rolled log the part is named.
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("events_1_app"), &text).unwrap();
    std::fs::write(dir.path().join("events_2_app"), "hello\n").unwrap();
    let read = ingest(dir.path()).unwrap();
    assert!(has_warning(&read, "line 1 is `hello` (in events_2_app)"), "{:?}", read.summary.warnings);
}

/// A terabyte in a small file: two frames of zeros, then an event that must not be waited for.
#[test]
fn a_file_that_unpacks_to_nothing_without_end_is_given_up() {
    let mut packed = zstd::encode_all(good().as_bytes(), 1).unwrap();
    let zeros = zstd::encode_all(&vec![0; 64 << 20][..], 1).unwrap();
    (0..1000).for_each(|_| packed.extend(&zeros));
    let read = ingest_stream("app.zstd", Cursor::new(packed.clone())).unwrap();
    assert!(read.summary.truncated && has_warning(&read, "1 GiB without an event"), "{:?}", read.summary.warnings);
    assert_eq!(read.summary.totals.tasks, 3);
    let problem = refusal("bomb.zstd", &zeros.repeat(1000));
    assert!(problem.found.as_ref().unwrap().contains("1 GiB without an event"), "{problem:?}");
}

/// Frames that ask for gigabytes are refused before anything is allocated for them.
#[test]
fn blocks_and_windows_that_ask_for_too_much_are_refused() {
    let mut long = zstd::Encoder::new(Vec::new(), 1).unwrap();
    long.window_log(27).unwrap();
    long.write_all(good().as_bytes()).unwrap();
    let problem = refusal("app.zstd", &long.finish().unwrap());
    assert!(problem.found.as_ref().unwrap().contains("memory") && problem.hint.as_ref().unwrap().contains("--long"), "{problem:?}");
    let lz4 = [&b"LZ4Block"[..], &[0x2f], &u32::MAX.to_le_bytes(), &u32::MAX.to_le_bytes(), &[0; 4]].concat();
    assert!(refusal("app.lz4", &lz4).found.unwrap().contains("not a block"));
    let snappy = [&b"\x82SNAPPY\0"[..], &[0, 0, 0, 1, 0, 0, 0, 1], &(1u32 << 30).to_be_bytes()].concat();
    assert!(refusal("app.snappy", &snappy).found.unwrap().contains("too large"));
}

/// Long lines with nothing but lists of tiny items in them.
#[test]
fn lists_of_very_many_items_are_read() {
    let longest = 1 << 20;
    let items =
        |head: &str, item: &str, tail: &str| format!("{head}{}{tail}", vec![item; (longest - head.len() - tail.len() - 1) / (item.len() + 1)].join(","));
    let line = items("{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":{\"Stage ID\":0,\"RDD Info\":[", "{\"RDD ID\":1}", "]}}");
    let parents = items("{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":{\"Stage ID\":0,\"Parent IDs\":[", "1", "]}}");
    let stages = items("{\"Event\":\"SparkListenerJobStart\",\"Job ID\":7,\"Stage Infos\":[", "{\"Stage ID\":7}", "]}");
    let settings = items("{\"Event\":\"SparkListenerEnvironmentUpdate\",\"Spark Properties\":{", "\"a\":\"b\"", "}}");
    let read = ingest_stream("log", Cursor::new([line, parents, stages, settings, good()].join("\n"))).unwrap();
    assert_eq!((read.summary.lines.malformed, read.summary.totals.jobs, read.summary.totals.tasks), (0, 2, 3));
    let deep = format!("{{\"Event\":\"SparkListenerJobStart\",\"Job ID\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let read = ingest_stream("log", Cursor::new([deep, good()].join("\n"))).unwrap();
    assert_eq!(read.summary.totals.tasks, 3, "nested deeply");
}

/// Hosts that are called like parts of each other's replacement must not make a reason grow.
#[test]
fn reasons_do_not_grow_by_their_own_replacement() {
    let hosts: Vec<String> = "host-0123456789".chars().map(String::from).collect();
    let added = |host: &String| {
        format!(
            "{{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":5,\"Executor ID\":\"{host}\",\"Executor Info\":{{\"Host\":\"{host}\",\"Total Cores\":2}}}}\n"
        )
    };
    let removed =
        format!("{{\"Event\":\"SparkListenerExecutorRemoved\",\"Timestamp\":9,\"Executor ID\":\"h\",\"Removed Reason\":\"{}\"}}\n", "host ".repeat(80));
    let text: String = hosts.iter().map(added).chain([removed, good()]).collect();
    let read = ingest_stream("log", Cursor::new(text)).unwrap();
    assert!(read.profile.evidence().unwrap().executors.iter().all(|executor| executor.reason.as_ref().is_none_or(|reason| reason.len() <= 4000)));
}

#[test]
fn paths_that_are_no_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(refused_path(&dir.path().join("nowhere")).hint.unwrap().contains("path"));
    assert!(refused_path(dir.path()).message.contains("no event log"));
    std::fs::write(dir.path().join("app-1"), good()).unwrap();
    std::fs::write(dir.path().join("app-2"), good()).unwrap();
    let problem = refused_path(dir.path());
    assert!(problem.message.contains("2 logs") && problem.hint.unwrap().contains("name one"));
    assert!(ingest_all(&[]).is_err());
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    // Nobody writes to it: opening it would wait forever.
    if std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        let problem = refused_path(&pipe);
        assert!(problem.message.contains("named pipe") && problem.hint.unwrap().contains("/dev/stdin"));
        assert!(ingest(dir.path()).unwrap_err().items()[0].message.contains("named pipe"), "also as the only file of a directory");
    }
    if Path::new("/dev/zero").exists() {
        assert!(refused_path(Path::new("/dev/zero")).message.contains("a device"));
    }
    let socket = dir.path().join("socket");
    let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(refused_path(&socket).message.contains("a socket"));
}

#[cfg(unix)]
#[test]
fn a_file_without_the_right_to_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, good()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads it all the same.
    if std::fs::File::open(&path).is_err() {
        assert!(refused_path(&path).hint.unwrap().contains("right to read"));
    } else {
        assert!(ingest(&path).is_ok());
    }
}

#[test]
fn rolling_files_with_gaps_and_two_compactions_are_told() {
    let text = good();
    let dir = tempfile::tempdir().unwrap();
    for name in ["events_4_app.compact", "events_4_app.zstd.compact", "events_2_app.compact", "events_1_app", "events_4_app"] {
        std::fs::write(dir.path().join(name), &text).unwrap();
    }
    std::fs::write(dir.path().join("events_7_app"), "").unwrap();
    let read = ingest(dir.path()).unwrap();
    assert_eq!(read.summary.totals.tasks, 3, "one of six files has the tasks: the last compaction");
    assert!(has_warning(&read, "events_4_app.compact and events_4_app.zstd.compact have the same index"), "{:?}", read.summary.warnings);
    assert!(has_warning(&read, "events_5_* is missing"), "{:?}", read.summary.warnings);
}

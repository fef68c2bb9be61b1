//! The peak of the process while it reads a log and writes its profile. Alone in its file, because the peak is the process's.

#![cfg(target_os = "linux")]

mod generated;

use std::io;

use generated::{Lines, job_of_one_stage, log};
use scenarios::event_log::ingest_stream;
use scenarios::profile::MAX_STAGES;

/// Peak of the resident set, bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// As many stages as a profile has, and then a quarter more. That more tasks a stage take little more is for the command of
/// docs/guide/ingest.md; here it would take a minute.
#[test]
fn the_peak_is_bounded_and_does_not_grow_with_the_log() {
    let read = |stages: u64, tasks: u64| {
        let ingested = ingest_stream("log", Lines::new(log((0..stages).flat_map(move |id| job_of_one_stage(id, tasks))))).expect("a log");
        ingested.profile.write_toml(&mut io::sink()).expect("a sink takes all");
        assert_eq!(ingested.summary.totals.tasks, stages * tasks);
    };
    read(MAX_STAGES as u64, 2);
    let whole = peak();
    assert!(whole < 70_000_000, "{whole} bytes");
    read(MAX_STAGES as u64 * 5 / 4, 2);
    let longer = peak();
    assert!(longer - whole < 4 << 20, "{} KiB more for a longer log", (longer - whole) >> 10);
}

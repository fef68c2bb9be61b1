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

/// Stages of ten tasks as many as a profile has: the most that is kept in all. Then twice as many stages, and more tasks.
#[test]
fn the_peak_is_bounded_and_does_not_grow_with_the_log() {
    let read = |stages: u64, tasks: u64| {
        let ingested = ingest_stream("log", Lines::new(log((0..stages).flat_map(move |id| job_of_one_stage(id, tasks))))).expect("a log");
        ingested.profile.write_toml(&mut io::sink()).expect("a sink takes all");
        assert_eq!(ingested.summary.totals.tasks, stages * tasks);
    };
    read(MAX_STAGES as u64, 10);
    let whole = peak();
    assert!(whole < 100_000_000, "{whole} bytes");
    read(2 * MAX_STAGES as u64, 10);
    let longer = peak();
    assert!(longer - whole < 8 << 20, "{} MiB more for a log of twice the length", (longer - whole) >> 20);
}

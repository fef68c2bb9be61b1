//! What the event-log reader keeps is bounded by stated numbers, whatever the shape of the log, and totals stay exact.

mod generated;

use generated::{Lines, job_end, job_of_one_stage, job_start, log, stage_completed, stage_info, task_end};
use scenarios::event_log::{Ingested, ingest_stream};
use scenarios::profile::{MAX_ROWS, MAX_STAGES, Work};

/// Rows of a profile: the budget, or the fewest of each stage.
const MOST_ROWS: usize = if 10 * MAX_STAGES > 100_000 { 10 * MAX_STAGES } else { 100_000 };
/// Warnings: ten of each kind, and what was left out.
const MOST_WARNINGS: usize = 60;

/// Reads a log, and checks what holds for each.
fn read(inside: impl Iterator<Item = String> + 'static) -> Ingested {
    let ingested = ingest_stream("log", Lines::new(log(inside))).expect("a log with a finished task");
    let (stages, summary) = (ingested.profile.stages(), &ingested.summary);
    assert!(stages.len() <= MAX_STAGES && summary.stages.len() <= MAX_STAGES && ingested.profile.jobs().len() <= MAX_STAGES);
    assert!(summary.warnings.len() <= MOST_WARNINGS, "{} warnings", summary.warnings.len());
    let rows = |work: &Work| if let Work::Recorded(rows) = work { rows.len() } else { 0 };
    assert!(stages.iter().all(|stage| rows(&stage.work) <= MAX_ROWS));
    assert!(stages.iter().map(|stage| rows(&stage.work)).sum::<usize>() <= MOST_ROWS);
    ingested
}

fn warned(ingested: &Ingested, what: &str) -> bool {
    ingested.summary.warnings.iter().any(|warning| warning.contains(what))
}

#[test]
fn stages_beyond_the_limit_are_in_the_totals_only_and_told() {
    let beyond = 100;
    let read = read((0..MAX_STAGES as u64 + beyond).flat_map(|id| job_of_one_stage(id, 1)));
    let totals = read.summary.totals;
    assert_eq!((totals.jobs, totals.stages, totals.stage_attempts, totals.tasks), (20_100, 20_100, 20_100, 20_100));
    assert_eq!((totals.input_bytes, totals.run_time_ms), (100 * 20_100, 10 * 20_100));
    assert_eq!((read.profile.stages().len(), read.profile.jobs().len(), read.summary.stages.len()), (MAX_STAGES, MAX_STAGES, MAX_STAGES));
    assert!(warned(&read, "20100 stages and a profile at most 20000: 100 tasks of later stages, 0 % of the run time"), "{:?}", read.summary.warnings);
    assert!(warned(&read, "20100 stage attempts"));
}

/// An iterative application: each job lists the stages of all jobs before it anew, and skips them.
#[test]
fn skipped_stages_make_room_and_their_readers_know_the_writer() {
    let (jobs, depth) = (700u64, 30u64);
    let rdd = |n: u64| format!("{{\"RDD ID\":{n}}}");
    let lines = (0..jobs).flat_map(move |job| {
        // Stages job * 100 + 0, 1, 2 ... list RDDs from `job - depth` on; only the last two run.
        let first = job.saturating_sub(depth);
        let id = |n: u64| job * 100 + (n - first);
        let info = |n: u64| stage_info(id(n), 0, 1, &rdd(n), &if n > first { vec![id(n - 1)] } else { Vec::new() });
        let mut infos: Vec<String> = (first..=job).map(info).collect();
        let result = id(job) + 1;
        infos.push(stage_info(result, 0, 1, &rdd(1_000_000 + job), &[id(job)]));
        let run = [(id(job), "ShuffleMapTask", infos[infos.len() - 2].clone()), (result, "ResultTask", infos[infos.len() - 1].clone())];
        let start = job_start(job, &infos);
        let ran = run.into_iter().flat_map(|(stage, kind, info)| [task_end(stage, 0, 0, "1", kind), stage_completed(&info)]);
        [start].into_iter().chain(ran).chain([job_end(job)]).collect::<Vec<_>>()
    });
    let read = read(lines);
    assert_eq!(read.summary.totals.stages, 2 * jobs, "those that ran");
    assert_eq!(read.profile.stages().len(), 2 * jobs as usize);
    for pair in 1..jobs as usize {
        let (map, result) = (&read.profile.stages()[2 * pair], &read.profile.stages()[2 * pair + 1]);
        assert_eq!((&map.reads[..], &result.reads[..]), (&[2 * pair - 2][..], &[2 * pair][..]), "job {pair}");
    }
    assert!(!warned(&read, "not in the log") && !warned(&read, "later stages"), "{:?}", read.summary.warnings);
}

#[test]
fn many_attempts_of_a_stage_are_counted_and_the_first_listed() {
    let attempts = 20_500;
    let lines = (0..attempts).map(|attempt| task_end(0, attempt, attempt % 10, "1", "ResultTask"));
    let read = read([job_start(0, &[stage_info(0, 0, 10, "", &[])])].into_iter().chain(lines).chain([job_end(0)]));
    assert_eq!((read.summary.totals.stages, read.summary.totals.stage_attempts, read.summary.totals.tasks), (1, attempts, attempts));
    assert_eq!((read.summary.stages.len(), read.profile.stages()[0].attempts), (MAX_STAGES, attempts as u32));
    assert!(warned(&read, "20500 stage attempts; the first 20000 are listed"));
}

#[test]
fn executors_beyond_the_limit_are_counted() {
    let added = |n: u64| {
        format!(
            "{{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":5,\"Executor ID\":\"{n}\",\"Executor Info\":{{\"Host\":\"h{n}\",\"Total Cores\":2}}}}"
        )
    };
    let removed = |n: u64| format!("{{\"Event\":\"SparkListenerExecutorRemoved\",\"Timestamp\":9,\"Executor ID\":\"{n}\",\"Removed Reason\":\"lost h{n}\"}}");
    let lines = (0..5_200).flat_map(move |n| {
        let end = Some(removed(n)).filter(|_| n % 50 == 0);
        [added(n), task_end(0, 0, n, &n.to_string(), "ResultTask")].into_iter().chain(end)
    });
    let read = read(lines);
    assert_eq!((read.summary.totals.tasks, read.summary.executors.len()), (5_200, 5_000));
    assert!(warned(&read, "200 executors came after the first 5000"), "{:?}", read.summary.warnings);
}

#[test]
fn rdds_parents_reasons_and_texts_are_bounded() {
    let level = "\"Storage Level\":{\"Use Memory\":true,\"Deserialized\":true,\"Replication\":1}";
    let rdds = move |stage: u64| {
        (0..60).map(move |n| format!("{{\"RDD ID\":{},\"Name\":\"{}\",{level}}}", stage * 1000 + n, "n".repeat(300))).collect::<Vec<_>>().join(",")
    };
    let parents: Vec<u64> = (0..15_000).collect();
    let failed = |stage: u64, n: u64| {
        task_end(stage, 0, n, "1", "ResultTask").replace("{\"Reason\":\"Success\"}", &format!("{{\"Reason\":\"reason {stage} {n} {}\"}}", "x".repeat(500)))
    };
    let lines = (0..30).flat_map(move |stage| {
        let info = stage_info(stage, 0, 1, &rdds(stage), if stage < 20 { &parents } else { &[] }).replace("collect at", &"long name".repeat(200));
        let failures = (0..20).map(move |n| failed(stage, n));
        [job_start(stage, &[info])].into_iter().chain(failures).chain([task_end(stage, 0, 0, "1", "ResultTask"), job_end(stage)])
    });
    let read = read(lines);
    assert_eq!((read.summary.totals.tasks, read.summary.totals.failed_tasks), (30 * 21, 30 * 20));
    assert_eq!(read.profile.evidence().unwrap().rdds.len(), 1000);
    let failures: usize = read.profile.stages().iter().map(|stage| stage.failures.len()).sum();
    assert!(failures <= 30 * 17, "{failures} reasons");
    assert!(read.profile.stages().iter().all(|stage| stage.failures.values().sum::<u64>() == 20 && stage.title.as_ref().unwrap().len() <= 400));
    assert!(warned(&read, "more than 1000 persisted RDDs") && warned(&read, "more parents, persisted RDDs"), "{:?}", read.summary.warnings);
}

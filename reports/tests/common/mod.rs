//! Reports made by hand: the simulator is not needed to test how results are shown.

#![allow(dead_code, reason = "each test file uses a part of the samples")]

use reports::{AxisInfo, Header, Place, PointReport, Story, SweepReport};
use serde_json::{Value, json};
use sim_core::observe::{Observer, Timeline};
use sim_core::plan::NodeLines;
use sim_core::record::{Cause, Ending, FailureReason, Holder, Incident, Level, MemoryClass, Outcome, Party, StageRecord, Truncation};
use sim_core::study::PointResult;
use sim_core::units::{Bytes, SimSpan, SimTime};

pub(crate) fn outcome(replication: u64, cause: Option<Cause>, node_peak_gib: f64) -> Outcome {
    let oom = cause.is_some_and(Cause::is_oom);
    let level = match cause {
        Some(Cause::Heap) => Level::Heap,
        Some(Cause::Container) => Level::Pod,
        Some(Cause::Eviction) => Level::Eviction,
        Some(Cause::ScratchFull) => Level::Volume,
        _ => Level::Kubepods,
    };
    let incidents = cause.into_iter().map(|cause| Incident {
        at: SimTime::from_ns(80_000_000_000),
        cause,
        level,
        victim: Party::Executor(2),
        shown: sim_core::shown::Shown { reason: sim_core::shown::Reason::OomKilled, exit_code: Some(137) },
        node: 0,
        stage: Some(1),
        used: Bytes::gib(58),
        limit: Bytes::gib(58),
        node_memory: Bytes::gib(60),
        holders: vec![
            Holder { party: Party::Executor(2), class: MemoryClass::Tmpfs, bytes: Bytes::gib(24) },
            Holder { party: Party::Executor(2), class: MemoryClass::Heap, bytes: Bytes::gib(16) },
        ],
    });
    Outcome {
        replication,
        ending: if oom { Ending::Failed(FailureReason::TaskFailures) } else { Ending::Succeeded },
        duration: SimSpan::from_ms(100_000 + replication * 40),
        incidents: incidents.collect(),
        executors_lost: if oom { 3 } else { 0 },
        executors_pending: 0,
        executors_injected: 0,
        node_peak: Bytes::from_f64(node_peak_gib * 1_073_741_824.0),
        node_before_shuffle: Bytes::gib(20),
        pod_peak: Bytes::gib(17),
        scratch_peak: Bytes::gib(9),
        shuffle_write: Bytes::gib(30),
        spill: Bytes::gib(4),
        task_ooms: 0,
        swap_out: Bytes::ZERO,
        stages: vec![StageRecord::default(); 3],
        events: 5000,
        event_hash: replication,
    }
}

/// `n` replications of which `hits` die of `cause`, spread evenly, and `evicted` more are evicted.
pub(crate) fn result(n: u64, hits: u64, cause: Cause, evicted: u64, peak: f64) -> PointResult {
    let outcomes: Vec<Outcome> = (0..n)
        .map(|i| {
            let died = (i + 1) * hits / n > i * hits / n;
            let cause = if died {
                Some(cause)
            } else if i < evicted {
                Some(Cause::Eviction)
            } else {
                None
            };
            let wobble = ((i * 7919) % 1000) as f64 / 1000.0 + ((i * 104_729) % 1000) as f64 / 1000.0 - 1.0;
            outcome(i, cause, peak * (1.0 + 0.12 * wobble))
        })
        .collect();
    PointResult::fold(&outcomes, 0.95)
}

pub(crate) fn header() -> Header {
    Header {
        scenario: "aks-migration".into(),
        title: "A job that ran on YARN moves to Kubernetes".into(),
        version: "0.1.0".into(),
        fingerprint: "0123456789abcdef".into(),
        seed: 1,
        command: "spillcast sweep aks-migration -n 400 --seed 1 -o out".into(),
    }
}

pub(crate) fn names(name: &str, title: &str, labels: &[&str]) -> AxisInfo {
    AxisInfo { name: name.into(), title: title.into(), unit: None, labels: labels.iter().map(|&l| l.to_owned()).collect(), numbers: None, settings: Vec::new() }
}

pub(crate) fn numbers(name: &str, title: &str, unit: &str, values: &[f64]) -> AxisInfo {
    AxisInfo {
        name: name.into(),
        title: title.into(),
        unit: Some(unit.into()),
        labels: values.iter().map(f64::to_string).collect(),
        numbers: Some(values.to_vec()),
        settings: Vec::new(),
    }
}

/// A report over axes; `of` gives the result at a position.
pub(crate) fn sweep(axes: Vec<AxisInfo>, of: impl Fn(&[usize]) -> PointResult) -> SweepReport {
    let mut report = SweepReport { header: header(), axes, points: Vec::new(), interrupted: false, stories: Vec::new() };
    for index in 0..report.grid_len() {
        let at = report.position(index);
        let coordinate = |(axis, at): (&AxisInfo, &usize)| {
            let value: Value = axis.numbers.as_ref().map_or_else(|| json!(axis.labels[*at]), |n| json!(n[*at]));
            (axis.name.clone(), value)
        };
        report.points.push(PointReport {
            coordinates: report.axes.iter().zip(&at).map(coordinate).collect(),
            labels: report.axes.iter().zip(&at).map(|(axis, at)| axis.labels[*at].clone()).collect(),
            fingerprint: format!("{index:016x}"),
            result: of(&at),
            executors_wanted: 4,
            place: Some(Place { node: "pool-0".into(), stage: "map".into() }),
        });
    }
    report
}

/// Two settings of two values; only tmpfs + packed dies.
pub(crate) fn factorial() -> SweepReport {
    let axes = vec![names("spark.kubernetes.local.dirs.tmpfs", "scratch", &["disk", "tmpfs"]), names("job.placement", "placement", &["spread", "packed"])];
    let mut report = sweep(axes, |at| match at {
        [1, 1] => result(400, 392, Cause::Node, 0, 61.0),
        [1, 0] => result(400, 2, Cause::Container, 3, 40.0),
        [0, 1] => result(400, 0, Cause::Node, 0, 31.0),
        _ => result(400, 0, Cause::Node, 0, 20.0),
    });
    report.stories = vec![story("tmpfs + packed", true), story("disk + packed", false)];
    report
}

/// P(OOM) that rises along a numeric axis.
pub(crate) fn rising() -> SweepReport {
    let axes = vec![numbers("job.input", "input", "GB", &[0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])];
    let hits = [2, 2, 9, 30, 61, 88, 98];
    sweep(axes, |at| result(100, hits[at[0]], Cause::Node, 1, 20.0 + 6.0 * at[0] as f64))
}

/// A numeric grid with a slope in both directions.
pub(crate) fn plane() -> SweepReport {
    let axes = vec![
        numbers("cluster.pool.count", "nodes", "", &[2.0, 3.0, 4.0, 6.0, 8.0]),
        numbers("job.input", "input", "GB", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
    ];
    sweep(axes, |at| {
        let z = 1.1 * at[1] as f64 - 1.4 * at[0] as f64 - 1.2;
        let p = 1.0 / (1.0 + (-z).exp());
        result(200, (200.0 * p).round() as u64, Cause::Node, 4, 25.0 + 3.0 * z)
    })
}

/// One axis of names, with all kinds of causes.
pub(crate) fn named() -> SweepReport {
    let axes = vec![names("spark.local", "scratch volume", &["emptyDir on disk", "emptyDir in memory", "hostPath on NVMe", "network volume"])];
    sweep(axes, |at| match at[0] {
        0 => result(200, 4, Cause::Container, 20, 30.0),
        1 => result(200, 180, Cause::Node, 0, 58.0),
        2 => result(20, 9, Cause::Heap, 0, 33.0),
        _ => result(200, 120, Cause::ScratchFull, 30, 28.0),
    })
}

/// A single run.
pub(crate) fn run(hits: u64) -> SweepReport {
    let mut report = sweep(Vec::new(), |_| result(1000, hits, Cause::Node, 5, 57.0));
    report.header.command = "spillcast run aks-migration -n 1000 --seed 1".into();
    report.stories = vec![story("as it is", hits > 0)];
    report
}

/// A run whose executors had to wait, and some of whose replications never ended.
pub(crate) fn starved() -> SweepReport {
    let outcomes: Vec<Outcome> = (0..200)
        .map(|i| {
            let mut o = outcome(i, None, 30.0);
            o.executors_pending = 2 + u32::from(i % 3 == 0);
            if i % 50 == 0 {
                o.ending = Ending::Truncated(Truncation::Starved);
            }
            o
        })
        .collect();
    sweep(Vec::new(), |_| PointResult::fold(&outcomes, 0.95))
}

/// Memory that climbs, falls at each kill, and ends.
pub(crate) fn story(title: &str, dies: bool) -> Story {
    let mut timeline = Timeline::new(SimSpan::from_ms(200));
    let at = |s: f64| SimTime::from_ns((s * 1e9) as u64);
    timeline.stage_started(at(8.0), 0, 0);
    for executor in 1..=2 {
        timeline.placed(at(f64::from(executor)), executor, 0);
    }
    let kills: &[f64] = if dies { &[75.0, 88.0, 103.0, 120.0, 157.0] } else { &[] };
    let end = if dies { 162.0 } else { 84.0 };
    let gib = |v: f64| Bytes::from_f64(v.max(0.0) * 1_073_741_824.0);
    let (mut scratch, mut heap, mut cache, mut killed) = (0.0, 0.0, 0.2, 0);
    let mut stage = 0;
    for step in 0..=(end * 4.0) as u32 {
        let t = f64::from(step) / 4.0;
        heap = f64::min(heap + if t < 20.0 { 0.35 } else { 0.05 }, 32.0);
        if t > 45.0 && dies {
            // The pods' limit is hit at the kills and not before.
            let room = 58.0 - heap - 3.0 - 2.1;
            let ramp: f64 = if killed == kills.len() { 0.2 } else { (room - scratch) / f64::max((kills[killed] - t) * 4.0, 1.0) };
            scratch = f64::min(scratch + ramp, room);
        } else if t > 45.0 {
            cache = f64::min(cache + 0.35, 18.0);
        }
        if (t - 45.0).abs() < 0.01 || (t - 130.0).abs() < 0.01 {
            timeline.stage_ended(at(t), stage, 0, true);
            stage += 1;
            timeline.stage_started(at(t), stage, 0);
        }
        if killed < kills.len() && t >= kills[killed] {
            memory(&mut timeline, at(t), [1.6, 2.1, heap, 3.0, 0.0, scratch, cache], &gib);
            timeline.killed(at(t), killed as u32 + 1, u32::from(killed == 3), Cause::Node);
            killed += 1;
            (heap, scratch) = (heap * 0.55, scratch * 0.72);
        }
        memory(&mut timeline, at(t), [1.6, 2.1, heap, 3.0, 0.0, scratch, cache], &gib);
    }
    timeline.stage_ended(at(end), stage, 0, !dies);
    let mut outcome = outcome(17, dies.then_some(Cause::Node), 60.0);
    outcome.duration = SimSpan::from_secs_f64(end);
    outcome.executors_lost = kills.len() as u32;
    if dies {
        outcome.ending = Ending::Failed(FailureReason::StageAttempts);
    }
    let node = NodeLines {
        name: "pool-0".into(),
        capacity: Bytes::from_f64(62.8 * 1_073_741_824.0),
        kubepods_limit: Some(Bytes::gib(58)),
        allocatable: Some(Bytes::gib(57)),
    };
    Story {
        title: title.into(),
        subtitle: String::new(),
        timeline,
        nodes: vec![node],
        executor_limit: Some(Bytes::gib(20)),
        stage_names: vec!["read".into(), "map".into(), "join and write".into()],
        outcome,
    }
}

fn memory(timeline: &mut Timeline, at: SimTime, gibs: [f64; 7], gib: &impl Fn(f64) -> Bytes) {
    timeline.memory(at, 0, &gibs.map(gib));
}

/// Long names, many values.
pub(crate) fn crowded() -> SweepReport {
    let volume = |i: u32| format!("volume of kind {i} with a long name indeed");
    let volumes: Vec<String> = (0..12).map(volume).collect();
    let axes = vec![
        names("scratch.volume", "scratch volume", &volumes.iter().map(String::as_str).collect::<Vec<_>>()),
        names(
            "pool.vm",
            "VM",
            &[
                "Standard_D16s_v5",
                "Standard_E32ds_v5",
                "m5d.4xlarge",
                "n2-standard-16",
                "c6id.12xlarge",
                "r6id.8xlarge",
                "a",
                "b",
                "c",
                "d",
                "e",
                "f",
                "g",
                "h",
            ],
        ),
    ];
    sweep(axes, |at| result(100, ((at[0] * 7 + at[1] * 13) % 101) as u64, Cause::ALL[at[0] % 3], 2, 20.0 + at[1] as f64))
}

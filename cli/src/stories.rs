//! Runs to draw over time: the typical death at the worst point, and the same luck under what cures it.
//!
//! The worst point has the largest P(OOM); beside it stands the nearest point that survives, or else the one with the
//! smallest P(OOM). The worst point's first dying replication is run again under a timeline observer; then the other runs
//! with the same seed and replication number, so that data volume, skew and speeds are the same and the configuration is
//! the only difference. Without any death, replication 0 of the worst point is drawn alone. An observer never changes a run.

use reports::{Story, SweepReport};
use sim_core::observe::Timeline;
use sim_core::sim::{RunKey, Simulator};
use sim_core::study::Study;
use sim_core::units::SimSpan;

use crate::exit::Failure;
use crate::session::{Planned, guarded};

/// Samples a node, about as many as a chart has pixels.
const SAMPLES: u64 = 800;

/// The stories of a study whose points are a prefix of what was planned.
pub(crate) fn tell(report: &SweepReport, study: &Study, planned: &[Planned]) -> Result<Vec<Story>, Failure> {
    let Some(worst) = reports::worst(report) else { return Ok(Vec::new()) };
    let example = report.points[worst].result.example;
    let key = RunKey { seed: study.seed, replication: example.unwrap_or(0) };
    let mut stories = vec![story(report, worst, study, key, planned)?];
    let p = |i: usize| report.points[i].result.p_oom.estimate;
    let least = || (0..report.points.len()).min_by(|a, b| p(*a).total_cmp(&p(*b)));
    let other = reports::cure(report, worst).or_else(least).filter(|other| p(*other) < p(worst));
    if let (Some(other), Some(_)) = (other, example) {
        stories.push(story(report, other, study, key, planned)?);
    }
    Ok(stories)
}

fn story(report: &SweepReport, index: usize, study: &Study, key: RunKey, planned: &[Planned]) -> Result<Story, Failure> {
    let (planned, point) = (&planned[index], &report.points[index]);
    let (outcome, timeline) = guarded(planned, study, || {
        let mut simulator = Simulator::new(&planned.plan);
        let duration = simulator.run(key).duration;
        let mut timeline = Timeline::new(SimSpan::from_ns(duration.as_ns() / SAMPLES));
        (simulator.run_observed(key, &mut timeline), timeline)
    })?;
    let hits = (point.result.p_oom.estimate * point.result.p_oom.n as f64).round();
    Ok(Story {
        title: report.point_label(index),
        subtitle: format!("{hits} of {} runs die", point.result.p_oom.n),
        timeline,
        nodes: planned.plan.node_lines(),
        executor_limit: planned.plan.executor_limit(),
        stage_names: planned.plan.spec().app.stages.iter().map(|stage| stage.name.clone()).collect(),
        outcome,
    })
}

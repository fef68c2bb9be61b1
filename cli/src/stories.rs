//! Runs to draw over time: the typical death at the worst point, and the same luck at the best one.
//!
//! The worst point has the largest P(OOM), the best one the smallest. The worst point's first dying replication is run
//! again under a timeline observer; then the best point runs with the same seed and replication number, so that data
//! volume, skew and speeds are the same and the configuration is the only difference. Without any death, replication
//! 0 of the worst point is drawn alone. An observer never changes a run.

use reports::{PointReport, Story};
use sim_core::observe::Timeline;
use sim_core::sim::{RunKey, Simulator};
use sim_core::study::Study;
use sim_core::units::SimSpan;

use crate::exit::Failure;
use crate::session::{Planned, guarded};

/// Samples a node, about as many as a chart has pixels.
const SAMPLES: u64 = 800;

/// The stories of a study whose points are a prefix of what was planned.
pub(crate) fn tell(scenario: &str, study: &Study, planned: &[Planned], points: &[PointReport]) -> Result<Vec<Story>, Failure> {
    let p: Vec<f64> = points.iter().map(|point| point.result.p_oom.estimate).collect();
    let Some(worst) = extreme(&p, |p, than| p > than) else { return Ok(Vec::new()) };
    let example = points[worst].result.example;
    let key = RunKey { seed: study.seed, replication: example.unwrap_or(0) };
    let mut stories = vec![story(scenario, study, key, &planned[worst], &points[worst])?];
    if let (Some(best), Some(_)) = (extreme(&p, |p, than| p < than), example)
        && p[best] < p[worst]
    {
        stories.push(story(scenario, study, key, &planned[best], &points[best])?);
    }
    Ok(stories)
}

/// Index of the first value that no other surpasses.
fn extreme(p: &[f64], surpasses: impl Fn(f64, f64) -> bool) -> Option<usize> {
    (0..p.len()).reduce(|best, index| if surpasses(p[index], p[best]) { index } else { best })
}

fn story(scenario: &str, study: &Study, key: RunKey, planned: &Planned, point: &PointReport) -> Result<Story, Failure> {
    let (outcome, timeline) = guarded(planned, study, || {
        let mut simulator = Simulator::new(&planned.plan);
        let duration = simulator.run(key).duration;
        let mut timeline = Timeline::new(SimSpan::from_ns(duration.as_ns() / SAMPLES));
        (simulator.run_observed(key, &mut timeline), timeline)
    })?;
    let hits = (point.result.p_oom.estimate * point.result.p_oom.n as f64).round();
    Ok(Story {
        title: if point.labels.is_empty() { scenario.to_owned() } else { point.labels.join(", ") },
        subtitle: format!("Replication {} of seed {}; {hits} of {} run out of memory", key.replication, key.seed, point.result.p_oom.n),
        timeline,
        nodes: planned.plan.node_lines(),
        executor_limit: planned.plan.executor_limit(),
        stage_names: planned.plan.spec().app.stages.iter().map(|stage| stage.name.clone()).collect(),
        outcome,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_taken() {
        let p = [0.2, 0.9, 0.9, 0.0, 0.0];
        assert_eq!(extreme(&p, |p, than| p > than), Some(1));
        assert_eq!(extreme(&p, |p, than| p < than), Some(3));
        assert_eq!(extreme(&[], |p, than| p < than), None);
    }
}

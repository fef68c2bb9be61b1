//! What follows from the stage graph: last stages, indeterminate stages, readers of cached rows.
//!
//! Worked out once a plan, so that a replication only looks it up. A stage is indeterminate if it says so or reads one that is
//! (FF-5). A stage that reads a cache is taken to read that of the nearest earlier stage that caches and has as many tasks;
//! without one its tasks prefer no place. Source: Spark's `RDD.getOutputDeterministicLevel`, `DAGScheduler.getPreferredLocs`.

use std::collections::BTreeSet;

use crate::ids::StageId;
use crate::spec::{AppSpec, InputSource};

/// Stages of a job that no other stage of it reads.
pub(super) fn ends(stages: &[usize], parents: &[Vec<StageId>]) -> Vec<StageId> {
    let read: BTreeSet<StageId> = stages.iter().flat_map(|&stage| parents[stage].iter().copied()).collect();
    stages.iter().map(|&stage| StageId::new(stage as u32)).filter(|stage| !read.contains(stage)).collect()
}

/// By stage, the jobs that it ends.
pub(super) fn ended_by(ends: &[Vec<StageId>], stages: usize) -> Vec<Vec<u32>> {
    let mut by_stage = vec![Vec::new(); stages];
    for (job, ends) in ends.iter().enumerate() {
        ends.iter().for_each(|end| by_stage[end.index()].push(job as u32));
    }
    by_stage
}

/// By stage, whether it or anything that it reads is indeterminate.
pub(super) fn indeterminate(app: &AppSpec, parents: &[Vec<StageId>]) -> Vec<bool> {
    let mut all: Vec<bool> = Vec::with_capacity(app.stages.len());
    for (stage, parents) in app.stages.iter().zip(parents) {
        all.push(stage.indeterminate || parents.iter().any(|parent| all[parent.index()]));
    }
    all
}

/// By stage, the one whose cache it reads.
pub(super) fn cached_by(app: &AppSpec) -> Vec<Option<StageId>> {
    let reads = |stage: usize| app.stages[stage].input == InputSource::Cached;
    let caches = |stage: usize, reader: usize| !app.stages[stage].cached.is_zero() && app.stages[stage].tasks == app.stages[reader].tasks;
    (0..app.stages.len())
        .map(|reader| (0..reader).rev().find(|&stage| reads(reader) && caches(stage, reader)).map(|stage| StageId::new(stage as u32)))
        .collect()
}

/// By shuffle, the jobs that need it, directly or through ancestors of their stages.
pub(super) fn needed_by(app: &AppSpec, parents: &[Vec<StageId>]) -> Vec<Vec<u32>> {
    let mut by = vec![Vec::new(); app.shuffles.len()];
    for (index, job) in app.jobs.iter().enumerate() {
        let mut needed = vec![false; app.stages.len()];
        let mut open = job.stages.clone();
        while let Some(stage) = open.pop() {
            if !std::mem::replace(&mut needed[stage], true) {
                open.extend(parents[stage].iter().map(|parent| parent.index()));
            }
        }
        for (jobs, shuffle) in by.iter_mut().zip(&app.shuffles) {
            if needed[shuffle.writer] {
                jobs.push(index as u32);
            }
        }
    }
    by
}

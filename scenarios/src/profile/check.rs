//! Rules on the profile as a whole: unique names, a stage graph without cycles, complete jobs.
//!
//! A stage may read only stages above it in the file, which makes cycles impossible and puts parents before children.
//! Every stage belongs to exactly one job, and a job ends with a stage whose sink is the result, as a Spark action does;
//! only a job that was aborted, and the last one of a recording that broke off, may end with a shuffle. A job may wait only for
//! jobs above it.

use sim_core::spec::JobStart;

use super::parse::{RawJob, RawStage, RawStart};
use super::table::{Reader, nearest};
use super::{Job, MAX_STAGES, Sink, Stage};
use crate::diag::Diagnostics;

/// Turns names into indices and reports everything that does not fit together.
pub(super) fn link(top: &Reader<'_, '_>, stages: Vec<RawStage>, jobs: Vec<RawJob>, partial: bool, out: &mut Diagnostics) -> (Vec<Stage>, Vec<Job>) {
    if stages.is_empty() || jobs.is_empty() {
        let missing = if stages.is_empty() { "[[stage]]" } else { "[[job]]" };
        out.push(
            top.error(top.span(), format!("the profile has no `{missing}`"))
                .expected("at least one stage and one job")
                .hint(format!("add a `{missing}` block")),
        );
    }
    if stages.len() > MAX_STAGES {
        out.push(top.error(top.span(), "the profile has too many stages").found(stages.len().to_string()).expected(format!("at most {MAX_STAGES}")));
        return (Vec::new(), Vec::new());
    }
    let names: Vec<String> = stages.iter().map(|raw| raw.stage.name.clone()).collect();
    let linked = link_stages(top, stages, &names, out);
    let jobs = link_jobs(top, &linked, jobs, partial, &names, out);
    (linked, jobs)
}

fn link_stages(top: &Reader<'_, '_>, stages: Vec<RawStage>, names: &[String], out: &mut Diagnostics) -> Vec<Stage> {
    let mut linked: Vec<Stage> = Vec::new();
    for (index, raw) in stages.into_iter().enumerate() {
        if names[..index].contains(&raw.stage.name) {
            out.push(top.error(raw.span.clone(), format!("two stages are called `{}`", raw.stage.name)).expected("unique names"));
        }
        let mut stage = raw.stage;
        for (name, span) in raw.reads {
            match names.iter().position(|n| *n == name) {
                Some(parent) if parent >= index => {
                    let problem = top.error(span, format!("`{}` reads `{name}`, which does not come before it", stage.name));
                    out.push(problem.hint("put stages after those that they read"));
                }
                Some(parent) if linked[parent].sink != Sink::Shuffle => {
                    let problem = top.error(span, format!("`{}` reads `{name}`, which writes no shuffle", stage.name));
                    out.push(problem.hint(format!("set `sink = \"shuffle\"` in `{name}`")));
                }
                Some(parent) if stage.reads.contains(&parent) => out.push(top.error(span, format!("`{name}` is read twice"))),
                Some(parent) => stage.reads.push(parent),
                None => out.push(unknown(top, "stage", &name, span, names)),
            }
        }
        linked.push(stage);
    }
    linked
}

fn link_jobs(top: &Reader<'_, '_>, stages: &[Stage], jobs: Vec<RawJob>, partial: bool, names: &[String], out: &mut Diagnostics) -> Vec<Job> {
    let mut owner = vec![false; stages.len()];
    let mut linked = Vec::new();
    let count = jobs.len();
    let job_names: Vec<String> = jobs.iter().map(|raw| raw.job.name.clone()).collect();
    for (index, raw) in jobs.into_iter().enumerate() {
        let cut_off = partial && index + 1 == count;
        let mut job = raw.job;
        job.start = link_start(top, raw.start, index, &job_names, out);
        for (name, span) in raw.stages {
            match names.iter().position(|n| *n == name) {
                Some(stage) if owner[stage] => out.push(top.error(span, format!("stage `{name}` is in two jobs")).expected("each stage in one job")),
                Some(stage) => {
                    owner[stage] = true;
                    job.stages.push(stage);
                }
                None => out.push(unknown(top, "stage", &name, span, names)),
            }
        }
        // The order of the file is an order of the graph.
        let last = job.stages.last().copied();
        job.stages.sort_unstable();
        match last {
            None => out.push(top.error(raw.span, format!("job `{}` has no stages", job.name)).hint("name its stages in `stages`")),
            Some(last) if stages[last].sink != Sink::Result && !stages[last].aborted && !cut_off || job.stages.last() != Some(&last) => {
                let problem = top.error(raw.span, format!("job `{}` does not end with a result stage", job.name));
                out.push(
                    problem.expected("a last stage with `sink = \"result\"` below the stages that it needs").hint("list the stage that gives the result last"),
                );
            }
            Some(_) => {}
        }
        linked.push(job);
    }
    if let Some(orphan) = owner.iter().position(|owned| !owned)
        && !linked.is_empty()
    {
        out.push(top.error(top.span(), format!("stage `{}` is in no job", names[orphan])).hint("add it to the `stages` of a `[[job]]`"));
    }
    linked
}

fn link_start(top: &Reader<'_, '_>, start: RawStart, own: usize, names: &[String], out: &mut Diagnostics) -> JobStart {
    let mut earlier = |(name, span): (String, std::ops::Range<usize>)| match names.iter().position(|known| *known == name) {
        Some(job) if job < own => Some(job),
        Some(_) => {
            let problem = top.error(span, format!("job `{}` waits for `{name}`, which does not come before it", names[own]));
            out.push(problem.hint("put jobs after those that they wait for"));
            None
        }
        None => {
            out.push(unknown(top, "job", &name, span, names));
            None
        }
    };
    match start {
        RawStart::InTurn => JobStart::InTurn,
        RawStart::After(jobs, gap) => JobStart::After { jobs: jobs.into_iter().filter_map(&mut earlier).collect(), gap },
        RawStart::With(job, offset) => earlier(job).map_or(JobStart::InTurn, |job| JobStart::With { job, offset }),
    }
}

fn unknown(top: &Reader<'_, '_>, what: &str, name: &str, span: std::ops::Range<usize>, names: &[String]) -> crate::diag::Diagnostic {
    let problem = top.error(span, format!("there is no {what} called `{name}`")).found(format!("`{name}`"));
    match nearest(name, &names.iter().map(String::as_str).collect::<Vec<_>>()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint(format!("add a `[[{what}]]` block called `{name}`")),
    }
}

//! Running the points of a study: compile all, take what is known, run the rest, keep each as it ends.
//!
//! Everything that can fail on a bad input or path fails before the first replication. Points run one after the
//! other, each with all threads, so that finished points are a prefix whenever the user stops it. Only the progress
//! bar and the number of threads depend on the machine; neither reaches a result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow};
use rayon::{ThreadPool, ThreadPoolBuilder};
use reports::{Place, PointReport};
use scenarios::Point;
use scenarios::diag::{Diagnostic, Diagnostics};
use sim_core::plan::SimPlan;
use sim_core::study::{PointResult, Study, StudyEnd, run_study};

use crate::cache;
use crate::exit::Failure;
use crate::interrupt;
use crate::out_dir::OutDir;
use crate::printer::Printer;
use crate::progress::Bar;
use crate::settings::StudySettings;

/// A point that can run.
#[derive(Debug)]
pub(crate) struct Planned {
    /// Where it is in the grid.
    pub coordinates: reports::Coordinates,
    /// The same in words.
    pub labels: Vec<String>,
    /// What runs.
    pub plan: SimPlan,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// What came of a study.
pub(crate) struct Conducted {
    /// Points in order; a prefix of the grid when interrupted.
    pub points: Vec<PointReport>,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// Whether the last point has fewer replications than it should have.
    pub last_is_partial: bool,
}

/// Compiles all points, or says all that is wrong with them.
pub(crate) fn plan(points: Vec<Point>, paranoid: bool) -> Result<Vec<Planned>, Failure> {
    let mut problems = Diagnostics::default();
    let mut planned = Vec::new();
    for mut point in points {
        point.spec.limits.paranoid |= paranoid;
        match SimPlan::compile(&point.spec) {
            Ok(plan) => planned.push(Planned { coordinates: point.coordinates, labels: point.labels, fingerprint: plan.fingerprint(), plan }),
            Err(error) => problems.push(cannot_run(&point, &error.to_string())),
        }
    }
    if problems.has_errors() { Err(Failure::Diagnosed(problems)) } else { Ok(planned) }
}

fn cannot_run(point: &Point, why: &str) -> Diagnostic {
    let at = if point.labels.is_empty() { String::new() } else { format!(" at {}", point.labels.join(", ")) };
    Diagnostic::error("plan", format!("this cannot be simulated{at}: {why}")).hint("`spillcast explain KEY SCENARIO` shows where a value comes from")
}

/// Where finished points are kept while others still run.
pub(crate) struct Keeper<'a> {
    /// The output directory.
    pub dir: &'a OutDir,
    /// Writes what is known so far for the user to read.
    pub write: &'a dyn Fn(&Conducted) -> anyhow::Result<()>,
}

/// Runs all points.
pub(crate) fn conduct(
    settings: &StudySettings,
    study: &Study,
    planned: &[Planned],
    keeper: Option<&Keeper<'_>>,
    printer: &Printer,
) -> Result<Conducted, Failure> {
    let dir = keeper.map(|keeper| keeper.dir);
    let resume = settings.out.as_ref().is_some_and(|out| out.resume);
    let known: Vec<Option<PointResult>> =
        planned.iter().map(|point| dir.filter(|_| resume).and_then(|dir| cache::load(dir, &point.fingerprint, study))).collect();
    let taken = known.iter().flatten().count();
    if resume {
        printer.note(&format!("{taken} of {} points are taken from `{}`", planned.len(), dir.map_or(String::new(), |dir| dir.root().display().to_string())));
    }
    let bar = Bar::new(printer, study.replications * (planned.len() - taken) as u64);
    let runner = Runner { study, keeper, stop: interrupt::listen(printer), pool: pool(settings)?, bar: &bar };
    let conducted = runner.all(planned, known);
    bar.clear();
    conducted
}

fn pool(settings: &StudySettings) -> Result<ThreadPool, Failure> {
    let pool = ThreadPoolBuilder::new().num_threads(settings.jobs.get()).thread_name(|index| format!("replications-{index}")).build();
    pool.with_context(|| format!("cannot start {} threads", settings.jobs)).map_err(Failure::Other)
}

struct Runner<'a> {
    study: &'a Study,
    keeper: Option<&'a Keeper<'a>>,
    stop: &'static AtomicBool,
    pool: ThreadPool,
    bar: &'a Bar,
}

impl Runner<'_> {
    fn all(&self, planned: &[Planned], known: Vec<Option<PointResult>>) -> Result<Conducted, Failure> {
        let mut conducted = Conducted { points: Vec::new(), interrupted: false, last_is_partial: false };
        for (index, (point, known)) in planned.iter().zip(known).enumerate() {
            if self.stop.load(Ordering::SeqCst) {
                conducted.interrupted = true;
                break;
            }
            self.bar.point(index + 1, planned.len());
            let (result, partial) = match known {
                Some(result) => (Some(result), false),
                None => self.one(point)?,
            };
            conducted.points.extend(result.map(|result| report(point, result)));
            if partial {
                conducted.interrupted = true;
                conducted.last_is_partial = conducted.points.len() > index;
            }
            if let Some(keeper) = self.keeper {
                (keeper.write)(&conducted)?;
            }
            if partial {
                break;
            }
        }
        Ok(conducted)
    }

    /// Runs one point: its result, if there is any, and whether it was stopped.
    fn one(&self, point: &Planned) -> Result<(Option<PointResult>, bool), Failure> {
        let ended = guarded(point, self.study, || self.pool.install(|| run_study(&point.plan, self.study, self.stop, self.bar)))?;
        let partial = ended.end == StudyEnd::Interrupted;
        if let (Some(result), false) = (&ended.result, partial) {
            self.bar.fewer(self.study.replications - result.replications);
            if let Some(keeper) = self.keeper {
                cache::save(keeper.dir, &point.fingerprint, self.study, result)?;
            }
        }
        Ok((ended.result, partial))
    }
}

/// Runs the model so that a broken assertion in it is told as what it is: a defect of ours, not the user's. Unwinding
/// leaves nothing half done, because a simulator lives inside the call and is dropped with it.
pub(crate) fn guarded<T>(point: &Planned, study: &Study, run: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| Failure::Other(defect(point, study)))
}

fn defect(point: &Planned, study: &Study) -> anyhow::Error {
    anyhow!(
        "the model broke one of its own rules (see above); this is a defect of spillcast {}, please report it with the scenario, seed {} and plan {}",
        env!("CARGO_PKG_VERSION"),
        study.seed,
        point.fingerprint
    )
}

fn report(point: &Planned, result: PointResult) -> PointReport {
    let spec = point.plan.spec();
    let place = result.example_incident.as_ref().map(|incident| Place {
        node: point.plan.node_lines().get(incident.node as usize).map(|node| node.name.clone()).unwrap_or_default(),
        stage: incident.stage.and_then(|stage| spec.app.stages.get(stage as usize)).map(|stage| stage.name.clone()).unwrap_or_default(),
    });
    PointReport {
        coordinates: point.coordinates.clone(),
        labels: point.labels.clone(),
        fingerprint: point.fingerprint.clone(),
        result,
        executors_wanted: spec.spark.executor.instances,
        place,
    }
}

#[cfg(test)]
mod tests {
    use scenarios::Request;

    use super::*;

    #[test]
    fn a_broken_assertion_of_the_model_is_told_as_a_defect() -> Result<(), Failure> {
        let request = Request { scenario: "aks-migration".to_owned(), ..Request::default() };
        let Some(scenario) = scenarios::load(&request).0 else { panic!("the built-in scenario does not load") };
        let planned = plan(vec![Point { index: 0, coordinates: vec![], labels: vec![], spec: scenario.spec }], true)?;
        assert!(planned[0].plan.spec().limits.paranoid);
        let study = Study { seed: 77, replications: 1, precision: None, confidence: 0.95 };
        assert!(guarded(&planned[0], &study, || 3).is_ok_and(|three| three == 3));
        let Err(Failure::Other(error)) = guarded(&planned[0], &study, || panic!("books")) else { panic!("a panic went through") };
        let text = error.to_string();
        assert!(text.contains("seed 77") && text.contains(&planned[0].fingerprint), "{text}");
        Ok(())
    }
}

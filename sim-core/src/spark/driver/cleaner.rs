//! Removing the files of shuffles that nobody needs any more.
//!
//! The driver's context cleaner removes a shuffle from all executors once a garbage collection has found it unreachable; a
//! collection is forced every `spark.cleaner.periodicGC.interval` (2.7). From Spark 4.0 on an SQL execution can have its
//! shuffles removed when it ends. With the shuffle go all its files on living executors, also those of zombies and of attempts
//! whose output was not taken (CM-2); files of executors that are gone only where a shuffle service removes them. A profile does
//! not say what the application can reach. Assumptions: a shuffle is reachable until the last job that reads it, or that
//! reads what was made of it, has ended; no collection comes before it is forced; an execution ends with the last such job.

use super::Driver;
use crate::event::Event;
use crate::ids::{ExecutorId, ShuffleId};
use crate::sim::Sim;
use crate::spark::executor::Life;
use crate::spark::{push_merge, scratch};

impl Driver {
    /// Shuffles that are still on scratch and that no job needs which has not ended.
    fn garbage(&self, needed_by: &[Vec<u32>]) -> impl Iterator<Item = ShuffleId> {
        let (jobs, cleaned) = (&self.jobs, &self.cleaned);
        let over = move |needing: &[u32]| needing.iter().all(|&job| jobs[job as usize].ended);
        let unneeded = needed_by.iter().enumerate().filter(move |&(shuffle, needing)| !cleaned[shuffle] && over(needing));
        unneeded.map(|(shuffle, _)| ShuffleId::new(shuffle as u32))
    }
}

/// A job has ended and another one follows: what only it needed is removed now, or at the next collection.
pub(super) fn job_ended(sim: &mut Sim) {
    let plan = sim.plan;
    let conf = &plan.spec().spark.scratch;
    if sim.driver.garbage(&plan.needed_by).next().is_none() {
        return;
    }
    if conf.sql_file_cleanup && plan.spec().app.sql {
        return clean(sim);
    }
    let Some(interval) = conf.cleaner_interval.filter(|_| !sim.driver.cleaner_due) else { return };
    let since_up = sim.now().since(sim.driver.up_at).as_ns();
    let wait = interval.as_ns() - since_up % interval.as_ns();
    sim.driver.cleaner_due = true;
    sim.after(crate::units::SimSpan::from_ns(wait), Event::CleanerRuns);
}

/// The driver's forced collection.
pub(crate) fn on_cleaner(sim: &mut Sim) {
    sim.driver.cleaner_due = false;
    clean(sim);
}

fn clean(sim: &mut Sim) {
    let plan = sim.plan;
    let conf = &plan.spec().spark;
    let garbage: Vec<ShuffleId> = sim.driver.garbage(&plan.needed_by).collect();
    let service = conf.shuffle.service && conf.scratch.service_removes;
    let holders: Vec<ExecutorId> = sim.executors.iter().filter(|(_, e)| e.is_up() || service && e.life == Life::Gone).map(|(id, _)| id).collect();
    for shuffle in garbage {
        sim.driver.cleaned[shuffle.index()] = true;
        if let Some(service) = &mut sim.remote {
            service.remove(shuffle);
        }
        push_merge::remove(sim, shuffle);
        for &executor in &holders {
            scratch::remove_outputs(sim, executor, shuffle);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::record::Outcome;
    use crate::sim::{RunKey, Simulator};
    use crate::spec::{JobSpec, Spec};
    use crate::units::{Bytes, SimSpan};

    /// Two jobs of one shuffle of 700 MB each, half an hour apart; the second ends at its reader.
    fn two_jobs(change: impl Fn(&mut Spec)) -> Spec {
        let mut spec = fixture::case_study(false, false);
        spec.uncertainty = fixture::certain();
        spec.limits.paranoid = true;
        spec.spark.executor.instances = 1;
        spec.app = fixture::passes(Bytes::new(1_000_000_000), 1, 200);
        let again = fixture::passes(Bytes::new(1_000_000_000), 1, 200);
        spec.app.stages.extend(again.stages.into_iter().skip(1));
        spec.app.stages[3].sink = crate::spec::SinkSpec::Shuffle(1);
        spec.app.stages[4].reads = vec![1];
        spec.app.shuffles.push(crate::spec::ShuffleSpec { writer: 3, ..spec.app.shuffles[0].clone() });
        let gap = |minutes: u64| SimSpan::from_secs(60 * minutes);
        let job = |stages| JobSpec { stages, ..spec.app.jobs[0].clone() };
        spec.app.jobs = vec![JobSpec { driver_gap: gap(45), ..job(vec![1, 2]) }, job(vec![3, 4])];
        change(&mut spec);
        spec
    }

    fn run(spec: &Spec) -> Outcome {
        let plan = SimPlan::compile(spec).expect("compiles");
        let outcome = Simulator::new(&plan).run(RunKey { seed: 1, replication: 0 });
        assert!(!outcome.job_failed());
        outcome
    }

    /// One shuffle with its index files, and room for one partition while the last of its tasks still concatenates.
    fn holds(outcome: &Outcome, shuffles: u64) -> bool {
        let one = 700_000_000;
        (shuffles * one..shuffles * one + 50_000_000).contains(&outcome.scratch_peak.get())
    }

    #[test]
    fn rt_1_shuffles_of_earlier_jobs_stay_until_a_collection_is_forced() {
        assert!(holds(&run(&two_jobs(|_| {})), 1), "the collection at 30 minutes removes the first");
        assert!(holds(&run(&two_jobs(|spec| spec.app.jobs[0].driver_gap = SimSpan::from_secs(60))), 2), "none before the second");
        assert!(holds(&run(&two_jobs(|spec| spec.spark.scratch.cleaner_interval = None)), 2));
    }

    #[test]
    fn an_sql_execution_with_file_cleanup_leaves_nothing() {
        let cleanup =
            |sql: bool| two_jobs(|spec| (spec.app.jobs[0].driver_gap, spec.spark.scratch.sql_file_cleanup, spec.app.sql) = (SimSpan::ZERO, true, sql));
        assert!(holds(&run(&cleanup(true)), 1));
        assert!(holds(&run(&cleanup(false)), 2), "it is for SQL executions");
    }

    /// A later job that reads what was made of a shuffle can still ask for it to be made again.
    #[test]
    fn a_shuffle_stays_while_a_later_job_depends_on_it() {
        let spec = two_jobs(|spec| {
            spec.app.stages[3].reads = vec![0];
            spec.spark.scratch.sql_file_cleanup = true;
        });
        let plan = SimPlan::compile(&spec).expect("compiles");
        assert_eq!(plan.needed_by, [vec![0, 1], vec![1]]);
        assert!(holds(&run(&spec), 2));
    }

    /// 2.7: what goes from a tmpfs is given back to the container.
    #[test]
    fn removed_files_give_tmpfs_memory_back() {
        let mut spec = two_jobs(|spec| spec.spark.scratch.sql_file_cleanup = true);
        spec.spark.kubernetes.local_dirs_tmpfs = true;
        let plan = SimPlan::compile(&spec).expect("compiles");
        let mut nobody = Nobody;
        let outcome = Simulator::new(&plan).run_observed(RunKey { seed: 1, replication: 0 }, &mut nobody);
        assert!(holds(&outcome, 1) && !outcome.job_failed(), "the audit compares charges with files");
    }
}

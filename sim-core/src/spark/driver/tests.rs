//! The driver alone: it hears of attempts that nobody runs, so that each rule is seen by itself.

use super::failures::{on_executor_lost, on_task_failed, on_task_succeeded};
use super::fetch_failures::on_resubmit;
use super::*;
use crate::fixture;
use crate::observe::Nobody;
use crate::record::{Ending, FailureReason};
use crate::sim::RunKey;
use crate::spark::executor::Executor;
use crate::spark::task::{self, Attempt, Failure};
use crate::spec::{JobSpec, JobStart, SinkSpec, Spec};
use crate::units::SimSpan;

const KEY: RunKey = RunKey { seed: 1, replication: 0 };
const A: ExecutorId = ExecutorId::new(0);
const B: ExecutorId = ExecutorId::new(1);

/// A scan (job 0, stage 0) and a chain of maps 1 to 6 with the result 7 (job 1).
fn plan(change: impl Fn(&mut Spec)) -> SimPlan {
    let mut spec = fixture::case_study(true, true);
    spec.app = fixture::passes(spec.app.input, 6, 200);
    change(&mut spec);
    SimPlan::compile(&spec).expect("the fixture compiles")
}
fn stage(index: u32) -> StageId {
    StageId::new(index)
}
/// Two executors that are known and take nothing.
fn with_executors<'p, 'o>(plan: &'p SimPlan, nobody: &'o mut Nobody) -> Sim<'p, 'o> {
    let mut sim = Sim::new(plan, KEY, nobody);
    for _ in 0..2 {
        let executor = Executor::new(&sim, ExecutorId::new(sim.executors.len() as u32));
        let id = sim.executors.push(executor);
        (sim.executors[id].life, sim.executors[id].node) = (Life::Dead, Some(NodeId::new(id.index() as u32)));
    }
    sim
}
/// The same, and a job has started after the earlier ones.
fn with_job<'p, 'o>(plan: &'p SimPlan, nobody: &'o mut Nobody, job: u32) -> Sim<'p, 'o> {
    let mut sim = with_executors(plan, nobody);
    for earlier in 0..job {
        sim.driver.jobs[earlier as usize].started = true;
        sim.driver.jobs[earlier as usize].ended = true;
    }
    jobs::on_job_starts(&mut sim, job);
    sim
}
fn attempt(stage: StageId, number: u32, partition: u32, executor: ExecutorId) -> Attempt {
    Attempt { stage, number, partition, executor, pool: 0 }
}
/// The driver launches this attempt.
fn launch(sim: &mut Sim, end: Attempt) {
    if end.number == sim.driver.stages[end.stage].attempt() {
        sim.driver.stages[end.stage].set.launched(end.partition);
    }
}
fn succeed(sim: &mut Sim, end: Attempt) {
    let node = NodeId::new(end.executor.index() as u32);
    on_task_succeeded(sim, end, node, Bytes::ZERO, Bytes::mib(1));
}
fn fail(sim: &mut Sim, end: Attempt, failure: Failure) {
    launch(sim, end);
    on_task_failed(sim, end, failure);
}
/// An attempt of a stage delivers these partitions from an executor.
fn deliver(sim: &mut Sim, id: StageId, number: u32, partitions: std::ops::Range<u32>, executor: ExecutorId) {
    for partition in partitions {
        launch(sim, attempt(id, number, partition, executor));
        succeed(sim, attempt(id, number, partition, executor));
    }
}
fn tasks(sim: &Sim, id: StageId) -> u32 {
    sim.driver.stages[id].tasks
}
fn deliver_all(sim: &mut Sim, id: StageId, number: u32, executor: ExecutorId) {
    let tasks = tasks(sim, id);
    deliver(sim, id, number, 0..tasks, executor);
}
/// Maps 1 to `last` are done, the odd partitions on B, the even ones on A.
fn done_up_to(sim: &mut Sim, last: u32) {
    for id in 1..=last {
        for partition in 0..tasks(sim, stage(id)) {
            deliver(sim, stage(id), 0, partition..partition + 1, if partition % 2 == 0 { A } else { B });
        }
    }
}
fn missing(sim: &Sim, shuffle: u32) -> usize {
    let outputs = &sim.driver.outputs[ShuffleId::new(shuffle)];
    (0..outputs.maps()).filter(|&map| !outputs.has(map)).count()
}

/// FF-2, FF-3: zombies of a failed map stage bring its last outputs before it is submitted again.
#[test]
fn a_map_stage_that_zombies_complete_lets_its_children_start() {
    let (plan, mut nobody) = (plan(|_| {}), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 1);
    assert!(sim.driver.stages[stage(1)].active && sim.driver.stages[stage(2)].waiting);
    fail(&mut sim, attempt(stage(1), 0, 0, A), Failure::Fetch(None));
    let all = tasks(&sim, stage(1));
    for partition in 0..all {
        sim.driver.stages[stage(1)].set.launched(partition);
        succeed(&mut sim, attempt(stage(1), 0, partition, A));
    }
    assert!(!sim.driver.stages[stage(2)].active, "a failed map stage ends when it is submitted again, not before");
    on_resubmit(&mut sim);
    assert!(sim.driver.stages[stage(2)].active);
}

/// FF-2: a result counts whichever attempt brings it, and the job ends with the last, once.
#[test]
fn a_result_stage_that_a_zombie_completes_ends_its_job() {
    let (plan, mut nobody) = (plan(|_| {}), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 1);
    done_up_to(&mut sim, 6);
    let last = stage(7);
    let all = tasks(&sim, last);
    deliver(&mut sim, last, 0, 2..all, A);
    fail(&mut sim, attempt(last, 0, 0, A), Failure::Fetch(None));
    on_resubmit(&mut sim);
    deliver(&mut sim, last, 1, 0..1, A);
    fail(&mut sim, attempt(last, 1, 1, A), Failure::Fetch(None));
    succeed(&mut sim, attempt(last, 0, 1, A));
    assert_eq!(sim.ending, Some(Ending::Succeeded));
    assert!(sim.driver.failed.is_empty(), "nothing is left to submit again");
}

/// A job ends with a result and with a map stage that another job reads. When it ends while the map stage makes lost outputs again
/// for the other one, only what is left of its result stage is killed (Spark's `DAGScheduler` kills the attempts of no other).
#[test]
fn a_job_that_ends_leaves_a_map_stage_that_runs_again_for_another() {
    let change = |spec: &mut Spec| {
        spec.app.jobs[0].stages = vec![0, 1];
        spec.app.jobs[1].start = JobStart::With { job: 0, offset: SimSpan::ZERO };
    };
    let (plan, mut nobody) = (plan(change), Nobody);
    let mut sim = with_executors(&plan, &mut nobody);
    jobs::on_job_starts(&mut sim, 0);
    jobs::on_job_starts(&mut sim, 1);
    done_up_to(&mut sim, 1);
    fail(&mut sim, attempt(stage(2), 0, 0, B), Failure::Fetch(Some(A)));
    fail(&mut sim, attempt(stage(0), 0, 1, B), Failure::Fetch(None));
    on_resubmit(&mut sim);
    let (zombie, again) = (attempt(stage(0), 0, 0, B), attempt(stage(1), 1, 0, B));
    for run in [zombie, again] {
        launch(&mut sim, run);
        assert!(task::launch(&mut sim, run, false).is_some());
    }
    deliver_all(&mut sim, stage(0), 1, B);
    assert_eq!((sim.driver.jobs[0].ended, sim.ending), (true, None));
    let left: Vec<Attempt> = sim.tasks.ids().into_iter().map(|id| sim.tasks[id].known_as()).collect();
    assert_eq!(left, [again]);
    assert_eq!((sim.driver.stages[stage(1)].active, sim.driver.stages[stage(1)].set.copies_of(0)), (true, 1));
}

/// FF-3, "recursively through ancestors": also those that belong to an earlier job only.
#[test]
fn lost_ancestors_of_an_earlier_job_are_run_again() {
    let change = |spec: &mut Spec| {
        let mut again = spec.app.stages[7].clone();
        again.sink = SinkSpec::Result;
        spec.app.stages.push(again);
        spec.app.jobs.push(JobSpec { stages: vec![8], ..JobSpec::default() });
    };
    let (plan, mut nobody) = (plan(change), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 2);
    for id in 1..7 {
        assert!(sim.driver.stages[stage(id)].active, "stage {id}");
        deliver_all(&mut sim, stage(id), 0, A);
    }
    assert!(sim.driver.stages[stage(8)].active);
}

/// FF-3: only what was on the lost executor is run again, in the parents and in their parents.
#[test]
fn ff_3_only_missing_partitions_are_run_again_recursively() {
    let (plan, mut nobody) = (plan(|_| {}), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 1);
    done_up_to(&mut sim, 3);
    assert!(sim.driver.stages[stage(4)].active);
    let on_a = |sim: &Sim, id| tasks(sim, stage(id)).div_ceil(2);
    fail(&mut sim, attempt(stage(4), 0, 5, B), Failure::Fetch(Some(A)));
    assert!(!sim.driver.stages[stage(4)].active && !sim.driver.stages[stage(3)].active, "both wait for 200 ms");
    for id in 1..=3 {
        assert_eq!(missing(&sim, id - 1), on_a(&sim, id) as usize, "outputs of stage {id} on A are forgotten");
    }
    on_resubmit(&mut sim);
    for id in 1..=3 {
        let state = &sim.driver.stages[stage(id)];
        assert_eq!((state.active, state.waiting), (id == 1, id > 1), "stage {id}");
    }
    assert_eq!(sim.driver.stages[stage(1)].set.waiting(), on_a(&sim, 1));
    for id in 1..=3 {
        let again: Vec<u32> = (0..tasks(&sim, stage(id))).filter(|p| p % 2 == 0).collect();
        again.into_iter().for_each(|partition| deliver(&mut sim, stage(id), 1, partition..partition + 1, B));
    }
    assert_eq!((sim.driver.stages[stage(4)].active, sim.driver.stages[stage(4)].attempts), (true, 2));
}

/// FF-2, FF-3: a burst of failures is one failed attempt and one resubmission; failures of earlier attempts are ignored.
#[test]
fn ff_2_several_fetch_failures_of_an_attempt_are_one() {
    let (plan, mut nobody) = (plan(|_| {}), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 1);
    done_up_to(&mut sim, 1);
    for partition in 0..3 {
        sim.driver.stages[stage(2)].set.launched(partition);
    }
    for partition in 0..3 {
        on_task_failed(&mut sim, attempt(stage(2), 0, partition, B), Failure::Fetch(Some(A)));
    }
    assert_eq!((sim.driver.stages[stage(2)].failed_attempts, sim.ending), (1, None));
    on_resubmit(&mut sim);
    let again: Vec<u32> = (0..tasks(&sim, stage(1))).filter(|p| p % 2 == 0).collect();
    again.into_iter().for_each(|partition| deliver(&mut sim, stage(1), 1, partition..partition + 1, B));
    on_task_failed(&mut sim, attempt(stage(2), 0, 4, A), Failure::Fetch(Some(B)));
    assert!(sim.driver.stages[stage(2)].active && missing(&sim, 0) == 0, "an attempt that is over says nothing about B");
}

/// FF-4: four attempts in a row abort; the completion of the stage begins the count anew.
#[test]
fn ff_4_four_failed_attempts_in_a_row_abort() {
    let (plan, mut nobody) = (plan(|_| {}), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 1);
    done_up_to(&mut sim, 1);
    let fails = |sim: &mut Sim, number: u32| {
        fail(sim, attempt(stage(2), number, 0, B), Failure::Fetch(None));
        if sim.ending.is_none() {
            on_resubmit(sim);
        }
    };
    (0..3).for_each(|number| fails(&mut sim, number));
    deliver_all(&mut sim, stage(2), 3, A);
    assert_eq!(sim.driver.stages[stage(2)].failed_attempts, 0, "completion resets");
    // Its outputs are lost, and it fails again: three more are allowed.
    sim.driver.outputs[ShuffleId::new(1)].clear();
    stages::submit(&mut sim, stage(2), 1);
    (4..7).for_each(|number| fails(&mut sim, number));
    assert_eq!(sim.ending, None);
    fails(&mut sim, 7);
    assert_eq!(sim.ending, Some(Ending::Failed(FailureReason::StageAttempts)));
}

/// 3.7: failures to fetch from an executor that leaves count only where `spark.stage.ignoreDecommissionFetchFailure` is off.
#[test]
fn ff_4_fetches_from_an_executor_that_leaves_do_not_count() {
    for (ignored, leaving) in [(true, true), (true, false), (false, true)] {
        let (plan, mut nobody) = (plan(|spec| spec.spark.scheduling.ignore_decommission_fetch_failure = ignored), Nobody);
        let mut sim = with_job(&plan, &mut nobody, 1);
        done_up_to(&mut sim, 1);
        sim.executors[A].leaving = leaving;
        for number in 0..6 {
            if sim.ending.is_none() {
                fail(&mut sim, attempt(stage(2), number, 0, B), Failure::Fetch(Some(A)));
            }
            if sim.ending.is_none() {
                on_resubmit(&mut sim);
                let again = sim.driver.stages[stage(1)].attempt();
                deliver_all(&mut sim, stage(1), again, B);
            }
        }
        assert_eq!(sim.ending.is_none(), ignored && leaving, "ignored {ignored}, leaving {leaving}");
    }
}

/// `spark.stage.maxAttempts` (3.5) counts submissions, and cannot be below the consecutive ones.
#[test]
fn ff_4_stage_max_attempts_counts_submissions() {
    let change = |most| {
        move |spec: &mut Spec| {
            spec.spark.scheduling.stage_max_attempts = Some(most);
            spec.spark.scheduling.stage_max_consecutive_attempts = 3;
        }
    };
    for (most, submissions) in [(1, 3), (5, 5)] {
        let (plan, mut nobody) = (plan(change(most)), Nobody);
        let mut sim = with_job(&plan, &mut nobody, 1);
        let mut submitted = 1;
        while sim.ending.is_none() {
            // Losses between completions: never three failures in a row.
            let number = sim.driver.stages[stage(1)].attempt();
            deliver_all(&mut sim, stage(1), number, A);
            sim.driver.outputs[ShuffleId::new(0)].clear();
            stages::submit(&mut sim, stage(1), 1);
            submitted += u32::from(sim.ending.is_none());
        }
        assert_eq!((submitted, sim.ending), (submissions, Some(Ending::Failed(FailureReason::StageAttempts))));
    }
}

/// EL-1: a running map stage's task set runs again what it had finished on the lost executor; what an earlier attempt had made there
/// is made by another attempt, at once when the set is through.
#[test]
fn el_1_finished_tasks_of_a_running_map_stage_are_put_back() {
    let (plan, mut nobody) = (plan(|_| {}), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 1);
    deliver(&mut sim, stage(1), 0, 0..3, A);
    deliver(&mut sim, stage(1), 0, 3..6, B);
    let left = sim.driver.stages[stage(1)].set.left();
    on_executor_lost(&mut sim, A);
    let set = &sim.driver.stages[stage(1)].set;
    assert_eq!((set.left(), set.is_done(0), set.is_done(3)), (left + 3, false, true));
    assert_eq!(set.next_waiting(), Some(0), "they are next");
    assert_eq!(sim.driver.stages[stage(1)].attempts, 1, "in the same attempt");
    // A second attempt for B's outputs, while A's successor loses B... the first attempt's outputs are not in its set.
    deliver(&mut sim, stage(1), 0, 0..3, A);
    let all = tasks(&sim, stage(1));
    deliver(&mut sim, stage(1), 0, 6..all - 1, B);
    fail(&mut sim, attempt(stage(1), 0, all - 1, B), Failure::Fetch(None));
    on_resubmit(&mut sim);
    assert_eq!(sim.driver.stages[stage(1)].set.left(), 1);
    on_executor_lost(&mut sim, B);
    assert_eq!(sim.driver.stages[stage(1)].set.left(), 1, "outputs of attempt 0 are not put back into attempt 1");
    deliver(&mut sim, stage(1), 1, all - 1..all, A);
    let state = &sim.driver.stages[stage(1)];
    assert_eq!((state.attempts, state.active, state.set.left()), (3, true, all - 4), "attempt 2 begins at once");
}

/// EL-2, 3.7: with a shuffle service outputs outlive their executor; a fetch failure then speaks against the executor's files, or
/// against the whole host's.
#[test]
fn ff_3_with_a_shuffle_service_the_host_may_be_forgotten() {
    for (whole_host, left) in [(false, 1), (true, 0)] {
        let change = |spec: &mut Spec| {
            spec.spark.shuffle.service = true;
            spec.spark.scheduling.unregister_output_on_host = whole_host;
        };
        let (plan, mut nobody) = (plan(change), Nobody);
        let mut sim = with_job(&plan, &mut nobody, 1);
        sim.executors[B].node = sim.executors[A].node;
        done_up_to(&mut sim, 1);
        on_executor_lost(&mut sim, A);
        assert_eq!(missing(&sim, 0), 0, "an executor's loss loses no output");
        for map in 0..tasks(&sim, stage(1)) {
            let (executor, bytes) = (if map % 2 == 0 { A } else { B }, Bytes::mib(1));
            sim.driver.outputs[ShuffleId::new(0)].register(map, Location { executor, node: NodeId::new(0) }, bytes);
        }
        fail(&mut sim, attempt(stage(2), 0, 0, B), Failure::Fetch(Some(A)));
        assert_eq!(sim.driver.outputs[ShuffleId::new(0)].hosts().count(), left);
    }
}

/// TF-1: four failures of one task abort; other tasks', other attempts' and zombies' do not add up.
#[test]
fn tf_1_failures_count_by_task_and_attempt() {
    let (plan, mut nobody) = (plan(|_| {}), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 1);
    for partition in [0, 0, 0, 1, 1, 1] {
        fail(&mut sim, attempt(stage(1), 0, partition, A), Failure::NoSpace);
    }
    // A fetch failure counts for nothing, and makes a zombie, whose failures do not count either.
    sim.driver.stages[stage(1)].set.launched(0);
    sim.driver.stages[stage(1)].set.launched(1);
    on_task_failed(&mut sim, attempt(stage(1), 0, 1, A), Failure::Fetch(None));
    on_task_failed(&mut sim, attempt(stage(1), 0, 0, A), Failure::OutOfMemory);
    assert_eq!(sim.ending, None);
    on_resubmit(&mut sim);
    for _ in 0..3 {
        fail(&mut sim, attempt(stage(1), 1, 0, A), Failure::OutOfMemory);
    }
    assert_eq!(sim.ending, None, "a new set counts anew");
    fail(&mut sim, attempt(stage(1), 1, 0, A), Failure::OutOfMemory);
    assert_eq!(sim.ending, Some(Ending::Failed(FailureReason::TaskFailures)));
}

/// 3.5: tasks of an executor that died count; those of an executor that the driver dismissed do not.
#[test]
fn tf_1_tasks_of_a_dismissed_executor_do_not_count() {
    for (dismissed, ending) in [(true, None), (false, Some(Ending::Failed(FailureReason::TaskFailures)))] {
        let (plan, mut nobody) = (plan(|spec| spec.spark.scheduling.task_max_failures = 1), Nobody);
        let mut sim = with_job(&plan, &mut nobody, 1);
        sim.driver.stages[stage(1)].set.launched(0);
        sim.executors[A].dismissed = dismissed;
        sim.executors[A].lost.push(attempt(stage(1), 0, 0, A));
        on_executor_lost(&mut sim, A);
        assert_eq!(sim.ending, ending);
        assert_eq!(dismissed, sim.driver.stages[stage(1)].set.next_waiting() == Some(0));
    }
}

/// FF-5: an indeterminate map stage that loses an output runs whole, and so do the stages after it that are incomplete.
#[test]
fn ff_5_an_indeterminate_stage_and_its_successors_run_again_in_full() {
    for indeterminate in [true, false] {
        let (plan, mut nobody) = (plan(|spec| spec.app.stages[2].indeterminate = indeterminate), Nobody);
        let mut sim = with_job(&plan, &mut nobody, 1);
        done_up_to(&mut sim, 2);
        deliver(&mut sim, stage(3), 0, 0..50, B);
        launch(&mut sim, attempt(stage(3), 0, 70, B));
        fail(&mut sim, attempt(stage(3), 0, 60, B), Failure::Fetch(Some(A)));
        on_resubmit(&mut sim);
        // Stage 1 is before it: only what was on A.
        let again: Vec<u32> = (0..tasks(&sim, stage(1))).filter(|p| p % 2 == 0).collect();
        assert_eq!(sim.driver.stages[stage(1)].set.waiting() as usize, again.len());
        again.into_iter().for_each(|partition| deliver(&mut sim, stage(1), 1, partition..partition + 1, B));
        assert_eq!(sim.driver.stages[stage(2)].set.waiting(), if indeterminate { 200 } else { 100 });
        // A zombie of the successor brings a partition of the old rows.
        succeed(&mut sim, attempt(stage(3), 0, 70, B));
        let again: Vec<u32> = (0..200).filter(|p| indeterminate || p % 2 == 0).collect();
        again.into_iter().for_each(|partition| deliver(&mut sim, stage(2), 1, partition..partition + 1, B));
        assert_eq!(sim.driver.stages[stage(3)].set.waiting(), if indeterminate { 200 } else { 149 });
        assert_eq!(sim.ending, None);
    }
}

/// FF-5: a result stage that has committed partitions cannot be rolled back.
#[test]
fn ff_5_a_begun_result_stage_cannot_be_rolled_back() {
    for (committed, ending) in [(1, Some(Ending::Failed(FailureReason::Rollback))), (0, None)] {
        let (plan, mut nobody) = (plan(|spec| spec.app.stages[6].indeterminate = true), Nobody);
        let mut sim = with_job(&plan, &mut nobody, 1);
        done_up_to(&mut sim, 6);
        deliver(&mut sim, stage(7), 0, 0..committed, B);
        fail(&mut sim, attempt(stage(7), 0, 9, B), Failure::Fetch(Some(A)));
        assert_eq!(sim.ending, ending);
    }
}

/// FF-6: the failure of one task of a barrier stage is the failure of the attempt; what it had is void.
#[test]
fn ff_6_a_barrier_stage_fails_as_a_whole() {
    let (plan, mut nobody) = (plan(|spec| spec.app.stages[2].barrier = true), Nobody);
    let mut sim = with_executors(&plan, &mut nobody);
    sim.driver.jobs[1].started = true;
    stages::submit(&mut sim, stage(2), 1);
    deliver_all(&mut sim, stage(1), 0, A);
    for number in 0..4 {
        assert_eq!((sim.driver.stages[stage(2)].set.waiting(), sim.ending), (200, None), "all again");
        (0..200).for_each(|partition| sim.driver.stages[stage(2)].set.launched(partition));
        succeed(&mut sim, attempt(stage(2), number, 0, A));
        on_task_failed(&mut sim, attempt(stage(2), number, 1, A), Failure::NoSpace);
        assert!(sim.driver.outputs[ShuffleId::new(1)].is_empty() && !sim.driver.stages[stage(2)].active);
        if sim.ending.is_none() {
            on_resubmit(&mut sim);
        }
    }
    assert_eq!(sim.ending, Some(Ending::Failed(FailureReason::StageAttempts)));
}

/// Reducers prefer hosts of executors that hold a fifth: on Kubernetes a host is a pod, elsewhere a node.
#[test]
fn reducers_prefer_executors_with_a_fifth_of_the_shuffle() {
    let (plan, mut nobody) = (plan(|_| {}), Nobody);
    let mut sim = with_job(&plan, &mut nobody, 1);
    let all = tasks(&sim, stage(1));
    let few = all / 5 - 1;
    deliver(&mut sim, stage(1), 0, 0..few, A);
    deliver(&mut sim, stage(1), 0, few..all, B);
    let set = &mut sim.driver.stages[stage(2)].set;
    assert_eq!(set.take(A, task_set::Host(0), task_set::Level::Node), None);
    assert_eq!(set.take(B, task_set::Host(1), task_set::Level::Node), Some((0, task_set::Level::Node)));
}

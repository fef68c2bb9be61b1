//! The steps of a task attempt: launch, and what follows what.
//!
//! Launch (and warm-up on a new executor) → consume rounds (with operator spills between) → produce rounds (with operator or writer spills
//! between) → last write → merge if there were spills → done. Each step's end picks the next; waits and device
//! pieces are the only things that take time.

use super::consumers::{ConsumerState, FIRST};
use super::pieces::{self, Work};
use super::{Attempt, Step, TaskRun, consume, demand::Demand, finish, memory, operators, produce};
use crate::event::Event;
use crate::ids::{ShuffleId, StageId, TaskId};
use crate::kernel::{Purpose, mix};
use crate::sim::Sim;
use crate::spark::blocks;
use crate::spark::claims::reuse;
use crate::spark::jvm;
use crate::spark::scratch::Stored;
use crate::spark::task_memory_manager::{MemoryMode, TaskMemoryManager};
use crate::spark::{bypass_writer, push_writer, writer::WriterKind};
use crate::spec::{Operators, SinkSpec};
use crate::units::{Bytes, SimSpan};

/// Sends a task to an executor.
pub(crate) fn launch(sim: &mut Sim, known_as: Attempt, copy: bool) -> Option<(TaskId, u64)> {
    let Attempt { stage, number: attempt, partition, executor, pool } = known_as;
    let node = sim.executors[executor].node?;
    let entity = entity(stage, partition, attempt, copy);
    let mut demand = demand_of(sim, stage, partition, entity);
    demand.page = sim.executors[executor].announced.page;
    let cached = blocks::plan_read(sim, stage, partition, &mut demand);
    let serial = sim.tasks.next_serial();
    let launched = sim.now();
    let id = sim.tasks.insert(TaskRun {
        serial,
        stage,
        attempt,
        partition,
        executor,
        pool,
        node,
        launched,
        demand,
        step: Step::Launch,
        pieces: Vec::with_capacity(4),
        next_piece: 0,
        timer: None,
        ramp: None,
        memory: memory_manager(sim, stage, serial),
        consumers: [ConsumerState::default(); 5],
        filling: FIRST,
        least: Bytes::ZERO,
        wanted: Bytes::ZERO,
        cached,
        worker: None,
        temporary: Stored::NONE,
        writing: Stored::NONE,
        files: 0,
        rest: None,
        to_disk: Bytes::ZERO,
        fetched: Stored::NONE,
        direct: Bytes::ZERO,
        gives_up: None,
        broken_by: None,
    });
    let host = &mut sim.executors[executor];
    host.running.push(id);
    host.unmanaged += demand.unmanaged;
    host.states += demand.states;
    blocks::hold_broadcast(sim, executor, stage);
    let delay = sim.luck.draw(&sim.plan.spec().uncertainty.task_launch_s, Purpose::TaskLaunch, entity).max(0.0);
    let timer = sim.after(SimSpan::from_secs_f64(delay), Event::TaskTimer(id));
    sim.tasks[id].timer = Some(timer);
    Some((id, serial))
}

/// The attempt's consumers: Tungsten's are off-heap when that is enabled, collections of objects are always in the heap (MEM-8).
fn memory_manager(sim: &Sim, stage: StageId, serial: u64) -> TaskMemoryManager {
    let tungsten = if sim.plan.executor.off_heap.is_zero() { MemoryMode::OnHeap } else { MemoryMode::OffHeap };
    let writer = match sim.plan.spec().app.stages[stage.index()].sink {
        SinkSpec::Shuffle(shuffle) if sim.plan.writers[shuffle] == WriterKind::Sort || sim.plan.pushes_from_heap(shuffle) => MemoryMode::OnHeap,
        SinkSpec::Shuffle(_) | SinkSpec::Result => tungsten,
    };
    let operators = if sim.plan.spec().app.sql { tungsten } else { MemoryMode::OnHeap };
    TaskMemoryManager::with_consumers(serial, [tungsten, operators, operators, operators, writer])
}

/// Address of a task attempt's draws. A speculative copy has luck of its own.
fn entity(stage: StageId, partition: u32, attempt: u32, copy: bool) -> u64 {
    let first = mix(mix(stage.index() as u64, u64::from(partition)), u64::from(attempt));
    if copy { mix(first, 1) } else { first }
}

fn demand_of(sim: &Sim, stage: StageId, partition: u32, entity: u64) -> Demand {
    let spec = sim.plan.spec();
    let state = &sim.driver.stages[stage];
    let work = &spec.app.stages[stage.index()].work;
    let mut demand = Demand::new(work, state.part(partition), state.partitions(), &sim.day, &spec.spark.shuffle);
    operators::shape(&mut demand, &spec.app.stages[stage.index()].memory, &spec.spark.sql, first_share(sim, stage), sim.day.expansion);
    demand.cpu *= sim.luck.draw(&spec.uncertainty.task_cpu, Purpose::TaskCpu, entity).max(0.0);
    if let SinkSpec::Shuffle(shuffle) = spec.app.stages[stage.index()].sink {
        if sim.plan.writers[shuffle] == WriterKind::Bypass {
            demand.unmanaged += bypass_writer::heap_buffers(spec.app.shuffles[shuffle].partitions, spec.spark.shuffle.compress);
        }
        if let Some(conf) = spec.spark.shuffle_storage.remote.as_ref().filter(|_| sim.plan.is_remote(shuffle)) {
            demand.unmanaged += push_writer::heap_buffers(conf.client, spec.app.shuffles[shuffle].partitions, demand.writer);
        }
    }
    demand
}

/// Part of the rows that the first operator has.
fn first_share(sim: &Sim, stage: StageId) -> f64 {
    let spec = &sim.plan.spec().app.stages[stage.index()];
    match spec.memory.operators {
        Operators::SortMergeJoin => {
            let bytes = |shuffle: &usize| sim.driver.outputs[ShuffleId::new(*shuffle as u32)].bytes().as_f64();
            let (first, all) = (spec.reads.first().map_or(0.0, bytes), spec.reads.iter().map(bytes).sum::<f64>());
            if spec.reads.len() < 2 || all <= 0.0 { 0.5 } else { first / all }
        }
        _ => 1.0,
    }
}

/// A wait is over.
pub(crate) fn on_timer(sim: &mut Sim, id: TaskId) {
    sim.tasks[id].timer = None;
    if sim.tasks[id].pieces.is_empty() {
        step_done(sim, id);
    }
}

/// Whether a task gets a shuffle writer of Spark's own.
fn writes_shuffle(sim: &Sim, id: TaskId) -> bool {
    matches!(sim.plan.spec().app.stages[sim.tasks[id].stage.index()].sink, SinkSpec::Shuffle(shuffle) if !sim.plan.is_remote(shuffle))
}

/// The current step has ended.
pub(super) fn step_done(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    if let Some(rest) = run.rest.take() {
        pieces::start_part(sim, id, *rest);
        return;
    }
    let executor = run.executor;
    let step = run.step;
    if step == Step::Launch && sim.executors[executor].claims.reused.is_some() && writes_shuffle(sim, id) {
        reuse::on_writer(sim, executor);
    }
    let run = &mut sim.tasks[id];
    match step {
        Step::Launch if !sim.executors[executor].warm => {
            run.step = Step::WarmUp;
            // CPU time, so that executors that share too few cores start slowly.
            let cpu = sim.luck.draw(&sim.plan.spec().uncertainty.warm_up_s, Purpose::WarmUp, executor.index() as u64).max(0.0);
            pieces::start(sim, id, Work { cpu, allocated: jvm::WARM_UP, ..Work::default() });
        }
        Step::Launch => consume::begin(sim, id),
        Step::WarmUp => {
            sim.executors[executor].warm = true;
            consume::begin(sim, id);
        }
        Step::Consume(bytes) => {
            let filling = run.filling;
            consume::round_done(sim, id, filling, bytes);
        }
        Step::Spill(consumer) => memory::spilled(sim, id, consumer),
        Step::Produce(bytes) => produce::round_done(sim, id, bytes),
        Step::FinishWrite => produce::written(sim, id),
        Step::Merge => finish::succeed(sim, id),
        Step::Blocked => memory::woken(sim, id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::ids::{ExecutorId, NodeId};
    use crate::machine::Owner;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::sim::RunKey;
    use crate::spark::executor::{Executor, Life};

    /// One registered executor on the first node.
    fn one_executor(sim: &mut Sim) -> ExecutorId {
        let host = ExecutorId::new(0);
        let executor = Executor::new(sim, host);
        sim.executors.push(executor);
        let node = NodeId::new(0);
        let slot = sim.machines[node].open_pod(Owner::Executor(host), sim.plan.executor.limit, None);
        (sim.executors[host].life, sim.executors[host].node, sim.executors[host].slot) = (Life::Registered, Some(node), Some(slot));
        host
    }

    /// A task of 8 GiB of rows.
    fn large_task(sim: &mut Sim, partition: u32, host: ExecutorId) -> TaskId {
        launch(sim, Attempt { stage: StageId::new(2), number: 0, partition, executor: host, pool: 0 }, false);
        let id = sim.executors[host].running[partition as usize];
        let page = sim.tasks[id].demand.page;
        sim.tasks[id].demand = Demand { operators: [Bytes::gib(8), Bytes::ZERO, Bytes::ZERO], page, ..Demand::default() };
        id
    }

    /// A5 for two tasks that start together: each fills half of M to the last page and none waits, also the one that asks before the other has.
    #[test]
    fn mem_23_tasks_that_start_together_share_evenly() {
        let plan = SimPlan::compile(&fixture::case_study(false, true)).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        let host = one_executor(&mut sim);
        let tasks = [0, 1].map(|partition| large_task(&mut sim, partition, host));
        let half = Bytes::new(sim.executors[host].memory.max().get() / 2);
        for id in tasks {
            consume::round(&mut sim, id);
            let held = sim.tasks[id].acquired(MemoryMode::OnHeap);
            assert!(held <= half && half - held < plan.executor.usual.page, "{held:?} of {half:?}");
            assert!(matches!(sim.tasks[id].step, Step::Consume(_)));
        }
    }

    /// An executor with two tasks of 8 GiB of rows each: the first has the pool and is about to spill, the second, which came when the
    /// first had taken all, waits for it.
    fn two_tasks<'p, 'o>(plan: &'p SimPlan, nobody: &'o mut Nobody) -> (Sim<'p, 'o>, ExecutorId, [TaskId; 2]) {
        let mut sim = Sim::new(plan, RunKey { seed: 1, replication: 0 }, nobody);
        let host = one_executor(&mut sim);
        let tasks = [0, 1].map(|partition| {
            let id = large_task(&mut sim, partition, host);
            consume::round(&mut sim, id);
            id
        });
        assert_eq!(sim.tasks[tasks[1]].step, Step::Blocked);
        step_done(&mut sim, tasks[0]);
        assert_eq!(sim.tasks[tasks[0]].step, Step::Spill(FIRST));
        (sim, host, tasks)
    }

    /// MEM-21 and 6.6: what one task spills goes to a blocked one, whose rows fill the heap; the spiller dies with the JVM.
    #[test]
    fn a_blocked_task_that_fills_the_heap_takes_the_spilling_one_along() {
        let plan = SimPlan::compile(&fixture::case_study(false, true)).expect("the fixture compiles");
        let mut nobody = Nobody;
        let (mut sim, host, [first, _]) = two_tasks(&plan, &mut nobody);
        sim.executors[host].unmanaged = Bytes::gib(11);
        step_done(&mut sim, first);
        assert_eq!((sim.executors[host].life, sim.executors[host].running.len()), (Life::Dead, 0));
    }

    /// MEM-31: of what the waiting task is granted, the heap holds only what 7.5 GiB of other objects leave; the rest stays acquired and
    /// unused, and the executor lives.
    #[test]
    fn mem_31_pages_beyond_the_heap_are_acquired_but_not_used() {
        let plan = SimPlan::compile(&fixture::case_study(false, true)).expect("the fixture compiles");
        let mut nobody = Nobody;
        let (mut sim, host, [first, second]) = two_tasks(&plan, &mut nobody);
        sim.executors[host].unmanaged = Bytes::mib(7680);
        step_done(&mut sim, first);
        let executor = &sim.executors[host];
        let usable = crate::spark::jvm::usable_heap(plan.executor.heap, plan.spec().spark.executor.collector);
        assert_eq!((executor.life, executor.running.len()), (Life::Registered, 2));
        let room = usable.checked_sub(executor.live_heap()).expect("no more than the heap holds");
        assert!(room < Bytes::gib(1), "{room:?} left");
        // The first has begun again, so the waiting task is granted half of M, 2982 MiB; 9984 - 30 - 7680 MiB are left in the heap.
        let acquired: Bytes = [first, second].into_iter().map(|id| sim.tasks[id].acquired(MemoryMode::OnHeap)).sum();
        assert!(!executor.unused.is_zero() && acquired - executor.unused <= Bytes::mib(9984 - 30 - 7680), "{acquired:?}");
    }
}

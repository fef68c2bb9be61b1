//! The steps of a task attempt: launch, and what follows what.
//!
//! Launch (and warm-up on a new executor) → consume rounds (with operator spills between) → produce rounds (with operator or writer spills
//! between) → last write → merge if there were spills → done. Each step's end picks the next; waits and device
//! pieces are the only things that take time.

use super::pieces::{self, Work};
use super::{Consumer, Step, TaskRun, consume, demand::Demand, finish, memory, produce};
use crate::event::Event;
use crate::ids::{ExecutorId, StageId, TaskId};
use crate::kernel::{Purpose, mix};
use crate::sim::Sim;
use crate::spark::scratch::Stored;
use crate::spark::{bypass_writer, writer::WriterKind};
use crate::spec::SinkSpec;
use crate::units::{Bytes, SimSpan};

/// Core-seconds of the first tasks on an executor for loading classes and deserialising: 0.45 to 0.57 in sixteen logs of
/// Spark 3.5 on Java 17 (`Executor Deserialize CPU Time` of first tasks; 8.5 has 0.3 to 1 s). CPU time, so that executors that
/// share too few cores start slowly.
const WARM_UP: f64 = 0.5;

/// Sends a task to an executor.
pub(crate) fn launch(sim: &mut Sim, stage: StageId, attempt: u32, partition: u32, executor: ExecutorId) {
    let Some(node) = sim.executors[executor].node else { return };
    let demand = demand_of(sim, stage, attempt, partition);
    let serial = sim.tasks.next_serial();
    let id = sim.tasks.insert(TaskRun {
        serial,
        stage,
        attempt,
        partition,
        executor,
        node,
        demand,
        step: Step::Launch,
        pieces: Vec::with_capacity(4),
        next_piece: 0,
        timer: None,
        ramp: None,
        operator: Consumer::default(),
        writer: Consumer::default(),
        temporary: Stored::NONE,
        writing: Stored::NONE,
        to_disk: Bytes::ZERO,
        fetched: Stored::NONE,
        direct: Bytes::ZERO,
        gives_up: None,
        broken_by: None,
    });
    let host = &mut sim.executors[executor];
    host.running.push(id);
    host.unmanaged += demand.unmanaged;
    let broadcast = sim.plan.spec().app.stages[stage.index()].broadcast;
    if !broadcast.is_zero() && !host.broadcasts.contains(&stage) {
        host.broadcasts.push(stage);
        host.broadcast += broadcast;
    }
    let entity = entity(stage, partition, attempt);
    let delay = sim.luck.draw(&sim.plan.spec().uncertainty.task_launch_s, Purpose::TaskLaunch, entity).max(0.0);
    let timer = sim.after(SimSpan::from_secs_f64(delay), Event::TaskTimer(id));
    sim.tasks[id].timer = Some(timer);
}

/// Address of a task attempt's draws.
fn entity(stage: StageId, partition: u32, attempt: u32) -> u64 {
    mix(mix(stage.index() as u64, u64::from(partition)), u64::from(attempt))
}

fn demand_of(sim: &Sim, stage: StageId, attempt: u32, partition: u32) -> Demand {
    let spec = sim.plan.spec();
    let state = &sim.driver.stages[stage];
    let work = &spec.app.stages[stage.index()].work;
    let mut demand = Demand::new(work, partition, state.tasks, state.shares[partition as usize], &sim.day, &spec.spark.shuffle);
    let entity = entity(stage, partition, attempt);
    demand.cpu *= sim.luck.draw(&spec.uncertainty.task_cpu, Purpose::TaskCpu, entity).max(0.0);
    if let SinkSpec::Shuffle(shuffle) = spec.app.stages[stage.index()].sink {
        if sim.plan.writers[shuffle] == WriterKind::Bypass {
            demand.unmanaged += bypass_writer::heap_buffers(spec.app.shuffles[shuffle].partitions, spec.spark.shuffle.compress);
        }
    }
    demand
}

/// A wait is over.
pub(crate) fn on_timer(sim: &mut Sim, id: TaskId) {
    sim.tasks[id].timer = None;
    if sim.tasks[id].pieces.is_empty() {
        step_done(sim, id);
    }
}

/// The current step has ended.
pub(super) fn step_done(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    let executor = run.executor;
    match run.step {
        Step::Launch if !sim.executors[executor].warm => {
            run.step = Step::WarmUp;
            pieces::start(sim, id, Work { cpu: WARM_UP, ..Work::default() });
        }
        Step::Launch => consume::begin(sim, id),
        Step::WarmUp => {
            sim.executors[executor].warm = true;
            consume::begin(sim, id);
        }
        Step::Consume(bytes) => {
            run.operator.done += bytes;
            consume::round_done(sim, id);
        }
        Step::SpillOperator(consuming) => {
            let executor = run.executor;
            memory::operator_spilled(sim, id);
            // What the spill released may have gone to a blocked task whose next round filled the heap: then this task is gone too.
            match (sim.executors[executor].is_up(), consuming) {
                (false, _) => {}
                (true, true) => consume::round(sim, id),
                (true, false) => produce::round(sim, id),
            }
        }
        Step::Produce(bytes) => {
            run.writer.done += bytes;
            produce::round_done(sim, id);
        }
        Step::SpillWriter => {
            let executor = run.executor;
            produce::spilled(sim, id);
            if sim.executors[executor].is_up() {
                produce::round(sim, id);
            }
        }
        Step::FinishWrite => produce::written(sim, id),
        Step::Merge => finish::succeed(sim, id),
        // Blocked tasks have no piece and no timer; they are woken by releases.
        Step::BlockedAtStart | Step::Blocked(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::ids::NodeId;
    use crate::machine::Owner;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::sim::RunKey;
    use crate::spark::executor::{Executor, Life};

    /// MEM-21 and 6.6: what one task spills goes to a blocked one, whose rows fill the heap; the spiller dies with the JVM.
    #[test]
    fn a_blocked_task_that_fills_the_heap_takes_the_spilling_one_along() {
        let plan = SimPlan::compile(&fixture::case_study(false, true)).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        let host = ExecutorId::new(0);
        let executor = Executor::new(&sim);
        sim.executors.push(executor);
        let node = NodeId::new(0);
        let slot = sim.machines[node].open_pod(Owner::Executor(host), plan.executor.limit, None);
        (sim.executors[host].life, sim.executors[host].node, sim.executors[host].slot) = (Life::Registered, Some(node), Some(slot));
        for partition in 0..2 {
            launch(&mut sim, StageId::new(2), 0, partition, host);
        }
        let (first, second) = (sim.executors[host].running[0], sim.executors[host].running[1]);
        for id in [first, second] {
            sim.tasks[id].demand = Demand { operator: Bytes::gib(8), ..Demand::default() };
            consume::round(&mut sim, id);
        }
        assert_eq!(sim.tasks[second].step, Step::Blocked(true));
        step_done(&mut sim, first);
        assert_eq!(sim.tasks[first].step, Step::SpillOperator(true));
        sim.executors[host].unmanaged = Bytes::gib(6);
        step_done(&mut sim, first);
        assert_eq!((sim.executors[host].life, sim.executors[host].running.len()), (Life::Dead, 0));
    }
}

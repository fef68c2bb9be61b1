//! Task attempts: phases of one-resource pieces, with the memory they hold.
//!
//! A task consumes its input (storage, shuffle fetch) into its operators' execution memory, then produces rows
//! into the shuffle writer or the result. Both go in rounds as large as the memory that Spark grants; a refused
//! request makes one of its consumers spill (domain-facts 1.4, 2.3 to 2.5). A round overlaps CPU, NIC and disk and ends when the slowest
//! piece ends. Heap touched and tmpfs written ramp with the CPU piece. At the end the writer's files are merged
//! (spills and output coexist, US-7) and the output is committed.

mod collect;
mod consume;
pub(crate) mod consumers;
pub(crate) mod demand;
mod fetch;
pub(crate) mod files;
mod finish;
mod memory;
mod operators;
pub(crate) mod paging;
mod pieces;
mod produce;
mod remote;
mod row_memory;
mod sources;
mod steps;
#[cfg(test)]
mod worked_examples;

use crate::hardware::{Device, FlowOwner};
use crate::ids::{ExecutorId, NodeId, StageId, TaskId};
use crate::kernel::{EventHandle, FlowHandle};
use crate::linux::ramp::FlowRamp;
use crate::sim::Sim;
use crate::spark::blocks::CachedInput;
use crate::spark::decommission::{cached, migration};
use crate::spark::push_merge;
use crate::spark::scratch::Stored;
use crate::spark::start;
use crate::spark::task_memory_manager::{ConsumerId, MemoryMode, TaskMemoryManager};
use crate::units::{Bytes, SimTime};

pub(crate) use fetch::{break_fetches, on_fetch_gives_up};
pub(crate) use finish::{Failure, fail, kill_where};
pub(crate) use memory::{off_heap, retry_blocked};
pub(crate) use remote::on_service_done;
pub(crate) use steps::{launch, on_timer};

use consumers::ConsumerState;
use demand::Demand;

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Being sent.
    Launch,
    /// Loading classes, on an executor that has run nothing yet.
    WarmUp,
    /// Taking input into operators: so many bytes of operator memory this round.
    Consume(Bytes),
    /// Waiting for execution memory.
    Blocked,
    /// A consumer spills, then the request that made it goes on.
    Spill(ConsumerId),
    /// Rows go to the writer: so many bytes of writer memory this round.
    Produce(Bytes),
    /// The last rows are written: as the output, or as the last spill before the merge.
    FinishWrite,
    /// Spills are merged into the output.
    Merge,
}

/// A task attempt, as the driver knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) stage: StageId,
    /// Number of the stage attempt.
    pub(crate) number: u32,
    pub(crate) partition: u32,
    pub(crate) executor: ExecutorId,
    /// The pool that it was launched in.
    pub(crate) pool: u16,
}

/// A piece of a step that runs on a device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// Whose device: a node's, or the remote shuffle service's.
    pub(crate) node: Option<NodeId>,
    pub(crate) device: Device,
    pub(crate) flow: FlowHandle,
    /// Number within the task.
    pub(crate) number: u32,
}

/// A running task attempt.
#[derive(Debug)]
pub(crate) struct TaskRun {
    /// Distinguishes attempts in the executor's memory pool.
    pub(crate) serial: u64,
    pub(crate) stage: StageId,
    pub(crate) attempt: u32,
    pub(crate) partition: u32,
    pub(crate) executor: ExecutorId,
    pub(crate) pool: u16,
    pub(crate) node: NodeId,
    /// When the driver sent it.
    pub(crate) launched: SimTime,
    pub(crate) demand: Demand,
    pub(crate) step: Step,
    /// Pieces of the step that still run.
    pub(crate) pieces: Vec<Piece>,
    /// Number of the next piece.
    pub(crate) next_piece: u32,
    pub(crate) timer: Option<EventHandle>,
    pub(crate) ramp: Option<FlowRamp>,
    /// What its consumers hold of execution memory.
    pub(crate) memory: TaskMemoryManager,
    pub(crate) consumers: [ConsumerState; 5],
    /// The consumer that is filled, and what it last asked for: what it cannot do without, and all that it would take.
    pub(crate) filling: ConsumerId,
    pub(crate) least: Bytes,
    pub(crate) wanted: Bytes,
    /// What it reads of cached rows beside what is in memory.
    pub(crate) cached: Option<Box<CachedInput>>,
    /// Size of its Python or R worker, once it has one.
    pub(crate) worker: Option<Bytes>,
    /// Files of this attempt that go when it ends.
    pub(crate) temporary: Stored,
    /// Files that the running step writes; on tmpfs they are in the ramp.
    pub(crate) writing: Stored,
    /// Steps so far: the names of random files follow from it.
    files: u32,
    /// What is left of a step that its files had no room for.
    rest: Option<Box<pieces::Work>>,
    /// Bytes of its remote blocks that go through scratch, in all (FR-2); those of them that are there.
    pub(crate) to_disk: Bytes,
    pub(crate) fetched: Stored,
    pub(crate) direct: Bytes,
    /// Whether it reads from an executor that is gone, and when it gives up.
    pub(crate) gives_up: Option<EventHandle>,
    pub(crate) broken_by: Option<ExecutorId>,
}

impl TaskRun {
    /// What the driver knows it by.
    pub(crate) fn known_as(&self) -> Attempt {
        Attempt { stage: self.stage, number: self.attempt, partition: self.partition, executor: self.executor, pool: self.pool }
    }
    /// Bytes of input that it has taken in by virtual time `v` of its node's CPU.
    fn taken_in(&self, v: f64) -> Bytes {
        let (done, all) = if self.demand.consumed().is_zero() {
            (self.state(consumers::WRITER).done, self.demand.writer)
        } else {
            (consumers::INPUTS.into_iter().map(|slot| self.state(slot).done).sum(), self.demand.consumed())
        };
        let step = match self.step {
            Step::Consume(bytes) => bytes,
            Step::Produce(bytes) if self.demand.consumed().is_zero() => bytes,
            _ => Bytes::ZERO,
        };
        let under_way = self.ramp.map_or(0.0, |ramp| ramp.share(v));
        let share = match self.step {
            // A task without rows in memory takes all in one step.
            Step::Produce(_) if all.is_zero() => under_way,
            _ if all.is_zero() => 0.0,
            _ => (done.as_f64() + step.as_f64() * under_way) / all.as_f64(),
        };
        (self.demand.input + self.demand.read).scale(share)
    }
    /// A number for a new piece.
    fn number_piece(&mut self) -> u32 {
        self.next_piece += 1;
        self.next_piece
    }
    /// State of a consumer.
    pub(crate) fn state(&self, consumer: ConsumerId) -> &ConsumerState {
        &self.consumers[consumer.0 as usize]
    }
    fn state_mut(&mut self, consumer: ConsumerId) -> &mut ConsumerState {
        &mut self.consumers[consumer.0 as usize]
    }
    /// Execution memory in a pool that is this attempt's, acquired and unused pages included.
    pub(crate) fn acquired(&self, mode: MemoryMode) -> Bytes {
        self.memory.used_in(mode) + if mode == MemoryMode::OnHeap { self.memory.acquired_but_not_used() } else { Bytes::ZERO }
    }
}

/// The running task attempts, by slot.
#[derive(Debug)]
pub(crate) struct Tasks {
    slots: Vec<Option<TaskRun>>,
    free: Vec<u32>,
    serial: u64,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), serial: 0 }
    }
    /// A serial number for a new attempt.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
    /// Stores an attempt.
    pub(crate) fn insert(&mut self, run: TaskRun) -> TaskId {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(run);
            return TaskId::new(slot);
        }
        self.slots.push(Some(run));
        TaskId::new(self.slots.len() as u32 - 1)
    }
    /// Takes an attempt out.
    pub(crate) fn remove(&mut self, id: TaskId) {
        self.slots[id.index()] = None;
        self.free.push(id.index() as u32);
    }
    /// The attempt in a place, if it is still the one with this serial number.
    pub(crate) fn get(&self, id: TaskId, serial: u64) -> Option<&TaskRun> {
        self.slots.get(id.index())?.as_ref().filter(|run| run.serial == serial)
    }
    /// Ids of all running attempts, in slot order.
    pub(crate) fn ids(&self) -> Vec<TaskId> {
        (0..self.slots.len()).filter(|&i| self.slots[i].is_some()).map(|i| TaskId::new(i as u32)).collect()
    }
}

impl std::ops::Index<TaskId> for Tasks {
    type Output = TaskRun;
    fn index(&self, id: TaskId) -> &TaskRun {
        self.slots[id.index()].as_ref().expect("events of ended tasks are cancelled")
    }
}
impl std::ops::IndexMut<TaskId> for Tasks {
    fn index_mut(&mut self, id: TaskId) -> &mut TaskRun {
        self.slots[id.index()].as_mut().expect("events of ended tasks are cancelled")
    }
}

/// A device has served its first flow.
pub(crate) fn on_device_done(sim: &mut Sim, node: NodeId, device: Device) {
    sim.machines[node].devices.fired(device);
    let now = sim.now();
    sim.touch(node);
    while let Some(owner) = sim.machines[node].pop_done(now, device) {
        match owner {
            FlowOwner::WriteBack(index) => sim.machines[node].written_back(index),
            FlowOwner::Migration(thread) => migration::on_flow_done(sim, thread),
            FlowOwner::MergePush(slot) => push_merge::on_flow_done(sim, slot),
            FlowOwner::CachedMigration(thread) => cached::on_flow_done(sim, thread),
            FlowOwner::Task(task, number) => pieces::piece_done(sim, task, number),
            FlowOwner::Start(executor) => start::on_registers(sim, executor),
        }
    }
}

/// Cancels everything that a task has under way. Files that it was writing count as far as they got.
pub(crate) fn stop_pieces(sim: &mut Sim, id: TaskId) {
    let now = sim.now();
    let run = &mut sim.tasks[id];
    let (pieces, ramp, timer, gives_up) = (std::mem::take(&mut run.pieces), run.ramp.take(), run.timer.take(), run.gives_up.take());
    let (node, executor) = (run.node, run.executor);
    sim.executors[executor].touching -= ramp.map_or(Bytes::ZERO, |ramp| ramp.heap);
    if let (Some(ramp), Some(slot)) = (ramp, sim.executors[executor].slot) {
        let v = sim.machines[node].v(now);
        let brought = sim.machines[node].memory.abort_ramp(slot, &ramp, v);
        let run = &mut sim.tasks[id];
        let written = std::mem::take(&mut run.writing).in_memory(&sim.plan.executor.scratch, brought.shmem);
        run.temporary += &written;
        let host = &mut sim.executors[executor];
        host.temporary += &written;
        host.to_come.give_back(host.warm, ramp.non_heap - brought.non_heap);
    }
    for piece in pieces {
        if let Some(node) = piece.node {
            sim.machines[node].devices.cancel(now, piece.device, piece.flow);
            sim.touch(node);
        } else if let Some(service) = &mut sim.remote {
            service.devices.cancel(now, piece.device, piece.flow);
            service.touched = true;
        }
    }
    for handle in [timer, gives_up].into_iter().flatten() {
        sim.calendar.cancel(handle);
    }
    sim.touch(node);
}

/// Ends a task because its executor died: nothing is given back here, the container's death does that.
pub(crate) fn abort_at_death(sim: &mut Sim, id: TaskId) -> Attempt {
    stop_pieces(sim, id);
    let lost = sim.tasks[id].known_as();
    sim.forget_task(id);
    lost
}

/// Bytes that an attempt has read so far, if it still runs.
pub(crate) fn bytes_read(sim: &Sim, id: TaskId, serial: u64) -> Bytes {
    sim.tasks.get(id, serial).map_or(Bytes::ZERO, |run| run.taken_in(sim.machines[run.node].v(sim.now())))
}

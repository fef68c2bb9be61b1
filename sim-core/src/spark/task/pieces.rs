//! Starting a step's pieces on the devices, and their ends.
//!
//! CPU work is lengthened by garbage collection, in proportion to what it allocates (JH-3), and stretched by a CPU limit. A write to scratch is a memory copy on
//! tmpfs (CPU time, ramping shmem) and a buffered write on disk (absorbed by the page cache up to the dirty
//! threshold, then at the disk's pace). The heap that the step's allocations touch ramps along with the CPU. A step whose file
//! does not fit on the disk goes as far as the room reaches and then looks again: it goes on with what has become free meanwhile,
//! or fails with ENOSPC, at the instant at which a write would.

use super::{Piece, Step, fetch, files, finish, paging, remote, steps};
use crate::hardware::{Device, FlowOwner};
use crate::ids::{NodeId, TaskId};
use crate::linux::ramp::FlowRamp;
use crate::record::{Cause, Level};
use crate::sim::Sim;
use crate::spark::driver::failures;
use crate::spark::executor::{self, Death};
use crate::spark::jvm;
use crate::spark::scratch::Stored;
use crate::units::Bytes;

/// Copying into tmpfs: bytes a second of one core, page allocation included (8.1: 1000–2500 MB/s).
const TMPFS_BYTES_PER_CORE_SECOND: f64 = 1.5e9;

/// What a step does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    /// Core-seconds.
    pub(super) cpu: f64,
    /// Bytes allocated on the heap.
    pub(super) allocated: Bytes,
    /// Bytes written to scratch.
    pub(super) write: Bytes,
    /// Bytes of this executor's scratch that are read back.
    pub(super) read_back: Bytes,
    /// Share of the task's input that is read.
    pub(super) input_share: f64,
    /// Bytes sent out of the application.
    pub(super) send: Bytes,
    /// Bytes pushed to a remote shuffle service.
    pub(super) push: Bytes,
    /// Bytes among those written that are fetched blocks too large for memory.
    pub(super) fetched: Bytes,
    /// What the other bytes written are.
    pub(super) kind: files::Kind,
}

impl Work {
    /// A share of it, and what is left.
    fn cut(&self, share: f64) -> (Self, Self) {
        let part = Self {
            cpu: self.cpu * share,
            allocated: self.allocated.scale(share),
            write: self.write.scale(share),
            read_back: self.read_back.scale(share),
            input_share: self.input_share * share,
            send: self.send.scale(share),
            push: self.push.scale(share),
            fetched: self.fetched.scale(share),
            kind: self.kind,
        };
        let rest = Self {
            cpu: self.cpu - part.cpu,
            allocated: self.allocated - part.allocated,
            write: self.write - part.write,
            read_back: self.read_back - part.read_back,
            input_share: self.input_share - part.input_share,
            send: self.send - part.send,
            push: self.push - part.push,
            fetched: self.fetched - part.fetched,
            kind: self.kind,
        };
        (part, rest)
    }
}

/// Starts a step's pieces. The executor may die here of a full heap, or the task fail on a full disk; then `false`.
pub(super) fn start(sim: &mut Sim, id: TaskId, work: Work) -> bool {
    let run = &mut sim.tasks[id];
    run.files += 1;
    let to_disk = run.to_disk;
    if to_disk.is_zero() || work.input_share == 0.0 {
        return start_part(sim, id, work);
    }
    // Blocks that are too large for memory are files first, and read from there (FR-2).
    let fetched = to_disk.scale(work.input_share);
    start_part(sim, id, Work { write: work.write + fetched, read_back: work.read_back + fetched, fetched, ..work })
}

/// Starts as much of a step as its files have room for, and keeps the rest.
pub(super) fn start_part(sim: &mut Sim, id: TaskId, mut work: Work) -> bool {
    if heap_is_full(sim, id) {
        return false;
    }
    if !work.push.is_zero() && remote::is_full(sim, id, work.push) {
        finish::fail(sim, id, finish::Failure::NoSpace);
        return false;
    }
    let executor = sim.tasks[id].executor;
    let (mut writing, mut fetched) = placed(sim, id, &work);
    if let Some((room, wanted, size)) = files::lacks_room(sim, id, &writing) {
        let (part, rest) = work.cut(room.as_f64() / wanted.as_f64());
        if part.write.is_zero() {
            failures::record_full_scratch(sim, executor, size, size);
            finish::fail(sim, id, finish::Failure::NoSpace);
            return false;
        }
        (writing, fetched) = placed(sim, id, &part);
        work = part;
        sim.tasks[id].rest = Some(Box::new(rest));
    }
    start_pieces(sim, id, &work, &writing, &fetched);
    debug_assert!(sim.executors[executor].is_up());
    let node = sim.tasks[id].node;
    sim.touch(node);
    true
}

/// Where the files of a step lie, and those of them that are fetched blocks.
fn placed(sim: &Sim, id: TaskId, work: &Work) -> (Stored, Stored) {
    let mut writing = files::place(sim, id, work.kind, work.write - work.fetched);
    let fetched = files::place(sim, id, files::Kind::Temporary, work.fetched);
    writing += &fetched;
    (writing, fetched)
}

fn start_pieces(sim: &mut Sim, id: TaskId, work: &Work, writing: &Stored, fetched: &Stored) {
    let run = &mut sim.tasks[id];
    run.fetched += fetched;
    run.writing = writing.clone();
    let node = run.node;
    let own = work.cpu + writing.tmpfs.as_f64() / TMPFS_BYTES_PER_CORE_SECOND;
    let collecting = collecting(sim, id, work.allocated, own);
    let cpu = (own + collecting) * sim.executors[sim.tasks[id].executor].announced.cpu_stretch;
    paging::page_in(sim, id, work.allocated);
    start_cpu(sim, id, cpu, work.allocated, writing.tmpfs);
    if !writing.disk.is_zero() {
        files::write(sim, id, writing);
    }
    if !work.read_back.is_zero() {
        files::read_back(sim, id, work.read_back);
    }
    if work.input_share > 0.0 {
        fetch::start_input(sim, id, work.input_share);
    }
    if !work.send.is_zero() {
        nic(sim, id, node, Device::NicOut, work.send);
    }
    if !work.push.is_zero() {
        remote::push(sim, id, work.push);
    }
}

/// Java heap space: the live set does not fit; the JVM exits with 52 (6.6).
fn heap_is_full(sim: &mut Sim, id: TaskId) -> bool {
    let executor = sim.tasks[id].executor;
    let live = sim.executors[executor].live_heap();
    let usable = jvm::usable_heap(sim.plan.executor.heap, sim.plan.spec().spark.executor.collector);
    if live <= usable {
        return false;
    }
    executor::die(sim, executor, Death { cause: Cause::Heap, level: Level::Heap, used: live, limit: sim.plan.executor.heap });
    true
}

/// Core-seconds that collecting a step's garbage takes.
fn collecting(sim: &Sim, id: TaskId, allocated: Bytes, work: f64) -> f64 {
    let live = sim.executors[sim.tasks[id].executor].live_heap();
    jvm::gc_seconds(live, sim.plan.executor.heap, sim.plan.spec().spark.executor.collector, allocated, work)
}

fn start_cpu(sim: &mut Sim, id: TaskId, core_seconds: f64, allocated: Bytes, shmem: Bytes) {
    let now = sim.now();
    let (executor, node) = (sim.tasks[id].executor, sim.tasks[id].node);
    let Some(slot) = sim.executors[executor].slot else { return };
    let heap = heap_touched(sim, id, allocated);
    let loads = sim.tasks[id].step == Step::WarmUp;
    let non_heap = sim.executors[executor].to_come.take(loads, core_seconds);
    let machine = &mut sim.machines[node];
    let ramp = FlowRamp::new(machine.v(now), core_seconds, heap, shmem).with_non_heap(non_heap);
    machine.memory.start_ramp(slot, &ramp);
    let run = &mut sim.tasks[id];
    let before = run.ramp.replace(ramp).map_or(Bytes::ZERO, |ramp| ramp.heap);
    sim.executors[executor].touching += heap;
    sim.executors[executor].touching -= before;
    let number = run.number_piece();
    let flow = machine.devices.add_cpu(now, core_seconds, FlowOwner::Task(id, number));
    run.pieces.push(Piece { node: Some(node), device: Device::Cpu, flow, number });
}

/// Heap that a step newly touches: what its executor's allocations, this step's included, and what is tenured come to (JH-2), on top of what all
/// running steps will have touched at their ends.
fn heap_touched(sim: &mut Sim, id: TaskId, allocated: Bytes) -> Bytes {
    let run = &sim.tasks[id];
    let executor = &sim.executors[run.executor];
    let Some(slot) = executor.slot else { return Bytes::ZERO };
    let machine = &sim.machines[run.node];
    debug_assert_eq!(executor.touching, executor.running.iter().filter_map(|&task| sim.tasks[task].ramp).map(|ramp| ramp.heap).sum());
    let touched = machine.memory.settled_heap(slot) + executor.touching;
    let live = executor.live_heap().min(sim.plan.executor.heap);
    // Buffers of tasks die young: they take room in eden, not beside it. States live as long as their tasks, and longer as garbage.
    let tenured = live.saturating_sub(executor.unmanaged.saturating_sub(executor.states));
    let heap = committed(sim, run.node, live, tenured);
    let conf = &sim.plan.spec().spark.executor;
    let executor = &mut sim.executors[run.executor];
    executor.allocated += allocated;
    executor.young = jvm::young_touched(conf.collector, heap, executor.young_share, executor.allocated, executor.young, allocated);
    let old = if conf.xms_equals_xmx {
        jvm::with_dead(sim.plan.executor.heap, tenured, executor.dead_states)
    } else {
        jvm::old_generation(jvm::BASE_LIVE, tenured, executor.allocated)
    };
    jvm::resident_heap(heap.max(old), executor.young, old).max(live).saturating_sub(touched)
}

/// Heap that the JVM has committed: all of it under `-Xms` = `-Xmx`, else grown on demand from what RAM it sees.
/// What tasks hold in buffers dies young; what is tenured decides how large the old generation is, and with it the young one.
fn committed(sim: &Sim, node: NodeId, live: Bytes, tenured: Bytes) -> Bytes {
    let conf = &sim.plan.spec().spark.executor;
    if conf.xms_equals_xmx {
        return conf.heap;
    }
    let ram = sim.plan.executor.limit.unwrap_or(sim.plan.nodes[node.index()].shape.memory);
    jvm::committed_on_demand(conf.heap, ram, tenured, sim.day.heap_growth).max(live)
}

/// Moves bytes over a node's NIC.
pub(super) fn nic(sim: &mut Sim, id: TaskId, node: NodeId, device: Device, bytes: Bytes) {
    let now = sim.now();
    let run = &mut sim.tasks[id];
    let number = run.number_piece();
    let flow = sim.machines[node].devices.add_nic(now, device, bytes, FlowOwner::Task(id, number));
    run.pieces.push(Piece { node: Some(node), device, flow, number });
    sim.touch(node);
}

/// A piece of a task is through; the last one ends the step.
pub(super) fn piece_done(sim: &mut Sim, id: TaskId, number: u32) {
    let run = &mut sim.tasks[id];
    let Some(position) = run.pieces.iter().position(|p| p.number == number) else { return };
    let piece = run.pieces.swap_remove(position);
    if piece.device == Device::Cpu {
        let host = &mut sim.executors[run.executor];
        if let Some(ramp) = run.ramp.take() {
            host.touching -= ramp.heap;
            if let Some(slot) = host.slot {
                let written = std::mem::take(&mut run.writing);
                run.temporary += &written;
                host.temporary += &written;
                sim.machines[run.node].memory.finish_ramp(slot, &ramp);
            }
        }
    }
    let run = &sim.tasks[id];
    if run.pieces.is_empty() && run.timer.is_none() {
        steps::step_done(sim, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::ids::{ExecutorId, StageId};
    use crate::machine::Owner;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::sim::RunKey;
    use crate::spark::executor::{Executor, Life};

    /// JH-2: tasks that allocate at the same time touch together what one would that allocates as much, never more than the ceiling.
    #[test]
    fn jh_2_parallel_tasks_touch_what_one_task_would() {
        let plan = SimPlan::compile(&fixture::case_study(false, true)).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        let (host, node) = (ExecutorId::new(0), NodeId::new(0));
        let executor = Executor::new(&sim, ExecutorId::new(sim.executors.len() as u32));
        sim.executors.push(executor);
        let slot = sim.machines[node].open_pod(Owner::Executor(host), plan.executor.limit, None);
        (sim.executors[host].life, sim.executors[host].node, sim.executors[host].slot) = (Life::Registered, Some(node), Some(slot));
        let allocated = Bytes::gib(3);
        for partition in 0..3 {
            steps::launch(&mut sim, super::super::Attempt { stage: StageId::new(2), number: 0, partition, executor: host, pool: 0 }, false);
            let id = sim.executors[host].running[partition as usize];
            sim.executors[host].unmanaged = Bytes::ZERO;
            start_cpu(&mut sim, id, 10.0, allocated, Bytes::ZERO);
        }
        let together: Bytes = sim.executors[host].running.iter().filter_map(|&id| sim.tasks[id].ramp).map(|ramp| ramp.heap).sum();
        let share = sim.executors[host].young_share;
        let young = |allocated| jvm::young_touched(crate::spec::Collector::G1, plan.executor.heap, share, jvm::STARTED + allocated, Bytes::ZERO, allocated);
        let one = jvm::resident_heap(plan.executor.heap, young(allocated * 3), jvm::BASE_LIVE);
        let before = sim.machines[node].memory.settled_heap(slot);
        assert!(young(allocated) < young(allocated * 3), "the young generation is not full before the third");
        assert_eq!(together + before, one);
    }
}

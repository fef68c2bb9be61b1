//! Starting a step's pieces on the devices, and their ends.
//!
//! CPU work is lengthened by garbage collection, in proportion to what it allocates (JH-3), and stretched by a CPU limit. A write to scratch is a memory copy on
//! tmpfs (CPU time, ramping shmem) and a buffered write on disk (absorbed by the page cache up to the dirty
//! threshold, then at the disk's pace). The heap that the step's allocations touch ramps along with the CPU. A step whose file
//! does not fit on the disk goes as far as the room reaches and then looks again: it goes on with what has become free meanwhile,
//! or fails with ENOSPC, at the instant at which a write would.

use super::{Piece, TaskRun, fetch, finish, steps};
use crate::hardware::{Device, FlowOwner, page_cache};
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
    /// Bytes among those written that are fetched blocks too large for memory.
    pub(super) fetched: Bytes,
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
            fetched: self.fetched.scale(share),
        };
        let rest = Self {
            cpu: self.cpu - part.cpu,
            allocated: self.allocated - part.allocated,
            write: self.write - part.write,
            read_back: self.read_back - part.read_back,
            input_share: self.input_share - part.input_share,
            send: self.send - part.send,
            fetched: self.fetched - part.fetched,
        };
        (part, rest)
    }
}

/// Starts a step's pieces. The executor may die here of a full heap, or the task fail on a full disk; then `false`.
pub(super) fn start(sim: &mut Sim, id: TaskId, work: Work) -> bool {
    let to_disk = sim.tasks[id].to_disk;
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
    let run = &sim.tasks[id];
    let (executor, node) = (run.executor, run.node);
    let tmpfs_share = sim.plan.executor.scratch.tmpfs_share;
    let mut writing = Stored::split(work.write, tmpfs_share);
    if !writing.disk.is_zero() {
        let (room, limit) = disk_room(sim, id);
        if room < writing.disk {
            let (part, rest) = work.cut(room.as_f64() / writing.disk.as_f64());
            if part.write.is_zero() {
                failures::record_full_scratch(sim, executor, limit, limit);
                finish::fail(sim, id, finish::Failure::NoSpace);
                return false;
            }
            writing = Stored::split(part.write, tmpfs_share);
            work = part;
            sim.tasks[id].rest = Some(Box::new(rest));
        }
    }
    let run = &mut sim.tasks[id];
    run.writing = writing;
    run.fetched += Stored::split(work.fetched, tmpfs_share);
    let disk = disk_of(sim, id);
    let own = work.cpu + writing.tmpfs.as_f64() / TMPFS_BYTES_PER_CORE_SECOND;
    let collecting = collecting(sim, id, work.allocated, own);
    let cpu = (own + collecting) * sim.plan.executor.cpu_stretch;
    start_cpu(sim, id, cpu, work.allocated, writing.tmpfs);
    if !writing.disk.is_zero() {
        write_to_disk(sim, id, disk, writing.disk);
    }
    if !work.read_back.is_zero() {
        read_from_disk(sim, id, node, disk, Stored::split(work.read_back, sim.plan.executor.scratch.tmpfs_share).disk);
    }
    if work.input_share > 0.0 {
        fetch::start_input(sim, id, work.input_share);
    }
    if !work.send.is_zero() {
        nic(sim, id, node, Device::NicOut, work.send);
    }
    debug_assert!(sim.executors[executor].is_up());
    sim.touch(node);
    true
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
    let machine = &mut sim.machines[node];
    let ramp = FlowRamp::new(machine.v(now), core_seconds, heap, shmem);
    machine.memory.start_ramp(slot, &ramp);
    let run = &mut sim.tasks[id];
    run.ramp = Some(ramp);
    let number = run.number_piece();
    let flow = machine.devices.add_cpu(now, core_seconds, FlowOwner::Task(id, number));
    run.pieces.push(Piece { node, device: Device::Cpu, flow, number });
}

/// Heap that the step's allocations touch: JH-2 in closed form on top of what all running steps will have touched at their ends,
/// so that together they never pass the ceiling; and at least the live set.
fn heap_touched(sim: &Sim, id: TaskId, allocated: Bytes) -> Bytes {
    let run = &sim.tasks[id];
    let executor = &sim.executors[run.executor];
    let Some(slot) = executor.slot else { return Bytes::ZERO };
    let machine = &sim.machines[run.node];
    let under_way: Bytes = executor.running.iter().filter_map(|&task| sim.tasks[task].ramp).map(|ramp| ramp.heap).sum();
    let touched = machine.memory.settled_heap(slot) + under_way;
    let live = executor.live_heap().min(sim.plan.executor.heap);
    let heap = committed(sim, run.node, live, live.saturating_sub(executor.unmanaged));
    let ceiling = jvm::touch_ceiling(heap, executor.young_share, live);
    let by_allocation = jvm::touched_after(touched, ceiling, allocated) - touched;
    by_allocation.max(live.saturating_sub(touched))
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

/// Room on the node's disks or the executor's claim, whichever is less, and its size: a write beyond it is ENOSPC (F8, 4.8).
fn disk_room(sim: &Sim, id: TaskId) -> (Bytes, Bytes) {
    let (executor, node) = (sim.tasks[id].executor, sim.tasks[id].node);
    let scratch = &sim.plan.executor.scratch;
    let shape = &sim.plan.nodes[node.index()].shape;
    let disks = &scratch.disks[..scratch.disk_count.max(1) as usize];
    let size: Bytes = disks.iter().map(|&d| shape.disks[d as usize].size).sum();
    let used = sim.machines[node].files + if disks.contains(&0) { sim.machines[node].disk_used } else { Bytes::ZERO };
    let on_disks = (size.saturating_sub(used), size);
    let Some(claim) = scratch.claim_size.map(|claim| claim * disks.len() as u64) else { return on_disks };
    on_disks.min((claim.saturating_sub(sim.executors[executor].scratch().disk), claim))
}

fn disk_of(sim: &Sim, id: TaskId) -> u8 {
    let scratch = &sim.plan.executor.scratch;
    let count = scratch.disk_count.max(1);
    scratch.disks[(sim.tasks[id].serial % u64::from(count)) as usize]
}

fn write_to_disk(sim: &mut Sim, id: TaskId, disk: u8, bytes: Bytes) {
    let now = sim.now();
    let (node, executor) = (sim.tasks[id].node, sim.tasks[id].executor);
    let pod_room = pod_cache_room(sim, &sim.tasks[id]);
    let machine = &mut sim.machines[node];
    let waits = machine.buffered_write(now, disk, bytes, pod_room);
    machine.files += bytes;
    if !waits.is_zero() {
        let run = &mut sim.tasks[id];
        let number = run.number_piece();
        let flow = machine.devices.add_write(now, disk, waits, FlowOwner::Task(id, number));
        run.pieces.push(Piece { node, device: Device::Disk(disk), flow, number });
    }
    sim.tasks[id].temporary.disk += bytes;
    sim.executors[executor].temporary.disk += bytes;
    sim.tasks[id].writing.disk = Bytes::ZERO;
}

/// Room for page cache in a limited container (PC-2, PC-5).
fn pod_cache_room(sim: &Sim, run: &TaskRun) -> Option<Bytes> {
    let limit = sim.plan.executor.limit?;
    let slot = sim.executors[run.executor].slot?;
    let machine = &sim.machines[run.node];
    Some(limit.saturating_sub(machine.memory.level(slot, machine.v(sim.now()))))
}

/// Reads files of a node's disk: what the page cache does not have.
pub(super) fn read_from_disk(sim: &mut Sim, id: TaskId, node: NodeId, disk: u8, bytes: Bytes) {
    let now = sim.now();
    let machine = &mut sim.machines[node];
    let missed = page_cache::missed(bytes, machine.files, machine.cache_room(now));
    if !missed.is_zero() {
        let run = &mut sim.tasks[id];
        let number = run.number_piece();
        let flow = machine.devices.add_read(now, disk, missed, FlowOwner::Task(id, number));
        run.pieces.push(Piece { node, device: Device::Disk(disk), flow, number });
        sim.touch(node);
    }
}

/// Moves bytes over a node's NIC.
pub(super) fn nic(sim: &mut Sim, id: TaskId, node: NodeId, device: Device, bytes: Bytes) {
    let now = sim.now();
    let run = &mut sim.tasks[id];
    let number = run.number_piece();
    let flow = sim.machines[node].devices.add_nic(now, device, bytes, FlowOwner::Task(id, number));
    run.pieces.push(Piece { node, device, flow, number });
    sim.touch(node);
}

/// A piece of a task is through; the last one ends the step.
pub(super) fn piece_done(sim: &mut Sim, id: TaskId, number: u32) {
    let run = &mut sim.tasks[id];
    let Some(position) = run.pieces.iter().position(|p| p.number == number) else { return };
    let piece = run.pieces.swap_remove(position);
    if piece.device == Device::Cpu {
        if let (Some(ramp), Some(slot)) = (run.ramp.take(), sim.executors[run.executor].slot) {
            let (home, executor) = (run.node, run.executor);
            run.temporary.tmpfs += ramp.shmem;
            run.writing.tmpfs = Bytes::ZERO;
            sim.executors[executor].temporary.tmpfs += ramp.shmem;
            sim.machines[home].memory.finish_ramp(slot, &ramp);
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
        let allocated = Bytes::gib(8);
        for partition in 0..3 {
            steps::launch(&mut sim, super::super::Attempt { stage: StageId::new(2), number: 0, partition, executor: host, pool: 0 }, false);
            let id = sim.executors[host].running[partition as usize];
            sim.executors[host].unmanaged = Bytes::ZERO;
            start_cpu(&mut sim, id, 10.0, allocated, Bytes::ZERO);
        }
        let together: Bytes = sim.executors[host].running.iter().filter_map(|&id| sim.tasks[id].ramp).map(|ramp| ramp.heap).sum();
        let live = jvm::BASE_LIVE;
        let ceiling = jvm::touch_ceiling(plan.executor.heap, sim.executors[host].young_share, live);
        let one = jvm::touched_after(Bytes::ZERO, ceiling, allocated * 3);
        assert!(together <= ceiling && together.get().abs_diff(one.get()) < 16, "{together:?} and {one:?} of {ceiling:?}");
    }
}

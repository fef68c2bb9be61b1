//! Which local directories a step's files lie in, whether they have room there, and the flows that write and read them.
//!
//! With one directory there is no choice. With several, a map output lies where its name hashes to, a spill anywhere, the bypass
//! writer's partition files are scattered one by one ([`crate::spark::local_dir`], CM-3, CM-4). A directory is full when its disk, its
//! claim or, where several lie in memory, its mount is (F8, 4.8, ED-3); that others are empty does not help. Writes are absorbed by
//! the page cache where there is room, but for shared claims, which are written through. Assumptions: moving a single spill to its output's directory takes no time of its own.

use super::{Piece, TaskRun, paging};
use crate::hardware::{Device, FlowOwner};
use crate::ids::{ExecutorId, NodeId, TaskId};
use crate::kernel::{Purpose, mix};
use crate::plan::Carrier;
use crate::sim::Sim;
use crate::spark::local_dir;
use crate::spark::scratch::{self, Stored};
use crate::spec::SinkSpec;
use crate::units::Bytes;

/// What a step writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// One file of a random name.
    #[default]
    Temporary,
    /// The task's map output.
    Output,
    /// So many files of random names.
    Partitions(u32),
}

/// The directory of a task's map output.
pub(super) fn output_dir(sim: &Sim, run: &TaskRun) -> usize {
    let dirs = sim.plan.executor.scratch.dirs.len();
    if dirs < 2 {
        return 0;
    }
    let SinkSpec::Shuffle(shuffle) = sim.plan.spec().app.stages[run.stage.index()].sink else { return 0 };
    ordered(sim, run.executor, local_dir::of_map_output(shuffle, run.serial - 1, dirs))
}

/// A directory by its place in the executor's own order.
pub(crate) fn ordered(sim: &Sim, executor: ExecutorId, dir: usize) -> usize {
    let scratch = &sim.plan.executor.scratch;
    let dirs = scratch.dirs.len();
    if !scratch.shuffled || dirs < 2 {
        return dir;
    }
    (dir + sim.luck.stream(Purpose::LocalDir, executor.index() as u64).below(dirs as u64) as usize) % dirs
}

/// Where so many bytes of a step's files lie.
pub(super) fn place(sim: &Sim, id: TaskId, kind: Kind, bytes: Bytes) -> Stored {
    let scratch = &sim.plan.executor.scratch;
    if !scratch.several || bytes.is_zero() {
        return Stored::at(scratch, 0, bytes);
    }
    let run = &sim.tasks[id];
    let dirs = scratch.dirs.len() as u64;
    let step = mix(mix(run.stage.index() as u64, u64::from(run.partition)), u64::from(run.attempt));
    let mut names = sim.luck.stream(Purpose::FileName, mix(mix(step, run.executor.index() as u64), u64::from(run.files)));
    match kind {
        Kind::Output => Stored::at(scratch, output_dir(sim, run), bytes),
        Kind::Temporary => Stored::at(scratch, names.below(dirs) as usize, bytes),
        Kind::Partitions(files) => {
            let mut counts = vec![0_u64; dirs as usize];
            (0..files.max(1)).for_each(|_| counts[names.below(dirs) as usize] += 1);
            scatter(sim, bytes, &counts)
        }
    }
}

/// Bytes in proportion to counts, without a rest.
fn scatter(sim: &Sim, bytes: Bytes, counts: &[u64]) -> Stored {
    let all: u64 = counts.iter().sum();
    let part = |count: u64| Bytes::new((u128::from(bytes.get()) * u128::from(count) / u128::from(all)) as u64);
    let mut stored = Stored::NONE;
    let mut before = 0;
    for (dir, count) in counts.iter().enumerate() {
        stored.add(&sim.plan.executor.scratch, dir, part(before + count) - part(before));
        before += count;
    }
    stored
}

/// The tightest directory that does not hold what shall be written there: room, what is wanted, and size.
pub(super) fn lacks_room(sim: &Sim, id: TaskId, writing: &Stored) -> Option<(Bytes, Bytes, Bytes)> {
    let (executor, node) = (sim.tasks[id].executor, sim.tasks[id].node);
    let scratch = &sim.plan.executor.scratch;
    let limited = |dir: &usize| scratch.dirs[*dir].carrier != Carrier::Tmpfs || scratch.tmpfs_dirs > 1;
    let mut tightest: Option<(Bytes, Bytes, Bytes)> = None;
    for dir in (0..scratch.dirs.len()).filter(limited) {
        let wanted = writing.in_dir(dir);
        if wanted.is_zero() {
            continue;
        }
        let (room, size) = room(sim, executor, node, dir);
        let share = |room: Bytes, wanted: Bytes| room.as_f64() / wanted.as_f64();
        if room < wanted && tightest.is_none_or(|(r, w, _)| share(room, wanted) < share(r, w)) {
            tightest = Some((room, wanted, size));
        }
    }
    tightest
}

/// Room in a directory of an executor, and the size of what carries it.
pub(crate) fn room(sim: &Sim, executor: ExecutorId, node: NodeId, dir: usize) -> (Bytes, Bytes) {
    let scratch = &sim.plan.executor.scratch;
    let host = &sim.executors[executor];
    match scratch.dirs[dir].carrier {
        Carrier::EmptyDir => disk_room(sim, node, 0),
        Carrier::Disk(disk) => disk_room(sim, node, disk),
        Carrier::Claim(claim) => {
            let size = host.claims.mounted.get(usize::from(claim)).map_or(Bytes::ZERO, |claim| claim.size);
            (size.saturating_sub(host.in_dir(dir)), size)
        }
        Carrier::Shared(claim) => {
            let size = scratch.shared[usize::from(claim)].size;
            (size.saturating_sub(sim.cluster.shared[usize::from(claim)].files), size)
        }
        Carrier::Tmpfs => {
            let size = crate::kube::empty_dir::mount_size(sim.plan, &sim.plan.nodes[node.index()], scratch.dirs[dir].size_limit);
            let writing: Bytes = host.running.iter().map(|&task| sim.tasks[task].writing.in_dir(dir)).sum();
            (size.saturating_sub(host.in_dir(dir) + writing), size)
        }
    }
}

/// Room on a node's disk, and its size.
pub(crate) fn disk_room(sim: &Sim, node: NodeId, disk: u8) -> (Bytes, Bytes) {
    let (spec, machine) = (&sim.plan.nodes[node.index()].shape.disks[usize::from(disk)], &sim.machines[node]);
    let others = if disk == 0 { machine.disk_used } else { spec.used };
    (spec.size.saturating_sub(machine.files_on[usize::from(disk)] + others), spec.size)
}

/// The device of a directory that is not in memory, and the node that it is attached to.
pub(crate) fn device_of(sim: &Sim, executor: ExecutorId, dir: usize) -> Option<(NodeId, u8)> {
    let host = &sim.executors[executor];
    match sim.plan.executor.scratch.dirs[dir].carrier {
        Carrier::Tmpfs => None,
        Carrier::EmptyDir => Some((host.node?, 0)),
        Carrier::Disk(disk) => Some((host.node?, disk)),
        Carrier::Claim(claim) => Some((host.node?, host.claims.mounted.get(usize::from(claim))?.device)),
        Carrier::Shared(claim) => Some((NodeId::new(0), sim.cluster.shared[usize::from(claim)].device)),
    }
}

/// Writes a step's files that are not in memory.
pub(super) fn write(sim: &mut Sim, id: TaskId, files: &Stored) {
    let scratch = &sim.plan.executor.scratch;
    for dir in scratch.on_disk.iter().map(|&dir| usize::from(dir)) {
        let bytes = files.in_dir(dir);
        if !bytes.is_zero() {
            write_dir(sim, id, dir, bytes);
        }
    }
    let (node, executor) = (sim.tasks[id].node, sim.tasks[id].executor);
    let written = files.outside_memory(scratch);
    scratch::put(sim, executor, node, &written);
    sim.tasks[id].temporary += &written;
    sim.executors[executor].temporary += &written;
    sim.tasks[id].writing -= &written;
}

fn write_dir(sim: &mut Sim, id: TaskId, dir: usize, bytes: Bytes) {
    let now = sim.now();
    let (home, executor) = (sim.tasks[id].node, sim.tasks[id].executor);
    let Some((node, disk)) = device_of(sim, executor, dir) else { return };
    let place = sim.plan.executor.scratch.dirs[dir].carrier;
    let waits = if matches!(place, Carrier::Shared(_)) {
        super::pieces::nic(sim, id, home, Device::NicOut, bytes);
        bytes
    } else {
        let pod = sim.executors[executor].slot;
        sim.machines[node].buffered_write(now, disk, bytes, pod)
    };
    device_flow(sim, id, node, disk, waits, Access::Write);
}

/// How a flow uses a disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    /// Merged files, in large chunks.
    ReadChunks,
    Write,
}

/// A flow of a task on a disk, which its step waits for.
pub(super) fn device_flow(sim: &mut Sim, id: TaskId, node: NodeId, disk: u8, bytes: Bytes, access: Access) {
    if bytes.is_zero() {
        return;
    }
    let now = sim.now();
    let run = &mut sim.tasks[id];
    let number = run.number_piece();
    let devices = &mut sim.machines[node].devices;
    let owner = FlowOwner::Task(id, number);
    let flow = match access {
        Access::Read => devices.add_read(now, disk, bytes, owner),
        Access::ReadChunks => devices.add_chunk_read(now, disk, bytes, owner),
        Access::Write => devices.add_write(now, disk, bytes, owner),
    };
    run.pieces.push(Piece { node: Some(node), device: Device::Disk(disk), flow, number });
    sim.touch(node);
}

/// Reads a task's own files back, from each directory what it has of them.
pub(super) fn read_back(sim: &mut Sim, id: TaskId, bytes: Bytes) {
    let scratch = &sim.plan.executor.scratch;
    let executor = sim.tasks[id].executor;
    if !scratch.several {
        return read_dir(sim, id, executor, 0, bytes);
    }
    let run = &sim.tasks[id];
    let mut own = run.temporary.clone();
    own += &run.writing;
    let all = own.sum();
    for dir in scratch.on_disk.iter().map(|&dir| usize::from(dir)).filter(|_| !all.is_zero()) {
        read_dir(sim, id, executor, dir, bytes.scale(own.in_dir(dir).as_f64() / all.as_f64()));
    }
}

/// Reads files in a directory of an executor: what the page cache of its node does not have. Nothing where they are in memory.
pub(super) fn read_dir(sim: &mut Sim, id: TaskId, executor: ExecutorId, dir: usize, bytes: Bytes) {
    let place = sim.plan.executor.scratch.dirs[dir].carrier;
    if place == Carrier::Tmpfs {
        return paging::read_tmpfs(sim, id, executor, bytes);
    }
    let Some((node, disk)) = device_of(sim, executor, dir).filter(|_| !bytes.is_zero()) else { return };
    if matches!(place, Carrier::Shared(_)) {
        let home = sim.executors[executor].node.unwrap_or(node);
        super::pieces::nic(sim, id, home, Device::NicIn, bytes);
        return device_flow(sim, id, node, disk, bytes, Access::Read);
    }
    let now = sim.now();
    let machine = &mut sim.machines[node];
    let missed = machine.read_files(now, machine.pod_of(executor, sim.executors[executor].slot), bytes);
    device_flow(sim, id, node, disk, missed, Access::Read);
}

/// Reads files of all executors of a node in proportion: what the page cache does not have.
pub(super) fn read_node(sim: &mut Sim, id: TaskId, node: NodeId, disk: u8, bytes: Bytes) {
    let missed = sim.machines[node].read_files(sim.calendar.now(), None, bytes);
    device_flow(sim, id, node, disk, missed, Access::Read);
}

/// Reads merged files of a node's disk: what the page cache does not have, in large chunks.
pub(super) fn read_chunks(sim: &mut Sim, id: TaskId, node: NodeId, disk: u8, bytes: Bytes) {
    let missed = sim.machines[node].read_files(sim.calendar.now(), None, bytes);
    device_flow(sim, id, node, disk, missed, Access::ReadChunks);
}

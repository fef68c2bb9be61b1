//! Scratch files of an executor: how many bytes in which local directory.
//!
//! Map outputs stay, with their index and checksum files, until the driver's cleaner removes their shuffle
//! ([`super::driver::cleaner`]), the application ends or the pod's volumes go (RT-1, 2.7); spills, fetched blocks and temporary
//! outputs go with the task at the latest; files of a killed executor go with its volumes (6.4), or stay on its claims. With a single
//! directory, sums by medium are all there is to know; with several, each sum keeps its parts by directory (CM-3).

use std::ops::{AddAssign, SubAssign};

use crate::ids::{ExecutorId, NodeId, ShuffleId, TaskId};
use crate::linux::cgroup::Charge;
use crate::plan::{Carrier, ScratchPlan};
use crate::sim::Sim;
use crate::units::Bytes;

/// Bytes of an offset in an index file, and of a checksum (CM-1).
const ENTRY: u64 = 8;

/// Index of a map output, an offset for each partition and the end, and its checksums (CM-1).
pub(crate) fn index_files(partitions: u32, checksum: bool) -> Bytes {
    let partitions = u64::from(partitions);
    Bytes::new((partitions + 1) * ENTRY + if checksum { partitions * ENTRY } else { 0 })
}

/// Files appear on what carries them. Those in memory are charged elsewhere.
pub(crate) fn put(sim: &mut Sim, node: NodeId, files: &Stored) {
    let scratch = &sim.plan.executor.scratch;
    for dir in scratch.on_disk.iter().map(|&dir| usize::from(dir)) {
        let bytes = files.in_dir(dir);
        let machine = &mut sim.machines[node];
        match scratch.dirs[dir].carrier {
            Carrier::Tmpfs => {}
            Carrier::EmptyDir => machine.add_files(Some(0), bytes),
            Carrier::Disk(disk) => machine.add_files(Some(disk), bytes),
            Carrier::Claim(_) => machine.add_files(None, bytes),
            Carrier::Shared(claim) => sim.cluster.shared[usize::from(claim)].files += bytes,
        }
    }
}

/// Files are gone from what carried them. From a claim that all share only when they are `deleted`, not when its mount goes.
pub(crate) fn take(sim: &mut Sim, node: NodeId, files: &Stored, deleted: bool) {
    let scratch = &sim.plan.executor.scratch;
    for dir in scratch.on_disk.iter().map(|&dir| usize::from(dir)) {
        let bytes = files.in_dir(dir);
        let machine = &mut sim.machines[node];
        match scratch.dirs[dir].carrier {
            Carrier::EmptyDir => machine.remove_files(Some(0), bytes),
            Carrier::Disk(disk) => machine.remove_files(Some(disk), bytes),
            Carrier::Claim(_) => machine.remove_files(None, bytes),
            Carrier::Shared(claim) if deleted => sim.cluster.shared[usize::from(claim)].files -= bytes,
            Carrier::Tmpfs | Carrier::Shared(_) => {}
        }
    }
}

/// Removes all files of a shuffle from an executor's scratch; what was in tmpfs is free memory again.
pub(crate) fn remove_outputs(sim: &mut Sim, id: ExecutorId, shuffle: ShuffleId) {
    let now = sim.now();
    let executor = &mut sim.executors[id];
    executor.note_scratch();
    let files = std::mem::take(&mut executor.outputs[shuffle]);
    let up = executor.is_up();
    let (node, slot) = (executor.node, executor.slot);
    let Some(node) = node else { return };
    take(sim, node, &files, true);
    if let Some(slot) = slot.filter(|_| up) {
        let machine = &mut sim.machines[node];
        let v = machine.v(now);
        machine.memory.uncharge(slot, Charge::Shmem, files.tmpfs, v);
    }
    sim.touch(node);
}

/// Removes temporary files of a running attempt before it ends.
pub(crate) fn remove_temporary(sim: &mut Sim, id: TaskId, files: &Stored) {
    let now = sim.now();
    let run = &mut sim.tasks[id];
    run.temporary -= files;
    let (node, executor) = (run.node, run.executor);
    let host = &mut sim.executors[executor];
    host.note_scratch();
    host.temporary -= files;
    let slot = host.slot;
    take(sim, node, files, true);
    if let Some(slot) = slot {
        let machine = &mut sim.machines[node];
        let v = machine.v(now);
        machine.memory.uncharge(slot, Charge::Shmem, files.tmpfs, v);
    }
    sim.touch(node);
}

/// Bytes on tmpfs and elsewhere, and by directory where there are several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) tmpfs: Bytes,
    pub(crate) disk: Bytes,
    /// Parts by directory; none where there is one directory, or nothing.
    dirs: Option<Box<[Bytes]>>,
}

impl Stored {
    /// Nothing.
    pub(crate) const NONE: Self = Self { tmpfs: Bytes::ZERO, disk: Bytes::ZERO, dirs: None };

    /// Files of so many bytes in one directory.
    pub(crate) fn at(scratch: &ScratchPlan, dir: usize, bytes: Bytes) -> Self {
        let mut stored = Self::NONE;
        stored.add(scratch, dir, bytes);
        stored
    }
    /// More bytes in one directory.
    pub(crate) fn add(&mut self, scratch: &ScratchPlan, dir: usize, bytes: Bytes) {
        if bytes.is_zero() {
            return;
        }
        let sum = if scratch.dirs[dir].carrier == Carrier::Tmpfs { &mut self.tmpfs } else { &mut self.disk };
        *sum += bytes;
        if scratch.several {
            self.dirs.get_or_insert_with(|| vec![Bytes::ZERO; scratch.dirs.len()].into_boxed_slice())[dir] += bytes;
        }
    }
    /// Bytes in one directory.
    pub(crate) fn in_dir(&self, dir: usize) -> Bytes {
        self.dirs.as_ref().map_or(self.sum(), |dirs| dirs[dir])
    }
    /// All bytes.
    pub(crate) fn sum(&self) -> Bytes {
        self.tmpfs + self.disk
    }
    /// As many bytes of what lies in memory: a step that was cut off has written so much.
    pub(crate) fn in_memory(&self, scratch: &ScratchPlan, bytes: Bytes) -> Self {
        if !scratch.several {
            return Self { tmpfs: bytes, disk: Bytes::ZERO, dirs: None };
        }
        let mut part = Self::NONE;
        let mut left = bytes;
        for dir in (0..scratch.dirs.len()).filter(|&dir| scratch.dirs[dir].carrier == Carrier::Tmpfs) {
            let share = if self.tmpfs.is_zero() { 0.0 } else { self.in_dir(dir).as_f64() / self.tmpfs.as_f64() };
            let here = bytes.scale(share).min(left).min(self.in_dir(dir));
            part.add(scratch, dir, here);
            left -= here;
        }
        // What rounding left over goes where there is room for it.
        for dir in (0..scratch.dirs.len()).filter(|&dir| scratch.dirs[dir].carrier == Carrier::Tmpfs) {
            let more = left.min(self.in_dir(dir) - part.in_dir_or_zero(dir));
            part.add(scratch, dir, more);
            left -= more;
        }
        part
    }
    fn in_dir_or_zero(&self, dir: usize) -> Bytes {
        self.dirs.as_ref().map_or(Bytes::ZERO, |dirs| dirs[dir])
    }
    /// What of it does not lie in memory.
    pub(crate) fn outside_memory(&self, scratch: &ScratchPlan) -> Self {
        let mut part = Self::NONE;
        for dir in scratch.on_disk.iter().map(|&dir| usize::from(dir)) {
            part.add(scratch, dir, self.in_dir(dir));
        }
        part
    }
    /// Bytes that count as the pod's ephemeral storage: in disk `emptyDir` volumes.
    pub(crate) fn ephemeral(&self, scratch: &ScratchPlan) -> Bytes {
        scratch.dirs.iter().enumerate().filter(|(_, dir)| dir.carrier == Carrier::EmptyDir).map(|(dir, _)| self.in_dir(dir)).sum()
    }
}

impl AddAssign<&Self> for Stored {
    fn add_assign(&mut self, other: &Self) {
        self.tmpfs += other.tmpfs;
        self.disk += other.disk;
        match (&mut self.dirs, &other.dirs) {
            (_, None) => {}
            (None, Some(_)) => self.dirs.clone_from(&other.dirs),
            (Some(mine), Some(theirs)) => mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += *theirs),
        }
    }
}
impl SubAssign<&Self> for Stored {
    fn sub_assign(&mut self, other: &Self) {
        self.tmpfs -= other.tmpfs;
        self.disk -= other.disk;
        if let (Some(mine), Some(theirs)) = (&mut self.dirs, &other.dirs) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine -= *theirs);
        }
    }
}

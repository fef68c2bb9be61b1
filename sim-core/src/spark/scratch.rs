//! Scratch files of an executor: how many bytes on which medium.
//!
//! Files are spread evenly over the local directories (CM-3), so a number a medium is enough. Map outputs stay, with their index
//! and checksum files, until the driver's cleaner removes their shuffle ([`super::driver::cleaner`]), the application ends or the
//! pod's volumes go (RT-1, 2.7); spills, fetched blocks and temporary outputs go with the task at the latest; files of a killed
//! executor go with its volumes (6.4).

use std::ops::{Add, AddAssign, SubAssign};

use crate::ids::{ExecutorId, ShuffleId, TaskId};
use crate::linux::cgroup::Charge;
use crate::sim::Sim;
use crate::units::Bytes;

/// Bytes of an offset in an index file, and of a checksum (CM-1).
const ENTRY: u64 = 8;

/// Index of a map output, an offset for each partition and the end, and its checksums (CM-1).
pub(crate) fn index_files(partitions: u32, checksum: bool) -> Bytes {
    let partitions = u64::from(partitions);
    Bytes::new((partitions + 1) * ENTRY + if checksum { partitions * ENTRY } else { 0 })
}

/// Removes all files of a shuffle from an executor's scratch; what was in tmpfs is free memory again.
pub(crate) fn remove_outputs(sim: &mut Sim, id: ExecutorId, shuffle: ShuffleId) {
    let now = sim.now();
    let executor = &mut sim.executors[id];
    executor.note_scratch();
    let files = std::mem::take(&mut executor.outputs[shuffle]);
    let up = executor.is_up();
    let Some(node) = executor.node else { return };
    let machine = &mut sim.machines[node];
    machine.files -= files.disk;
    if let Some(slot) = executor.slot.filter(|_| up) {
        let v = machine.v(now);
        machine.memory.uncharge(slot, Charge::Shmem, files.tmpfs, v);
    }
    sim.touch(node);
}

/// Removes temporary files of a running attempt before it ends.
pub(crate) fn remove_temporary(sim: &mut Sim, id: TaskId, files: Stored) {
    let now = sim.now();
    let run = &mut sim.tasks[id];
    run.temporary -= files;
    let (node, executor) = (run.node, run.executor);
    let host = &mut sim.executors[executor];
    host.note_scratch();
    host.temporary -= files;
    let machine = &mut sim.machines[node];
    machine.files -= files.disk;
    if let Some(slot) = host.slot {
        let v = machine.v(now);
        machine.memory.uncharge(slot, Charge::Shmem, files.tmpfs, v);
    }
    sim.touch(node);
}

/// Bytes on tmpfs and on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) tmpfs: Bytes,
    pub(crate) disk: Bytes,
}

impl Stored {
    /// Nothing.
    pub(crate) const NONE: Self = Self { tmpfs: Bytes::ZERO, disk: Bytes::ZERO };

    /// `bytes` of files, of which `tmpfs_share` lie in tmpfs.
    pub(crate) fn split(bytes: Bytes, tmpfs_share: f64) -> Self {
        let tmpfs = if tmpfs_share >= 1.0 { bytes } else { bytes.scale(tmpfs_share) };
        Self { tmpfs, disk: bytes - tmpfs }
    }
    /// All bytes.
    pub(crate) fn sum(self) -> Bytes {
        self.tmpfs + self.disk
    }
}

impl Add for Stored {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { tmpfs: self.tmpfs + other.tmpfs, disk: self.disk + other.disk }
    }
}
impl AddAssign for Stored {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl SubAssign for Stored {
    fn sub_assign(&mut self, other: Self) {
        self.tmpfs -= other.tmpfs;
        self.disk -= other.disk;
    }
}

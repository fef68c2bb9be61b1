//! What a task pushes to a remote shuffle service, and reads from it.
//!
//! A push crosses the executor's NIC once for each copy that the client sends, the workers' NICs for each copy that they receive or
//! make, and waits for the disks with what the workers' buffers do not take. A read crosses the workers' NICs and the reader's, and
//! the disks for what the workers' page cache has lost. All of it is one flow a device and step, which the step waits for. Source:
//! [`crate::spark::remote_shuffle`].

use super::{Piece, pieces};
use crate::hardware::{Device, FlowOwner};
use crate::ids::{ShuffleId, TaskId};
use crate::sim::Sim;
use crate::spark::driver::failures;
use crate::spark::remote_shuffle::DISK;
use crate::spec::SinkSpec;
use crate::units::Bytes;

/// The shuffle that a task pushes, if its output goes to a remote shuffle service.
pub(super) fn target(sim: &Sim, id: TaskId) -> Option<usize> {
    match sim.plan.spec().app.stages[sim.tasks[id].stage.index()].sink {
        SinkSpec::Shuffle(shuffle) if sim.plan.is_remote(shuffle) => Some(shuffle),
        SinkSpec::Shuffle(_) | SinkSpec::Result => None,
    }
}

/// Whether the service has no room for what a step pushes; then that is noted.
pub(super) fn is_full(sim: &mut Sim, id: TaskId, bytes: Bytes) -> bool {
    let (Some(service), Some(conf)) = (&sim.remote, &sim.plan.spec().spark.shuffle_storage.remote) else { return false };
    if bytes * conf.copies() <= service.room() {
        return false;
    }
    let capacity = service.capacity();
    failures::record_full_scratch(sim, sim.tasks[id].executor, capacity, capacity);
    true
}

/// Starts the flows of a push.
pub(super) fn push(sim: &mut Sim, id: TaskId, bytes: Bytes) {
    let plan = sim.plan;
    let (Some(shuffle), Some(conf)) = (target(sim, id), &plan.spec().spark.shuffle_storage.remote) else { return };
    let now = sim.now();
    let node = sim.tasks[id].node;
    pieces::nic(sim, id, node, Device::NicOut, bytes * u64::from(conf.copies_sent));
    flow(sim, id, Device::NicIn, bytes * conf.copies());
    if conf.copies_made > 0 {
        flow(sim, id, Device::NicOut, bytes * u64::from(conf.copies_made));
    }
    let waits = sim.remote.as_mut().map_or(Bytes::ZERO, |service| service.take(now, ShuffleId::new(shuffle as u32), bytes * conf.copies()));
    if !waits.is_zero() {
        write(sim, id, waits);
    }
}

/// Starts the service's part of a read; the reader's NIC is the caller's.
pub(super) fn read(sim: &mut Sim, id: TaskId, bytes: Bytes) {
    flow(sim, id, Device::NicOut, bytes);
    let now = sim.now();
    let Some(missed) = sim.remote.as_ref().map(|service| service.missed(bytes)).filter(|missed| !missed.is_zero()) else { return };
    let number = sim.tasks[id].number_piece();
    let Some(service) = &mut sim.remote else { return };
    let flow = service.devices.add_read(now, DISK, missed, FlowOwner::Task(id, number));
    sim.tasks[id].pieces.push(Piece { node: None, device: Device::Disk(DISK), flow, number });
}

fn write(sim: &mut Sim, id: TaskId, bytes: Bytes) {
    let now = sim.now();
    let number = sim.tasks[id].number_piece();
    let Some(service) = &mut sim.remote else { return };
    let flow = service.devices.add_write(now, DISK, bytes, FlowOwner::Task(id, number));
    sim.tasks[id].pieces.push(Piece { node: None, device: Device::Disk(DISK), flow, number });
}

/// Moves bytes over the workers' NICs.
fn flow(sim: &mut Sim, id: TaskId, device: Device, bytes: Bytes) {
    let now = sim.now();
    let number = sim.tasks[id].number_piece();
    let Some(service) = &mut sim.remote else { return };
    service.touched = true;
    let flow = service.devices.add_nic(now, device, bytes, FlowOwner::Task(id, number));
    sim.tasks[id].pieces.push(Piece { node: None, device, flow, number });
}

/// The service's device has served its first flow.
pub(crate) fn on_service_done(sim: &mut Sim, device: Device) {
    let now = sim.now();
    if let Some(service) = &mut sim.remote {
        service.devices.fired(device);
        service.touched = true;
    }
    while let Some(owner) = sim.remote.as_mut().and_then(|service| service.devices.pop_done(now, device)) {
        match (owner, &mut sim.remote) {
            (FlowOwner::WriteBack(index), Some(service)) => service.written(index),
            (FlowOwner::Task(task, number), _) => pieces::piece_done(sim, task, number),
            (FlowOwner::WriteBack(_) | FlowOwner::Start(_) | FlowOwner::Migration(_) | FlowOwner::CachedMigration(_) | FlowOwner::MergePush(_), _) => {}
        }
    }
}

//! Persistent volume claims as devices: mounted with their pod, one to an executor, or one that all share.
//!
//! A claim of the executor's own is made and attached after the pod is bound ([`attach`]), where its class lets it ([`place`]), and nothing
//! of the pod starts before (4.8). It is a device with the bandwidth, I/O operations and burst credit of its storage class, and shares what its
//! VM lets through to remote disks with the others and with the node's own (5.11), unless it is local. What a dead pod leaves on one goes with
//! the claim, unless the driver owns it ([`reuse`]); claims may grow ([`resize`]). A plain `claimName` is one file system for all executors: its
//! files outlive their pods, and its traffic crosses their NICs. Assumptions: a shared one has no cache; credit is full whenever a claim is
//! mounted. Source: 4.8.

pub(crate) mod attach;
pub(crate) mod place;
pub(crate) mod resize;
pub(crate) mod reuse;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod volume_tests;

use crate::ids::{ExecutorId, NodeId};
use crate::kernel::{Purpose, mix};
use crate::machine::Machine;
use crate::plan::SimPlan;
use crate::sim::Sim;
use crate::units::{Bytes, SimSpan, SimTime};
use reuse::{Found, Left};

/// A claim that a pod has mounted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mounted {
    /// Its size now.
    pub(crate) size: Bytes,
    /// Number of its device on the node.
    pub(crate) device: u8,
}

/// The claims of one pod.
#[derive(Debug)]
pub(crate) struct PodClaims {
    /// Those that are mounted.
    pub(crate) mounted: Vec<Mounted>,
    /// When they were made.
    made_at: SimTime,
    /// Where their volumes are.
    pub(crate) place: place::Place,
    /// Where claims that are used again hung last.
    hanging: Option<attach::Hanging>,
    /// Whether the pod waits for a disk of all executors that another node has.
    waits: bool,
    /// What the claims of an executor before it held when it got them.
    pub(crate) reused: Option<Box<Left>>,
    /// Map outputs that its executor had when it ended.
    found: Vec<Found>,
    /// What it leaves to the next one, while its end is not known.
    leaves: Option<Box<Left>>,
    /// Use of the fullest directory at the last report.
    fullest: f64,
    /// Whether they are growing.
    growing: bool,
}

impl PodClaims {
    /// Of a pod that is created now.
    pub(crate) fn new(now: SimTime) -> Self {
        let place = place::Place::default();
        Self {
            mounted: Vec::new(),
            made_at: now,
            place,
            hanging: None,
            waits: false,
            reused: None,
            found: Vec::new(),
            leaves: None,
            fullest: 0.0,
            growing: false,
        }
    }
}

/// A claim that all executors share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared {
    /// All files on it, also of executors that are gone.
    pub(crate) files: Bytes,
    /// Number of its device, which hangs on the first node.
    pub(crate) device: u8,
    /// The node to which it is attached, where only one can have it.
    pub(crate) on: Option<NodeId>,
    /// Whether it is being detached from there.
    pub(crate) detaching: bool,
}

/// Gives a machine its cap on remote disks, where one is known and more than one such disk may be in use.
pub(crate) fn open_ceiling(plan: &SimPlan, node: usize, machine: &mut Machine) {
    let shape = &plan.nodes[node].shape;
    let several = shape.disks.iter().filter(|disk| disk.remote).count() > 1 || plan.executor.scratch.claims.iter().any(|claim| claim.disk().remote);
    if let Some(cap) = shape.remote.as_ref().filter(|_| several) {
        machine.devices.open_ceiling(cap, &shape.disks);
    }
}

/// Opens the claims that all executors share.
pub(crate) fn open_shared(sim: &mut Sim) {
    for (number, claim) in sim.plan.executor.scratch.shared.iter().enumerate() {
        let speed = speed(sim, u64::MAX, number);
        let device = sim.machines[NodeId::new(0)].devices.attach(&claim.disk(), speed);
        sim.cluster.shared.push(Shared { files: Bytes::ZERO, device, on: None, detaching: false });
    }
}

fn speed(sim: &Sim, owner: u64, number: usize) -> f64 {
    sim.luck.draw(&sim.plan.spec().uncertainty.disk_speed, Purpose::ClaimSpeed, mix(owner, number as u64)).max(0.01)
}

/// A pod's claims are attached to its node.
pub(crate) fn mount(sim: &mut Sim, id: ExecutorId, node: NodeId) {
    for (number, claim) in sim.plan.executor.scratch.claims.iter().enumerate() {
        let speed = speed(sim, id.index() as u64, number);
        let device = sim.machines[node].devices.attach(&claim.disk(), speed);
        let size = sim.executors[id].claims.reused.as_ref().map_or(claim.size, |left| left.sizes[number]);
        sim.executors[id].claims.mounted.push(Mounted { size, device });
    }
}

/// Time from a pod's binding until its claims are mounted.
pub(crate) fn attach_time(sim: &Sim, id: ExecutorId) -> SimSpan {
    if sim.plan.executor.scratch.claims.is_empty() {
        return SimSpan::ZERO;
    }
    SimSpan::from_secs_f64(sim.luck.draw(&sim.plan.spec().uncertainty.claim_attach_s, Purpose::ClaimAttach, id.index() as u64).max(0.0))
}

/// A pod's claims are detached from its node.
pub(crate) fn unmount(sim: &mut Sim, id: ExecutorId, node: NodeId) {
    for claim in std::mem::take(&mut sim.executors[id].claims.mounted) {
        sim.machines[node].devices.detach(claim.device);
    }
}

//! Attaching volumes, and the wait of a pod whose volume still hangs on another node (`Multi-Attach error`).
//!
//! The scheduler does not look at `ReadWriteOnce`: a pod gets its node and stays in `ContainerCreating` until the volume is detached from the
//! other one. A claim that is used again is detached after the volumes of its last pod are torn down; from a node that vanished only
//! six minutes after its pods are deleted, because nobody tells that it is unmounted. One `ReadWriteOnce` disk for all executors serves
//! the node that has it first; pods of other nodes wait until the last one there is gone, maybe for ever. Assumptions: a disk on
//! its way off goes to the oldest pod that waits; somebody deletes the object of a vanished node, or the claims would never be free.
//! Source: 4.8; `attachdetach/reconciler` of Kubernetes 1.30 (`maxWaitForUnmountDuration`).

use crate::cluster;
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId};
use crate::kernel::{Purpose, mix};
use crate::observe::Held;
use crate::sim::Sim;
use crate::spark::executor::{Executor, Life};
use crate::spark::{silence, start};
use crate::units::{SimSpan, SimTime};

/// After so long a volume is detached although its node has not said that it is unmounted.
const FORCE_DETACH: SimSpan = SimSpan::from_secs(360);

/// The node on which volumes hung last, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hanging {
    node: NodeId,
    until: SimTime,
}

/// A pod is bound: how long until its volumes are attached; `None` while nobody knows, because a disk of all is on another node.
pub(crate) fn on_bound(sim: &mut Sim, id: ExecutorId, node: NodeId) -> Option<SimSpan> {
    let now = sim.now();
    let mut attach = super::attach_time(sim, id);
    if let Some(hanging) = sim.executors[id].claims.hanging.take().filter(|hanging| hanging.node != node && hanging.until > now) {
        let wait = hanging.until.since(now);
        let exclusive = sim.plan.executor.scratch.claims.iter().position(|claim| claim.class.is_exclusive());
        tell(sim, id, false, exclusive.unwrap_or(0), hanging.node, Some(wait));
        attach += wait;
    }
    for number in exclusive_shared(sim) {
        match sim.cluster.shared[number].on {
            Some(other) if other != node || sim.cluster.shared[number].detaching => {
                sim.executors[id].claims.waits = true;
                tell(sim, id, true, number, other, None);
            }
            Some(_) => {}
            None => {
                sim.cluster.shared[number].on = Some(node);
                attach = attach.max(attach_shared(sim, id));
            }
        }
    }
    (!sim.executors[id].claims.waits).then_some(attach)
}

/// Claims of all executors that one node alone can have.
fn exclusive_shared(sim: &Sim) -> Vec<usize> {
    let shared = &sim.plan.executor.scratch.shared;
    (0..shared.len()).filter(|&number| shared[number].class.is_exclusive()).collect()
}

fn attach_shared(sim: &Sim, id: ExecutorId) -> SimSpan {
    SimSpan::from_secs_f64(sim.luck.draw(&sim.plan.spec().uncertainty.claim_attach_s, Purpose::ClaimAttach, id.index() as u64).max(0.0))
}

fn tell(sim: &mut Sim, id: ExecutorId, shared: bool, number: usize, node: NodeId, wait: Option<SimSpan>) {
    let (volume, now) = (sim.plan.executor.scratch.volume(shared, number).to_owned(), sim.now());
    sim.observer.held(now, cluster::pod_name(id), Held { volume, node: node.index(), wait });
}

/// A pod's volumes are torn down on its node: until when they hang there, if they have to be detached at all.
pub(super) fn hanging(sim: &Sim, id: ExecutorId) -> Option<Hanging> {
    let node = sim.executors[id].node?;
    let exclusive = sim.plan.executor.scratch.claims.iter().any(|claim| claim.class.is_exclusive());
    exclusive.then(|| Hanging { node, until: sim.now() + detach_time(sim, id.index() as u64, node) })
}

fn detach_time(sim: &Sim, entity: u64, node: NodeId) -> SimSpan {
    let drawn = sim.luck.draw(&sim.plan.spec().uncertainty.claim_detach_s, Purpose::ClaimPlace, mix(u64::MAX, entity)).max(0.0);
    let unsaid = if sim.machines[node].lost { silence::PODS_ARE_DELETED + FORCE_DETACH } else { SimSpan::ZERO };
    SimSpan::from_secs_f64(drawn) + unsaid
}

/// A pod of a node is closed: disks of all executors that nobody uses there any more are detached.
pub(crate) fn on_closed(sim: &mut Sim, node: NodeId) {
    for number in exclusive_shared(sim) {
        let shared = &sim.cluster.shared[number];
        if shared.on != Some(node) || shared.detaching || cluster::has_executors(sim, node) {
            continue;
        }
        sim.cluster.shared[number].detaching = true;
        let span = detach_time(sim, mix(u64::MAX, mix(number as u64, sim.now().as_ns())), node);
        sim.after(span, Event::VolumeDetached(number as u32));
    }
}

/// A disk of all executors is free: it goes to the oldest pod that waits.
pub(crate) fn on_detached(sim: &mut Sim, number: u32) {
    let shared = &mut sim.cluster.shared[number as usize];
    (shared.on, shared.detaching) = (None, false);
    let waits = |e: &Executor| e.life == Life::Bound && e.claims.waits;
    let Some(node) = sim.executors.iter().find(|(_, e)| waits(e)).and_then(|(_, e)| e.node) else { return };
    sim.cluster.shared[number as usize].on = Some(node);
    let has_all = exclusive_shared(sim).into_iter().all(|other| sim.cluster.shared[other].on == Some(node) && !sim.cluster.shared[other].detaching);
    let here: Vec<ExecutorId> = sim.executors.iter().filter(|(_, e)| has_all && waits(e) && e.node == Some(node)).map(|(id, _)| id).collect();
    for id in here {
        sim.executors[id].claims.waits = false;
        let attach = attach_shared(sim, id);
        start::start_after(sim, id, attach);
    }
}

/// For the audit: who waits for a disk waits for one that another node has, or that is on its way.
pub(crate) fn check(sim: &Sim) {
    for (id, executor) in sim.executors.iter().filter(|(_, e)| e.life == Life::Bound && e.claims.waits) {
        let elsewhere = exclusive_shared(sim).into_iter().any(|number| {
            let shared = &sim.cluster.shared[number];
            shared.detaching || shared.on.is_some_and(|node| Some(node) != executor.node && cluster::has_executors(sim, node))
        });
        assert!(elsewhere, "{id:?} waits for a disk that nobody has");
    }
}

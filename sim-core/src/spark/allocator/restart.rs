//! Pods of a StatefulSet or a Deployment: containers that die restart in place.
//!
//! `restartPolicy: Always` makes the kubelet start a dead container again on the same node, in the same pod: at once the first
//! time, then after 10 s, doubled up to 5 min; a container that ran for ten minutes begins anew. The pod's volumes survive,
//! tmpfs included, and stay charged to the pod (ED-5), although nobody reads the old files any more: the new JVM gets a new
//! executor number. Spark deletes a pod in which it sees a terminated container, unless
//! `spark.kubernetes.executor.deleteOnTermination` is false; then the controller makes another pod, so only without it does
//! anything restart here. An evicted pod is not restarted. Source: the kubelet's back-off (Kubernetes documentation, "Pod
//! lifecycle"); `ExecutorPodsSnapshot`, `ExecutorPodsLifecycleManager` of Spark 4.3.

use crate::cluster::daemons;
use crate::event::Event;
use crate::ids::ExecutorId;
use crate::machine::Owner;
use crate::record::Cause;
use crate::sim::Sim;
use crate::spark::executor::Executor;
use crate::spark::scratch::Stored;
use crate::spark::start;
use crate::spec::{Platform, PodsAllocator};
use crate::units::SimSpan;

/// Delay of the second restart.
const FIRST_BACKOFF: SimSpan = SimSpan::from_secs(10);
/// Largest delay.
const LAST_BACKOFF: SimSpan = SimSpan::from_secs(300);
/// A container that ran so long begins anew.
const FORGIVEN_AFTER: SimSpan = SimSpan::from_secs(600);

/// Delay before the restart that follows `restarts` restarts in a row.
fn backoff(restarts: u32) -> SimSpan {
    if restarts == 0 { SimSpan::ZERO } else { (FIRST_BACKOFF * (1 << (restarts - 1).min(5))).min(LAST_BACKOFF) }
}

/// Whether a container that died of `cause` restarts in its pod; the restart is then scheduled.
pub(crate) fn schedule(sim: &mut Sim, id: ExecutorId, cause: Cause) -> bool {
    let spec = sim.plan.spec();
    let kept = spec.spark.allocation.allocator == PodsAllocator::Controller && !spec.spark.allocation.delete_on_termination;
    if spec.cluster.platform != Platform::Kubernetes || !kept || cause == Cause::Eviction {
        return false;
    }
    let now = sim.now();
    let executor = &mut sim.executors[id];
    executor.restarts_in_place = true;
    if now.since(executor.created_at) >= FORGIVEN_AFTER {
        executor.restarts = 0;
    }
    let delay = backoff(executor.restarts);
    sim.after(delay, Event::ContainerRestarts(id));
    true
}

/// The container starts again: a new executor in the old pod, with the old files.
pub(crate) fn on_restart(sim: &mut Sim, old: ExecutorId) {
    if sim.executors[old].node.is_some_and(|node| daemons::waits_for_agents(sim, node, Event::ContainerRestarts(old))) {
        return;
    }
    let id = ExecutorId::new(sim.executors.len() as u32);
    let mut new = Executor::new(sim, id);
    let dead = &mut sim.executors[old];
    let (Some(node), Some(slot)) = (dead.node, dead.slot) else { return };
    dead.restarts_in_place = false;
    dead.succeeded = true;
    new.restarts = dead.restarts + 1;
    new.announced = dead.announced;
    new.garbage = dead.scratch();
    new.claims.mounted = std::mem::take(&mut dead.claims.mounted);
    new.claims.place = std::mem::take(&mut dead.claims.place);
    dead.garbage = Stored::NONE;
    dead.temporary = Stored::NONE;
    dead.cached_files = Stored::NONE;
    dead.outputs.values_mut().for_each(|o| *o = Stored::NONE);
    sim.executors.push(new);
    let machine = &mut sim.machines[node];
    machine.owners[slot.index()] = Owner::Executor(id);
    machine.memory.restart_container(slot);
    start::on_restarted(sim, id, node, slot);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented series: at once, 10 s, 20 s, 40 s, … up to 5 min.
    #[test]
    fn the_back_off_doubles_from_ten_seconds_to_five_minutes() {
        let seconds: Vec<u64> = (0..8).map(|n| backoff(n).as_ns() / 1_000_000_000).collect();
        assert_eq!(seconds, [0, 10, 20, 40, 80, 160, 300, 300]);
    }
}

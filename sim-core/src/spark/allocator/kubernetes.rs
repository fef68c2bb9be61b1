//! Kubernetes' allocator: batches of pods, one batch at a time.
//!
//! A round counts what is missing and creates a batch at most, and nothing at all while a pod that it created has not been seen
//! yet (AL-1). A pod that is never seen is given up after a long time (AL-3); one that was seen and waits for a node is not
//! (AL-5), except when fewer executors are asked for than there are: then waiting pods go, once they are older than
//! `dynamicAllocation.executorIdleTimeout`. Ceilings: pods that do not run yet, and the number of the last pod ever created,
//! which is one less than `allocation.maximum` (Spark 4.3 compares with ≥, and goes on without more executors). A
//! controller (StatefulSet, Deployment) makes all that is missing at once. Source: `ExecutorPodsAllocator`, 4.4.

use super::{create, drop_excess, existing, missing, wake};
use crate::event::Event;
use crate::ids::ExecutorId;
use crate::sim::Sim;
use crate::spark::claims::reuse;
use crate::spark::executor::Life;
use crate::spark::removal;
use crate::spec::{Platform, PodsAllocator};
use crate::units::SimSpan;

/// How long a waiting pod is protected when fewer are asked for, without dynamic allocation: the default idle timeout.
const PROTECTED: SimSpan = SimSpan::from_secs(60);

/// One round.
pub(super) fn round(sim: &mut Sim) {
    give_up_unseen(sim);
    let protected = sim.plan.spec().spark.allocation.dynamic.map_or(PROTECTED, |d| d.idle_timeout);
    drop_excess(sim, protected);
    let missing = missing(sim);
    if sim.plan.spec().spark.allocation.allocator == PodsAllocator::Controller {
        return (0..missing).for_each(|_| create(sim));
    }
    let too_many = existing(sim) > sim.allocator.target();
    if too_many && !sim.cluster.pending.is_empty() {
        return wake(sim);
    }
    if missing == 0 {
        return;
    }
    if unseen(sim).next().is_some() {
        return wake(sim);
    }
    let batch = missing.min(sim.plan.spec().spark.kubernetes.allocation_batch_size).min(room(sim));
    for _ in 0..batch {
        if reuse::must_wait(sim) {
            return wake(sim);
        }
        if at_maximum(sim) {
            sim.allocator.exhausted = true;
            return;
        }
        create(sim);
    }
    look_for_late_ones(sim);
    if missing > batch && !is_full(sim) {
        wake(sim);
    }
}

/// A round comes when a pod that will not be seen in time is to be given up.
fn look_for_late_ones(sim: &mut Sim) {
    let conf = &sim.plan.spec().spark;
    let timeout = conf.allocation.creation_timeout;
    let now = sim.now();
    if sim.executors.values().any(|e| e.created_at == now && e.seen_at.since(now) > timeout) {
        sim.after(timeout + conf.kubernetes.allocation_batch_delay, Event::AllocationRound);
    }
}

/// Pods that were created and have neither been seen nor registered.
fn unseen(sim: &Sim) -> impl Iterator<Item = ExecutorId> {
    let now = sim.now();
    let waits = move |e: &crate::spark::executor::Executor| e.seen_at > now && matches!(e.life, Life::Pending | Life::Bound | Life::Starting);
    sim.executors.iter().filter(move |(_, e)| waits(e)).map(|(id, _)| id)
}

fn give_up_unseen(sim: &mut Sim) {
    let (now, timeout) = (sim.now(), sim.plan.spec().spark.allocation.creation_timeout);
    let late: Vec<ExecutorId> = unseen(sim).filter(|&id| now.since(sim.executors[id].created_at) > timeout).collect();
    for id in late {
        removal::stop(sim, id);
    }
}

/// Whether the allocator waits for pods: not seen, or seen and without a container.
pub(super) fn is_waiting(sim: &Sim) -> bool {
    unseen(sim).next().is_some() || not_running(sim) > 0
}

/// Pods without a running container.
fn not_running(sim: &Sim) -> u32 {
    sim.executors.values().filter(|e| matches!(e.life, Life::Pending | Life::Bound)).count() as u32
}

/// Pods that may be created beside those that do not run yet.
fn room(sim: &Sim) -> u32 {
    sim.plan.spec().spark.allocation.max_pending_pods.map_or(u32::MAX, |most| most.saturating_sub(not_running(sim)))
}

/// Whether the ceiling of pods that do not run yet keeps others from being created.
pub(super) fn is_full(sim: &Sim) -> bool {
    sim.plan.spec().cluster.platform == Platform::Kubernetes && room(sim) == 0
}

fn at_maximum(sim: &Sim) -> bool {
    sim.plan.spec().spark.allocation.maximum.is_some_and(|most| sim.executors.len() as u32 + 1 >= most)
}

/// A pod runs: one more may be pending.
pub(crate) fn on_pod_running(sim: &mut Sim) {
    let spec = sim.plan.spec();
    if spec.cluster.platform == Platform::Kubernetes && spec.spark.allocation.max_pending_pods.is_some() && missing(sim) > 0 && !sim.allocator.exhausted {
        wake(sim);
    }
}

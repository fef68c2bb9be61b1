//! Executors that leave in good order: no new task, the running ones end, shuffle files and cached blocks go to peers.
//!
//! With `spark.decommission.enabled` a notice makes an executor take no more tasks; it ends when its tasks have ended and, with
//! `spark.storage.decommission.enabled`, when its shuffle files and cached blocks are with others ([`migration`], [`cached`]). It is killed when its notice is
//! over: nothing of that counts as a failure (3.5). Without decommission a notice ends it at once, as SIGTERM ends a JVM. Notices come
//! from dynamic allocation, from the plugin that replaces executors ([`super::roll`]), and from reclaims that the user asked for, whose pods count as missing from the notice on (a
//! terminating pod is no running one). Assumption: the executor ends at once when it may, where Spark looks each second. Source: 3.7; `CoarseGrainedExecutorBackend`, `BlockManagerDecommissioner`.

pub(crate) mod cached;
pub(crate) mod migration;
#[cfg(test)]
mod tests;

use crate::cluster;
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId};
use crate::sim::Sim;
use crate::spark::executor::Life;
use crate::spark::{allocator, removal, silence};
use crate::spec::Reclaimed;
use crate::units::SimSpan;

/// Schedules what the user takes back.
pub(crate) fn start(sim: &mut Sim) {
    for (index, reclaim) in sim.plan.spec().reclaims.iter().enumerate() {
        sim.after(reclaim.at, Event::Reclaim(index as u32));
    }
}

/// The cluster takes an executor or a node back.
pub(crate) fn on_reclaim(sim: &mut Sim, index: u32) {
    let reclaim = sim.plan.spec().reclaims[index as usize];
    // The autoscaler was faster.
    if matches!(reclaim.who, Reclaimed::Node(node) if sim.machines[NodeId::new(node)].away) {
        return;
    }
    if let (Reclaimed::Node(node), true) = (reclaim.who, reclaim.sudden) {
        return silence::lose_node(sim, NodeId::new(node));
    }
    let leaving: Vec<ExecutorId> = match reclaim.who {
        Reclaimed::Executor(number) => sim.executors.ids().filter(|id| id.index() as u32 + 1 == number).collect(),
        Reclaimed::Node(node) => {
            let node = NodeId::new(node);
            sim.machines[node].cordoned = true;
            sim.executors.iter().filter(|(_, e)| e.node == Some(node)).map(|(id, _)| id).collect()
        }
    };
    for id in leaving {
        sim.executors[id].terminating = true;
        notify(sim, id, Some(reclaim.notice));
    }
    // Pods that leave do not count for topology spread any more.
    cluster::pods_changed(sim);
    allocator::wake_if_missing(sim);
}

/// An executor gets its notice: it leaves in good order if it can, and is killed after `notice` if there is such a limit.
pub(crate) fn notify(sim: &mut Sim, id: ExecutorId, notice: Option<SimSpan>) {
    let executor = &mut sim.executors[id];
    if executor.leaving || matches!(executor.life, Life::Dead | Life::Gone) {
        return;
    }
    let Some(conf) = sim.plan.spec().spark.allocation.decommission.filter(|_| executor.life == Life::Registered) else {
        return removal::stop(sim, id);
    };
    executor.leaving = true;
    if let Some(notice) = notice.into_iter().chain(conf.force_kill_timeout).min() {
        sim.after(notice, Event::NoticeOver(id));
    }
    if conf.shuffle_blocks {
        migration::begin(sim, id);
    }
    if conf.rdd_blocks {
        cached::begin(sim, id);
    }
    leave_if_done(sim, id);
}

/// The notice is over: the executor is killed, and nothing counts.
pub(crate) fn on_notice_over(sim: &mut Sim, id: ExecutorId) {
    removal::stop(sim, id);
}

/// Ends an executor on notice that has nothing more to do.
pub(crate) fn leave_if_done(sim: &mut Sim, id: ExecutorId) {
    let executor = &sim.executors[id];
    if executor.leaving && executor.life == Life::Registered && executor.running.is_empty() && migration::is_done(sim, id) && cached::is_done(sim, id) {
        removal::stop(sim, id);
    }
}

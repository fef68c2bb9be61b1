//! Executors that leave without having failed: stopped by the driver, or their pod deleted.
//!
//! The driver knows at once: the executor's outputs are unregistered, its running tasks are queued again without a count (3.5),
//! and no cap counts it (FC-3). The processes end at once; the volumes are torn down as after a death. Assumption: a stopped JVM
//! is gone within the instant, where Spark waits `dynamicAllocation.deleteGracePeriod` (5 s) before it deletes the pod of one
//! that does not stop. Source: 3.5, 4.5; `KubernetesClusterSchedulerBackend.doKillExecutors`.

use crate::cluster;
use crate::event::Event;
use crate::ids::ExecutorId;
use crate::kernel::Purpose;
use crate::sim::Sim;
use crate::spark::claims::reuse;
use crate::spark::decommission::{self, cached, migration};
use crate::spark::executor::Life;
use crate::spark::scratch::Stored;
use crate::spark::{allocator, driver, push_merge, start, task};
use crate::units::SimSpan;

/// Dynamic allocation lets an idle executor go.
pub(crate) fn dismiss(sim: &mut Sim, id: ExecutorId) {
    decommission::notify(sim, id, None);
}

/// Stops an executor, in whatever part of its life.
pub(crate) fn stop(sim: &mut Sim, id: ExecutorId) {
    let now = sim.now();
    if matches!(sim.executors[id].life, Life::Dead | Life::Gone) {
        return;
    }
    reuse::on_leaving(sim, id);
    sim.cluster.pending.retain(|&waiting| waiting != id);
    let executor = &mut sim.executors[id];
    let running = std::mem::take(&mut executor.running);
    executor.blocked.clear();
    let place = executor.node.zip(executor.slot);
    let lost: Vec<_> = running.into_iter().map(|task| task::abort_at_death(sim, task)).collect();
    let executor = &mut sim.executors[id];
    executor.lost = lost;
    executor.note_scratch();
    executor.dismissed = true;
    executor.life = Life::Gone;
    sim.driver.cache.forget(id);
    migration::on_executor_gone(sim, id);
    push_merge::on_executor_gone(sim, id);
    cached::on_executor_gone(sim, id);
    start::cut_off(sim, id);
    if let Some((node, slot)) = place {
        let v = sim.machines[node].v(now);
        sim.machines[node].memory.container_died(slot, v);
        sim.touch(node);
        let teardown = sim.luck.draw(&sim.plan.spec().cluster.kubelet.teardown_s, Purpose::Teardown, id.index() as u64).max(0.0);
        sim.after(SimSpan::from_secs_f64(teardown), Event::VolumesTornDown(id));
        if !sim.plan.spec().spark.shuffle.service {
            task::break_fetches(sim, id);
        }
    }
    if place.is_none() {
        reuse::on_torn_down(sim, id, &Stored::NONE);
    }
    driver::failures::on_executor_lost(sim, id);
    cluster::pods_changed(sim);
    allocator::wake_if_missing(sim);
}

//! An executor's start: from its pod's node to its registration with the driver.
//!
//! The container's processes start some seconds after binding and register when the JVM is up (8.5). A pod with volumes waits for them
//! first ([`attach`]); while kubelet or runtime of its node are down nothing starts. A container that restarts in its pod skips image, sandbox
//! and volumes. Assumption: the time is drawn once an executor, and its parts are in a fixed proportion. Source: 8.5, 4.8.

use crate::cluster::daemons;
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::kernel::Purpose;
use crate::linux::cgroup::Charge;
use crate::sim::Sim;
use crate::spark::claims::{attach, place, resize, reuse};
use crate::spark::executor::Life;
use crate::spark::{allocator, driver, jvm};
use crate::spec::ExecutorConf;
use crate::units::{Bytes, SimSpan};

/// Share of the time from binding to registration that passes before the process starts: image, sandbox, mounts (8.5).
const STARTS_AT: f64 = 0.35;

/// The pod has a node: its process starts and registers after a drawn time, when its volumes are attached.
pub(crate) fn on_bound(sim: &mut Sim, id: ExecutorId, node: NodeId, slot: PodSlot) {
    let executor = &mut sim.executors[id];
    executor.life = Life::Bound;
    executor.node = Some(node);
    executor.slot = Some(slot);
    place::on_bound(sim, id, node);
    reuse::on_bound(sim, id, node);
    if let Some(attach) = attach::on_bound(sim, id, node) {
        start_after(sim, id, attach);
    }
}

/// The volumes of a pod that has its node are there after `attach`.
pub(crate) fn start_after(sim: &mut Sim, id: ExecutorId, attach: SimSpan) {
    let total = sim.luck.draw(&sim.plan.spec().uncertainty.executor_start_s, Purpose::ExecutorStart, id.index() as u64).max(0.0);
    sim.after(SimSpan::from_secs_f64(total * STARTS_AT) + attach, Event::ExecutorStarts(id));
    sim.after(SimSpan::from_secs_f64(total) + attach, Event::ExecutorRegisters(id));
}

/// A container has restarted in its pod: its process starts now, as another executor.
pub(crate) fn on_restarted(sim: &mut Sim, id: ExecutorId, node: NodeId, slot: PodSlot) {
    let total = sim.luck.draw(&sim.plan.spec().uncertainty.executor_start_s, Purpose::ExecutorStart, id.index() as u64).max(0.0);
    let executor = &mut sim.executors[id];
    executor.life = Life::Bound;
    executor.node = Some(node);
    executor.slot = Some(slot);
    sim.after(SimSpan::from_secs_f64(total * (1.0 - STARTS_AT)), Event::ExecutorRegisters(id));
    on_starts(sim, id);
}

/// The JVM is up: non-heap memory and the first heap pages are charged.
pub(crate) fn on_starts(sim: &mut Sim, id: ExecutorId) {
    // It may have been stopped meanwhile.
    if sim.executors[id].life != Life::Bound {
        return;
    }
    if sim.executors[id].node.is_some_and(|node| daemons::waits_for_agents(sim, node, Event::ExecutorStarts(id))) {
        return;
    }
    sim.driver.retries.started();
    let (plan, now) = (sim.plan, sim.now());
    let conf = &plan.spec().spark.executor;
    let factor = sim.luck.draw(&plan.spec().uncertainty.non_heap, Purpose::NonHeap, id.index() as u64).max(0.1);
    let non_heap = jvm::non_heap(conf.heap, jvm::threads(sim.executors[id].announced.cores), Bytes::ZERO, plan.spec().app.sql, conf.collector).scale(factor);
    let executor = &mut sim.executors[id];
    executor.life = Life::Starting;
    executor.young = young_at_start(conf, executor.young_share);
    let heap = jvm::resident_heap(conf.heap, executor.young, jvm::BASE_LIVE);
    executor.started_at = Some(now);
    let (Some(node), Some(slot)) = (executor.node, executor.slot) else { return };
    sim.machines[node].has_image = true;
    let memory = &mut sim.machines[node].memory;
    memory.charge(slot, Charge::NonHeap, non_heap);
    memory.charge(slot, Charge::Heap, heap);
    sim.touch(node);
    allocator::on_pod_running(sim);
}

/// The young generation as far as starting has walked through it; a heap that grows on demand is small at first.
fn young_at_start(conf: &ExecutorConf, young_share: f64) -> Bytes {
    let heap = if conf.xms_equals_xmx { conf.heap } else { jvm::BASE_LIVE };
    jvm::young_touched(conf.collector, heap, young_share, jvm::STARTED, Bytes::ZERO, jvm::STARTED)
}

/// The executor offers its slots.
pub(crate) fn on_registers(sim: &mut Sim, id: ExecutorId) {
    if sim.executors[id].life == Life::Starting {
        sim.executors[id].life = Life::Registered;
        sim.executors[id].registered_at = Some(sim.now());
        resize::on_registered(sim, id);
        driver::on_executor_registered(sim, id);
    } else if let (Life::Bound, Some(node)) = (sim.executors[id].life, sim.executors[id].node) {
        // Kubelet or runtime were down when it should have started.
        let total = sim.luck.draw(&sim.plan.spec().uncertainty.executor_start_s, Purpose::ExecutorStart, id.index() as u64).max(0.0);
        let down = sim.machines[node].agents_back.since(sim.now());
        sim.after(down + SimSpan::from_secs_f64(total * (1.0 - STARTS_AT)), Event::ExecutorRegisters(id));
    }
}

//! An executor's start: from its pod's node to its registration with the driver.
//!
//! The container's processes start some seconds after binding (8.5). A pod with volumes waits for them first (`claims::attach`); while kubelet or
//! runtime of their node are down nothing starts. A container that restarts in its pod skips image, sandbox and volumes. From then on a start is
//! CPU work of the JVM, which loads classes and compiles; it takes longer where cores are scarce, and takes them from the tasks there. Its heap and
//! its non-heap memory grow with that work (measured, docs/model/heap-touch.md), and the executor registers when it is done. Assumptions: the time
//! on a free core is drawn once an executor, its parts are in a fixed proportion, and where cores are scarce a JVM that starts, with all its threads,
//! gets as much as a task, as processes do whose pods have the same weight. Source: 8.5, 4.8.

use crate::cluster::daemons;
use crate::event::Event;
use crate::hardware::{Device, FlowOwner};
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::kernel::{FlowHandle, Purpose};
use crate::linux::cgroup::Charge;
use crate::linux::ramp::FlowRamp;
use crate::sim::Sim;
use crate::spark::claims::{attach, place, resize, reuse};
use crate::spark::executor::Life;
use crate::spark::{allocator, driver, jvm};
use crate::spec::{Dist, ExecutorConf, Platform};
use crate::units::{Bytes, SimSpan};

/// Share of the time from binding to registration that passes before the process starts: image, sandbox, mounts (8.5). Bare processes have none of it.
pub const STARTS_AT: f64 = 0.35;
/// Share of the memory at registration that a JVM has at once: its first half core-second (measured, docs/model/heap-touch.md).
const AT_ONCE: f64 = 0.35;
/// How JVMs of one application differ in their non-heap memory (measured, docs/model/heap-touch.md).
const EACH: Dist = Dist::Normal { mean: 1.0, sd: 0.025 };

/// A start that is under way.
#[derive(Debug)]
pub(crate) struct Start {
    flow: FlowHandle,
    ramp: FlowRamp,
}

/// The pod has a node: its process starts after a drawn time, when its volumes are attached.
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
    let before = SimSpan::from_secs_f64(whole_s(sim, id) * before_process(sim));
    sim.after(before + attach, Event::ExecutorStarts(id));
}

/// A container has restarted in its pod: its process starts now, as another executor.
pub(crate) fn on_restarted(sim: &mut Sim, id: ExecutorId, node: NodeId, slot: PodSlot) {
    let executor = &mut sim.executors[id];
    executor.life = Life::Bound;
    executor.node = Some(node);
    executor.slot = Some(slot);
    on_starts(sim, id);
}

/// Seconds from binding to registration where a core is free.
fn whole_s(sim: &Sim, id: ExecutorId) -> f64 {
    sim.luck.draw(&sim.plan.spec().uncertainty.executor_start_s, Purpose::ExecutorStart, id.index() as u64).max(0.0)
}

/// Share of them before the process starts.
fn before_process(sim: &Sim) -> f64 {
    if sim.plan.spec().cluster.platform == Platform::Bare { 0.0 } else { STARTS_AT }
}

/// The process starts: some memory is charged at once, the rest comes with the work until the executor registers.
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
    let work = whole_s(sim, id) * (1.0 - before_process(sim));
    let factor = (sim.day.non_heap * sim.luck.draw(&EACH, Purpose::NonHeap, id.index() as u64 + 1)).max(0.1);
    let sql = plan.spec().app.sql;
    let executor = &mut sim.executors[id];
    let in_all = jvm::non_heap(conf.heap, jvm::threads(executor.announced.cores), Bytes::ZERO, sql, conf.collector).scale(factor);
    executor.to_come = jvm::ToCome::at_start(sql, factor);
    let non_heap = in_all.saturating_sub(executor.to_come.sum());
    executor.life = Life::Starting;
    executor.young = young_at_start(conf, executor.young_share, sim.day.heap_growth);
    let heap = jvm::resident_heap(conf.heap, executor.young, jvm::STARTED_LIVE);
    executor.started_at = Some(now);
    let (Some(node), Some(slot)) = (executor.node, executor.slot) else { return };
    let machine = &mut sim.machines[node];
    machine.has_image = true;
    let (first_heap, first_non_heap) = (heap.scale(AT_ONCE), non_heap.scale(AT_ONCE));
    machine.memory.charge(slot, Charge::NonHeap, first_non_heap);
    machine.memory.charge(slot, Charge::Heap, first_heap);
    let ramp = FlowRamp::new(machine.v(now), work, heap - first_heap, Bytes::ZERO).with_non_heap(non_heap - first_non_heap);
    machine.memory.start_ramp(slot, &ramp);
    let flow = machine.devices.add_cpu(now, work, FlowOwner::Start(id));
    executor.start = Some(Start { flow, ramp });
    sim.touch(node);
    allocator::on_pod_running(sim);
}

/// The young generation as far as starting has walked through it; a heap that grows on demand is small at first.
fn young_at_start(conf: &ExecutorConf, young_share: f64, growth: f64) -> Bytes {
    let heap = if conf.xms_equals_xmx { conf.heap } else { jvm::committed_on_demand(conf.heap, Bytes::ZERO, jvm::STARTED_LIVE, growth) };
    jvm::young_touched(conf.collector, heap, young_share, jvm::STARTED, Bytes::ZERO, jvm::STARTED)
}

/// The JVM is up: the executor offers its slots.
pub(crate) fn on_registers(sim: &mut Sim, id: ExecutorId) {
    let now = sim.now();
    let executor = &mut sim.executors[id];
    let (Some(Start { ramp, .. }), Some(node), Some(slot)) = (executor.start.take(), executor.node, executor.slot) else { return };
    executor.life = Life::Registered;
    executor.registered_at = Some(now);
    sim.machines[node].memory.finish_ramp(slot, &ramp);
    resize::on_registered(sim, id);
    driver::on_executor_registered(sim, id);
}

/// The process of an executor is gone: a start that is under way ends.
pub(crate) fn cut_off(sim: &mut Sim, id: ExecutorId) {
    let now = sim.now();
    let executor = &mut sim.executors[id];
    let (Some(Start { flow, ramp }), Some(node), Some(slot)) = (executor.start.take(), executor.node, executor.slot) else { return };
    let machine = &mut sim.machines[node];
    let v = machine.v(now);
    let _ = machine.memory.abort_ramp(slot, &ramp, v);
    machine.devices.cancel(now, Device::Cpu, flow);
    sim.touch(node);
}

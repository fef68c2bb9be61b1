//! The driver's heap: broadcast variables that it builds, and results that it collects.
//!
//! The build side of a broadcast join is collected in serialised form, made into the relation, and kept with its serialised pieces
//! until the job ends (2.8). Serialised results of a stage's tasks are added up: beyond `spark.driver.maxResultSize` the job is aborted
//! before they are fetched; within it they become rows. What is live beyond the usable part of the driver's heap ends the driver, and with
//! it the application. Assumptions: the driver's own objects are 100 MiB (recalled); a serialised byte becomes as many in memory as SQL
//! rows do; garbage is in the share of the heap that is charged from the start. Source: 2.8; `TaskSetManager.canFetchMoreResults`.

use crate::ids::StageId;
use crate::linux::cgroup::Charge;
use crate::linux::oom;
use crate::record::{Cause, Ending, FailureReason, Level};
use crate::sim::Sim;
use crate::spark::executor::Death;
use crate::spark::jvm;
use crate::spark::task::demand::UNCOMPRESSED;
use crate::units::Bytes;

/// Live objects of a driver beside broadcasts and results. Recalled.
const BASE_LIVE: Bytes = Bytes::mib(100);
/// Share of the driver's heap that it touches whatever it does: the young generation of an executor-like JVM (JH-2). Assumption.
pub(crate) const TOUCHED: f64 = 0.6;

/// What the driver's heap holds for the running job.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DriverHeap {
    /// Relations, their serialised pieces, and collected rows.
    held: Bytes,
    /// Heap charged beyond [`TOUCHED`]; it never shrinks (JVM-4).
    grown: Bytes,
}

/// A stage that needs broadcast variables is about to run for the first time: they are built.
pub(super) fn build_broadcast(sim: &mut Sim, stage: StageId) {
    let bytes = sim.plan.spec().app.stages[stage.index()].broadcast;
    if !bytes.is_zero() {
        hold(sim, bytes + bytes.scale(1.0 / UNCOMPRESSED));
    }
}

/// A result task has ended: its serialised result is counted, then fetched.
pub(super) fn collect(sim: &mut Sim, stage: StageId, partition: u32) {
    let all = sim.plan.spec().app.stages[stage.index()].memory.collected;
    if all.is_zero() {
        return;
    }
    let state = &mut sim.driver.stages[stage];
    let bytes = all.scale(state.shares[partition as usize] * sim.day.volume);
    state.result_bytes += bytes;
    let limit = sim.plan.spec().spark.driver.max_result_size;
    if !limit.is_zero() && state.result_bytes > limit {
        return sim.end(Ending::Failed(FailureReason::ResultSize));
    }
    hold(sim, bytes + bytes.scale(UNCOMPRESSED));
}

/// The job has ended: its broadcasts and results are garbage.
pub(super) fn release(sim: &mut Sim) {
    sim.driver.heap.held = Bytes::ZERO;
}

fn hold(sim: &mut Sim, bytes: Bytes) {
    let conf = &sim.plan.spec().spark;
    let (heap, collector) = (conf.driver.memory, conf.executor.collector);
    let state = &mut sim.driver.heap;
    state.held += bytes;
    let live = BASE_LIVE + state.held;
    if live > jvm::usable_heap(heap, collector) {
        return oom::kill_driver(sim, Death { cause: Cause::Heap, level: Level::Heap, used: live, limit: heap });
    }
    let growth = live.saturating_sub(heap.scale(TOUCHED)).saturating_sub(state.grown);
    state.grown += growth;
    if let Some((node, slot)) = sim.cluster.driver {
        sim.machines[node].memory.charge(slot, Charge::Process, growth);
        sim.touch(node);
    }
}

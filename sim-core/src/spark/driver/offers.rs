//! Offering free slots to task sets: FIFO over stages, round robin over executors, with a locality wait.
//!
//! Spark shuffles the executors in each round of offers and gives one task to each in turn; a rotating start
//! does the same without a draw. There is one locality level, the node, and one wait a task set. A reduce stage prefers nodes that hold much of its input; other nodes get its
//! tasks once a free slot there has been refused for `spark.locality.wait` (3.6; since Spark 3.1 launches elsewhere do
//! not start that wait again).

use crate::event::Event;
use crate::ids::{ExecutorId, StageId};
use crate::sim::Sim;
use crate::spark::allocator::dynamic;
use crate::spark::executor::Life;
use crate::spark::task;

/// Offers one executor's free slots.
pub(crate) fn offer(sim: &mut Sim, executor: ExecutorId) {
    let slots = sim.plan.executor.slots;
    while sim.ending.is_none() && sim.executors[executor].free_slots(slots) > 0 {
        let Some(stage) = next_stage(sim, executor) else { return };
        launch(sim, stage, executor);
    }
}

/// Offers all free slots, one a round and executor.
pub(crate) fn offer_all(sim: &mut Sim) {
    let slots = sim.plan.executor.slots;
    let count = sim.executors.len();
    if count == 0 || sim.ending.is_some() {
        return;
    }
    let start = sim.driver.rotation % count;
    sim.driver.rotation += 1;
    loop {
        let mut launched = false;
        for step in 0..count {
            let executor = ExecutorId::new(((start + step) % count) as u32);
            if sim.executors[executor].free_slots(slots) == 0 {
                continue;
            }
            if let Some(stage) = next_stage(sim, executor) {
                launch(sim, stage, executor);
                launched = true;
            }
        }
        if !launched {
            return;
        }
    }
}

/// The earliest active stage with a task for this executor.
fn next_stage(sim: &mut Sim, executor: ExecutorId) -> Option<StageId> {
    let mut waits = false;
    let node = sim.executors[executor].node?;
    let (now, wait) = (sim.now(), sim.plan.spec().spark.scheduling.locality_wait);
    let mut found = None;
    let mut refused = None;
    for (id, stage) in sim.driver.stages.iter() {
        if !stage.active || stage.pending.is_empty() {
            continue;
        }
        let local = stage.preferred.is_empty() || stage.preferred.contains(&node);
        let waited = stage.refused_since.is_some_and(|since| now.since(since) >= wait);
        if local || waited || wait.is_zero() || !preferred_alive(sim, stage) {
            found = Some(id);
            break;
        }
        refused = refused.or(Some(id));
        waits = true;
    }
    if let Some(id) = refused {
        sim.driver.stages[id].refused_since.get_or_insert(now);
    }
    if found.is_none() && waits && sim.driver.locality_timer.is_none() {
        let timer = sim.after(wait, Event::LocalityTimeout);
        sim.driver.locality_timer = Some(timer);
    }
    found
}

/// Whether any preferred node still has an executor; if not, nobody waits for it.
fn preferred_alive(sim: &Sim, stage: &super::StageState) -> bool {
    sim.executors.values().any(|e| e.life == Life::Registered && e.node.is_some_and(|node| stage.preferred.contains(&node)))
}

fn launch(sim: &mut Sim, stage: StageId, executor: ExecutorId) {
    let state = &mut sim.driver.stages[stage];
    let Some(partition) = state.pending.pop() else { return };
    let attempt = state.attempt();
    task::launch(sim, stage, attempt, partition, executor);
    dynamic::on_executor_used(sim, executor);
}

/// A locality wait may be over.
pub(crate) fn on_locality_timeout(sim: &mut Sim) {
    sim.driver.locality_timer = None;
    offer_all(sim);
}

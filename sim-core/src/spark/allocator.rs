//! Who asks for executors: Kubernetes' allocator, YARN's heartbeat, or the bare lab.
//!
//! Kubernetes: every round (1 s) the missing executors are counted and up to a batch of pods is created; dead
//! ones count as missing from the moment that their death is seen, without back-off (AL-1, AL-2). YARN asks at
//! its heartbeat (3 s, YRN-10). Rounds are counted from the loss that is seen, where Spark's have a phase of their own
//! (up to a second sooner); pods are acknowledged at once and pending ones have no ceiling (4.4). On bare cgroups all start at once and a dead one is replaced when its volume
//! has been unmounted. Rounds are events only while something is missing.

use crate::event::Event;
use crate::ids::ExecutorId;
use crate::sim::Sim;
use crate::spark::executor::{Executor, Life};
use crate::spec::Platform;
use crate::units::SimSpan;

/// YARN's heartbeat between application master and resource manager (YRN-10).
const YARN_HEARTBEAT: SimSpan = SimSpan::from_secs(3);

/// Schedules a round unless one is due.
pub(crate) fn wake(sim: &mut Sim) {
    if sim.driver.allocation_due {
        return;
    }
    sim.driver.allocation_due = true;
    let delay = match sim.plan.spec().cluster.platform {
        Platform::Yarn => YARN_HEARTBEAT,
        Platform::Kubernetes | Platform::Standalone | Platform::Bare => sim.plan.spec().spark.kubernetes.allocation_batch_delay,
    };
    sim.after(delay, Event::AllocationRound);
}

/// One round: create what is missing, a batch at most.
pub(crate) fn on_round(sim: &mut Sim) {
    sim.driver.allocation_due = false;
    let conf = &sim.plan.spec().spark;
    let missing = conf.executor.instances.saturating_sub(alive(sim));
    let batch = if sim.plan.spec().cluster.platform == Platform::Kubernetes { conf.kubernetes.allocation_batch_size } else { missing };
    // A new round creates nothing while an unacknowledged pod is outstanding (AL-1); creation is acknowledged within a round here.
    for _ in 0..missing.min(batch) {
        create(sim);
    }
    if missing > batch {
        wake(sim);
    }
    sim.after(SimSpan::ZERO, Event::SchedulePods);
}

/// The bare lab starts all its executors.
pub(crate) fn start_bare(sim: &mut Sim) {
    for _ in 0..sim.plan.spec().spark.executor.instances {
        create(sim);
    }
    sim.after(SimSpan::ZERO, Event::SchedulePods);
}

/// The bare lab replaces a dead executor, up to a number of replacements.
pub(crate) fn replace_bare(sim: &mut Sim) {
    let conf = &sim.plan.spec().spark;
    let largest = conf.kubernetes.max_replacements.map_or(u32::MAX, |n| n.saturating_add(conf.executor.instances));
    if (sim.executors.len() as u32) < largest {
        create(sim);
        sim.after(SimSpan::ZERO, Event::SchedulePods);
    }
}

fn create(sim: &mut Sim) {
    let id = ExecutorId::new(sim.executors.len() as u32);
    let executor = Executor::new(sim);
    sim.executors.push(executor);
    sim.cluster.pending.push(id);
}

/// Executors that the driver believes in: also those that are dead without its knowledge.
fn alive(sim: &Sim) -> u32 {
    sim.executors.values().filter(|e| e.life != Life::Gone).count() as u32
}

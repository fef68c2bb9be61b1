//! `ExecutorPVCResizePlugin` (4.2): claims that grow when they fill up.
//!
//! Every `resizeInterval` from its start each executor reports how full the fullest of its local directories is; every
//! `resizeInterval` from its own start the driver looks at the last reports and asks for `1 + resizeFactor` times the size of all
//! claims of a pod above `resizeThreshold`, unless they are growing already. The storage then takes its time. So a claim that fills
//! in less than two intervals is full before it grows: the two run apart, and writers do not wait. Claims of a class that cannot expand
//! stay as they are (the API refuses). Assumptions: only mounted claims are looked at; a growth that ends after its pod is gone is lost. Source: 4.7;
//! `ExecutorPVCResizeDriverPlugin`, `ExecutorPVCResizeExecutorPlugin` of Spark 4.3.

use crate::event::Event;
use crate::ids::ExecutorId;
use crate::kernel::{Purpose, mix};
use crate::sim::Sim;
use crate::spark::task::files;
use crate::spec::{ClaimResize, Platform, PodsAllocator};
use crate::units::SimSpan;

fn conf(sim: &Sim) -> Option<ClaimResize> {
    let spec = sim.plan.spec();
    let direct = spec.cluster.platform == Platform::Kubernetes && spec.spark.allocation.allocator == PodsAllocator::Direct;
    let works = |conf: &ClaimResize| direct && !conf.interval.is_zero() && !sim.plan.executor.scratch.claims.is_empty();
    spec.spark.allocation.claims.resize.filter(works)
}

/// The driver is up: its first look comes an interval later.
pub(crate) fn start(sim: &mut Sim) {
    if let Some(conf) = conf(sim) {
        sim.after(conf.interval, Event::ClaimLook);
    }
}

/// An executor has registered: its first report comes an interval later.
pub(crate) fn on_registered(sim: &mut Sim, id: ExecutorId) {
    if let Some(conf) = conf(sim) {
        sim.after(conf.interval, Event::ClaimReport(id));
    }
}

/// An executor reports its fullest directory.
pub(crate) fn on_report(sim: &mut Sim, id: ExecutorId) {
    let (Some(conf), Some(node)) = (conf(sim), sim.executors[id].node) else { return };
    if !sim.executors[id].is_up() {
        return;
    }
    let used = |dir: usize| {
        let (room, size) = files::room(sim, id, node, dir);
        1.0 - room.as_f64() / size.as_f64().max(1.0)
    };
    sim.executors[id].claims.fullest = (0..sim.plan.executor.scratch.dirs.len()).map(used).fold(0.0, f64::max);
    sim.after(conf.interval, Event::ClaimReport(id));
}

/// The driver looks at the last reports.
pub(crate) fn on_look(sim: &mut Sim) {
    let Some(conf) = conf(sim) else { return };
    let fills = |e: &crate::spark::executor::Executor| e.is_up() && !e.claims.growing && e.claims.fullest > conf.threshold;
    let full: Vec<ExecutorId> = sim.executors.iter().filter(|(_, e)| fills(e)).map(|(id, _)| id).collect();
    for id in full {
        let entity = mix(id.index() as u64, sim.now().as_ns());
        let takes = sim.luck.draw(&sim.plan.spec().uncertainty.claim_resize_s, Purpose::ClaimResize, entity).max(0.0);
        sim.executors[id].claims.growing = true;
        sim.after(SimSpan::from_secs_f64(takes), Event::ClaimsGrown(id));
    }
    sim.after(conf.interval, Event::ClaimLook);
}

/// An executor's claims are larger now.
pub(crate) fn on_grown(sim: &mut Sim, id: ExecutorId) {
    let Some(conf) = conf(sim) else { return };
    let executor = &mut sim.executors[id];
    executor.claims.growing = false;
    let expands = sim.plan.executor.scratch.claims.iter().map(|claim| claim.class.expands);
    for (claim, _) in executor.claims.mounted.iter_mut().zip(expands).filter(|(_, expands)| *expands) {
        claim.size = claim.size.scale(1.0 + conf.factor);
    }
}

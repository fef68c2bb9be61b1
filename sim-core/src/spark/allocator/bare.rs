//! The bare lab: executors in memory cgroups, started together, replaced one by one up to a number.

use super::create;
use crate::event::Event;
use crate::sim::Sim;
use crate::units::SimSpan;

/// The lab starts all its executors.
pub(crate) fn start(sim: &mut Sim) {
    for _ in 0..sim.allocator.target {
        create(sim);
    }
    sim.after(SimSpan::ZERO, Event::SchedulePods);
}

/// The lab replaces a dead executor, up to a number of replacements.
pub(crate) fn replace(sim: &mut Sim) {
    let largest = sim.plan.spec().spark.kubernetes.max_replacements.map_or(u32::MAX, |n| n.saturating_add(sim.allocator.initial));
    if (sim.executors.len() as u32) < largest {
        create(sim);
        sim.after(SimSpan::ZERO, Event::SchedulePods);
    }
}

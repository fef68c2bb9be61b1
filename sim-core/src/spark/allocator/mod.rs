//! Who asks for executors: Kubernetes' allocator, YARN's heartbeat, standalone's master, or the bare lab.
//!
//! Each compares the executors asked for (fixed, or set by [`dynamic`]) with those that exist in its own rounds: Kubernetes
//! every second ([`kubernetes`]), YARN at its heartbeat (YRN-10), standalone at once (1.9). Dead executors count as missing from
//! the moment that their death is seen, without back-off (AL-2). On bare cgroups all start at once and a dead one is replaced
//! when its volume has been unmounted. Rounds are events only while something is missing; between them the round's phase
//! goes on by itself. Assumption: YARN's faster first heartbeats (0.2 s, doubled) are left out.

mod bare;
pub(crate) mod dynamic;
mod kubernetes;
pub(crate) mod recovery;
pub(crate) mod restart;
mod rounds;
#[cfg(test)]
mod tests;

use crate::event::Event;
use crate::ids::ExecutorId;
use crate::kernel::{Luck, Purpose};
use crate::plan::SimPlan;
use crate::sim::Sim;
use crate::spark::claims::reuse;
use crate::spark::executor::{Executor, Life};
use crate::spark::removal;
use crate::spec::{Platform, RecoveryMode};
use crate::units::{SimSpan, SimTime};

pub(crate) use bare::{replace as replace_bare, start as start_bare};
pub(crate) use dynamic::Dynamic;
pub(crate) use kubernetes::on_pod_running;

/// The state of whoever asks for executors.
#[derive(Debug)]
pub(crate) struct Allocator {
    /// Executors asked for.
    target: u32,
    /// Executors asked for at the start.
    pub(crate) initial: u32,
    /// Whether a round is due.
    due: bool,
    /// The last round.
    last_round: Option<SimTime>,
    /// Where the rounds' grid lies when nothing was due for a while.
    phase: SimSpan,
    /// Whether `spark.kubernetes.allocation.maximum` has been met.
    exhausted: bool,
    /// Whether pods that are made now announce the cores of one task.
    pub(crate) recovery: bool,
    /// Claims of the driver that no pod has.
    pub(crate) claims: reuse::Claims,
    pub(crate) dynamic: Option<Dynamic>,
}

impl Allocator {
    /// Nothing asked for yet.
    pub(crate) fn new(plan: &SimPlan, luck: &Luck) -> Self {
        let dynamic = plan.spec().spark.allocation.dynamic;
        let initial = dynamic.map_or(plan.spec().spark.executor.instances, |d| d.initial);
        let phase = luck.stream(Purpose::AllocationPhase, 0).unit() * period(plan).as_secs_f64();
        Self {
            target: initial,
            initial,
            due: false,
            last_round: None,
            phase: SimSpan::from_secs_f64(phase),
            exhausted: false,
            recovery: plan.spec().spark.allocation.recovery == RecoveryMode::Always,
            claims: reuse::Claims::default(),
            dynamic: dynamic.map(Dynamic::new),
        }
    }

    /// Executors asked for.
    pub(crate) fn target(&self) -> u32 {
        self.target
    }
}

/// Time between two rounds; zero where everything is done at once.
fn period(plan: &SimPlan) -> SimSpan {
    match plan.spec().cluster.platform {
        Platform::Kubernetes => plan.spec().spark.kubernetes.allocation_batch_delay,
        Platform::Yarn => plan.spec().spark.allocation.yarn_heartbeat,
        Platform::Standalone | Platform::Bare => SimSpan::ZERO,
    }
}

/// The driver is up and asks for its first executors, at once.
pub(crate) fn start(sim: &mut Sim) {
    if sim.plan.spec().cluster.platform == Platform::Bare {
        start_bare(sim);
    } else {
        on_round(sim);
    }
}

/// Schedules the next round unless one is due.
pub(crate) fn wake(sim: &mut Sim) {
    if sim.allocator.due || sim.plan.spec().cluster.platform == Platform::Bare {
        return;
    }
    sim.allocator.due = true;
    let now = sim.now();
    let at = rounds::next(now, sim.allocator.last_round, sim.allocator.phase, period(sim.plan));
    sim.after(at.since(now), Event::AllocationRound);
}

/// One round: too many are given up, missing ones are created.
pub(crate) fn on_round(sim: &mut Sim) {
    sim.allocator.due = false;
    sim.allocator.last_round = Some(sim.now());
    match sim.plan.spec().cluster.platform {
        Platform::Kubernetes => kubernetes::round(sim),
        Platform::Yarn | Platform::Standalone => {
            drop_excess(sim, SimSpan::ZERO);
            for _ in 0..missing(sim) {
                create(sim);
            }
        }
        Platform::Bare => {}
    }
    sim.after(SimSpan::ZERO, Event::SchedulePods);
}

/// Another number of executors is asked for.
fn retarget(sim: &mut Sim, target: u32) {
    let before = std::mem::replace(&mut sim.allocator.target, target);
    if target == before || sim.plan.spec().cluster.platform == Platform::Bare {
        return;
    }
    let at_once = target > before && sim.plan.spec().cluster.platform == Platform::Kubernetes && !kubernetes::is_waiting(sim);
    let due = sim.allocator.due;
    if at_once {
        // A request wakes the allocator when it waits for no pod; the round that may be due comes besides.
        on_round(sim);
        sim.allocator.due |= due;
    } else {
        wake(sim);
    }
}

/// Schedules a round when executors are missing.
pub(crate) fn wake_if_missing(sim: &mut Sim) {
    dynamic::on_tasks_changed(sim);
    if missing(sim) > 0 && !sim.allocator.exhausted {
        wake(sim);
    }
}

/// Executors that are missing now.
fn missing(sim: &Sim) -> u32 {
    sim.allocator.target.saturating_sub(existing(sim))
}

/// Executors that the driver believes in: also those that are dead without its knowledge, and pods whose container will restart.
fn existing(sim: &Sim) -> u32 {
    sim.executors.values().filter(|e| e.life != Life::Gone && !e.succeeded && !e.terminating || e.restarts_in_place).count() as u32
}

/// Gives up executors that still wait for a node, the oldest first, as far as there are too many and they are older than `protected`.
fn drop_excess(sim: &mut Sim, protected: SimSpan) {
    let excess = existing(sim).saturating_sub(sim.allocator.target);
    let now = sim.now();
    let old = |id: &ExecutorId| now.since(sim.executors[*id].created_at) >= protected;
    let given_up: Vec<ExecutorId> = sim.cluster.pending.iter().copied().filter(old).take(excess as usize).collect();
    for id in given_up {
        removal::stop(sim, id);
    }
}

fn create(sim: &mut Sim) {
    let id = ExecutorId::new(sim.executors.len() as u32);
    let executor = Executor::new(sim, id);
    sim.executors.push(executor);
    sim.cluster.pending.push(id);
    reuse::on_created(sim, id);
}

/// Whether executors are missing that nothing keeps from being created: for the audit.
pub(crate) fn is_stuck(sim: &Sim) -> bool {
    let asks = sim.allocator.last_round.is_some() && sim.plan.spec().cluster.platform != Platform::Bare;
    asks && missing(sim) > 0 && !sim.allocator.due && !sim.allocator.exhausted && !kubernetes::is_full(sim)
}

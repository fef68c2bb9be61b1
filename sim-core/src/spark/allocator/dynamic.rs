//! Dynamic allocation: how many executors the work at hand needs.
//!
//! While tasks wait, executors are asked for after `schedulerBacklogTimeout` and then every `sustainedSchedulerBacklogTimeout`:
//! 1, 2, 4, 8 … more, up to what running and waiting tasks could use and to `maxExecutors` (A24). When they could use fewer, the
//! number asked for falls at once. An executor without a task goes after `executorIdleTimeout`, with cached blocks after
//! `cachedExecutorIdleTimeout`; without a shuffle service one with shuffle files of the running job stays, and one with other
//! shuffle files goes after `shuffleTracking.timeout`. Never more go than leave what is asked for. They leave by
//! [`super::super::removal`]. Spark looks ten times a second; here each deadline is met exactly. Source: 3.7;
//! `ExecutorAllocationManager`, `ExecutorMonitor`.

use super::retarget;
use crate::event::Event;
use crate::ids::{ExecutorId, ShuffleId};
use crate::kernel::EventHandle;
use crate::sim::Sim;
use crate::spark::decommission;
use crate::spark::executor::{Executor, Life};
use crate::spark::removal;
use crate::spec::{DynamicAllocation, SinkSpec};
use crate::units::{SimSpan, SimTime};

/// How soon a deadline that could not be met is looked at again. Spark looks every 0.1 s.
const LOOK_AGAIN: SimSpan = SimSpan::from_secs(1);

/// What the allocation manager remembers.
#[derive(Debug)]
pub(crate) struct Dynamic {
    conf: DynamicAllocation,
    /// Until the first stage or the first idle executor the number asked for stays.
    initializing: bool,
    /// When more are asked for, while tasks wait.
    add_at: Option<SimTime>,
    /// How many more.
    to_add: u32,
    tick: Option<(SimTime, EventHandle)>,
}

impl Dynamic {
    pub(super) fn new(conf: DynamicAllocation) -> Self {
        Self { conf, initializing: true, add_at: None, to_add: 1, tick: None }
    }
}

/// A stage's tasks wait from now on.
pub(crate) fn on_stage_submitted(sim: &mut Sim) {
    if let Some(dynamic) = &mut sim.allocator.dynamic {
        dynamic.initializing = false;
        on_tasks_changed(sim);
    }
}

/// An executor has got a task, or has one less.
pub(crate) fn on_executor_used(sim: &mut Sim, id: ExecutorId) {
    if sim.executors[id].leaving {
        decommission::leave_if_done(sim, id);
    }
    if sim.allocator.dynamic.is_none() {
        return;
    }
    let now = sim.now();
    let executor = &mut sim.executors[id];
    let idle = executor.life == Life::Registered && executor.running.is_empty();
    executor.idle_since = if idle { Some(executor.idle_since.unwrap_or(now)) } else { None };
    on_tasks_changed(sim);
}

/// Tasks have come or gone: the backlog begins or ends.
pub(crate) fn on_tasks_changed(sim: &mut Sim) {
    let now = sim.now();
    let waiting = waiting_tasks(sim);
    let Some(dynamic) = &mut sim.allocator.dynamic else { return };
    if waiting == 0 {
        (dynamic.add_at, dynamic.to_add) = (None, 1);
    } else {
        dynamic.add_at.get_or_insert(now + dynamic.conf.backlog_timeout);
    }
    if !sim.cluster.pending.is_empty() {
        lower(sim);
    }
    plan_tick(sim);
}

/// A deadline has come: more are asked for, or idle ones go.
pub(crate) fn on_tick(sim: &mut Sim) {
    let now = sim.now();
    let Some(dynamic) = &mut sim.allocator.dynamic else { return };
    dynamic.tick = None;
    if !lower(sim) {
        raise(sim, now);
    }
    remove_idle(sim, now);
    plan_tick(sim);
}

fn waiting_tasks(sim: &Sim) -> u32 {
    sim.driver.stages.values().filter(|stage| stage.active).map(|stage| stage.set.waiting()).sum()
}

/// Executors that all running and waiting tasks could use by the application's profile: it knows nothing of recovery mode.
fn needed(sim: &Sim, conf: &DynamicAllocation) -> u32 {
    // The driver takes what was sent to a vanished executor for running.
    let in_the_void = |e: &Executor| if e.silent.is_some() { e.lost.len() as u32 } else { 0 };
    let running: u32 = sim.executors.values().map(|e| e.running.len() as u32 + in_the_void(e)).sum();
    let tasks = f64::from(running + waiting_tasks(sim));
    libm::ceil(tasks * conf.ratio / f64::from(sim.plan.executor.usual.slots)) as u32
}

/// Fewer are asked for when the tasks could not use them; whether they could not.
fn lower(sim: &mut Sim) -> bool {
    let Some(dynamic) = &sim.allocator.dynamic else { return false };
    let (conf, target) = (dynamic.conf, sim.allocator.target());
    if dynamic.initializing {
        return true;
    }
    let needed = needed(sim, &conf);
    if needed >= target {
        return false;
    }
    if let Some(dynamic) = &mut sim.allocator.dynamic {
        dynamic.to_add = 1;
    }
    retarget(sim, needed.max(conf.min).min(target));
    true
}

/// More are asked for when it is time.
fn raise(sim: &mut Sim, now: SimTime) {
    let Some(dynamic) = &sim.allocator.dynamic else { return };
    if dynamic.add_at.is_none_or(|at| at > now) {
        return;
    }
    let (conf, step, before) = (dynamic.conf, dynamic.to_add, sim.allocator.target());
    let registered = sim.executors.values().filter(|e| e.life == Life::Registered).count() as u32;
    let target = if before >= conf.max { before } else { before.max(registered).saturating_add(step).min(needed(sim, &conf)).clamp(conf.min, conf.max) };
    if let Some(dynamic) = &mut sim.allocator.dynamic {
        dynamic.to_add = if target.saturating_sub(before) == step { step.saturating_mul(2) } else { 1 };
        dynamic.add_at = Some(now + conf.sustained_backlog_timeout);
    }
    retarget(sim, target);
}

/// When an idle executor may go; `None`: not while things are as they are.
fn deadline(sim: &Sim, conf: &DynamicAllocation, executor: &Executor) -> Option<SimTime> {
    let since = executor.idle_since.filter(|_| executor.life == Life::Registered && !executor.leaving)?;
    let cached = !executor.memory.storage_used().is_zero();
    let with_files = conf.shuffle_tracking && executor.outputs.values().any(|o| !o.sum().is_zero());
    if with_files && has_active_shuffle(sim, executor) {
        return None;
    }
    let timeout = match (cached, with_files) {
        (false, false) => Some(conf.idle_timeout),
        (true, false) => conf.cached_idle_timeout,
        (false, true) => conf.shuffle_timeout,
        (true, true) => conf.cached_idle_timeout.into_iter().chain(conf.shuffle_timeout).min(),
    };
    timeout.map(|timeout| since + timeout)
}

/// Whether it holds output of a shuffle of the running job.
fn has_active_shuffle(sim: &Sim, executor: &Executor) -> bool {
    let app = &sim.plan.spec().app;
    let of_job = |stage: &usize| match app.stages[*stage].sink {
        SinkSpec::Shuffle(shuffle) => !executor.outputs[ShuffleId::new(shuffle as u32)].sum().is_zero(),
        SinkSpec::Result => false,
    };
    sim.driver.running_jobs().any(|job| app.jobs[job].stages.iter().any(of_job))
}

/// Idle executors whose time has come go, as long as more than asked for and more than the minimum are left.
fn remove_idle(sim: &mut Sim, now: SimTime) {
    let Some(dynamic) = &mut sim.allocator.dynamic else { return };
    let conf = dynamic.conf;
    let due: Vec<ExecutorId> = sim.executors.iter().filter(|(_, e)| deadline(sim, &conf, e).is_some_and(|at| at <= now)).map(|(id, _)| id).collect();
    if due.is_empty() {
        return;
    }
    if let Some(dynamic) = &mut sim.allocator.dynamic {
        dynamic.initializing = false;
    }
    lower(sim);
    let mut left = sim.executors.values().filter(|e| e.life == Life::Registered && !e.leaving).count() as u32;
    for id in due {
        if left > conf.min && left > sim.allocator.target() {
            left -= 1;
            removal::dismiss(sim, id);
        }
    }
}

/// Schedules the next deadline.
fn plan_tick(sim: &mut Sim) {
    let now = sim.now();
    let Some(dynamic) = &sim.allocator.dynamic else { return };
    let conf = dynamic.conf;
    let later = |at: SimTime| if at > now { at } else { now + LOOK_AGAIN };
    let idle = sim.executors.values().filter_map(|e| deadline(sim, &conf, e)).map(later).min();
    // At the maximum the number cannot rise any more.
    let add = dynamic.add_at.filter(|_| sim.allocator.target() < conf.max).map(later);
    let next = idle.into_iter().chain(add).min();
    let planned = dynamic.tick.as_ref().map(|(at, _)| *at);
    if next == planned || sim.ending.is_some() {
        return;
    }
    let old = sim.allocator.dynamic.as_mut().and_then(|d| d.tick.take());
    if let Some((_, handle)) = old {
        sim.calendar.cancel(handle);
    }
    if let Some(at) = next {
        let handle = sim.after(at.since(now), Event::DynamicAllocation);
        if let Some(dynamic) = &mut sim.allocator.dynamic {
            dynamic.tick = Some((at, handle));
        }
    }
}

//! Offering free slots to task sets.
//!
//! An offer goes to the task sets in their order ([`super::pools`]); each is offered all executors in turn, level of locality by
//! level, until it takes no more (3.6, [`super::task_set`]). Spark shuffles the executors of an offer; a rotating start does the
//! same without a draw. One executor is offered when a task ends there, all when a stage is submitted, an executor comes or goes,
//! or on the grid of `spark.scheduler.revive.interval` when a wait is over. A task set whose task may run nowhere aborts; if an
//! executor is idle, it is dismissed first, in the hope of a better one (2 minutes). Source: Spark's `TaskSchedulerImpl`.

use super::task_set::{Host, Level};
use super::{barrier, speculation};
use crate::event::Event;
use crate::ids::{ExecutorId, StageId, TaskId};
use crate::record::{Ending, FailureReason};
use crate::sim::Sim;
use crate::spark::allocator::dynamic;
use crate::spark::executor::Life;
use crate::spark::removal;
use crate::spark::task;
use crate::spec::{Platform, SchedulingMode};
use crate::units::SimTime;

/// Offers one executor's free slots.
pub(crate) fn offer(sim: &mut Sim, executor: ExecutorId) {
    if sim.executors[executor].free_slots() > 0 {
        round(sim, &[executor], false);
    }
}

/// Offers all free slots.
pub(crate) fn offer_all(sim: &mut Sim) {
    let count = sim.executors.len();
    if count == 0 || sim.ending.is_some() || sim.driver.queue.is_empty() {
        return;
    }
    let start = sim.driver.rotation % count;
    sim.driver.rotation += 1;
    let mut offered = std::mem::take(&mut sim.driver.offered);
    offered.clear();
    let turn = (0..count).map(|step| ExecutorId::new(((start + step) % count) as u32));
    offered.extend(turn.filter(|&executor| sim.executors[executor].free_slots() > 0));
    round(sim, &offered, true);
    sim.driver.offered = offered;
}

/// One offer of these executors to all task sets.
fn round(sim: &mut Sim, offered: &[ExecutorId], all: bool) {
    let fair = sim.plan.spec().spark.scheduler.mode == SchedulingMode::Fair;
    let excludes = sim.plan.spec().spark.scheduler.exclusion.is_some();
    if excludes {
        return round_with_exclusion(sim, offered, all);
    }
    let order = if fair { sim.driver.fair_order() } else { Vec::new() };
    let mut index = 0;
    while sim.ending.is_none() && any_free(sim, offered) {
        let next = if fair { order.get(index).copied() } else { sim.driver.queue.get(index).copied() };
        let Some(stage) = next else { return };
        offer_to(sim, stage, offered, all);
        index += 1;
    }
}

fn any_free(sim: &Sim, offered: &[ExecutorId]) -> bool {
    offered.iter().any(|&executor| sim.executors[executor].free_slots() > 0)
}

/// The same where executors are excluded: those of the application are not offered, and task sets may have nowhere to go.
fn round_with_exclusion(sim: &mut Sim, offered: &[ExecutorId], all: bool) {
    let now = sim.now();
    sim.driver.health.expire(now);
    let offered: Vec<ExecutorId> = offered.iter().copied().filter(|&executor| !sim.driver.health.excludes(executor, host_of(sim, executor))).collect();
    for stage in sim.driver.fair_order() {
        if sim.ending.is_some() {
            return;
        }
        if offer_to(sim, stage, &offered, all) {
            sim.driver.unschedulable.clear();
        } else if sim.driver.stages[stage].set.waiting() > 0 && may_run_nowhere(sim, stage) {
            give_up(sim, stage);
        }
    }
}

/// Offers executors to one task set; whether it took any.
fn offer_to(sim: &mut Sim, stage: StageId, offered: &[ExecutorId], all: bool) -> bool {
    if !sim.driver.stages[stage].set.wants_slots() {
        return false;
    }
    if sim.plan.spec().app.stages[stage.index()].barrier {
        let before = sim.driver.stages[stage].set.waiting();
        barrier::offer(sim, stage, offered);
        return sim.driver.stages[stage].set.waiting() < before;
    }
    let conf = sim.plan.spec().spark.scheduler.locality;
    let (mut nearest, mut refused, mut index) = (None, false, 0);
    while let Some(level) = sim.driver.stages[stage].set.level(index) {
        while let Some(at) = one_each(sim, stage, offered, level, &mut refused) {
            nearest = Some(nearest.map_or(at, |best: Level| best.min(at)));
        }
        index += 1;
    }
    let now = sim.now();
    let set = &mut sim.driver.stages[stage].set;
    if !conf.reset_on_launch {
        set.offered(nearest, refused, all, now);
    }
    if refused && set.allowed(now, &conf) != Level::Any {
        let at = set.opens_at(&conf);
        revive_at(sim, at);
    }
    nearest.is_some()
}

/// One task for each executor that has a slot and something near enough; the nearest launch.
fn one_each(sim: &mut Sim, stage: StageId, offered: &[ExecutorId], level: Level, refused: &mut bool) -> Option<Level> {
    let (now, conf) = (sim.now(), sim.plan.spec().spark.scheduler.locality);
    let mut nearest: Option<Level> = None;
    for &executor in offered {
        if sim.executors[executor].free_slots() == 0 {
            continue;
        }
        let host = host_of(sim, executor);
        let set = &mut sim.driver.stages[stage].set;
        if set.exclusion.as_deref().is_some_and(|exclusion| exclusion.excludes(executor, host)) {
            continue;
        }
        let most = if level == Level::NoPref { level } else { set.allowed(now, &conf).min(level) };
        let found = set.take(executor, host, most).map(|found| (found, false));
        let Some(((partition, at), copy)) = found.or_else(|| set.take_copy(executor, host, most).map(|found| (found, true))) else {
            *refused |= level == Level::Any && set.wants_slots();
            continue;
        };
        if conf.reset_on_launch && level != Level::NoPref {
            set.restart(at, now);
        }
        launch(sim, stage, executor, partition, copy);
        nearest = Some(nearest.map_or(at, |best| best.min(at)));
    }
    nearest
}

/// Sends a task to an executor.
pub(super) fn launch(sim: &mut Sim, stage: StageId, executor: ExecutorId, partition: u32, copy: bool) {
    let now = sim.now();
    let host = host_of(sim, executor);
    let state = &mut sim.driver.stages[stage];
    state.set.launched(partition);
    let (attempt, pool) = (state.attempt(), state.pool);
    sim.driver.count_in_pool(pool, true);
    let known_as = task::Attempt { stage, number: attempt, partition, executor, pool };
    let launched = if sim.executors[executor].silent.is_some() { Some(into_the_void(sim, known_as)) } else { task::launch(sim, known_as, copy) };
    let Some((task, serial)) = launched else { return };
    if let Some(copies) = sim.driver.stages[stage].set.copies.as_deref_mut() {
        copies.launched(partition, executor, host, (task, serial), now);
        speculation::plan_look(sim, stage);
    }
    dynamic::on_executor_used(sim, executor);
}

/// A task goes to an executor that has vanished: nothing comes back until the driver gives it up.
fn into_the_void(sim: &mut Sim, known_as: task::Attempt) -> (TaskId, u64) {
    sim.executors[known_as.executor].lost.push(known_as);
    (TaskId::new(0), sim.tasks.next_serial())
}

/// What Spark takes for an executor's host: its pod on Kubernetes, else its node.
pub(super) fn host_of(sim: &Sim, executor: ExecutorId) -> Host {
    match (sim.plan.spec().cluster.platform, sim.executors[executor].node) {
        (Platform::Kubernetes, _) | (_, None) => Host(executor.index() as u32),
        (_, Some(node)) => Host(node.index() as u32),
    }
}

/// Executors came or went: task sets with preferences look again at which levels there are.
pub(super) fn find_levels(sim: &mut Sim) {
    for stage in sim.driver.queue.clone() {
        if sim.driver.stages[stage].set.has_prefs() {
            find_levels_of(sim, stage);
        }
    }
}

/// Works out the levels of one task set.
pub(super) fn find_levels_of(sim: &mut Sim, stage: StageId) {
    // The driver believes in executors until it hears of their death.
    let known: Vec<(ExecutorId, Host)> =
        sim.executors.iter().filter(|(_, e)| matches!(e.life, Life::Registered | Life::Dead)).map(|(id, _)| (id, host_of(sim, id))).collect();
    let (lives, has) = (|executor| known.iter().any(|(id, _)| *id == executor), |host| known.iter().any(|(_, there)| *there == host));
    sim.driver.stages[stage].set.find_levels(lives, has);
}

/// All slots are offered again at the first revival from then on.
pub(super) fn revive_at(sim: &mut Sim, at: SimTime) {
    let interval = sim.plan.spec().spark.scheduler.locality.revive_interval.as_ns().max(1);
    let now = sim.now();
    let due = SimTime::from_ns((at.as_ns().div_ceil(interval) * interval).max((now.as_ns() / interval + 1) * interval));
    if let Some((planned, handle)) = sim.driver.revival {
        if planned <= due && planned > now {
            return;
        }
        sim.calendar.cancel(handle);
    }
    let handle = sim.after(due.since(now), Event::ReviveOffers);
    sim.driver.revival = Some((due, handle));
}

/// The driver offers all slots again.
pub(crate) fn on_revive(sim: &mut Sim) {
    sim.driver.revival = None;
    offer_all(sim);
}

/// Whether a waiting task of the set is excluded from every executor.
fn may_run_nowhere(sim: &Sim, stage: StageId) -> bool {
    let set = &sim.driver.stages[stage].set;
    let (Some(partition), Some(exclusion)) = (set.next_waiting(), set.exclusion.as_deref()) else { return false };
    let mut known = sim.executors.iter().filter(|(_, e)| matches!(e.life, Life::Registered | Life::Dead)).peekable();
    known.peek().is_some()
        && known.all(|(id, _)| {
            let host = host_of(sim, id);
            sim.driver.health.excludes(id, host) || exclusion.excludes(id, host) || exclusion.excludes_task(id, host, partition)
        })
}

/// A task set may run nowhere: an idle executor makes room for another one, for a while; without one the application fails.
fn give_up(sim: &mut Sim, stage: StageId) {
    let Some(conf) = sim.plan.spec().spark.scheduler.exclusion else { return };
    let attempt = sim.driver.stages[stage].attempt();
    if sim.driver.unschedulable.contains(&(stage, attempt)) {
        return;
    }
    let idle = sim.executors.iter().find(|(_, e)| e.life == Life::Registered && e.running.is_empty()).map(|(id, _)| id);
    let Some(idle) = idle else { return sim.end(Ending::Failed(FailureReason::Unschedulable)) };
    sim.driver.unschedulable.push((stage, attempt));
    sim.after(conf.unschedulable_timeout, Event::Unschedulable(stage, attempt));
    removal::stop(sim, idle);
}

/// A task set has had its time to find a place.
pub(crate) fn on_unschedulable(sim: &mut Sim, stage: StageId, attempt: u32) {
    if sim.driver.unschedulable.contains(&(stage, attempt)) {
        sim.end(Ending::Failed(FailureReason::Unschedulable));
    }
}

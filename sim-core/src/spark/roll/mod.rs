//! `ExecutorRollPlugin`: executors that are replaced on purpose, one each interval.
//!
//! Each `rollInterval` the driver chooses one of the executors that it knows by their statistics and decommissions it; the number
//! asked for stays, so another pod is made once that one has left. One that is leaving already may be chosen again, and then
//! nothing happens. Outliers are looked for in one measure after the other; with fewer than six executors there can be none, because no value
//! of n lies more than (n - 1)/√n standard deviations from their mean. Statistics are counted when attempts end, and only while the plugin is on. Assumptions: collections take no time here, so time in them
//! follows task time; the peak of a heap is what it has touched. Source: `ExecutorRollDriverPlugin`, `AppStatusListener`,
//! `AppStatusStore.executorList`, `InMemoryStore` of Spark 4.3 (byte code).

use crate::event::Event;
use crate::ids::{ExecutorId, TaskId};
use crate::linux::cgroup::Charge;
use crate::sim::Sim;
use crate::spark::decommission;
use crate::spark::executor::{Executor, Life};
use crate::spec::{RollConf, RollPolicy};
use crate::units::{Bytes, SimTime};

/// What the attempts that ended on an executor add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) ended: u32,
    pub(crate) failed: u32,
    duration_ms: u64,
    shuffle_write: Bytes,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It has written so many bytes of shuffle output.
    Succeeded(Bytes),
    Failed,
    /// The driver killed it, which is no failure.
    Killed,
}

/// An executor as the driver's status store has it.
#[derive(Clone, Copy, Debug, Default)]
struct Summary {
    /// Spark's number.
    id: u32,
    added_ms: u64,
    tasks: u32,
    failed: u32,
    duration_ms: u64,
    on_heap: u64,
    off_heap: u64,
    shuffle_write: u64,
    disk: u64,
}

/// The driver is up, and its plugin with it.
pub(crate) fn start(sim: &mut Sim) {
    if let Some(conf) = sim.plan.spec().spark.allocation.roll {
        sim.after(conf.interval, Event::RollLook);
    }
}

/// An attempt is about to be forgotten.
pub(crate) fn on_task_ends(sim: &mut Sim, id: TaskId, end: End) {
    if sim.plan.spec().spark.allocation.roll.is_none() {
        return;
    }
    let run = &sim.tasks[id];
    let took = sim.now().since(run.launched);
    let work = &mut sim.executors[run.executor].work;
    work.ended += 1;
    work.duration_ms += took.as_ns() / 1_000_000;
    match end {
        End::Succeeded(written) => work.shuffle_write += written,
        End::Failed => work.failed += 1,
        End::Killed => {}
    }
}

/// The plugin looks.
pub(crate) fn on_look(sim: &mut Sim) {
    let Some(conf) = sim.plan.spec().spark.allocation.roll else { return };
    let known = summaries(sim);
    if let Some(number) = choose(&conf, known) {
        let id = ExecutorId::new(number - 1);
        // Of one that is dead the driver does not know it yet: the message goes nowhere.
        if sim.executors[id].life == Life::Registered {
            decommission::notify(sim, id, None);
        }
    }
    sim.after(conf.interval, Event::RollLook);
}

/// The executors that the driver takes for active, leaving ones too, in the store's order: by number as text, downwards.
fn summaries(sim: &Sim) -> Vec<Summary> {
    let active = |e: &Executor| matches!(e.life, Life::Registered | Life::Dead);
    let known = sim.executors.iter().filter(|(_, e)| active(e));
    let mut known: Vec<Summary> = known.filter_map(|(id, e)| Some(summary(sim, id, e, e.registered_at?))).collect();
    known.sort_by_cached_key(|e| std::cmp::Reverse(e.id.to_string()));
    known
}

fn summary(sim: &Sim, id: ExecutorId, executor: &Executor, added: SimTime) -> Summary {
    let held = |class| {
        executor.node.zip(executor.slot).map_or(Bytes::ZERO, |(node, slot)| {
            let machine = &sim.machines[node];
            machine.memory.held(slot, class, machine.v(sim.now()))
        })
    };
    // Spark's measure is the JVM's own: no direct buffers, no Tungsten pages.
    let native = executor.off_heap + executor.direct_peak;
    let work = executor.work;
    Summary {
        id: id.index() as u32 + 1,
        added_ms: added.as_ns() / 1_000_000,
        tasks: work.ended + (executor.running.len() + executor.lost.len()) as u32,
        failed: work.failed,
        duration_ms: work.duration_ms,
        on_heap: held(Charge::Heap).get(),
        off_heap: held(Charge::NonHeap).saturating_sub(native).get(),
        shuffle_write: work.shuffle_write.get(),
        disk: executor.cached_files.sum().get(),
    }
}

/// The number of the executor that goes. Spark sorts upwards, stably, and turns the list round: of equals the last goes, or the first
/// where it does not turn.
fn choose(conf: &RollConf, mut known: Vec<Summary>) -> Option<u32> {
    known.retain(|e| e.tasks >= conf.min_tasks);
    let most = |key: fn(&Summary) -> u64| known.iter().max_by_key(|e| key(e));
    let chosen = match conf.policy {
        RollPolicy::Id => known.iter().min_by_key(|e| e.id),
        RollPolicy::AddTime => known.iter().min_by_key(|e| e.added_ms),
        RollPolicy::TotalDuration | RollPolicy::TotalGcTime => most(|e| e.duration_ms),
        RollPolicy::AverageDuration => known.iter().max_by(|a, b| average(a).total_cmp(&average(b))),
        RollPolicy::FailedTasks => most(|e| u64::from(e.failed)),
        RollPolicy::PeakOnHeap => most(|e| e.on_heap),
        RollPolicy::PeakOffHeap => most(|e| e.off_heap),
        RollPolicy::TotalShuffleWrite => most(|e| e.shuffle_write),
        RollPolicy::DiskUsed => most(|e| e.disk),
        RollPolicy::Outlier => return outlier(conf, &known).or_else(|| most(|e| e.duration_ms).map(|e| e.id)),
        RollPolicy::OutlierNoFallback => return outlier(conf, &known),
    };
    chosen.map(|e| e.id)
}

fn average(e: &Summary) -> f32 {
    e.duration_ms as f32 / e.tasks.max(1) as f32
}

/// The furthest outlier of the first measure that has one.
fn outlier(conf: &RollConf, known: &[Summary]) -> Option<u32> {
    /// In Spark's order; time in collections would come third. From 3.4 on all, before that three.
    const MEASURES: [fn(&Summary) -> f32; 7] = [
        // An outlier's average is cut off to whole milliseconds.
        |e| (e.duration_ms / u64::from(e.tasks)) as f32,
        |e| e.duration_ms as f32,
        |e| e.failed as f32,
        |e| e.on_heap as f32,
        |e| e.off_heap as f32,
        |e| e.shuffle_write as f32,
        |e| e.disk as f32,
    ];
    let busy: Vec<Summary> = known.iter().copied().filter(|e| e.tasks > 0).collect();
    let measures = if conf.wide_outliers { &MEASURES[..] } else { &MEASURES[..3] };
    measures.iter().find_map(|measure| furthest(&busy, *measure))
}

/// The largest value that is more than two standard deviations above the mean, reckoned in single precision as Spark does.
fn furthest(known: &[Summary], measure: fn(&Summary) -> f32) -> Option<u32> {
    let count = known.len() as f32;
    let mean = known.iter().map(measure).sum::<f32>() / count;
    let variance = known.iter().map(|e| (measure(e) - mean) * (measure(e) - mean)).sum::<f32>() / count;
    let deviation = libm::sqrt(f64::from(variance));
    let outliers = known.iter().filter(|e| f64::from(measure(e) - mean) > 2.0 * deviation);
    outliers.max_by(|a, b| measure(a).total_cmp(&measure(b))).map(|e| e.id)
}

#[cfg(test)]
mod tests;

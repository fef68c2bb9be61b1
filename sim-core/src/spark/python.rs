//! Worker processes of Python and R tasks: how many, how large, and what a limit does.
//!
//! A daemon forks a worker for each task that runs at one time, from the first task on; with `spark.python.worker.reuse` it stays for
//! the next one and, as interpreters do, keeps what it once took, else it goes with its task. `spark.executor.pyspark.memory` is shared
//! out over the executor's cores as `RLIMIT_AS`: an allocation beyond it raises `MemoryError`, which fails the task and nothing else.
//! Without it workers grow until the container ends. R forks a worker for each task and never keeps one. Assumptions: every task of a
//! Python or R application has a worker; sizes are resident ones, although the limit counts addresses; idle workers stay (Spark stops
//! them after a minute). Source: `PythonWorkerFactory`, `PythonRunner.getWorkerMemoryMb`; sizes recalled.

use crate::ids::{ExecutorId, TaskId};
use crate::linux::cgroup::Charge;
use crate::sim::Sim;
use crate::spark::task::{self, Failure};
use crate::spec::Language;
use crate::units::Bytes;

/// Resident memory of a Python worker with pandas and Arrow loaded. Recalled.
const PYTHON_WORKER: Bytes = Bytes::mib(120);
/// Resident memory of an R worker. Recalled.
const R_WORKER: Bytes = Bytes::mib(60);

/// The workers of an executor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Workers {
    /// Tasks that have one.
    running: u32,
    /// Processes that exist.
    alive: u32,
    /// Largest that one of them has become, when they are kept.
    largest: Bytes,
    /// Memory charged.
    pub(crate) charged: Bytes,
}

/// Bytes of one worker without a task's data; none for a JVM application.
const fn base(language: Language) -> Option<Bytes> {
    match language {
        Language::Jvm => None,
        Language::Python => Some(PYTHON_WORKER),
        Language::R => Some(R_WORKER),
    }
}

/// What a worker may hold: its part of `spark.executor.pyspark.memory`.
pub fn worker_limit(pyspark: Bytes, cores: u32) -> Option<Bytes> {
    (!pyspark.is_zero()).then(|| Bytes::new(pyspark.get() / u64::from(cores.max(1))))
}

/// A task begins to run: it has a worker. False when the worker's limit does not let it hold the task's data (`MemoryError`).
pub(crate) fn start(sim: &mut Sim, id: TaskId) -> bool {
    let spec = sim.plan.spec();
    let Some(base) = base(spec.spark.language) else { return true };
    let (executor, data) = (sim.tasks[id].executor, spec.app.stages[sim.tasks[id].stage.index()].memory.worker.scale(sim.day.volume));
    let limit = worker_limit(spec.spark.executor.pyspark, spec.spark.executor.cores).filter(|_| spec.spark.language == Language::Python);
    let size = (base + data).min(limit.unwrap_or(Bytes::MAX));
    let kept = keeps(sim);
    let workers = &mut sim.executors[executor].workers;
    workers.running += 1;
    workers.alive = workers.alive.max(workers.running);
    workers.largest = workers.largest.max(size);
    let wanted = if kept { workers.largest * u64::from(workers.alive) } else { workers.charged + size };
    sim.tasks[id].worker = Some(size);
    recharge(sim, executor, wanted);
    limit.is_none_or(|limit| data <= limit.saturating_sub(base))
}

/// A task ends: its worker is free, or goes.
pub(crate) fn stop(sim: &mut Sim, id: TaskId) {
    let Some(size) = sim.tasks[id].worker.take() else { return };
    let (executor, kept) = (sim.tasks[id].executor, keeps(sim));
    let workers = &mut sim.executors[executor].workers;
    workers.running -= 1;
    if !kept {
        workers.alive = workers.running;
        let wanted = workers.charged - size;
        recharge(sim, executor, wanted);
    }
}

/// Resident memory of an executor's largest worker.
pub(crate) fn largest(sim: &Sim, executor: ExecutorId) -> Bytes {
    let host = &sim.executors[executor];
    if host.workers.alive == 0 {
        return Bytes::ZERO;
    }
    if keeps(sim) { host.workers.largest } else { host.running.iter().filter_map(|&task| sim.tasks[task].worker).max().unwrap_or_default() }
}

/// The kernel kills the largest worker alone: if a task runs in it, the pipe to it breaks and the task fails; the JVM lives (QO-4).
pub(crate) fn kill_largest(sim: &mut Sim, executor: ExecutorId) {
    let kept = keeps(sim);
    let host = &mut sim.executors[executor];
    let victim = host.running.iter().copied().max_by_key(|&task| sim.tasks[task].worker);
    if kept {
        host.workers.alive -= 1;
        let wanted = host.workers.largest * u64::from(host.workers.alive);
        recharge(sim, executor, wanted);
    }
    if let Some(task) = victim.filter(|&task| sim.tasks[task].worker.is_some()) {
        task::fail(sim, task, Failure::Worker);
    }
}

fn keeps(sim: &Sim) -> bool {
    let conf = &sim.plan.spec().spark;
    conf.language == Language::Python && conf.executor.python_worker_reuse
}

fn recharge(sim: &mut Sim, executor: ExecutorId, wanted: Bytes) {
    let host = &mut sim.executors[executor];
    let (more, less) = (wanted.saturating_sub(host.workers.charged), host.workers.charged.saturating_sub(wanted));
    host.workers.charged = wanted;
    if let (Some(node), Some(slot)) = (host.node, host.slot) {
        let machine = &mut sim.machines[node];
        let v = machine.v(sim.calendar.now());
        machine.memory.charge(slot, Charge::Python, more);
        machine.memory.uncharge(slot, Charge::Python, less, v);
        sim.touch(node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pyspark_memory_is_shared_out_over_the_cores() {
        assert_eq!(worker_limit(Bytes::gib(2), 4), Some(Bytes::mib(512)));
        assert_eq!(worker_limit(Bytes::ZERO, 4), None);
    }
}

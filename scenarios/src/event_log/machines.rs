//! What the recording run's machines gave it: executors by host, and how much CPU their tasks got.
//!
//! A task that computes all the time has as much CPU time as time; one that shares too few cores has less. The share is
//! CPU time over the time in which the task neither collected garbage nor waited for shuffle blocks, over all tasks of a host.
//! With the number of tasks that ran at once (task time over the time in which any ran) it gives the cores that the tasks
//! *had*, whoever took the others: more slots than cores, compiler threads, the driver, other applications. Garbage collection
//! counts as computing, because the model adds its own.

use std::collections::BTreeMap;

use super::busy::Busy;
use super::events::TaskEnd;
use super::warming::Warmth;

/// Shares above this are measuring error of milliseconds and threads that help: the cores were enough.
const FREE: f64 = 0.9;

/// Hosts of which the cores are measured; each takes a kilobyte.
const MAX_HOSTS: usize = 4096;

/// One host while the log is read.
#[derive(Clone, Debug, Default)]
struct Host {
    busy: Busy,
    /// Time of tasks from launch to finish, milliseconds.
    task_ms: u64,
    /// What first tasks of stages on their executors had, and what those after them.
    cold: Had,
    warm: Had,
}

/// CPU time of some tasks.
#[derive(Clone, Debug, Default)]
struct Had {
    /// Time in which they wanted a core, milliseconds.
    wanted_ms: u64,
    /// CPU time, nanoseconds.
    cpu_ns: u64,
}

impl Host {
    fn all(&self) -> Had {
        self.cold.plus(&self.warm)
    }
}

impl Had {
    fn plus(&self, other: &Self) -> Self {
        Self { wanted_ms: self.wanted_ms.saturating_add(other.wanted_ms), cpu_ns: self.cpu_ns.saturating_add(other.cpu_ns) }
    }
    /// CPU time for the time in which a core was wanted; `None` when nothing is known of it.
    fn share(&self) -> Option<f64> {
        (self.cpu_ns > 0 && self.wanted_ms > 0).then(|| self.cpu_ns as f64 / (self.wanted_ms as f64 * 1e6))
    }
}

/// The machines while the log is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Machines {
    hosts: BTreeMap<String, Host>,
    delay_ms: u64,
    delays: u64,
    /// CPU time that the first tasks of executors took to deserialise and to warm up, nanoseconds, and how many they were.
    loading_ns: u64,
    first_tasks: u64,
}

impl Machines {
    /// Takes a finished task in.
    pub(super) fn task(&mut self, host: &str, event: &TaskEnd<'_>, warmth: Warmth) {
        let (Some(m), info) = (&event.metrics, &event.info) else { return };
        if event.reason.reason != "Success" {
            // Spark records neither CPU time nor deserialisation of an attempt that failed.
            return;
        }
        let (start, end) = (info.launched.0, info.finished.0);
        if end <= start || start == 0 {
            return;
        }
        if !self.hosts.contains_key(host) {
            if self.hosts.len() >= MAX_HOSTS {
                return;
            }
            self.hosts.insert(host.to_owned(), Host::default());
        }
        let Some(slot) = self.hosts.get_mut(host) else { return };
        slot.busy.add(start, end);
        slot.task_ms = slot.task_ms.saturating_add(end - start);
        let waited = m.gc_ms.0.saturating_add(m.read.wait_ms.0);
        let wanted = m.run_ms.0.saturating_add(m.deserialize_ms.0).saturating_sub(waited);
        let had = if warmth == Warmth::Warm { &mut slot.warm } else { &mut slot.cold };
        had.wanted_ms = had.wanted_ms.saturating_add(wanted);
        had.cpu_ns = had.cpu_ns.saturating_add(m.cpu_ns.0).saturating_add(m.deserialize_cpu_ns.0);
        self.delay_ms = self.delay_ms.saturating_add(scheduler_delay(event));
        self.delays += 1;
        if warmth != Warmth::Warm && m.deserialize_cpu_ns.0 > 0 {
            self.loading_ns = self.loading_ns.saturating_add(m.deserialize_cpu_ns.0);
            self.first_tasks += u64::from(warmth == Warmth::New);
        }
    }

    /// CPU time of first tasks beside their deserialisation that was not work of their partitions, nanoseconds.
    pub(super) fn warmed(&mut self, more_ns: u64) {
        if self.first_tasks > 0 {
            self.loading_ns = self.loading_ns.saturating_add(more_ns);
        }
    }

    /// Mean CPU time of an executor's first tasks for loading classes and running code that is not compiled yet, seconds.
    pub(super) fn warm_up_s(&self) -> Option<f64> {
        (self.first_tasks > 0).then(|| self.loading_ns as f64 / 1e9 / self.first_tasks as f64)
    }

    /// Mean time from the driver's choice to a task's work and back, seconds.
    pub(super) fn launch_s(&self) -> Option<f64> {
        (self.delays > 0).then(|| self.delay_ms as f64 / 1e3 / self.delays as f64)
    }

    /// What the tasks of all hosts had of each core that they wanted; `None` when they had all.
    pub(super) fn share(&self) -> Option<f64> {
        let all = self.hosts.values().fold(Had::default(), |sum, host| sum.plus(&host.all()));
        all.share().filter(|share| *share < FREE)
    }

    /// Cores that the tasks of a host had, and what they had of each they wanted; `None` when they had all that they wanted.
    pub(super) fn scarce_cores(&self, host: &str) -> Option<(f64, f64)> {
        let host = self.hosts.get(host)?;
        let busy = host.busy.total() as f64;
        let share = host.all().share().filter(|share| busy > 0.0 && *share < FREE)?;
        let at_once = (host.task_ms as f64 / busy).max(1.0);
        Some((share * at_once, share))
    }

    /// What tasks had that were not the first of their stage on an executor: no compiler works beside them. `None` where all tasks together had as much: then
    /// these are too short, and wait more than they compute.
    pub(super) fn warm_share(&self, host: &str) -> Option<f64> {
        let host = self.hosts.get(host)?;
        host.warm.share().filter(|share| Some(*share) > host.all().share())
    }
}

/// Time of a task that is neither deserialising, running nor giving back its result: launch and status messages, milliseconds.
pub(super) fn scheduler_delay(event: &TaskEnd<'_>) -> u64 {
    let Some(m) = &event.metrics else { return 0 };
    let info = &event.info;
    let getting = if info.getting_result.0 > 0 { info.finished.0.saturating_sub(info.getting_result.0) } else { 0 };
    let whole = info.finished.0.saturating_sub(info.launched.0);
    [m.deserialize_ms.0, m.run_ms.0, m.result_ms.0, getting].iter().fold(whole, |rest, part| rest.saturating_sub(*part))
}

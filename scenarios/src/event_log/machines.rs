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
    /// Time in which tasks wanted a core, milliseconds.
    wanted_ms: u64,
    /// CPU time, nanoseconds.
    cpu_ns: u64,
}

/// The machines while the log is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Machines {
    hosts: BTreeMap<String, Host>,
    delay_ms: u64,
    delays: u64,
    /// CPU time that the first tasks of executors took to deserialise, nanoseconds, and how many they were.
    loading_ns: u64,
    first_tasks: u64,
}

impl Machines {
    /// Takes a finished task in; `cold` if it was among the first of its executor.
    pub(super) fn task(&mut self, host: &str, event: &TaskEnd<'_>, cold: bool) {
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
        slot.wanted_ms = slot.wanted_ms.saturating_add(wanted);
        slot.cpu_ns = slot.cpu_ns.saturating_add(m.cpu_ns.0).saturating_add(m.deserialize_cpu_ns.0);
        self.delay_ms = self.delay_ms.saturating_add(scheduler_delay(event));
        self.delays += 1;
        if cold && m.deserialize_cpu_ns.0 > 0 {
            self.loading_ns = self.loading_ns.saturating_add(m.deserialize_cpu_ns.0);
            self.first_tasks += 1;
        }
    }

    /// Mean CPU time of an executor's first tasks for loading classes, seconds.
    pub(super) fn warm_up_s(&self) -> Option<f64> {
        (self.first_tasks > 0).then(|| self.loading_ns as f64 / 1e9 / self.first_tasks as f64)
    }

    /// Mean time from the driver's choice to a task's work and back, seconds.
    pub(super) fn launch_s(&self) -> Option<f64> {
        (self.delays > 0).then(|| self.delay_ms as f64 / 1e3 / self.delays as f64)
    }

    /// What the tasks of all hosts had of each core that they wanted; `None` when they had all.
    pub(super) fn share(&self) -> Option<f64> {
        let (cpu, wanted) = self.hosts.values().fold((0.0, 0.0), |(cpu, wanted), host| (cpu + host.cpu_ns as f64, wanted + host.wanted_ms as f64 * 1e6));
        Some(cpu / wanted).filter(|share| cpu > 0.0 && *share < FREE)
    }

    /// Cores that the tasks of a host had, and what they had of each they wanted; `None` when they had all that they wanted.
    pub(super) fn scarce_cores(&self, host: &str) -> Option<(f64, f64)> {
        let host = self.hosts.get(host)?;
        let (wanted, busy) = (host.wanted_ms as f64 * 1e6, host.busy.total() as f64);
        if host.cpu_ns == 0 || wanted <= 0.0 || busy <= 0.0 {
            return None;
        }
        let share = host.cpu_ns as f64 / wanted;
        let at_once = (host.task_ms as f64 / busy).max(1.0);
        (share < FREE).then_some((share * at_once, share))
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

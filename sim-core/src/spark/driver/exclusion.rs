//! `spark.excludeOnFailure`: executors and hosts that tasks, stages or the application avoid after failures.
//!
//! A task avoids an executor after one failure there and a host after two; a stage avoids an executor on which two of its tasks
//! failed, and a host with two such executors. When a task set has succeeded, its failures count for the application: two
//! exclude an executor, two such executors a host, for an hour. Only failures that count towards `spark.task.maxFailures` are
//! looked at. Assumption: the cluster manager is not told of excluded hosts (YARN is, in Spark). Source: 3.6; Spark's
//! `TaskSetExcludelist` and `HealthTracker`.

use super::task_set::Host;
use crate::ids::{ExecutorId, StageId};
use crate::spec::ExclusionConf;
use crate::units::SimTime;

/// A task that failed on an executor, how often, and when last.
#[derive(Clone, Copy, Debug)]
struct Failed {
    partition: u32,
    times: u32,
    last: SimTime,
}

/// Failures of one task set by executor, and what they exclude.
#[derive(Debug)]
pub(crate) struct TaskSetExclusion {
    conf: ExclusionConf,
    failures: Vec<(ExecutorId, Host, Vec<Failed>)>,
    executors: Vec<ExecutorId>,
    hosts: Vec<Host>,
    /// Tasks that avoid a host.
    tasks: Vec<(Host, u32)>,
}

impl TaskSetExclusion {
    /// No failures yet.
    pub(crate) fn new(conf: ExclusionConf) -> Self {
        Self { conf, failures: Vec::new(), executors: Vec::new(), hosts: Vec::new(), tasks: Vec::new() }
    }
    /// A task failed.
    pub(crate) fn failed(&mut self, executor: ExecutorId, host: Host, partition: u32, now: SimTime) {
        let at = self.failures.iter().position(|(known, ..)| *known == executor).unwrap_or_else(|| {
            self.failures.push((executor, host, Vec::new()));
            self.failures.len() - 1
        });
        let tasks = &mut self.failures[at].2;
        match tasks.iter_mut().find(|failed| failed.partition == partition) {
            Some(failed) => (failed.times, failed.last) = (failed.times + 1, now),
            None => tasks.push(Failed { partition, times: 1, last: now }),
        }
        let unique = tasks.len() as u32;
        if !self.conf.task_and_stage {
            return;
        }
        let on_host = self.failures.iter().filter(|(_, there, _)| *there == host);
        let times: u32 = on_host.flat_map(|(.., tasks)| tasks).filter(|failed| failed.partition == partition).map(|failed| failed.times).sum();
        if times >= self.conf.task_attempts_per_node {
            self.tasks.push((host, partition));
        }
        if unique >= self.conf.stage_tasks_per_executor && !self.executors.contains(&executor) {
            self.executors.push(executor);
            let excluded = self.failures.iter().filter(|(e, there, _)| *there == host && self.executors.contains(e)).count() as u32;
            if excluded >= self.conf.stage_executors_per_node && !self.hosts.contains(&host) {
                self.hosts.push(host);
            }
        }
    }
    /// Whether the whole set avoids an executor.
    pub(crate) fn excludes(&self, executor: ExecutorId, host: Host) -> bool {
        self.executors.contains(&executor) || self.hosts.contains(&host)
    }
    /// Whether a task avoids an executor.
    pub(crate) fn excludes_task(&self, executor: ExecutorId, host: Host, partition: u32) -> bool {
        if !self.conf.task_and_stage {
            return false;
        }
        let there = self.failures.iter().find(|(known, ..)| *known == executor);
        let times = there.and_then(|(.., tasks)| tasks.iter().find(|failed| failed.partition == partition)).map_or(0, |failed| failed.times);
        times >= self.conf.task_attempts_per_executor || self.tasks.contains(&(host, partition))
    }
}

/// A failed task that still counts for the application.
#[derive(Clone, Copy, Debug)]
struct Counted {
    task: (StageId, u32, u32),
    until: SimTime,
}

/// What the application avoids.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: Vec<(ExecutorId, Vec<Counted>)>,
    executors: Vec<(ExecutorId, SimTime)>,
    hosts: Vec<(Host, SimTime)>,
    /// Every executor that was excluded, with its host: also those that are gone count for the host.
    ever: Vec<(Host, ExecutorId)>,
}

impl Health {
    /// A task set has succeeded: its failures count now.
    pub(crate) fn succeeded(&mut self, stage: StageId, attempt: u32, set: &TaskSetExclusion, now: SimTime) {
        let conf = &set.conf;
        if !conf.application {
            return;
        }
        let until = now + conf.timeout;
        for (executor, host, tasks) in &set.failures {
            let at = self.failures.iter().position(|(known, _)| known == executor).unwrap_or_else(|| {
                self.failures.push((*executor, Vec::new()));
                self.failures.len() - 1
            });
            let counted = &mut self.failures[at].1;
            counted.extend(tasks.iter().map(|failed| Counted { task: (stage, attempt, failed.partition), until: failed.last + conf.timeout }));
            counted.retain(|counted| counted.until >= now);
            counted.dedup_by_key(|counted| counted.task);
            let total = counted.len() as u32;
            if total < conf.application_tasks_per_executor || self.executors.iter().any(|(known, _)| known == executor) {
                continue;
            }
            self.executors.push((*executor, until));
            if !self.ever.contains(&(*host, *executor)) {
                self.ever.push((*host, *executor));
            }
            let on_host = self.ever.iter().filter(|(there, _)| there == host).count() as u32;
            if on_host >= conf.application_executors_per_node && !self.hosts.iter().any(|(known, _)| known == host) {
                self.hosts.push((*host, until));
            }
        }
    }
    /// Forgets what is over; when the next exclusion ends.
    pub(crate) fn expire(&mut self, now: SimTime) -> Option<SimTime> {
        let ever = &mut self.ever;
        self.executors.retain(|(executor, until)| {
            if *until <= now {
                ever.retain(|(_, excluded)| excluded != executor);
            }
            *until > now
        });
        self.hosts.retain(|(_, until)| *until > now);
        self.executors.iter().map(|(_, until)| *until).chain(self.hosts.iter().map(|(_, until)| *until)).min()
    }
    /// Whether nothing runs on an executor.
    pub(crate) fn excludes(&self, executor: ExecutorId, host: Host) -> bool {
        self.executors.iter().any(|(known, _)| *known == executor) || self.hosts.iter().any(|(known, _)| *known == host)
    }
    /// An executor is gone: its failures are forgotten.
    pub(crate) fn removed(&mut self, executor: ExecutorId) {
        self.failures.retain(|(known, _)| *known != executor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimSpan;

    const A: ExecutorId = ExecutorId::new(0);
    const B: ExecutorId = ExecutorId::new(1);
    const NODE: Host = Host(0);

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimSpan::from_secs(seconds)
    }

    /// 3.6: "a task is not retried on an executor after 1 failure nor on a node after 2; 2 failed tasks per executor, 2 executors per node".
    #[test]
    fn a_task_avoids_an_executor_after_one_failure_and_a_host_after_two() {
        let mut set = TaskSetExclusion::new(ExclusionConf::default());
        set.failed(A, NODE, 7, at(1));
        assert!(set.excludes_task(A, NODE, 7) && !set.excludes_task(B, NODE, 7) && !set.excludes_task(A, NODE, 8));
        set.failed(B, NODE, 7, at(2));
        assert!(set.excludes_task(ExecutorId::new(2), NODE, 7) && !set.excludes_task(ExecutorId::new(3), Host(1), 7));
        assert!(!set.excludes(A, NODE));
        set.failed(A, NODE, 8, at(3));
        assert!(set.excludes(A, NODE) && !set.excludes(B, NODE));
        set.failed(B, NODE, 8, at(4));
        assert!(set.excludes(ExecutorId::new(2), NODE) && !set.excludes(ExecutorId::new(3), Host(1)));
    }

    /// Failures of a set that succeeds count for the application, for an hour.
    #[test]
    fn the_application_avoids_an_executor_for_an_hour() {
        let mut set = TaskSetExclusion::new(ExclusionConf::default());
        set.failed(A, NODE, 1, at(10));
        set.failed(A, NODE, 2, at(20));
        let mut health = Health::default();
        health.succeeded(StageId::new(0), 0, &set, at(100));
        assert!(health.excludes(A, NODE) && !health.excludes(B, NODE));
        assert_eq!(health.expire(at(3699)), Some(at(3700)));
        assert_eq!(health.expire(at(3700)), None);
        assert!(!health.excludes(A, NODE));
        // Two executors of one host, from two stages: the host.
        let mut other = TaskSetExclusion::new(ExclusionConf::default());
        other.failed(B, NODE, 1, at(4000));
        other.failed(B, NODE, 2, at(4000));
        health.succeeded(StageId::new(1), 0, &other, at(4000));
        assert!(health.excludes(B, NODE) && !health.excludes(ExecutorId::new(2), NODE), "the first exclusion is over");
        health.succeeded(
            StageId::new(2),
            0,
            &{
                let mut set = TaskSetExclusion::new(ExclusionConf::default());
                set.failed(A, NODE, 1, at(4100));
                set.failed(A, NODE, 2, at(4100));
                set
            },
            at(4100),
        );
        assert!(health.excludes(ExecutorId::new(2), NODE));
    }
}

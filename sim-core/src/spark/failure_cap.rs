//! How many executors may fail before the application is stopped.
//!
//! From 3.5 Spark on Kubernetes stops an application whose failed executors outnumber a cap, by default twice the executors
//! asked for and at least three; before, replacement went on without end. YARN always had the cap. Only pods that were seen
//! in phase Failed count, each once (FC-3). On YARN a container that its monitor killed does not count: Spark counts what it takes for a bad node,
//! and a memory limit is none (exit statuses −103 and −104, byte code of 3.5 and 4.3). Standalone has another rule: the
//! master ends an application when so many executors have failed in a row and none runs; each process that starts begins the
//! count anew, so single deaths never add up. Source: FC-1 to FC-3, YRN-8, A20; 1.9 and `Master` for standalone.

use std::collections::VecDeque;

use crate::record::Cause;
use crate::spec::{Platform, SparkVersion};
use crate::units::{SimSpan, SimTime};

/// Least default cap (FC-2).
const LEAST_CAP: u32 = 3;

/// How the number of executors is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutorCount {
    /// `spark.executor.instances`, if set.
    Fixed(Option<u32>),
    /// `spark.dynamicAllocation.maxExecutors`, if set.
    Dynamic(Option<u32>),
}

/// The cap in force: `set` is `spark.executor.maxNumFailures` (YARN before 3.5: `spark.yarn.max.executor.failures`).
/// `None` means that failures never stop the application (FC-1, FC-2).
pub fn failure_cap(platform: Platform, version: SparkVersion, set: Option<u32>, executors: ExecutorCount) -> Option<u32> {
    let counted = match platform {
        Platform::Kubernetes => (version.major, version.minor) >= (3, 5),
        Platform::Yarn => true,
        Platform::Standalone | Platform::Bare => false,
    };
    if !counted {
        return None;
    }
    if set.is_some() {
        return set;
    }
    let expected = match executors {
        ExecutorCount::Fixed(instances) => instances.unwrap_or(0),
        ExecutorCount::Dynamic(max) => max.unwrap_or(i32::MAX as u32),
    };
    // Above half of the largest 32-bit integer Spark's default is that integer: no cap in effect.
    (expected <= i32::MAX as u32 / 2).then(|| (2 * expected).max(LEAST_CAP))
}

/// Whether a death counts: not one by the memory monitor of a `NodeManager` (YRN-5). One by a cgroup does, with exit status 137.
pub fn counts(cause: Option<Cause>, under_monitor: bool) -> bool {
    !(under_monitor && cause == Some(Cause::Container))
}

/// Failed executors of a running application, against its cap.
#[derive(Clone, Debug)]
pub struct FailureCount {
    cap: Option<u32>,
    validity: Option<SimSpan>,
    failed_at: VecDeque<SimTime>,
}

impl FailureCount {
    /// No failures yet. `validity` is `spark.executor.failuresValidityInterval`: older failures are forgotten; `None` or zero
    /// forgets none (FC-2).
    pub fn new(cap: Option<u32>, validity: Option<SimSpan>) -> Self {
        Self { cap, validity: validity.filter(|span| !span.is_zero()), failed_at: VecDeque::new() }
    }
    /// An executor was seen failed. True when the count now exceeds the cap: the application stops.
    pub fn record(&mut self, now: SimTime) -> bool {
        self.failed_at.push_back(now);
        let count = self.count(now);
        self.cap.is_some_and(|cap| count > cap as usize)
    }
    /// Failures that still count.
    pub fn count(&mut self, now: SimTime) -> usize {
        if let Some(validity) = self.validity {
            while self.failed_at.front().is_some_and(|&at| at + validity < now) {
                self.failed_at.pop_front();
            }
        }
        self.failed_at.len()
    }
}

/// Failures in a row of a standalone application, against `spark.deploy.maxExecutorRetries` (1.9).
#[derive(Clone, Copy, Debug)]
pub struct RetryCount {
    most: Option<u32>,
    in_a_row: u32,
}

impl RetryCount {
    /// No failures yet; `None` never gives up.
    pub fn new(most: Option<u32>) -> Self {
        Self { most, in_a_row: 0 }
    }
    /// An executor's process has started.
    pub fn started(&mut self) {
        self.in_a_row = 0;
    }
    /// An executor has failed. True when the master gives up, if no executor runs.
    pub fn failed(&mut self) -> bool {
        self.in_a_row += 1;
        self.most.is_some_and(|most| self.in_a_row >= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3_4: SparkVersion = SparkVersion { major: 3, minor: 4, patch: 0 };
    const V3_5: SparkVersion = SparkVersion { major: 3, minor: 5, patch: 0 };

    fn on_kubernetes(version: SparkVersion, executors: ExecutorCount) -> Option<u32> {
        failure_cap(Platform::Kubernetes, version, None, executors)
    }
    /// How many failures, one a second, stop the application.
    fn stopped_by(cap: Option<u32>, validity: Option<SimSpan>) -> Option<u64> {
        let mut count = FailureCount::new(cap, validity);
        (1..=1000).find(|&n| count.record(SimTime::ZERO + SimSpan::from_secs(n)))
    }

    #[test]
    fn a20_caps_by_executors() {
        assert_eq!(on_kubernetes(V3_5, ExecutorCount::Fixed(Some(4))), Some(8));
        assert_eq!(on_kubernetes(V3_5, ExecutorCount::Fixed(None)), Some(3));
        assert_eq!(on_kubernetes(V3_5, ExecutorCount::Dynamic(None)), None);
        assert_eq!(on_kubernetes(V3_4, ExecutorCount::Fixed(Some(4))), None);
    }

    #[test]
    fn a20_the_failure_after_the_cap_stops_the_application() {
        assert_eq!(stopped_by(Some(8), None), Some(9));
        assert_eq!(stopped_by(Some(3), None), Some(4));
        assert_eq!(stopped_by(None, None), None);
    }

    #[test]
    fn fc_1_the_key_does_not_exist_on_kubernetes_before_3_5() {
        assert_eq!(failure_cap(Platform::Kubernetes, V3_4, Some(1), ExecutorCount::Fixed(None)), None);
        assert_eq!(failure_cap(Platform::Kubernetes, V3_5, Some(1), ExecutorCount::Fixed(Some(9))), Some(1));
    }

    #[test]
    fn yrn_8_yarn_doubles_the_maximum_of_dynamic_allocation() {
        assert_eq!(failure_cap(Platform::Yarn, V3_4, None, ExecutorCount::Dynamic(Some(20))), Some(40));
        assert_eq!(failure_cap(Platform::Standalone, V3_5, Some(1), ExecutorCount::Fixed(None)), None);
    }

    /// 1.9: ten in a row are the default; a start in between begins anew.
    #[test]
    fn standalone_counts_failures_in_a_row() {
        let mut count = RetryCount::new(Some(10));
        assert_eq!((1..=20).position(|_| count.failed()), Some(9));
        let mut count = RetryCount::new(Some(10));
        let failed = (0..100).any(|_| {
            count.started();
            count.failed()
        });
        assert!(!failed && !RetryCount::new(None).failed());
    }

    #[test]
    fn fc_2_failures_expire_after_their_validity() {
        assert_eq!(stopped_by(Some(3), Some(SimSpan::from_secs(2))), None, "three at a time within two seconds");
        assert_eq!(stopped_by(Some(3), Some(SimSpan::from_secs(3))), Some(4));
        assert_eq!(stopped_by(Some(3), Some(SimSpan::ZERO)), Some(4), "zero forgets none");
    }

    #[test]
    fn yrn5_a_kill_by_the_monitor_does_not_count() {
        // Cause, whether the monitor kills: counted.
        let cases = [
            (Some(Cause::Container), true, false),
            (Some(Cause::Container), false, true),
            (Some(Cause::Heap), true, true),
            (Some(Cause::Node), true, true),
            (None, true, true),
        ];
        for (cause, under_monitor, counted) in cases {
            assert_eq!(counts(cause, under_monitor), counted, "{cause:?}, {under_monitor}");
        }
    }
}

//! The scheduler's queue: who is tried when.
//!
//! A new pod is tried at once, those of higher priority first, then those that have waited longest. A pod that no node could take is parked until
//! something happens that may help it: pods that leave and taints that go help everyone, a pod that is bound helps those that the
//! rules between pods refused. Then it is tried again, but not before its back-off is over: 1 s after its first try, doubled up to
//! 10 s. After five minutes it is tried anyway. Waiting for ever is an outcome (AL-5). Assumptions: back-offs end to the nanosecond (the real
//! queue looks each second, and each 30 s for the five minutes); a pod in back-off is not taken early when the queue is empty, as releases
//! from 1.33 may do. Source: SC-3, SC-4; `backend/queue` of Kubernetes 1.30.

use super::placement::Candidate;
use crate::units::{SimSpan, SimTime};

/// First back-off.
const FIRST_BACKOFF: SimSpan = SimSpan::from_secs(1);
/// Largest back-off.
const LAST_BACKOFF: SimSpan = SimSpan::from_secs(10);
/// A parked pod is tried again after so long, whatever happens.
const FLUSH: SimSpan = SimSpan::from_secs(300);

/// A pod that was refused.
#[derive(Debug)]
struct Wait {
    pod: Candidate,
    tries: u32,
    not_before: SimTime,
    /// Since when it waits for something to happen; none when it waits for its back-off only.
    parked: Option<SimTime>,
    /// Whether a bound pod may help it.
    minds_pods: bool,
}

/// Pods that were refused at least once, in the order of their last try.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waits: Vec<Wait>,
    /// When the next look is due.
    timer: SimTime,
}

impl Queue {
    /// Whether a pod may be tried now.
    pub(super) fn is_due(&self, pod: Candidate, now: SimTime) -> bool {
        self.waits.iter().find(|wait| wait.pod == pod).is_none_or(|wait| wait.parked.is_none() && wait.not_before <= now)
    }

    /// The pods in the order in which they are tried: the new ones as they came, then the others by their last try, as they would stand
    /// in a queue by time.
    pub(super) fn position(&self, pod: Candidate) -> Option<usize> {
        self.waits.iter().position(|wait| wait.pod == pod)
    }

    /// No node could take a pod.
    pub(super) fn refused(&mut self, pod: Candidate, now: SimTime, minds_pods: bool) {
        let tries = self.take(pod).map_or(0, |wait| wait.tries) + 1;
        let backoff = (FIRST_BACKOFF * (1 << tries.saturating_sub(1).min(4))).min(LAST_BACKOFF);
        self.waits.push(Wait { pod, tries, not_before: now + backoff, parked: Some(now), minds_pods });
    }

    /// A pod is bound, or gone.
    pub(super) fn forget(&mut self, pod: Candidate) {
        self.take(pod);
    }

    /// Forgets pods that are not wanted any more.
    pub(super) fn keep(&mut self, wanted: impl Fn(Candidate) -> bool) {
        self.waits.retain(|wait| wanted(wait.pod));
    }

    /// Something happened that may help: everyone, or only those that the rules between pods refused.
    pub(super) fn unpark(&mut self, all: bool) {
        for wait in self.waits.iter_mut().filter(|wait| all || wait.minds_pods) {
            wait.parked = None;
        }
    }

    /// Parked for too long: tried anyway.
    pub(super) fn flush(&mut self, now: SimTime) {
        for wait in self.waits.iter_mut().filter(|wait| wait.parked.is_some_and(|since| since + FLUSH <= now)) {
            wait.parked = None;
        }
    }

    /// How long until the next pod is due by itself, unless that look is planned already.
    pub(super) fn plan_look(&mut self, now: SimTime) -> Option<SimSpan> {
        let due = |wait: &Wait| wait.parked.map_or(wait.not_before, |since| since + FLUSH);
        let next = self.waits.iter().map(due).filter(|&due| due > now).min()?;
        let planned = self.timer > now && self.timer <= next;
        self.timer = if planned { self.timer } else { next };
        (!planned).then(|| next.since(now))
    }

    /// Whether a pod is parked: nothing has happened since that could help it.
    pub(super) fn is_parked(&self, pod: Candidate) -> bool {
        self.waits.iter().any(|wait| wait.pod == pod && wait.parked.is_some())
    }

    fn take(&mut self, pod: Candidate) -> Option<Wait> {
        self.position(pod).map(|index| self.waits.remove(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ExecutorId;

    const A: Candidate = Candidate::Driver;

    fn at(seconds: f64) -> SimTime {
        SimTime::ZERO + SimSpan::from_secs_f64(seconds)
    }

    #[test]
    fn sc4_back_off_doubles_from_one_to_ten_seconds() {
        let mut queue = Queue::default();
        let mut now = SimTime::ZERO;
        for seconds in [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0] {
            queue.refused(A, now, false);
            queue.unpark(true);
            assert_eq!(queue.plan_look(now), Some(SimSpan::from_secs_f64(seconds)));
            assert!(!queue.is_due(A, now + SimSpan::from_secs_f64(seconds - 0.001)));
            now = now + SimSpan::from_secs_f64(seconds);
            assert!(queue.is_due(A, now));
        }
        // A pod that was placed begins anew.
        queue.forget(A);
        queue.refused(A, now, false);
        assert!(!queue.is_due(A, now + SimSpan::from_secs(300)) && queue.is_parked(A));
        queue.unpark(true);
        assert!(queue.is_due(A, now + SimSpan::from_secs(1)));
    }

    #[test]
    fn sc4_a_parked_pod_waits_for_what_may_help_it() {
        let mut queue = Queue::default();
        let b = Candidate::Executor(ExecutorId::new(3));
        queue.refused(A, at(0.0), false);
        queue.refused(b, at(0.0), true);
        // A bound pod helps only the one that was refused by the rules between pods.
        queue.unpark(false);
        assert!(!queue.is_due(A, at(20.0)) && queue.is_due(b, at(20.0)));
        queue.unpark(true);
        assert!(queue.is_due(A, at(20.0)));
    }

    #[test]
    fn sc4_after_five_minutes_it_is_tried_anyway() {
        let mut queue = Queue::default();
        queue.refused(A, at(7.0), false);
        assert_eq!(queue.plan_look(at(7.0)), Some(SimSpan::from_secs(300)));
        // The same look is not planned twice.
        assert_eq!(queue.plan_look(at(8.0)), None);
        queue.flush(at(306.9));
        assert!(!queue.is_due(A, at(306.9)));
        queue.flush(at(307.0));
        assert!(queue.is_due(A, at(307.0)));
    }
}

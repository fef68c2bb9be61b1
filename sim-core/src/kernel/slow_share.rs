//! The fair share's plain twin: remaining work per flow, all of them updated at every event. O(n) and obviously right.
//!
//! Oracle of the tests and yardstick of the benches; the model uses [`super::FairShare`].

use crate::units::SimTime;

/// A device whose capacity is shared equally by its flows. Flows are named by their number of arrival.
#[derive(Debug)]
pub struct SlowShare<T: Copy> {
    capacity: f64,
    per_flow_cap: f64,
    steady: Vec<f64>,
    flows: Vec<(u64, f64, T)>,
    now: SimTime,
    arrivals: u64,
}

impl<T: Copy> SlowShare<T> {
    /// An idle device; see [`super::FairShare::new`].
    pub const fn new(capacity: f64, per_flow_cap: f64) -> Self {
        Self { capacity, per_flow_cap, steady: Vec::new(), flows: Vec::new(), now: SimTime::ZERO, arrivals: 0 }
    }
    /// A flow arrives; returns its name.
    pub fn add(&mut self, now: SimTime, work: f64, payload: T) -> u64 {
        self.serve_until(now);
        self.flows.push((self.arrivals, work, payload));
        self.arrivals += 1;
        self.arrivals - 1
    }
    /// A flow leaves; returns its remaining work.
    pub fn cancel(&mut self, now: SimTime, name: u64) -> Option<f64> {
        self.serve_until(now);
        let place = self.flows.iter().position(|flow| flow.0 == name)?;
        Some(self.flows.remove(place).1)
    }
    /// Work that a flow still has to get at the last instant that was passed in.
    pub fn remaining(&self, name: u64) -> Option<f64> {
        self.flows.iter().find(|flow| flow.0 == name).map(|flow| flow.1)
    }
    /// When the next flow ends, rounded up to the nanosecond.
    pub fn next_completion(&self) -> Option<SimTime> {
        let least = self.flows.iter().map(|flow| flow.1).reduce(f64::min)?;
        let ns = if least <= 0.0 { 0.0 } else { (least / self.rate() * 1e9).ceil() };
        (ns < u64::MAX as f64).then(|| SimTime::from_ns(self.now.as_ns().saturating_add(ns as u64)))
    }
    /// Takes one flow that has ended by `now`: the one with the least work left, the first of equals.
    pub fn pop_completed(&mut self, now: SimTime) -> Option<T> {
        let due = self.next_completion().filter(|due| *due <= now)?;
        let first = self.flows.iter().enumerate().min_by(|(_, a), (_, b)| a.1.total_cmp(&b.1))?.0;
        self.serve_until(due);
        Some(self.flows.remove(first).2)
    }
    /// The total capacity changes.
    pub fn set_capacity(&mut self, now: SimTime, capacity: f64) {
        self.serve_until(now);
        self.capacity = capacity;
    }
    /// Others ask for these steady rates from now on.
    pub fn set_steady(&mut self, now: SimTime, rates: &[f64]) {
        self.serve_until(now);
        self.steady = rates.to_vec();
    }
    /// Rate of one flow now: beside steady rates the one at which all together take the capacity, found by halving.
    pub fn rate(&self) -> f64 {
        let flows = self.flows.len().max(1) as f64;
        if self.steady.is_empty() {
            return self.per_flow_cap.min(self.capacity / flows);
        }
        let taken = |rate: f64| flows * rate.min(self.per_flow_cap) + self.steady.iter().map(|one| one.min(rate)).sum::<f64>();
        let (mut low, mut high) = (0.0, self.capacity);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if taken(middle) <= self.capacity { low = middle } else { high = middle }
        }
        self.per_flow_cap.min(low)
    }
    /// Number of flows.
    pub fn active(&self) -> usize {
        self.flows.len()
    }

    fn serve_until(&mut self, now: SimTime) {
        let served = self.rate() * now.since(self.now).as_secs_f64();
        for flow in &mut self.flows {
            flow.1 = (flow.1 - served).max(0.0);
        }
        self.now = now;
    }
}

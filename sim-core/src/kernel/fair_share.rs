//! Egalitarian processor sharing of one device, in virtual time.
//!
//! Every flow gets the same rate, `min(per-flow cap, capacity / flows)`. Others may take a steady rate beside the flows, which is no
//! work that ends: each takes what it asks for, or as much as a flow gets where that is less ([`super::max_min`]). Virtual time is the service that each
//! flow has had since the device was last idle; a flow that arrives at virtual time `v` with work `w` ends at
//! `v + w` whatever happens to the rate in between, so an arrival or a departure costs O(log n), and
//! only the smallest finish tag has to be in the calendar (DES practice since Parekh and Gallager's fair queueing).
//! Virtual time is set to zero when the device falls idle, which bounds rounding.
//! Completions are rounded up to the nanosecond; what is served in that fraction counts for the others.

use super::heap::{MAX_SLOTS, SLOT_BITS, SlotHeap, slot_of};
use super::max_min::{self, Claimants};
use super::slab::{Slab, SlotHandle};
use crate::units::{SimTime, round_up};

/// Names one flow. Once it has ended or was cancelled the handle is stale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowHandle(SlotHandle);

/// A device whose capacity is shared equally by its flows.
///
/// Work is in any unit (bytes, core seconds); capacity and cap are in that unit per second. The state is exact at
/// the anchor, the last instant at which the set of flows or the capacity changed.
#[derive(Debug)]
pub struct FairShare<T: Copy> {
    capacity: f64,
    per_flow_cap: f64,
    /// Rates that others ask for steadily.
    steady: Vec<f64>,
    heap: SlotHeap,
    flows: Slab<T>,
    anchor: SimTime,
    virtual_at_anchor: f64,
    rate: f64,
    due: SimTime,
    arrivals: u64,
}

impl<T: Copy> FairShare<T> {
    /// An idle device of this total capacity, with at most `per_flow_cap` for one flow (infinite for none), in work units per second.
    ///
    /// # Panics
    /// When either is negative or not a number: validation refuses such devices.
    pub fn new(capacity: f64, per_flow_cap: f64) -> Self {
        assert!(capacity >= 0.0 && per_flow_cap >= 0.0, "a device's capacity must not be negative");
        let mut share = Self {
            capacity,
            per_flow_cap,
            steady: Vec::new(),
            heap: SlotHeap::new(),
            flows: Slab::new(),
            anchor: SimTime::ZERO,
            virtual_at_anchor: 0.0,
            rate: 0.0,
            due: SimTime::MAX,
            arrivals: 0,
        };
        share.refresh();
        share
    }
    /// A flow arrives with this much work.
    ///
    /// # Panics
    /// When the work is negative or not finite: a defect of the model. Beyond 2^24 flows.
    pub fn add(&mut self, now: SimTime, work: f64, payload: T) -> FlowHandle {
        assert!(work >= 0.0 && work.is_finite(), "a flow's work must be finite and not negative, not {work}");
        self.advance(now);
        let handle = self.flows.insert(payload);
        assert!(handle.slot < MAX_SLOTS, "at most 2^24 flows can share a device");
        self.heap.push(key(self.virtual_at_anchor + work, self.arrivals, handle.slot));
        self.arrivals += 1;
        self.refresh();
        FlowHandle(handle)
    }
    /// A flow leaves before its end; returns its remaining work, or `None` when the handle is stale.
    pub fn cancel(&mut self, now: SimTime, handle: FlowHandle) -> Option<f64> {
        let remaining = self.remaining(now, handle)?;
        self.advance(now);
        self.heap.remove(handle.0.slot);
        self.release(handle.0.slot);
        Some(remaining)
    }
    /// Work that a flow still has to get; `None` when the handle is stale.
    pub fn remaining(&self, now: SimTime, handle: FlowHandle) -> Option<f64> {
        if !self.flows.contains(handle.0) {
            return None;
        }
        let finish = finish_of(self.heap.key(handle.0.slot));
        Some((finish - self.virtual_time(now)).max(0.0))
    }
    /// When the next flow ends if nothing changes, rounded up to the nanosecond; `None` when no flow will.
    pub fn next_completion(&self) -> Option<SimTime> {
        (self.due < SimTime::MAX).then_some(self.due)
    }
    /// Takes one flow that has ended by `now`, in order of ending and among equals in order of arrival. To be called
    /// in a loop; each call sees the rate that the departures before it have left.
    pub fn pop_completed(&mut self, now: SimTime) -> Option<T> {
        if self.due > now {
            return None;
        }
        self.advance(self.due);
        let slot = slot_of(self.heap.pop()?);
        self.release(slot)
    }
    /// The total capacity changes, in work units per second.
    ///
    /// # Panics
    /// When it is negative or not a number: a defect of the model.
    pub fn set_capacity(&mut self, now: SimTime, capacity: f64) {
        assert!(capacity >= 0.0, "a device's capacity must not be negative");
        if self.heap.len() == 0 && capacity == self.capacity {
            // Nothing changes on an idle device, whose owner may ask after every event.
            return;
        }
        self.advance(now);
        self.capacity = capacity;
        self.refresh();
    }
    /// Somebody takes a steady rate from now on, in work units per second.
    ///
    /// # Panics
    /// When it is negative or not finite: a defect of the model.
    pub fn add_steady(&mut self, now: SimTime, rate: f64) {
        assert!(rate >= 0.0 && rate.is_finite(), "a steady rate must be finite and not negative, not {rate}");
        self.advance(now);
        self.steady.push(rate);
        self.refresh();
    }
    /// Somebody who took this steady rate is gone; nothing happens when there was nobody.
    pub fn remove_steady(&mut self, now: SimTime, rate: f64) {
        let Some(place) = self.steady.iter().position(|one| one.total_cmp(&rate).is_eq()) else { return };
        self.advance(now);
        self.steady.swap_remove(place);
        self.refresh();
    }
    /// Rates that others ask for steadily, in work units per second.
    pub fn steady(&self) -> &[f64] {
        &self.steady
    }
    /// Service that each flow has had since the device was last idle, in work units; zero while it is idle.
    pub fn virtual_time(&self, now: SimTime) -> f64 {
        if self.heap.len() == 0 {
            return 0.0;
        }
        let served = self.virtual_at_anchor + self.rate * now.since(self.anchor).as_secs_f64();
        // At the rounded-up instant of a completion the product may still fall short by a rounding error.
        if self.due <= now { served.max(self.first_finish()) } else { served }
    }
    /// Rate of one flow now, in work units per second; while idle, what a single flow would get.
    pub const fn rate(&self) -> f64 {
        self.rate
    }
    /// Total capacity, in work units per second.
    pub const fn capacity(&self) -> f64 {
        self.capacity
    }
    /// Number of flows.
    pub const fn active(&self) -> usize {
        self.heap.len()
    }
    /// Forgets all flows and steady rates and sets the clock to zero; keeps the capacity and the allocations. Older handles are stale.
    pub fn clear(&mut self) {
        self.heap.clear();
        self.flows.clear();
        self.steady.clear();
        self.anchor = SimTime::ZERO;
        self.virtual_at_anchor = 0.0;
        self.arrivals = 0;
        self.refresh();
    }

    fn first_finish(&self) -> f64 {
        self.heap.peek().map_or(0.0, finish_of)
    }
    /// Moves the anchor to `now`. Ended flows must have been taken before, else they would go on taking their share.
    fn advance(&mut self, now: SimTime) {
        debug_assert!(self.due >= now, "a flow that ended at {:?} was not taken before {now:?}", self.due);
        self.virtual_at_anchor = self.virtual_time(now);
        self.anchor = now;
    }
    fn release(&mut self, slot: u32) -> Option<T> {
        let payload = self.flows.remove(slot);
        if self.heap.len() == 0 {
            self.virtual_at_anchor = 0.0;
            self.arrivals = 0;
        }
        self.refresh();
        payload
    }
    /// What each of so many flows gets beside the steady rates.
    fn beside_steady(&self, flows: f64) -> f64 {
        let flows = Claimants { ceiling: self.per_flow_cap, count: flows };
        let mut all: Vec<Claimants> = self.steady.iter().map(|&ceiling| Claimants { ceiling, count: 1.0 }).chain([flows]).collect();
        max_min::level(self.capacity, &mut all)
    }
    /// Recomputes the rate and the next completion; called after every change.
    fn refresh(&mut self) {
        let flows = self.heap.len().max(1) as f64;
        let share = if self.steady.is_empty() { self.capacity / flows } else { self.beside_steady(flows) };
        self.rate = self.per_flow_cap.min(share);
        self.due = match self.heap.peek() {
            None => SimTime::MAX,
            Some(first) => completion(self.anchor, finish_of(first) - self.virtual_at_anchor, self.rate),
        };
    }
}

/// When `work` units are done at `rate`, rounded up to the nanosecond; the end of time when never.
fn completion(anchor: SimTime, work: f64, rate: f64) -> SimTime {
    if work <= 0.0 {
        return anchor;
    }
    // A rate of zero gives infinity and hence the end of time.
    let ns = round_up(work / rate * 1e9);
    SimTime::from_ns(anchor.as_ns().saturating_add(ns))
}

/// Positive floats order like their bits. 2^40 arrivals in one busy period are beyond any event budget.
fn key(finish: f64, arrival: u64, slot: u32) -> u128 {
    debug_assert!(arrival < 1 << 40);
    (u128::from(finish.to_bits()) << 64) | (u128::from(arrival) << SLOT_BITS) | u128::from(slot)
}

fn finish_of(key: u128) -> f64 {
    f64::from_bits((key >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::slow_share::SlowShare;
    use super::*;
    use crate::units::SimSpan;

    fn secs(s: f64) -> SimTime {
        SimTime::ZERO + SimSpan::from_secs_f64(s)
    }
    fn drain<T: Copy>(share: &mut FairShare<T>) -> Vec<(SimTime, T)> {
        let mut ended = Vec::new();
        while let Some(due) = share.next_completion() {
            ended.extend(share.pop_completed(due).map(|payload| (due, payload)));
        }
        ended
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "all numbers are exact in binary")]
    fn two_flows_by_hand() {
        // 100 units/s. A: 100 units at 0 s; B: 100 units at 0.5 s. Shared from 0.5 s on: A has 50 left and ends at
        // 1.5 s; B has then 50 left, alone, and ends at 2 s.
        let mut share = FairShare::new(100.0, f64::INFINITY);
        let a = share.add(secs(0.0), 100.0, 'A');
        let b = share.add(secs(0.5), 100.0, 'B');
        assert_eq!(share.rate(), 50.0);
        assert_eq!((share.remaining(secs(1.0), a), share.remaining(secs(1.0), b)), (Some(25.0), Some(75.0)));
        assert_eq!(share.virtual_time(secs(1.0)), 75.0);
        assert_eq!(drain(&mut share), [(secs(1.5), 'A'), (secs(2.0), 'B')]);
        assert_eq!(share.remaining(secs(2.0), a), None);
        assert_eq!(share.virtual_time(secs(9.0)), 0.0, "idle");
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "all numbers are exact in binary")]
    fn the_cap_of_a_flow_leaves_capacity_unused() {
        let mut share = FairShare::new(100.0, 20.0);
        for n in 0..5 {
            share.add(SimTime::ZERO, 20.0, n);
        }
        assert_eq!(share.rate(), 20.0);
        share.add(SimTime::ZERO, 20.0, 5);
        assert!((share.rate() - 100.0 / 6.0).abs() < 1e-12);
        assert_eq!(drain(&mut share), (0..6).map(|n| (secs(1.2), n)).collect::<Vec<_>>(), "equals end in order of arrival");
    }

    #[test]
    fn flows_without_work_end_at_once_also_without_capacity() {
        let mut share = FairShare::new(0.0, f64::INFINITY);
        let stuck = share.add(secs(1.0), 5.0, "stuck");
        assert_eq!(share.next_completion(), None);
        share.add(secs(2.0), 0.0, "empty");
        assert_eq!(share.next_completion(), Some(secs(2.0)));
        assert_eq!(share.pop_completed(secs(2.0)), Some("empty"));
        assert_eq!(share.pop_completed(secs(1e6)), None);
        share.set_capacity(secs(3.0), 5.0);
        assert_eq!(share.next_completion(), Some(secs(4.0)));
        assert_eq!(share.cancel(secs(3.5), stuck), Some(2.5));
        assert_eq!(share.cancel(secs(3.5), stuck), None);
        assert_eq!((share.active(), share.next_completion()), (0, None));
    }

    #[test]
    fn the_instant_that_was_announced_is_the_instant_of_the_end() {
        // 1/3 s is not a whole number of nanoseconds, and 0.1 is not a whole number of units: a completion must be seen
        // as due at the very instant given, also when another change is processed first at that instant.
        let mut share = FairShare::new(0.3, f64::INFINITY);
        for n in 0..1000 {
            let now = secs(f64::from(n) * 1e3);
            share.add(now, 0.1, n);
            let due = share.next_completion().expect("one flow");
            assert_eq!(share.pop_completed(SimTime::from_ns(due.as_ns() - 1)), None);
            share.add(due, 1.0, -1);
            assert_eq!(share.next_completion(), Some(due));
            assert_eq!(share.pop_completed(due), Some(n));
            drain(&mut share);
        }
    }

    #[test]
    fn late_calls_see_each_departure_at_its_own_time() {
        let mut share = FairShare::new(1.0, f64::INFINITY);
        share.add(SimTime::ZERO, 1.0, 'a');
        share.add(SimTime::ZERO, 2.0, 'b');
        // a ends at 2 s, b at 3 s; a caller that looks at 2.9 s must not see b ended, at 3 s it must.
        assert_eq!((share.pop_completed(secs(2.9)), share.pop_completed(secs(2.9))), (Some('a'), None));
        assert_eq!(share.pop_completed(secs(3.0)), Some('b'));
    }

    /// By hand: 150 units/s, two that ask for 30 and 100 of them, one flow of 600. The 30 leave 120, shared by the other two: the flow
    /// takes 10 s. From 5 s on the second is gone, and the flow has 120: 300 + 120 · 2.5.
    #[test]
    fn a_flow_beside_two_steady_rates() {
        let mut share = FairShare::new(150.0, f64::INFINITY);
        share.add_steady(secs(0.0), 30.0);
        share.add_steady(secs(0.0), 100.0);
        share.add(secs(0.0), 600.0, 'f');
        assert_eq!((share.rate(), share.next_completion()), (60.0, Some(secs(10.0))));
        share.remove_steady(secs(5.0), 100.0);
        assert_eq!(drain(&mut share), [(secs(7.5), 'f')]);
        // Two flows and the 30: nobody is held back, and 60 each are left.
        share.add(secs(8.0), 60.0, 'a');
        share.add(secs(8.0), 60.0, 'b');
        assert_eq!(drain(&mut share), [(secs(9.0), 'a'), (secs(9.0), 'b')]);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Add(f64),
        Cancel(usize),
        Advance(u64),
        SetCapacity(f64),
        AddSteady(f64),
        RemoveSteady(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => prop_oneof![Just(0.0), (1..6u32).prop_map(f64::from), 0.0..100.0f64].prop_map(Step::Add),
            3 => any::<usize>().prop_map(Step::Cancel),
            6 => prop_oneof![Just(0), Just(1_000_000_000), 0..20_000_000_000u64].prop_map(Step::Advance),
            1 => prop_oneof![(1..9u32).prop_map(f64::from), MIN_CAPACITY..MAX_CAPACITY].prop_map(Step::SetCapacity),
            1 => (0.0..MAX_CAPACITY / 4.0).prop_map(Step::AddSteady),
            1 => any::<usize>().prop_map(Step::RemoveSteady),
        ]
    }

    const MAX_STEPS: usize = 120;
    const MAX_CAPACITY: f64 = 9.0;
    const MIN_CAPACITY: f64 = 1.0;
    /// Both round a completion up to the nanosecond, and sums in another order may lift it over a whole one in one of them
    /// only. During that nanosecond the others together get at most this much more or less.
    const WORK_BY_ROUNDING: f64 = MAX_CAPACITY * 1e-9;
    /// How long the slowest possible flow takes for that: every step a flow, at the least capacity.
    const NS_BY_ROUNDING: f64 = WORK_BY_ROUNDING * MAX_STEPS as f64 / MIN_CAPACITY * 1e9;

    /// When which flow ended, in the order of ending.
    type Ends = Vec<(SimTime, usize)>;

    /// The device and its twin side by side, and when each flow ended in each.
    struct Pair {
        now: SimTime,
        fast: FairShare<usize>,
        slow: SlowShare<usize>,
        handles: Vec<(FlowHandle, u64)>,
        ended: (Ends, Ends),
        cancelled: Vec<usize>,
    }

    impl Pair {
        fn new(capacity: f64, cap: f64) -> Self {
            let (fast, slow) = (FairShare::new(capacity, cap), SlowShare::new(capacity, cap));
            Self { now: SimTime::ZERO, fast, slow, handles: Vec::new(), ended: (Vec::new(), Vec::new()), cancelled: Vec::new() }
        }
        fn advance(&mut self, to: SimTime) {
            while let Some(due) = self.fast.next_completion().filter(|due| *due <= to) {
                self.ended.0.push((due, self.fast.pop_completed(due).expect("due")));
            }
            while let Some(due) = self.slow.next_completion().filter(|due| *due <= to) {
                self.ended.1.push((due, self.slow.pop_completed(due).expect("due")));
            }
            self.now = to;
        }
        fn take(&mut self, step: &Step) {
            match *step {
                Step::Add(work) => {
                    let flow = self.handles.len();
                    self.handles.push((self.fast.add(self.now, work, flow), self.slow.add(self.now, work, flow)));
                }
                Step::Cancel(which) if !self.handles.is_empty() => {
                    let flow = which % self.handles.len();
                    let (handle, name) = self.handles[flow];
                    let left = (self.fast.cancel(self.now, handle), self.slow.cancel(self.now, name));
                    // Work that is left for a nanosecond at most may already be gone in the other.
                    let (fast, slow) = (left.0.unwrap_or(0.0), left.1.unwrap_or(0.0));
                    let tolerance = 1e-9 + WORK_BY_ROUNDING * self.ended.0.len() as f64;
                    assert!((fast - slow).abs() <= tolerance, "flow {flow} leaves with {fast} and {slow}");
                    if left.0.is_some() || left.1.is_some() {
                        self.cancelled.push(flow);
                    }
                }
                Step::Advance(ns) => self.advance(self.now + SimSpan::from_ns(ns)),
                Step::SetCapacity(capacity) => {
                    self.fast.set_capacity(self.now, capacity);
                    self.slow.set_capacity(self.now, capacity);
                }
                Step::AddSteady(rate) => {
                    self.fast.add_steady(self.now, rate);
                    self.slow.set_steady(self.now, self.fast.steady());
                }
                Step::RemoveSteady(which) if !self.fast.steady().is_empty() => {
                    let rate = self.fast.steady()[which % self.fast.steady().len()];
                    self.fast.remove_steady(self.now, rate);
                    self.slow.set_steady(self.now, self.fast.steady());
                }
                Step::Cancel(_) | Step::RemoveSteady(_) => {}
            }
            // What ends at this instant, such as flows without work, ends before anything else happens.
            self.advance(self.now);
            self.compare_remaining();
        }
        fn compare_remaining(&mut self) {
            self.slow.set_capacity(self.now, self.fast.capacity());
            let tolerance = 1e-9 + WORK_BY_ROUNDING * self.ended.0.len() as f64;
            for (flow, (handle, name)) in self.handles.iter().enumerate() {
                let (fast, slow) = (self.fast.remaining(self.now, *handle).unwrap_or(0.0), self.slow.remaining(*name).unwrap_or(0.0));
                assert!((fast - slow).abs() <= tolerance, "flow {flow} has {fast} and {slow} left");
            }
        }
        fn finish(mut self) {
            self.take(&Step::SetCapacity(7.0));
            self.advance(SimTime::MAX);
            let (fast, slow) = &self.ended;
            let mut slow_time = vec![None; self.handles.len()];
            for (time, flow) in slow {
                slow_time[*flow] = Some(time.as_ns());
            }
            let mut latest = 0;
            for (before, (time, flow)) in fast.iter().enumerate().filter(|(_, (_, flow))| !self.cancelled.contains(flow)) {
                let tolerance = 1 + (NS_BY_ROUNDING * before as f64) as u64;
                let slow = slow_time[*flow].expect("ends in both");
                assert!(slow.abs_diff(time.as_ns()) <= tolerance, "flow {flow} ends at {} ns, in the twin at {slow} ns", time.as_ns());
                assert!(slow + tolerance >= latest, "flow {flow} ends in another order");
                latest = latest.max(slow);
            }
            let ended = fast.iter().filter(|(_, flow)| !self.cancelled.contains(flow)).count();
            assert_eq!(ended + self.cancelled.len(), self.handles.len(), "every flow ends once");
            assert!(fast.is_sorted_by_key(|(time, _)| *time));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn same_ends_as_the_slow_twin(
            capacity in MIN_CAPACITY..MAX_CAPACITY,
            cap in prop_oneof![Just(f64::INFINITY), 0.2..5.0f64],
            steps in prop::collection::vec(step(), 1..MAX_STEPS),
        ) {
            let mut pair = Pair::new(capacity, cap);
            for step in &steps {
                pair.take(step);
            }
            pair.finish();
        }
    }
}

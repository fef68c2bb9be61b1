//! Egalitarian processor sharing of one device, in virtual time.
//!
//! Every flow gets the same rate, `min(per-flow cap, capacity / flows)`. Virtual time is the service that each
//! flow has had since the device was last idle; a flow that arrives at virtual time `v` with work `w` ends at
//! `v + w` whatever happens to the rate in between, so an arrival or a departure costs O(log n), and
//! only the smallest finish tag has to be in the calendar (DES practice since Parekh and Gallager's fair queueing).
//! Virtual time is set to zero when the device falls idle, which bounds rounding.
//! Completions are rounded up to the nanosecond; what is served in that fraction counts for the others.

use super::heap::{MAX_SLOTS, SLOT_BITS, SlotHeap, slot_of};
use super::slab::{Slab, SlotHandle};
use crate::units::SimTime;

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
        self.advance(now);
        self.capacity = capacity;
        self.refresh();
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
    /// Forgets all flows and sets the clock to zero; keeps the capacity and the allocations. Older handles are stale.
    pub fn clear(&mut self) {
        self.heap.clear();
        self.flows.clear();
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
    /// Recomputes the rate and the next completion; called after every change.
    fn refresh(&mut self) {
        self.rate = self.per_flow_cap.min(self.capacity / self.heap.len().max(1) as f64);
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
    // Casts saturate: a rate of zero gives infinity and hence the end of time.
    let ns = (work / rate * 1e9).ceil() as u64;
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

//! The future-event list: cancellable, totally ordered, first in first out among equals.
//!
//! Events are ordered by (time, class, sequence): the class says what goes first at one instant, the sequence is
//! the order of scheduling. A key of 16 bytes carries all three and the slot of the payload, and lies in an
//! indexed 4-ary heap ([`super::heap`]); cancelling takes it out at once, so that nothing dead is kept.
//! Time is an integer, hence the order is exact. Sequences are 32 bits and are renumbered when
//! they run out, which keeps the order of all pending events.

use super::heap::{MAX_SLOTS, SLOT_BITS, SlotHeap, slot_of};
use super::slab::{Slab, SlotHandle};
use crate::units::SimTime;

const SEQUENCE_BITS: u32 = 32;
const CLASS_SHIFT: u32 = SLOT_BITS + SEQUENCE_BITS;
const TIME_SHIFT: u32 = CLASS_SHIFT + 8;

/// Names one scheduled event. Once it has happened or was cancelled the handle is stale, also when its slot is reused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventHandle(SlotHandle);

/// The future events of a run and its clock.
#[derive(Debug)]
pub struct Calendar<E> {
    heap: SlotHeap,
    events: Slab<E>,
    now: SimTime,
    sequence: u32,
}

impl<E> Calendar<E> {
    /// An empty calendar at time zero.
    pub const fn new() -> Self {
        Self { heap: SlotHeap::new(), events: Slab::new(), now: SimTime::ZERO, sequence: 0 }
    }
    /// The time of the event that was popped last.
    pub const fn now(&self) -> SimTime {
        self.now
    }
    /// Puts an event into the future or at the present instant; smaller classes go first at one instant.
    ///
    /// # Panics
    /// When `at` is in the past: a defect of the model. Beyond 2^24 pending events.
    pub fn schedule(&mut self, at: SimTime, class: u8, event: E) -> EventHandle {
        assert!(at >= self.now, "an event at {at:?} is in the past of {:?}", self.now);
        let handle = self.events.insert(event);
        assert!(handle.slot < MAX_SLOTS, "at most 2^24 events can be pending");
        let sequence = self.next_sequence();
        self.heap.push(key(at, class, sequence, handle.slot));
        EventHandle(handle)
    }
    /// Takes an event out before it happens; `None` when it has happened or was cancelled.
    pub fn cancel(&mut self, handle: EventHandle) -> Option<E> {
        if !self.events.contains(handle.0) {
            return None;
        }
        self.heap.remove(handle.0.slot);
        self.events.remove(handle.0.slot)
    }
    /// Moves an event to another time, behind those that are already there, as if cancelled and scheduled again
    /// with its class. The handle stays the same and is returned.
    ///
    /// # Panics
    /// When the handle is stale or `at` is in the past: defects of the model.
    pub fn reschedule(&mut self, handle: EventHandle, at: SimTime) -> EventHandle {
        assert!(at >= self.now, "an event at {at:?} is in the past of {:?}", self.now);
        assert!(self.events.contains(handle.0), "only a pending event can be rescheduled");
        let class = (self.heap.key(handle.0.slot) >> CLASS_SHIFT) as u8;
        let sequence = self.next_sequence();
        self.heap.update(key(at, class, sequence, handle.0.slot));
        handle
    }
    /// Takes the next event and moves the clock to it.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let key = self.heap.pop()?;
        self.now = time_of(key);
        let event = self.events.remove(slot_of(key))?;
        Some((self.now, event))
    }
    /// When the next event happens.
    pub fn peek_time(&self) -> Option<SimTime> {
        self.heap.peek().map(time_of)
    }
    /// Whether the event is still to come.
    pub fn is_pending(&self, handle: EventHandle) -> bool {
        self.events.contains(handle.0)
    }
    /// When a pending event happens; `None` when the handle is stale.
    pub fn time(&self, handle: EventHandle) -> Option<SimTime> {
        self.is_pending(handle).then(|| time_of(self.heap.key(handle.0.slot)))
    }
    /// Number of pending events.
    pub const fn len(&self) -> usize {
        self.heap.len()
    }
    /// Whether nothing is pending.
    pub const fn is_empty(&self) -> bool {
        self.heap.len() == 0
    }
    /// Forgets all events and sets the clock to zero; keeps the allocations. Older handles are stale.
    pub fn clear(&mut self) {
        self.heap.clear();
        self.events.clear();
        self.now = SimTime::ZERO;
        self.sequence = 0;
    }

    fn next_sequence(&mut self) -> u32 {
        if self.sequence == u32::MAX {
            self.renumber();
        }
        self.sequence += 1;
        self.sequence
    }
    /// Gives the pending events the sequences 1, 2, … in their order. Happens once in 2^32 schedulings.
    fn renumber(&mut self) {
        self.sequence = 0;
        for old in self.heap.drain_sorted() {
            self.sequence += 1;
            self.heap.push(key(time_of(old), (old >> CLASS_SHIFT) as u8, self.sequence, slot_of(old)));
        }
    }
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

fn key(at: SimTime, class: u8, sequence: u32, slot: u32) -> u128 {
    (u128::from(at.as_ns()) << TIME_SHIFT) | (u128::from(class) << CLASS_SHIFT) | (u128::from(sequence) << SLOT_BITS) | u128::from(slot)
}

fn time_of(key: u128) -> SimTime {
    SimTime::from_ns((key >> TIME_SHIFT) as u64)
}

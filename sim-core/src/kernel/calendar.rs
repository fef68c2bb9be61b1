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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::slow_calendar::SlowCalendar;
    use super::*;

    fn at(ns: u64) -> SimTime {
        SimTime::from_ns(ns)
    }

    #[derive(Clone, Debug)]
    enum Step {
        Schedule { after: u64, class: u8 },
        Cancel(usize),
        Reschedule { which: usize, after: u64 },
        Pop,
        Renumber,
        Clear,
    }

    /// Few distinct times and classes, so that most events tie with another.
    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            40 => (0..6u64, 0..3u8).prop_map(|(after, class)| Step::Schedule { after, class }),
            15 => any::<usize>().prop_map(Step::Cancel),
            15 => (any::<usize>(), 0..6u64).prop_map(|(which, after)| Step::Reschedule { which, after }),
            30 => Just(Step::Pop),
            1 => Just(Step::Renumber),
            1 => Just(Step::Clear),
        ]
    }

    /// The calendar and its twin side by side. Events are numbered; `issued` remembers every handle of the run.
    #[derive(Default)]
    struct Pair {
        fast: Calendar<usize>,
        slow: SlowCalendar<usize>,
        issued: Vec<(EventHandle, u64, u8)>,
    }

    impl Pair {
        fn take(&mut self, step: &Step) {
            match *step {
                Step::Schedule { after, class } => {
                    let (time, event) = (self.fast.now() + crate::units::SimSpan::from_ns(after), self.issued.len());
                    self.issued.push((self.fast.schedule(time, class, event), self.slow.schedule(time, class, event), class));
                }
                Step::Cancel(which) if !self.issued.is_empty() => {
                    let (handle, name, _) = self.issued[which % self.issued.len()];
                    assert_eq!(self.fast.cancel(handle), self.slow.cancel(name), "stale handles included");
                    assert_eq!(self.fast.cancel(handle), None, "once only");
                }
                Step::Reschedule { which, after } if !self.issued.is_empty() => {
                    let event = which % self.issued.len();
                    let (handle, name, class) = self.issued[event];
                    if self.fast.is_pending(handle) {
                        let time = self.fast.now() + crate::units::SimSpan::from_ns(after);
                        let event = self.slow.cancel(name).expect("pending in both");
                        self.issued[event] = (self.fast.reschedule(handle, time), self.slow.schedule(time, class, event), class);
                        assert_eq!(self.fast.time(self.issued[event].0), Some(time));
                    }
                }
                Step::Pop => assert_eq!(self.fast.pop(), self.slow.pop()),
                Step::Renumber => self.fast.renumber(),
                Step::Clear => {
                    self.fast.clear();
                    self.slow = SlowCalendar::new();
                    assert!(self.issued.drain(..).all(|(handle, ..)| !self.fast.is_pending(handle)));
                }
                Step::Cancel(_) | Step::Reschedule { .. } => {}
            }
            assert_eq!(self.fast.len(), self.slow.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn same_events_in_the_same_order_as_a_sorted_list(steps in prop::collection::vec(step(), 1..300)) {
            let mut pair = Pair::default();
            for step in &steps {
                pair.take(step);
            }
            while !pair.slow.is_empty() {
                pair.take(&Step::Pop);
            }
            prop_assert_eq!(pair.fast.peek_time(), None);
        }
    }

    #[test]
    fn equal_events_are_first_in_first_out_and_classes_go_before_sequence() {
        let mut calendar = Calendar::new();
        for event in 0..1000 {
            calendar.schedule(at(7), (event % 2) as u8, event);
        }
        let order: Vec<i32> = std::iter::from_fn(|| calendar.pop().map(|(_, event)| event)).collect();
        let expected: Vec<i32> = (0..1000).step_by(2).chain((1..1000).step_by(2)).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn sequences_that_run_out_keep_first_in_first_out() {
        let mut calendar = Calendar::new();
        calendar.sequence = u32::MAX - 5;
        for event in 0..10 {
            calendar.schedule(at(1), 0, event);
        }
        assert!(calendar.sequence < 20, "renumbered on the way");
        let order: Vec<i32> = std::iter::from_fn(|| calendar.pop().map(|(_, event)| event)).collect();
        assert_eq!(order, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_rescheduled_event_queues_behind_its_equals() {
        let mut calendar = Calendar::new();
        let first = calendar.schedule(at(5), 0, 'a');
        calendar.schedule(at(5), 0, 'b');
        calendar.reschedule(first, at(5));
        assert_eq!(calendar.pop(), Some((at(5), 'b')));
        assert_eq!(calendar.pop(), Some((at(5), 'a')));
    }

    #[test]
    fn the_ends_of_time_and_of_classes_fit_the_key() {
        let mut calendar = Calendar::new();
        calendar.schedule(SimTime::MAX, u8::MAX, 'z');
        calendar.schedule(SimTime::MAX, 0, 'y');
        calendar.schedule(SimTime::ZERO, u8::MAX, 'a');
        assert_eq!(calendar.peek_time(), Some(SimTime::ZERO));
        assert_eq!(std::iter::from_fn(|| calendar.pop().map(|(_, event)| event)).collect::<String>(), "ayz");
        assert_eq!(calendar.now(), SimTime::MAX);
    }

    #[test]
    fn nothing_grows_once_the_greatest_number_of_events_was_pending() {
        let mut calendar = Calendar::new();
        let mut handles: Vec<EventHandle> = (0..1000).map(|n| calendar.schedule(at(n), 0, n)).collect();
        let sizes = |calendar: &Calendar<u64>| (calendar.heap.capacities(), calendar.events.capacity());
        let before = sizes(&calendar);
        for round in 0..100_000u64 {
            let (now, n) = calendar.pop().expect("pending");
            let other = (round * 7919 % 1000) as usize;
            if other != n as usize {
                calendar.reschedule(handles[other], now + crate::units::SimSpan::from_ns(round % 4093));
                calendar.cancel(handles[other]);
                handles[other] = calendar.schedule(now, 0, other as u64);
            }
            handles[n as usize] = calendar.schedule(now + crate::units::SimSpan::from_ns(round % 1009), 0, n);
        }
        assert_eq!(sizes(&calendar), before, "cancelled events must leave nothing behind");
        calendar.clear();
        assert_eq!(sizes(&calendar), before, "clearing keeps the allocations");
    }

    #[test]
    #[should_panic(expected = "in the past")]
    fn scheduling_in_the_past_is_a_defect() {
        let mut calendar = Calendar::new();
        calendar.schedule(at(2), 0, ());
        calendar.pop();
        calendar.schedule(at(1), 0, ());
    }

    #[test]
    #[should_panic(expected = "only a pending event")]
    fn rescheduling_what_has_happened_is_a_defect() {
        let mut calendar = Calendar::new();
        let handle = calendar.schedule(at(2), 0, ());
        calendar.pop();
        calendar.reschedule(handle, at(3));
    }
}

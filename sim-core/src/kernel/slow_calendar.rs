//! The calendar's plain twin: a list that is kept sorted. O(n) per event and obviously right.
//!
//! Oracle of the tests and yardstick of the benches; the model uses [`super::Calendar`].

use crate::units::SimTime;

/// Pending events, sorted with the next one last.
#[derive(Debug)]
pub struct SlowCalendar<E> {
    pending: Vec<(SimTime, u8, u64, E)>,
    now: SimTime,
    sequence: u64,
}

impl<E> SlowCalendar<E> {
    /// An empty calendar at time zero.
    pub const fn new() -> Self {
        Self { pending: Vec::new(), now: SimTime::ZERO, sequence: 0 }
    }
    /// Puts an event into the list and returns its sequence number, which names it.
    ///
    /// # Panics
    /// When `at` is in the past.
    pub fn schedule(&mut self, at: SimTime, class: u8, event: E) -> u64 {
        assert!(at >= self.now, "an event at {at:?} is in the past of {:?}", self.now);
        self.sequence += 1;
        let rank = (at, class, self.sequence);
        let place = self.pending.partition_point(|(time, class, sequence, _)| (*time, *class, *sequence) > rank);
        self.pending.insert(place, (at, class, self.sequence, event));
        self.sequence
    }
    /// Takes an event out by its name.
    pub fn cancel(&mut self, name: u64) -> Option<E> {
        let place = self.pending.iter().position(|(_, _, sequence, _)| *sequence == name)?;
        Some(self.pending.remove(place).3)
    }
    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let (time, _, _, event) = self.pending.pop()?;
        self.now = time;
        Some((time, event))
    }
    /// Number of pending events.
    pub fn len(&self) -> usize {
        self.pending.len()
    }
    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

impl<E> Default for SlowCalendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

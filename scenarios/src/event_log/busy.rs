//! How long a host had something to do, from spans that come in the order of their ends.
//!
//! The union of the spans of tasks, kept in constant memory: spans that touch are joined, and once there are many gaps the
//! oldest are added up. A task that started before the oldest kept gap would count those gaps as idle; with the gaps that are kept,
//! that takes a task longer than the last [`KEPT`] pauses of its host.

/// Separate spans that are kept for one host; with the one that is added, a power of two, as a vector grows.
const KEPT: usize = 63;

/// The union of spans.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy {
    /// Disjoint spans in order.
    spans: Vec<(u64, u64)>,
    /// Length of older ones.
    before: u64,
}

impl Busy {
    /// Adds a span, in milliseconds.
    pub(super) fn add(&mut self, start: u64, end: u64) {
        let (mut start, mut end) = (start.min(end), end);
        while let Some(&(first, last)) = self.spans.last().filter(|(_, last)| *last >= start) {
            (start, end) = (start.min(first), end.max(last));
            self.spans.pop();
        }
        self.spans.push((start, end));
        if self.spans.len() > KEPT {
            let (first, last) = self.spans.remove(0);
            self.before = self.before.saturating_add(last - first);
        }
    }

    /// Milliseconds that are in any span.
    pub(super) fn total(&self) -> u64 {
        self.spans.iter().fold(self.before, |sum, (start, end)| sum.saturating_add(end - start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against marking every millisecond.
        #[test]
        fn the_union_is_that_of_marked_milliseconds(spans in prop::collection::vec((0u64..300, 0u64..40), 0..40)) {
            let mut spans: Vec<(u64, u64)> = spans.into_iter().map(|(start, length)| (start, start + length)).collect();
            spans.sort_by_key(|(_, end)| *end);
            let (mut busy, mut marked) = (Busy::default(), [false; 400]);
            for (start, end) in spans {
                busy.add(start, end);
                (start..end).for_each(|ms| marked[ms as usize] = true);
            }
            prop_assert_eq!(busy.total(), marked.iter().filter(|on| **on).count() as u64);
        }
    }

    #[test]
    fn many_pauses_are_added_up() {
        let mut busy = Busy::default();
        (0..1000).for_each(|i| busy.add(10 * i, 10 * i + 3));
        assert_eq!((busy.total(), busy.spans.len()), (3000, KEPT));
    }
}

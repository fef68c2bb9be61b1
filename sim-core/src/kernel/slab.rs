//! Reusable slots with generations: where payloads stay while their keys move in a heap.
//!
//! A slot is a small number that is given again once it is free; its generation is raised at each release, so that
//! a handle to what was there before is recognised as stale. Generations are 32 bits: a handle would have to be
//! kept over 2^32 releases of one slot to be taken for another. Slots are given last-released first, which
//! keeps the working set small.

/// Names one occupant of one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SlotHandle {
    pub(super) slot: u32,
    generation: u32,
}

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    next_free: u32,
    value: Option<T>,
}

/// Values in slots.
#[derive(Debug)]
pub(super) struct Slab<T> {
    entries: Vec<Entry<T>>,
    first_free: u32,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), first_free: NONE }
    }
    /// Puts a value into a free slot.
    pub(super) fn insert(&mut self, value: T) -> SlotHandle {
        if self.first_free == NONE {
            let slot = self.entries.len() as u32;
            self.entries.push(Entry { generation: 0, next_free: NONE, value: Some(value) });
            return SlotHandle { slot, generation: 0 };
        }
        let slot = self.first_free;
        let entry = &mut self.entries[slot as usize];
        self.first_free = entry.next_free;
        entry.value = Some(value);
        SlotHandle { slot, generation: entry.generation }
    }
    /// Whether the handle's value is still there.
    pub(super) fn contains(&self, handle: SlotHandle) -> bool {
        self.entries.get(handle.slot as usize).is_some_and(|entry| entry.generation == handle.generation && entry.value.is_some())
    }
    /// Takes the value out and frees the slot; `None` when the slot is free.
    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        let entry = self.entries.get_mut(slot as usize)?;
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        entry.next_free = self.first_free;
        self.first_free = slot;
        Some(value)
    }
    /// Frees all slots. Handles given before are stale afterwards.
    pub(super) fn clear(&mut self) {
        for slot in 0..self.entries.len() as u32 {
            self.remove(slot);
        }
    }
}

#[cfg(test)]
impl<T> Slab<T> {
    /// Size of the allocation, for tests that nothing grows.
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_handles_are_recognised_after_reuse_and_after_clear() {
        let mut slab = Slab::new();
        let first = slab.insert('a');
        assert_eq!(slab.remove(first.slot), Some('a'));
        assert_eq!(slab.remove(first.slot), None);
        let second = slab.insert('b');
        assert_eq!(second.slot, first.slot, "the slot is reused");
        assert!(!slab.contains(first) && slab.contains(second));
        slab.clear();
        assert!(!slab.contains(second));
        let third = slab.insert('c');
        assert!(slab.contains(third) && !slab.contains(second));
    }
}

//! A set of partition numbers.
//!
//! Partitions of a stage are numbered from zero without holes, so a bit each is enough: a stage of a million tasks takes
//! 16 000 map entries, one of 64 none. A broken log may hold any number; each then costs an entry, and entries come out of
//! a room that all sets share. Without room a partition counts as new each time.

use std::collections::BTreeMap;

/// Which partitions are in the set.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    /// Those below 64.
    first: u64,
    words: BTreeMap<u64, u64>,
    len: u64,
}

impl Partitions {
    /// Adds a partition; `false` if it was there. A new entry comes out of `room`.
    pub(super) fn insert(&mut self, partition: u64, room: &mut usize) -> bool {
        let place = partition / 64;
        if place > 0 && *room == 0 && !self.words.contains_key(&place) {
            self.len = self.len.saturating_add(1);
            return true;
        }
        let word = if place == 0 {
            &mut self.first
        } else {
            self.words.entry(place).or_insert_with(|| {
                *room -= 1;
                0
            })
        };
        let bit = 1 << (partition % 64);
        let new = *word & bit == 0;
        *word |= bit;
        self.len += u64::from(new);
        new
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(items in prop::collection::vec(prop_oneof![0u64..300, any::<u64>()], 0..200)) {
            let (mut set, mut twin, mut room) = (Partitions::default(), BTreeSet::new(), 200);
            for item in items {
                prop_assert_eq!(set.insert(item, &mut room), twin.insert(item));
                prop_assert_eq!(set.len(), twin.len() as u64);
            }
        }
    }

    #[test]
    fn without_room_a_partition_counts_each_time() {
        let (mut set, mut room) = (Partitions::default(), 1);
        assert_eq!([1, 1, 70, 70, 71, 700, 700].map(|partition| set.insert(partition, &mut room)), [true, false, true, false, true, true, true]);
        assert_eq!((set.len(), set.words.len(), room), (5, 1, 0));
    }
}

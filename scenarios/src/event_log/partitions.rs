//! A set of partition numbers.
//!
//! Partitions of a stage are numbered from zero without holes, so a bit each is enough: a stage of a million tasks takes
//! 16 000 map entries. A broken log may hold any number; it costs one entry and nothing more.

use std::collections::BTreeMap;

/// Which partitions are in the set.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    words: BTreeMap<u64, u64>,
    len: u64,
}

impl Partitions {
    /// Adds a partition; `false` if it was there.
    pub(super) fn insert(&mut self, partition: u64) -> bool {
        let word = self.words.entry(partition / 64).or_default();
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
            let (mut set, mut twin) = (Partitions::default(), BTreeSet::new());
            for item in items {
                prop_assert_eq!(set.insert(item), twin.insert(item));
                prop_assert_eq!(set.len(), twin.len() as u64);
            }
        }
    }
}

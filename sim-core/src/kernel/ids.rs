//! Typed indices and the arenas that they index.
//!
//! Everything that has a life in the model (pods, executors, task attempts) sits in an [`IdVec`] and is named by
//! a `u32` newtype, so that a pod's index can't be used for an executor. Ids are given in order of creation and
//! never reused within a run; iteration is in that order, which keeps runs reproducible.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A typed index.
pub trait Id: Copy {
    /// The id of the entry at this position.
    fn new(index: u32) -> Self;
    /// The position of the entry in its arena.
    fn index(self) -> usize;
}

/// Defines an id type over `u32` whose `Debug` prints its name and number, such as `Executor#3`.
macro_rules! define_id {
    ($(#[$meta:meta])* $vis:vis struct $name:ident, $label:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name(u32);

        impl $name {
            /// The id of the entry at this position.
            $vis const fn new(index: u32) -> Self {
                Self(index)
            }
            /// The position of the entry in its arena.
            $vis const fn index(self) -> usize {
                self.0 as usize
            }
        }
        impl $crate::kernel::Id for $name {
            fn new(index: u32) -> Self {
                Self(index)
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($label, "#{}"), self.0)
            }
        }
    };
}
pub(crate) use define_id;

/// A vector that is indexed by one type of id.
pub struct IdVec<I, T> {
    items: Vec<T>,
    id: PhantomData<fn(I) -> I>,
}

impl<I: Id, T> IdVec<I, T> {
    /// An empty arena.
    pub const fn new() -> Self {
        Self { items: Vec::new(), id: PhantomData }
    }
    /// An arena of these entries, in this order.
    pub const fn from_vec(items: Vec<T>) -> Self {
        Self { items, id: PhantomData }
    }
    /// Appends an entry and returns its id.
    ///
    /// # Panics
    /// Beyond 2^32 entries: the event budget of a run ends it long before.
    pub fn push(&mut self, item: T) -> I {
        let id = u32::try_from(self.items.len()).expect("an arena holds at most 2^32 entries");
        self.items.push(item);
        I::new(id)
    }
    /// The entry, if there is one of this id.
    pub fn get(&self, id: I) -> Option<&T> {
        self.items.get(id.index())
    }
    /// The entry for changing it, if there is one of this id.
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.items.get_mut(id.index())
    }
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.items.len()
    }
    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    /// All entries with their ids, in order of creation.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.items.iter().enumerate().map(|(index, item)| (I::new(index as u32), item))
    }
    /// All entries with their ids, for changing them.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (I, &mut T)> + ExactSizeIterator {
        self.items.iter_mut().enumerate().map(|(index, item)| (I::new(index as u32), item))
    }
    /// All entries, in order of creation.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }
    /// All entries for changing them, in order of creation.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.items.iter_mut()
    }
    /// All ids. The iterator does not borrow the arena, so that entries can be changed meanwhile.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.items.len()).map(|index| I::new(index as u32))
    }
    /// Removes all entries and keeps the allocation.
    pub fn clear(&mut self) {
        self.items.clear();
    }
}

impl<I: Id, T> Default for IdVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}
impl<I: Id, T: Clone> Clone for IdVec<I, T> {
    fn clone(&self) -> Self {
        Self::from_vec(self.items.clone())
    }
}
impl<I: Id, T: PartialEq> PartialEq for IdVec<I, T> {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}
impl<I: Id, T: Eq> Eq for IdVec<I, T> {}
impl<I: Id, T> Index<I> for IdVec<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.items[id.index()]
    }
}
impl<I: Id, T> IndexMut<I> for IdVec<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.index()]
    }
}
impl<I: Id, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<A: IntoIterator<Item = T>>(items: A) -> Self {
        Self::from_vec(items.into_iter().collect())
    }
}
impl<I: Id + fmt::Debug, T: fmt::Debug> fmt::Debug for IdVec<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    define_id!(
        /// A test id.
        struct ExecutorId,
        "Executor"
    );

    #[test]
    fn ids_print_their_name_and_order_by_creation() {
        let mut arena: IdVec<ExecutorId, &str> = IdVec::new();
        let first = arena.push("a");
        let second = arena.push("b");
        assert_eq!(format!("{second:?}"), "Executor#1");
        assert_eq!(format!("{arena:?}"), r#"{Executor#0: "a", Executor#1: "b"}"#);
        assert!(first < second);
        assert_eq!((arena[second], second.index()), ("b", 1));
        assert_eq!(arena.get(ExecutorId::new(2)), None);
    }

    #[test]
    fn ids_do_not_borrow_the_arena() {
        let mut arena: IdVec<ExecutorId, u32> = [1, 2, 3].into_iter().collect();
        for id in arena.ids() {
            arena[id] *= 10;
        }
        assert_eq!(arena.values().copied().collect::<Vec<_>>(), [10, 20, 30]);
        arena.clear();
        assert!(arena.is_empty());
    }
}

//! The map output tracker: which map partitions have an output, and where the bytes are.
//!
//! One output a partition is registered, the last that came in; the file of an earlier attempt stays on scratch as an orphan (CM-2). Sums by
//! executor are kept, because a reducer reads from places, not from single maps: each reducer's part of every output is
//! taken to be the same share (no skew within a map). Source: FF-3, CM-2.

use super::Location;
use crate::ids::{ExecutorId, NodeId};
use crate::units::Bytes;

/// Outputs of one shuffle.
#[derive(Debug)]
pub(crate) struct MapOutputs {
    locations: Vec<Option<(Location, Bytes)>>,
    available: u32,
    /// Sums by executor, for fetches.
    sums: Vec<(Location, Bytes)>,
    /// Bytes in fallback storage, which is no executor.
    fallback: Bytes,
}

impl MapOutputs {
    /// No output yet of so many maps.
    pub(crate) fn new(maps: u32) -> Self {
        Self { locations: vec![None; maps as usize], available: 0, sums: Vec::new(), fallback: Bytes::ZERO }
    }
    /// Whether every map has one.
    pub(crate) fn complete(&self) -> bool {
        self.available as usize == self.locations.len()
    }
    /// Whether a map has one.
    pub(crate) fn has(&self, map: u32) -> bool {
        self.locations[map as usize].is_some()
    }
    /// Registers an output, and tells whether the map had none; one that was there before is an orphan from now on (CM-2).
    pub(crate) fn register(&mut self, map: u32, location: Location, bytes: Bytes) -> bool {
        let before = self.locations[map as usize].replace((location, bytes));
        match before {
            None => self.available += 1,
            Some((place, earlier)) => self.take_from(place, earlier),
        }
        if location == Location::FALLBACK {
            self.fallback += bytes;
            return before.is_none();
        }
        match self.sums.iter_mut().find(|(at, _)| *at == location) {
            Some((_, sum)) => *sum += bytes,
            None => self.sums.push((location, bytes)),
        }
        before.is_none()
    }
    /// Bytes that are not at a place any more; a place without outputs is none.
    fn take_from(&mut self, place: Location, bytes: Bytes) {
        if place == Location::FALLBACK {
            self.fallback -= bytes;
            return;
        }
        if let Some((_, sum)) = self.sums.iter_mut().find(|(at, _)| *at == place) {
            *sum -= bytes;
        }
        if !self.locations.iter().flatten().any(|(at, _)| *at == place) {
            self.sums.retain(|(at, _)| *at != place);
        }
    }
    /// Forgets all outputs.
    pub(crate) fn clear(&mut self) {
        self.locations.fill(None);
        self.available = 0;
        self.sums.clear();
        self.fallback = Bytes::ZERO;
    }
    /// Whether there is no output.
    pub(crate) fn is_empty(&self) -> bool {
        self.available == 0
    }
    /// Number of maps.
    pub(crate) fn maps(&self) -> u32 {
        self.locations.len() as u32
    }
    /// Executors that hold at least this share of all bytes.
    pub(crate) fn holders_of(&self, share: f64) -> impl Iterator<Item = ExecutorId> {
        let total: Bytes = self.sums.iter().map(|(_, bytes)| *bytes).sum();
        self.sums.iter().filter(move |(_, bytes)| !total.is_zero() && bytes.as_f64() >= share * total.as_f64()).map(|(at, _)| at.executor)
    }
    /// Where the output of a map is.
    pub(crate) fn location(&self, map: u32) -> Option<Location> {
        self.locations[map as usize].map(|(at, _)| at)
    }
    /// Maps whose output an executor holds, with their bytes.
    pub(crate) fn maps_of(&self, executor: ExecutorId) -> impl Iterator<Item = (u32, Bytes)> {
        self.locations.iter().enumerate().filter_map(move |(map, place)| place.filter(|(at, _)| at.executor == executor).map(|(_, bytes)| (map as u32, bytes)))
    }
    /// The output of a map has moved from an executor; `false` when it is not there any more.
    pub(crate) fn relocate(&mut self, map: u32, from: ExecutorId, to: Location) -> bool {
        let Some((_, bytes)) = self.locations[map as usize].filter(|(at, _)| at.executor == from) else { return false };
        self.register(map, to, bytes);
        true
    }
    /// Forgets all outputs of an executor; returns how many there were.
    pub(crate) fn unregister(&mut self, executor: ExecutorId) -> u32 {
        self.unregister_where(|at| at.executor == executor)
    }
    /// Forgets all outputs on a node (`unRegisterOutputOnHost`).
    pub(crate) fn unregister_node(&mut self, node: NodeId) -> u32 {
        self.unregister_where(|at| at.node == node)
    }
    fn unregister_where(&mut self, gone: impl Fn(Location) -> bool) -> u32 {
        if !self.sums.iter().any(|(at, _)| gone(*at)) {
            return 0;
        }
        let before = self.available;
        for place in &mut self.locations {
            if place.is_some_and(|(at, _)| gone(at)) {
                *place = None;
                self.available -= 1;
            }
        }
        self.sums.retain(|(at, _)| !gone(*at));
        before - self.available
    }
    /// Bytes of all outputs.
    pub(crate) fn bytes(&self) -> Bytes {
        self.sums.iter().map(|(_, bytes)| *bytes).sum::<Bytes>() + self.fallback
    }
    /// Bytes in fallback storage.
    pub(crate) fn in_fallback(&self) -> Bytes {
        self.fallback
    }
    /// Executors that hold outputs.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = ExecutorId> {
        self.sums.iter().map(|(at, _)| at.executor)
    }
    /// Bytes by executor and its node.
    pub(crate) fn by_place(&self) -> impl Iterator<Item = (Location, Bytes)> {
        self.sums.iter().copied()
    }
    /// Bytes by node (a node may come several times).
    pub(crate) fn by_node(&self) -> impl Iterator<Item = (NodeId, Bytes)> {
        self.sums.iter().map(|(at, bytes)| (at.node, *bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_follow_registrations_and_losses() {
        let at = |e| Location { executor: ExecutorId::new(e), node: NodeId::new(e / 2) };
        let mut outputs = MapOutputs::new(4);
        for map in 0..4 {
            outputs.register(map, at(map % 3), Bytes::mib(10));
        }
        assert!(outputs.complete());
        assert_eq!(outputs.unregister(ExecutorId::new(0)), 2);
        assert!(!outputs.has(0) && outputs.has(1) && !outputs.has(3));
        let left: Bytes = outputs.by_node().map(|(_, bytes)| bytes).sum();
        assert_eq!(left, Bytes::mib(20));
        assert_eq!(outputs.unregister(ExecutorId::new(0)), 0);
        assert!(outputs.relocate(1, ExecutorId::new(1), at(3)) && !outputs.relocate(1, ExecutorId::new(1), at(3)));
        assert_eq!((outputs.location(1), outputs.maps_of(ExecutorId::new(3)).collect::<Vec<_>>()), (Some(at(3)), vec![(1, Bytes::mib(10))]));
        assert_eq!((outputs.hosts().count(), outputs.unregister(ExecutorId::new(3))), (2, 1));
        // What is in fallback storage is nobody's, and counts in the whole.
        outputs.register(1, at(2), Bytes::mib(10));
        assert!(outputs.relocate(1, ExecutorId::new(2), Location::FALLBACK));
        assert_eq!((outputs.bytes(), outputs.in_fallback(), outputs.hosts().count()), (Bytes::mib(20), Bytes::mib(10), 1));
        // CM-2: the second output of a map replaces the first.
        outputs.register(1, at(2), Bytes::mib(30));
        assert_eq!(outputs.by_node().collect::<Vec<_>>(), [(NodeId::new(1), Bytes::mib(40))]);
        assert_eq!(outputs.unregister(ExecutorId::new(1)), 0);
    }
}

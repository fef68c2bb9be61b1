//! The map output tracker: which map partitions have an output, and where the bytes are.
//!
//! One output a partition is registered, the first; a later one of another attempt stays on scratch as an orphan (CM-2). Sums by
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
}

impl MapOutputs {
    /// No output yet of so many maps.
    pub(crate) fn new(maps: u32) -> Self {
        Self { locations: vec![None; maps as usize], available: 0, sums: Vec::new() }
    }
    /// Whether every map has one.
    pub(crate) fn complete(&self) -> bool {
        self.available as usize == self.locations.len()
    }
    /// Whether a map has one.
    pub(crate) fn has(&self, map: u32) -> bool {
        self.locations[map as usize].is_some()
    }
    /// Registers an output; `false` when the map has one already (the new file is an orphan, CM-2).
    pub(crate) fn register(&mut self, map: u32, location: Location, bytes: Bytes) -> bool {
        let place = &mut self.locations[map as usize];
        if place.is_some() {
            return false;
        }
        *place = Some((location, bytes));
        self.available += 1;
        match self.sums.iter_mut().find(|(at, _)| *at == location) {
            Some((_, sum)) => *sum += bytes,
            None => self.sums.push((location, bytes)),
        }
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
    /// How many maps write to the shuffle.
    pub(crate) fn maps(&self) -> u64 {
        self.locations.len() as u64
    }
    /// Bytes of all outputs.
    pub(crate) fn bytes(&self) -> Bytes {
        self.sums.iter().map(|(_, bytes)| *bytes).sum()
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
            assert!(outputs.register(map, at(map % 3), Bytes::mib(10)));
        }
        assert!(outputs.complete() && !outputs.register(0, at(2), Bytes::mib(1)));
        assert_eq!(outputs.unregister(ExecutorId::new(0)), 2);
        assert!(!outputs.has(0) && outputs.has(1) && !outputs.has(3));
        let left: Bytes = outputs.by_node().map(|(_, bytes)| bytes).sum();
        assert_eq!(left, Bytes::mib(20));
        assert_eq!(outputs.unregister(ExecutorId::new(0)), 0);
    }
}

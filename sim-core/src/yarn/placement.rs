//! On which node a container starts.
//!
//! Real allocation follows node heartbeats, which arrive in no fixed order; over a second or so the result is that
//! containers go where memory is. We place on the node with the most memory left among those where the container fits.
//! Nodes with equally much left are taken in order, so an application spreads over an empty cluster. There is no affinity. The Capacity
//! scheduler's default calculator looks at memory only, so a node may get more task slots than it has cores; the dominant one and the Fair
//! scheduler want the vcores free as well. Source: 1.8; `DefaultResourceCalculator`, `FSAppAttempt.assignContainer` of Hadoop 3.4.

use crate::units::Bytes;

/// A `NodeManager`, as the scheduler sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Memory for containers ([`super::sizing::node_capacity`]).
    pub capacity: Bytes,
    /// Sum of the sizes of its containers.
    pub allocated: Bytes,
    /// Vcores left for containers; `None`: they are not counted.
    pub vcores: Option<u32>,
}

impl NodeView {
    /// Memory left for containers.
    pub const fn available(&self) -> Bytes {
        self.capacity.saturating_sub(self.allocated)
    }
}

/// Index of the node that a container of this size and of so many vcores goes to, or none when it has to wait.
pub fn place(container: Bytes, vcores: u32, nodes: &[NodeView]) -> Option<usize> {
    let mut best: Option<(usize, Bytes)> = None;
    for (index, node) in nodes.iter().enumerate() {
        let available = node.available();
        if available >= container && node.vcores.is_none_or(|left| left >= vcores) && best.is_none_or(|(_, most)| available > most) {
            best = Some((index, available));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(capacity: u64, allocated: u64) -> NodeView {
        NodeView { capacity: Bytes::gib(capacity), allocated: Bytes::gib(allocated), vcores: None }
    }

    #[test]
    fn most_available_memory_wins() {
        assert_eq!(place(Bytes::gib(9), 4, &[node(50, 27), node(50, 9), node(30, 0)]), Some(1));
        assert_eq!(place(Bytes::gib(9), 4, &[node(50, 0), node(50, 0)]), Some(0));
        assert_eq!(place(Bytes::gib(9), 4, &[node(50, 41), node(50, 42)]), Some(0));
        assert_eq!(place(Bytes::gib(9), 4, &[node(50, 42), node(8, 0), node(8, 20)]), None);
        assert_eq!(place(Bytes::gib(9), 4, &[]), None);
    }

    #[test]
    fn four_containers_spread_over_four_empty_nodes() {
        let mut nodes = [node(50, 0); 4];
        for expected in [0, 1, 2, 3, 0] {
            let chosen = place(Bytes::gib(9), 4, &nodes);
            assert_eq!(chosen, Some(expected));
            nodes[expected].allocated += Bytes::gib(9);
        }
    }

    #[test]
    fn vcores_count_only_where_they_are_counted() {
        // The first has more memory left and 3 vcores, the second 4.
        let counted = |capacity, vcores| NodeView { vcores: Some(vcores), ..node(capacity, 0) };
        assert_eq!(place(Bytes::gib(9), 4, &[counted(50, 3), counted(40, 4)]), Some(1));
        assert_eq!(place(Bytes::gib(9), 4, &[node(50, 0), node(40, 0)]), Some(0));
        assert_eq!(place(Bytes::gib(9), 5, &[counted(50, 3), counted(40, 4)]), None);
    }
}

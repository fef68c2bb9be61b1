//! Swap of the nodes; off unless it has a size.
//!
//! On Kubernetes the kubelet decides which containers may use it; elsewhere every process may. Source: the kernel's documentation of swappiness;
//! Kubernetes' of `memorySwap.swapBehavior`; ED-2, AK-4.

use crate::units::Bytes;

/// What a node's kernel may page out, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwapSpec {
    /// Size of a node's swap, on its first disk; zero: there is none.
    pub size: Bytes,
    /// Whether `vm.swappiness` is above zero: at zero the kernel pages nothing out for a cgroup's limit, only when the node itself is full.
    pub for_cgroups: bool,
    /// Whether the kubelet's `swapBehavior` is `LimitedSwap`; else containers get none. Kubernetes only.
    pub limited: bool,
    /// Whether tmpfs is mounted `noswap`.
    pub tmpfs_noswap: bool,
}

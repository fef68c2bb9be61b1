//! `[cluster.swap]`: swap of every node.

use super::{Field, Kind, Shape};

pub(super) static SWAP: Shape = Shape {
    name: "[cluster.swap]",
    fields: &[
        Field::default("size", Kind::Size, "0", "Swap of a node, on its first disk, bytes; 0 for none.", "AK-4: none by default"),
        Field::default(
            "swappiness",
            Kind::Integer(0, 200),
            "60",
            "vm.swappiness; at 0 nothing is paged out for a cgroup's limit, only when the node itself is full. Page cache goes before pages at any value.",
            "the kernel's default; vmscan.c",
        ),
        Field::default(
            "behavior",
            Kind::Choice(&["NoSwap", "LimitedSwap"]),
            "\"NoSwap\"",
            "memorySwap.swapBehavior of the kubelet; LimitedSwap gives Burstable pods whose request is not their limit a share by request, so executors none.",
            "the kubelet's default",
        ),
        Field::default("fail_swap_on", Kind::Bool, "true", "failSwapOn of the kubelet: it does not start on a node with swap.", "K8-KDEF"),
        Field::computed("tmpfs_noswap", Kind::Bool, "true on Kubernetes, else false", "Whether tmpfs is mounted noswap (kernel 6.3 or later).", "ED-2"),
    ],
};

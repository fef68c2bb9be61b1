//! Limits of `emptyDir` volumes and of ephemeral storage.
//!
//! A memory-backed volume is a tmpfs whose size is the smallest of what the node could give, what the pod may use and
//! what the user wrote (ED-1): writing beyond it is "no space left", which a task survives, while writing within it but
//! beyond the cgroup's headroom is a kill (ED-3). Without a `sizeLimit` the mount promises the whole pod limit although
//! the heap needs it too (4.2), so the kill comes first. A disk-backed volume has no limit at write time: the kubelet
//! compares usage in its loop and evicts (ED-11, ED-12), all pods that exceed in one pass, before it looks at node
//! pressure. The container-level check on logs and writable layer is left out: executors write to volumes.

use crate::plan::{NodePlan, SimPlan};
use crate::units::Bytes;

/// Size of the tmpfs mount of a memory-backed `emptyDir` (A12). Zero limits are ignored.
pub fn tmpfs_size(allocatable: Bytes, pod_limit: Option<Bytes>, size_limit: Option<Bytes>) -> Bytes {
    let limits = [pod_limit, size_limit].into_iter().flatten().filter(|limit| !limit.is_zero());
    limits.fold(allocatable, Bytes::min)
}

/// Size of a memory-backed volume of an executor on a node: with a kubelet that does not size mounts, half of RAM (ED-1).
pub(crate) fn mount_size(plan: &SimPlan, node: &NodePlan, size_limit: Option<Bytes>) -> Bytes {
    if plan.spec().cluster.kubelet.sized_memory_volumes {
        tmpfs_size(node.allocatable_memory, plan.executor.limit, size_limit)
    } else {
        unsized_tmpfs(node.shape.memory)
    }
}

/// Size of a tmpfs that is mounted without one: half of RAM. So did kubelets before 1.22 (ED-1).
pub fn unsized_tmpfs(memory: Bytes) -> Bytes {
    Bytes::new(memory.get() / 2)
}

/// What becomes of a write to tmpfs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TmpfsWrite {
    /// All of it fits.
    Fits,
    /// `ENOSPC` after this much; the process goes on.
    NoSpace {
        /// Bytes that were written.
        written: Bytes,
    },
    /// The memory cgroup is full after this much: the kernel kills.
    OutOfMemory {
        /// Bytes that were written.
        written: Bytes,
    },
}

/// Which limit a write of `amount` meets first: the mount's `size` with `used` in it, or the `headroom` of the tightest
/// cgroup (A13). When both are equally far it is the cgroup (open question 14 of the facts).
pub fn write_to_tmpfs(amount: Bytes, used: Bytes, size: Bytes, headroom: Bytes) -> TmpfsWrite {
    let space = size.saturating_sub(used);
    if amount <= space.min(headroom) {
        TmpfsWrite::Fits
    } else if headroom <= space {
        TmpfsWrite::OutOfMemory { written: headroom }
    } else {
        TmpfsWrite::NoSpace { written: space }
    }
}

/// Whether the kubelet's check evicts for a volume's `sizeLimit` (ED-11). On a tmpfs that was mounted with its size it never does, as
/// the mount stops writes first (ED-6).
pub fn exceeds_size_limit(used: Bytes, size_limit: Option<Bytes>) -> bool {
    size_limit.is_some_and(|limit| !limit.is_zero() && used > limit)
}

/// Whether the kubelet's check evicts for the pod's ephemeral-storage limit, the sum over its containers (ED-12).
/// `used` is logs, writable layers and disk `emptyDir` volumes; claims, host paths and tmpfs do not count (ED-6, 4.8).
pub fn exceeds_ephemeral_limit(used: Bytes, limit: Option<Bytes>) -> bool {
    limit.is_some_and(|limit| used > limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: fn(u64) -> Bytes = Bytes::mib;

    #[test]
    fn a12_tmpfs_mount_size() {
        let allocatable = Bytes::from_f64(57.7876 * f64::from(1 << 30));
        let limit = Some(MIB(9011));
        assert_eq!(tmpfs_size(allocatable, limit, None), MIB(9011));
        assert_eq!(tmpfs_size(allocatable, limit, Some(Bytes::gib(1))), MIB(1024));
        assert_eq!(tmpfs_size(allocatable, limit, Some(Bytes::gib(20))), MIB(9011));
        assert_eq!(tmpfs_size(allocatable, None, None), allocatable);
        assert_eq!(tmpfs_size(allocatable, limit, Some(Bytes::ZERO)), MIB(9011));
        assert_eq!(tmpfs_size(allocatable, Some(Bytes::ZERO), None), allocatable);
        assert_eq!(tmpfs_size(MIB(512), limit, Some(Bytes::gib(1))), MIB(512));
    }

    /// kubernetes#63126: a volume of 1 GiB on a node of 62 is one of 31.
    #[test]
    fn ed1_without_a_size_half_of_ram_is_mounted() {
        assert_eq!(unsized_tmpfs(Bytes::gib(62)), Bytes::gib(31));
    }

    #[test]
    fn a13_no_space_or_out_of_memory() {
        let headroom = MIB(9011 - 6000 - 600 - 2300);
        assert_eq!(write_to_tmpfs(MIB(200), MIB(2300), MIB(9011), headroom), TmpfsWrite::OutOfMemory { written: MIB(111) });
        let headroom = MIB(9011 - 6000 - 600 - 1000);
        assert_eq!(write_to_tmpfs(MIB(200), MIB(1000), MIB(1024), headroom), TmpfsWrite::NoSpace { written: MIB(24) });
    }

    #[test]
    fn writes_that_just_fit_and_ties() {
        assert_eq!(write_to_tmpfs(MIB(24), MIB(1000), MIB(1024), MIB(24)), TmpfsWrite::Fits);
        assert_eq!(write_to_tmpfs(MIB(25), MIB(1000), MIB(1024), MIB(24)), TmpfsWrite::OutOfMemory { written: MIB(24) });
        assert_eq!(write_to_tmpfs(MIB(1), MIB(1100), MIB(1024), MIB(24)), TmpfsWrite::NoSpace { written: Bytes::ZERO });
    }

    #[test]
    fn ed11_size_limit_is_strict_and_zero_is_none() {
        assert!(!exceeds_size_limit(MIB(1024), Some(MIB(1024))));
        assert!(exceeds_size_limit(MIB(1025), Some(MIB(1024))));
        assert!(!exceeds_size_limit(MIB(1025), Some(Bytes::ZERO)));
        assert!(!exceeds_size_limit(Bytes::MAX, None));
    }

    #[test]
    fn ed12_ephemeral_limit() {
        assert!(!exceeds_ephemeral_limit(MIB(100), Some(MIB(100))));
        assert!(exceeds_ephemeral_limit(MIB(101), Some(MIB(100))));
        assert!(!exceeds_ephemeral_limit(Bytes::MAX, None));
    }
}

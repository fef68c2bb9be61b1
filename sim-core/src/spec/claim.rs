//! Persistent volume claims: what they can hold and how fast they are, who owns them, whether they are used again, how they grow.
//!
//! A claim of an executor of its own (`claimName=OnDemand`) is made with the pod; one with a plain name is a file system that all
//! executors share. Where a volume can be used is a matter of its class: a zonal disk in its zone, a local volume on its node. Source: 4.8;
//! `MountVolumesFeatureStep`, `ExecutorPodsAllocator`, `KubernetesLocalDiskShuffleDataIO` and `ExecutorPVCResizePlugin` of Spark 3.4 to
//! 4.3; `StorageClass` and `PersistentVolumeClaim` of Kubernetes 1.30.

use super::{BurstSpec, DiskSpec};
use crate::units::{ByteRate, Bytes, SimSpan};

/// A claim that an executor mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimSpec {
    /// Capacity when it is made; a write beyond it fails with ENOSPC.
    pub size: Bytes,
    /// Sequential read bandwidth of its volume.
    pub read: ByteRate,
    /// Sequential write bandwidth of its volume.
    pub write: ByteRate,
    /// I/O operations per second of its volume.
    pub iops: u64,
    /// Size of one I/O of shuffle traffic; `iops` times this caps the bandwidth.
    pub io_size: Bytes,
    /// Whether all executors mount the same one (a plain `claimName`), instead of one each (`OnDemand`).
    pub shared: bool,
    /// What its volume does for a while beyond that, if it has credit.
    pub burst: Option<BurstSpec>,
    /// Where it can be used, by whom, and whether it can grow.
    pub class: ClassFacts,
}

impl ClaimSpec {
    /// Its volume as a disk of a node, behind the machine's cap unless it is local or a shared file system.
    pub(crate) fn disk(&self) -> DiskSpec {
        DiskSpec {
            name: String::new(),
            size: self.size,
            used: Bytes::ZERO,
            read: self.read,
            write: self.write,
            iops: self.iops,
            io_size: self.io_size,
            burst: self.burst,
            remote: !self.shared && self.class.reach != Reach::Node,
        }
    }
}

/// What a storage class says of its volumes beside their speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassFacts {
    /// Where a volume can be used once it is made: what the node affinity of its persistent volume says.
    pub reach: Reach,
    /// `volumeBindingMode: Immediate`: the volume is made with the claim, wherever the pod may go later; else it waits for the pod's node.
    pub immediate: bool,
    /// The access mode that claims have.
    pub access: AccessMode,
    /// `allowedTopologies`: zones in which volumes may be made.
    pub zones: ZoneSet,
    /// Most volumes on one node: disks or partitions of a static provisioner, room of a logical volume group; `None` is no limit.
    pub per_node: Option<u32>,
    /// `allowVolumeExpansion`.
    pub expands: bool,
}

impl ClassFacts {
    /// A class without any restriction.
    pub const FREE: Self =
        Self { reach: Reach::Region, immediate: false, access: AccessMode::ReadWriteMany, zones: ZoneSet::ALL, per_node: None, expands: true };

    /// Whether a volume has to be detached from one node before it can be attached to another.
    pub fn is_exclusive(&self) -> bool {
        self.reach != Reach::Node && self.access != AccessMode::ReadWriteMany
    }
}

/// Where a volume can be used once it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On every node: file shares, disks that are replicated over zones.
    Region,
    /// In the zone in which it was made: most cloud disks.
    Zone,
    /// On the node on which it was made: local volumes.
    Node,
}

/// Who may use a claim at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// One pod of the cluster: the scheduler refuses a second one.
    ReadWriteOncePod,
    /// The pods of one node: the scheduler does not mind, and the volume fails to attach to a second node.
    ReadWriteOnce,
    /// All.
    ReadWriteMany,
}

/// A set of the cluster's zones, by their places in [`super::zones`]; of more than 64 zones those after the 64th are in every set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneSet(u64);

impl ZoneSet {
    /// Every zone, and no zone at all.
    pub const ALL: Self = Self(u64::MAX);

    /// The zones with these places.
    pub fn of(places: impl Iterator<Item = usize>) -> Self {
        Self(places.filter(|&place| place < 64).fold(0, |bits, place| bits | 1 << place))
    }

    /// Whether a zone is in it.
    pub fn has(self, place: usize) -> bool {
        place >= 64 || self.0 >> place & 1 == 1
    }
}

/// What becomes of claims beyond their first pod.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClaimsConf {
    /// Claims that a pod leaves are mounted by new pods: `spark.kubernetes.driver.ownPersistentVolumeClaim` and
    /// `spark.kubernetes.driver.reusePersistentVolumeClaim`, both on from 3.4.
    pub reuse: Option<ClaimReuse>,
    /// `ExecutorPVCResizePlugin` is among `spark.plugins` (4.2).
    pub resize: Option<ClaimResize>,
}

/// Claims that outlive their pods. Only those older than [`super::AllocationConf::creation_timeout`] are used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimReuse {
    /// `spark.kubernetes.driver.waitToReusePersistentVolumeClaim` (3.4): no more claims than executors; a pod waits for a free one.
    pub wait: bool,
    /// `spark.shuffle.sort.io.plugin.class` is `KubernetesLocalDiskShuffleDataIO`: shuffle files on a claim are found again. It
    /// looks for the key `reusePersistentVolumeClaim` itself and takes an absent one for off, whatever the default is.
    pub recover: bool,
    /// Whether what is found is read and compared with its checksums: from 4.0, with `spark.shuffle.checksum.enabled`.
    pub verify: bool,
}

/// Growth of claims that fill up (4.7).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClaimResize {
    /// `spark.kubernetes.executor.pvc.resizeInterval`: between two reports of an executor and between two looks of the driver.
    pub interval: SimSpan,
    /// `…resizeThreshold`: use above which a claim grows.
    pub threshold: f64,
    /// `…resizeFactor`: by how much of its size.
    pub factor: f64,
}

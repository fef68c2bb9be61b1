//! Persistent volume claims: what they can hold and how fast they are, who owns them, whether they are used again, how they grow.
//!
//! A claim of an executor of its own (`claimName=OnDemand`) is made with the pod; one with a plain name is a file system that all
//! executors share. Source: 4.8; `MountVolumesFeatureStep`, `ExecutorPodsAllocator`, `KubernetesLocalDiskShuffleDataIO` and
//! `ExecutorPVCResizePlugin` of Spark 3.4 to 4.3.

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
}

impl ClaimSpec {
    /// Its volume as a disk of a node, behind the machine's cap unless it is a shared file system.
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
            remote: !self.shared,
        }
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

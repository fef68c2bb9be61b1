//! What a machine lets through to its remote disks, and what others take of a node's devices.
//!
//! A cloud machine caps operations and bandwidth of all its managed disks together, OS disk and claims alike, and may have burst
//! credit for it (5.11). Neighbours hold files on the kubelet's disk and move bytes over its devices at a steady rate.

use super::{BurstSpec, Dist};
use crate::units::{ByteRate, Bytes};

/// Cap of a machine on all its remote disks together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteSpec {
    /// Bandwidth, reading and writing.
    pub rate: ByteRate,
    /// I/O operations per second.
    pub iops: u64,
    /// Size of one I/O of shuffle traffic; `iops` times this caps the bandwidth.
    pub io_size: Bytes,
    /// What it lets through for a while beyond that, if it has credit.
    pub burst: Option<BurstSpec>,
}

/// What a neighbour holds on the kubelet's disk, and moves over its node's devices for as long as it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceUse {
    /// Ephemeral storage that it holds: logs, writable layers, disk `emptyDir`; bytes.
    pub held: Dist,
    /// What it would read from the kubelet's disk.
    pub read: ByteRate,
    /// What it would write to it.
    pub write: ByteRate,
    /// Operations per second that this takes; 0 for those of the disk's `io_size`.
    pub iops: u64,
    /// What it would receive over the NIC.
    pub nic_in: ByteRate,
    /// What it would send over the NIC.
    pub nic_out: ByteRate,
}

impl DeviceUse {
    /// Nothing.
    pub const NONE: Self = Self {
        held: Dist::Constant(0.0),
        read: ByteRate::per_sec(0),
        write: ByteRate::per_sec(0),
        iops: 0,
        nic_in: ByteRate::per_sec(0),
        nic_out: ByteRate::per_sec(0),
    };
}

//! The catalogue's machine shapes as plain data, for listing.

use sim_core::kube::reservation::Provider;
use sim_core::spec::DiskSpec;

use crate::catalog::{self, VmShape};
use crate::raw::{Node, Value};

/// A machine shape.
#[derive(Clone, Debug)]
pub struct Vm {
    /// Name for `vm` of a pool.
    pub name: String,
    /// `aks`, `eks`, `gke` or `rack`.
    pub provider: String,
    /// Series.
    pub series: String,
    /// CPUs.
    pub vcpu: u64,
    /// Nominal memory, GiB.
    pub memory_gib: u64,
    /// Line rate of the NIC, 10^6 bit/s.
    pub nic_mbit: u64,
    /// Pods, where the type decides it.
    pub max_pods: Option<u64>,
    /// Disks of a node; the first carries the kubelet directory.
    pub disks: Vec<VmDisk>,
    /// Caps of all remote disks.
    pub remote: Option<VmRemote>,
    /// Where the figures come from.
    pub source: String,
    /// When they were read.
    pub date: String,
}

/// A disk of a node.
#[derive(Clone, Debug)]
pub struct VmDisk {
    /// Name.
    pub name: String,
    /// Size, GiB.
    pub gib: u64,
    /// Operations per second.
    pub iops: u64,
    /// Reading, 10^6 B/s.
    pub read_mb: u64,
    /// Writing, 10^6 B/s.
    pub write_mb: u64,
    /// With credit, 10^6 B/s.
    pub burst_mb: Option<u64>,
}

/// Caps of all remote disks of a machine.
#[derive(Clone, Copy, Debug)]
pub struct VmRemote {
    /// Operations per second.
    pub iops: u64,
    /// 10^6 B/s.
    pub mb: u64,
    /// Operations per second with credit.
    pub burst_iops: Option<u64>,
    /// 10^6 B/s with credit.
    pub burst_mb: Option<u64>,
}

/// Every machine shape of the catalogue, in its order.
pub fn vms() -> Vec<Vm> {
    catalog::shapes().iter().map(vm).collect()
}

fn vm(shape: &VmShape) -> Vm {
    let provider = match shape.provider.as_str() {
        "aks" => Provider::Aks,
        "eks" => Provider::Eks,
        "gke" => Provider::Gke,
        _ => Provider::Upstream,
    };
    Vm {
        name: shape.name.clone(),
        provider: shape.provider.clone(),
        series: shape.series.clone(),
        vcpu: shape.vcpu,
        memory_gib: shape.nominal_memory.whole_mib() / 1024,
        nic_mbit: shape.nic_mbit,
        max_pods: shape.max_pods,
        disks: shape.disks(provider).iter().map(disk).collect(),
        remote: shape.remote.as_ref().map(remote),
        source: shape.source.clone(),
        date: shape.date.clone(),
    }
}

fn disk(disk: &DiskSpec) -> VmDisk {
    let mb = |rate: f64| (rate / 1e6).round() as u64;
    VmDisk {
        name: disk.name.clone(),
        gib: disk.size.whole_mib() / 1024,
        iops: disk.iops,
        read_mb: mb(disk.read.as_f64()),
        write_mb: mb(disk.write.as_f64()),
        burst_mb: disk.burst.map(|burst| mb(burst.rate.as_f64())),
    }
}

fn remote(node: &Node) -> VmRemote {
    let of = |key: &str| match node.get(key).map(|n| &n.value) {
        Some(Value::Integer(i)) => u64::try_from(*i).ok(),
        _ => None,
    };
    VmRemote { iops: of("iops").unwrap_or(0), mb: of("mb").unwrap_or(0), burst_iops: of("burst_iops"), burst_mb: of("burst_mb") }
}

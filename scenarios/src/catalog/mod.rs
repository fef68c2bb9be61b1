//! VM shapes and the disks that a provider's nodes get, from data files.
//!
//! Each file names its source and date. A shape gives nominal memory; what the kernel sees is about 2 % less in a VM
//! (0.2), which is a default that a pool can overrule by `memory`. On AKS the first disk is the OS disk: ephemeral on the
//! temp disk where the shape has a large enough one, managed by vCPU tier otherwise (AK-1, AK-2). NICs carry 80 % of their
//! line rate (8.1). The tests read every file through the same walker as scenarios.

#[cfg(test)]
mod format;
pub(crate) mod storage;

use std::sync::LazyLock;

use sim_core::kube::reservation::Provider;
use sim_core::spec::DiskSpec;
use sim_core::units::{ByteRate, Bytes};

use crate::diag::{Diagnostics, Source};
use crate::raw::{Layer, Node, Value, read_toml};

const FILES: &[(&str, &str)] =
    &[("catalog/azure.toml", include_str!("../../catalog/azure.toml")), ("catalog/other.toml", include_str!("../../catalog/other.toml"))];
const OS_DISKS: (&str, &str) = ("catalog/azure-os-disks.toml", include_str!("../../catalog/azure-os-disks.toml"));

/// Images and logs on an AKS OS disk: what a node has pulled before a job starts.
const OS_DISK_USED_GIB: u64 = 25;
/// `MemTotal` per nominal memory in a VM (0.2).
pub(crate) const MEM_TOTAL_SHARE: f64 = 0.98;
/// Effective share of a NIC's line rate (8.1).
const NIC_EFFICIENCY: f64 = 0.8;
/// Size of one I/O unless the file says otherwise: cloud disks count up to this as one operation.
const IO_KIB: u64 = 256;

/// A VM shape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VmShape {
    /// Name.
    pub(crate) name: String,
    /// CPUs.
    pub(crate) vcpu: u64,
    /// Nominal memory.
    pub(crate) nominal_memory: Bytes,
    /// Effective NIC bandwidth.
    pub(crate) nic: ByteRate,
    /// Disks without a provider's OS disk.
    disks: Vec<DiskSpec>,
    temp: Option<DiskSpec>,
    ephemeral_os: bool,
    /// Ceiling on all remote disks together.
    pub(crate) remote: Option<ByteRate>,
}

impl VmShape {
    /// The node's disks, first the one that carries the kubelet directory.
    pub(crate) fn disks(&self, provider: Provider) -> Vec<DiskSpec> {
        let mut disks = Vec::new();
        match &self.temp {
            Some(temp) if self.ephemeral_os => {
                disks.push(DiskSpec { name: "os-ephemeral".to_owned(), used: Bytes::gib(OS_DISK_USED_GIB), ..temp.clone() });
            }
            temp => {
                if provider == Provider::Aks || self.disks.is_empty() || self.remote.is_some() {
                    disks.extend(self.managed_os_disk());
                }
                disks.extend(temp.clone());
            }
        }
        disks.extend(self.disks.iter().cloned());
        disks
    }

    fn managed_os_disk(&self) -> Option<DiskSpec> {
        let (mut disk, _) = OS_TIERS.iter().rev().find(|(_, from)| *from <= self.vcpu)?.clone();
        if let Some(cap) = self.remote {
            disk.read = disk.read.min(cap);
            disk.write = disk.write.min(cap);
        }
        Some(disk)
    }
}

static OS_TIERS: LazyLock<Vec<(DiskSpec, u64)>> = LazyLock::new(|| {
    let file = parse(OS_DISKS.0, OS_DISKS.1);
    let mut tiers: Vec<(DiskSpec, u64)> =
        file.get("tier").map_or(&[][..], Node::items).iter().map(|tier| (os_disk(tier), integer(tier, "from_vcpu"))).collect();
    tiers.sort_by_key(|(_, from)| *from);
    tiers
});

static SHAPES: LazyLock<Vec<VmShape>> = LazyLock::new(|| {
    FILES.iter().flat_map(|(name, text)| parse(name, text).get("shape").map_or(&[][..], Node::items).iter().map(shape).collect::<Vec<_>>()).collect()
});

/// All shapes.
pub(crate) fn shapes() -> &'static [VmShape] {
    &SHAPES
}

/// The shape with a name, whatever its case.
pub(crate) fn find(name: &str) -> Option<&'static VmShape> {
    SHAPES.iter().find(|shape| shape.name.eq_ignore_ascii_case(name))
}

/// The smallest shape with at least so many CPUs, else the largest.
pub(crate) fn like(cpus: f64) -> Option<&'static VmShape> {
    let enough = SHAPES.iter().filter(|shape| shape.vcpu as f64 >= cpus).min_by_key(|shape| shape.vcpu);
    enough.or_else(|| SHAPES.iter().max_by_key(|shape| shape.vcpu))
}

fn parse(name: &str, text: &str) -> Node {
    read_toml(&Source::new(name, text), &Layer::Derived(name.to_owned()), &mut Diagnostics::default())
}

/// An integer of a file that the tests have walked.
fn integer(node: &Node, key: &str) -> u64 {
    match node.get(key).map(|n| &n.value) {
        Some(Value::Integer(i)) => u64::try_from(*i).unwrap_or(0),
        _ => 0,
    }
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::text).unwrap_or_default().to_owned()
}

fn os_disk(tier: &Node) -> DiskSpec {
    let rate = ByteRate::mb_per_sec(integer(tier, "mb"));
    DiskSpec {
        name: text(tier, "name"),
        size: Bytes::gib(integer(tier, "gib")),
        used: Bytes::gib(OS_DISK_USED_GIB),
        read: rate,
        write: rate,
        iops: integer(tier, "iops"),
        io_size: Bytes::kib(IO_KIB),
    }
}

fn disk(node: &Node, default_name: &str) -> DiskSpec {
    let name = text(node, "name");
    let io_kib = integer(node, "io_kib");
    DiskSpec {
        name: if name.is_empty() { default_name.to_owned() } else { name },
        size: Bytes::gib(integer(node, "gib")),
        used: Bytes::gib(integer(node, "used_gib")),
        read: ByteRate::mb_per_sec(integer(node, "read_mb")),
        write: ByteRate::mb_per_sec(integer(node, "write_mb")),
        iops: integer(node, "iops"),
        io_size: Bytes::kib(if io_kib == 0 { IO_KIB } else { io_kib }),
    }
}

fn shape(node: &Node) -> VmShape {
    let remote = integer(node, "remote_mb");
    VmShape {
        name: text(node, "name"),
        vcpu: integer(node, "vcpu"),
        nominal_memory: Bytes::gib(integer(node, "memory_gib")),
        nic: ByteRate::per_sec(integer(node, "nic_mbit") * 125_000).scale(NIC_EFFICIENCY),
        disks: node.get("disks").map_or(&[][..], Node::items).iter().map(|d| disk(d, "disk")).collect(),
        temp: node.get("temp").map(|d| disk(d, "temp")),
        ephemeral_os: node.get("ephemeral_os").is_some_and(|n| n.value == Value::Bool(true)),
        remote: (remote > 0).then(|| ByteRate::mb_per_sec(remote)),
    }
}

#[cfg(test)]
mod tests {
    use super::format::{CLASSES, FILE, TIERS};
    use super::*;
    use crate::schema::{Unknown, walk};

    #[test]
    fn every_file_is_clean() {
        for ((name, text), root) in FILES.iter().map(|file| (*file, &FILE)).chain([(OS_DISKS, &TIERS), (storage::FILE, &CLASSES)]) {
            let mut problems = Diagnostics::default();
            let node = read_toml(&Source::new(name, text), &Layer::Scenario, &mut problems);
            walk(&node, root, "", Unknown::Error, &mut problems);
            assert_eq!(problems.items(), &[], "{name}");
        }
        let mut names: Vec<&str> = shapes().iter().map(|s| s.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), shapes().len());
    }

    // AK-1, AK-2, AK-3: scratch on a Dsv5 is 150 MB/s, on a Ddsv5 it is the temp disk.
    #[test]
    fn aks_os_disk_by_shape() {
        for (vm, name, write_mb) in [
            ("Standard_D16s_v5", "os-p20", 150),
            ("Standard_D8s_v5", "os-p15", 125),
            ("Standard_D16ds_v5", "os-ephemeral", 700),
            ("standard_d8ds_v5", "os-ephemeral", 350),
            ("Standard_L8s_v3", "os-p15", 125),
        ] {
            let disks = find(vm).expect(vm).disks(Provider::Aks);
            assert_eq!((disks[0].name.as_str(), disks[0].write), (name, ByteRate::mb_per_sec(write_mb)), "{vm}");
        }
        assert_eq!(find("Standard_L8s_v3").expect("shape").disks(Provider::Aks)[1].name, "nvme");
    }

    // 8.1: 12 500 Mbps is 1.25 GB/s effective.
    #[test]
    fn nic_is_eighty_percent_of_the_line() {
        assert_eq!(find("Standard_D16s_v5").expect("shape").nic, ByteRate::mb_per_sec(1250));
    }
}

//! VM shapes and the disks that a provider's nodes get, from data files.
//!
//! Each series names its source and date. A shape gives nominal memory; what the kernel sees is about 2 % less in a VM
//! (0.2), which is a default that a pool can overrule by `memory`. The first disk is the one that carries the kubelet directory: on AKS the OS disk,
//! ephemeral on the temp disk where the shape has a large enough one, managed by vCPU otherwise (AK-1, AK-2); on EKS and GKE
//! the node group's root or boot disk. NICs carry 80 % of their line rate (8.1). The tests read every file through the same walker as scenarios.

pub(crate) mod disks;
#[cfg(test)]
mod format;
pub(crate) mod storage;

use std::sync::LazyLock;

use sim_core::kube::reservation::Provider;
use sim_core::spec::{DiskSpec, RemoteSpec};
use sim_core::units::{ByteRate, Bytes};

use crate::diag::{Diagnostics, Source};
use crate::raw::{Layer, Node, Value, read_toml};

const FILES: &[(&str, &str)] = &[
    ("catalog/aks.toml", include_str!("../../catalog/aks.toml")),
    ("catalog/eks.toml", include_str!("../../catalog/eks.toml")),
    ("catalog/gke.toml", include_str!("../../catalog/gke.toml")),
    ("catalog/rack.toml", include_str!("../../catalog/rack.toml")),
];
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
#[derive(Clone, Debug)]
pub(crate) struct VmShape {
    /// Name.
    pub(crate) name: String,
    /// `aks`, `eks`, `gke` or `rack`.
    pub(crate) provider: String,
    /// Series.
    pub(crate) series: String,
    /// Where its figures come from.
    pub(crate) source: String,
    /// When they were read.
    pub(crate) date: String,
    /// CPUs.
    pub(crate) vcpu: u64,
    /// Nominal memory.
    pub(crate) nominal_memory: Bytes,
    /// Line rate of the NIC, 10^6 bit/s.
    pub(crate) nic_mbit: u64,
    /// Pods that the provider's network plugin has addresses for, if the type decides it.
    pub(crate) max_pods: Option<u64>,
    /// Caps of remote disks as they were read.
    pub(crate) remote: Option<Node>,
    caps: Option<disks::Limits>,
    os_disk: Option<Node>,
    local: Vec<DiskSpec>,
    temp: Option<DiskSpec>,
    ephemeral_os: bool,
}

impl VmShape {
    /// Effective NIC bandwidth.
    pub(crate) fn nic(&self) -> ByteRate {
        ByteRate::per_sec(self.nic_mbit * 125_000).scale(NIC_EFFICIENCY)
    }

    /// The node's disks, first the one that carries the kubelet directory.
    pub(crate) fn disks(&self, provider: Provider) -> Vec<DiskSpec> {
        let mut disks = Vec::new();
        match &self.temp {
            Some(temp) if self.ephemeral_os => {
                disks.push(DiskSpec { name: "os-ephemeral".to_owned(), used: Bytes::gib(OS_DISK_USED_GIB), ..temp.clone() });
            }
            temp => {
                if provider == Provider::Aks || self.provider == "aks" {
                    disks.extend(self.azure_os_disk());
                }
                disks.extend(self.os_disk.as_ref().and_then(|os| self.root_disk(os)));
                disks.extend(temp.clone());
            }
        }
        disks.extend(self.local.iter().cloned());
        disks
    }

    /// The managed OS disk of an AKS node, by its CPUs.
    fn azure_os_disk(&self) -> Option<DiskSpec> {
        let (kind, _) = OS_BY_VCPU.iter().rev().find(|(_, from)| *from <= self.vcpu)?;
        let kind = disks::find(kind)?;
        Some(kind.disk(&format!("os-{}", kind.name.to_lowercase()), kind.tier?, Bytes::gib(OS_DISK_USED_GIB), self.caps.as_ref()))
    }

    /// The root or boot disk of a node group.
    fn root_disk(&self, os: &Node) -> Option<DiskSpec> {
        let kind = disks::find(&text(os, "type"))?;
        Some(kind.disk(&format!("{}-root", kind.name), Bytes::gib(integer(os, "gib")), Bytes::gib(integer(os, "used_gib")), self.caps.as_ref()))
    }

    /// Cap on all remote disks together.
    pub(crate) fn remote_cap(&self) -> Option<RemoteSpec> {
        self.caps.map(|caps| caps.cap())
    }

    /// A managed disk that a scenario attaches to this machine.
    pub(crate) fn attach(&self, kind: &disks::DiskType, name: &str, size: Bytes) -> DiskSpec {
        kind.disk(name, size, Bytes::ZERO, self.caps.as_ref())
    }
}

/// A managed disk on a machine without known caps.
pub(crate) fn unattached(kind: &disks::DiskType, name: &str, size: Bytes) -> DiskSpec {
    kind.disk(name, size, Bytes::ZERO, None)
}

static OS_BY_VCPU: LazyLock<Vec<(String, u64)>> = LazyLock::new(|| {
    let file = parse(OS_DISKS.0, OS_DISKS.1);
    let mut types: Vec<(String, u64)> =
        file.get("os_disk").map_or(&[][..], Node::items).iter().map(|os| (text(os, "type"), integer(os, "from_vcpu"))).collect();
    types.sort_by_key(|(_, from)| *from);
    types
});

static SHAPES: LazyLock<Vec<VmShape>> = LazyLock::new(|| FILES.iter().flat_map(|(name, text)| file(&parse(name, text))).collect());

fn file(root: &Node) -> Vec<VmShape> {
    let series = root.get("series").map_or(&[][..], Node::items);
    series.iter().flat_map(|series| series.get("shape").map_or(&[][..], Node::items).iter().map(move |node| shape(root, series, node))).collect()
}

/// All shapes.
pub(crate) fn shapes() -> &'static [VmShape] {
    &SHAPES
}

/// The shape with a name, whatever its case.
pub(crate) fn find(name: &str) -> Option<&'static VmShape> {
    SHAPES.iter().find(|shape| shape.name.eq_ignore_ascii_case(name))
}

/// The smallest shape with at least so many CPUs, else the largest: of the provider, if it has any.
pub(crate) fn like(provider: Provider, cpus: f64) -> Option<&'static VmShape> {
    let name = match provider {
        Provider::Aks => "aks",
        Provider::Eks => "eks",
        Provider::Gke => "gke",
        Provider::Upstream => "rack",
    };
    let theirs = || SHAPES.iter().filter(|shape| shape.provider == name);
    theirs().filter(|shape| shape.vcpu as f64 >= cpus).min_by_key(|shape| shape.vcpu).or_else(|| theirs().max_by_key(|shape| shape.vcpu))
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

/// A number of a file that the tests have walked, 0 when it is absent.
fn number(node: &Node, key: &str) -> f64 {
    match node.get(key).map(|n| &n.value) {
        Some(Value::Integer(i)) => *i as f64,
        Some(Value::Float(x)) => *x,
        _ => 0.0,
    }
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::text).unwrap_or_default().to_owned()
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
        burst: None,
        remote: false,
    }
}

fn shape(root: &Node, series: &Node, node: &Node) -> VmShape {
    let max_pods = integer(node, "max_pods");
    VmShape {
        name: text(node, "name"),
        provider: text(root, "provider"),
        series: text(series, "name"),
        source: text(series, "source"),
        date: text(series, "date"),
        vcpu: integer(node, "vcpu"),
        nominal_memory: Bytes::gib(integer(node, "memory_gib")),
        nic_mbit: integer(node, "nic_mbit"),
        max_pods: (max_pods > 0).then_some(max_pods),
        remote: node.get("remote").cloned(),
        caps: node.get("remote").map(disks::Limits::read),
        os_disk: root.get("os_disk").cloned(),
        local: node.get("disks").map_or(&[][..], Node::items).iter().map(|d| disk(d, "disk")).collect(),
        temp: node.get("temp").map(|d| disk(d, "temp")),
        ephemeral_os: node.get("ephemeral_os").is_some_and(|n| n.value == Value::Bool(true)),
    }
}

#[cfg(test)]
mod tests {
    use super::format::{CLASSES, DISKS, FILE, OS_DISKS as BY_VCPU};
    use super::*;
    use crate::schema::{Unknown, walk};

    #[test]
    fn every_file_is_clean() {
        let shapes_of = FILES.iter().map(|file| (*file, &FILE));
        for ((name, text), root) in shapes_of.chain([(OS_DISKS, &BY_VCPU), (disks::FILE, &DISKS), (storage::FILE, &CLASSES)]) {
            let mut problems = Diagnostics::default();
            let node = read_toml(&Source::new(name, text), &Layer::Scenario, &mut problems);
            walk(&node, root, "", Unknown::Error, &mut problems);
            assert_eq!(problems.items(), &[], "{name}");
        }
        let mut names: Vec<&str> = shapes().iter().map(|s| s.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), shapes().len());
        assert!(names.len() >= 60, "{}", names.len());
    }

    // Figures that cannot be what they say, whatever the vendor: more burst than sustained, disks larger than life.
    #[test]
    fn every_shape_makes_sense() {
        for shape in shapes() {
            assert!(shape.source.len() > 10 && shape.date.len() >= 7 && !shape.series.is_empty(), "{}", shape.name);
            let per_core = shape.nominal_memory.as_gib() / shape.vcpu as f64;
            assert!((1.9..=16.0).contains(&per_core), "{}: {per_core} GiB a vCPU", shape.name);
            let provider = if shape.provider == "aks" { Provider::Aks } else { Provider::Upstream };
            let disks = shape.disks(provider);
            assert!(!disks.is_empty(), "{} has no disk", shape.name);
            for disk in &disks {
                assert!(disk.size > disk.used && disk.read >= disk.write && disk.iops > 0, "{}: {disk:?}", shape.name);
                assert!(disk.burst.is_none_or(|b| b.rate > disk.write && b.iops >= disk.iops), "{}: {disk:?}", shape.name);
            }
        }
    }

    // AK-1, AK-2, AK-3: scratch on a Dsv5 is 150 MB/s, on a Ddsv5 it is the temp disk.
    #[test]
    fn aks_os_disk_by_shape() {
        for (vm, name, write_mb) in [
            ("Standard_D16s_v5", "os-p20", 150),
            ("Standard_D8s_v5", "os-p15", 125),
            ("Standard_D4s_v5", "os-p10", 100),
            ("Standard_D16ds_v5", "os-ephemeral", 700),
            ("standard_d8ds_v5", "os-ephemeral", 350),
            ("Standard_L8s_v3", "os-p15", 125),
        ] {
            let disks = find(vm).expect(vm).disks(Provider::Aks);
            assert_eq!((disks[0].name.as_str(), disks[0].write), (name, ByteRate::mb_per_sec(write_mb)), "{vm}");
        }
        assert_eq!(find("Standard_L8s_v3").expect("shape").disks(Provider::Aks)[2].name, "nvme");
    }

    // The root volume comes first, the instance's own NVMe after it; m5.2xlarge reaches the volume's 125 MiB/s.
    #[test]
    fn eks_nodes_have_a_root_volume() {
        let disks = find("r5d.2xlarge").expect("shape").disks(Provider::Eks);
        assert_eq!((disks[0].name.as_str(), disks[0].size, disks[0].write), ("gp3-root", Bytes::gib(20), ByteRate::per_sec(125 << 20)));
        assert_eq!((disks[1].name.as_str(), disks[1].size, find("m5.4xlarge").expect("shape").max_pods), ("nvme", Bytes::gib(279), Some(234)));
    }

    // 8.1: 12 500 Mbps is 1.25 GB/s effective.
    #[test]
    fn nic_is_eighty_percent_of_the_line() {
        assert_eq!(find("Standard_D16s_v5").expect("shape").nic(), ByteRate::mb_per_sec(1250));
    }

    // At least 40 shapes over the three clouds, all with a cap on their remote disks, and none of a cloud's figures only recalled.
    #[test]
    fn clouds_have_their_shapes_with_caps_and_sources() {
        for (provider, least) in [("aks", 20), ("eks", 20), ("gke", 18), ("rack", 2)] {
            let theirs: Vec<_> = shapes().iter().filter(|shape| shape.provider == provider).collect();
            assert!(theirs.len() >= least, "{provider}: {}", theirs.len());
            if provider != "rack" {
                for shape in theirs {
                    assert!(shape.caps.is_some() && !shape.source.contains("recalled"), "{}", shape.name);
                }
            }
        }
    }

    // Balanced disks of GKE machines: 800 MiB/s with 8 vCPUs, and an E2 of 16 writes 1000, an N2 1200; the boot disk stays below all of them.
    #[test]
    fn gke_machines_cap_their_disks() {
        for (vm, mib) in [("n2-standard-8", 800), ("e2-standard-16", 1000), ("n2-standard-16", 1200), ("e2-standard-4", 240)] {
            let shape = find(vm).expect(vm);
            let cap = shape.remote_cap().expect(vm).rate.get();
            assert!(((mib << 20) - 1_000_000..=mib << 20).contains(&cap), "{vm}: {cap}");
            assert_eq!(shape.disks(Provider::Gke)[0].write, ByteRate::per_sec(((140.0 + 0.28 * 93.0) * 1_048_576.0) as u64), "{vm}");
        }
    }
}

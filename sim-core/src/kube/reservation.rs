//! What a node keeps from its pods, by provider.
//!
//! `kubepods_limit = memory − reservation` is the limit of the cgroup that holds all pods; `allocatable` is that minus
//! the hard eviction threshold, and it is what the scheduler gives away (5.9). The gap between the two is all that
//! stands between an eviction and a kernel kill. Providers differ by gigabytes: AKS before 1.29 and GKE keep a share of
//! the memory that falls in bands, AKS from 1.29 and EKS an amount a pod. Amounts that AKS documents in MB are taken as
//! MiB. CPU of GKE and EKS follows their common bands (recalled), CPU of AKS its table, with straight lines between its
//! rows. Sources: 5.10, NE-6, A9 to A11.

use crate::spec::{NodeShape, Reservation};
use crate::units::{Bytes, CoreMillis};

/// Who runs the control plane and so decides the reservations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// Azure Kubernetes Service.
    Aks,
    /// Amazon Elastic Kubernetes Service.
    Eks,
    /// Google Kubernetes Engine.
    Gke,
    /// Kubelet defaults: nothing is reserved.
    Upstream,
}

/// How pods get addresses, which decides how many a node takes by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetworkPlugin {
    /// Azure CNI Overlay.
    AzureOverlay,
    /// Azure CNI with a pod subnet.
    AzurePodSubnet,
    /// The older Azure CNI that takes pod addresses from the nodes' subnet.
    AzureNodeSubnet,
    /// kubenet on AKS.
    Kubenet,
    /// Amazon VPC CNI: pods take secondary addresses of the instance's network interfaces.
    AmazonVpc {
        /// Network interfaces of the instance type.
        interfaces: u32,
        /// IPv4 addresses an interface.
        addresses: u32,
    },
    /// Anything else: the kubelet's default.
    Other,
}

/// `maxPods` when nobody sets it: 5.10 for Azure; interfaces · (addresses − 1) + 2 on Amazon; 110 elsewhere.
pub fn default_max_pods(network: NetworkPlugin) -> u32 {
    match network {
        NetworkPlugin::AzureOverlay => 250,
        NetworkPlugin::AzureNodeSubnet => 30,
        NetworkPlugin::AmazonVpc { interfaces, addresses } => interfaces.saturating_mul(addresses.saturating_sub(1)).saturating_add(2),
        NetworkPlugin::AzurePodSubnet | NetworkPlugin::Kubenet | NetworkPlugin::Other => 110,
    }
}

/// The network plugin that new clusters of a provider get. EKS cannot tell without the instance type.
pub fn default_network(provider: Provider) -> NetworkPlugin {
    match provider {
        Provider::Aks => NetworkPlugin::AzureOverlay,
        Provider::Eks | Provider::Gke | Provider::Upstream => NetworkPlugin::Other,
    }
}

/// Reservation of a node with `memory` and `cpu` capacity under `kubernetes` (major, minor) (5.10).
///
/// Whether AKS uses nominal or reported memory is not documented (open question 7 of the facts); the caller decides
/// what `memory` is.
pub fn reservation(provider: Provider, kubernetes: (u16, u16), memory: Bytes, cpu: CoreMillis, max_pods: u32) -> Reservation {
    let pods = u64::from(max_pods);
    let per_pod = kubernetes >= (1, 29);
    let reserved_memory = match provider {
        Provider::Aks if per_pod => (Bytes::mib(20) * pods + Bytes::mib(50)).min(Bytes::new(memory.get() / 4)),
        Provider::Gke if memory < Bytes::gib(1) => Bytes::mib(255),
        Provider::Aks | Provider::Gke => bands(memory),
        Provider::Eks => Bytes::mib(255) + Bytes::mib(11) * pods,
        Provider::Upstream => Bytes::ZERO,
    };
    let eviction_memory = if provider == Provider::Aks && !per_pod { Bytes::mib(750) } else { Bytes::mib(100) };
    let reserved_cpu = match provider {
        Provider::Aks => aks_cpu(cpu),
        Provider::Eks | Provider::Gke => banded_cpu(cpu),
        Provider::Upstream => CoreMillis::ZERO,
    };
    Reservation { memory: reserved_memory, cpu: reserved_cpu, eviction_memory, eviction_nodefs_percent: 10 }
}

/// Memory limit of the `kubepods` cgroup (5.9).
pub fn kubepods_limit(shape: &NodeShape) -> Bytes {
    shape.memory.saturating_sub(shape.reserved.memory)
}

/// Memory that the scheduler may give to pods (5.9).
pub fn allocatable_memory(shape: &NodeShape) -> Bytes {
    kubepods_limit(shape).saturating_sub(shape.reserved.eviction_memory)
}

/// CPU that the scheduler may give to pods (5.9).
pub fn allocatable_cpu(shape: &NodeShape) -> CoreMillis {
    shape.cpu.saturating_sub(shape.reserved.cpu)
}

/// 25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112, 2 % of the rest; truncated to
/// bytes.
fn bands(memory: Bytes) -> Bytes {
    const GIB: u64 = 1 << 30;
    let hundredths = banded(memory.get(), &[(4 * GIB, 25), (4 * GIB, 20), (8 * GIB, 10), (112 * GIB, 6), (u64::MAX, 2)]);
    Bytes::new((hundredths / 100) as u64)
}

/// 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest; truncated to millicores.
fn banded_cpu(cpu: CoreMillis) -> CoreMillis {
    CoreMillis::new((banded(cpu.get(), &[(1000, 600), (1000, 100), (2000, 50), (u64::MAX, 25)]) / 10_000) as u64)
}

/// Sum over (width, rate) bands of the part of `amount` in the band times its rate.
fn banded(amount: u64, bands: &[(u64, u64)]) -> u128 {
    let mut rest = amount;
    let mut sum = 0;
    for &(width, rate) in bands {
        let part = rest.min(width);
        sum += u128::from(part) * u128::from(rate);
        rest -= part;
    }
    sum
}

/// AKS' table of reserved millicores by cores, linear between rows and beyond the last at the slope before it (5.10).
fn aks_cpu(cpu: CoreMillis) -> CoreMillis {
    const TABLE: [(u64, u64); 7] = [(1000, 60), (2000, 100), (4000, 140), (8000, 180), (16_000, 260), (32_000, 420), (64_000, 740)];
    if cpu.get() <= TABLE[0].0 {
        return CoreMillis::new(TABLE[0].1);
    }
    let last = TABLE.len() - 1;
    let upper = TABLE.iter().position(|&(cores, _)| cpu.get() <= cores).unwrap_or(last);
    let ((from, low), (to, high)) = (TABLE[upper - 1], TABLE[upper]);
    let above = u128::from(cpu.get() - from) * u128::from(high - low) / u128::from(to - from);
    CoreMillis::new(low.saturating_add(u64::try_from(above).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Dist;
    use crate::units::ByteRate;

    fn node(memory: Bytes, cores: u64, reserved: Reservation) -> NodeShape {
        NodeShape {
            vm: "test".to_owned(),
            cpu: CoreMillis::cores(cores),
            memory,
            reserved,
            max_pods: 110,
            disks: Vec::new(),
            nic: ByteRate::mb_per_sec(1),
            remote: None,
            system_memory: Dist::Constant(0.0),
        }
    }

    fn shape(provider: Provider, kubernetes: (u16, u16), memory: Bytes, max_pods: u32) -> NodeShape {
        node(memory, 16, reservation(provider, kubernetes, memory, CoreMillis::cores(16), max_pods))
    }

    /// GiB rounded to `digits`, as the worked examples print them.
    fn gib(bytes: Bytes, digits: i32) -> f64 {
        let unit = 10f64.powi(digits);
        (bytes.as_gib() * unit).round() / unit
    }

    fn assert_gib(bytes: Bytes, digits: i32, expected: f64) {
        assert!((gib(bytes, digits) - expected).abs() < 1e-9, "{} GiB, expected {expected}", bytes.as_gib());
    }

    #[test]
    fn a9_aks_before_1_29() {
        for (nominal, kubepods, allocatable) in [(64, 58.52, 57.7876), (128, 118.68, 117.9476)] {
            let shape = shape(Provider::Aks, (1, 28), Bytes::gib(nominal), 110);
            assert_gib(kubepods_limit(&shape), 4, kubepods);
            assert_gib(allocatable_memory(&shape), 4, allocatable);
        }
        // The documentation's 7 GB example: 1 + 0.6 + 0.75 with the eviction threshold = 33.57 % of the node.
        let seven = reservation(Provider::Aks, (1, 28), Bytes::gib(7), CoreMillis::cores(2), 110);
        assert_gib(seven.memory, 4, 1.6);
        assert_eq!(seven.eviction_memory, Bytes::mib(750));
    }

    #[test]
    fn a10_aks_from_1_29() {
        // The documentation's "8 GB, 30 pods" and "4 GB, 70 pods", MB taken as MiB.
        let eight = shape(Provider::Aks, (1, 29), Bytes::mib(8000), 30);
        assert_eq!((eight.reserved.memory, allocatable_memory(&eight)), (Bytes::mib(650), Bytes::mib(7250)));
        assert_eq!(reservation(Provider::Aks, (1, 29), Bytes::mib(4000), CoreMillis::cores(2), 70).memory, Bytes::mib(1000));
        for (pods, kubepods, allocatable) in [(110, 63_286, 63_186), (250, 60_486, 60_386)] {
            let shape = shape(Provider::Aks, (1, 30), Bytes::gib(64), pods);
            assert_eq!((kubepods_limit(&shape), allocatable_memory(&shape)), (Bytes::mib(kubepods), Bytes::mib(allocatable)));
        }
    }

    #[test]
    fn a11_gke_and_eks() {
        assert_gib(allocatable_memory(&shape(Provider::Gke, (1, 28), Bytes::gib(150), 110)), 4, 140.1423);
        for (pods, reserved) in [(58, 893), (17, 442)] {
            assert_eq!(reservation(Provider::Eks, (1, 28), Bytes::gib(64), CoreMillis::cores(16), pods).memory, Bytes::mib(reserved));
        }
    }

    #[test]
    fn table_5_10_for_64_gib() {
        let cases = [
            (Provider::Aks, (1, 29), 30, 63.37, 63.27),
            (Provider::Aks, (1, 29), 110, 61.80, 61.71),
            (Provider::Aks, (1, 29), 250, 59.07, 58.97),
            (Provider::Gke, (1, 29), 110, 58.52, 58.42),
            (Provider::Eks, (1, 29), 234, 61.24, 61.14),
            (Provider::Upstream, (1, 29), 110, 64.00, 63.90),
        ];
        for (provider, kubernetes, pods, kubepods, allocatable) in cases {
            let shape = shape(provider, kubernetes, Bytes::gib(64), pods);
            assert_gib(kubepods_limit(&shape), 2, kubepods);
            assert_gib(allocatable_memory(&shape), 2, allocatable);
        }
    }

    #[test]
    fn small_machines() {
        assert_eq!(reservation(Provider::Gke, (1, 28), Bytes::mib(600), CoreMillis::cores(1), 110).memory, Bytes::mib(255));
        assert_eq!(reservation(Provider::Gke, (1, 28), Bytes::gib(2), CoreMillis::cores(1), 110).memory, Bytes::mib(512));
        // A reservation larger than the machine leaves nothing, without a panic.
        assert_eq!(allocatable_memory(&shape(Provider::Eks, (1, 28), Bytes::mib(300), 110)), Bytes::ZERO);
    }

    #[test]
    fn aks_cpu_table_and_between_its_rows() {
        // Between: 12 cores lie halfway from 180 (8) to 260 (16). Beyond 64 the slope stays 10m a core: 96 cores 1060m.
        let cases = [(1, 60), (2, 100), (4, 140), (8, 180), (12, 220), (16, 260), (32, 420), (48, 580), (64, 740), (96, 1060)];
        for (cores, reserved) in cases {
            let cpu = reservation(Provider::Aks, (1, 28), Bytes::gib(64), CoreMillis::cores(cores), 110).cpu;
            assert_eq!(cpu, CoreMillis::new(reserved), "{cores} cores");
        }
        assert_eq!(allocatable_cpu(&shape(Provider::Aks, (1, 28), Bytes::gib(64), 110)), CoreMillis::new(15_740));
        assert_eq!(reservation(Provider::Aks, (1, 28), Bytes::gib(64), CoreMillis::new(u64::MAX), 110).eviction_nodefs_percent, 10);
    }

    #[test]
    fn gke_and_eks_cpu_bands() {
        // 60 + 10 + 2·5 = 80 for four cores; 12 more at 2.5 = 110 for sixteen.
        for (cores, reserved) in [(1, 60), (2, 70), (4, 80), (16, 110)] {
            assert_eq!(reservation(Provider::Gke, (1, 28), Bytes::gib(64), CoreMillis::cores(cores), 110).cpu, CoreMillis::new(reserved));
        }
        assert_eq!(reservation(Provider::Upstream, (1, 28), Bytes::gib(64), CoreMillis::cores(16), 110).cpu, CoreMillis::ZERO);
    }

    #[test]
    fn default_pods_a_node() {
        // Amazon's counts are those of the worked examples: m5.4xlarge 234, m5.xlarge 58, t3.medium 17.
        let vpc = |interfaces, addresses| NetworkPlugin::AmazonVpc { interfaces, addresses };
        let cases = [
            (NetworkPlugin::AzureOverlay, 250),
            (NetworkPlugin::AzurePodSubnet, 110),
            (NetworkPlugin::AzureNodeSubnet, 30),
            (NetworkPlugin::Kubenet, 110),
            (vpc(8, 30), 234),
            (vpc(4, 15), 58),
            (vpc(3, 6), 17),
            (NetworkPlugin::Other, 110),
        ];
        for (network, pods) in cases {
            assert_eq!(default_max_pods(network), pods, "{network:?}");
        }
        assert_eq!(default_max_pods(default_network(Provider::Aks)), 250);
        assert_eq!(default_max_pods(default_network(Provider::Upstream)), 110);
    }
}

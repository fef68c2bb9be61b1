//! Values that follow from others, put into the tree so that they have an origin too.
//!
//! A pool's machine comes from its VM shape (5.11) where the pool does not say it; `MemTotal` is 98 % of the nominal memory
//! (0.2); reservations come from the provider's formula on the nominal memory (5.10); the cgroup version from the Kubernetes
//! version (QO-4, QO-5), the share of the heap that is touched from the collector.

use sim_core::kube::reservation::{NetworkPlugin, Provider, default_max_pods, reservation};
use sim_core::spark::jvm::{default_young_share, heap_growth};
use sim_core::spec::{Collector, Platform};
use sim_core::units::{ByteRate, Bytes, CoreMillis};

use super::{View, cluster, daemons, derived, real};
use crate::catalog::{self, MEM_TOTAL_SHARE, VmShape};
use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::{Layer, Node, Value, read_value};
use crate::schema::nearest;

/// Fills what follows; problems are unknown shapes and pools that do not say what their machines are.
pub(super) fn derive(tree: &mut Node, problems: &mut Diagnostics) {
    let name = View(tree).text("name");
    missing(tree, "title", || derived(Value::Text(name), "the name"));
    let Some(cluster) = tree.get_mut("cluster") else { return };
    let platform = View(cluster).text("platform");
    let kubernetes = kubernetes_version(&View(cluster).text("kubernetes"));
    missing(cluster, "cgroup", || cgroup(&platform, kubernetes));
    daemons::derive(cluster);
    if let Some(swap) = cluster.get_mut("swap") {
        let on_kubernetes = cluster::platform(&platform) == Platform::Kubernetes;
        missing(swap, "tmpfs_noswap", || derived(Value::Bool(on_kubernetes), "what the kubelet mounts, ED-2"));
    }
    if let Some(kubelet) = cluster.get_mut("kubelet") {
        missing(kubelet, "sized_memory_volumes", || sized_memory_volumes(&platform, kubernetes));
    }
    let provider = match platform.as_str() {
        "aks" => Provider::Aks,
        "eks" => Provider::Eks,
        "gke" => Provider::Gke,
        _ => Provider::Upstream,
    };
    missing(cluster, "network", || network(provider, &platform));
    let network = View(cluster).text("network");
    let Some(Value::Array(pools)) = cluster.get_mut("pool").map(|node| &mut node.value) else { return };
    for (i, pool) in pools.iter_mut().enumerate() {
        missing(pool, "name", || derived(Value::Text(format!("pool-{i}")), "its place in the list"));
        real::unknown_machine(pool, provider, problems);
        machine(pool, i, provider, problems);
        real::file_system(pool);
        max_pods(pool, &network);
        reserve(pool, provider, &platform, kubernetes);
        taints(pool, problems);
        if provider == Provider::Aks {
            data_disks(pool);
        }
    }
    real::known_nodes(cluster, problems);
}

/// Data disks that an Azure VM takes: two a vCPU, at most 32, in all general families (a pool that is described by hand has no limit).
fn data_disks(pool: &mut Node) {
    if let Some(shape) = pool.get("vm").and_then(Node::text).and_then(catalog::find) {
        let disks = (2 * shape.vcpu).min(32);
        missing(pool, "max_volumes", || derived(Value::Integer(disks.cast_signed()), shape.name.clone()));
    }
}

/// Spread of the young share of real G1 executors (docs/model/heap-touch.md).
const G1_YOUNG_SHARE_SD: f64 = 0.04;

/// What follows from the collector, unless the scenario says it: the share of the heap that the young generation touches, and the growth of a
/// heap that begins small.
pub(super) fn young_share(tree: &mut Node, collector: Collector) {
    let Some(uncertainty) = tree.get_mut("uncertainty") else { return };
    let share = default_young_share(collector);
    let (toml, from) = match collector {
        Collector::G1 => (format!("{{ normal = {{ mean = {share}, sd = {G1_YOUNG_SHARE_SD} }} }}"), "G1 executors, measured"),
        Collector::Parallel | Collector::Serial => (share.to_string(), "NewRatio = 2 of the collector"),
    };
    if let Some(node) = read_value(&toml, &Layer::Derived(from.to_owned())) {
        missing(uncertainty, "heap_young_share", || node);
    }
    let (mean, sd) = heap_growth(collector);
    let from = match collector {
        Collector::G1 | Collector::Parallel => "growing heaps under G1, measured",
        Collector::Serial => "growing heaps under Serial, measured",
    };
    if let Some(node) = read_value(&format!("{{ normal = {{ mean = {mean}, sd = {sd} }} }}"), &Layer::Derived(from.to_owned())) {
        missing(uncertainty, "heap_growth", || node);
    }
}

pub(super) fn missing(table: &mut Node, key: &str, make: impl FnOnce() -> Node) {
    if table.get(key).is_none() {
        let node = make();
        table.insert(key, node);
    }
}

pub(super) fn kubernetes_version(text: &str) -> (u16, u16) {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    (major.parse().unwrap_or(1), minor.parse().unwrap_or(0))
}

/// cgroup v2 from 1.25 on providers' images, group kill from 1.28 (QO-4, QO-5); v1 outside Kubernetes.
fn cgroup(platform: &str, kubernetes: (u16, u16)) -> Node {
    if ["yarn", "standalone", "bare"].contains(&platform) {
        return derived(Value::Text("v1".to_owned()), format!("usual on {platform}"));
    }
    let name = if kubernetes >= (1, 28) {
        "v2-group-kill"
    } else if kubernetes >= (1, 25) {
        "v2"
    } else {
        "v1"
    };
    derived(Value::Text(name.to_owned()), format!("Kubernetes {}.{} (QO-4, QO-5)", kubernetes.0, kubernetes.1))
}

/// What new clusters of a provider get.
fn network(provider: Provider, platform: &str) -> Node {
    let name = match provider {
        Provider::Aks => "azure-overlay",
        Provider::Eks => "amazon-vpc",
        Provider::Gke | Provider::Upstream => "other",
    };
    derived(Value::Text(name.to_owned()), format!("what new clusters on {platform} get (5.10)"))
}

/// Pods of a node by the network plugin; Amazon's has as many addresses as the instance type's network interfaces.
fn max_pods(pool: &mut Node, network: &str) {
    let by_type = pool.get("vm").and_then(Node::text).and_then(catalog::find).and_then(|shape| shape.max_pods);
    let pods = match network {
        "azure-overlay" => default_max_pods(NetworkPlugin::AzureOverlay),
        "azure-pod-subnet" => default_max_pods(NetworkPlugin::AzurePodSubnet),
        "azure-node-subnet" => default_max_pods(NetworkPlugin::AzureNodeSubnet),
        "kubenet" => default_max_pods(NetworkPlugin::Kubenet),
        "amazon-vpc" => by_type.map_or(default_max_pods(NetworkPlugin::Other), |pods| pods as u32),
        _ => default_max_pods(NetworkPlugin::Other),
    };
    missing(pool, "max_pods", || derived(Value::Integer(i64::from(pods)), format!("network plugin {network} (5.10)")));
}

/// `SizeMemoryBackedVolumes` is on by default from 1.22 (ED-1); elsewhere nobody mounts volumes.
fn sized_memory_volumes(platform: &str, kubernetes: (u16, u16)) -> Node {
    if cluster::platform(platform) != sim_core::spec::Platform::Kubernetes {
        return derived(Value::Bool(true), format!("no kubelet on {platform}"));
    }
    derived(Value::Bool(kubernetes >= (1, 22)), format!("Kubernetes {}.{} (ED-1)", kubernetes.0, kubernetes.1))
}

fn machine(pool: &mut Node, index: usize, provider: Provider, problems: &mut Diagnostics) {
    let shape = pool.get("vm").and_then(Node::text).and_then(catalog::find);
    if let Some(vm) = pool.get("vm")
        && shape.is_none()
    {
        let name = vm.text().unwrap_or_default();
        let names: Vec<&str> = catalog::shapes().iter().map(|s| s.name.as_str()).collect();
        let near = nearest(name, names.iter().copied());
        let hint = if near.is_empty() {
            "describe the machine by cpu, memory, disk and nic instead of vm".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        let missing_parts = ["cpu", "memory", "disk", "nic"].iter().any(|key| pool.get(key).is_none());
        let expected = format!("one of the {} shapes of `spillcast list vms`", names.len());
        if missing_parts {
            problems.push(vm.mark(Diagnostic::error("unknown-vm", format!("the catalog has no VM shape {name:?}"))).found(name).expected(expected).hint(hint));
            return;
        }
    }
    if let Some(shape) = shape {
        from_shape(pool, shape, provider);
    }
    let named = View(pool).text("name");
    for key in ["cpu", "memory", "disk", "nic"].into_iter().filter(|key| pool.get(key).is_none()) {
        let message = format!("cluster.pool.{index}.{key} is missing: pool {named:?} has no VM shape that gives it");
        problems.push(
            pool.mark(Diagnostic::error("missing-key", message))
                .expected(format!("vm, or {key}"))
                .hint("add vm = \"Standard_D16s_v5\", or describe the machine by cpu, memory, disk and nic"),
        );
    }
    missing(pool, "vm", || derived(Value::Text("custom".to_owned()), "described by hand"));
    let nominal = View(pool).size("memory");
    missing(pool, "nominal_memory", || derived(size(nominal), "memory of the pool"));
    super::disks::fill(pool, shape, problems);
}

fn from_shape(pool: &mut Node, shape: &VmShape, provider: Provider) {
    let from = format!("VM shape {}", shape.name);
    missing(pool, "cpu", || derived(cpu(CoreMillis::cores(shape.vcpu)), &from));
    missing(pool, "nominal_memory", || derived(size(shape.nominal_memory), &from));
    let visible = Bytes::mib(shape.nominal_memory.scale(MEM_TOTAL_SHARE).whole_mib());
    missing(pool, "memory", || derived(size(visible), format!("98 % of {from} (0.2)")));
    machine_speed(pool, shape, provider, &from);
}

/// Disks and network of a shape.
pub(super) fn machine_speed(pool: &mut Node, shape: &VmShape, provider: Provider, from: &str) {
    missing(pool, "nic", || derived(rate(shape.nic()), format!("80 % of the line rate of {from} (8.1)")));
    if let Some(cap) = shape.remote_cap().filter(|_| pool.get("remote").is_none()) {
        pool.insert("remote", derived(rate(cap.rate), from));
        missing(pool, "remote_iops", || derived(super::disks::whole(cap.iops), from));
        if let Some(credit) = &cap.burst {
            missing(pool, "remote_burst", || super::disks::burst(credit, from));
        }
    }
    missing(pool, "disk", || super::disks::of_shape(&shape.disks(provider), from));
}

fn reserve(pool: &mut Node, provider: Provider, platform: &str, kubernetes: (u16, u16)) {
    let view = View(pool);
    let kubernetes_platform = cluster::platform(platform) == sim_core::spec::Platform::Kubernetes;
    let mut kept = reservation(provider, kubernetes, view.size("nominal_memory"), view.cpu("cpu"), view.count("max_pods"));
    let mut from = format!("reservation of {platform} {}.{} (5.10)", kubernetes.0, kubernetes.1);
    if !kubernetes_platform {
        kept = sim_core::spec::Reservation::default();
        from = format!("no kubelet on {platform}");
    }
    if let Some(status) = pool.get("allocatable") {
        kept = real::kept(kept, View(pool), View(status));
        "the nodes' status: capacity without allocatable (5.9)".clone_into(&mut from);
    }
    let Some(reserved) = pool.get_mut("reserved") else { return };
    missing(reserved, "memory", || derived(size(kept.memory), &from));
    missing(reserved, "cpu", || derived(cpu(kept.cpu), &from));
    missing(reserved, "eviction_memory", || derived(size(kept.eviction_memory), &from));
    missing(reserved, "eviction_nodefs_percent", || derived(Value::Integer(i64::from(kept.eviction_nodefs_percent)), &from));
}

fn taints(pool: &Node, problems: &mut Diagnostics) {
    for item in pool.get("taints").map_or(&[][..], Node::items) {
        if item.text().and_then(cluster::taint).is_none() {
            problems.push(
                item.mark(Diagnostic::error("bad-value", "this taint cannot be read"))
                    .found(item.found())
                    .expected("key=value:Effect with NoSchedule, PreferNoSchedule or NoExecute")
                    .hint("write \"dedicated=spark:NoSchedule\""),
            );
        }
    }
}

/// A size in the largest unit that is exact.
pub(super) fn size(bytes: Bytes) -> Value {
    let n = bytes.get();
    let (unit, shift) = [("GiB", 30), ("MiB", 20), ("KiB", 10)].into_iter().find(|(_, shift)| n != 0 && n.trailing_zeros() >= *shift).unwrap_or(("B", 0));
    Value::Text(if n == 0 { "0".to_owned() } else { format!("{}{unit}", n >> shift) })
}

pub(super) fn rate(rate: ByteRate) -> Value {
    let n = rate.get();
    Value::Text(if n.is_multiple_of(1_000_000) { format!("{}MB/s", n / 1_000_000) } else { format!("{n}B/s") })
}

fn cpu(cpu: CoreMillis) -> Value {
    Value::Text(if cpu.get().is_multiple_of(1000) { (cpu.get() / 1000).to_string() } else { format!("{}m", cpu.get()) })
}

//! `[cluster]` to the model's machines.

use sim_core::spec::{
    AutoscalerSpec, BurstSpec, CgroupVersion, ClusterSpec, ContainerControl, DeviceUse, DiskSpec, EvictionSpec, Expander, KubeletSpec, MemoryUse,
    NeighbourPlacement, NeighbourSpec, NodeShape, Platform, PoolSpec, RemoteSpec, Reservation, Resources, SoftEviction, SwapSpec, Taint, YarnSpec,
};
use sim_core::units::{ByteRate, Bytes};

use super::{View, daemons, kube_scheduler};
use crate::kube_yaml::taint_effect;
use crate::schema::Measure;

/// The cluster from a filled tree.
pub(super) fn cluster(view: View<'_>) -> ClusterSpec {
    let kubelet = view.table("kubelet");
    let yarn = view.table("yarn");
    ClusterSpec {
        platform: platform(&view.text("platform")),
        neighbours: neighbours(view),
        daemons: daemons::daemons(view),
        swap: swap(view.table("swap")),
        pools: pools(view),
        cgroup: match view.text("cgroup").as_str() {
            "v1" => CgroupVersion::V1,
            name => CgroupVersion::V2 { group_kill: name == "v2-group-kill" },
        },
        kubelet: KubeletSpec {
            eviction_period_s: kubelet.time("eviction_period").as_secs_f64(),
            metrics_age_s: kubelet.dist("metrics_age", Measure::Seconds),
            volume_stats_period_s: kubelet.time("volume_stats_period").as_secs_f64(),
            teardown_s: kubelet.dist("teardown", Measure::Seconds),
            active_file_share: kubelet.number("active_file_share"),
            sized_memory_volumes: kubelet.on("sized_memory_volumes"),
            eviction: eviction(kubelet),
        },
        autoscaler: autoscaler(view.table("autoscaler")),
        scheduler: kube_scheduler::profile(view.table("scheduler")),
        yarn: yarn_site(yarn),
    }
}

fn yarn_site(view: View<'_>) -> YarnSpec {
    let minimum = view.size("minimum_allocation");
    YarnSpec {
        minimum_allocation: minimum,
        increment_allocation: view.maybe_size("increment_allocation").unwrap_or(minimum),
        maximum_allocation: view.maybe_size("maximum_allocation"),
        counts_vcores: view.text("resource_calculator") == "dominant",
        node_vcores: view.maybe("node_vcores").map(|_| view.count("node_vcores")),
        control: if view.text("memory_control") == "cgroup" { ContainerControl::Cgroup } else { ContainerControl::Monitor },
        disk_utilization: view.number("disk_max_utilization"),
        disk_check_interval_s: view.time("disk_check_interval").as_secs_f64(),
        node_memory_share: view.number("node_memory_share"),
        monitor_interval_s: view.time("monitor_interval").as_secs_f64(),
        pmem_check: view.on("pmem_check"),
        vmem_check: view.on("vmem_check"),
        vmem_ratio: view.number("vmem_ratio"),
    }
}

fn swap(view: View<'_>) -> SwapSpec {
    SwapSpec {
        size: view.size("size"),
        for_cgroups: view.count("swappiness") > 0,
        limited: view.text("behavior") == "LimitedSwap",
        tmpfs_noswap: view.on("tmpfs_noswap"),
    }
}

fn autoscaler(view: View<'_>) -> AutoscalerSpec {
    AutoscalerSpec {
        scan_interval: view.time("scan_interval"),
        scale_up_s: view.dist("scale_up", Measure::Seconds),
        max_node_provision: view.time("max_node_provision_time"),
        expander: if view.text("expander") == "least-waste" { Expander::LeastWaste } else { Expander::Random },
        scale_down: view.on("scale_down"),
        scale_down_threshold: view.number("scale_down_utilization_threshold"),
        scale_down_unneeded: view.time("scale_down_unneeded_time"),
        scale_down_delay_after_add: view.time("scale_down_delay_after_add"),
        max_graceful_termination: view.time("max_graceful_termination"),
        skip_local_storage: view.on("skip_nodes_with_local_storage"),
    }
}

fn eviction(kubelet: View<'_>) -> EvictionSpec {
    let soft = SoftEviction { available: kubelet.size("eviction_soft_memory"), grace: kubelet.time("eviction_soft_grace") };
    EvictionSpec {
        soft: Some(soft).filter(|soft| !soft.available.is_zero()),
        minimum_reclaim: kubelet.size("eviction_minimum_reclaim"),
        pressure_transition: kubelet.time("pressure_transition"),
        unused_images: kubelet.size("unused_images"),
    }
}

/// The platform by its name in a scenario; providers are Kubernetes.
pub(super) fn platform(name: &str) -> Platform {
    match name {
        "yarn" => Platform::Yarn,
        "standalone" => Platform::Standalone,
        "bare" => Platform::Bare,
        _ => Platform::Kubernetes,
    }
}

/// The node pools.
pub(super) fn pools(view: View<'_>) -> Vec<PoolSpec> {
    view.items("pool").map(pool).collect()
}

fn pool(view: View<'_>) -> PoolSpec {
    let reserved = view.table("reserved");
    PoolSpec {
        name: view.text("name"),
        node_names: view.items("node_names").filter_map(|name| name.0.scalar()).collect(),
        count: view.count("count"),
        max_count: view.maybe("max").map(|_| view.count("max")),
        min_count: view.maybe("min").map(|_| view.count("min")),
        shape: NodeShape {
            vm: view.text("vm"),
            cpu: view.cpu("cpu"),
            memory: view.size("memory"),
            reserved: Reservation {
                memory: reserved.size("memory"),
                cpu: reserved.cpu("cpu"),
                eviction_memory: reserved.size("eviction_memory"),
                eviction_nodefs_percent: reserved.count("eviction_nodefs_percent"),
            },
            max_pods: view.count("max_pods"),
            disks: view.items("disk").map(disk).collect(),
            nic: view.rate("nic"),
            remote: view.maybe("remote").map(|_| remote(view)),
            system_memory: view.dist("system_memory", Measure::Bytes),
        },
        labels: view.labels("labels"),
        taints: view.items("taints").filter_map(|item| taint(item.0.text()?)).collect(),
        zones: view.items("zones").filter_map(|item| item.0.scalar()).collect(),
        max_volumes: view.maybe("max_volumes").map(|_| view.count("max_volumes")),
    }
}

fn disk(view: View<'_>) -> DiskSpec {
    DiskSpec {
        name: view.text("name"),
        size: view.size("size"),
        used: view.size("used"),
        read: view.rate("read"),
        write: view.rate("write"),
        iops: view.count64("iops"),
        io_size: view.size("io_size"),
        burst: view.maybe("burst").is_some().then(|| burst(view.table("burst"))),
        remote: view.on("remote"),
    }
}

/// A pool's cap on remote disks; without `remote_iops` only the bandwidth counts.
fn remote(view: View<'_>) -> RemoteSpec {
    RemoteSpec {
        rate: view.rate("remote"),
        iops: view.maybe("remote_iops").map_or(u64::from(u32::MAX), |_| view.count64("remote_iops")),
        io_size: Bytes::kib(256),
        burst: view.maybe("remote_burst").map(burst),
    }
}

pub(super) fn burst(view: View<'_>) -> BurstSpec {
    BurstSpec { rate: view.rate("rate"), iops: view.count64("iops"), credit: view.size("credit") }
}

/// A taint in kubectl's notation, `key=value:Effect` or `key:Effect`.
pub(super) fn taint(text: &str) -> Option<Taint> {
    let (rest, effect) = text.rsplit_once(':')?;
    let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
    (!key.is_empty()).then_some(())?;
    Some(Taint { key: key.to_owned(), value: value.to_owned(), effect: taint_effect(effect)? })
}

/// Names of all nodes in the order of the pools, as the model makes them.
pub(super) fn node_names(view: View<'_>) -> Vec<String> {
    let of_pool = |pool: View<'_>| {
        let (name, own) = (pool.text("name"), pool.items("node_names").filter_map(|name| name.0.scalar()).collect::<Vec<_>>());
        (0..pool.count("count")).map(|index| own.get(index as usize).cloned().unwrap_or_else(|| format!("{name}-{index}"))).collect::<Vec<_>>()
    };
    view.items("pool").flat_map(of_pool).collect()
}

fn neighbours(view: View<'_>) -> Vec<NeighbourSpec> {
    let placed = view.items("neighbour").any(|neighbour| neighbour.maybe("nodes").is_some());
    let names = if placed { node_names(view) } else { Vec::new() };
    view.items("neighbour").map(|item| neighbour(item, &names)).collect()
}

fn devices(view: View<'_>) -> DeviceUse {
    let rate = |key: &str| if view.maybe(key).is_some() { view.rate(key) } else { ByteRate::per_sec(0) };
    DeviceUse {
        held: view.dist("ephemeral_use", Measure::Bytes),
        read: rate("disk_read"),
        write: rate("disk_write"),
        iops: view.count64("disk_iops"),
        nic_in: rate("nic_in"),
        nic_out: rate("nic_out"),
    }
}

fn neighbour(view: View<'_>, node_names: &[String]) -> NeighbourSpec {
    let on = |name: View<'_>| node_names.iter().position(|known| name.0.text() == Some(known)).map(|index| index as u32);
    NeighbourSpec {
        name: view.text("name"),
        placement: if view.maybe("nodes").is_some() {
            NeighbourPlacement::On(view.items("nodes").filter_map(on).collect())
        } else if view.maybe("replicas").is_some() {
            NeighbourPlacement::Replicas(view.count("replicas"))
        } else {
            NeighbourPlacement::EveryNode
        },
        resources: Resources {
            cpu_request: view.cpu("cpu_request"),
            cpu_limit: view.maybe("cpu_limit").map(|_| view.cpu("cpu_limit")),
            memory_request: view.size("memory_request"),
            memory_limit: view.maybe_size("memory_limit"),
            ephemeral_request: view.size("ephemeral_request"),
            ephemeral_limit: view.maybe_size("ephemeral_limit"),
        },
        memory: MemoryUse { anon: view.dist("anon", Measure::Bytes), shmem: view.dist("shmem", Measure::Bytes), processes: view.count("processes") },
        cpu_use: view.cpu("cpu_use"),
        devices: devices(view),
        priority: view.priority("priority"),
        labels: view.labels("labels"),
        namespace: view.text("namespace"),
        arrives: view.maybe("arrives").map(|_| view.time("arrives")),
        restarts: view.on("restarts"),
    }
}

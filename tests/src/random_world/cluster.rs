//! Machines, who else uses them, and how pods find them.

use super::Draw;
use super::pods::on_executors;
use crate::world;
use sim_core::spec::{
    AutoscalerSpec, BurstSpec, DeviceUse, Dist, ExclusionConf, Expander, FitStrategy, HostPort, Label, NeighbourPlacement, NeighbourSpec, PoolConf, PoolSpec,
    RemoteSpec, SchedulingMode, SoftEviction, Spec, SpeculationConf, SpreadConstraint, Taint, TaintEffect, VolumeSource, WhenUnsatisfiable,
};
use sim_core::units::{ByteRate, Bytes, CoreMillis, SimSpan};

pub(super) fn pools(d: &mut Draw, spec: &mut Spec) {
    let nodes = d.count(1, 4) as u32;
    let mut shape = world::node(d.bytes(Bytes::gib(2), Bytes::gib(16)));
    shape.cpu = CoreMillis::cores(d.count(1, 8));
    shape.reserved.eviction_memory = d.one_of(&[Bytes::mib(100), Bytes::mib(750)]);
    shape.nic = ByteRate::mb_per_sec(d.count(5, 1000));
    let disks = d.count(1, 3);
    shape.disks = (0..disks).map(|_| world::disk(d.bytes(Bytes::mib(300), Bytes::gib(100)), d.count(5, 500))).collect();
    for disk in &mut shape.disks {
        disk.used = disk.size.scale(d.one_of(&[0.0, 0.1, 0.5, 0.88]));
        disk.iops = d.count(50, 100_000);
    }
    let taint = Taint { key: "dedicated".into(), value: "other".into(), effect: d.one_of(&[TaintEffect::NoSchedule, TaintEffect::PreferNoSchedule]) };
    let mut pool = PoolSpec {
        name: "a".into(),
        node_names: Vec::new(),
        count: nodes,
        shape,
        labels: vec![Label::new("zone", "1")],
        taints: Vec::new(),
        zones: Vec::new(),
        max_count: None,
        min_count: None,
        max_volumes: None,
    };
    let mut other = pool.clone();
    spec.cluster.pools = if nodes > 1 && d.once_in(3) {
        pool.count = 1;
        other.name = "b".into();
        other.count = nodes - 1;
        other.shape.memory = d.bytes(Bytes::gib(2), Bytes::gib(16));
        other.labels = vec![Label::new("zone", "2")];
        other.taints = if d.once_in(2) { vec![taint] } else { Vec::new() };
        vec![pool, other]
    } else {
        vec![pool]
    };
}

pub(super) fn neighbours(d: &mut Draw, spec: &mut Spec) {
    let eviction = &mut spec.cluster.kubelet.eviction;
    if d.once_in(4) {
        eviction.soft = Some(SoftEviction { available: d.bytes(Bytes::mib(50), Bytes::gib(4)), grace: SimSpan::from_secs(d.count(0, 60)) });
        eviction.minimum_reclaim = d.bytes(Bytes::new(0), Bytes::gib(1));
        eviction.unused_images = d.bytes(Bytes::new(0), Bytes::gib(1));
    }
    for index in 0..d.count(0, 3) {
        let anon = d.bytes(Bytes::mib(20), Bytes::gib(6));
        let mut it: NeighbourSpec = world::neighbour(&format!("neighbour-{index}"), d.bytes(Bytes::mib(1), Bytes::gib(2)), anon);
        let nodes: u64 = spec.cluster.pools.iter().map(|pool| u64::from(pool.count)).sum();
        if d.once_in(3) {
            it.placement = NeighbourPlacement::Replicas(d.count(1, 5) as u32);
        } else if d.once_in(4) {
            it.placement = NeighbourPlacement::On((0..d.count(0, 4)).map(|_| d.count(0, nodes - 1) as u32).collect());
        }
        if d.once_in(2) {
            it.memory.anon = Dist::Lognormal { median: anon.as_f64(), sigma: 0.3 };
        }
        if d.once_in(3) {
            it.memory.shmem = Dist::Constant(d.bytes(Bytes::mib(1), Bytes::gib(1)).as_f64());
        }
        if d.once_in(3) {
            it.resources.memory_limit = Some(d.bytes(Bytes::mib(16), Bytes::gib(4)));
        }
        if d.once_in(6) {
            it.resources = sim_core::spec::Resources::default();
        }
        it.memory.processes = d.one_of(&[1, 1, 2, 7]);
        it.priority = d.one_of(&[0, 0, -5, 1000, 2_000_000_000, 2_000_001_000]);
        it.restarts = !d.once_in(4);
        it.cpu_use = CoreMillis::new(d.count(0, 2000));
        spec.cluster.neighbours.push(it);
    }
}

pub(super) fn scheduler(d: &mut Draw, spec: &mut Spec) {
    let conf = &mut spec.spark.scheduler;
    let wait = SimSpan::from_ms(d.one_of(&[0, 100, 3000]));
    conf.locality.wait_node = wait;
    conf.locality.wait_process = d.one_of(&[wait, SimSpan::ZERO]);
    conf.locality.reset_on_launch = d.once_in(4);
    conf.mode = d.one_of(&[SchedulingMode::Fifo, SchedulingMode::Fair]);
    conf.pools = vec![PoolConf { mode: SchedulingMode::Fair, weight: d.count(1, 3) as u32, min_share: d.count(0, 3) as u32, ..PoolConf::plain("a") }];
    if d.once_in(3) {
        conf.speculation = Some(SpeculationConf {
            quantile: d.one_of(&[0.1, 0.75]),
            multiplier: d.one_of(&[1.1, 1.5]),
            threshold: d.once_in(3).then(|| SimSpan::from_secs(2)),
            efficiency: if d.once_in(2) { None } else { SpeculationConf::default().efficiency },
            ..SpeculationConf::default()
        });
    }
    if d.once_in(3) {
        conf.exclusion = Some(ExclusionConf { timeout: SimSpan::from_secs(d.count(1, 60)), ..ExclusionConf::default() });
    }
}

/// Pools that may grow, with nodes that are sometimes too late, and shrink. Drawn last.
pub(super) fn growing(d: &mut Draw, spec: &mut Spec) {
    for pool in &mut spec.cluster.pools {
        pool.max_count = d.once_in(3).then(|| pool.count + d.count(1, 3) as u32);
    }
    spec.cluster.autoscaler = AutoscalerSpec {
        scan_interval: SimSpan::from_secs(d.count(1, 20)),
        scale_up_s: Dist::Uniform { low: 1.0, high: 60.0 },
        max_node_provision: SimSpan::from_secs(d.count(10, 90)),
        expander: d.one_of(&[Expander::Random, Expander::LeastWaste]),
        scale_down: !d.once_in(4),
        scale_down_threshold: 0.3 + 0.1 * d.count(0, 7) as f64,
        scale_down_unneeded: SimSpan::from_secs(d.count(1, 60)),
        scale_down_delay_after_add: SimSpan::from_secs(d.count(0, 60)),
        max_graceful_termination: SimSpan::from_secs(d.count(0, 60)),
        skip_local_storage: d.once_in(2),
    };
    for pool in &mut spec.cluster.pools {
        pool.min_count = d.once_in(3).then(|| pool.count.saturating_sub(d.count(1, 3) as u32));
    }
    spec.spark.kubernetes.pod_template.safe_to_evict = d.one_of(&[None, Some(true), Some(false)]);
}

/// Zones, spread constraints, host ports, attachable disks, priorities, later neighbours and the scheduler's profile.
pub(super) fn placing(d: &mut Draw, spec: &mut Spec) {
    let zones: Vec<String> = (0..d.count(0, 3)).map(|zone| zone.to_string()).collect();
    for pool in &mut spec.cluster.pools {
        pool.zones.clone_from(&zones);
        pool.max_volumes = d.once_in(3).then(|| d.count(0, 4) as u32);
    }
    for _ in 0..d.count(0, 2) {
        let selector = on_executors("").selector;
        spec.spark.kubernetes.pod_template.spread.push(SpreadConstraint {
            max_skew: d.count(1, 3) as u32,
            topology_key: d.one_of(&["kubernetes.io/hostname", "topology.kubernetes.io/zone"]).into(),
            when_unsatisfiable: d.one_of(&[WhenUnsatisfiable::DoNotSchedule, WhenUnsatisfiable::ScheduleAnyway]),
            selector,
            min_domains: d.count(1, 3) as u32,
            honor_affinity: d.once_in(2),
            honor_taints: d.once_in(2),
            match_label_keys: Vec::new(),
        });
    }
    if d.once_in(8) {
        spec.spark.kubernetes.pod_template.host_ports.push(HostPort { port: 7078, protocol: "TCP".into(), ip: "0.0.0.0".into() });
    }
    for neighbour in &mut spec.cluster.neighbours {
        neighbour.priority = d.one_of(&[0, 0, 5, 20]);
        neighbour.arrives = d.once_in(4).then(|| SimSpan::from_secs(d.count(1, 60)));
    }
    let scheduler = &mut spec.cluster.scheduler;
    scheduler.fit = if d.once_in(3) { FitStrategy::MostAllocated } else { FitStrategy::LeastAllocated };
    scheduler.cold_image = d.once_in(3).then(|| d.bytes(Bytes::mib(100), Bytes::gib(2)));
    scheduler.preemption = !d.once_in(4);
}

/// Neighbours on disk and network, managed disks, burst credit of claims and machines. Drawn last, so that nothing before it moves.
pub(super) fn devices(d: &mut Draw, spec: &mut Spec) {
    for neighbour in &mut spec.cluster.neighbours {
        if d.once_in(3) {
            neighbour.devices = DeviceUse {
                held: Dist::Constant(d.bytes(Bytes::mib(1), Bytes::gib(4)).as_f64()),
                read: ByteRate::mb_per_sec(d.count(0, 200)),
                write: ByteRate::mb_per_sec(d.count(0, 200)),
                iops: d.one_of(&[0, 0, 500]),
                nic_in: ByteRate::mb_per_sec(d.count(0, 100)),
                nic_out: ByteRate::mb_per_sec(d.count(0, 1000)),
            };
        }
    }
    let mut burst = |rate: ByteRate| {
        let credit = d.bytes(Bytes::mib(1), Bytes::gib(1));
        d.once_in(3).then(|| BurstSpec { rate: ByteRate::per_sec(rate.get() * 2), iops: 1_000_000, credit })
    };
    for pool in &mut spec.cluster.pools {
        pool.shape.disks.iter_mut().for_each(|disk| (disk.remote, disk.burst) = (disk.size.get().is_multiple_of(2), burst(disk.write)));
        if let Some(cap) = &mut pool.shape.remote {
            cap.burst = burst(cap.rate);
        }
    }
    for volume in &mut spec.spark.kubernetes.pod_template.volumes {
        if let VolumeSource::Claim(claim) = &mut volume.source {
            claim.burst = burst(claim.write);
        }
    }
}

pub(super) fn remote(d: &mut Draw) -> RemoteSpec {
    let mb = d.count(20, 300);
    RemoteSpec { rate: ByteRate::mb_per_sec(mb), iops: 100_000, io_size: Bytes::kib(256), burst: None }
}

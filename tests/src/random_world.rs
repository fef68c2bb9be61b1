//! Random small scenarios by number, over everything that a spec can say.
//!
//! The generator is addressed: case `n` is the same spec whatever ran before it, so that a failure is reproduced by its
//! number alone. Sizes are small, so that a thousand cases run in seconds, and so drawn that each mechanism (spills, full
//! disks, container, node and heap deaths, evictions, fetch failures, aborts) happens in some of them. [`simplifications`]
//! are the steps by which a failing case is made smaller.

use sim_core::kernel::{Luck, Purpose, Stream};
use sim_core::spec::{
    AccessMode, AdaptiveConf, AdaptiveRead, Affinity, AppSpec, AutoscalerSpec, BurstSpec, CgroupVersion, ClaimResize, ClaimReuse, ClaimSpec, ClassFacts,
    CoalesceConf, Collector, DecommissionConf, DeployMode, DeviceUse, Dist, DynamicAllocation, EmptyDir, ExclusionConf, Expander, FallbackStorage, FitStrategy,
    HostPort, Injection, InputSource, JobSpec, JobStart, Label, LabelSelector, Language, Medium, Moment, NeighbourPlacement, NeighbourSpec, NodeSelectorTerm,
    Operators, Platform, PodAffinityTerm, PodsAllocator, PoolConf, PoolSpec, PushConf, Reach, Reclaim, Reclaimed, RecoveryMode, RemoteClient, RemoteSpec,
    Requirement, ResizeConf, RollConf, RollPolicy, SchedulingMode, SelectorOp, ShuffleSpec, SinkSpec, SkewJoinConf, SoftEviction, Spec, SpeculationConf,
    SpreadConstraint, StageMemory, StageSpec, StorageLevel, Taint, TaintEffect, TaskCount, TaskRow, TaskWork, Toleration, Volume, VolumeSource,
    WeightedPodAffinityTerm, WhenUnsatisfiable, ZoneSet,
};
use sim_core::units::{ByteRate, Bytes, CoreMillis, SimSpan};

use crate::world;

/// Draws of one case.
struct Draw(Stream);

impl Draw {
    /// One of the numbers from `low` to `high`.
    fn count(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }
    /// `true` once in `n`.
    fn once_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }
    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.below(choices.len() as u64) as usize]
    }
    /// Log-uniform: as likely between 1 and 10 as between 10 and 100.
    fn bytes(&mut self, low: Bytes, high: Bytes) -> Bytes {
        let ratio = high.as_f64() / low.as_f64();
        low.scale(ratio.powf(self.0.unit()))
    }
}

/// The spec of case `number`.
pub fn case(number: u64) -> Spec {
    let mut d = Draw(Luck::new(20_240_607, number).stream(Purpose::TaskOrder, 0));
    let mut spec = world::world();
    spec.name = format!("random-{number}");
    spec.cluster.platform = d.one_of(&[Platform::Kubernetes, Platform::Kubernetes, Platform::Kubernetes, Platform::Yarn, Platform::Standalone, Platform::Bare]);
    spec.cluster.cgroup = d.one_of(&[CgroupVersion::V1, CgroupVersion::V2 { group_kill: true }, CgroupVersion::V2 { group_kill: false }]);
    pools(&mut d, &mut spec);
    neighbours(&mut d, &mut spec);
    executors(&mut d, &mut spec);
    shuffle(&mut d, &mut spec);
    scheduling(&mut d, &mut spec);
    pods(&mut d, &mut spec);
    let tasks_hold = spec.spark.executor.heap;
    spec.app = app(&mut d, tasks_hold);
    if d.once_in(2) {
        spec.uncertainty = world::uncertain();
    }
    leaving(&mut d, &mut spec);
    adaptive(&mut d, &mut spec);
    rolling(&mut d, &mut spec);
    remote_shuffle(&mut d, &mut spec);
    fallback(&mut d, &mut spec);
    push(&mut d, &mut spec);
    spec.limits.max_events = 60_000;
    if d.once_in(8) {
        spec.limits.horizon = SimSpan::from_secs(d.count(1, 90));
    }
    if d.once_in(20) {
        spec.limits.max_events = d.count(1, 500);
    }
    if d.once_in(4) {
        spec.inject = (0..d.count(1, 3)).map(|_| injection(&mut d, &spec.app)).collect();
    }
    placing(&mut d, &mut spec);
    growing(&mut d, &mut spec);
    devices(&mut d, &mut spec);
    spec
}

/// A kill at a time or at a stage's progress, of an executor that is often there.
fn injection(d: &mut Draw, app: &AppSpec) -> Injection {
    let when = if d.once_in(2) {
        Moment::At(SimSpan::from_ms(d.count(1, 60_000)))
    } else {
        Moment::TasksDone { stage: d.count(0, app.stages.len() as u64 - 1) as usize, tasks: d.count(1, 6) as u32 }
    };
    Injection { executor: d.count(1, 5) as u32, when }
}

fn pools(d: &mut Draw, spec: &mut Spec) {
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

fn neighbours(d: &mut Draw, spec: &mut Spec) {
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

fn executors(d: &mut Draw, spec: &mut Spec) {
    let mib = |bytes: Bytes| Bytes::mib(bytes.whole_mib());
    let conf = &mut spec.spark;
    let executor = &mut conf.executor;
    executor.instances = d.count(1, 6) as u32;
    executor.cores = d.count(1, 4) as u32;
    executor.task_cpus = if executor.cores > 1 && d.once_in(6) { 2 } else { 1 };
    executor.heap = mib(d.bytes(Bytes::mib(451), Bytes::gib(4)));
    executor.off_heap = if d.once_in(5) { mib(d.bytes(Bytes::mib(32), Bytes::gib(1))) } else { Bytes::ZERO };
    conf.language = d.one_of(&[Language::Jvm, Language::Jvm, Language::Jvm, Language::Python, Language::R]);
    executor.python_worker_reuse = !d.once_in(3);
    executor.pyspark = if conf.language == Language::Python && d.once_in(2) { Bytes::mib(d.count(64, 512)) } else { Bytes::ZERO };
    let overhead = mib(d.bytes(Bytes::mib(8), Bytes::gib(1)));
    let without_limit = matches!(spec.cluster.platform, Platform::Standalone | Platform::Bare) && d.once_in(2);
    executor.container_memory = if without_limit { Bytes::ZERO } else { executor.heap + overhead + executor.off_heap + executor.pyspark };
    executor.cpu_request = CoreMillis::new(d.count(1, 2) * 500);
    executor.cpu_limit = d.once_in(4).then(|| CoreMillis::new(d.count(1, 4) * 500));
    executor.collector = d.one_of(&[Collector::G1, Collector::Parallel, Collector::Serial]);
    executor.xms_equals_xmx = d.once_in(2);
    conf.memory.fraction = d.one_of(&[0.6, 0.6, 0.3, 0.9]);
    conf.memory.storage_fraction = d.one_of(&[0.5, 0.5, 0.0, 1.0]);
    conf.memory.page_size = d.once_in(5).then(|| Bytes::mib(d.count(1, 64)));
    conf.deploy_mode = d.one_of(&[DeployMode::Client, DeployMode::Cluster]);
}

fn shuffle(d: &mut Draw, spec: &mut Spec) {
    let conf = &mut spec.spark.shuffle;
    conf.bypass_merge_threshold = d.one_of(&[0, 8, 200]);
    conf.radix_sort = !d.once_in(4);
    conf.compress = !d.once_in(5);
    conf.spill_compress = !d.once_in(5);
    conf.codec_ratio = d.one_of(&[1.0, 0.53]);
    conf.io_retry_wait = SimSpan::from_ms(d.count(0, 5000));
    conf.io_max_retries = d.count(0, 3) as u32;
    conf.service = spec.cluster.platform == Platform::Yarn && d.once_in(2);
    let scratch = &mut spec.spark.scratch;
    scratch.checksum = d.once_in(2);
    scratch.force_spill_records = d.one_of(&[2_147_483_647, 2_147_483_647, 200_000]);
    scratch.force_spill_bytes = d.once_in(5).then(|| d.bytes(Bytes::mib(4), Bytes::mib(400)));
    scratch.cleaner_interval = (!d.once_in(4)).then(|| SimSpan::from_secs(d.count(1, 1800)));
    scratch.sql_file_cleanup = d.once_in(4);
    scratch.service_removes = d.once_in(2);
    scratch.fetch_to_memory_max = d.one_of(&[Bytes::mib(200), Bytes::mib(1), Bytes::new(1000)]);
    scratch.max_requests_in_flight = d.one_of(&[u32::MAX, 1, 3]);
    scratch.max_blocks_in_flight_per_address = d.one_of(&[u32::MAX, 2]);
}

fn scheduling(d: &mut Draw, spec: &mut Spec) {
    let conf = &mut spec.spark.scheduling;
    conf.task_max_failures = d.count(1, 5) as u32;
    conf.stage_max_consecutive_attempts = d.count(1, 5) as u32;
    conf.stage_max_attempts = d.once_in(3).then(|| d.count(1, 8) as u32);
    conf.executor_max_failures = d.once_in(3).then(|| d.count(1, 8) as u32);
    conf.failures_validity = d.once_in(4).then(|| SimSpan::from_secs(d.count(1, 100)));
    conf.min_registered_ratio = d.one_of(&[0.0, 0.5, 0.8, 1.0]);
    conf.max_registered_wait = SimSpan::from_secs(d.count(0, 30));
    conf.unregister_output_on_host = d.once_in(4);
    conf.ignore_decommission_fetch_failure = d.once_in(2);
    scheduler(d, spec);
    let kubernetes = &mut spec.spark.kubernetes;
    kubernetes.allocation_batch_size = d.count(1, 5) as u32;
    // Endless replacement ends at a horizon only; a lab stops at a number.
    kubernetes.max_replacements = (!d.once_in(3)).then(|| d.count(0, 6) as u32);
    kubernetes.replace_delay = SimSpan::from_ms(d.count(0, 5000));
    kubernetes.local_dirs = d.count(1, 3) as u32;
    kubernetes.local_dirs_tmpfs = d.once_in(3);
}

fn scheduler(d: &mut Draw, spec: &mut Spec) {
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

/// Claims that outlive their pods, and that grow.
fn claims(d: &mut Draw, spec: &mut Spec) {
    let conf = &mut spec.spark.allocation;
    conf.creation_timeout = if d.once_in(3) { conf.creation_timeout } else { SimSpan::from_secs(d.count(1, 20)) };
    conf.claims.reuse = (!d.once_in(3)).then(|| ClaimReuse { wait: d.once_in(4), recover: !d.once_in(3), verify: d.once_in(2) });
    conf.claims.resize = d.once_in(3).then(|| ClaimResize { interval: SimSpan::from_secs(d.count(1, 20)), threshold: 0.5, factor: 1.0 });
    spec.cluster.pools.iter_mut().for_each(|pool| pool.shape.remote = d.once_in(2).then(|| remote(d)));
}

/// Executors that come and go: ceilings, dynamic allocation, restarts in place, notices. Drawn last, so that nothing before it moves.
fn leaving(d: &mut Draw, spec: &mut Spec) {
    let platform = spec.cluster.platform;
    let conf = &mut spec.spark.allocation;
    if d.once_in(6) {
        (conf.allocator, conf.delete_on_termination) = (PodsAllocator::Controller, d.once_in(3));
    }
    conf.max_pending_pods = d.once_in(5).then(|| d.count(1, 4) as u32);
    conf.maximum = d.once_in(8).then(|| d.count(2, 12) as u32);
    conf.max_executor_retries = (platform == Platform::Standalone && d.once_in(2)).then(|| d.count(1, 4) as u32);
    if platform != Platform::Bare && d.once_in(3) {
        let min = d.count(0, 2) as u32;
        conf.dynamic = Some(DynamicAllocation {
            min,
            initial: min + d.count(0, 2) as u32,
            max: min.max(1) + d.count(0, 6) as u32,
            ratio: d.one_of(&[1.0, 1.0, 0.5]),
            backlog_timeout: SimSpan::from_ms(d.count(100, 2000)),
            sustained_backlog_timeout: SimSpan::from_ms(d.count(100, 2000)),
            idle_timeout: SimSpan::from_ms(d.count(100, 20_000)),
            cached_idle_timeout: d.once_in(2).then(|| SimSpan::from_ms(d.count(100, 20_000))),
            shuffle_tracking: !d.once_in(3),
            shuffle_timeout: d.once_in(3).then(|| SimSpan::from_ms(d.count(100, 20_000))),
        });
    }
    if d.once_in(3) {
        conf.decommission = Some(DecommissionConf {
            shuffle_blocks: !d.once_in(4),
            rdd_blocks: d.once_in(2),
            max_threads: d.count(1, 8) as u32,
            max_disk_size: d.once_in(4).then(|| d.bytes(Bytes::mib(1), Bytes::gib(1))),
            max_failures_per_block: d.count(1, 3) as u32,
            reattempt_interval: SimSpan::from_secs(d.count(1, 30)),
            force_kill_timeout: d.once_in(4).then(|| SimSpan::from_secs(d.count(1, 60))),
            fallback: None,
        });
    }
    conf.recovery = d.one_of(&[RecoveryMode::Off, RecoveryMode::AfterOom, RecoveryMode::AfterOom, RecoveryMode::Always]);
    if platform == Platform::Kubernetes && conf.allocator == PodsAllocator::Direct && d.once_in(2) {
        conf.resize = Some(ResizeConf { interval: SimSpan::from_secs(d.count(1, 60)), threshold: 0.3 + 0.7 * d.0.unit(), factor: 0.5 * d.0.unit() });
    }
    conf.heartbeat.timeout = SimSpan::from_secs(d.count(11, 120));
    conf.heartbeat.check_interval = SimSpan::from_secs(d.count(1, 11));
    conf.heartbeat.connection_timeout = SimSpan::from_secs(d.count(1, 120));
    claims(d, spec);
    let nodes = spec.cluster.pools.iter().map(|pool| pool.count).sum::<u32>();
    if d.once_in(3) {
        for _ in 0..d.count(1, 3) {
            let who = if d.once_in(3) { Reclaimed::Node(d.0.below(u64::from(nodes)) as u32) } else { Reclaimed::Executor(d.count(1, 8) as u32) };
            let sudden = matches!(who, Reclaimed::Node(_)) && d.once_in(2);
            spec.reclaims.push(Reclaim { who, at: SimSpan::from_ms(d.count(0, 90_000)), notice: SimSpan::from_ms(d.count(0, 60_000)), sudden });
        }
    }
}

/// Executors that are replaced on purpose. Drawn last, too.
fn rolling(d: &mut Draw, spec: &mut Spec) {
    let conf = &mut spec.spark.allocation;
    if spec.cluster.platform == Platform::Kubernetes && conf.decommission.is_some() && d.once_in(2) {
        conf.roll = Some(RollConf {
            interval: SimSpan::from_secs(d.count(1, 60)),
            policy: d.one_of(&RollPolicy::ALL).0,
            min_tasks: d.count(0, 4) as u32,
            wide_outliers: d.once_in(2),
        });
    }
}

/// Stages that are planned anew from small or skewed shuffles. Drawn last, too.
fn adaptive(d: &mut Draw, spec: &mut Spec) {
    if !d.once_in(3) {
        return;
    }
    spec.spark.adaptive = Some(AdaptiveConf {
        advisory: d.bytes(Bytes::mib(1), Bytes::mib(64)),
        coalesce: (!d.once_in(4)).then(|| CoalesceConf { smallest: d.bytes(Bytes::new(1), Bytes::mib(1)), least_tasks: d.count(1, 12) as u32 }),
        skew_join: d.once_in(2).then(|| SkewJoinConf { factor: 1.5, threshold: d.bytes(Bytes::mib(1), Bytes::mib(16)) }),
        accurate_block: Bytes::mib(100),
    });
    for stage in spec.app.stages.iter_mut().filter(|stage| !stage.reads.is_empty() && !stage.barrier) {
        stage.adaptive = d.one_of(&[None, Some(AdaptiveRead::Coalesced), Some(AdaptiveRead::Join), Some(AdaptiveRead::Local)]);
    }
}

/// Push-based shuffle, where there is a service. Drawn last, too.
fn push(d: &mut Draw, spec: &mut Spec) {
    if spec.spark.shuffle.service && spec.spark.shuffle_storage.remote.is_none() && !d.once_in(3) {
        spec.spark.shuffle_storage.push = Some(PushConf {
            max_block: d.one_of(&[Bytes::mib(1), Bytes::gib(1)]),
            mergers_min_static: d.count(1, 3) as u32,
            mergers_min_ratio: d.one_of(&[0.05, 1.0]),
            max_executors: d.count(1, 8) as u32,
            finalize_timeout: SimSpan::from_ms(d.count(0, 10_000)),
            min_size_to_wait: d.one_of(&[Bytes::ZERO, Bytes::mib(50)]),
            min_completed_ratio: d.one_of(&[1.0, 0.5]),
        });
    }
}

/// Fallback storage for what leaves. Drawn last, too.
fn fallback(d: &mut Draw, spec: &mut Spec) {
    if let Some(conf) = spec.spark.allocation.decommission.as_mut().filter(|_| d.once_in(2)) {
        conf.fallback = Some(FallbackStorage { per_stream: ByteRate::mb_per_sec(d.count(1, 200)) });
    }
}

/// A remote shuffle service, large or too small, of either kind. Drawn last, too.
fn remote_shuffle(d: &mut Draw, spec: &mut Spec) {
    if !d.once_in(4) {
        return;
    }
    let mut conf = if d.once_in(2) { world::celeborn() } else { world::uniffle() };
    match &mut conf.client {
        RemoteClient::Celeborn { queue, hash_up_to, sort_threshold, .. } => {
            *queue = d.one_of(&[0, 8, 512]);
            *hash_up_to = d.one_of(&[0, 4, u32::MAX]);
            *sort_threshold = d.bytes(Bytes::mib(1), Bytes::mib(64));
        }
        RemoteClient::Uniffle { spill_size, spills, .. } => {
            *spill_size = d.bytes(Bytes::mib(1), Bytes::mib(128));
            *spills = d.once_in(2);
        }
    }
    conf.max_partitions = d.one_of(&[u32::MAX, u32::MAX, 4]);
    conf.reliable = d.once_in(2);
    conf.copies_sent = d.count(1, 2) as u32;
    conf.copies_made = d.count(0, 1) as u32;
    let service = &mut conf.service;
    service.workers = d.count(1, 4) as u32;
    service.nic = ByteRate::mb_per_sec(d.count(5, 1000));
    service.disk = ByteRate::mb_per_sec(d.count(5, 500));
    service.disk_size = d.bytes(Bytes::mib(50), Bytes::gib(100));
    service.memory = d.bytes(Bytes::kib(1), Bytes::gib(4));
    service.page_cache = d.one_of(&[Bytes::ZERO, Bytes::mib(100), Bytes::gib(8)]);
    spec.spark.shuffle_storage.remote = Some(conf);
}

fn on_executors(topology_key: &str) -> PodAffinityTerm {
    let requirement = Requirement { key: "spark-role".into(), op: SelectorOp::In, values: vec!["executor".into()] };
    PodAffinityTerm::new(LabelSelector { requirements: vec![requirement] }, topology_key)
}

/// Required affinity of executors to each other on a node: what packs them.
pub fn packed() -> Affinity {
    Affinity { required_pod: vec![on_executors("kubernetes.io/hostname")], ..Affinity::NONE }
}

/// Preferred anti-affinity of executors to each other on a node: what spreads them.
pub fn spread() -> Affinity {
    let term = WeightedPodAffinityTerm { weight: 100, term: on_executors("kubernetes.io/hostname") };
    Affinity { preferred_anti: vec![term], ..Affinity::NONE }
}

fn affinity(d: &mut Draw) -> Affinity {
    match d.count(0, 6) {
        0 | 1 => packed(),
        2 => spread(),
        3 => Affinity { required_anti: vec![on_executors("kubernetes.io/hostname")], ..Affinity::NONE },
        4 => Affinity { preferred_pod: vec![WeightedPodAffinityTerm { weight: 7, term: on_executors("zone") }], ..Affinity::NONE },
        5 => {
            let requirement = Requirement { key: "zone".into(), op: SelectorOp::NotIn, values: vec!["2".into()] };
            Affinity { required_node: vec![NodeSelectorTerm { requirements: vec![requirement] }], ..Affinity::NONE }
        }
        _ => Affinity::NONE,
    }
}

/// Pools that may grow, with nodes that are sometimes too late, and shrink. Drawn last.
fn growing(d: &mut Draw, spec: &mut Spec) {
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
fn placing(d: &mut Draw, spec: &mut Spec) {
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

/// A local directory of Spark's from this source.
pub fn local_dir(number: u64, source: VolumeSource) -> Volume {
    Volume { name: format!("spark-local-dir-{number}"), mount_path: format!("/scratch/{number}"), source }
}

/// Neighbours on disk and network, managed disks, burst credit of claims and machines. Drawn last, so that nothing before it moves.
fn devices(d: &mut Draw, spec: &mut Spec) {
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

fn remote(d: &mut Draw) -> RemoteSpec {
    let mb = d.count(20, 300);
    RemoteSpec { rate: ByteRate::mb_per_sec(mb), iops: 100_000, io_size: Bytes::kib(256), burst: None }
}

fn claim(d: &mut Draw) -> ClaimSpec {
    let size = d.bytes(Bytes::mib(50), Bytes::gib(4));
    let rate = ByteRate::mb_per_sec(40 + size.whole_mib() % 200);
    ClaimSpec {
        size,
        read: rate,
        write: rate,
        iops: 1000,
        io_size: Bytes::kib(256),
        shared: size.get().is_multiple_of(4),
        burst: None,
        class: class(size.get()),
    }
}

/// Facts of a storage class, by any number.
fn class(number: u64) -> ClassFacts {
    ClassFacts {
        reach: [Reach::Region, Reach::Zone, Reach::Node][(number / 4 % 3) as usize],
        immediate: (number / 12).is_multiple_of(3),
        access: [AccessMode::ReadWriteMany, AccessMode::ReadWriteOnce, AccessMode::ReadWriteOncePod][(number / 36 % 3) as usize],
        zones: if (number / 108).is_multiple_of(4) { ZoneSet::of([0].into_iter()) } else { ZoneSet::ALL },
        per_node: (number / 432).is_multiple_of(3).then_some(2),
        expands: !(number / 1296).is_multiple_of(3),
    }
}

fn pods(d: &mut Draw, spec: &mut Spec) {
    let disks = spec.cluster.pools[0].shape.disks.len() as u64;
    let template = &mut spec.spark.kubernetes.pod_template;
    template.affinity = affinity(d);
    if d.once_in(3) {
        template.tolerations.push(Toleration { key: String::new(), exists: true, value: String::new(), effect: None });
    }
    template.priority = d.one_of(&[0, 0, 10]);
    template.ephemeral_limit = d.once_in(5).then(|| d.bytes(Bytes::mib(50), Bytes::gib(4)));
    if d.once_in(2) {
        for number in 1..=d.count(1, 3) {
            let size_limit = d.once_in(2).then(|| d.bytes(Bytes::mib(20), Bytes::gib(2)));
            let source = match d.count(0, 4) {
                0 | 1 => VolumeSource::EmptyDir(EmptyDir { medium: Medium::Disk, size_limit }),
                2 => VolumeSource::EmptyDir(EmptyDir { medium: Medium::Memory, size_limit }),
                3 => VolumeSource::HostPath { disk: d.0.below(disks) as usize },
                _ => VolumeSource::Claim(claim(d)),
            };
            template.volumes.push(local_dir(number, source));
        }
    }
}

/// Stages in order, each reading some of the shuffles before it; one job or two.
fn app(d: &mut Draw, heap: Bytes) -> AppSpec {
    let count = d.count(1, 5) as usize;
    let cut = if count > 2 && d.once_in(3) { d.count(1, count as u64 - 1) as usize } else { count };
    let input = d.bytes(Bytes::mib(1), Bytes::gib(2));
    let mut stages: Vec<StageSpec> = Vec::new();
    let mut shuffles: Vec<ShuffleSpec> = Vec::new();
    for index in 0..count {
        let last = index + 1 == count || index + 1 == cut;
        let reads: Vec<usize> = (0..shuffles.len()).filter(|_| d.once_in(2)).collect();
        let sink = if last { SinkSpec::Result } else { SinkSpec::Shuffle(shuffles.len()) };
        let tasks = d.count(1, 24) as u32;
        if !last {
            let partitions = d.count(1, 300) as u32;
            shuffles.push(ShuffleSpec { writer: index, partitions, map_side_combine: d.once_in(3), relocatable: d.once_in(2) });
        }
        stages.push(random_stage(d, index, reads, tasks, sink, input, heap));
    }
    // The second job's stages may read shuffles of the first, which then are skipped or made again.
    let gap = SimSpan::from_ms(d.count(0, 5000));
    let pool = |d: &mut Draw| d.once_in(2).then(|| "a".to_owned());
    let mut jobs = vec![JobSpec { stages: (0..cut).collect(), driver_gap: gap, start: JobStart::InTurn, pool: pool(d) }];
    if cut < count {
        let start = match d.count(0, 3) {
            0 | 1 => JobStart::InTurn,
            2 => JobStart::After { jobs: vec![0], gap },
            _ => JobStart::With { job: 0, offset: gap },
        };
        jobs.push(JobSpec { stages: (0..count).filter(|&s| s + 1 != cut).collect(), driver_gap: gap, start, pool: pool(d) });
    }
    AppSpec { name: "random".into(), input, jobs, stages, shuffles, sql: d.once_in(2) }
}

fn random_stage(d: &mut Draw, index: usize, reads: Vec<usize>, tasks: u32, sink: SinkSpec, input: Bytes, heap: Bytes) -> StageSpec {
    let read = if reads.is_empty() { Bytes::ZERO } else { input.scale(d.0.unit()) };
    let scanned = if reads.is_empty() || d.once_in(4) { input } else { Bytes::ZERO };
    let write = if sink == SinkSpec::Result { Bytes::ZERO } else { input.scale(d.0.unit()) };
    let mut row = TaskRow { output: if sink == SinkSpec::Result && d.once_in(2) { input } else { Bytes::ZERO }, ..world::row(scanned, read, write) };
    row.operator_memory = row.operator_memory.scale(d.one_of(&[0.0, 1.0, 8.0]));
    row.writer_memory = row.writer_memory.scale(d.one_of(&[0.0, 1.0, 8.0]));
    row.unmanaged = Bytes::mib(d.one_of(&[0, 10, 200]) * u64::from(tasks));
    row.allocated = row.allocated.scale(d.one_of(&[0.0, 1.0, 10.0]));
    if d.once_in(6) {
        row.unspillable = heap.scale(d.0.unit() * 0.3 * f64::from(tasks));
    }
    if d.once_in(10) {
        row.cpu = SimSpan::ZERO;
    }
    if d.once_in(10) {
        row.records = d.one_of(&[0, 1, 100_000_000]);
    }
    let mut stage = world::stage(&format!("stage-{index}"), reads, tasks, row, sink);
    if !scanned.is_zero() {
        stage.input = d.one_of(&[InputSource::Remote { per_stream: 20_000_000 }, InputSource::Local, InputSource::Cached]);
        if d.once_in(4) {
            stage.tasks = TaskCount::InputSplit(d.bytes(Bytes::mib(16), Bytes::mib(256)));
        }
    }
    if d.once_in(5) {
        let part = |d: &mut Draw| {
            let share = 1.0 / f64::from(tasks) * (0.5 + d.0.unit());
            TaskRow { shuffle_write: row.shuffle_write.scale(share), shuffle_read: row.shuffle_read.scale(share), ..scaled(&row, share) }
        };
        stage.work = TaskWork::Recorded((0..d.count(1, 12)).map(|_| part(d)).collect());
    }
    stage.cached = if d.once_in(5) { d.bytes(Bytes::mib(1), Bytes::gib(1)) } else { Bytes::ZERO };
    stage.indeterminate = d.once_in(6);
    // More tasks than there are slots would wait ten minutes and fail.
    stage.barrier = d.once_in(10);
    stage.broadcast = if d.once_in(5) { d.bytes(Bytes::mib(1), Bytes::mib(200)) } else { Bytes::ZERO };
    stage.memory = StageMemory {
        operators: d.one_of(&[
            Operators::Sort,
            Operators::SortMergeJoin,
            Operators::HashAggregate,
            Operators::Window,
            Operators::ObjectHashAggregate,
            Operators::CartesianProduct,
        ]),
        row: if d.once_in(2) { d.bytes(Bytes::new(8), Bytes::kib(10)) } else { Bytes::ZERO },
        group_rows: if d.once_in(2) { d.count(1, 2_000_000) } else { 0 },
        state_row: if d.once_in(4) { d.bytes(Bytes::new(8), Bytes::kib(1)) } else { Bytes::ZERO },
        storage_level: d.one_of(&[StorageLevel::MemoryAndDisk, StorageLevel::MemoryOnly, StorageLevel::OffHeap]),
        worker: if d.once_in(4) { d.bytes(Bytes::mib(1), Bytes::mib(300)) } else { Bytes::ZERO },
        collected: if d.once_in(6) { d.bytes(Bytes::mib(1), Bytes::mib(300)) } else { Bytes::ZERO },
    };
    stage
}

fn scaled(row: &TaskRow, share: f64) -> TaskRow {
    TaskRow {
        input: row.input.scale(share),
        output: row.output.scale(share),
        records: (row.records as f64 * share) as u64,
        cpu: row.cpu.scale(share),
        operator_memory: row.operator_memory.scale(share),
        writer_memory: row.writer_memory.scale(share),
        unmanaged: row.unmanaged.scale(share),
        allocated: row.allocated.scale(share),
        unspillable: row.unspillable.scale(share),
        ..*row
    }
}

/// A step that makes a failing spec simpler; the result may not compile, then the step is not taken.
pub type Simplification = fn(&mut Spec);

/// The steps that a failing case is made smaller by.
pub fn simplifications() -> Vec<(&'static str, Simplification)> {
    vec![
        ("certain", |s| s.uncertainty = world::certain()),
        ("no injected kills", |s| s.inject.clear()),
        ("no neighbours", |s| s.cluster.neighbours.clear()),
        ("fewer neighbours", |s| drop(s.cluster.neighbours.pop())),
        ("neighbours without devices", |s| s.cluster.neighbours.iter_mut().for_each(|n| n.devices = DeviceUse::NONE)),
        ("no cap on disks", |s| s.cluster.pools.iter_mut().for_each(|p| p.shape.remote = None)),
        ("one pool", |s| s.cluster.pools.truncate(1)),
        ("one node", |s| s.cluster.pools.iter_mut().for_each(|p| p.count = 1)),
        ("one executor", |s| s.spark.executor.instances = 1),
        ("two executors", |s| s.spark.executor.instances = 2),
        ("one slot", |s| (s.spark.executor.cores, s.spark.executor.task_cpus) = (1, 1)),
        ("no volumes", |s| s.spark.kubernetes.pod_template.volumes.clear()),
        ("disk scratch", |s| s.spark.kubernetes.local_dirs_tmpfs = false),
        ("no affinity", |s| s.spark.kubernetes.pod_template.affinity = Affinity::NONE),
        ("no autoscaler", |s| s.cluster.pools.iter_mut().for_each(|pool| (pool.max_count, pool.min_count) = (None, None))),
        ("no spread", |s| s.spark.kubernetes.pod_template.spread.clear()),
        ("no priorities", |s| s.cluster.scheduler.preemption = false),
        ("no cache", |s| s.app.stages.iter_mut().for_each(|stage| stage.cached = Bytes::ZERO)),
        ("no broadcast", |s| s.app.stages.iter_mut().for_each(|stage| stage.broadcast = Bytes::ZERO)),
        ("plain memory", |s| s.app.stages.iter_mut().for_each(|stage| stage.memory = StageMemory::default())),
        ("few tasks", |s| s.app.stages.iter_mut().for_each(|stage| stage.tasks = TaskCount::Fixed(2))),
        ("one job", |s| s.app.jobs.truncate(1)),
        ("FIFO", |s| s.spark.scheduler.mode = SchedulingMode::Fifo),
        ("no speculation", |s| s.spark.scheduler.speculation = None),
        ("no exclusion", |s| s.spark.scheduler.exclusion = None),
        ("no locality", |s| s.spark.scheduler.locality = world::no_wait()),
        ("no barrier", |s| s.app.stages.iter_mut().for_each(|stage| stage.barrier = false)),
        ("determinate", |s| s.app.stages.iter_mut().for_each(|stage| stage.indeterminate = false)),
        ("jobs in turn", |s| s.app.jobs.iter_mut().for_each(|job| job.start = JobStart::InTurn)),
        ("no off-heap", |s| s.spark.executor.off_heap = Bytes::ZERO),
        ("JVM", |s| s.spark.language = Language::Jvm),
        ("nobody leaves", |s| s.reclaims.clear()),
        ("nobody vanishes", |s| s.reclaims.iter_mut().for_each(|r| r.sudden = false)),
        ("no recovery mode", |s| s.spark.allocation.recovery = RecoveryMode::Off),
        ("no resizing", |s| s.spark.allocation.resize = None),
        ("no rolling", |s| s.spark.allocation.roll = None),
        ("no decommission", |s| (s.spark.allocation.decommission, s.spark.allocation.roll) = (None, None)),
        ("claims end", |s| s.spark.allocation.claims = sim_core::spec::ClaimsConf::default()),
        ("fixed number", |s| s.spark.allocation.dynamic = None),
        ("not adaptive", |s| s.spark.adaptive = None),
        ("no driver pod", |s| s.spark.deploy_mode = DeployMode::Client),
    ]
}

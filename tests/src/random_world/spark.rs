//! Spark's own settings, a mechanism a function.

use super::Draw;
use super::cluster::{remote, scheduler};
use crate::world;
use sim_core::spec::{
    AdaptiveConf, AdaptiveRead, ClaimResize, ClaimReuse, CoalesceConf, Collector, DecommissionConf, DeployMode, DynamicAllocation, FallbackStorage, Language,
    Platform, PodsAllocator, PushConf, Reclaim, Reclaimed, RecoveryMode, RemoteClient, ResizeConf, RollConf, RollPolicy, SkewJoinConf, Spec,
};
use sim_core::units::{ByteRate, Bytes, CoreMillis, SimSpan};

pub(super) fn executors(d: &mut Draw, spec: &mut Spec) {
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

pub(super) fn shuffle(d: &mut Draw, spec: &mut Spec) {
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

pub(super) fn scheduling(d: &mut Draw, spec: &mut Spec) {
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

/// Claims that outlive their pods, and that grow.
pub(super) fn claims(d: &mut Draw, spec: &mut Spec) {
    let conf = &mut spec.spark.allocation;
    conf.creation_timeout = if d.once_in(3) { conf.creation_timeout } else { SimSpan::from_secs(d.count(1, 20)) };
    conf.claims.reuse = (!d.once_in(3)).then(|| ClaimReuse { wait: d.once_in(4), recover: !d.once_in(3), verify: d.once_in(2) });
    conf.claims.resize = d.once_in(3).then(|| ClaimResize { interval: SimSpan::from_secs(d.count(1, 20)), threshold: 0.5, factor: 1.0 });
    spec.cluster.pools.iter_mut().for_each(|pool| pool.shape.remote = d.once_in(2).then(|| remote(d)));
}

/// Executors that come and go: ceilings, dynamic allocation, restarts in place, notices. Drawn last, so that nothing before it moves.
pub(super) fn leaving(d: &mut Draw, spec: &mut Spec) {
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
pub(super) fn rolling(d: &mut Draw, spec: &mut Spec) {
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
pub(super) fn adaptive(d: &mut Draw, spec: &mut Spec) {
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
pub(super) fn push(d: &mut Draw, spec: &mut Spec) {
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
pub(super) fn fallback(d: &mut Draw, spec: &mut Spec) {
    if let Some(conf) = spec.spark.allocation.decommission.as_mut().filter(|_| d.once_in(2)) {
        conf.fallback = Some(FallbackStorage { per_stream: ByteRate::mb_per_sec(d.count(1, 200)) });
    }
}

/// A remote shuffle service, large or too small, of either kind. Drawn last, too.
pub(super) fn remote_shuffle(d: &mut Draw, spec: &mut Spec) {
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

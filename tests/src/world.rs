//! A small cluster and a small job, certain in every respect, for tests to vary.
//!
//! Three nodes of 8 GiB with one disk each, two executors of 1 GiB of heap and two slots, and a job of one scan and two
//! shuffles over 300 MB. A run takes milliseconds. Nothing dies in it and nothing spills: a test that wants trouble makes it.

use sim_core::spec::{
    AllocationConf, AppSpec, AutoscalerSpec, CgroupVersion, ClusterSpec, Collector, DeployMode, DeviceUse, DiskSpec, Dist, DriverConf, EvictionSpec,
    ExecutorConf, InputSource, JobSpec, KubeSchedulerSpec, KubeletSpec, KubernetesConf, Language, LocalityConf, MemoryConf, MemoryUse, NeighbourPlacement,
    NeighbourSpec, NodeShape, Platform, PodTemplate, PoolSpec, RemoteClient, RemoteShuffleConf, RemoteShuffleService, Reservation, Resources, RunLimits,
    SchedulerConf, SchedulingConf, ScratchConf, Serializer, ShuffleConf, ShuffleSpec, ShuffleStorageConf, SinkSpec, SparkConf, SparkVersion, Spec, SqlConf,
    StageMemory, StageSpec, SwapSpec, TaskCount, TaskRow, TaskWork, Uncertainty, YarnSpec,
};
use sim_core::units::{ByteRate, Bytes, CoreMillis, SimSpan};

/// Everything certain: all factors 1.
pub fn certain() -> Uncertainty {
    let one = Dist::Constant(1.0);
    Uncertainty {
        data_volume: one.clone(),
        partition_skew: one.clone(),
        compression: one.clone(),
        object_expansion: one.clone(),
        heap_young_share: Dist::Constant(0.6),
        allocation: one.clone(),
        non_heap: one.clone(),
        cpu_speed: one.clone(),
        disk_speed: one.clone(),
        nic_speed: one.clone(),
        task_cpu: one,
        heap_growth: Dist::Constant(2.0),
        task_launch_s: Dist::Constant(0.01),
        executor_start_s: Dist::Constant(8.0),
        warm_up_s: Dist::Constant(0.5),
        death_detection_s: Dist::Constant(2.0),
        pod_acknowledged_s: Dist::Constant(0.1),
        claim_attach_s: Dist::Constant(15.0),
        claim_detach_s: Dist::Constant(10.0),
        claim_resize_s: Dist::Constant(30.0),
    }
}

/// Some doubt about most things: what makes replications differ.
pub fn uncertain() -> Uncertainty {
    let around = |sigma| Dist::Lognormal { median: 1.0, sigma };
    Uncertainty {
        data_volume: around(0.15),
        partition_skew: around(0.4),
        compression: around(0.1),
        object_expansion: around(0.1),
        heap_young_share: Dist::Uniform { low: 0.3, high: 0.7 },
        allocation: around(0.2),
        non_heap: around(0.1),
        cpu_speed: around(0.05),
        disk_speed: around(0.1),
        nic_speed: around(0.05),
        task_cpu: around(0.2),
        heap_growth: Dist::Uniform { low: 1.4, high: 2.8 },
        task_launch_s: Dist::Uniform { low: 0.002, high: 0.05 },
        executor_start_s: Dist::Uniform { low: 2.0, high: 12.0 },
        warm_up_s: Dist::Uniform { low: 0.0, high: 1.0 },
        death_detection_s: Dist::Uniform { low: 0.2, high: 3.0 },
        pod_acknowledged_s: Dist::Uniform { low: 0.05, high: 1.5 },
        claim_attach_s: Dist::Uniform { low: 1.0, high: 40.0 },
        claim_detach_s: Dist::Uniform { low: 1.0, high: 30.0 },
        claim_resize_s: Dist::Uniform { low: 5.0, high: 60.0 },
    }
}

/// A disk of so many MB/s.
pub fn disk(size: Bytes, mb_per_s: u64) -> DiskSpec {
    let rate = ByteRate::mb_per_sec(mb_per_s);
    DiskSpec { name: "disk".into(), size, used: Bytes::ZERO, read: rate, write: rate, iops: 1_000_000, io_size: Bytes::kib(256), burst: None, remote: false }
}

/// A node with so much memory, 8 cores and one disk of 100 MB/s.
pub fn node(memory: Bytes) -> NodeShape {
    NodeShape {
        vm: "small".into(),
        cpu: CoreMillis::cores(8),
        memory,
        reserved: Reservation { memory: Bytes::mib(512), cpu: CoreMillis::new(100), eviction_memory: Bytes::mib(100), eviction_nodefs_percent: 10 },
        max_pods: 30,
        disks: vec![disk(Bytes::gib(64), 100)],
        nic: ByteRate::mb_per_sec(500),
        remote: None,
        system_memory: Dist::Constant(Bytes::mib(300).as_f64()),
    }
}

/// A neighbour on every node that requests `request` and uses `anon`.
pub fn neighbour(name: &str, request: Bytes, anon: Bytes) -> NeighbourSpec {
    NeighbourSpec {
        name: name.into(),
        placement: NeighbourPlacement::EveryNode,
        resources: Resources { cpu_request: CoreMillis::new(100), memory_request: request, ..Resources::default() },
        memory: MemoryUse { anon: Dist::Constant(anon.as_f64()), shmem: Dist::Constant(0.0), processes: 1 },
        cpu_use: CoreMillis::ZERO,
        devices: DeviceUse::NONE,
        priority: 0,
        labels: Vec::new(),
        namespace: "default".into(),
        arrives: None,
        restarts: true,
    }
}

/// A stage's total work for so many bytes of rows; operators and writer hold the rows only where there is a shuffle.
pub fn row(input: Bytes, read: Bytes, write: Bytes) -> TaskRow {
    let rows = input.max(read).max(write);
    TaskRow {
        input,
        shuffle_read: read,
        shuffle_write: write,
        output: Bytes::ZERO,
        records: rows.get() / 100,
        cpu: ByteRate::mb_per_sec(60).time_for(rows),
        operator_memory: if read.is_zero() { Bytes::ZERO } else { rows.scale(1.5) },
        writer_memory: if write.is_zero() { Bytes::ZERO } else { rows.scale(1.5) },
        unmanaged: Bytes::mib(20),
        allocated: rows.scale(4.0),
        unspillable: Bytes::ZERO,
    }
}

/// A stage without cache or broadcast.
pub fn stage(name: &str, reads: Vec<usize>, tasks: u32, work: TaskRow, sink: SinkSpec) -> StageSpec {
    let input = if work.input.is_zero() { InputSource::None } else { InputSource::Remote { per_stream: 50_000_000 } };
    StageSpec {
        name: name.into(),
        reads,
        input,
        tasks: TaskCount::Fixed(tasks),
        work: TaskWork::Parametric(work),
        sink,
        cached: Bytes::ZERO,
        broadcast: Bytes::ZERO,
        memory: StageMemory::default(),
        delay: SimSpan::ZERO,
        adaptive: None,
        barrier: false,
        indeterminate: false,
    }
}

/// A job that scans and then passes its rows through `passes` shuffles of `tasks` partitions.
pub fn passes(input: Bytes, passes: usize, tasks: u32) -> AppSpec {
    let mut stages = Vec::new();
    let mut shuffles = Vec::new();
    for pass in 0..=passes {
        let sink = if pass == passes { SinkSpec::Result } else { SinkSpec::Shuffle(pass) };
        let read = if pass == 0 { Bytes::ZERO } else { input };
        let write = if pass == passes { Bytes::ZERO } else { input };
        let scanned = if pass == 0 { input } else { Bytes::ZERO };
        if pass < passes {
            shuffles.push(ShuffleSpec { writer: pass, partitions: tasks, map_side_combine: false, relocatable: true });
        }
        let reads = if pass == 0 { Vec::new() } else { vec![pass - 1] };
        stages.push(stage(&format!("pass-{pass}"), reads, tasks, row(scanned, read, write), sink));
    }
    let jobs = vec![JobSpec { stages: (0..stages.len()).collect(), ..JobSpec::default() }];
    AppSpec { name: "passes".into(), input, jobs, stages, shuffles, sql: true }
}

/// The world itself.
pub fn world() -> Spec {
    Spec {
        name: "small".into(),
        cluster: cluster(),
        spark: spark(),
        app: passes(Bytes::new(300_000_000), 2, 8),
        uncertainty: certain(),
        inject: Vec::new(),
        reclaims: Vec::new(),
        limits: RunLimits { horizon: SimSpan::from_secs(24 * 3600), max_events: 2_000_000, paranoid: true },
    }
}

fn cluster() -> ClusterSpec {
    ClusterSpec {
        daemons: Vec::new(),
        swap: SwapSpec::default(),
        platform: Platform::Kubernetes,
        pools: vec![PoolSpec {
            name: "pool".into(),
            node_names: Vec::new(),
            count: 3,
            shape: node(Bytes::gib(8)),
            labels: Vec::new(),
            taints: Vec::new(),
            zones: Vec::new(),
            max_count: None,
            min_count: None,
            max_volumes: None,
        }],
        neighbours: Vec::new(),
        cgroup: CgroupVersion::V2 { group_kill: true },
        autoscaler: AutoscalerSpec::default(),
        scheduler: KubeSchedulerSpec::default(),
        kubelet: KubeletSpec {
            eviction_period_s: 10.0,
            metrics_age_s: Dist::Uniform { low: 0.0, high: 10.0 },
            volume_stats_period_s: 60.0,
            teardown_s: Dist::Uniform { low: 0.3, high: 3.0 },
            active_file_share: 0.25,
            sized_memory_volumes: true,
            eviction: EvictionSpec { soft: None, minimum_reclaim: Bytes::ZERO, pressure_transition: SimSpan::from_secs(300), unused_images: Bytes::ZERO },
        },
        yarn: YarnSpec {
            minimum_allocation: Bytes::mib(256),
            increment_allocation: Bytes::mib(256),
            node_memory_share: 0.85,
            vmem_check: false,
            ..YarnSpec::default()
        },
    }
}

fn spark() -> SparkConf {
    SparkConf {
        version: SparkVersion { major: 3, minor: 4, patch: 0 },
        language: Language::Jvm,
        deploy_mode: DeployMode::Client,
        driver: DriverConf { memory: Bytes::gib(1), container_memory: Bytes::mib(1408), max_result_size: Bytes::gib(1), cpu: CoreMillis::cores(1) },
        executor: ExecutorConf {
            instances: 2,
            cores: 2,
            task_cpus: 1,
            heap: Bytes::gib(1),
            off_heap: Bytes::ZERO,
            pyspark: Bytes::ZERO,
            python_worker_reuse: true,
            container_memory: Bytes::mib(1792),
            cpu_request: CoreMillis::cores(2),
            cpu_limit: None,
            collector: Collector::G1,
            heap_exit: 52,
            xms_equals_xmx: true,
        },
        memory: MemoryConf { fraction: 0.6, storage_fraction: 0.5, page_size: None },
        shuffle: shuffle(),
        shuffle_storage: ShuffleStorageConf::default(),
        scratch: ScratchConf {
            force_spill_records: 2_147_483_647,
            force_spill_bytes: None,
            checksum: true,
            cleaner_interval: Some(SimSpan::from_secs(1800)),
            sql_file_cleanup: false,
            service_removes: false,
            fetch_to_memory_max: Bytes::mib(200),
            max_requests_in_flight: 2_147_483_647,
            max_blocks_in_flight_per_address: 2_147_483_647,
        },
        scheduling: SchedulingConf {
            task_max_failures: 4,
            stage_max_consecutive_attempts: 4,
            stage_max_attempts: None,
            executor_max_failures: None,
            failures_validity: None,
            min_registered_ratio: 0.8,
            max_registered_wait: SimSpan::from_secs(30),
            unregister_output_on_host: false,
            ignore_decommission_fetch_failure: true,
        },
        scheduler: SchedulerConf { locality: no_wait(), ..SchedulerConf::default() },
        adaptive: None,
        sql: SqlConf::default(),
        allocation: AllocationConf::FIXED,
        kubernetes: KubernetesConf {
            local_dirs_tmpfs: false,
            local_dirs: 1,
            allocation_batch_size: 5,
            allocation_batch_delay: SimSpan::from_secs(1),
            replace_delay: SimSpan::from_secs(2),
            max_replacements: None,
            namespace: "default".into(),
            pod_template: PodTemplate::default(),
        },
    }
}

/// Celeborn with 3 workers of 500 MB/s, as its client is configured by default, and known to Spark as reliable.
pub fn celeborn() -> RemoteShuffleConf {
    RemoteShuffleConf {
        client: RemoteClient::Celeborn {
            buffer_initial: Bytes::kib(8),
            buffer_max: Bytes::kib(64),
            queue: 512,
            sort_threshold: Bytes::mib(64),
            hash_up_to: u32::MAX,
        },
        max_partitions: u32::MAX,
        reliable: true,
        at_executor: true,
        copies_sent: 1,
        copies_made: 0,
        fetch_in_flight: Bytes::mib(24),
        service: RemoteShuffleService {
            workers: 3,
            nic: ByteRate::mb_per_sec(500),
            disk: ByteRate::mb_per_sec(500),
            disk_size: Bytes::gib(100),
            memory: Bytes::gib(4),
            pause_at: 0.85,
            page_cache: Bytes::gib(8),
        },
    }
}

/// Uniffle with the same servers.
pub fn uniffle() -> RemoteShuffleConf {
    RemoteShuffleConf {
        client: RemoteClient::Uniffle { spill_size: Bytes::mib(128), step: Bytes::mib(16), spills: false },
        at_executor: false,
        fetch_in_flight: Bytes::mib(14),
        ..celeborn()
    }
}

/// Tasks take the first slot, near or far.
pub fn no_wait() -> LocalityConf {
    LocalityConf { wait_process: SimSpan::ZERO, wait_node: SimSpan::ZERO, ..LocalityConf::default() }
}

fn shuffle() -> ShuffleConf {
    ShuffleConf {
        bypass_merge_threshold: 0,
        initial_buffer_size: 4096,
        radix_sort: true,
        spill_initial_memory: Bytes::mib(5),
        compress: true,
        spill_compress: true,
        codec_ratio: 1.0,
        compress_s_per_gib: 4.0,
        decompress_s_per_gib: 1.5,
        max_size_in_flight: Bytes::mib(48),
        io_max_retries: 3,
        io_retry_wait: SimSpan::from_secs(5),
        service: false,
        serializer: Serializer::Java,
    }
}

/// Executors packed on one node of this memory beside neighbours that use far more than they request, with scratch in RAM.
/// No container limit binds; `kubepods` does, more often the smaller the node. Evictions are off, so that the kernel decides.
pub fn troubled(memory: Bytes) -> Spec {
    let mut spec = world();
    spec.uncertainty = uncertain();
    let pool = &mut spec.cluster.pools[0];
    pool.shape = node(memory);
    pool.shape.reserved.eviction_memory = Bytes::ZERO;
    let mut cache = neighbour("cache", Bytes::mib(64), Bytes::mib(1700));
    cache.memory.anon = Dist::Lognormal { median: Bytes::mib(1700).as_f64(), sigma: 0.05 };
    cache.priority = 2_000_001_000;
    spec.cluster.neighbours.push(cache);
    spec.spark.executor.container_memory = Bytes::gib(2);
    spec.spark.kubernetes.local_dirs_tmpfs = true;
    spec.spark.kubernetes.pod_template.affinity = crate::random_world::packed();
    spec.app = passes(Bytes::new(300_000_000), 3, 8);
    // What dies is replaced without end; after a quarter of an hour the answer is known.
    spec.limits.horizon = SimSpan::from_secs(900);
    spec
}

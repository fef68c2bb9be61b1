//! A small world for the model's own tests: the case study's cluster and a multi-pass job.

use crate::spec::*;
use crate::units::{ByteRate, Bytes, CoreMillis, SimSpan};

/// Everything certain: all factors 1.
pub(crate) fn certain() -> Uncertainty {
    let one = Dist::Constant(1.0);
    Uncertainty {
        data_volume: one.clone(),
        partition_skew: one.clone(),
        compression: one.clone(),
        object_expansion: one.clone(),
        heap_young_share: Dist::Constant(0.64),
        allocation: one.clone(),
        non_heap: one.clone(),
        cpu_speed: one.clone(),
        disk_speed: one.clone(),
        nic_speed: one.clone(),
        task_cpu: one,
        heap_growth: Dist::Constant(1.0 / 0.6),
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

fn on_hostname() -> PodAffinityTerm {
    let requirement = Requirement { key: "spark-role".into(), op: SelectorOp::In, values: vec!["executor".into()] };
    PodAffinityTerm::new(LabelSelector { requirements: vec![requirement] }, "kubernetes.io/hostname")
}

/// Required pod affinity of executors to executors, or preferred anti-affinity.
pub(crate) fn affinity(packed: bool) -> Affinity {
    let mut affinity = Affinity::NONE;
    if packed {
        affinity.required_pod.push(on_hostname());
    } else {
        affinity.preferred_anti.push(WeightedPodAffinityTerm { weight: 100, term: on_hostname() });
    }
    affinity
}

fn node() -> NodeShape {
    NodeShape {
        vm: "Standard_D16s_v5".into(),
        cpu: CoreMillis::cores(16),
        memory: Bytes::mib(64_000),
        reserved: Reservation { memory: Bytes::mib(5611), cpu: CoreMillis::new(260), eviction_memory: Bytes::mib(750), eviction_nodefs_percent: 10 },
        max_pods: 110,
        disks: vec![DiskSpec {
            name: "os".into(),
            size: Bytes::gib(512),
            used: Bytes::gib(25),
            read: ByteRate::mb_per_sec(150),
            write: ByteRate::mb_per_sec(150),
            iops: 2300,
            io_size: Bytes::kib(256),
            burst: None,
            remote: false,
        }],
        nic: ByteRate::mb_per_sec(1250),
        remote: None,
        system_memory: Dist::Constant(1.5 * (1u64 << 30) as f64),
    }
}

fn neighbour(name: &str, gib: f64) -> NeighbourSpec {
    NeighbourSpec {
        name: name.into(),
        placement: NeighbourPlacement::EveryNode,
        resources: Resources { cpu_request: CoreMillis::new(100), memory_request: Bytes::mib(512), ..Resources::default() },
        memory: MemoryUse { anon: Dist::Lognormal { median: gib * (1u64 << 30) as f64, sigma: 0.05 }, shmem: Dist::Constant(0.0), processes: 1 },
        cpu_use: CoreMillis::new(100),
        devices: DeviceUse::NONE,
        priority: 2_000_001_000,
        labels: Vec::new(),
        namespace: "default".into(),
        arrives: None,
        restarts: true,
    }
}

/// A job that scans, then passes the rows through `passes` shuffles.
pub(crate) fn passes(input: Bytes, passes: usize, partitions: u32) -> AppSpec {
    let mut stages = vec![StageSpec {
        name: "validate".into(),
        reads: Vec::new(),
        input: InputSource::Remote { per_stream: 80_000_000 },
        tasks: TaskCount::InputSplit(Bytes::mib(128)),
        work: TaskWork::Parametric(row(input, input, Bytes::ZERO, false, false)),
        sink: SinkSpec::Result,
        cached: Bytes::ZERO,
        broadcast: Bytes::ZERO,
        memory: StageMemory::default(),
        delay: SimSpan::ZERO,
        adaptive: None,
        barrier: false,
        indeterminate: false,
    }];
    let mut shuffles = Vec::new();
    let written = input.scale(0.7);
    for pass in 0..=passes {
        let first = pass == 0;
        let last = pass == passes;
        let sink = if last { SinkSpec::Result } else { SinkSpec::Shuffle(pass) };
        if !last {
            shuffles.push(ShuffleSpec { writer: pass + 1, partitions, map_side_combine: false, relocatable: true });
        }
        stages.push(StageSpec {
            name: format!("pass-{pass}"),
            reads: if first { Vec::new() } else { vec![pass - 1] },
            input: if first { InputSource::Remote { per_stream: 80_000_000 } } else { InputSource::None },
            tasks: if first { TaskCount::InputSplit(Bytes::mib(128)) } else { TaskCount::Fixed(partitions) },
            work: TaskWork::Parametric(TaskRow {
                shuffle_read: if first { Bytes::ZERO } else { written },
                ..row(input, if first { input } else { Bytes::ZERO }, if last { Bytes::ZERO } else { written }, !first, !last)
            }),
            sink,
            cached: Bytes::ZERO,
            broadcast: Bytes::ZERO,
            memory: StageMemory::default(),
            delay: SimSpan::ZERO,
            adaptive: None,
            barrier: false,
            indeterminate: false,
        });
    }
    let jobs = vec![
        JobSpec { stages: vec![0], driver_gap: SimSpan::from_secs(1), ..JobSpec::default() },
        JobSpec { stages: (1..stages.len()).collect(), ..JobSpec::default() },
    ];
    AppSpec { name: "passes".into(), input, jobs, stages, shuffles, sql: true }
}

fn row(input: Bytes, scanned: Bytes, written: Bytes, sorts: bool, writes: bool) -> TaskRow {
    let rows = input.scale(1.6);
    TaskRow {
        input: scanned,
        shuffle_read: Bytes::ZERO,
        shuffle_write: written,
        output: Bytes::ZERO,
        records: input.get() / 128,
        cpu: ByteRate::mb_per_sec(if scanned.is_zero() { 100 } else { 40 }).time_for(input),
        operator_memory: if sorts { rows.scale(1.2) } else { Bytes::ZERO },
        writer_memory: if writes { rows.scale(1.1) } else { Bytes::ZERO },
        unmanaged: Bytes::mib(20) * if scanned.is_zero() { 200 } else { 23 },
        allocated: rows.scale(if scanned.is_zero() { 3.0 } else { 6.0 }),
        unspillable: Bytes::ZERO,
    }
}

/// The case study: four executors on D16s_v5 nodes with a heavy neighbour.
pub(crate) fn case_study(tmpfs: bool, packed: bool) -> Spec {
    let instances = 4;
    let heap = Bytes::gib(10);
    Spec {
        name: "case-study".into(),
        cluster: ClusterSpec {
            daemons: Vec::new(),
            swap: SwapSpec::default(),
            platform: Platform::Kubernetes,
            pools: vec![PoolSpec {
                name: "pool".into(),
                node_names: Vec::new(),
                count: 4,
                shape: node(),
                labels: Vec::new(),
                taints: Vec::new(),
                zones: Vec::new(),
                max_count: None,
                min_count: None,
                max_volumes: None,
            }],
            neighbours: vec![neighbour("node-cache", 12.0), neighbour("log-and-metrics", 4.7)],
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
            yarn: YarnSpec { node_memory_share: 0.85, vmem_check: false, ..YarnSpec::default() },
        },
        spark: spark(instances, heap, tmpfs, packed),
        app: passes(Bytes::new(3_000_000_000), 8, 200),
        uncertainty: Uncertainty { data_volume: Dist::Lognormal { median: 1.0, sigma: 0.05 }, ..certain() },
        inject: Vec::new(),
        reclaims: Vec::new(),
        limits: RunLimits { horizon: SimSpan::from_secs(4 * 3600), max_events: 20_000_000, paranoid: false },
    }
}

fn scratch() -> ScratchConf {
    ScratchConf {
        force_spill_records: 2_147_483_647,
        force_spill_bytes: None,
        checksum: true,
        cleaner_interval: Some(SimSpan::from_secs(1800)),
        sql_file_cleanup: false,
        service_removes: false,
        fetch_to_memory_max: Bytes::mib(200),
        max_requests_in_flight: 2_147_483_647,
        max_blocks_in_flight_per_address: 2_147_483_647,
    }
}

fn spark(instances: u32, heap: Bytes, tmpfs: bool, packed: bool) -> SparkConf {
    SparkConf {
        version: SparkVersion { major: 3, minor: 4, patch: 0 },
        language: Language::Jvm,
        deploy_mode: DeployMode::Cluster,
        driver: DriverConf { memory: Bytes::gib(2), container_memory: Bytes::mib(2432), max_result_size: Bytes::gib(1), cpu: CoreMillis::cores(1) },
        executor: ExecutorConf {
            instances,
            cores: 3,
            task_cpus: 1,
            heap,
            off_heap: Bytes::ZERO,
            pyspark: Bytes::ZERO,
            python_worker_reuse: true,
            container_memory: Bytes::mib(12_800),
            cpu_request: CoreMillis::cores(3),
            cpu_limit: None,
            collector: Collector::G1,
            heap_exit: 52,
            xms_equals_xmx: true,
        },
        memory: MemoryConf { fraction: 0.6, storage_fraction: 0.5, page_size: None },
        shuffle: ShuffleConf {
            bypass_merge_threshold: 200,
            initial_buffer_size: 4096,
            radix_sort: true,
            spill_initial_memory: Bytes::mib(5),
            compress: true,
            spill_compress: true,
            codec_ratio: 1.0,
            compress_s_per_gib: 3.9,
            decompress_s_per_gib: 1.26,
            max_size_in_flight: Bytes::mib(48),
            io_max_retries: 3,
            io_retry_wait: SimSpan::from_secs(5),
            service: false,
            serializer: Serializer::Java,
        },
        scratch: scratch(),
        shuffle_storage: ShuffleStorageConf::default(),
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
        scheduler: SchedulerConf::default(),
        adaptive: None,
        sql: SqlConf::default(),
        allocation: AllocationConf::FIXED,
        kubernetes: KubernetesConf {
            local_dirs_tmpfs: tmpfs,
            local_dirs: 1,
            allocation_batch_size: 5,
            allocation_batch_delay: SimSpan::from_secs(1),
            replace_delay: SimSpan::from_secs(2),
            max_replacements: None,
            namespace: "default".into(),
            pod_template: PodTemplate { affinity: affinity(packed), ..PodTemplate::default() },
        },
    }
}

/// An on-demand claim of a 150 MB/s volume.
pub(crate) fn claim(size: Bytes) -> ClaimSpec {
    let rate = ByteRate::mb_per_sec(150);
    ClaimSpec { size, read: rate, write: rate, iops: 2300, io_size: Bytes::kib(256), shared: false, burst: None, class: ClassFacts::FREE }
}

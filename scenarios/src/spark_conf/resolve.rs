//! From keys to the model's configuration: defaults by version, platform and language.

use sim_core::spark::failure_cap::{ExecutorCount, failure_cap};
use sim_core::spark::sizing::{Sizing, SizingRequest, container_memory};
use sim_core::spec::{
    AllocationConf, Collector, DeployMode, DriverConf, ExecutorConf, KubernetesConf, Language, MemoryConf, Platform, PodTemplate, PoolConf, RecoveryMode,
    SchedulingConf, ScratchConf, Serializer, ShuffleConf, SparkConf,
};
use sim_core::units::{Bytes, CoreMillis, SimSpan};

use super::shuffle_storage::RemoteService;
use super::{Conf, find};

/// What decides the configuration beside Spark's keys.
pub(crate) struct Surroundings {
    /// Platform.
    pub(crate) platform: Platform,
    /// Language.
    pub(crate) language: Language,
    /// Where the driver runs.
    pub(crate) deploy_mode: DeployMode,
    /// Collector, if the scenario says it.
    pub(crate) collector: Option<Collector>,
    /// Whether -Xms = -Xmx, if the scenario says it.
    pub(crate) xms_equals_xmx: Option<bool>,
    /// Container limit, if the scenario says it; zero for none.
    pub(crate) executor_limit: Option<Bytes>,
    /// Local directories, if the scenario says it.
    pub(crate) local_dirs: Option<u32>,
    /// Codec figures that the scenario overrules: ratio, compress, decompress.
    pub(crate) codec: [Option<f64>; 3],
    /// Replacement delay on `bare`.
    pub(crate) replace_delay: SimSpan,
    /// Largest number of replacements.
    pub(crate) max_replacements: Option<u32>,
    /// Pools of the task scheduler.
    pub(crate) pools: Vec<PoolConf>,
    /// The remote shuffle service, if the scenario has one.
    pub(crate) remote_shuffle: Option<RemoteService>,
    /// Whether pods can be resized in place.
    pub(crate) resizes_in_place: bool,
    /// Pod template with everything added.
    pub(crate) template: PodTemplate,
}

/// Builds the configuration from checked keys.
pub(crate) fn resolve(conf: &Conf, mut around: Surroundings) -> SparkConf {
    let pools = std::mem::take(&mut around.pools);
    let executor = executor(conf, &around);
    let allocation = super::allocation::allocation(conf, around.platform, around.resizes_in_place);
    SparkConf {
        version: conf.version,
        language: around.language,
        deploy_mode: around.deploy_mode,
        driver: driver(conf, &around),
        memory: MemoryConf {
            fraction: conf.number("spark.memory.fraction").unwrap_or_default(),
            storage_fraction: conf.number("spark.memory.storageFraction").unwrap_or_default(),
            page_size: conf.size("spark.buffer.pageSize"),
        },
        shuffle: shuffle(conf, around.codec),
        scratch: scratch(conf),
        shuffle_storage: super::shuffle_storage::shuffle_storage(conf, around.platform, around.remote_shuffle),
        scheduling: scheduling(conf, around.platform),
        scheduler: super::scheduler::scheduler(conf, pools),
        adaptive: super::adaptive::adaptive(conf, executor.instances * announced(&executor, &allocation)),
        sql: super::sql::sql(conf),
        allocation,
        kubernetes: kubernetes(conf, around),
        executor,
    }
}

/// Cores with which each executor registers.
fn announced(executor: &ExecutorConf, allocation: &AllocationConf) -> u32 {
    if allocation.recovery == RecoveryMode::Always { executor.task_cpus } else { executor.cores }
}

/// The container of an executor (`spark.executor`) or the driver (`spark.driver`), by their own keys (1.5).
fn container(conf: &Conf, around: &Surroundings, role: &str, heap: Bytes, off_heap: Bytes, pyspark: Bytes) -> Sizing {
    container_memory(&SizingRequest {
        platform: around.platform,
        version: conf.version,
        language: around.language,
        deploy_mode: around.deploy_mode,
        memory: heap,
        overhead: conf.size(&format!("{role}.memoryOverhead")),
        overhead_factor: conf.number(&format!("{role}.memoryOverheadFactor")),
        kubernetes_overhead_factor: conf.number("spark.kubernetes.memoryOverheadFactor"),
        min_overhead: conf.size(&format!("{role}.minMemoryOverhead")),
        off_heap,
        pyspark,
    })
}

/// What limits a container unless the scenario says it: nothing on standalone and bare (1.9).
fn limit(platform: Platform, sizing: Sizing) -> Bytes {
    match platform {
        Platform::Kubernetes | Platform::Yarn => sizing.total(),
        Platform::Standalone | Platform::Bare => Bytes::ZERO,
    }
}

fn executor(conf: &Conf, around: &Surroundings) -> ExecutorConf {
    let heap = conf.size("spark.executor.memory").unwrap_or_default();
    let off_heap = if conf.on("spark.memory.offHeap.enabled") { conf.size("spark.memory.offHeap.size").unwrap_or_default() } else { Bytes::ZERO };
    let pyspark = if around.language == Language::Python { conf.size("spark.executor.pyspark.memory").unwrap_or_default() } else { Bytes::ZERO };
    let sizing = container(conf, around, "spark.executor", heap, off_heap, pyspark);
    let container_memory = around.executor_limit.unwrap_or_else(|| limit(around.platform, sizing));
    let cores = conf.count("spark.executor.cores").unwrap_or(1);
    let options = conf.text("spark.executor.extraJavaOptions").unwrap_or_default();
    ExecutorConf {
        instances: conf.count("spark.executor.instances").unwrap_or_default(),
        cores,
        task_cpus: conf.count("spark.task.cpus").unwrap_or(1),
        heap,
        off_heap,
        pyspark,
        python_worker_reuse: conf.on("spark.python.worker.reuse"),
        container_memory,
        cpu_request: conf.cpu("spark.kubernetes.executor.request.cores").unwrap_or(CoreMillis::cores(u64::from(cores))),
        cpu_limit: conf.cpu("spark.kubernetes.executor.limit.cores"),
        heap_exit: heap_exit(&options, around.platform),
        collector: around.collector.unwrap_or_else(|| collector(&options, container_memory)),
        xms_equals_xmx: around.xms_equals_xmx.unwrap_or_else(|| around.platform == Platform::Kubernetes || sets_full_xms(&options, heap)),
    }
}

/// The collector that options name, else the JVM's choice: Serial below 1792 MB of visible memory, G1 otherwise (JVM-5).
fn collector(options: &str, limit: Bytes) -> Collector {
    if options.contains("-XX:+UseParallelGC") {
        Collector::Parallel
    } else if options.contains("-XX:+UseSerialGC") {
        Collector::Serial
    } else if options.contains("-XX:+UseG1GC") || limit.is_zero() || limit >= Bytes::mib(1792) {
        Collector::G1
    } else {
        Collector::Serial
    }
}

/// Exit code of a JVM whose heap is full, in the order in which `HotSpot` looks at its flags (6.6). On YARN Spark adds `kill %p` where no command is given.
fn heap_exit(options: &str, platform: Platform) -> u8 {
    let command = options.split_once("-XX:OnOutOfMemoryError=").map(|(_, rest)| {
        let quote = rest.chars().next().filter(|c| "'\"".contains(*c));
        quote.map_or_else(|| rest.split_whitespace().next().unwrap_or_default(), |quote| rest[1..].split(quote).next().unwrap_or_default())
    });
    let command = command.or((platform == Platform::Yarn).then_some("kill %p")).unwrap_or_default();
    if command.contains("kill -9") || command.contains("kill -KILL") || command.contains("kill -SIGKILL") {
        137
    } else if command.contains("kill") {
        143
    } else if options.contains("-XX:+CrashOnOutOfMemoryError") {
        134
    } else if options.contains("-XX:+ExitOnOutOfMemoryError") {
        3
    } else {
        52
    }
}

/// Whether the options start the heap at its full size.
fn sets_full_xms(options: &str, heap: Bytes) -> bool {
    let sizes = options.split_whitespace().filter_map(|option| option.strip_prefix("-Xms"));
    sizes.filter_map(|size| crate::quantity::spark_size(size, crate::quantity::SparkUnit::B).ok()).any(|size| size >= heap)
}

fn driver(conf: &Conf, around: &Surroundings) -> DriverConf {
    let memory = conf.size("spark.driver.memory").unwrap_or_default();
    let sizing = container(conf, around, "spark.driver", memory, Bytes::ZERO, Bytes::ZERO);
    let cores = conf.cpu("spark.kubernetes.driver.request.cores").or_else(|| conf.cpu("spark.driver.cores"));
    DriverConf {
        memory,
        container_memory: limit(around.platform, sizing),
        max_result_size: conf.size("spark.driver.maxResultSize").unwrap_or_default(),
        cpu: cores.unwrap_or(CoreMillis::cores(1)),
    }
}

fn shuffle(conf: &Conf, overruled: [Option<f64>; 3]) -> ShuffleConf {
    let (compress, codec) = super::shuffle_storage::codec(conf);
    let kryo = conf.text("spark.serializer").is_some_and(|name| name.ends_with("KryoSerializer"));
    ShuffleConf {
        bypass_merge_threshold: conf.count("spark.shuffle.sort.bypassMergeThreshold").unwrap_or_default(),
        initial_buffer_size: conf.size("spark.shuffle.sort.initialBufferSize").map(Bytes::get).unwrap_or_default(),
        radix_sort: conf.on("spark.shuffle.sort.useRadixSort"),
        spill_initial_memory: conf.size("spark.shuffle.spill.initialMemoryThreshold").unwrap_or_default(),
        compress,
        spill_compress: conf.on("spark.shuffle.spill.compress"),
        codec_ratio: overruled[0].unwrap_or(codec.ratio),
        compress_s_per_gib: overruled[1].unwrap_or_else(|| codec.compress_s_per_gib()),
        decompress_s_per_gib: overruled[2].unwrap_or_else(|| codec.decompress_s_per_gib()),
        max_size_in_flight: conf.size("spark.reducer.maxSizeInFlight").unwrap_or_default(),
        io_max_retries: conf.count("spark.shuffle.io.maxRetries").unwrap_or_default(),
        io_retry_wait: conf.time("spark.shuffle.io.retryWait").unwrap_or_default(),
        service: conf.on("spark.shuffle.service.enabled"),
        serializer: if kryo { Serializer::Kryo } else { Serializer::Java },
    }
}

fn scratch(conf: &Conf) -> ScratchConf {
    let known = |key| find(key).is_some_and(|known| known.since <= (conf.version.major, conf.version.minor));
    let interval = conf.time("spark.cleaner.periodicGC.interval").filter(|interval| *interval > SimSpan::ZERO);
    let file_cleanup = if uses_connect(conf) { CONNECT_FILE_CLEANUP } else { CLASSIC_FILE_CLEANUP };
    ScratchConf {
        force_spill_records: conf.count("spark.shuffle.spill.numElementsForceSpillThreshold").map_or(u64::MAX, u64::from),
        force_spill_bytes: conf.size("spark.shuffle.spill.maxSizeInBytesForSpillThreshold"),
        checksum: known("spark.shuffle.checksum.enabled") && conf.on("spark.shuffle.checksum.enabled"),
        cleaner_interval: interval.filter(|_| conf.on("spark.cleaner.referenceTracking")),
        sql_file_cleanup: known(file_cleanup) && conf.on(file_cleanup),
        service_removes: known("spark.shuffle.service.removeShuffle") && conf.on("spark.shuffle.service.removeShuffle"),
        fetch_to_memory_max: conf.size("spark.network.maxRemoteBlockSizeFetchToMem").unwrap_or_default(),
        max_requests_in_flight: conf.count("spark.reducer.maxReqsInFlight").unwrap_or(u32::MAX),
        max_blocks_in_flight_per_address: conf.count("spark.reducer.maxBlocksInFlightPerAddress").unwrap_or(u32::MAX),
    }
}

/// Removes the files of an execution's shuffles at its end, in classic applications.
pub(crate) const CLASSIC_FILE_CLEANUP: &str = "spark.sql.classic.shuffleDependency.fileCleanup.enabled";
/// The same in applications of Spark Connect.
pub(crate) const CONNECT_FILE_CLEANUP: &str = "spark.sql.shuffleDependency.fileCleanup.enabled";

/// Whether the application is one of Spark Connect.
pub(crate) fn uses_connect(conf: &Conf) -> bool {
    conf.written("spark.remote").is_some() || conf.text("spark.api.mode").is_some_and(|mode| mode.eq_ignore_ascii_case("connect"))
}

/// The cap that is written, by the key that the platform and version read (FC-1, FC-2, YRN-8).
fn written_failure_cap(conf: &Conf, platform: Platform) -> Option<u32> {
    let older = || conf.count("spark.yarn.max.executor.failures").filter(|_| platform == Platform::Yarn);
    conf.count("spark.executor.maxNumFailures").or_else(older)
}

/// What the default cap on failures is made of: what was written, and nothing when nothing was (A20).
fn executor_count(conf: &Conf) -> ExecutorCount {
    match super::allocation::dynamic(conf) {
        Some(dynamic) => ExecutorCount::Dynamic(Some(dynamic.max)),
        None => ExecutorCount::Fixed(conf.written("spark.executor.instances").and_then(|_| conf.count("spark.executor.instances"))),
    }
}

fn scheduling(conf: &Conf, platform: Platform) -> SchedulingConf {
    let ratio = match platform {
        Platform::Kubernetes | Platform::Yarn => 0.8,
        Platform::Standalone | Platform::Bare => 0.0,
    };
    SchedulingConf {
        task_max_failures: conf.count("spark.task.maxFailures").unwrap_or_default(),
        stage_max_consecutive_attempts: conf.count("spark.stage.maxConsecutiveAttempts").unwrap_or_default(),
        stage_max_attempts: if (conf.version.major, conf.version.minor) >= (3, 5) { conf.count("spark.stage.maxAttempts") } else { None },
        executor_max_failures: failure_cap(platform, conf.version, written_failure_cap(conf, platform), executor_count(conf)),
        failures_validity: conf.time("spark.executor.failuresValidityInterval").or_else(|| conf.time("spark.yarn.executor.failuresValidityInterval")),
        min_registered_ratio: conf.number("spark.scheduler.minRegisteredResourcesRatio").unwrap_or(ratio),
        max_registered_wait: conf.time("spark.scheduler.maxRegisteredResourcesWaitingTime").unwrap_or_default(),
        unregister_output_on_host: conf.on("spark.files.fetchFailure.unRegisterOutputOnHost"),
        ignore_decommission_fetch_failure: conf.on("spark.stage.ignoreDecommissionFetchFailure"),
    }
}

fn kubernetes(conf: &Conf, around: Surroundings) -> KubernetesConf {
    let written =
        conf.written("spark.local.dir").and_then(|node| node.text()).map_or(1, |dirs| dirs.split(',').filter(|dir| !dir.trim().is_empty()).count().max(1));
    KubernetesConf {
        local_dirs_tmpfs: conf.on("spark.kubernetes.local.dirs.tmpfs"),
        local_dirs: around.local_dirs.unwrap_or(u32::try_from(written).unwrap_or(1)),
        allocation_batch_size: conf.count("spark.kubernetes.allocation.batch.size").unwrap_or_default(),
        allocation_batch_delay: conf.time("spark.kubernetes.allocation.batch.delay").unwrap_or_default(),
        replace_delay: around.replace_delay,
        max_replacements: around.max_replacements,
        namespace: conf.text("spark.kubernetes.namespace").unwrap_or_else(|| "default".to_owned()),
        pod_template: around.template,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 6.6: commands run first, then the crash, then the exit; Spark's own handler is last, and on YARN Spark adds a command.
    #[test]
    fn a_full_heap_ends_as_the_flags_say() {
        for (options, kubernetes, yarn) in [
            ("-XX:+UseG1GC", 52, 143),
            ("-XX:+ExitOnOutOfMemoryError", 3, 143),
            ("-XX:+ExitOnOutOfMemoryError -XX:+CrashOnOutOfMemoryError", 134, 143),
            ("-XX:OnOutOfMemoryError='kill -9 %p' -XX:+ExitOnOutOfMemoryError", 137, 137),
            ("-XX:OnOutOfMemoryError=\"kill %p\"", 143, 143),
            ("-XX:OnOutOfMemoryError=/opt/dump.sh -XX:+ExitOnOutOfMemoryError", 3, 3),
        ] {
            assert_eq!((heap_exit(options, Platform::Kubernetes), heap_exit(options, Platform::Yarn)), (kubernetes, yarn), "{options}");
        }
    }
}

//! From keys to the model's configuration: defaults by version, platform and language.

use sim_core::spec::{
    Collector, DeployMode, DriverConf, ExecutorConf, KubernetesConf, Language, MemoryConf, Platform, PodTemplate, SchedulingConf, Serializer, ShuffleConf,
    SparkConf,
};
use sim_core::units::{Bytes, CoreMillis, SimSpan};

use super::{Conf, OverheadFactor, container};

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
    /// Pod template with everything added.
    pub(crate) template: PodTemplate,
}

/// Builds the configuration from checked keys.
pub(crate) fn resolve(conf: &Conf, around: Surroundings) -> SparkConf {
    let executor = executor(conf, &around);
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
        scheduling: scheduling(conf, around.platform, executor.instances),
        kubernetes: kubernetes(conf, around),
        executor,
    }
}

/// The overhead rule of an executor (`spark.executor`) or the driver (`spark.driver`), POD-1 to POD-3.
fn overhead_rule(conf: &Conf, around: &Surroundings, role: &str) -> OverheadFactor {
    let kubernetes = around.platform == Platform::Kubernetes;
    let raised = kubernetes && around.deploy_mode == DeployMode::Cluster && around.language != Language::Jvm;
    let factor = conf
        .number(&format!("{role}.memoryOverheadFactor"))
        .or_else(|| conf.number("spark.kubernetes.memoryOverheadFactor").filter(|_| kubernetes))
        .unwrap_or(if raised { 0.4 } else { 0.1 });
    let minimum = if conf.version.major >= 4 && role == "spark.executor" { conf.size("spark.executor.minMemoryOverhead") } else { None };
    OverheadFactor { factor, minimum: minimum.unwrap_or(Bytes::mib(384)) }
}

fn executor(conf: &Conf, around: &Surroundings) -> ExecutorConf {
    let heap = conf.size("spark.executor.memory").unwrap_or_default();
    let off_heap = if conf.on("spark.memory.offHeap.enabled") { conf.size("spark.memory.offHeap.size").unwrap_or_default() } else { Bytes::ZERO };
    let pyspark = if around.language == Language::Python { conf.size("spark.executor.pyspark.memory").unwrap_or_default() } else { Bytes::ZERO };
    let parts = container(heap, conf.size("spark.executor.memoryOverhead"), overhead_rule(conf, around, "spark.executor"), off_heap, pyspark);
    let limit = match around.platform {
        Platform::Kubernetes | Platform::Yarn => parts.total,
        Platform::Standalone | Platform::Bare => Bytes::ZERO,
    };
    let container_memory = around.executor_limit.unwrap_or(limit);
    let cores = conf.count("spark.executor.cores").unwrap_or(1);
    let options = conf.text("spark.executor.extraJavaOptions").unwrap_or_default();
    ExecutorConf {
        instances: conf.count("spark.executor.instances").unwrap_or_default(),
        cores,
        task_cpus: conf.count("spark.task.cpus").unwrap_or(1),
        heap,
        off_heap,
        pyspark,
        container_memory,
        cpu_request: conf.cpu("spark.kubernetes.executor.request.cores").unwrap_or(CoreMillis::cores(u64::from(cores))),
        cpu_limit: conf.cpu("spark.kubernetes.executor.limit.cores"),
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

/// Whether the options start the heap at its full size.
fn sets_full_xms(options: &str, heap: Bytes) -> bool {
    let sizes = options.split_whitespace().filter_map(|option| option.strip_prefix("-Xms"));
    sizes.filter_map(|size| crate::quantity::spark_size(size, crate::quantity::SparkUnit::B).ok()).any(|size| size >= heap)
}

fn driver(conf: &Conf, around: &Surroundings) -> DriverConf {
    let memory = conf.size("spark.driver.memory").unwrap_or_default();
    let parts = container(memory, conf.size("spark.driver.memoryOverhead"), overhead_rule(conf, around, "spark.driver"), Bytes::ZERO, Bytes::ZERO);
    let cores = conf.cpu("spark.kubernetes.driver.request.cores").or_else(|| conf.cpu("spark.driver.cores"));
    DriverConf { memory, container_memory: parts.total, cpu: cores.unwrap_or(CoreMillis::cores(1)) }
}

/// Ratio to lz4, seconds to compress and to decompress one GiB, through the JVM's streams (8.2): lz4 275 and 850 MB/s, zstd 185 and 600.
fn codec(name: &str) -> (f64, f64, f64) {
    let per_gib = |mb_per_s: f64| 1_073.741_824 / mb_per_s;
    match name {
        "zstd" | "org.apache.spark.io.ZStdCompressionCodec" => (0.53, per_gib(185.0), per_gib(600.0)),
        "snappy" | "org.apache.spark.io.SnappyCompressionCodec" => (1.03, per_gib(275.0), per_gib(850.0)),
        "lzf" | "org.apache.spark.io.LZFCompressionCodec" => (1.05, per_gib(200.0), per_gib(500.0)),
        _ => (1.0, per_gib(275.0), per_gib(850.0)),
    }
}

/// Names that `spark.io.compression.codec` may have.
pub(crate) fn provided(codec: &str) -> bool {
    let short = codec.strip_prefix("org.apache.spark.io.").and_then(|class| class.strip_suffix("CompressionCodec")).unwrap_or(codec);
    ["lz4", "zstd", "snappy", "lzf"].contains(&short.to_ascii_lowercase().as_str())
}

fn shuffle(conf: &Conf, overruled: [Option<f64>; 3]) -> ShuffleConf {
    let (ratio, compress_s, decompress_s) = codec(&conf.text("spark.io.compression.codec").unwrap_or_default());
    let kryo = conf.text("spark.serializer").is_some_and(|name| name.ends_with("KryoSerializer"));
    ShuffleConf {
        bypass_merge_threshold: conf.count("spark.shuffle.sort.bypassMergeThreshold").unwrap_or_default(),
        initial_buffer_size: conf.count("spark.shuffle.sort.initialBufferSize").map(u64::from).unwrap_or_default(),
        radix_sort: conf.on("spark.shuffle.sort.useRadixSort"),
        spill_initial_memory: conf.size("spark.shuffle.spill.initialMemoryThreshold").unwrap_or_default(),
        compress: conf.on("spark.shuffle.compress"),
        spill_compress: conf.on("spark.shuffle.spill.compress"),
        codec_ratio: overruled[0].unwrap_or(ratio),
        compress_s_per_gib: overruled[1].unwrap_or(compress_s),
        decompress_s_per_gib: overruled[2].unwrap_or(decompress_s),
        max_size_in_flight: conf.size("spark.reducer.maxSizeInFlight").unwrap_or_default(),
        io_max_retries: conf.count("spark.shuffle.io.maxRetries").unwrap_or_default(),
        io_retry_wait: conf.time("spark.shuffle.io.retryWait").unwrap_or_default(),
        service: conf.on("spark.shuffle.service.enabled"),
        serializer: if kryo { Serializer::Kryo } else { Serializer::Java },
    }
}

/// Failure cap by platform and version (FC-1, FC-2, YRN-8).
fn failure_cap(conf: &Conf, platform: Platform, instances: u32) -> Option<u32> {
    let default = instances.saturating_mul(2).max(3);
    match platform {
        Platform::Kubernetes if (conf.version.major, conf.version.minor) < (3, 5) => None,
        Platform::Kubernetes => Some(conf.count("spark.executor.maxNumFailures").unwrap_or(default)),
        Platform::Yarn => Some(conf.count("spark.executor.maxNumFailures").or_else(|| conf.count("spark.yarn.max.executor.failures")).unwrap_or(default)),
        Platform::Standalone | Platform::Bare => None,
    }
}

fn scheduling(conf: &Conf, platform: Platform, instances: u32) -> SchedulingConf {
    let ratio = match platform {
        Platform::Kubernetes | Platform::Yarn => 0.8,
        Platform::Standalone | Platform::Bare => 0.0,
    };
    SchedulingConf {
        task_max_failures: conf.count("spark.task.maxFailures").unwrap_or_default(),
        stage_max_consecutive_attempts: conf.count("spark.stage.maxConsecutiveAttempts").unwrap_or_default(),
        stage_max_attempts: if (conf.version.major, conf.version.minor) >= (3, 5) { conf.count("spark.stage.maxAttempts") } else { None },
        locality_wait: conf.time("spark.locality.wait").unwrap_or_default(),
        executor_max_failures: failure_cap(conf, platform, instances),
        failures_validity: conf.time("spark.executor.failuresValidityInterval").or_else(|| conf.time("spark.yarn.executor.failuresValidityInterval")),
        min_registered_ratio: conf.number("spark.scheduler.minRegisteredResourcesRatio").unwrap_or(ratio),
        max_registered_wait: conf.time("spark.scheduler.maxRegisteredResourcesWaitingTime").unwrap_or_default(),
        unregister_output_on_host: conf.on("spark.files.fetchFailure.unRegisterOutputOnHost"),
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
        pod_template: around.template,
    }
}

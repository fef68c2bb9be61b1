//! The Spark configuration that the model uses, resolved to values.
//!
//! Raw keys, defaults by version and their origins live in `scenarios`; here every value is known. Each field
//! names its key.

use super::{AdaptiveConf, AllocationConf, PodTemplate, SchedulerConf, ScratchConf, ShuffleStorageConf, SqlConf};
use crate::units::{Bytes, CoreMillis, SimSpan};

/// A Spark release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SparkVersion {
    /// Major.
    pub major: u16,
    /// Minor.
    pub minor: u16,
    /// Patch.
    pub patch: u16,
}

/// Language of the application, which decides overheads (POD-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Scala or Java.
    Jvm,
    /// Python.
    Python,
    /// R.
    R,
}

/// Where the driver runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployMode {
    /// In the cluster, as a pod or container of its own.
    Cluster,
    /// Outside: it takes nothing from the nodes.
    Client,
}

/// Garbage collector of the executors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collector {
    /// G1 (JVM-5).
    G1,
    /// Parallel.
    Parallel,
    /// Serial.
    Serial,
}

/// `spark.serializer`, as far as it decides the shuffle writer (2.1). SQL stages always relocate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serializer {
    /// Java serialisation: no relocation.
    Java,
    /// Kryo: relocation.
    Kryo,
}

/// The resolved configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct SparkConf {
    /// Release.
    pub version: SparkVersion,
    /// Application language.
    pub language: Language,
    /// Driver placement.
    pub deploy_mode: DeployMode,
    /// Driver.
    pub driver: DriverConf,
    /// Executors.
    pub executor: ExecutorConf,
    /// Unified memory.
    pub memory: MemoryConf,
    /// Shuffle.
    pub shuffle: ShuffleConf,
    /// Files on scratch.
    pub scratch: ScratchConf,
    /// Where shuffle data lies beside scratch.
    pub shuffle_storage: ShuffleStorageConf,
    /// Failure limits of tasks, stages and executors.
    pub scheduling: SchedulingConf,
    /// Order of jobs, locality, speculation, exclusion.
    pub scheduler: SchedulerConf,
    /// Adaptive execution, if it is on.
    pub adaptive: Option<AdaptiveConf>,
    /// Row thresholds of SQL operators.
    pub sql: SqlConf,
    /// How executors are asked for.
    pub allocation: AllocationConf,
    /// Kubernetes backend.
    pub kubernetes: KubernetesConf,
}

/// The driver's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriverConf {
    /// `spark.driver.memory`.
    pub memory: Bytes,
    /// Driver pod or container memory: memory + overhead (POD-10). Zero: no container limit (`bare`, standalone).
    pub container_memory: Bytes,
    /// `spark.driver.maxResultSize`; zero is no limit.
    pub max_result_size: Bytes,
    /// `spark.driver.cores` as CPU request.
    pub cpu: CoreMillis,
}

/// Size and JVM of an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutorConf {
    /// `spark.executor.instances`.
    pub instances: u32,
    /// `spark.executor.cores`: task slots are `cores / task_cpus`.
    pub cores: u32,
    /// `spark.task.cpus`.
    pub task_cpus: u32,
    /// `spark.executor.memory`: `-Xmx`.
    pub heap: Bytes,
    /// `spark.memory.offHeap.size` when enabled, else zero.
    pub off_heap: Bytes,
    /// `spark.executor.pyspark.memory`, else zero.
    pub pyspark: Bytes,
    /// `spark.python.worker.reuse`.
    pub python_worker_reuse: bool,
    /// Container memory: heap + overhead + off-heap + PySpark, whole MiB (1.5). Zero: no container limit (`bare`, standalone).
    pub container_memory: Bytes,
    /// CPU request of the container (POD-5).
    pub cpu_request: CoreMillis,
    /// `spark.kubernetes.executor.limit.cores`, if set.
    pub cpu_limit: Option<CoreMillis>,
    /// Collector.
    pub collector: Collector,
    /// Exit code of a JVM whose heap is full: 52 from Spark's own handler; with another the JVM ends by its flags, whether or not the error is caught (6.6).
    pub heap_exit: u8,
    /// Whether `-Xms` = `-Xmx`: committed at start, never given back (JVM-1, JVM-4).
    pub xms_equals_xmx: bool,
}

/// Unified memory (1.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryConf {
    /// `spark.memory.fraction`.
    pub fraction: f64,
    /// `spark.memory.storageFraction`.
    pub storage_fraction: f64,
    /// `spark.buffer.pageSize`, if set.
    pub page_size: Option<Bytes>,
}

/// Shuffle (2.2, 3.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShuffleConf {
    /// `spark.shuffle.sort.bypassMergeThreshold`.
    pub bypass_merge_threshold: u32,
    /// `spark.shuffle.sort.initialBufferSize`, pointers.
    pub initial_buffer_size: u64,
    /// `spark.shuffle.sort.useRadixSort`.
    pub radix_sort: bool,
    /// `spark.shuffle.spill.initialMemoryThreshold`.
    pub spill_initial_memory: Bytes,
    /// `spark.shuffle.compress`.
    pub compress: bool,
    /// `spark.shuffle.spill.compress`.
    pub spill_compress: bool,
    /// Compressed size relative to lz4 of `spark.io.compression.codec` (8.2): lz4 1, zstd about 0.53.
    pub codec_ratio: f64,
    /// CPU seconds per uncompressed GiB that the codec needs to compress (8.2).
    pub compress_s_per_gib: f64,
    /// CPU seconds per uncompressed GiB that the codec needs to decompress (8.2).
    pub decompress_s_per_gib: f64,
    /// `spark.reducer.maxSizeInFlight`.
    pub max_size_in_flight: Bytes,
    /// `spark.shuffle.io.maxRetries`.
    pub io_max_retries: u32,
    /// `spark.shuffle.io.retryWait`.
    pub io_retry_wait: SimSpan,
    /// `spark.shuffle.service.enabled`: outputs are served by the node, not by the executor (3.7).
    pub service: bool,
    /// `spark.serializer`.
    pub serializer: Serializer,
}

/// Scheduling and failure limits (3.5, 3.6, 4.6).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SchedulingConf {
    /// `spark.task.maxFailures`.
    pub task_max_failures: u32,
    /// `spark.stage.maxConsecutiveAttempts`.
    pub stage_max_consecutive_attempts: u32,
    /// `spark.stage.maxAttempts`, none before 3.5. Spark takes the larger of it and `stage_max_consecutive_attempts`.
    pub stage_max_attempts: Option<u32>,
    /// `spark.executor.maxNumFailures` resolved by version (FC-1, FC-2); `None` means no cap.
    pub executor_max_failures: Option<u32>,
    /// `spark.executor.failuresValidityInterval`.
    pub failures_validity: Option<SimSpan>,
    /// `spark.scheduler.minRegisteredResourcesRatio`.
    pub min_registered_ratio: f64,
    /// `spark.scheduler.maxRegisteredResourcesWaitingTime`.
    pub max_registered_wait: SimSpan,
    /// `spark.files.fetchFailure.unRegisterOutputOnHost`: with a shuffle service a fetch failure drops the outputs of the whole host.
    pub unregister_output_on_host: bool,
    /// `spark.stage.ignoreDecommissionFetchFailure`: fetch failures from executors that leave do not count for their stage.
    pub ignore_decommission_fetch_failure: bool,
}

/// The Kubernetes backend (4).
#[derive(Clone, Debug, PartialEq)]
pub struct KubernetesConf {
    /// `spark.kubernetes.local.dirs.tmpfs`.
    pub local_dirs_tmpfs: bool,
    /// How many generated local directories (`SPARK_LOCAL_DIRS`, `spark.local.dir`, else 1).
    pub local_dirs: u32,
    /// `spark.kubernetes.allocation.batch.size`.
    pub allocation_batch_size: u32,
    /// `spark.kubernetes.allocation.batch.delay`.
    pub allocation_batch_delay: SimSpan,
    /// On platform `bare`: delay from a death to the start of the replacement.
    pub replace_delay: SimSpan,
    /// Largest number of replacements, `None` for no limit (`bare` labs stop at some).
    pub max_replacements: Option<u32>,
    /// `spark.kubernetes.namespace`: where driver and executors are, whatever the template says.
    pub namespace: String,
    /// The executor pod template.
    pub pod_template: PodTemplate,
}

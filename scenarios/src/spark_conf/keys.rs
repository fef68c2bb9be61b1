//! Every Spark key that decides something in the model.
//!
//! Defaults are `Released` where the catalogue has the entry. `Unset` says what happens where Spark computes the value, and `Same` what it is
//! where Spark has it in code (Appendix B, 2.2, 3.1, 4.4); a test holds both against the catalogue.

use super::{ConfDefault, ConfKey, ConfKind, life_keys, shuffle_keys, sql_keys};
use crate::quantity::SparkUnit::{B, MiB};
use ConfDefault::{Released, Same, Unset};
use ConfKind::{Bool, Cpu, Integer, Number, Size, Text, Time};

pub(super) const I32: i64 = 2_147_483_647;
pub(super) const COUNT: ConfKind = Integer(1, I32);

pub(super) const fn key(key: &'static str, kind: ConfKind, default: ConfDefault, meaning: &'static str, source: &'static str) -> ConfKey {
    ConfKey { key, kind, default, since: (0, 0), meaning, source }
}
pub(super) const fn since(since: (u16, u16), base: &ConfKey) -> ConfKey {
    ConfKey { key: base.key, kind: base.kind, default: base.default, since, meaning: base.meaning, source: base.source }
}

/// The table.
pub(crate) static KEYS: &[ConfKey] = &all();

const PARTS: [&[ConfKey]; 4] = [GENERAL, life_keys::KEYS, sql_keys::KEYS, shuffle_keys::KEYS];
const COUNT_OF_ALL: usize = PARTS[0].len() + PARTS[1].len() + PARTS[2].len() + PARTS[3].len();

/// The parts of the table, one after the other.
const fn all() -> [ConfKey; COUNT_OF_ALL] {
    let mut all = [GENERAL[0]; COUNT_OF_ALL];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut within = 0;
        while within < PARTS[part].len() {
            all[at] = PARTS[part][within];
            (at, within) = (at + 1, within + 1);
        }
        part += 1;
    }
    all
}

const GENERAL: &[ConfKey] = &[
    key("spark.executor.instances", COUNT, Same("2"), "Executors that the application asks for.", "AL-4"),
    key("spark.executor.cores", Integer(1, 4096), Released, "Cores of an executor; task slots are cores / spark.task.cpus.", "Appendix B"),
    key("spark.task.cpus", Integer(1, 4096), Released, "Cores of a task.", "Appendix B"),
    key("spark.executor.memory", Size(MiB), Released, "Heap of an executor (-Xmx).", "Appendix B"),
    key(
        "spark.executor.memoryOverhead",
        Size(MiB),
        Unset("factor × executor memory, at least the minimum"),
        "Memory beside the heap that the container is given.",
        "1.5",
    ),
    since(
        (3, 3),
        &key(
            "spark.executor.memoryOverheadFactor",
            Number(0.0, 100.0),
            Unset("spark.kubernetes.memoryOverheadFactor, else 0.1"),
            "Overhead as a share of the heap.",
            "POD-2",
        ),
    ),
    key(
        "spark.kubernetes.memoryOverheadFactor",
        Number(0.0, 100.0),
        Unset("0.1; 0.4 for Python and R in cluster mode"),
        "Overhead as a share of the heap on Kubernetes.",
        "POD-2, POD-3",
    ),
    since((4, 0), &key("spark.executor.minMemoryOverhead", Size(MiB), Released, "Smallest overhead.", "POD-1")),
    key("spark.memory.offHeap.enabled", Bool, Released, "Whether Tungsten memory is off-heap.", "MEM-8"),
    key("spark.memory.offHeap.size", Size(B), Released, "Off-heap memory for execution and storage.", "MEM-8"),
    key("spark.executor.pyspark.memory", Size(MiB), Unset("Python workers share the overhead"), "Memory of the Python workers of an executor.", "1.5"),
    key("spark.executor.extraJavaOptions", Text, Unset("none"), "JVM options; collector and -Xms are read from it.", "JVM-5"),
    key("spark.python.worker.reuse", Bool, Released, "Whether a Python worker serves one task after the other.", "Appendix B"),
    key("spark.driver.memory", Size(MiB), Released, "Heap of the driver.", "POD-10"),
    key("spark.driver.memoryOverhead", Size(MiB), Unset("factor × driver memory, at least the minimum"), "Memory beside the driver's heap.", "POD-10"),
    since(
        (3, 3),
        &key(
            "spark.driver.memoryOverheadFactor",
            Number(0.0, 100.0),
            Unset("spark.kubernetes.memoryOverheadFactor, else 0.1"),
            "Driver overhead as a share of its heap.",
            "POD-10",
        ),
    ),
    key("spark.driver.maxResultSize", Size(B), Released, "Largest serialised results of one stage; 0 is no limit.", "Appendix B"),
    key("spark.driver.cores", Integer(1, 4096), Released, "Cores of the driver.", "POD-10"),
    key("spark.kubernetes.driver.request.cores", Cpu, Unset("spark.driver.cores"), "CPU request of the driver pod.", "POD-5"),
    key("spark.kubernetes.executor.request.cores", Cpu, Unset("spark.executor.cores"), "CPU request of an executor pod.", "POD-5"),
    key("spark.kubernetes.executor.limit.cores", Cpu, Unset("no limit"), "CPU limit of an executor pod.", "POD-5"),
    key("spark.memory.fraction", Number(0.0, 1.0), Released, "Share of the heap above 300 MiB for execution and storage.", "MEM-2"),
    key("spark.memory.storageFraction", Number(0.0, 0.999_999), Released, "Share of that which storage keeps from execution.", "MEM-3"),
    key("spark.buffer.pageSize", Size(B), Unset("by execution memory and cores, 1 to 64 MiB"), "Tungsten page size.", "MEM-33"),
    key("spark.shuffle.sort.bypassMergeThreshold", Integer(0, I32), Released, "Most partitions of the bypass writer.", "2.1"),
    key("spark.shuffle.sort.initialBufferSize", Size(B), Released, "First pointer array of a sorter, entries; written as a size.", "2.2"),
    key("spark.shuffle.sort.useRadixSort", Bool, Released, "Whether pointers are radix sorted, with double space.", "2.2"),
    key("spark.shuffle.spill.initialMemoryThreshold", Size(B), Released, "Memory of a collection before it is tracked.", "2.2"),
    key(
        "spark.shuffle.spill.numElementsForceSpillThreshold",
        Integer(1, I32),
        Released,
        "Records with which a sorter spills, whatever memory there is.",
        "2.2",
    ),
    since(
        (4, 1),
        &key(
            "spark.shuffle.spill.maxSizeInBytesForSpillThreshold",
            Size(B),
            Unset("no limit"),
            "Size with which a sorter spills, whatever memory there is.",
            "2.2",
        ),
    ),
    since((3, 2), &key("spark.shuffle.checksum.enabled", Bool, Released, "Whether each map output has a file of checksums.", "2.2, CM-1")),
    key("spark.cleaner.referenceTracking", Bool, Released, "Whether the driver removes shuffles that nobody can reach.", "2.7"),
    key(
        "spark.cleaner.periodicGC.interval",
        Time("s"),
        Released,
        "Time between the driver's garbage collections, after which such shuffles are removed.",
        "2.7, Appendix B",
    ),
    since(
        (4, 1),
        &key(
            "spark.sql.classic.shuffleDependency.fileCleanup.enabled",
            Bool,
            Released,
            "Whether shuffle files are removed when their SQL execution ends.",
            "2.7",
        ),
    ),
    since(
        (4, 0),
        &key(
            "spark.sql.shuffleDependency.fileCleanup.enabled",
            Bool,
            Released,
            "The same for applications of Spark Connect (spark.api.mode = connect, or spark.remote).",
            "2.7",
        ),
    ),
    since((4, 0), &key("spark.api.mode", Text, Released, "Whether the application uses Spark Connect: classic or connect.", "2.7")),
    since((3, 4), &key("spark.remote", Text, Unset("no Spark Connect server"), "Address of a Spark Connect server.", "2.7")),
    key("spark.shuffle.compress", Bool, Released, "Whether shuffle output is compressed.", "2.2"),
    key("spark.shuffle.spill.compress", Bool, Released, "Whether spills are compressed.", "2.2"),
    key("spark.io.compression.codec", Text, Released, "Codec of shuffle and spills: lz4, lzf, snappy or zstd.", "2.2, 8.2"),
    key("spark.reducer.maxSizeInFlight", Size(MiB), Released, "Bytes that a reducer fetches at a time.", "3.1"),
    key("spark.reducer.maxReqsInFlight", COUNT, Released, "Fetch requests of a reducer that are under way.", "3.1"),
    key("spark.reducer.maxBlocksInFlightPerAddress", COUNT, Released, "Blocks that a reducer fetches from one executor at a time.", "3.1"),
    key(
        "spark.network.maxRemoteBlockSizeFetchToMem",
        Size(B),
        Released,
        "Size above which a fetch goes to the reader's local directories instead of memory.",
        "3.1, FR-2",
    ),
    key("spark.shuffle.io.maxRetries", Integer(0, I32), Released, "Retries of a fetch.", "3.1"),
    key("spark.shuffle.io.retryWait", Time("s"), Released, "Wait between retries.", "3.1"),
    key("spark.shuffle.service.enabled", Bool, Released, "Whether the node's shuffle service serves outputs.", "3.7"),
    since(
        (3, 3),
        &key("spark.shuffle.service.removeShuffle", Bool, Released, "Whether the shuffle service removes files of executors that are gone, too.", "3.7"),
    ),
    key("spark.serializer", Text, Released, "Serializer of RDD shuffles.", "Appendix B"),
    key("spark.task.maxFailures", COUNT, Released, "Failures of one task that abort the job.", "3.5"),
    key("spark.stage.maxConsecutiveAttempts", COUNT, Released, "Attempts of a stage in a row that end in fetch failures.", "FF-4"),
    since(
        (3, 4),
        &key(
            "spark.stage.ignoreDecommissionFetchFailure",
            Bool,
            Released,
            "Whether fetch failures from executors that leave do not count for their stage.",
            "3.7",
        ),
    ),
    since((3, 5), &key("spark.stage.maxAttempts", COUNT, Released, "Attempts of a stage in all.", "Appendix B")),
    key("spark.scheduler.mode", Text, Released, "Order of concurrent jobs: FIFO, or FAIR by pools.", "Spark's TaskSchedulerImpl"),
    key("spark.scheduler.allocation.file", Text, Unset("no pools but those of spark.pool"), "Pools for FAIR, as XML.", "Spark's FairSchedulableBuilder"),
    key("spark.scheduler.revive.interval", Time("ms"), Same("1s"), "How often refused slots are offered again.", "Spark's CoarseGrainedSchedulerBackend"),
    key("spark.locality.wait", Time("ms"), Released, "Wait for a local slot.", "3.6"),
    key("spark.locality.wait.process", Time("ms"), Unset("spark.locality.wait"), "Wait for a slot on the executor that holds the data.", "3.6"),
    key("spark.locality.wait.node", Time("ms"), Unset("spark.locality.wait"), "Wait for a slot on a host that holds the data.", "3.6"),
    since((3, 1), &key("spark.locality.wait.legacyResetOnTaskLaunch", Bool, Released, "Whether every launch restarts the wait, as before 3.1.", "SPARK-18886")),
    key("spark.shuffle.reduceLocality.enabled", Bool, Released, "Whether reducers prefer where much of their input is.", "3.6"),
    key("spark.speculation", Bool, Released, "Whether tasks that take too long get a second copy.", "3.6"),
    key("spark.speculation.interval", Time("ms"), Released, "How often such tasks are looked for.", "3.6"),
    key("spark.speculation.multiplier", Number(0.0, 1e6), Released, "How many medians a task may take.", "3.6"),
    key("spark.speculation.quantile", Number(0.0, 1.0), Released, "Share of the tasks that must be done first.", "3.6"),
    since((3, 2), &key("spark.speculation.minTaskRuntime", Time("ms"), Released, "Time below which no task gets a copy.", "SPARK-33741")),
    since(
        (3, 0),
        &key(
            "spark.speculation.task.duration.threshold",
            Time("ms"),
            Unset("none"),
            "Time after which a task gets a copy in a stage that fits on one executor.",
            "SPARK-29976",
        ),
    ),
    since((3, 4), &key("spark.speculation.efficiency.enabled", Bool, Released, "Whether only slow processing is speculated on.", "SPARK-32170")),
    since(
        (3, 4),
        &key(
            "spark.speculation.efficiency.processRateMultiplier",
            Number(0.0, 1e6),
            Released,
            "Share of the mean rate below which a task is slow.",
            "SPARK-32170",
        ),
    ),
    since(
        (3, 4),
        &key(
            "spark.speculation.efficiency.longRunTaskFactor",
            Number(0.0, 1e6),
            Released,
            "Thresholds after which a task gets a copy in any case.",
            "SPARK-32170",
        ),
    ),
    key("spark.excludeOnFailure.enabled", Bool, Same("false"), "Whether places with failures are avoided.", "3.6"),
    since((4, 0), &key("spark.excludeOnFailure.taskAndStage.enabled", Bool, Unset("spark.excludeOnFailure.enabled"), "The same for tasks and stages.", "3.6")),
    since((4, 0), &key("spark.excludeOnFailure.application.enabled", Bool, Unset("spark.excludeOnFailure.enabled"), "The same for the application.", "3.6")),
    key("spark.excludeOnFailure.task.maxTaskAttemptsPerExecutor", COUNT, Released, "Failures of a task on an executor that it then avoids.", "3.6"),
    key("spark.excludeOnFailure.task.maxTaskAttemptsPerNode", COUNT, Released, "Failures of a task on a host that it then avoids.", "3.6"),
    key("spark.excludeOnFailure.stage.maxFailedTasksPerExecutor", COUNT, Released, "Failed tasks on an executor that the stage then avoids.", "3.6"),
    key("spark.excludeOnFailure.stage.maxFailedExecutorsPerNode", COUNT, Released, "Avoided executors on a host that the stage then avoids.", "3.6"),
    key("spark.excludeOnFailure.application.maxFailedTasksPerExecutor", COUNT, Released, "The same for the application: tasks.", "3.6"),
    key("spark.excludeOnFailure.application.maxFailedExecutorsPerNode", COUNT, Released, "The same for the application: executors.", "3.6"),
    key("spark.excludeOnFailure.timeout", Time("ms"), Same("1h"), "How long the application avoids a place.", "3.6"),
    key(
        "spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout",
        Time("s"),
        Released,
        "How long a task that may run nowhere waits for a new executor.",
        "3.6",
    ),
    since(
        (3, 5),
        &key("spark.executor.maxNumFailures", Integer(0, I32), Unset("max(3, 2 × instances)"), "Executor failures after which the application exits.", "FC-2"),
    ),
    key("spark.yarn.max.executor.failures", Integer(0, I32), Unset("max(3, 2 × instances)"), "The same on YARN, the older key.", "YRN-8"),
    key("spark.executor.failuresValidityInterval", Time("ms"), Unset("failures never expire"), "Age at which an executor failure no longer counts.", "FC-2"),
    key("spark.yarn.executor.failuresValidityInterval", Time("ms"), Unset("failures never expire"), "The same on YARN, the older key.", "YRN-8"),
    key(
        "spark.scheduler.minRegisteredResourcesRatio",
        Number(0.0, 1.0),
        Unset("0.8 on Kubernetes and YARN, 0 elsewhere"),
        "Share of the executors that must register before tasks start.",
        "3.6",
    ),
    key("spark.scheduler.maxRegisteredResourcesWaitingTime", Time("ms"), Released, "Longest wait for that share.", "3.6"),
    key(
        "spark.files.fetchFailure.unRegisterOutputOnHost",
        Bool,
        Released,
        "Whether, with a shuffle service, a fetch failure drops all outputs of the host.",
        "Appendix B",
    ),
    key("spark.kubernetes.local.dirs.tmpfs", Bool, Released, "Whether the local directories that Spark makes are in RAM.", "LD-1"),
    key("spark.local.dir", Text, Released, "Local directories, separated by commas.", "4.1"),
    key("spark.kubernetes.namespace", Text, Released, "Namespace of driver and executors, to which rules of affinity look.", "5.4"),
    key("spark.kubernetes.allocation.batch.size", COUNT, Released, "Pods that are asked for in one round.", "4.4"),
    key("spark.kubernetes.allocation.batch.delay", Time("ms"), Released, "Time between rounds.", "4.4"),
    since(
        (3, 3),
        &key("spark.kubernetes.allocation.pods.allocator", Text, Released, "Who makes the pods: direct, statefulset or deployment.", "Appendix B, 5.8"),
    ),
    key("spark.kubernetes.allocation.maxPendingPods", COUNT, Released, "Pods that may wait for a node or a container at a time.", "4.4"),
    since((4, 1), &key("spark.kubernetes.allocation.maxPendingPodsPerRp", COUNT, Released, "The same for each resource profile.", "4.4")),
    since((4, 1), &key("spark.kubernetes.allocation.maximum", COUNT, Released, "Number of the pod that is not created any more.", "4.4")),
    key("spark.kubernetes.allocation.executor.timeout", Time("ms"), Released, "Age at which a created pod that was not seen is given up.", "AL-3"),
    key("spark.kubernetes.executor.deleteOnTermination", Bool, Released, "Whether the driver deletes failed pods.", "4.5, 5.8"),
    key("spark.yarn.scheduler.heartbeat.interval-ms", Time("ms"), Released, "Time between two requests to the resource manager.", "YRN-10"),
    key(
        "spark.deploy.maxExecutorRetries",
        Integer(-1, I32),
        Released,
        "Failures in a row, without a running executor, that end a standalone application; -1 for no limit.",
        "1.9",
    ),
    key("spark.dynamicAllocation.enabled", Bool, Released, "Whether the number of executors follows the work.", "3.7"),
    key("spark.dynamicAllocation.minExecutors", Integer(0, I32), Released, "Fewest executors.", "3.7"),
    key("spark.dynamicAllocation.maxExecutors", Integer(0, I32), Released, "Most executors.", "3.7"),
    key("spark.dynamicAllocation.initialExecutors", Integer(0, I32), Unset("the fewest"), "Executors asked for at first.", "3.7"),
    key("spark.dynamicAllocation.executorAllocationRatio", Number(0.001, 1.0), Released, "Executors asked for per executor that tasks could use.", "3.7"),
    key("spark.dynamicAllocation.schedulerBacklogTimeout", Time("s"), Released, "Wait of tasks before executors are asked for.", "A24"),
    key("spark.dynamicAllocation.sustainedSchedulerBacklogTimeout", Time("s"), Unset("schedulerBacklogTimeout"), "Wait before more are asked for.", "A24"),
    key("spark.dynamicAllocation.executorIdleTimeout", Time("s"), Released, "Time without a task after which an executor goes.", "3.7"),
    key("spark.dynamicAllocation.cachedExecutorIdleTimeout", Time("s"), Unset("never"), "The same for one with cached blocks.", "3.7"),
    key("spark.dynamicAllocation.shuffleTracking.enabled", Bool, Released, "Whether executors with shuffle files of a running job are kept.", "3.7"),
    key(
        "spark.dynamicAllocation.shuffleTracking.timeout",
        Time("ms"),
        Unset("never"),
        "Time without a task after which one with other shuffle files goes.",
        "3.7",
    ),
    key("spark.kubernetes.executor.podTemplateFile", Text, Unset("no template"), "Executor pod template.", "PT-1"),
    key("spark.sql.adaptive.enabled", Bool, Released, "Whether stages are planned anew from the sizes of their shuffles.", "2.8"),
    key("spark.sql.adaptive.advisoryPartitionSizeInBytes", Size(B), Released, "Shuffle bytes that a task should read.", "2.8"),
    key("spark.sql.adaptive.coalescePartitions.enabled", Bool, Released, "Whether small shuffle partitions are read by one task.", "2.8"),
    key("spark.sql.adaptive.coalescePartitions.initialPartitionNum", COUNT, Unset("spark.sql.shuffle.partitions"), "Partitions before that.", "2.8"),
    key("spark.sql.adaptive.coalescePartitions.minPartitionNum", COUNT, Unset("by parallelismFirst"), "Tasks that are left at least.", "2.8"),
    since((3, 2), &key("spark.sql.adaptive.coalescePartitions.minPartitionSize", Size(B), Released, "Shuffle bytes that a task reads at least.", "2.8")),
    since((3, 2), &key("spark.sql.adaptive.coalescePartitions.parallelismFirst", Bool, Released, "Whether every core shall have a task.", "2.8")),
    key("spark.sql.adaptive.skewJoin.enabled", Bool, Released, "Whether skewed partitions of sort-merge joins are split.", "2.8"),
    key("spark.sql.adaptive.skewJoin.skewedPartitionFactor", Number(0.0, 1e9), Released, "Medians above which a partition is skewed.", "2.8"),
    key("spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes", Size(B), Released, "Bytes above which a partition is skewed.", "2.8"),
    key("spark.default.parallelism", COUNT, Unset("all cores of the executors"), "Tasks that coalescing leaves at least.", "2.8"),
    key("spark.shuffle.accurateBlockThreshold", Size(B), Released, "Bytes of a block whose own size is known in a shuffle of many partitions.", "FR-5"),
    key("spark.sql.shuffle.partitions", COUNT, Released, "Reduce partitions of SQL shuffles.", "Appendix B"),
    key("spark.sql.files.maxPartitionBytes", Size(B), Released, "Bytes of input of one task.", "Appendix B"),
];

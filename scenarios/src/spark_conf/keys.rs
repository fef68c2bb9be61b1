//! Every Spark key that decides something in the model.
//!
//! Defaults are those of the released artefacts (Appendix B, 2.2, 3.1, 4.4), by version where they changed.

use super::{ConfDefault, ConfKey, ConfKind};
use crate::quantity::SparkUnit::{B, MiB};
use ConfDefault::{Same, Since, Unset};
use ConfKind::{Bool, Cpu, Integer, Number, Size, Text, Time};

const I32: i64 = 2_147_483_647;
const COUNT: ConfKind = Integer(1, I32);

const fn key(key: &'static str, kind: ConfKind, default: ConfDefault, meaning: &'static str, source: &'static str) -> ConfKey {
    ConfKey { key, kind, default, since: (0, 0), meaning, source }
}
const fn since(since: (u16, u16), base: &ConfKey) -> ConfKey {
    ConfKey { key: base.key, kind: base.kind, default: base.default, since, meaning: base.meaning, source: base.source }
}

/// The table.
pub(crate) static KEYS: &[ConfKey] = &[
    key("spark.executor.instances", COUNT, Same("2"), "Executors that the application asks for.", "AL-4"),
    key("spark.executor.cores", Integer(1, 4096), Same("1"), "Cores of an executor; task slots are cores / spark.task.cpus.", "Appendix B"),
    key("spark.task.cpus", Integer(1, 4096), Same("1"), "Cores of a task.", "Appendix B"),
    key("spark.executor.memory", Size(MiB), Same("1g"), "Heap of an executor (-Xmx).", "Appendix B"),
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
    since((4, 0), &key("spark.executor.minMemoryOverhead", Size(MiB), Same("384m"), "Smallest overhead.", "POD-1")),
    key("spark.memory.offHeap.enabled", Bool, Same("false"), "Whether Tungsten memory is off-heap.", "MEM-8"),
    key("spark.memory.offHeap.size", Size(B), Same("0"), "Off-heap memory for execution and storage.", "MEM-8"),
    key("spark.executor.pyspark.memory", Size(MiB), Unset("Python workers share the overhead"), "Memory of the Python workers of an executor.", "1.5"),
    key("spark.executor.extraJavaOptions", Text, Unset("none"), "JVM options; collector and -Xms are read from it.", "JVM-5"),
    key("spark.python.worker.reuse", Bool, Same("true"), "Whether a Python worker serves one task after the other.", "Spark 3.4 ConfigEntry"),
    key("spark.driver.memory", Size(MiB), Same("1g"), "Heap of the driver.", "POD-10"),
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
    key("spark.driver.maxResultSize", Size(B), Same("1g"), "Largest serialised results of one stage; 0 is no limit.", "Spark 3.4 ConfigEntry"),
    key("spark.driver.cores", Integer(1, 4096), Same("1"), "Cores of the driver.", "POD-10"),
    key("spark.kubernetes.driver.request.cores", Cpu, Unset("spark.driver.cores"), "CPU request of the driver pod.", "POD-5"),
    key("spark.kubernetes.executor.request.cores", Cpu, Unset("spark.executor.cores"), "CPU request of an executor pod.", "POD-5"),
    key("spark.kubernetes.executor.limit.cores", Cpu, Unset("no limit"), "CPU limit of an executor pod.", "POD-5"),
    key("spark.memory.fraction", Number(0.0, 1.0), Same("0.6"), "Share of the heap above 300 MiB for execution and storage.", "MEM-2"),
    key("spark.memory.storageFraction", Number(0.0, 0.999_999), Same("0.5"), "Share of that which storage keeps from execution.", "MEM-3"),
    key("spark.buffer.pageSize", Size(B), Unset("by execution memory and cores, 1 to 64 MiB"), "Tungsten page size.", "MEM-33"),
    key("spark.shuffle.sort.bypassMergeThreshold", Integer(0, I32), Same("200"), "Most partitions of the bypass writer.", "2.1"),
    key("spark.shuffle.sort.initialBufferSize", COUNT, Same("4096"), "First pointer array of a sorter, entries.", "2.2"),
    key("spark.shuffle.sort.useRadixSort", Bool, Same("true"), "Whether pointers are radix sorted, with double space.", "2.2"),
    key("spark.shuffle.spill.initialMemoryThreshold", Size(B), Same("5242880"), "Memory of a collection before it is tracked.", "2.2"),
    key(
        "spark.shuffle.spill.numElementsForceSpillThreshold",
        Integer(1, I32),
        Same("2147483647"),
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
    since((3, 2), &key("spark.shuffle.checksum.enabled", Bool, Same("true"), "Whether each map output has a file of checksums.", "2.2, CM-1")),
    key("spark.cleaner.referenceTracking", Bool, Same("true"), "Whether the driver removes shuffles that nobody can reach.", "2.7"),
    key(
        "spark.cleaner.periodicGC.interval",
        Time("s"),
        Same("30min"),
        "Time between the driver's garbage collections, after which such shuffles are removed.",
        "2.7, Appendix B",
    ),
    since(
        (4, 1),
        &key(
            "spark.sql.classic.shuffleDependency.fileCleanup.enabled",
            Bool,
            Same("false"),
            "Whether shuffle files are removed when their SQL execution ends.",
            "2.7",
        ),
    ),
    since(
        (4, 0),
        &key(
            "spark.sql.shuffleDependency.fileCleanup.enabled",
            Bool,
            Same("false"),
            "The same for applications of Spark Connect (spark.api.mode = connect, or spark.remote).",
            "2.7",
        ),
    ),
    since((4, 0), &key("spark.api.mode", Text, Same("classic"), "Whether the application uses Spark Connect: classic or connect.", "2.7")),
    since((3, 4), &key("spark.remote", Text, Unset("no Spark Connect server"), "Address of a Spark Connect server.", "2.7")),
    key("spark.shuffle.compress", Bool, Same("true"), "Whether shuffle output is compressed.", "2.2"),
    key("spark.shuffle.spill.compress", Bool, Same("true"), "Whether spills are compressed.", "2.2"),
    key("spark.io.compression.codec", Text, Same("lz4"), "Codec of shuffle and spills: lz4, lzf, snappy or zstd.", "2.2, 8.2"),
    key("spark.reducer.maxSizeInFlight", Size(MiB), Same("48m"), "Bytes that a reducer fetches at a time.", "3.1"),
    key("spark.reducer.maxReqsInFlight", COUNT, Same("2147483647"), "Fetch requests of a reducer that are under way.", "3.1"),
    key("spark.reducer.maxBlocksInFlightPerAddress", COUNT, Same("2147483647"), "Blocks that a reducer fetches from one executor at a time.", "3.1"),
    key(
        "spark.network.maxRemoteBlockSizeFetchToMem",
        Size(B),
        Same("200m"),
        "Size above which a fetch goes to the reader's local directories instead of memory.",
        "3.1, FR-2",
    ),
    key("spark.maxRemoteBlockSizeFetchToMem", Size(B), Unset("spark.network.maxRemoteBlockSizeFetchToMem"), "The same, the older key.", "3.1"),
    key("spark.shuffle.io.maxRetries", Integer(0, I32), Same("3"), "Retries of a fetch.", "3.1"),
    key("spark.shuffle.io.retryWait", Time("s"), Same("5s"), "Wait between retries.", "3.1"),
    key("spark.shuffle.service.enabled", Bool, Same("false"), "Whether the node's shuffle service serves outputs.", "3.7"),
    since(
        (3, 3),
        &key(
            "spark.shuffle.service.removeShuffle",
            Bool,
            Since(&[((3, 3), "false"), ((4, 0), "true")]),
            "Whether the shuffle service removes files of executors that are gone, too.",
            "3.7",
        ),
    ),
    key("spark.serializer", Text, Same("org.apache.spark.serializer.JavaSerializer"), "Serializer of RDD shuffles.", "Appendix B"),
    key("spark.task.maxFailures", COUNT, Same("4"), "Failures of one task that abort the job.", "3.5"),
    key("spark.stage.maxConsecutiveAttempts", COUNT, Same("4"), "Attempts of a stage in a row that end in fetch failures.", "FF-4"),
    since((3, 5), &key("spark.stage.maxAttempts", COUNT, Same("2147483647"), "Attempts of a stage in all.", "Appendix B")),
    key("spark.locality.wait", Time("ms"), Same("3s"), "Wait for a local slot.", "3.6"),
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
    key("spark.scheduler.maxRegisteredResourcesWaitingTime", Time("ms"), Same("30s"), "Longest wait for that share.", "3.6"),
    key("spark.files.fetchFailure.unRegisterOutputOnHost", Bool, Same("false"), "Whether a fetch failure drops all outputs of the host.", "Appendix B"),
    key("spark.kubernetes.local.dirs.tmpfs", Bool, Same("false"), "Whether the local directories that Spark makes are in RAM.", "LD-1"),
    key("spark.local.dir", Text, Same("/tmp"), "Local directories, separated by commas.", "4.1"),
    key(
        "spark.kubernetes.allocation.batch.size",
        COUNT,
        Since(&[((3, 0), "5"), ((4, 0), "10"), ((4, 2), "20")]),
        "Pods that are asked for in one round.",
        "4.4",
    ),
    key("spark.kubernetes.allocation.batch.delay", Time("ms"), Same("1s"), "Time between rounds.", "4.4"),
    key("spark.kubernetes.executor.podTemplateFile", Text, Unset("no template"), "Executor pod template.", "PT-1"),
    key("spark.sql.shuffle.partitions", COUNT, Same("200"), "Reduce partitions of SQL shuffles.", "Appendix B"),
    key("spark.sql.files.maxPartitionBytes", Size(B), Same("128MB"), "Bytes of input of one task.", "Appendix B"),
];

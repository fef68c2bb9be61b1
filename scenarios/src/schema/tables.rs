//! The table of a scenario file's keys: kind, default, meaning, source.
//!
//! The order is the order of the documentation. `Need::Default` values are TOML; a source names an id of domain-facts, or
//! says in words why the number is what it is. Keys that follow from others (VM shape, provider, version) say from what.

use super::autoscaler::AUTOSCALER;
use super::daemon::DAEMON;
use super::inject::INJECT;
use super::kube_scheduler::KUBE_SCHEDULER;
use super::limits::LIMITS;
use super::neighbour::NEIGHBOUR;
use super::pool::POOL;
use super::reclaim::RECLAIM;
use super::remote_shuffle::REMOTE_SHUFFLE;
use super::storage_class::STORAGE_CLASS;
use super::swap::SWAP;
use super::sweep::SWEEP;
use super::yarn::YARN;
use super::{Field, Kind, Measure, Shape};

const COUNT: Kind = Kind::Integer(0, 100_000);
const SHARE: Kind = Kind::Number(0.0, 1.0);

/// A whole scenario.
pub(crate) static ROOT: Shape = Shape {
    name: "the scenario",
    fields: &[
        Field::required("name", Kind::Text, "Name of the scenario, shown with every result."),
        Field::computed("title", Kind::Text, "the name", "One line that tells the story.", ""),
        Field::optional("base", Kind::Text, "Scenario that this one is laid over: a built-in name, or a path relative to this file."),
        Field::default("replications", Kind::Integer(1, 10_000_000), "1000", "Runs of each point.", "0.5 % standard error of a probability near 0.02"),
        Field::required("cluster", Kind::Table(&CLUSTER), "The machines and who else uses them."),
        Field::default("spark", Kind::Table(&SPARK), "{}", "The Spark release and its configuration.", ""),
        Field::required("job", Kind::Table(&JOB), "What is run."),
        Field::default("uncertainty", Kind::Table(&UNCERTAINTY), "{}", "What is not known exactly, as distributions.", ""),
        Field::optional("remote_shuffle", Kind::Table(&REMOTE_SHUFFLE), "The workers of Celeborn or Uniffle, where spark.shuffle.manager names one of them."),
        Field::default("inject", Kind::List(&Kind::Table(&INJECT)), "[]", "Kills that you ask for: what does it cost if an executor goes then?", ""),
        Field::default("reclaim", Kind::List(&Kind::Table(&RECLAIM)), "[]", "What the cluster takes back in the middle of a run.", ""),
        Field::default("limits", Kind::Table(&LIMITS), "{}", "When one run is cut off.", ""),
        Field::optional("sweep", Kind::Table(&SWEEP), "Configurations to compare."),
    ],
};

static CLUSTER: Shape = Shape {
    name: "[cluster]",
    fields: &[
        Field::required(
            "platform",
            Kind::Choice(&["aks", "eks", "gke", "kubernetes", "yarn", "standalone", "bare"]),
            "What runs the executors; aks, eks and gke are Kubernetes with the provider's reservations.",
        ),
        Field::default("kubernetes", Kind::Version(2), "\"1.30\"", "Kubernetes version; decides reservations (AKS 1.29) and group kill (1.28).", "5.10, QO-4"),
        Field::computed(
            "cgroup",
            Kind::Choice(&["v1", "v2", "v2-group-kill"]),
            "by the Kubernetes version; v1 elsewhere",
            "Memory cgroup version; v2-group-kill: one victim takes its whole container.",
            "QO-4, QO-5",
        ),
        Field::computed(
            "network",
            Kind::Choice(&["azure-overlay", "azure-pod-subnet", "azure-node-subnet", "kubenet", "amazon-vpc", "other"]),
            "azure-overlay on AKS, amazon-vpc on EKS, other elsewhere",
            "Network plugin; decides how many pods a node takes, and by that the reservations of AKS from 1.29 and of EKS.",
            "5.10",
        ),
        Field::required("pool", Kind::List(&Kind::Table(&POOL)), "Node pools."),
        Field::default("neighbour", Kind::List(&Kind::Table(&NEIGHBOUR)), "[]", "Other users of the nodes.", ""),
        Field::default("daemon", Kind::List(&Kind::Table(&DAEMON)), "[]", "Daemons outside kubepods, on every node, which a global OOM may kill.", "5.9"),
        Field::default("swap", Kind::Table(&SWAP), "{}", "Swap of every node; none by default.", "AK-4"),
        Field::default(
            "storage_class",
            Kind::List(&Kind::Table(&STORAGE_CLASS)),
            "[]",
            "Storage classes of claims beside the provider's own.",
            "catalog/storage-classes.toml",
        ),
        Field::optional("nodes", Kind::Text, "Output of kubectl get nodes -o yaml (or json), as a path; its nodes take the place of the pools."),
        Field::optional("pods", Kind::Text, "Output of kubectl get pods -A -o json (or yaml), as a path; its pods take the place of the neighbours."),
        Field::optional("pod_usage", Kind::Text, "Output of kubectl top pods -A, or the metrics API's JSON: what the pods of `pods` use."),
        Field::default("kubelet", Kind::Table(&KUBELET), "{}", "Kubelet periods (Kubernetes only).", ""),
        Field::default("autoscaler", Kind::Table(&AUTOSCALER), "{}", "The cluster autoscaler, for pools with max (Kubernetes only).", "5.6"),
        Field::default("scheduler", Kind::Table(&KUBE_SCHEDULER), "{}", "The scheduler's profile (Kubernetes only).", "5.1"),
        Field::default("yarn", Kind::Table(&YARN), "{}", "YARN settings (YARN only).", ""),
    ],
};

static KUBELET: Shape = Shape {
    name: "[cluster.kubelet]",
    fields: &[
        Field::default("eviction_period", Kind::Time, "\"10s\"", "Period of the eviction monitor.", "NE-1"),
        Field::default(
            "metrics_age",
            Kind::Dist(Measure::Seconds),
            "{ uniform = { low = 0, high = 10 } }",
            "Age of the metrics that it sees, seconds.",
            "NE-1",
        ),
        Field::default("eviction_soft_memory", Kind::Size, "0", "evictionSoft of memory.available, bytes; 0 for none.", "K8-KDEF: none"),
        Field::default(
            "eviction_soft_grace",
            Kind::Time,
            "\"90s\"",
            "evictionSoftGracePeriod of that threshold.",
            "the example of the Kubernetes documentation; there is no default",
        ),
        Field::default(
            "eviction_minimum_reclaim",
            Kind::Size,
            "0",
            "evictionMinimumReclaim of memory.available: an eviction goes on until so much more is available.",
            "K8-KDEF: none",
        ),
        Field::default("pressure_transition", Kind::Time, "\"5m\"", "evictionPressureTransitionPeriod: how long a node keeps its condition and taint.", "NE-5"),
        Field::default(
            "unused_images",
            Kind::Size,
            "0",
            "Images on the kubelet's disk that nothing uses, part of the disk's `used`: garbage collection frees them before a pod is evicted, bytes.",
            "NE-6; 0 because it is not known",
        ),
        Field::default("volume_stats_period", Kind::Time, "\"60s\"", "Period of the volume statistics.", "ED-11"),
        Field::default(
            "teardown",
            Kind::Dist(Measure::Seconds),
            "{ uniform = { low = 0.3, high = 3 } }",
            "Time from the last container's exit to the volumes' tear-down, seconds.",
            "ED-9",
        ),
        Field::default(
            "active_file_share",
            SHARE,
            "0.25",
            "Share of file cache that is active and so counts in the working set.",
            "PC-4, open question 18: a guess",
        ),
        Field::computed(
            "sized_memory_volumes",
            Kind::Bool,
            "true from Kubernetes 1.22 on",
            "Whether memory-backed volumes are mounted with their sizeLimit; if not, with half of the node's memory.",
            "SizeMemoryBackedVolumes, ED-1",
        ),
    ],
};

static SPARK: Shape = Shape {
    name: "[spark]",
    fields: &[
        Field::default("version", Kind::Version(3), "\"3.5.0\"", "Spark release; decides defaults and failure rules.", "Appendix B"),
        Field::default(
            "language",
            Kind::Choice(&["scala", "java", "python", "r"]),
            "\"scala\"",
            "Language of the application; decides the memory overhead.",
            "POD-3",
        ),
        Field::default("deploy_mode", Kind::Choice(&["cluster", "client"]), "\"cluster\"", "Where the driver runs: on the nodes, or outside.", "POD-3"),
        Field::optional("properties", Kind::Text, "A spark-defaults.conf, as a path relative to the scenario file."),
        Field::default("conf", Kind::Map, "{}", "Spark keys, verbatim.", ""),
        Field::default(
            "pool",
            Kind::List(&Kind::Table(&SCHEDULER_POOL)),
            "[]",
            "Pools for spark.scheduler.mode = FAIR, beside those of spark.scheduler.allocation.file.",
            "",
        ),
        Field::optional("pod_template", Kind::Any, "The executor pod template: YAML text, a path relative to the scenario file, or a table."),
        Field::optional("application", Kind::Text, "A SparkApplication in YAML, as a path relative to the scenario file; the keys of this file win over it."),
        Field::computed(
            "local_dirs",
            Kind::Integer(1, 64),
            "the number of directories in spark.local.dir, else 1",
            "Local directories that Spark makes for scratch.",
            "4.1",
        ),
        Field::computed(
            "collector",
            Kind::Choice(&["g1", "parallel", "serial"]),
            "by spark.executor.extraJavaOptions, else the JVM's own choice",
            "Garbage collector of the executors.",
            "JVM-5",
        ),
        Field::computed(
            "xms_equals_xmx",
            Kind::Bool,
            "true on Kubernetes, else by spark.executor.extraJavaOptions",
            "Whether the heap starts at its full size and never gives memory back.",
            "JVM-1, JVM-2, JVM-3",
        ),
        Field::computed(
            "executor_limit",
            Kind::Size,
            "heap + overhead + off-heap + PySpark on Kubernetes and YARN, none elsewhere",
            "Memory limit of an executor's container, bytes; 0 for none.",
            "1.5, 1.9",
        ),
        Field::default("replace_delay", Kind::Time, "\"2s\"", "On bare: time from a death to the start of the replacement.", "DT-1"),
        Field::optional("max_replacements", Kind::Integer(0, 1_000_000), "Largest number of replacements; without it there is none."),
        Field::computed("codec_ratio", Kind::Number(0.01, 10.0), "by spark.io.compression.codec", "Compressed size relative to lz4.", "8.2"),
        Field::computed(
            "compress_s_per_gib",
            Kind::Number(0.0, 1000.0),
            "by spark.io.compression.codec",
            "CPU seconds to compress one GiB: lz4 3.9, zstd 5.8; what `ingest` takes out of recorded CPU times.",
            "8.2",
        ),
        Field::computed(
            "decompress_s_per_gib",
            Kind::Number(0.0, 1000.0),
            "by spark.io.compression.codec",
            "CPU seconds to decompress one GiB: lz4 and zstd 1.26; what `ingest` takes out of recorded CPU times.",
            "8.2",
        ),
    ],
};

static SCHEDULER_POOL: Shape = Shape {
    name: "[[spark.pool]]",
    fields: &[
        Field::required("name", Kind::Text, "Name, as a job's spark.scheduler.pool has it."),
        Field::default("mode", Kind::Choice(&["fifo", "fair"]), "\"fifo\"", "Order of the jobs within the pool.", "Spark's Pool"),
        Field::default("weight", Kind::Integer(1, 1_000_000), "1", "Share of the slots relative to other pools.", "Spark's Pool"),
        Field::default("min_share", COUNT, "0", "Tasks that it may run before weights count.", "Spark's Pool"),
    ],
};

static JOB: Shape = Shape {
    name: "[job]",
    fields: &[
        Field::required(
            "profile",
            Kind::Text,
            "What the job does: a built-in profile, a profile.toml, or a Spark event log (paths relative to the scenario file).",
        ),
        Field::computed("input", Kind::Size, "the input that the profile was recorded with", "Bytes of input; everything that follows from it scales.", ""),
    ],
};

static UNCERTAINTY: Shape = Shape {
    name: "[uncertainty]",
    fields: &[
        Field::default(
            "data_volume",
            Kind::Dist(Measure::Factor),
            "{ lognormal = { median = 1.0, sigma = 0.05 } }",
            "Data volume of the day, a factor on the input; once a run.",
            "an ordinary daily feed: a guess",
        ),
        Field::default(
            "partition_skew",
            Kind::Dist(Measure::Factor),
            "{ lognormal = { median = 1.0, sigma = 0.05 } }",
            "Size of a partition relative to the mean; mild skew is 0.3, strong 0.8.",
            "8.6, class none",
        ),
        Field::default(
            "compression",
            Kind::Dist(Measure::Factor),
            "{ lognormal = { median = 1.0, sigma = 0.05 } }",
            "Compressed bytes per byte relative to nominal; once a run.",
            "8.2, spread of the measured ratios",
        ),
        Field::default(
            "object_expansion",
            Kind::Dist(Measure::Factor),
            "{ lognormal = { median = 1.0, sigma = 0.1 } }",
            "In-memory bytes per byte relative to nominal; once a run.",
            "8.4",
        ),
        Field::computed(
            "heap_young_share",
            Kind::Dist(Measure::Factor),
            "by the collector: normal, mean 0.64, sd 0.04 under G1; 1/3 under Parallel and Serial",
            "Share of the heap that the young generation touches; once a run.",
            "G1: measured on real executors, 0.62 to 0.71 where data fits (docs/model/heap-touch.md); others: NewRatio = 2",
        ),
        Field::default(
            "allocation",
            Kind::Dist(Measure::Factor),
            "{ lognormal = { median = 1.0, sigma = 0.3 } }",
            "Bytes allocated per byte processed relative to nominal; once a run.",
            "JH-2, spread of the touch speed of real executors (docs/model/heap-touch.md)",
        ),
        Field::default(
            "non_heap",
            Kind::Dist(Measure::Factor),
            "{ normal = { mean = 1.0, sd = 0.12 } }",
            "Non-heap memory relative to what real executors have; once a run, executors of one run differ by 2.5 %.",
            "measured spread 8 % between workloads, more between builds (docs/model/heap-touch.md)",
        ),
        Field::default(
            "cpu_speed",
            Kind::Dist(Measure::Factor),
            "{ lognormal = { median = 1.0, sigma = 0.05 } }",
            "CPU speed; once a node.",
            "VM to VM variation: a guess",
        ),
        Field::default("disk_speed", Kind::Dist(Measure::Factor), "{ lognormal = { median = 1.0, sigma = 0.1 } }", "Disk bandwidth; once a disk.", "8.1"),
        Field::default("nic_speed", Kind::Dist(Measure::Factor), "{ lognormal = { median = 1.0, sigma = 0.05 } }", "NIC bandwidth; once a node.", "8.1"),
        Field::default(
            "task_cpu",
            Kind::Dist(Measure::Factor),
            "{ lognormal = { median = 1.0, sigma = 0.1 } }",
            "CPU time of a task; once an attempt.",
            "8.6, duration spread without skew",
        ),
        Field::computed(
            "heap_growth",
            Kind::Dist(Measure::Factor),
            "by the collector: normal, mean 2.1, sd 0.3 under G1; mean 2.5, sd 0.1 under Serial",
            "Heap that a JVM without -Xms commits per byte of tenured data; once a run.",
            "measured: G1 1.4 to 1.7 where little survives, 2.4 to 2.7 where much does (docs/model/heap-touch.md); Serial: MinHeapFreeRatio and NewRatio (docs/model/heap-touch.md)",
        ),
        Field::default(
            "task_launch",
            Kind::Dist(Measure::Seconds),
            "0.01",
            "Time from the driver's choice of a slot to the task's start there, seconds; once an attempt.",
            "8.5, warm executor",
        ),
        Field::default(
            "executor_start",
            Kind::Dist(Measure::Seconds),
            "{ uniform = { low = 5, high = 12 } }",
            "Time from a pod's binding to its registration where a core is free, seconds; once an executor. The JVM's part of it is work of a core.",
            "8.5, warm image",
        ),
        Field::default(
            "warm_up",
            Kind::Dist(Measure::Seconds),
            "0.5",
            "CPU time of an executor's first tasks for loading and compiling classes and deserialising, seconds; once an executor.",
            "0.45 to 0.57 in sixteen logs of Spark 3.5 on Java 17; 8.5 has 0.3 to 1",
        ),
        Field::default(
            "death_detection",
            Kind::Dist(Measure::Seconds),
            "{ uniform = { low = 1, high = 3 } }",
            "Time from a death to the driver's reaction, seconds; once a death.",
            "DT-1",
        ),
        Field::default(
            "pod_acknowledged",
            Kind::Dist(Measure::Seconds),
            "{ uniform = { low = 0.05, high = 0.3 } }",
            "Time from a pod's creation until the allocator sees it, seconds; no other pod is created meanwhile; once a pod.",
            "a guess to calibrate: one watch event of the API server",
        ),
        Field::default(
            "claim_attach",
            Kind::Dist(Measure::Seconds),
            "{ lognormal = { median = 15.0, sigma = 0.87 } }",
            "Time until a pod's claims are made, attached and mounted, beside executor_start, seconds; once a pod with claims.",
            "Azure disks: 15 s as a rule, 5.5 % over 60 s and 0.8 % over 120 s in a busy cluster (cloud-provider-azure 78, aks-engine 2888)",
        ),
        Field::default(
            "claim_detach",
            Kind::Dist(Measure::Seconds),
            "{ lognormal = { median = 10.0, sigma = 0.5 } }",
            "Time from the tear-down of a pod's volumes until its disks can be attached to another node, seconds; once a pod.",
            "a guess to calibrate: detaching a managed disk takes 5 to 30 s",
        ),
        Field::default(
            "claim_resize",
            Kind::Dist(Measure::Seconds),
            "{ lognormal = { median = 30.0, sigma = 0.5 } }",
            "Time from the request until a claim has grown, file system included, seconds; once a growth.",
            "a guess to calibrate: two controllers and an online resize (recalled)",
        ),
    ],
};

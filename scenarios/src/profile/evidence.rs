//! What a recording run showed of its executors.
//!
//! Peaks of executor metrics as Spark reports them, with the configuration under which they arose. They are not
//! replayed: a heap that was touched under one `-Xmx` says little about another. They are kept so that a person
//! (or a calibration) can hold the model's memory against them.

use std::collections::BTreeMap;

use sim_core::units::{Bytes, SimSpan};

use super::Held;

/// Evidence of the recording run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Spark version that wrote the log.
    pub spark_version: Option<String>,
    /// Name of the application.
    pub application: Option<String>,
    /// Collector of the executors, as scenarios name it, when the log tells.
    pub collector: Option<String>,
    /// Whether their heap started at its full size, when the log tells.
    pub xms_equals_xmx: Option<bool>,
    /// Memory and shuffle settings of the run, verbatim.
    pub conf: BTreeMap<String, String>,
    /// Its executors.
    pub executors: Vec<ExecutorEvidence>,
    /// RDDs that it persisted.
    pub rdds: Vec<RddEvidence>,
    /// Spark's jobs. A profile's `[[job]]` joins those that overlapped; here they lie as they lay.
    pub jobs: Vec<JobEvidence>,
}

/// A job of the recording run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobEvidence {
    /// Spark's number of it.
    pub id: u64,
    /// When it started, after the first one did.
    pub started: SimSpan,
    /// When it ended, after the first one started.
    pub ended: Option<SimSpan>,
    /// Whether it failed.
    pub failed: bool,
}

/// A persisted RDD of the recording run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RddEvidence {
    /// Spark's id of it.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Storage level, such as `MEMORY_AND_DISK`.
    pub level: String,
    /// Its partitions.
    pub partitions: u64,
    /// Bytes of it in memory; zero where the log does not say.
    pub memory: Bytes,
    /// Bytes of it on disk; zero where the log does not say.
    pub disk: Bytes,
}

/// Peaks of one executor. Zero where the run did not record the metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutorEvidence {
    /// Spark's executor id.
    pub id: String,
    /// Number of its host; hosts are not named.
    pub host: Option<u32>,
    /// Task slots times CPUs of a task.
    pub cores: u32,
    /// When it registered, after the first one.
    pub added: Option<SimSpan>,
    /// When it was removed, after the first one registered.
    pub removed: Option<SimSpan>,
    /// Why it was removed.
    pub reason: Option<String>,
    /// Peak used heap (`JVMHeapMemory`).
    pub heap_peak: Bytes,
    /// Peak used non-heap of the JVM: metaspace, code cache (`JVMOffHeapMemory`).
    pub non_heap_peak: Bytes,
    /// Peak direct buffers (`DirectPoolMemory`).
    pub direct_peak: Bytes,
    /// Peak execution memory, on and off heap.
    pub execution_peak: Bytes,
    /// Peak storage memory, on and off heap.
    pub storage_peak: Bytes,
    /// Peak resident set of the process tree: JVM, Python and other processes. Each part's peak is taken apart, so
    /// the sum is an upper bound when there are several.
    pub rss_peak: Bytes,
    /// Peak resident set of the JVM (`ProcessTreeJVMRSSMemory`).
    pub jvm_rss_peak: Bytes,
    /// Peak resident set of the Python workers (`ProcessTreePythonRSSMemory`).
    pub python_rss_peak: Bytes,
    /// Collections of the young generation (`MinorGCCount`).
    pub young_collections: u64,
    /// The most that a task of its own held, as the profile's row has it (`task_pages`, `task_states`, `task_buffers`); zero in profiles that do not tell.
    pub most_held: Held,
}

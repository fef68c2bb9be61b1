//! What one replication leaves behind: how it ended, who died and who held the memory.
//!
//! An [`Outcome`] is plain data, independent of the model's inner state. Every memory death is an [`Incident`]
//! that carries the ranked holders of memory at that instant, because "which of them?" is the question asked
//! after every exit 137. Peaks are of anonymous + shmem memory in RAM, which the kernel cannot reclaim without swap.

use crate::shown::Shown;
use crate::units::{Bytes, SimSpan, SimTime};

/// Why something died or failed. Closed: charts and results cover each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Java heap space: live objects beyond `-Xmx`; exit 52 (F9).
    Heap,
    /// A container's or pod's memory limit: cgroup OOM, exit 137 (F1); on YARN the memory monitor (F16).
    Container,
    /// `kubepods` or the node's RAM: kernel OOM, exit 137 (F2, F3).
    Node,
    /// Evicted by the kubelet (F4, F6, F7).
    Eviction,
    /// Scratch full: ENOSPC in tasks; the executor survives (F5, F8).
    ScratchFull,
}

impl Cause {
    /// All causes, in the order of charts and results.
    pub const ALL: [Self; 5] = [Self::Heap, Self::Container, Self::Node, Self::Eviction, Self::ScratchFull];

    /// The name in results: `heap`, `container`, `node`, `eviction`, `scratch_full`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::Container => "container",
            Self::Node => "node",
            Self::Eviction => "eviction",
            Self::ScratchFull => "scratch_full",
        }
    }

    /// Whether the death counts towards P(OOM): heap, container and node memory deaths do.
    pub const fn is_oom(self) -> bool {
        matches!(self, Self::Heap | Self::Container | Self::Node)
    }
}

/// Classes of memory, bottom to top as charts stack them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemoryClass {
    /// Kernel, system services, kubelet, runtime.
    System,
    /// Neighbours and the driver.
    Neighbour,
    /// JVM heap pages touched.
    Heap,
    /// JVM non-heap and direct buffers.
    NonHeap,
    /// Python workers.
    Python,
    /// Scratch files in tmpfs.
    Tmpfs,
    /// Page cache of disk files: reclaimable.
    PageCache,
}

impl MemoryClass {
    /// All classes in stacking order.
    pub const ALL: [Self; 7] = [Self::System, Self::Neighbour, Self::Heap, Self::NonHeap, Self::Python, Self::Tmpfs, Self::PageCache];

    /// The name in results.
    pub const fn key(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Neighbour => "neighbours",
            Self::Heap => "heap",
            Self::NonHeap => "non_heap",
            Self::Python => "python",
            Self::Tmpfs => "tmpfs",
            Self::PageCache => "page_cache",
        }
    }
}

/// Whose memory, or who died.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// An executor, by its number (1 is the first).
    Executor(u32),
    /// The driver.
    Driver,
    /// A neighbour, by name.
    Neighbour(String),
    /// A daemon outside `kubepods`, by name.
    Daemon(String),
    /// The operating system.
    System,
}

impl Party {
    /// Whether it is part of the application.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Executor(_) | Self::Driver)
    }
}

/// A holder of memory at the instant of a death.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub party: Party,
    /// Which class of memory.
    pub class: MemoryClass,
    /// How much.
    pub bytes: Bytes,
}

/// Whose limit was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `-Xmx`.
    Heap,
    /// The container's or pod's cgroup.
    Pod,
    /// The `kubepods` cgroup.
    Kubepods,
    /// The node's RAM.
    Node,
    /// A kubelet eviction threshold.
    Eviction,
    /// A scratch volume's size.
    Volume,
}

impl Level {
    /// The name in results.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::Pod => "pod",
            Self::Kubepods => "kubepods",
            Self::Node => "node",
            Self::Eviction => "eviction",
            Self::Volume => "volume",
        }
    }
}

/// One death, eviction, or full volume.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// When.
    pub at: SimTime,
    /// Why.
    pub cause: Cause,
    /// Whose limit.
    pub level: Level,
    /// Who died (or whose volume was full).
    pub victim: Party,
    /// How it shows in `kubectl describe` and the like.
    pub shown: Shown,
    /// Node index.
    pub node: u32,
    /// Stage that was running, if any (index in the application).
    pub stage: Option<u32>,
    /// Memory (or volume) in use against the limit at that instant.
    pub used: Bytes,
    /// The limit.
    pub limit: Bytes,
    /// Anonymous + shmem memory of the whole node at that instant.
    pub node_memory: Bytes,
    /// Who held the memory under that limit, largest first.
    pub holders: Vec<Holder>,
}

/// Why an application failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureReason {
    /// A task failed `spark.task.maxFailures` times (F12).
    TaskFailures,
    /// A stage had too many consecutive fetch-failed attempts (F13).
    StageAttempts,
    /// Too many executors failed, Spark 3.5 and later (F14).
    ExecutorFailures,
    /// The driver died.
    DriverLost,
    /// A task may run nowhere: every executor is excluded for it (3.6), or a barrier stage needs more slots than there are (FF-6).
    Unschedulable,
    /// Lost output of an indeterminate stage (or a failed barrier stage) whose result stage had committed partitions (FF-5, FF-6).
    Rollback,
    /// A stage's results were larger than `spark.driver.maxResultSize`.
    ResultSize,
}

impl FailureReason {
    /// All reasons, in the order of results.
    pub const ALL: [Self; 7] =
        [Self::TaskFailures, Self::StageAttempts, Self::ExecutorFailures, Self::DriverLost, Self::Unschedulable, Self::Rollback, Self::ResultSize];

    /// The name in results.
    pub const fn key(self) -> &'static str {
        match self {
            Self::TaskFailures => "task_failures",
            Self::StageAttempts => "stage_attempts",
            Self::ExecutorFailures => "executor_failures",
            Self::DriverLost => "driver_lost",
            Self::Unschedulable => "unschedulable",
            Self::Rollback => "rollback",
            Self::ResultSize => "result_size",
        }
    }
}

/// Which limit of the run was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truncation {
    /// The simulated horizon: a livelock or a job that is far too slow.
    Horizon,
    /// The number of events.
    Events,
    /// Nothing could ever happen again: no executor fits anywhere (F15).
    Starved,
}

/// How a replication ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All jobs ended.
    Succeeded,
    /// Spark gave up.
    Failed(FailureReason),
    /// Cut off; counted and shown, never dropped.
    Truncated(Truncation),
}

/// What happened to one stage over all its attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageRecord {
    /// Stage attempts (1 when nothing went wrong, 0 when never started).
    pub attempts: u32,
    /// Task attempts that finished well.
    pub tasks_ok: u32,
    /// Task attempts that failed or were lost.
    pub tasks_failed: u32,
    /// Successful tasks run again because their output was lost.
    pub tasks_resubmitted: u32,
    /// First submission.
    pub started: SimTime,
    /// Last completion.
    pub ended: SimTime,
    /// Shuffle bytes written.
    pub shuffle_write: Bytes,
    /// Shuffle bytes read.
    pub shuffle_read: Bytes,
    /// Memory that spills freed: Spark's "memory bytes spilled", without pointer arrays (US-8).
    pub spill_memory: Bytes,
    /// Bytes of spill files written: Spark's "disk bytes spilled". A writer's last file is its output, or none.
    pub spill: Bytes,
    /// Spill files written.
    pub spills: u32,
    /// Task attempts that failed with `SparkOutOfMemoryError`, or `MemoryError` in Python; their executors lived on (MEM-30).
    pub task_ooms: u32,
    /// Deaths while this stage ran.
    pub deaths: u32,
}

/// The result of one replication.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Replication number.
    pub replication: u64,
    /// How it ended.
    pub ending: Ending,
    /// From submission to the end.
    pub duration: SimSpan,
    /// Everything that died or overflowed, in order of time.
    pub incidents: Vec<Incident>,
    /// Executors that died (memory deaths and evictions).
    pub executors_lost: u32,
    /// Largest number of executors that waited for a node at one time, after the first placement round.
    pub executors_pending: u32,
    /// Executors that were killed because the user asked for it; not among the lost ones, and no incident.
    pub executors_injected: u32,
    /// Largest anonymous + shmem memory of any node.
    pub node_peak: Bytes,
    /// Anonymous + shmem memory of the fullest node when the first stage that writes a shuffle starts.
    pub node_before_shuffle: Bytes,
    /// Largest anonymous + shmem memory of any executor.
    pub pod_peak: Bytes,
    /// Largest scratch of any executor.
    pub scratch_peak: Bytes,
    /// Shuffle bytes written, all attempts.
    pub shuffle_write: Bytes,
    /// Spill bytes written, all attempts.
    pub spill: Bytes,
    /// Task attempts that failed with `SparkOutOfMemoryError`, all stages: no memory death of an executor (MEM-30).
    pub task_ooms: u32,
    /// Bytes that went to swap, all nodes.
    pub swap_out: Bytes,
    /// By stage index.
    pub stages: Vec<StageRecord>,
    /// Events processed.
    pub events: u64,
    /// Folded hash of every event, to find where two runs part.
    pub event_hash: u64,
}

impl Outcome {
    /// Whether at least one heap, container or node memory death happened to an executor or the driver.
    pub fn oom(&self) -> bool {
        self.incidents.iter().any(|i| i.cause.is_oom() && i.victim.is_ours())
    }
    /// Deaths and evictions of neighbours' processes.
    pub fn neighbours_lost(&self) -> u32 {
        self.incidents.iter().filter(|i| matches!(i.victim, Party::Neighbour(_))).count() as u32
    }
    /// Deaths of daemons outside `kubepods`.
    pub fn daemons_lost(&self) -> u32 {
        self.incidents.iter().filter(|i| matches!(i.victim, Party::Daemon(_))).count() as u32
    }
    /// Whether any incident has this cause, neighbours' and daemons' deaths included.
    pub fn has(&self, cause: Cause) -> bool {
        self.incidents.iter().any(|i| i.cause == cause)
    }
    /// Whether the job did not end well (failed, or cut off).
    pub fn job_failed(&self) -> bool {
        self.ending != Ending::Succeeded
    }
}

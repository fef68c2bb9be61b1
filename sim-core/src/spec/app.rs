//! The application: jobs, a graph of stages, and what each task does.
//!
//! A stage reads from storage or from earlier shuffles, holds rows in operators that use execution memory,
//! and writes a shuffle or a result. What one task does is a [`TaskRow`]; a parametric stage has one nominal
//! row that partition skew perturbs, a recorded stage (from an event log) has the joint rows of its tasks, so
//! that size, CPU and memory stay correlated. Byte counts of shuffles are *compressed with lz4*, as Spark's
//! metrics give them; the codec's ratio is applied when the plan is made.

use super::{AdaptiveRead, StageMemory};
use crate::units::{Bytes, SimSpan};

/// The application.
#[derive(Clone, Debug, PartialEq)]
pub struct AppSpec {
    /// Name of the profile.
    pub name: String,
    /// Bytes of input that the profile describes at scale 1 of this point.
    pub input: Bytes,
    /// Jobs by number, as FIFO orders them.
    pub jobs: Vec<JobSpec>,
    /// All stages; a job names its own.
    pub stages: Vec<StageSpec>,
    /// All shuffles.
    pub shuffles: Vec<ShuffleSpec>,
    /// Whether tasks run SQL operators (110 MiB of metaspace) or only RDD code (70 MiB) (1.7).
    pub sql: bool,
}

/// When a job starts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum JobStart {
    /// When the job before it has ended and the driver's gap after that one is over; the first job at once.
    #[default]
    InTurn,
    /// A span after all of these earlier jobs have ended; at once when there is none.
    After {
        /// Indices of earlier jobs.
        jobs: Vec<usize>,
        /// From the last one's end.
        gap: SimSpan,
    },
    /// A span after an earlier job's start: they run at the same time.
    With {
        /// Index of an earlier job.
        job: usize,
        /// From its start.
        offset: SimSpan,
    },
}

/// One Spark job (one action).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JobSpec {
    /// Stage indices, parents before children. The job ends when every stage that no other stage of it reads has ended; one of
    /// them is the last. There are several when jobs that ran at the same time are taken together.
    pub stages: Vec<usize>,
    /// Time the driver spends between this job's end and the next job's start, if that starts in turn.
    pub driver_gap: SimSpan,
    /// When it starts.
    pub start: JobStart,
    /// `spark.scheduler.pool`, which counts under FAIR.
    pub pool: Option<String>,
}

/// A shuffle between stages.
#[derive(Clone, Debug, PartialEq)]
pub struct ShuffleSpec {
    /// Stage that writes it.
    pub writer: usize,
    /// Reduce partitions.
    pub partitions: u32,
    /// Whether map-side combine is on (RDD aggregations; never in SQL, SW-1).
    pub map_side_combine: bool,
    /// Whether records relocate whatever `spark.serializer` is: SQL rows do; others do under Kryo only (2.1).
    pub relocatable: bool,
}

/// How many tasks a stage has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskCount {
    /// Fixed.
    Fixed(u32),
    /// One for each so many bytes of the stage's input, at least one (`spark.sql.files.maxPartitionBytes`).
    InputSplit(Bytes),
}

/// Where a stage's rows come from beside shuffles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputSource {
    /// No input, or rows made by the task itself.
    None,
    /// Object store or HDFS: over the NIC, at most this many bytes per second a task (8.1).
    Remote {
        /// Per-stream ceiling, bytes per second.
        per_stream: u64,
    },
    /// A disk of the node.
    Local,
    /// A cached RDD: memory of the executor, no device.
    Cached,
}

/// Where a stage's rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkSpec {
    /// Into the shuffle with this index.
    Shuffle(usize),
    /// Out of the application: over the NIC (`output` bytes of the row), or nowhere if zero.
    Result,
}

/// What one task does. Means for a parametric stage, one recorded task otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskRow {
    /// Bytes read from storage.
    pub input: Bytes,
    /// Bytes of shuffle read, lz4-compressed, over all parents.
    pub shuffle_read: Bytes,
    /// Bytes of shuffle written, lz4-compressed.
    pub shuffle_write: Bytes,
    /// Bytes written out of the application.
    pub output: Bytes,
    /// Records that go into the shuffle writer.
    pub records: u64,
    /// CPU time beside (de)compression and spilling.
    pub cpu: SimSpan,
    /// Bytes of rows that the task's sorting or aggregating operators would hold in execution memory if nothing spilled.
    pub operator_memory: Bytes,
    /// Bytes of serialised rows that go through the shuffle writer's memory before compression.
    pub writer_memory: Bytes,
    /// Bytes of live objects outside managed memory while the task runs (batches, user objects).
    pub unmanaged: Bytes,
    /// Bytes allocated on the heap over the task's life, beside managed pages (JH-2).
    pub allocated: Bytes,
    /// Bytes of execution memory that can't spill (hash-join build side, one huge group) (2.8).
    pub unspillable: Bytes,
}

impl TaskRow {
    /// No work at all.
    pub const ZERO: Self = Self {
        input: Bytes::ZERO,
        shuffle_read: Bytes::ZERO,
        shuffle_write: Bytes::ZERO,
        output: Bytes::ZERO,
        records: 0,
        cpu: SimSpan::ZERO,
        operator_memory: Bytes::ZERO,
        writer_memory: Bytes::ZERO,
        unmanaged: Bytes::ZERO,
        allocated: Bytes::ZERO,
        unspillable: Bytes::ZERO,
    };
}

/// The tasks of a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskWork {
    /// All alike but for partition skew. The row is the *total over the stage*; each task gets its share.
    Parametric(TaskRow),
    /// Recorded rows; when the count differs, rows are drawn so that totals stay.
    Recorded(Vec<TaskRow>),
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageSpec {
    /// Name, for reports.
    pub name: String,
    /// Shuffles that it reads.
    pub reads: Vec<usize>,
    /// Storage that it reads.
    pub input: InputSource,
    /// How many tasks.
    pub tasks: TaskCount,
    /// What the tasks do.
    pub work: TaskWork,
    /// What adaptive execution may do with its partitions; nothing when their number is the user's (`repartition(n)`) or it reads no shuffle.
    pub adaptive: Option<AdaptiveRead>,
    /// Where rows go.
    pub sink: SinkSpec,
    /// Bytes of the stage's rows kept in storage memory after it (cached RDD), over all tasks.
    pub cached: Bytes,
    /// Broadcast bytes that each executor holds, deserialised, from this stage on.
    pub broadcast: Bytes,
    /// Which operators hold rows, how cached rows are stored, what the driver collects.
    pub memory: StageMemory,
    /// Time that the driver takes from the instant at which the stage could start (its job has, and its parents' outputs are
    /// there) to its first submission: planning, adaptive re-planning, collecting a broadcast. Zero for plain stages.
    pub delay: SimSpan,
    /// Whether its tasks are launched all together and fail together (FF-6).
    pub barrier: bool,
    /// Whether a second run of a task may give other rows (FF-5): round-robin repartition of rows without order. What reads such a
    /// stage is indeterminate, too.
    pub indeterminate: bool,
}

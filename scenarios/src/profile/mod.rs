//! Job profiles: what an application does, apart from the cluster that it runs on.
//!
//! A profile is a TOML file (`schema_version = 1`) that a person can read and change: input bytes, jobs, and one
//! `[[stage]]` block a stage. The work of a stage is either *parametric*, a few ratios to the application's input
//! in words that a Spark user knows, or *recorded*, the joint rows of the tasks of a real run as
//! [`crate::event_log`] writes them, so that size, CPU time and memory of one task stay together.
//! [`Profile::to_app`] turns it into the model's [`AppSpec`] for another input and
//! another number of partitions. Assumptions: the work of a stage is proportional to the input; a reader reads
//! all of each shuffle that it names. Ratios and defaults are those of 8.2 to 8.4.

mod app;
mod broadcast_join;
mod calibrate;
mod check;
mod evidence;
mod packed;
mod parse;
mod parse_work;
mod quantity;
mod rows;
mod table;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use sim_core::spec::{AppSpec, InputSource, JobStart, Operators, StageMemory, StorageLevel};
use sim_core::units::{ByteRate, Bytes, SimSpan};

use crate::diag::{Diagnostics, Source};

pub use broadcast_join::AdaptiveJoins;
pub(crate) use broadcast_join::threshold;
pub use calibrate::{Calibration, Held, Measured};
pub use evidence::{Evidence, ExecutorEvidence, JobEvidence, RddEvidence};
pub(crate) use packed::PackedRows;
pub use packed::RecordedRows;
pub(crate) use parse::MAX_INPUT;
pub(crate) use quantity::parse_spark_bytes;
pub(crate) use rows::{MAX_AMOUNT, add_rows, thin};
pub use rows::{SEEN_COLUMNS, WeightedRow};

/// Version of the file format that this build writes and reads.
pub const SCHEMA_VERSION: u64 = 1;
/// Rows kept for one recorded stage; more tasks than this are thinned by quantiles.
pub const MAX_ROWS: usize = 200;
/// Stages that a profile may have; bounds the work on hostile files. A log with more is cut there.
pub const MAX_STAGES: usize = 20_000;
/// `spark.sql.shuffle.partitions` when nobody sets it.
pub const DEFAULT_SHUFFLE_PARTITIONS: u32 = 200;
/// `spark.sql.files.maxPartitionBytes` when nobody sets it.
pub const DEFAULT_MAX_PARTITION_BYTES: Bytes = Bytes::mib(128);
/// Bytes per second of one read stream from an object store: 40 to 100 MB/s (8.1).
pub const DEFAULT_PER_STREAM: ByteRate = ByteRate::mb_per_sec(60);

/// What an application does.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) input: Bytes,
    pub(crate) input_basis: InputBasis,
    pub(crate) sql: bool,
    pub(crate) partial: bool,
    pub(crate) shuffle_partitions: u32,
    pub(crate) max_partition_bytes: Bytes,
    pub(crate) jobs: Vec<Job>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) evidence: Option<Evidence>,
}

/// What the profile's `input` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputBasis {
    /// Bytes read from storage.
    Storage,
    /// The application makes its rows itself (`spark.range`): shuffle bytes written by the stages that make them.
    FirstShuffle,
}

/// One action of the application.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Name, for reports.
    pub name: String,
    /// Indices of its stages, parents before children, the result stage last.
    pub stages: Vec<usize>,
    /// Time of the driver between this job's end and the next job's start, if that starts in turn.
    pub driver_gap: SimSpan,
    /// When it starts.
    pub start: JobStart,
    /// `spark.scheduler.pool`.
    pub pool: Option<String>,
    /// SQL executions that it belongs to.
    pub executions: Vec<u64>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Unique name.
    pub name: String,
    /// Longer text, such as Spark's call site.
    pub title: Option<String>,
    /// Indices of the stages whose shuffles it reads.
    pub reads: Vec<usize>,
    /// Where rows come from beside shuffles.
    pub input: InputSource,
    /// How many tasks.
    pub tasks: TaskRule,
    /// Where rows go.
    pub sink: Sink,
    /// Partitions of the shuffle that it writes.
    pub partitions: PartitionRule,
    /// Map-side combine of the shuffle that it writes (SW-1).
    pub map_side_combine: bool,
    /// Whether the serializer of the shuffle that it writes relocates records (2.1).
    pub relocatable: bool,
    /// Bytes of its rows that stay in storage memory, over all tasks, at the profile's input.
    pub cached: Bytes,
    /// Broadcast bytes, deserialised, that each executor holds from this stage on. Not scaled with the input: a
    /// dimension table does not grow with the facts.
    pub broadcast: Bytes,
    /// Which operators hold rows, how cached rows are stored, and the serialised results that the driver collects, at the profile's input.
    pub memory: StageMemory,
    /// Time of the driver between the instant at which the stage could start and its submission: planning, adaptive re-planning.
    pub delay: SimSpan,
    /// Whether its tasks are launched all together and fail together (FF-6).
    pub barrier: bool,
    /// Whether a second run of a task may give other rows (FF-5).
    pub indeterminate: bool,
    /// Attempts that the recording run needed.
    pub attempts: u32,
    /// Whether Spark gave it up and its job failed: its work is what was done until then, and its job ends with it.
    pub aborted: bool,
    /// Spark's number of the job that ran it first.
    pub job: Option<u64>,
    /// Task attempts of the recording run that failed, by reason.
    pub failures: BTreeMap<String, u64>,
    /// What its tasks do.
    pub work: Work,
    /// What the recording run suffered in this stage; never replayed.
    pub pressure: Option<Pressure>,
}

/// Words for the operators that hold rows.
pub(crate) const OPERATORS: [(&str, Operators); 6] = [
    ("sort", Operators::Sort),
    ("sort-merge-join", Operators::SortMergeJoin),
    ("hash-aggregate", Operators::HashAggregate),
    ("object-hash-aggregate", Operators::ObjectHashAggregate),
    ("window", Operators::Window),
    ("cartesian-product", Operators::CartesianProduct),
];
/// Words for storage levels.
pub(crate) const STORAGE_LEVELS: [(&str, StorageLevel); 3] =
    [("memory-and-disk", StorageLevel::MemoryAndDisk), ("memory-only", StorageLevel::MemoryOnly), ("off-heap", StorageLevel::OffHeap)];

/// The operators of a stage that says nothing: two sorters where it reads two shuffles, else one.
pub(crate) fn default_operators(reads: usize) -> Operators {
    if reads == 2 { Operators::SortMergeJoin } else { Operators::Sort }
}

/// How many tasks a stage has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskRule {
    /// Always so many.
    Fixed(u32),
    /// Follows the input: one for each `spark.sql.files.maxPartitionBytes`.
    InputSplit,
    /// `spark.sql.shuffle.partitions`.
    ShufflePartitions,
}

/// How many partitions a shuffle has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionRule {
    /// As many as its first reader has tasks.
    AsReader,
    /// Always so many (adaptive execution coalesced the readers of a recorded run).
    Fixed(u32),
    /// `spark.sql.shuffle.partitions`.
    ShufflePartitions,
}

/// Where a stage's rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Into a shuffle.
    Shuffle,
    /// Out of the application, or nowhere.
    Result,
}

/// What the tasks of a stage do.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// In proportion to the application's input.
    Parametric(Ratios),
    /// As recorded. A row stands for `tasks` tasks and holds their sum.
    Recorded(RecordedRows),
}

/// Work in proportion to the application's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratios {
    /// Bytes read from storage per byte of the application's input.
    pub input: f64,
    /// Raw bytes of the rows that the stage handles, per byte of the application's input.
    pub volume: f64,
    /// Shuffle bytes written, lz4-compressed, per byte of the application's input.
    pub shuffle_write: f64,
    /// Bytes written out of the application, per byte of its input.
    pub output: f64,
    /// Raw bytes of one record.
    pub record: Bytes,
    /// Bytes of a row in memory (`UnsafeRow`) per raw byte (8.2).
    pub in_memory: f64,
    /// Raw bytes that one core works through in a second (8.3), beside codecs and spilling.
    pub cpu: ByteRate,
    /// Whether the stage sorts (or aggregates) all its rows in execution memory.
    pub sort: bool,
    /// Bytes allocated on the heap per byte of rows in memory.
    pub allocation: f64,
    /// Live bytes outside managed memory of one running task.
    pub unmanaged: Bytes,
    /// Share of the rows in memory that can't be spilled (2.8).
    pub unspillable: f64,
}

/// Totals of one recorded stage that belong to the cluster that recorded it: time lost to memory pressure and to
/// devices does not move with the work ("replay bias").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Task run time, milliseconds.
    pub run_time_ms: u64,
    /// JVM garbage collection while tasks ran, milliseconds.
    pub gc_ms: u64,
    /// Waiting for shuffle blocks, milliseconds.
    pub fetch_wait_ms: u64,
    /// Deserialising tasks, milliseconds.
    pub deserialize_ms: u64,
    /// Bytes of managed memory freed by spills.
    pub spill_memory: u64,
    /// Compressed bytes that spills wrote.
    pub spill_disk: u64,
    /// Task attempts that failed or were killed.
    pub failed_tasks: u64,
}

/// Settings that a profile needs to count tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileConf {
    /// `spark.sql.shuffle.partitions`, when the user set it; otherwise the profile's own value holds.
    pub shuffle_partitions: Option<u32>,
    /// `spark.sql.files.maxPartitionBytes`.
    pub max_partition_bytes: Bytes,
    /// How adaptive execution may change joins, if it is on.
    pub joins: Option<AdaptiveJoins>,
}

impl Stage {
    /// The most that a recorded task of it holds in the heap.
    fn most_held(&self) -> Held {
        let Work::Recorded(rows) = &self.work else { return Held::default() };
        let most = |of: fn(&WeightedRow) -> Bytes| rows.iter().map(|row| of(&row).get() / u64::from(row.tasks.max(1))).max().unwrap_or(0);
        let (rows, buffers) = (most(|row| row.total.operator_memory), Bytes::new(most(|row| row.total.unmanaged)));
        if self.memory.operators == Operators::ObjectHashAggregate && self.memory.group_rows > 0 {
            // It did not fall back to sorting, so no row of it was in a page.
            let states = rows as f64 * self.memory.state_row.as_f64() / (self.memory.row.get() + app::SORTER_PER_RECORD) as f64;
            return Held { states: Bytes::from_f64(states), buffers, ..Held::default() };
        }
        Held { pages: Bytes::new(rows), buffers, ..Held::default() }
    }
}

impl Profile {
    /// Reads a profile. All problems are reported at once; no profile comes back if one of them is an error.
    pub fn parse(source: &Arc<Source>) -> (Option<Self>, Diagnostics) {
        parse::parse(source)
    }
    /// The profile as the file that [`Profile::parse`] reads back to an equal one.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let written = write::write(self, &mut |piece| {
            text.push_str(piece);
            Ok(())
        });
        debug_assert!(written.is_ok(), "adding to a text does not fail");
        text
    }
    /// Writes what [`Profile::to_toml`] gives, in pieces. Errors are those of `out`.
    pub fn write_toml(&self, out: &mut dyn io::Write) -> io::Result<()> {
        write::write(self, &mut |piece| out.write_all(piece.as_bytes()))
    }
    /// Name of the profile.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// One line about it.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }
    /// Input bytes that the numbers of the profile belong to.
    pub fn input(&self) -> Bytes {
        self.input
    }
    /// Whether the recording broke off, so that a job may end with a shuffle that nobody has read yet.
    pub fn is_partial(&self) -> bool {
        self.partial
    }
    /// What [`Profile::input`] counts.
    pub fn input_basis(&self) -> InputBasis {
        self.input_basis
    }
    /// Its jobs, in order.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }
    /// Its stages; each reads only earlier ones.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }
    /// What the recording run says of its executors' memory, with whose run that was in words.
    pub fn calibration(&self) -> Option<(Calibration, String)> {
        let evidence = self.evidence.as_ref()?;
        let run = evidence.application.as_ref().map_or_else(|| self.name.clone(), |application| format!("{} ({application})", self.name));
        let allocated = |stage: &Stage| match &stage.work {
            Work::Recorded(rows) => rows::total(rows.iter()).allocated,
            Work::Parametric(_) => Bytes::ZERO,
        };
        let held = self.stages.iter().map(Stage::most_held).fold(Held::default(), Held::most);
        Some((evidence.calibration(self.sql, self.stages.iter().map(allocated).sum(), held), run))
    }
    /// What the recording run showed of its executors.
    pub fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_ref()
    }
    /// The application for `input` bytes: bytes, records, CPU time and the task counts of input-following stages
    /// scale by `input / self.input()`; `conf` gives shuffle partitions and split size.
    pub fn to_app(&self, input: Bytes, conf: &ProfileConf) -> AppSpec {
        app::to_app(self, input, conf)
    }
}

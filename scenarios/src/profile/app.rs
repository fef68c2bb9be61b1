//! From a profile to the model's application, for another input and other settings.
//!
//! All amounts scale by `input / recorded input`. Task counts of stages that follow the input scale with it and with
//! the split size; task counts of shuffle readers follow `spark.sql.shuffle.partitions` when the user sets it. A
//! parametric stage becomes one row of stage totals, a recorded one a row a task. In memory a row has 4 bytes of
//! length for the serializer and 8 of page prefix and length for a sorter (A25), and a sorter's pointer array costs
//! 32 bytes a record (2.8); both are part of `operator_memory`, so that it compares with Spark's Peak Execution Memory.

use sim_core::spec::{AdaptiveRead, AppSpec, InputSource, JobSpec, Operators, ShuffleSpec, SinkSpec, StageMemory, StageSpec, TaskCount, TaskRow, TaskWork};
use sim_core::units::{Bytes, SimSpan};

use super::rows::{resample, scale_exact, task_count, total};
use super::{PartitionRule, Profile, ProfileConf, Ratios, Sink, Stage, TaskRule, Work};

/// Length prefix that the row serializer writes before each row (A25).
pub(super) const SERIALIZED_PREFIX: u64 = 4;
/// Length and page prefix of a row in a sorter's page (A25), plus two longs of pointer and prefix and as much again for radix sort (2.8).
pub(super) const SORTER_PER_RECORD: u64 = 8 + 32;
/// Rows are made for at most so many tasks; Spark's driver does not survive more either.
const MAX_TASKS: u64 = 1 << 20;

/// Builds the application.
pub(super) fn to_app(profile: &Profile, input: Bytes, conf: &ProfileConf) -> AppSpec {
    let scaling = Scaling { profile, input, conf };
    let shuffles = scaling.shuffles();
    let shuffle_of = |stage: usize| shuffles.iter().position(|s| s.writer == stage);
    let stages = (0..profile.stages.len()).map(|index| scaling.stage(index, &shuffle_of)).collect();
    let jobs = profile
        .jobs
        .iter()
        .map(|job| JobSpec { stages: job.stages.clone(), driver_gap: job.driver_gap, start: job.start.clone(), pool: job.pool.clone() })
        .collect();
    AppSpec { name: profile.name.clone(), input, jobs, stages, shuffles, sql: profile.sql }
}

/// One conversion: the profile and what it is converted to.
pub(super) struct Scaling<'a> {
    pub(super) profile: &'a Profile,
    input: Bytes,
    pub(super) conf: &'a ProfileConf,
}

impl Scaling<'_> {
    fn factor(&self) -> (u64, u64) {
        (self.input.get(), self.profile.input.get().max(1))
    }
    pub(super) fn scaled(&self, recorded: Bytes) -> Bytes {
        let (num, den) = self.factor();
        Bytes::new(scale_exact(recorded.get(), num, den))
    }
    pub(super) fn share(&self, ratio: f64) -> Bytes {
        times(self.input, ratio)
    }
    fn shuffle_partitions(&self) -> u32 {
        self.conf.shuffle_partitions.unwrap_or(self.profile.shuffle_partitions).max(1)
    }

    /// Shuffles in the order of their writers. A shuffle that nobody reads has the configured number of partitions.
    fn shuffles(&self) -> Vec<ShuffleSpec> {
        let stages = &self.profile.stages;
        let writers = stages.iter().enumerate().filter(|(_, stage)| stage.sink == Sink::Shuffle);
        writers
            .map(|(writer, stage)| ShuffleSpec {
                writer,
                partitions: match stage.partitions {
                    PartitionRule::Fixed(n) => n,
                    PartitionRule::ShufflePartitions => self.shuffle_partitions(),
                    PartitionRule::AsReader => {
                        stages.iter().position(|s| s.reads.contains(&writer)).map_or(self.shuffle_partitions(), |reader| self.tasks(reader))
                    }
                },
                map_side_combine: stage.map_side_combine,
                relocatable: stage.relocatable,
            })
            .collect()
    }

    /// Number of tasks of a stage.
    fn tasks(&self, index: usize) -> u32 {
        let stage = &self.profile.stages[index];
        let split = self.conf.max_partition_bytes.get().max(1);
        let n = match (stage.tasks, &stage.work) {
            (TaskRule::Fixed(n), _) => u64::from(n),
            (TaskRule::ShufflePartitions, _) => u64::from(self.shuffle_partitions()),
            (TaskRule::InputSplit, Work::Parametric(ratios)) => self.share(ratios.input).get().div_ceil(split),
            (TaskRule::InputSplit, Work::Recorded(rows)) => {
                let (num, den) = self.factor();
                let splits = self.profile.max_partition_bytes.as_f64() / split as f64;
                (f64::from(task_count(rows.iter())) * splits * (num as f64 / den as f64)).round() as u64
            }
        };
        n.clamp(1, MAX_TASKS) as u32
    }

    fn stage(&self, index: usize, shuffle_of: &dyn Fn(usize) -> Option<usize>) -> StageSpec {
        let stage = &self.profile.stages[index];
        let tasks = self.tasks(index);
        let sink = match stage.sink {
            Sink::Shuffle => shuffle_of(index).map_or(SinkSpec::Result, SinkSpec::Shuffle),
            Sink::Result => SinkSpec::Result,
        };
        let mut spec = StageSpec {
            name: stage.name.clone(),
            reads: stage.reads.iter().filter_map(|writer| shuffle_of(*writer)).collect(),
            input: stage.input,
            tasks: self.task_count(stage, tasks),
            work: match &stage.work {
                Work::Parametric(ratios) => TaskWork::Parametric(self.totals(stage, ratios, tasks)),
                Work::Recorded(rows) => TaskWork::Recorded(resample(&rows.iter().collect::<Vec<_>>(), tasks, self.factor())),
            },
            adaptive: self.adaptive(stage),
            sink,
            cached: self.scaled(stage.cached),
            broadcast: stage.broadcast,
            memory: StageMemory { collected: self.scaled(stage.memory.collected), row: row(stage), ..stage.memory },
            delay: stage.delay,
            barrier: stage.barrier,
            indeterminate: stage.indeterminate,
        };
        self.broadcast_small_side(stage, &mut spec);
        spec
    }

    /// Adaptive execution plans readers of shuffles whose partitions Spark chose; a fixed number is the user's (`repartition(n)`).
    fn adaptive(&self, stage: &Stage) -> Option<AdaptiveRead> {
        let planned = self.profile.sql && stage.tasks == TaskRule::ShufflePartitions && !stage.reads.is_empty();
        planned.then_some(if stage.memory.operators == Operators::SortMergeJoin { AdaptiveRead::Join } else { AdaptiveRead::Coalesced })
    }

    /// The model's rule: a stage that follows its input keeps following it there, with the split that gives `tasks` now.
    fn task_count(&self, stage: &Stage, tasks: u32) -> TaskCount {
        if stage.tasks != TaskRule::InputSplit {
            return TaskCount::Fixed(tasks);
        }
        match &stage.work {
            Work::Parametric(_) => TaskCount::InputSplit(self.conf.max_partition_bytes.max(Bytes::new(1))),
            Work::Recorded(rows) => {
                let bytes = self.scaled(total(rows.iter()).input).get();
                let split = bytes.div_ceil(u64::from(tasks)).max(1);
                if bytes.div_ceil(split) == u64::from(tasks) { TaskCount::InputSplit(Bytes::new(split)) } else { TaskCount::Fixed(tasks) }
            }
        }
    }

    /// Stage totals of a parametric stage.
    fn totals(&self, stage: &Stage, ratios: &Ratios, tasks: u32) -> TaskRow {
        let raw = self.share(ratios.volume);
        let records = raw.get().div_ceil(ratios.record.get().max(1));
        let in_memory = times(raw, ratios.in_memory);
        let writes = stage.sink == Sink::Shuffle;
        TaskRow {
            input: if stage.input == InputSource::None { Bytes::ZERO } else { self.share(ratios.input) },
            shuffle_read: stage.reads.iter().map(|writer| self.written(*writer)).sum(),
            shuffle_write: if writes { self.share(ratios.shuffle_write) } else { Bytes::ZERO },
            output: self.share(ratios.output),
            records: if writes { records } else { 0 },
            cpu: cpu(raw, ratios),
            operator_memory: if ratios.sort { in_memory + Bytes::new(records) * SORTER_PER_RECORD } else { Bytes::ZERO },
            writer_memory: if writes { in_memory + Bytes::new(records) * SERIALIZED_PREFIX } else { Bytes::ZERO },
            unmanaged: ratios.unmanaged * u64::from(tasks),
            allocated: times(in_memory, ratios.allocation),
            unspillable: times(in_memory, ratios.unspillable),
        }
    }

    /// Bytes of the shuffle that a stage writes.
    pub(super) fn written(&self, index: usize) -> Bytes {
        match &self.profile.stages[index].work {
            Work::Parametric(ratios) => self.share(ratios.shuffle_write),
            Work::Recorded(rows) => times(self.scaled(total(rows.iter()).shuffle_write), 1.0),
        }
    }
}

/// In-memory bytes of a row of the stage's operators: as stated, else as its ratios give it.
fn row(stage: &Stage) -> Bytes {
    match &stage.work {
        Work::Parametric(ratios) if stage.memory.row.is_zero() => times(ratios.record, ratios.in_memory),
        Work::Parametric(_) | Work::Recorded(_) => stage.memory.row,
    }
}

/// A product that stays far enough from 64 bits for any sum over stages.
pub(super) fn times(bytes: Bytes, ratio: f64) -> Bytes {
    Bytes::from_f64((bytes.as_f64() * ratio).min((1u64 << 56) as f64))
}

/// CPU time of the whole stage: raw bytes at the rate of one core.
fn cpu(raw: Bytes, ratios: &Ratios) -> SimSpan {
    SimSpan::from_secs_f64(raw.as_f64() / ratios.cpu.as_f64().max(1.0))
}

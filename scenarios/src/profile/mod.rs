//! Job profiles: what an application does, scaled to an input.

use std::sync::Arc;

use sim_core::spec::{AppSpec, InputSource, JobSpec, ShuffleSpec, SinkSpec, StageSpec, TaskCount, TaskRow, TaskWork};
use sim_core::units::{Bytes, SimSpan};

use crate::diag::{Diagnostics, Source};

/// A profile.
#[derive(Clone, Debug)]
pub struct Profile {
    name: String,
}

/// What of the configuration decides task counts.
#[derive(Clone, Copy, Debug)]
pub struct ProfileConf {
    /// `spark.sql.shuffle.partitions`, if set.
    pub shuffle_partitions: Option<u32>,
    /// `spark.sql.files.maxPartitionBytes`.
    pub max_partition_bytes: Bytes,
}

impl Profile {
    /// Reads a profile.
    pub fn parse(source: &Arc<Source>) -> (Option<Self>, Diagnostics) {
        (Some(Self { name: source.name.clone() }), Diagnostics::default())
    }
    /// Input that it describes.
    pub fn input(&self) -> Bytes {
        Bytes::new(3_000_000_000)
    }
    /// The application at another input.
    pub fn to_app(&self, input: Bytes, conf: &ProfileConf) -> AppSpec {
        let row = TaskRow {
            input,
            shuffle_read: Bytes::ZERO,
            shuffle_write: input.scale(0.47),
            output: Bytes::ZERO,
            records: 1000,
            cpu: SimSpan::from_secs(60),
            operator_memory: Bytes::ZERO,
            writer_memory: input,
            unmanaged: Bytes::ZERO,
            allocated: input,
            unspillable: Bytes::ZERO,
        };
        let stage = |name: &str, reads, sink| StageSpec {
            name: name.to_owned(),
            reads,
            input: InputSource::None,
            tasks: TaskCount::InputSplit(conf.max_partition_bytes),
            work: TaskWork::Parametric(row),
            sink,
            cached: Bytes::ZERO,
            broadcast: Bytes::ZERO,
        };
        AppSpec {
            name: self.name.clone(),
            input,
            jobs: vec![JobSpec { stages: vec![0, 1], driver_gap: SimSpan::ZERO }],
            stages: vec![stage("map", vec![], SinkSpec::Shuffle(0)), stage("reduce", vec![0], SinkSpec::Result)],
            shuffles: vec![ShuffleSpec { writer: 0, partitions: conf.shuffle_partitions.unwrap_or(200), map_side_combine: false, relocatable: true }],
            sql: true,
        }
    }
}

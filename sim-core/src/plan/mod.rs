//! From a [`Spec`] to what runs: indices and rates, immutable, shared by all threads.
//!
//! Compiling expands pools into nodes, sizes the executor pod, resolves its scratch directories and picks each
//! shuffle's writer, so that a replication touches no string and repeats no arithmetic. It refuses only what
//! cannot be run at all (no node, no slot, a heap under Spark's minimum, a stage graph with dangling indices);
//! everything else is a matter of outcomes. The fingerprint changes with anything that could change a result.

mod check;
mod executor;
mod graph;
mod node;
mod pods;
mod scratch;

use std::fmt;

pub use executor::{Announced, ExecutorPlan};
pub(crate) use node::HOSTNAME;
pub use node::{NodeLines, NodePlan};
use pods::PodPlans;
pub use scratch::{Carrier, ScratchDir, ScratchPlan};

use crate::ids::StageId;
use crate::spark::writer::{self, WriterKind};
use crate::spec::{RemoteClient, Serializer, ShuffleSpec, Spec};
use crate::units::Bytes;

/// A compiled point: immutable, `Sync`, fingerprinted.
#[derive(Clone, Debug)]
pub struct SimPlan {
    spec: Spec,
    pub(crate) nodes: Vec<NodePlan>,
    pub(crate) executor: ExecutorPlan,
    /// What the scheduler sees of each kind of pod.
    pub(crate) pods: PodPlans,
    /// Memory of the driver's container: request and limit. `None` where it has none.
    pub(crate) driver_container: Option<Bytes>,
    /// The same where the kernel enforces it.
    pub(crate) driver_limit: Option<Bytes>,
    /// Writer of each shuffle.
    pub(crate) writers: Vec<WriterKind>,
    /// By shuffle, whether a remote shuffle service has it.
    remote: Vec<bool>,
    /// Stages whose output each stage reads: parents by stage.
    pub(crate) parents: Vec<Vec<StageId>>,
    /// By stage, the stage whose cached rows it would read: the last before it that caches any.
    pub(crate) cache_source: Vec<Option<StageId>>,
    /// By job, the stages that no other stage of it reads.
    pub(crate) ends: Vec<Vec<StageId>>,
    /// By shuffle, the jobs that need it: that write it, read it, or read what was made of it.
    pub(crate) needed_by: Vec<Vec<u32>>,
    /// By stage, the jobs that it is such a last stage of.
    pub(crate) ended_by: Vec<Vec<u32>>,
    /// By stage, whether a second run may give other rows: its own, or those of a stage that it reads (FF-5).
    pub(crate) indeterminate: Vec<bool>,
    /// By stage, the stage whose cached rows it reads partition by partition.
    pub(crate) cached_by: Vec<Option<StageId>>,
    fingerprint: u64,
}

/// Why a spec cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// What is wrong, in words for the user.
    pub message: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for PlanError {}

impl SimPlan {
    /// Compiles a spec.
    ///
    /// # Errors
    /// When the spec cannot be run at all; the message says what to change.
    pub fn compile(spec: &Spec) -> Result<Self, PlanError> {
        check::check(spec)?;
        let nodes = node::expand(spec);
        let executor = ExecutorPlan::new(spec);
        let driver = spec.container(spec.spark.driver.container_memory);
        let conf = &spec.spark.shuffle;
        let relocates = |s: &ShuffleSpec| s.relocatable || conf.serializer == Serializer::Kryo;
        let storage = spec.spark.shuffle_storage.remote.as_ref();
        let remote = |s: &ShuffleSpec| storage.is_some_and(|storage| s.partitions <= storage.max_partitions);
        let writer = |s: &ShuffleSpec| match storage.filter(|_| remote(s)) {
            Some(storage) => writer::remote(s.map_side_combine, storage.client),
            None => writer::choose(s.partitions, s.map_side_combine, relocates(s), conf.bypass_merge_threshold),
        };
        let writers = spec.app.shuffles.iter().map(writer).collect();
        let remote = spec.app.shuffles.iter().map(remote).collect();
        let parents: Vec<Vec<StageId>> =
            spec.app.stages.iter().map(|stage| stage.reads.iter().map(|&s| StageId::new(spec.app.shuffles[s].writer as u32)).collect()).collect();
        let ends: Vec<Vec<StageId>> = spec.app.jobs.iter().map(|job| graph::ends(&job.stages, &parents)).collect();
        Ok(Self {
            fingerprint: fingerprint(spec),
            spec: spec.clone(),
            nodes,
            executor,
            pods: PodPlans::new(spec),
            driver_container: (!driver.is_zero()).then_some(driver),
            driver_limit: (!driver.is_zero() && !spec.monitors_containers()).then_some(driver),
            writers,
            remote,
            needed_by: graph::needed_by(&spec.app, &parents),
            ended_by: graph::ended_by(&ends, parents.len()),
            indeterminate: graph::indeterminate(&spec.app, &parents),
            cached_by: graph::cached_by(&spec.app),
            parents,
            cache_source: cache_sources(spec),
            ends,
        })
    }

    /// The spec it came from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether a remote shuffle service has a shuffle.
    pub(crate) fn is_remote(&self, shuffle: usize) -> bool {
        self.remote[shuffle]
    }

    /// Whether a shuffle's client holds rows in managed memory of the heap, whatever Tungsten's mode.
    pub(crate) fn pushes_from_heap(&self, shuffle: usize) -> bool {
        let client = self.spec.spark.shuffle_storage.remote.as_ref().map(|conf| conf.client);
        self.remote[shuffle] && matches!(client, Some(RemoteClient::Uniffle { .. }))
    }

    /// Whether the loss of an executor makes Spark forget its outputs of a shuffle.
    pub(crate) fn forgets(&self, shuffle: usize) -> bool {
        let local = !self.spec.spark.shuffle.service;
        match self.spec.spark.shuffle_storage.remote.as_ref().filter(|_| self.remote[shuffle]) {
            Some(conf) => local && conf.at_executor && !conf.reliable,
            None => local,
        }
    }

    /// Whether a running map stage runs again what it had finished on a lost executor (EL-1).
    pub(crate) fn repeats(&self, shuffle: usize) -> bool {
        let reliable = self.spec.spark.shuffle_storage.remote.as_ref().is_some_and(|conf| self.remote[shuffle] && conf.reliable);
        !self.spec.spark.shuffle.service && !reliable
    }

    /// Sixteen hexadecimal digits that change with anything that could change a result.
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", self.fingerprint)
    }

    /// Lines for charts, by node index.
    pub fn node_lines(&self) -> Vec<NodeLines> {
        self.nodes.iter().map(NodePlan::lines).collect()
    }

    /// Every executor, sized.
    pub fn executor(&self) -> &ExecutorPlan {
        &self.executor
    }

    /// Container limit of an executor, if it has one.
    pub fn executor_limit(&self) -> Option<Bytes> {
        self.executor.limit
    }
}

/// The last stage before each that caches rows.
fn cache_sources(spec: &Spec) -> Vec<Option<StageId>> {
    let stages = &spec.app.stages;
    (0..stages.len()).map(|index| stages[..index].iter().rposition(|stage| !stage.cached.is_zero()).map(|s| StageId::new(s as u32))).collect()
}

/// FNV-1a over the spec's debug form and the crate's version: stable for one version, no promise between versions.
fn fingerprint(spec: &Spec) -> u64 {
    let mut limits = spec.limits;
    limits.paranoid = false;
    let canonical = Spec { limits, ..spec.clone() };
    let text = format!("{} {canonical:?}", env!("CARGO_PKG_VERSION"));
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

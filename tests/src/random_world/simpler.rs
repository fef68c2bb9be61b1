//! The steps that a failing case is made smaller by.

use crate::world;
use sim_core::spec::{Affinity, DeployMode, DeviceUse, JobStart, Language, RecoveryMode, SchedulingMode, Spec, StageMemory, TaskCount};
use sim_core::units::Bytes;

/// A step that makes a failing spec simpler; the result may not compile, then the step is not taken.
pub type Simplification = fn(&mut Spec);

/// The steps that a failing case is made smaller by.
pub fn simplifications() -> Vec<(&'static str, Simplification)> {
    vec![
        ("certain", |s| s.uncertainty = world::certain()),
        ("no injected kills", |s| s.inject.clear()),
        ("no neighbours", |s| s.cluster.neighbours.clear()),
        ("fewer neighbours", |s| drop(s.cluster.neighbours.pop())),
        ("neighbours without devices", |s| s.cluster.neighbours.iter_mut().for_each(|n| n.devices = DeviceUse::NONE)),
        ("no cap on disks", |s| s.cluster.pools.iter_mut().for_each(|p| p.shape.remote = None)),
        ("one pool", |s| s.cluster.pools.truncate(1)),
        ("one node", |s| s.cluster.pools.iter_mut().for_each(|p| p.count = 1)),
        ("one executor", |s| s.spark.executor.instances = 1),
        ("two executors", |s| s.spark.executor.instances = 2),
        ("one slot", |s| (s.spark.executor.cores, s.spark.executor.task_cpus) = (1, 1)),
        ("no volumes", |s| s.spark.kubernetes.pod_template.volumes.clear()),
        ("disk scratch", |s| s.spark.kubernetes.local_dirs_tmpfs = false),
        ("no affinity", |s| s.spark.kubernetes.pod_template.affinity = Affinity::NONE),
        ("no autoscaler", |s| s.cluster.pools.iter_mut().for_each(|pool| (pool.max_count, pool.min_count) = (None, None))),
        ("no spread", |s| s.spark.kubernetes.pod_template.spread.clear()),
        ("no priorities", |s| s.cluster.scheduler.preemption = false),
        ("no cache", |s| s.app.stages.iter_mut().for_each(|stage| stage.cached = Bytes::ZERO)),
        ("no broadcast", |s| s.app.stages.iter_mut().for_each(|stage| stage.broadcast = Bytes::ZERO)),
        ("plain memory", |s| s.app.stages.iter_mut().for_each(|stage| stage.memory = StageMemory::default())),
        ("few tasks", |s| s.app.stages.iter_mut().for_each(|stage| stage.tasks = TaskCount::Fixed(2))),
        ("one job", |s| s.app.jobs.truncate(1)),
        ("FIFO", |s| s.spark.scheduler.mode = SchedulingMode::Fifo),
        ("no speculation", |s| s.spark.scheduler.speculation = None),
        ("no exclusion", |s| s.spark.scheduler.exclusion = None),
        ("no locality", |s| s.spark.scheduler.locality = world::no_wait()),
        ("no barrier", |s| s.app.stages.iter_mut().for_each(|stage| stage.barrier = false)),
        ("determinate", |s| s.app.stages.iter_mut().for_each(|stage| stage.indeterminate = false)),
        ("jobs in turn", |s| s.app.jobs.iter_mut().for_each(|job| job.start = JobStart::InTurn)),
        ("no off-heap", |s| s.spark.executor.off_heap = Bytes::ZERO),
        ("JVM", |s| s.spark.language = Language::Jvm),
        ("nobody leaves", |s| s.reclaims.clear()),
        ("nobody vanishes", |s| s.reclaims.iter_mut().for_each(|r| r.sudden = false)),
        ("no recovery mode", |s| s.spark.allocation.recovery = RecoveryMode::Off),
        ("no resizing", |s| s.spark.allocation.resize = None),
        ("no rolling", |s| s.spark.allocation.roll = None),
        ("no decommission", |s| (s.spark.allocation.decommission, s.spark.allocation.roll) = (None, None)),
        ("claims end", |s| s.spark.allocation.claims = sim_core::spec::ClaimsConf::default()),
        ("fixed number", |s| s.spark.allocation.dynamic = None),
        ("not adaptive", |s| s.spark.adaptive = None),
        ("no driver pod", |s| s.spark.deploy_mode = DeployMode::Client),
    ]
}

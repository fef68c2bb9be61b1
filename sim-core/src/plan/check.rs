//! What cannot be run at all.
//!
//! The last line of defence, for specs that no user wrote: the `scenarios` crate checks the same and more, with file and
//! line. Refused is only what would have no meaning in a run: no node, no slot, a heap below Spark's minimum (MEM-4), a stage
//! graph that points nowhere or backwards. A configuration that must fail is run, and fails.

use super::PlanError;
use crate::spec::{AppSpec, Injection, JobStart, Moment, SinkSpec, Spec, TaskCount, TaskWork, VolumeSource};
use crate::units::Bytes;

/// Spark refuses to start below 1.5 × 300 MiB of heap (MEM-4).
const MINIMUM_HEAP: Bytes = Bytes::mib(450);

pub(super) fn check(spec: &Spec) -> Result<(), PlanError> {
    let nodes: u32 = spec.cluster.pools.iter().map(|pool| pool.count).sum();
    require(nodes > 0, "the cluster has no node; give a pool a `count` of at least 1")?;
    for pool in &spec.cluster.pools {
        require(!pool.shape.disks.is_empty(), &format!("pool `{}` has no disk; the node needs one for the kubelet directory", pool.name))?;
        require(pool.shape.memory > Bytes::ZERO && pool.shape.nic.get() > 0, &format!("pool `{}` needs memory and a NIC", pool.name))?;
        let slow = pool.shape.disks.iter().find(|d| d.read.get() == 0 || d.write.get() == 0 || d.iops == 0 || d.io_size.is_zero());
        require(slow.is_none(), &format!("pool `{}` has a disk without bandwidth or IOPS", pool.name))?;
    }
    let executor = &spec.spark.executor;
    require(executor.instances > 0, "spark.executor.instances must be at least 1")?;
    require(executor.task_cpus > 0 && executor.cores >= executor.task_cpus, "spark.executor.cores must be at least spark.task.cpus, or no task ever runs")?;
    require(executor.heap >= MINIMUM_HEAP, "spark.executor.memory must be at least 450m, or the executor refuses to start")?;
    for volume in &spec.spark.kubernetes.pod_template.volumes {
        let VolumeSource::HostPath { disk } = volume.source else { continue };
        let without = spec.cluster.pools.iter().find(|pool| disk >= pool.shape.disks.len());
        require(without.is_none(), &format!("volume `{}` lies on disk {disk}, which a pool does not have", volume.name))?;
    }
    let claims = spec.spark.kubernetes.pod_template.volumes.iter().filter_map(|volume| match volume.source {
        VolumeSource::Claim(claim) => Some((volume, claim)),
        VolumeSource::EmptyDir(_) | VolumeSource::HostPath { .. } => None,
    });
    for (volume, claim) in claims {
        let works = !claim.size.is_zero() && claim.read.get() > 0 && claim.write.get() > 0 && claim.iops > 0 && !claim.io_size.is_zero();
        require(works, &format!("the claim of volume `{}` has no size, bandwidth or IOPS", volume.name))?;
    }
    let known = |injection: &Injection| match injection.when {
        Moment::At(_) => true,
        Moment::TasksDone { stage, tasks } => stage < spec.app.stages.len() && tasks > 0,
    };
    require(spec.inject.iter().all(|injection| injection.executor > 0 && known(injection)), "an injected kill names an executor or a stage that cannot exist")?;
    app(&spec.app)
}

fn app(app: &AppSpec) -> Result<(), PlanError> {
    require(!app.jobs.is_empty(), "the job profile has no job")?;
    for job in &app.jobs {
        require(!job.stages.is_empty(), "a job of the profile has no stage")?;
        require(job.stages.iter().all(|&s| s < app.stages.len()), "a job of the profile names a stage that does not exist")?;
    }
    for (index, job) in app.jobs.iter().enumerate() {
        let waits_for_earlier = match &job.start {
            JobStart::InTurn => true,
            JobStart::After { jobs, .. } => jobs.iter().all(|&before| before < index),
            JobStart::With { job, .. } => *job < index,
        };
        require(waits_for_earlier, "a job of the profile waits for one that does not come before it")?;
    }
    for (index, shuffle) in app.shuffles.iter().enumerate() {
        require(shuffle.partitions > 0, "a shuffle of the profile has no partitions")?;
        let writes = app.stages.get(shuffle.writer).is_some_and(|stage| stage.sink == SinkSpec::Shuffle(index));
        require(writes, "a shuffle of the profile has no stage that writes it")?;
    }
    for (index, stage) in app.stages.iter().enumerate() {
        let name = &stage.name;
        require(stage.reads.iter().all(|&s| s < app.shuffles.len()), &format!("stage `{name}` reads a shuffle that does not exist"))?;
        require(stage.reads.iter().all(|&s| app.shuffles[s].writer < index), &format!("stage `{name}` reads a shuffle that is not written before it"))?;
        if let SinkSpec::Shuffle(s) = stage.sink {
            require(s < app.shuffles.len(), &format!("stage `{name}` writes a shuffle that does not exist"))?;
        }
        let counted = match stage.tasks {
            TaskCount::Fixed(n) => n > 0,
            TaskCount::InputSplit(split) => split > Bytes::ZERO,
        };
        require(counted, &format!("stage `{name}` has no tasks"))?;
        let worked = !matches!(&stage.work, TaskWork::Recorded(rows) if rows.is_empty());
        require(worked, &format!("stage `{name}` has no recorded task"))?;
    }
    Ok(())
}

fn require(holds: bool, message: &str) -> Result<(), PlanError> {
    if holds { Ok(()) } else { Err(PlanError { message: message.to_owned() }) }
}

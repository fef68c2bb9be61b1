//! Writing the scenario of a recorded run.

use std::fmt::Write as _;

use sim_core::spark::start::STARTS_AT;
use sim_core::units::Bytes;

use crate::event_log::{Ingested, RecordedHost, RecordedWorld};
use crate::profile::parse_spark_bytes;
use crate::spark_conf;

/// Memory of a node beside twice what its executors were given: enough that it never binds.
const SPARE: Bytes = Bytes::gib(16);

/// An executor that comes longer after another one's removal was not asked for because of it.
const LONGEST_START_S: f64 = 600.0;

/// The scenario of the run as it was, as TOML. `profile` is what `job.profile` says: a path of the profile or of the log, relative
/// to the scenario. `cores` is how many cores each host had; without it the share of a core that tasks had comes from the log.
pub fn scenario(ingested: &Ingested, profile: &str, cores: Option<u32>) -> String {
    let world = &ingested.world;
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, ingested, world, profile, cores);
    out
}

fn write(out: &mut String, ingested: &Ingested, world: &RecordedWorld, profile: &str, cores: Option<u32>) -> std::fmt::Result {
    let recorded = ingested.profile.title().unwrap_or("recorded from an event log");
    writeln!(out, "# The run as it was recorded: what the event log tells, and defaults that do not bind where it tells nothing.")?;
    writeln!(out, "name = {}", quoted(&format!("{}-as-recorded", ingested.profile.name())))?;
    writeln!(out, "title = {}", quoted(&format!("{recorded}, as it was")))?;
    writeln!(out, "\n[cluster]\nplatform = {}", quoted(world.platform))?;
    pools(out, world, cores)?;
    spark(out, world)?;
    writeln!(out, "\n[job]\nprofile = {}", quoted(profile))?;
    writeln!(out, "\n[uncertainty]\ndata_volume = 1.0                # the day of the recording")?;
    let share = share(world).filter(|_| cores.is_none());
    match world.replacement_s.filter(|seconds| *seconds < LONGEST_START_S) {
        Some(seconds) => writeln!(
            out,
            "executor_start = {:<15.3} # {seconds:.3} s on its slow cores: mean time from an executor's removal to the registration of its replacement",
            on_free_cores(seconds, share.unwrap_or(1.0), world.platform)
        )?,
        None => writeln!(out, "executor_start = 0               # its executors were there when the first job started")?,
    }
    if let Some(seconds) = world.launch_s {
        writeln!(out, "task_launch = {seconds:<18.4} # mean delay of a task beside deserialising, running and its result")?;
    }
    if let Some(seconds) = world.warm_up_s {
        writeln!(out, "warm_up = {seconds:<22.4} # mean CPU time of executors' first tasks for loading classes")?;
    }
    if let Some(share) = share {
        writeln!(out, "cpu_speed = {share:<20.4} # of a core, what a task had that wanted one: other work and more slots than cores took the rest")?;
    }
    Ok(())
}

/// How long a start of so many seconds would have taken with cores of full speed: the JVM's part of it is CPU work.
fn on_free_cores(seconds: f64, speed: f64, platform: &str) -> f64 {
    let before = if platform == "bare" { 0.0 } else { STARTS_AT };
    seconds / (before + (1.0 - before) / speed)
}

/// What a task had of a core that it wanted, over the hosts.
fn share(world: &RecordedWorld) -> Option<f64> {
    let scarce: Vec<&RecordedHost> = world.hosts.iter().filter(|host| host.scarce.is_some()).collect();
    if scarce.is_empty() {
        return None;
    }
    let slots: u32 = world.hosts.iter().map(|host| host.slots).sum();
    let had: f64 = world.hosts.iter().map(|host| f64::from(host.slots) * host.scarce.map_or(1.0, |(_, share)| share)).sum();
    Some((had / f64::from(slots.max(1))).clamp(0.01, 1.0))
}

fn pools(out: &mut String, world: &RecordedWorld, cores: Option<u32>) -> std::fmt::Result {
    let executors = world.hosts.iter().map(|host| host.executors).max().unwrap_or(1);
    let slots = world.hosts.iter().map(|host| host.slots).max().unwrap_or(1).max(1);
    // The scheduler of Kubernetes adds up CPU requests and keeps some for itself; elsewhere nobody looks.
    let spare = if world.platform == "kubernetes" { 2 } else { 0 };
    writeln!(out, "\n[[cluster.pool]]\nname = \"host\"\ncount = {}", world.hosts.len().max(1))?;
    match cores {
        Some(cores) => writeln!(out, "cpu = {:<27} # as given", cores.max(1))?,
        None => writeln!(out, "cpu = {:<27} # one for each task slot; see uncertainty.cpu_speed for what the tasks had of them", slots + spare)?,
    }
    let heap = size(world, "spark.executor.memory").unwrap_or(Bytes::gib(1));
    let given = heap
        + size(world, "spark.memory.offHeap.size").unwrap_or_default()
        + size(world, "spark.executor.memoryOverhead").unwrap_or(heap.scale(0.1) + Bytes::gib(1));
    let memory = (given.get().saturating_mul(2).saturating_mul(u64::from(executors)) + SPARE.get()).div_ceil(1 << 30);
    writeln!(out, "memory = {:<24} # not in the log: so much that it does not bind", quoted(&format!("{memory}GiB")))?;
    writeln!(out, "nic = \"1250MB/s\"                 # not in the log: 10 Gbit/s")?;
    writeln!(out, "[[cluster.pool.disk]]            # not in the log: a fast local disk")?;
    writeln!(out, "name = \"disk\"\nsize = \"4TB\"\nread = \"1GB/s\"\nwrite = \"1GB/s\"")
}

fn spark(out: &mut String, world: &RecordedWorld) -> std::fmt::Result {
    writeln!(out, "\n[spark]")?;
    if let Some(version) = &world.version {
        writeln!(out, "version = {}", quoted(version))?;
    }
    writeln!(out, "language = \"{}\"", if world.python { "python" } else { "scala" })?;
    writeln!(out, "deploy_mode = \"{}\"", world.deploy_mode)?;
    if let Some(collector) = world.collector {
        writeln!(out, "collector = \"{collector}\"")?;
    }
    if let Some(full) = world.xms_equals_xmx {
        writeln!(out, "xms_equals_xmx = {full}")?;
    }
    for (count, what) in [(world.removed, "were removed while it ran"), (world.late, "came after the first job had started")] {
        if count > 0 {
            writeln!(out, "# {count} executors {what}; here all are there from the beginning")?;
        }
    }
    writeln!(out, "\n[spark.conf]")?;
    for (key, value) in world.conf.iter().filter(|(key, _)| spark_conf::KEYS.iter().any(|known| known.key == **key)) {
        writeln!(out, "{} = {}", quoted(key), quoted(value))?;
    }
    Ok(())
}

fn size(world: &RecordedWorld, key: &str) -> Option<Bytes> {
    world.conf.get(key).and_then(|text| parse_spark_bytes(text)).map(|size| size.min(Bytes::gib(1 << 20)))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

//! Reading a task's input: storage, and map outputs from where they lie.
//!
//! A reducer reads its share of every parent shuffle from all nodes in proportion to the bytes registered there:
//! one flow a node pair and device, never one a block. Local bytes cross no NIC. Fetched bytes sit in direct
//! buffers bounded by `maxSizeInFlight`, but for an executor's own, which are files (FR-3); requests above
//! `maxRemoteBlockSizeFetchToMem` become files on the reader's scratch, which it keeps until it has read all its input (FR-2).
//! Assumption: blocks of a shuffle are alike. An executor that is dead but not yet known to be refuses
//! connections: a fetch that was under way gives up after a retry, a new one at once, either after timeouts where the node has vanished ([`crate::spark::fetch_retry`]); outputs known
//! to be missing fail the reducer at once, too.

use super::consumers::WRITER;
use super::finish::{self, Failure};
use super::{Step, TaskRun, files, pieces, sources};
use crate::event::Event;
use crate::hardware::Device;
use crate::ids::{ExecutorId, NodeId, ShuffleId, StageId, TaskId};
use crate::linux::cgroup::Charge;
use crate::sim::Sim;
use crate::spark::blocks;
use crate::spark::driver::{Location, MapOutputs};
use crate::spark::executor::Life;
use crate::spark::fetch_limits::{self, FetchLimits};
use crate::spark::fetch_retry::{SilentPeer, fetch_failed_after, retries_against_the_dead, silent_peer};
use crate::spark::scratch;
use crate::spec::{AdaptiveRead, InputSource, Platform};
use crate::units::{ByteRate, Bytes, SimSpan};

/// Looks whether all map outputs are there. A missing one fails the task; a dead server breaks its fetch.
pub(super) fn sources_ready(sim: &mut Sim, id: TaskId) -> bool {
    let stage = sim.tasks[id].stage;
    let plan = sim.plan;
    // A remote shuffle service is asked for partitions, not for map outputs.
    for &shuffle in plan.spec().app.stages[stage.index()].reads.iter().filter(|&&shuffle| !plan.is_remote(shuffle)) {
        let outputs = &sim.driver.outputs[ShuffleId::new(shuffle as u32)];
        if !outputs.complete() {
            finish::fail(sim, id, Failure::Fetch(None));
            return false;
        }
        let is_lost = |e: ExecutorId| sim.executors[e].node.is_some_and(|node| sim.machines[node].lost);
        let (service, node) = (plan.spec().spark.shuffle.service, sim.tasks[id].node);
        let is_out = |e: ExecutorId| sim.executors[e].life == Life::Dead && !files_are_read_from_disk(sim, e, node);
        let dead = outputs.hosts().find(|&e| if service { is_lost(e) } else { is_out(e) });
        if let Some(executor) = dead {
            break_fetch(sim, id, executor, false);
        }
    }
    sim.tasks[id].to_disk = through_scratch(sim, id);
    reserve_buffers(sim, id);
    true
}

fn limits(sim: &Sim) -> FetchLimits {
    let (shuffle, scratch) = (&sim.plan.spec().spark.shuffle, &sim.plan.spec().spark.scratch);
    FetchLimits {
        max_in_flight: shuffle.max_size_in_flight,
        max_requests: scratch.max_requests_in_flight,
        max_blocks_per_address: scratch.max_blocks_in_flight_per_address,
        to_memory_max: scratch.fetch_to_memory_max,
    }
}

/// Most bytes that a reducer of `read` remote bytes has in flight: `maxSizeInFlight`, or less where requests or blocks are counted.
fn most_in_flight(sim: &Sim, id: TaskId, read: Bytes) -> Bytes {
    if let Some(conf) = sim.plan.spec().spark.shuffle_storage.remote.as_ref().filter(|_| only_remote(sim, id)) {
        return conf.fetch_in_flight;
    }
    let limits = limits(sim);
    if limits.max_requests.min(limits.max_blocks_per_address) >= i32::MAX as u32 {
        return limits.max_in_flight;
    }
    let shuffles = || sim.plan.spec().app.stages[sim.tasks[id].stage.index()].reads.iter().map(|&s| &sim.driver.outputs[ShuffleId::new(s as u32)]);
    let maps = shuffles().map(|outputs| u64::from(outputs.maps())).sum::<u64>().max(1);
    let hosts = shuffles().map(|outputs| outputs.hosts().count() as u64).max().unwrap_or(1).max(1);
    let block = Bytes::new(read.get().div_ceil(maps));
    let by_blocks = Bytes::new(block.get().saturating_mul(u64::from(limits.max_blocks_per_address)).saturating_mul(hosts));
    limits.in_flight(limits.request(block, maps.div_ceil(hosts)), read).min(by_blocks)
}

/// Whether all that a task reads by shuffle comes from a remote shuffle service.
fn only_remote(sim: &Sim, id: TaskId) -> bool {
    sim.plan.spec().app.stages[sim.tasks[id].stage.index()].reads.iter().all(|&shuffle| sim.plan.is_remote(shuffle))
}

/// Bytes of this reducer's remote blocks that go through its scratch because their requests are too large for memory (FR-2).
fn through_scratch(sim: &Sim, id: TaskId) -> Bytes {
    let (spec, run, limits) = (sim.plan.spec(), &sim.tasks[id], limits(sim));
    // No request is larger than all that is read.
    if !limits.goes_to_disk(run.demand.read) || reads_on_the_spot(sim, run.stage) {
        return Bytes::ZERO;
    }
    let shuffles = || spec.app.stages[run.stage.index()].reads.iter().map(|&shuffle| &sim.driver.outputs[ShuffleId::new(shuffle as u32)]);
    let total: Bytes = shuffles().map(MapOutputs::bytes).sum();
    let mut through = Bytes::ZERO;
    let local = spec.app.stages[run.stage.index()].reads.iter().filter(|&&shuffle| !sim.plan.is_remote(shuffle));
    for outputs in local.map(|&shuffle| &sim.driver.outputs[ShuffleId::new(shuffle as u32)]) {
        let read = run.demand.read.scale(outputs.bytes().as_f64() / total.as_f64().max(1.0));
        let block = Bytes::new(read.get() / u64::from(outputs.maps().max(1)));
        let blocks = u64::from(outputs.maps()).div_ceil((outputs.hosts().count() as u64).max(1));
        if limits.goes_to_disk(limits.request(block, blocks)) {
            let away: Bytes = outputs.by_node().filter(|(node, _)| *node != run.node).map(|(_, bytes)| bytes).sum();
            through += read.scale(away.as_f64() / outputs.bytes().as_f64().max(1.0));
        }
    }
    through
}

/// All input is in: the files of blocks that were too large for memory go.
pub(super) fn drop_fetched(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    let fetched = std::mem::take(&mut run.fetched);
    if !fetched.sum().is_zero() {
        // Files of two media are split by share, each write rounded on its own.
        scratch::remove_temporary(sim, id, &fetched);
    }
}

/// Whether an executor reads the files of others on its host itself (`spark.shuffle.readHostLocalDisk`, on by default): with a shuffle
/// service, and from Spark 3.1 without one. A Kubernetes pod is a host of its own.
fn reads_host_local_files(sim: &Sim) -> bool {
    let spec = sim.plan.spec();
    let version = spec.spark.version;
    spec.spark.shuffle.service || spec.cluster.platform != Platform::Kubernetes && (version.major, version.minor) >= (3, 1)
}

/// Whether a task on a node can read a dead executor's files all the same, because they are still on that node's disks.
fn files_are_read_from_disk(sim: &Sim, dead: ExecutorId, node: NodeId) -> bool {
    let executor = &sim.executors[dead];
    executor.node == Some(node) && reads_host_local_files(sim) && executor.outputs.values().any(|files| !files.sum().is_zero())
}

/// Part of a task's shuffle input that comes through Netty: all but the executor's own files and those of its host that it reads as files.
fn remote_share(sim: &Sim, id: TaskId) -> f64 {
    let (run, host_local) = (&sim.tasks[id], reads_host_local_files(sim));
    let reads = &sim.plan.spec().app.stages[run.stage.index()].reads;
    let (mut all, mut own) = (0.0, 0.0);
    for &shuffle in reads {
        let near = |at: Location| at.executor == run.executor || host_local && at.node == run.node;
        for (at, bytes) in sim.driver.outputs[ShuffleId::new(shuffle as u32)].by_place() {
            all += bytes.as_f64();
            if near(at) && !sim.plan.is_remote(shuffle) {
                own += bytes.as_f64();
            }
        }
    }
    let here = own > 0.0 && reads_on_the_spot(sim, run.stage);
    if all > 0.0 && !here { 1.0 - own / all } else { 0.0 }
}

/// Direct buffers of this reducer's blocks in flight; arenas keep what they once took.
fn reserve_buffers(sim: &mut Sim, id: TaskId) {
    if sim.tasks[id].demand.read.is_zero() {
        return;
    }
    // What goes through scratch waits in no buffer (FR-2).
    let read = sim.tasks[id].demand.read.scale(remote_share(sim, id)).saturating_sub(sim.tasks[id].to_disk);
    let (executor, node) = (sim.tasks[id].executor, sim.tasks[id].node);
    let buffers = fetch_limits::direct_memory(1, most_in_flight(sim, id, read), read);
    sim.tasks[id].direct = buffers;
    let host = &mut sim.executors[executor];
    host.direct += buffers;
    let growth = host.direct.saturating_sub(host.direct_peak);
    host.direct_peak += growth;
    if let Some(slot) = host.slot {
        sim.machines[node].memory.charge(slot, Charge::NonHeap, growth);
        sim.touch(node);
    }
}

/// Starts the pieces that read `share` of the input.
pub(super) fn start_input(sim: &mut Sim, id: TaskId, share: f64) {
    let plan = sim.plan;
    let (stage, node, input, read) = (sim.tasks[id].stage, sim.tasks[id].node, sim.tasks[id].demand.input, sim.tasks[id].demand.read);
    let input = input.scale(share);
    if !input.is_zero() {
        match plan.spec().app.stages[stage.index()].input {
            InputSource::Remote { per_stream } => {
                pieces::nic(sim, id, node, Device::NicIn, input);
                let timer = sim.after(ByteRate::per_sec(per_stream.max(1)).time_for(input), Event::TaskTimer(id));
                sim.tasks[id].timer = Some(timer);
            }
            InputSource::Local => {
                let disks = plan.nodes[node.index()].shape.disks.len() as u64;
                read_stored(sim, id, node, (sim.tasks[id].serial % disks) as u8, input);
            }
            InputSource::Cached => read_cached(sim, id, input, share),
            InputSource::None => {}
        }
    }
    if !read.is_zero() {
        sources::fetch(sim, id, node, read.scale(share), stage);
    }
}

/// Cached rows that are not in memory: from the local directories, or from where the stage that cached them read.
fn read_cached(sim: &mut Sim, id: TaskId, input: Bytes, share: f64) {
    let plan = sim.plan;
    let Some(cached) = sim.tasks[id].cached.take() else { return };
    let node = sim.tasks[id].node;
    for &(holder, partition, part) in &cached.on_disk {
        let dir = blocks::dir_of(sim, holder, cached.source, partition);
        files::read_dir(sim, id, holder, dir, input.scale(part));
    }
    if let Some(source) = cached.source.filter(|_| !cached.lost.is_empty()) {
        let stored = cached.input.scale(share);
        match plan.spec().app.stages[source.index()].input {
            InputSource::Remote { .. } if !stored.is_zero() => pieces::nic(sim, id, node, Device::NicIn, stored),
            InputSource::Local if !stored.is_zero() => read_stored(sim, id, node, 0, stored),
            InputSource::Remote { .. } | InputSource::Local | InputSource::None | InputSource::Cached => {}
        }
        if !cached.read.is_zero() {
            sources::fetch(sim, id, node, cached.read.scale(share), source);
        }
    }
    sim.tasks[id].cached = Some(cached);
}

/// A read of data that is not in the page cache.
fn read_stored(sim: &mut Sim, id: TaskId, node: NodeId, disk: u8, bytes: Bytes) {
    let now = sim.now();
    let run = &mut sim.tasks[id];
    let number = run.number_piece();
    let flow = sim.machines[node].devices.add_read(now, disk, bytes, crate::hardware::FlowOwner::Task(id, number));
    run.pieces.push(super::Piece { node: Some(node), device: Device::Disk(disk), flow, number });
    sim.touch(node);
}

/// Whether a stage's tasks read what the maps of their node wrote (`OptimizeShuffleWithLocalRead`). Spark prefers those nodes for them.
pub(super) fn reads_on_the_spot(sim: &Sim, stage: StageId) -> bool {
    let spec = sim.plan.spec();
    spec.spark.adaptive.is_some() && spec.app.stages[stage.index()].adaptive == Some(AdaptiveRead::Local)
}

/// An executor died, or its files have gone: every task that still reads from it will give up, but for those that read its files from the
/// disk while they are there.
pub(crate) fn break_fetches(sim: &mut Sim, dead: ExecutorId) {
    let plan = sim.plan;
    for id in sim.tasks.ids() {
        let run = &sim.tasks[id];
        if run.executor == dead || run.broken_by.is_some() || !is_fetching(run) || files_are_read_from_disk(sim, dead, run.node) {
            continue;
        }
        let reads = &plan.spec().app.stages[run.stage.index()].reads;
        let needs = reads.iter().any(|&s| !plan.is_remote(s) && sim.driver.outputs[ShuffleId::new(s as u32)].hosts().any(|e| e == dead));
        if needs {
            break_fetch(sim, id, dead, true);
        }
    }
}

/// Whether a task still has input to fetch: it consumes, or it has no operator and still produces.
fn is_fetching(run: &TaskRun) -> bool {
    match run.step {
        Step::Consume(_) => true,
        Step::Blocked | Step::Spill(_) if run.filling != WRITER => true,
        Step::Produce(_) => run.demand.consumed().is_zero(),
        Step::Blocked | Step::Spill(_) => run.demand.consumed().is_zero() && run.state(WRITER).done < run.demand.writer,
        Step::Launch | Step::WarmUp | Step::FinishWrite | Step::Merge => false,
    }
}

fn break_fetch(sim: &mut Sim, id: TaskId, dead: ExecutorId, under_way: bool) {
    let spark = &sim.plan.spec().spark;
    let retries = retries_against_the_dead(spark.version, spark.shuffle.io_max_retries, under_way);
    let wait = match sim.executors[dead].node {
        Some(node) if sim.machines[node].lost => silent_for(sim, dead),
        _ => fetch_failed_after(retries, spark.shuffle.io_retry_wait, SimSpan::ZERO),
    };
    if sim.tasks[id].broken_by.is_none() {
        let handle = sim.after(wait, Event::FetchGivesUp(id));
        let run = &mut sim.tasks[id];
        run.gives_up = Some(handle);
        run.broken_by = Some(dead);
    }
}

/// How long a reducer waits for an executor, or its node's shuffle service, that has vanished.
fn silent_for(sim: &Sim, dead: ExecutorId) -> SimSpan {
    let (spark, now) = (&sim.plan.spec().spark, sim.now());
    let asks = spark.version.major >= 3 && !spark.shuffle.service;
    let given_up = sim.executors[dead].silent.unwrap_or(now);
    silent_peer(&SilentPeer {
        retries: spark.shuffle.io_max_retries,
        wait: spark.shuffle.io_retry_wait,
        connection: spark.allocation.heartbeat.connection_timeout,
        creation: spark.allocation.heartbeat.creation_timeout,
        known_after: asks.then(|| if given_up > now { given_up.since(now) } else { SimSpan::ZERO }),
    })
}

/// The last retry failed.
pub(crate) fn on_fetch_gives_up(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    run.gives_up = None;
    let dead = run.broken_by;
    finish::fail(sim, id, Failure::Fetch(dead));
}

/// Whether all input is in. A broken fetch waits for its last retry: then `false`, and the task ends there.
pub(super) fn complete(sim: &mut Sim, id: TaskId) -> bool {
    sim.tasks[id].broken_by.is_none()
}

//! Where a reducer's bytes come from, and the flows that bring them.
//!
//! Bytes are read in proportion to what each place has of the parents: originals on nodes' disks or executors' claims, merged files,
//! a remote shuffle service, fallback storage. One flow a place and device, never one a block; what comes from other nodes crosses
//! the reader's NIC as one more. Readers of a part of the maps use no merged files. Assumption: blocks of a shuffle are alike.
//! Source: 3.7, 4.8; Spark's `ShuffleBlockFetcherIterator`, `MapOutputTracker.getMapSizesByExecutorId`.

use super::{fetch, files, paging, pieces, remote};
use crate::event::Event;
use crate::hardware::Device;
use crate::ids::{NodeId, ShuffleId, StageId, TaskId};
use crate::sim::Sim;
use crate::spark::driver::Location;
use crate::spark::push_merge::Merged;
use crate::units::Bytes;

/// Fetches `bytes` of all parents of a stage from the nodes that hold them.
pub(super) fn fetch(sim: &mut Sim, id: TaskId, home: NodeId, bytes: Bytes, stage: StageId) {
    let plan = sim.plan;
    let reads = &plan.spec().app.stages[stage.index()].reads;
    let here = fetch::reads_on_the_spot(sim, stage);
    // A part of the maps is read from the originals.
    let merged = if here { Vec::new() } else { merged(sim, id, stage) };
    let mut held = sim.driver.bytes_by_node(plan, reads, sim.machines.len(), &merged);
    if here && !held.by_node[home.index()].is_zero() {
        held.by_node.iter_mut().enumerate().filter(|(node, _)| *node != home.index()).for_each(|(_, held)| *held = Bytes::ZERO);
        held.in_fallback = Bytes::ZERO;
    }
    let total = held.sum();
    if total.is_zero() {
        return;
    }
    let part = |held: Bytes| bytes.scale(held.as_f64() / total.as_f64());
    let mut crossing = if plan.executor.scratch.has_claims() {
        from_claims(sim, id, home, (&held.by_node, reads), &part)
    } else {
        from_nodes(sim, id, home, &held.by_node, &part)
    };
    crossing += from_mergers(sim, id, home, &merged, &part);
    if !held.served.is_zero() {
        crossing += part(held.served);
        remote::read(sim, id, part(held.served));
    }
    if !held.in_fallback.is_zero() {
        crossing += part(held.in_fallback);
        read_fallback(sim, id, part(held.in_fallback));
    }
    if !crossing.is_zero() {
        pieces::nic(sim, id, home, Device::NicIn, crossing);
    }
    sim.tally.read(stage, bytes);
}

/// Reads originals on the nodes' own disks. Bytes that come from other nodes.
fn from_nodes(sim: &mut Sim, id: TaskId, home: NodeId, by_node: &[Bytes], part: &dyn Fn(Bytes) -> Bytes) -> Bytes {
    let scratch = &sim.plan.executor.scratch;
    let on_disk = 1.0 - scratch.tmpfs_share();
    let disk = scratch.some_on_disk(sim.tasks[id].serial).map(|dir| scratch.dirs[dir].node_disk());
    let mut crossing = Bytes::ZERO;
    for (index, &held) in by_node.iter().enumerate().filter(|(_, held)| !held.is_zero()) {
        let part = part(held);
        let node = NodeId::new(index as u32);
        if let Some(disk) = disk {
            files::read_node(sim, id, node, disk, if on_disk < 1.0 { part.scale(on_disk) } else { part });
        }
        if on_disk < 1.0 {
            paging::read_tmpfs_of_node(sim, id, node, part.scale(1.0 - on_disk));
        }
        if node != home {
            crossing += part;
            pieces::nic(sim, id, node, Device::NicOut, part);
        }
    }
    crossing
}

/// Reads originals from the executors that hold them, whose claims are devices of their own. Bytes that come from
/// other nodes.
fn from_claims(sim: &mut Sim, id: TaskId, home: NodeId, (by_node, reads): (&[Bytes], &[usize]), part: &dyn Fn(Bytes) -> Bytes) -> Bytes {
    let plan = sim.plan;
    let scratch = &plan.executor.scratch;
    let local = reads.iter().filter(|&&shuffle| !plan.is_remote(shuffle));
    let places = local.flat_map(|&s| sim.driver.outputs[ShuffleId::new(s as u32)].by_place());
    let places: Vec<(Location, Bytes)> = places.filter(|(at, _)| !by_node[at.node.index()].is_zero()).collect();
    let mut crossing = Bytes::ZERO;
    let dir = scratch.some_on_disk(sim.tasks[id].serial);
    for (at, held) in places {
        let part = part(held);
        if let Some(dir) = dir {
            files::read_dir(sim, id, at.executor, dir, part.scale(1.0 - scratch.tmpfs_share()));
        }
        if at.node != home && !part.is_zero() {
            crossing += part;
            pieces::nic(sim, id, at.node, Device::NicOut, part);
        }
    }
    crossing
}

/// Reads merged files where they are. Bytes that come from other nodes.
fn from_mergers(sim: &mut Sim, id: TaskId, home: NodeId, merged: &[Merged], part: &dyn Fn(Bytes) -> Bytes) -> Bytes {
    let scratch = &sim.plan.executor.scratch;
    let disk = scratch.some_on_disk(sim.tasks[id].serial).map_or(0, |dir| scratch.dirs[dir].node_disk());
    let mut crossing = Bytes::ZERO;
    for &Merged { node, bytes, .. } in merged {
        let part = part(bytes);
        files::read_chunks(sim, id, node, disk, part);
        if node != home {
            crossing += part;
            pieces::nic(sim, id, node, Device::NicOut, part);
        }
    }
    crossing
}

/// What a task finds merged of its stage's shuffles, and where: a range of partitions is with one merger.
fn merged(sim: &Sim, id: TaskId, stage: StageId) -> Vec<Merged> {
    let spec = sim.plan.spec();
    if spec.spark.shuffle_storage.push.is_none() {
        return Vec::new();
    }
    let run = &sim.tasks[id];
    let partition = sim.driver.stages[run.stage].part(run.partition).first;
    let of = |&shuffle: &usize| sim.driver.merges.merged(ShuffleId::new(shuffle as u32), partition, spec.app.shuffles[shuffle].partitions);
    spec.app.stages[stage.index()].reads.iter().filter_map(of).collect()
}

/// Blocks in fallback storage are read one after the other, over the NIC, no faster than one stream.
fn read_fallback(sim: &mut Sim, id: TaskId, bytes: Bytes) {
    let fallback = sim.plan.spec().spark.allocation.decommission.and_then(|conf| conf.fallback);
    if let Some(fallback) = fallback.filter(|_| sim.tasks[id].timer.is_none()) {
        let timer = sim.after(fallback.per_stream.time_for(bytes), Event::TaskTimer(id));
        sim.tasks[id].timer = Some(timer);
    }
}

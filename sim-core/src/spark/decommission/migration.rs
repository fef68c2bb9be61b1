//! Shuffle files of a leaving executor go to its peers, one map output at a time and peer.
//!
//! At the notice, and every 30 s after it, the map outputs that still lie on the leaving executor are queued; each of up to eight
//! threads takes the next one and sends it to its own peer: read from disk or tmpfs, over both NICs, written there. When it
//! has arrived, the driver knows the new place. A peer whose scratch is full, or that has stored more of others' files than
//! `shuffleBlocks.maxDiskSize`, is given up, and its output queued again, three times at most. Fallback storage is one more
//! peer, and takes what others refuse. Without any nothing moves. The
//! old files stay until the executor ends. Assumptions: what a cut-off copy has written stays on the peer; tmpfs of a peer is
//! charged when an output has arrived. Source: 3.7; `BlockManagerDecommissioner`, `IndexShuffleBlockResolver`.

use crate::event::Event;
use crate::hardware::{Device, FlowOwner};
use crate::ids::{ExecutorId, NodeId, ShuffleId};
use crate::kernel::{EventHandle, FlowHandle, Purpose};
use crate::linux::cgroup::Charge;
use crate::plan::Carrier;
use crate::sim::Sim;
use crate::spark::driver::Location;
use crate::spark::executor::Life;
use crate::spark::local_dir;
use crate::spark::scratch::{self, Stored};
use crate::spark::task::files;
use crate::spec::FallbackStorage;
use crate::units::Bytes;

/// A map output on its way.
#[derive(Clone, Copy, Debug)]
struct Block {
    shuffle: ShuffleId,
    map: u32,
    bytes: Bytes,
    failures: u32,
}

/// One thread: sends outputs of one executor to one peer.
#[derive(Debug)]
struct Thread {
    source: ExecutorId,
    /// `None`: fallback storage.
    peer: Option<ExecutorId>,
    block: Option<Block>,
    /// Whether the block goes to fallback storage, because the thread or its peer does not take it.
    falls_back: bool,
    /// When a copy to fallback storage is through for its stream.
    copied: Option<EventHandle>,
    flows: Vec<(NodeId, Device, FlowHandle)>,
    /// Flows of the block that are not through.
    left: u32,
    stopped: bool,
}

/// All migrations of a run.
#[derive(Debug, Default)]
pub(crate) struct Migrations {
    threads: Vec<Thread>,
    /// Outputs that wait for a thread, by leaving executor, next last.
    queues: Vec<(ExecutorId, Vec<Block>)>,
    /// Outputs given up, by shuffle and map.
    given_up: Vec<(ShuffleId, u32)>,
}

impl Migrations {
    fn queue(&mut self, id: ExecutorId) -> Option<&mut Vec<Block>> {
        self.queues.iter_mut().find(|(source, _)| *source == id).map(|(_, queue)| queue)
    }
    fn threads_of(&self, id: ExecutorId) -> impl Iterator<Item = &Thread> {
        self.threads.iter().filter(move |thread| thread.source == id && !thread.stopped)
    }
}

/// The leaving executor starts its threads and queues what it has.
pub(super) fn begin(sim: &mut Sim, id: ExecutorId) {
    let Some(conf) = sim.plan.spec().spark.allocation.decommission else { return };
    let living = sim.executors.iter().filter(|(peer, e)| *peer != id && e.life == Life::Registered && !e.leaving);
    let mut peers: Vec<Option<ExecutorId>> = living.map(|(peer, _)| Some(peer)).collect();
    // Spark's fallback storage is one more block manager.
    peers.extend(conf.fallback.map(|_| None));
    if peers.is_empty() {
        return;
    }
    let first = sim.luck.stream(Purpose::MigrationPeer, id.index() as u64).below(peers.len() as u64) as usize;
    peers.rotate_left(first);
    for peer in peers.into_iter().take(conf.max_threads as usize) {
        sim.migrations.threads.push(Thread { source: id, peer, block: None, falls_back: false, copied: None, flows: Vec::new(), left: 0, stopped: false });
    }
    sim.migrations.queues.push((id, Vec::new()));
    refill(sim, id);
}

/// The leaving executor looks for outputs that have come since.
pub(crate) fn refill(sim: &mut Sim, id: ExecutorId) {
    let Some(conf) = sim.plan.spec().spark.allocation.decommission else { return };
    if sim.executors[id].life != Life::Registered {
        return;
    }
    let mut blocks = Vec::new();
    for (shuffle, outputs) in sim.driver.outputs.iter().filter(|(shuffle, _)| !sim.plan.is_remote(shuffle.index())) {
        for (map, bytes) in outputs.maps_of(id) {
            let m = &sim.migrations;
            let known = m.given_up.contains(&(shuffle, map))
                || m.threads_of(id).filter_map(|t| t.block).any(|b| (b.shuffle, b.map) == (shuffle, map))
                || m.queues.iter().any(|(source, queue)| *source == id && queue.iter().any(|b| (b.shuffle, b.map) == (shuffle, map)));
            if !known {
                blocks.push(Block { shuffle, map, bytes, failures: 0 });
            }
        }
    }
    blocks.reverse();
    if let Some(queue) = sim.migrations.queue(id) {
        blocks.append(queue);
        *queue = blocks;
    }
    sim.after(conf.reattempt_interval, Event::MigrationRefill(id));
    for thread in 0..sim.migrations.threads.len() {
        if sim.migrations.threads[thread].source == id {
            feed(sim, thread);
        }
    }
    super::leave_if_done(sim, id);
}

/// Whether a leaving executor has nothing more to send, or nobody to send it to.
pub(super) fn is_done(sim: &Sim, id: ExecutorId) -> bool {
    if sim.migrations.threads_of(id).next().is_none() {
        return true;
    }
    let on_its_way = sim.migrations.threads_of(id).any(|thread| thread.block.is_some());
    let left = |(shuffle, outputs): (ShuffleId, &crate::spark::driver::MapOutputs)| {
        !sim.plan.is_remote(shuffle.index()) && outputs.maps_of(id).any(|(map, _)| !sim.migrations.given_up.contains(&(shuffle, map)))
    };
    !on_its_way && !sim.driver.outputs.iter().any(left)
}

/// Gives an idle thread its next outputs, until one takes time.
fn feed(sim: &mut Sim, thread: usize) {
    loop {
        let Thread { source, peer, stopped, block, .. } = &sim.migrations.threads[thread];
        let (source, peer) = (*source, *peer);
        if *stopped || block.is_some() {
            return;
        }
        let Some(block) = sim.migrations.queue(source).and_then(Vec::pop) else { return };
        if sim.driver.outputs[block.shuffle].location(block.map).is_none_or(|at| at.executor != source) {
            continue;
        }
        let refused = peer.is_none_or(|peer| refuses(sim, peer, &block));
        let fallback = sim.plan.spec().spark.allocation.decommission.and_then(|conf| conf.fallback).filter(|_| refused);
        if refused && fallback.is_none() {
            sim.migrations.threads[thread].stopped = true;
            return give_back(sim, source, block);
        }
        match (fallback, peer) {
            (Some(fallback), _) => store(sim, thread, block, fallback),
            (None, Some(peer)) => send(sim, thread, block, peer),
            (None, None) => return,
        }
        if sim.migrations.threads[thread].left > 0 {
            return;
        }
        arrived(sim, thread);
    }
}

/// An output that could not be sent is queued again, three times at most.
fn give_back(sim: &mut Sim, source: ExecutorId, block: Block) {
    let most = sim.plan.spec().spark.allocation.decommission.map_or(0, |conf| conf.max_failures_per_block);
    if block.failures + 1 >= most || sim.migrations.threads_of(source).next().is_none() {
        sim.migrations.given_up.push((block.shuffle, block.map));
    } else if let Some(queue) = sim.migrations.queue(source) {
        queue.push(Block { failures: block.failures + 1, ..block });
    }
    let idle: Vec<usize> = (0..sim.migrations.threads.len()).filter(|&t| sim.migrations.threads[t].source == source).collect();
    idle.into_iter().for_each(|thread| feed(sim, thread));
}

/// Whether a peer takes no more: it leaves itself, or it has no room.
fn refuses(sim: &Sim, peer: ExecutorId, block: &Block) -> bool {
    let host = &sim.executors[peer];
    let (Some(node), Some(slot)) = (host.node, host.slot) else { return true };
    let scratch = &sim.plan.executor.scratch;
    let ceiling = sim.plan.spec().spark.allocation.decommission.and_then(|conf| conf.max_disk_size);
    let outputs: Bytes = host.outputs.values().map(Stored::sum).sum();
    let dir = dir_of(sim, peer, block);
    let in_memory = scratch.dirs[dir].carrier == Carrier::Tmpfs;
    let tmpfs = sim.machines[node].memory.pods[slot.index()].tmpfs_capacity;
    host.life != Life::Registered
        || host.leaving
        || ceiling.is_some_and(|most| outputs > most)
        || (!in_memory || scratch.tmpfs_dirs > 1) && files::room(sim, peer, node, dir).0 < block.bytes
        || in_memory && tmpfs.is_some_and(|most| host.scratch().tmpfs + block.bytes > most)
}

/// The directory of an output in an executor's scratch.
fn dir_of(sim: &Sim, executor: ExecutorId, block: &Block) -> usize {
    let scratch = &sim.plan.executor.scratch;
    let named = || local_dir::of_map_output(block.shuffle.index(), u64::from(block.map), scratch.dirs.len());
    if scratch.several { files::ordered(sim, executor, named()) } else { 0 }
}

/// Starts the copy of one output to fallback storage: over the NIC, no faster than one stream.
fn store(sim: &mut Sim, thread: usize, block: Block, fallback: FallbackStorage) {
    let now = sim.now();
    let source = sim.migrations.threads[thread].source;
    let Some(from) = sim.executors[source].node else { return };
    let owner = FlowOwner::Migration(thread as u32);
    let mut flows = Vec::new();
    flows.extend(read(sim, source, &block, owner));
    flows.push((from, Device::NicOut, sim.machines[from].devices.add_nic(now, Device::NicOut, block.bytes, owner)));
    flows.iter().for_each(|(node, ..)| sim.touch(*node));
    let copied = sim.after(fallback.per_stream.time_for(block.bytes), Event::FallbackCopied(thread as u32));
    let thread = &mut sim.migrations.threads[thread];
    thread.left = flows.len() as u32 + 1;
    (thread.flows, thread.block, thread.falls_back, thread.copied) = (flows, Some(block), true, Some(copied));
}

/// A stream to fallback storage has had its time.
pub(crate) fn on_copied(sim: &mut Sim, thread: u32) {
    sim.migrations.threads[thread as usize].copied = None;
    on_flow_done(sim, thread);
}

/// Starts the read of an output where it lies on a disk and not in the page cache.
fn read(sim: &mut Sim, source: ExecutorId, block: &Block, owner: FlowOwner) -> Option<(NodeId, Device, FlowHandle)> {
    let now = sim.now();
    let dir = sim.plan.executor.scratch.some_on_disk(u64::from(block.map))?;
    let (carrier, disk) = files::device_of(sim, source, dir)?;
    let home = sim.executors[source].node == Some(carrier);
    let slot = sim.executors[source].slot;
    let machine = &mut sim.machines[carrier];
    let pod = machine.pod_of(source, slot).filter(|_| home);
    let missed = machine.read_files(now, pod, block.bytes);
    (!missed.is_zero()).then(|| (carrier, Device::Disk(disk), machine.devices.add_read(now, disk, missed, owner)))
}

/// Starts the flows of one output.
fn send(sim: &mut Sim, thread: usize, block: Block, peer: ExecutorId) {
    let now = sim.now();
    let source = sim.migrations.threads[thread].source;
    let (Some(from), Some(to)) = (sim.executors[source].node, sim.executors[peer].node) else { return };
    let owner = FlowOwner::Migration(thread as u32);
    let mut flows = Vec::new();
    flows.extend(read(sim, source, &block, owner));
    if from != to {
        flows.push((from, Device::NicOut, sim.machines[from].devices.add_nic(now, Device::NicOut, block.bytes, owner)));
        flows.push((to, Device::NicIn, sim.machines[to].devices.add_nic(now, Device::NicIn, block.bytes, owner)));
    }
    let dir = dir_of(sim, peer, &block);
    if let Some((carrier, disk)) = files::device_of(sim, peer, dir) {
        let waits = sim.machines[carrier].buffered_write(now, disk, block.bytes, sim.executors[peer].slot.filter(|_| carrier == to));
        if !waits.is_zero() {
            flows.push((carrier, Device::Disk(disk), sim.machines[carrier].devices.add_write(now, disk, waits, owner)));
        }
        // What is absorbed is on its way to the disk, too.
        sim.touch(carrier);
        let stored = Stored::at(&sim.plan.executor.scratch, dir, block.bytes);
        scratch::put(sim, peer, to, &stored);
        sim.executors[peer].outputs[block.shuffle] += &stored;
    }
    for node in flows.iter().map(|(node, ..)| *node).chain([from, to]) {
        sim.touch(node);
    }
    let thread = &mut sim.migrations.threads[thread];
    thread.left = flows.len() as u32;
    thread.flows = flows;
    thread.block = Some(block);
}

/// A flow of a thread is through.
pub(crate) fn on_flow_done(sim: &mut Sim, thread: u32) {
    let thread = thread as usize;
    let state = &mut sim.migrations.threads[thread];
    state.left -= 1;
    if state.left == 0 {
        let source = state.source;
        arrived(sim, thread);
        feed(sim, thread);
        super::leave_if_done(sim, source);
    }
}

/// An output has arrived: the driver learns of its new place.
fn arrived(sim: &mut Sim, thread: usize) {
    let state = &mut sim.migrations.threads[thread];
    state.flows.clear();
    let (source, peer) = (state.source, state.peer);
    let Some(block) = state.block.take() else { return };
    let Some(peer) = peer.filter(|_| !std::mem::take(&mut state.falls_back)) else {
        state.falls_back = false;
        sim.driver.outputs[block.shuffle].relocate(block.map, source, Location::FALLBACK);
        return;
    };
    let scratch = &sim.plan.executor.scratch;
    let dir = dir_of(sim, peer, &block);
    let in_memory = if scratch.dirs[dir].carrier == Carrier::Tmpfs { block.bytes } else { Bytes::ZERO };
    let host = &mut sim.executors[peer];
    let (Some(node), Some(slot)) = (host.node, host.slot) else { return };
    host.outputs[block.shuffle] += &Stored::at(scratch, dir, in_memory);
    host.note_scratch();
    sim.machines[node].memory.charge(slot, Charge::Shmem, in_memory);
    sim.touch(node);
    sim.driver.outputs[block.shuffle].relocate(block.map, source, Location { executor: peer, node });
}

/// An executor is no more: what it sent or received stops.
pub(crate) fn on_executor_gone(sim: &mut Sim, id: ExecutorId) {
    let now = sim.now();
    for thread in 0..sim.migrations.threads.len() {
        let state = &mut sim.migrations.threads[thread];
        if state.stopped || state.source != id && state.peer != Some(id) {
            continue;
        }
        state.stopped = true;
        state.left = 0;
        let (source, block, flows) = (state.source, state.block.take(), std::mem::take(&mut state.flows));
        if let Some(copied) = state.copied.take() {
            sim.calendar.cancel(copied);
        }
        for (node, device, flow) in flows {
            sim.machines[node].devices.cancel(now, device, flow);
            sim.touch(node);
        }
        if source != id {
            if let Some(block) = block {
                give_back(sim, source, block);
            }
            super::leave_if_done(sim, source);
        }
    }
}

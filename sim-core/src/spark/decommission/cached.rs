//! Cached blocks of a leaving executor go to its peers, one at a time.
//!
//! At the notice one thread begins to copy what the driver knows to be cached there, to a peer drawn anew for each block: over both
//! NICs, from disk where the block is there and not in the page cache. The peer stores it as it would store its own, in storage
//! memory, evicting others, or else in its local directories; what it cannot store (`MEMORY_ONLY`) is tried with another
//! peer, three times at most. A copied block leaves the old executor's memory. The executor does not end before its cached blocks
//! are copied or given up. Assumptions: a block is as large on the way as where it lies; the file of a copied block stays until the
//! executor ends. Source: 3.7; `BlockManagerDecommissioner.decommissionRddCacheBlocks`, `BlockManager.replicateBlock`.

use crate::hardware::{Device, FlowOwner, page_cache};
use crate::ids::{ExecutorId, NodeId, StageId};
use crate::kernel::{FlowHandle, Purpose, mix};
use crate::sim::Sim;
use crate::spark::blocks::{self, Place};
use crate::spark::executor::Life;
use crate::spark::task::files;

/// A cached partition.
type Part = (StageId, u32);

/// The thread of one leaving executor.
#[derive(Debug)]
struct Copying {
    source: ExecutorId,
    /// The block under way, and to whom.
    block: Option<(Part, ExecutorId)>,
    flows: Vec<(NodeId, Device, FlowHandle)>,
    /// Flows that are not through.
    left: u32,
    /// Tries that failed, by block.
    failures: Vec<(Part, u32)>,
    stopped: bool,
}

/// All of a run.
#[derive(Debug, Default)]
pub(crate) struct CachedMigrations {
    threads: Vec<Copying>,
}

/// The leaving executor starts its thread.
pub(super) fn begin(sim: &mut Sim, id: ExecutorId) {
    sim.cached_migrations.threads.push(Copying { source: id, block: None, flows: Vec::new(), left: 0, failures: Vec::new(), stopped: false });
    let thread = sim.cached_migrations.threads.len() - 1;
    feed(sim, thread);
}

/// Whether a leaving executor has no cached block left to copy, or nobody to copy it to.
pub(super) fn is_done(sim: &Sim, id: ExecutorId) -> bool {
    sim.cached_migrations.threads.iter().all(|thread| thread.source != id || thread.stopped || thread.block.is_none() && next(sim, thread).is_none())
}

/// The next block that is still there and not given up.
fn next(sim: &Sim, thread: &Copying) -> Option<(Part, Place)> {
    let most = sim.plan.spec().spark.allocation.decommission.map_or(0, |conf| conf.max_failures_per_block);
    let given_up = |part: Part| thread.failures.iter().any(|(failed, times)| *failed == part && *times >= most);
    let here = |place: Place| matches!(place, Place::Memory(at) | Place::Disk(at) if at == thread.source);
    sim.driver.cache.iter().find(|&(stage, part, place)| here(place) && !given_up((stage, part))).map(|(stage, part, place)| ((stage, part), place))
}

/// Gives an idle thread its next blocks, until one takes time.
fn feed(sim: &mut Sim, thread: usize) {
    loop {
        let state = &sim.cached_migrations.threads[thread];
        if state.stopped || state.block.is_some() {
            return;
        }
        let (source, Some((part, place))) = (state.source, next(sim, state)) else { return };
        let tries = state.failures.iter().find(|(failed, _)| *failed == part).map_or(0, |(_, times)| *times);
        let Some(peer) = peer(sim, source, part, tries) else {
            sim.cached_migrations.threads[thread].stopped = true;
            return;
        };
        send(sim, thread, (part, place), peer);
        if sim.cached_migrations.threads[thread].left > 0 {
            return;
        }
        arrived(sim, thread);
    }
}

/// A peer for a block.
fn peer(sim: &Sim, source: ExecutorId, (stage, part): Part, tries: u32) -> Option<ExecutorId> {
    let takes = |(id, e): (ExecutorId, &crate::spark::executor::Executor)| (id != source && e.life == Life::Registered && !e.leaving).then_some(id);
    let peers: Vec<ExecutorId> = sim.executors.iter().filter_map(takes).collect();
    let entity = mix(mix(source.index() as u64, blocks::partition_id(stage, part)), u64::from(tries));
    (!peers.is_empty()).then(|| peers[sim.luck.stream(Purpose::CachedMigrationPeer, entity).below(peers.len() as u64) as usize])
}

/// Starts the flows of one block.
fn send(sim: &mut Sim, thread: usize, ((stage, part), place): (Part, Place), peer: ExecutorId) {
    let now = sim.now();
    let source = sim.cached_migrations.threads[thread].source;
    let bytes = blocks::size(sim, stage, part);
    let mut flows = Vec::new();
    if let (Some(from), Some(to)) = (sim.executors[source].node, sim.executors[peer].node) {
        let owner = FlowOwner::CachedMigration(thread as u32);
        let dir = blocks::dir_of(sim, source, Some(stage), part);
        if let Place::Disk(_) = place
            && let Some((carrier, disk)) = files::device_of(sim, source, dir)
        {
            let machine = &mut sim.machines[carrier];
            let missed = page_cache::missed(bytes, machine.files, machine.cache_room(now));
            if !missed.is_zero() {
                flows.push((carrier, Device::Disk(disk), machine.devices.add_read(now, disk, missed, owner)));
                sim.touch(carrier);
            }
        }
        if from != to {
            flows.push((from, Device::NicOut, sim.machines[from].devices.add_nic(now, Device::NicOut, bytes, owner)));
            flows.push((to, Device::NicIn, sim.machines[to].devices.add_nic(now, Device::NicIn, bytes, owner)));
        }
        sim.touch(from);
        sim.touch(to);
    }
    let state = &mut sim.cached_migrations.threads[thread];
    state.left = flows.len() as u32;
    state.flows = flows;
    state.block = Some(((stage, part), peer));
}

/// A flow of a thread is through.
pub(crate) fn on_flow_done(sim: &mut Sim, thread: u32) {
    let thread = thread as usize;
    let state = &mut sim.cached_migrations.threads[thread];
    state.left -= 1;
    if state.left == 0 {
        let source = state.source;
        arrived(sim, thread);
        feed(sim, thread);
        super::leave_if_done(sim, source);
    }
}

/// A block has arrived: its peer stores it, if it can.
fn arrived(sim: &mut Sim, thread: usize) {
    let state = &mut sim.cached_migrations.threads[thread];
    state.flows.clear();
    let source = state.source;
    let Some(((stage, part), peer)) = state.block.take() else { return };
    if !blocks::migrate(sim, source, peer, stage, part) {
        let failures = &mut sim.cached_migrations.threads[thread].failures;
        match failures.iter_mut().find(|(failed, _)| *failed == (stage, part)) {
            Some((_, times)) => *times += 1,
            None => failures.push(((stage, part), 1)),
        }
    }
}

/// An executor is no more: what it sent or received stops.
pub(crate) fn on_executor_gone(sim: &mut Sim, id: ExecutorId) {
    let now = sim.now();
    for thread in 0..sim.cached_migrations.threads.len() {
        let state = &mut sim.cached_migrations.threads[thread];
        let receives = state.block.is_some_and(|(_, peer)| peer == id);
        if state.stopped || state.source != id && !receives {
            continue;
        }
        state.stopped = state.source == id;
        (state.left, state.block) = (0, None);
        let source = state.source;
        for (node, device, flow) in std::mem::take(&mut state.flows) {
            sim.machines[node].devices.cancel(now, device, flow);
            sim.touch(node);
        }
        if source != id {
            feed(sim, thread);
            super::leave_if_done(sim, source);
        }
    }
}

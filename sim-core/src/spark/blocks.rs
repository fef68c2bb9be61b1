//! Blocks of storage memory in a run: cached partitions and broadcast variables, their eviction and their loss.
//!
//! A cached partition is stored when its task ends, in the pool of its level; what does not fit or is evicted goes to the local
//! directories, or, with `MEMORY_ONLY`, is dropped and computed again by its next reader, as is whatever an executor takes along
//! when it dies. A broadcast variable is held twice by each executor, as serialised pieces and as the value (`TorrentBroadcast`
//! puts both into storage memory, `MEMORY_AND_DISK`), until its job ends; an evicted value stays in the heap, because tasks refer to
//! it. Assumptions: readers run where their blocks are; writing an evicted block takes the disk's time but no task's; its file is as
//! large as the block; a value is read from its pieces at no cost. Source: MEM-12, MEM-13, 2.8; `BlockManager`, `TorrentBroadcast`.

use crate::ids::{ExecutorId, StageId, TaskId};
use crate::kernel::IdVec;
use crate::linux::cgroup::Charge;
use crate::plan::{Carrier, SimPlan};
use crate::sim::Sim;
use crate::spark::driver::StageState;
use crate::spark::local_dir;
use crate::spark::scratch::{self, Stored};
use crate::spark::storage_pool::Block;
use crate::spark::task::{self, demand::Demand, demand::UNCOMPRESSED};
use crate::spark::task_memory_manager::MemoryMode;
use crate::spec::{InputSource, StorageLevel};
use crate::units::Bytes;

/// Where a cached partition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not computed yet, dropped, or lost.
    Nowhere,
    /// In an executor's storage memory.
    Memory(ExecutorId),
    /// In an executor's local directories.
    Disk(ExecutorId),
}

/// The driver's register of cached partitions, by the stage that caches them.
#[derive(Debug)]
pub(crate) struct CacheMap {
    stages: Vec<(StageId, Vec<Place>)>,
}

impl CacheMap {
    /// Nothing is cached yet.
    pub(crate) fn new(plan: &SimPlan, stages: &IdVec<StageId, StageState>) -> Self {
        let caches = |id: &StageId| !plan.spec().app.stages[id.index()].cached.is_zero();
        Self { stages: stages.ids().filter(caches).map(|id| (id, vec![Place::Nowhere; stages[id].tasks as usize])).collect() }
    }
    fn place_mut(&mut self, stage: StageId, partition: u32) -> Option<&mut Place> {
        let (_, places) = self.stages.iter_mut().find(|(id, _)| *id == stage)?;
        places.get_mut(partition as usize)
    }
    /// An executor is gone with all that it held.
    pub(crate) fn forget(&mut self, gone: ExecutorId) {
        for place in self.stages.iter_mut().flat_map(|(_, places)| places) {
            if matches!(*place, Place::Memory(at) | Place::Disk(at) if at == gone) {
                *place = Place::Nowhere;
            }
        }
    }
    /// All places with their stage and partition.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (StageId, u32, Place)> {
        self.stages.iter().flat_map(|(stage, places)| places.iter().enumerate().map(|(p, place)| (*stage, p as u32, *place)))
    }
}

/// What a task reads of cached rows beside what is in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct CachedInput {
    /// Parts of its input that are in an executor's local directories, by their partition.
    pub(crate) on_disk: Vec<(ExecutorId, u32, f64)>,
    /// The stage that cached the rows, and its partitions that have to be computed again.
    pub(crate) lost: Vec<u32>,
    pub(crate) source: Option<StageId>,
    /// Storage input and compressed shuffle bytes that computing them again reads.
    pub(crate) input: Bytes,
    pub(crate) read: Bytes,
}

/// Identifies a cached partition.
pub(crate) fn partition_id(stage: StageId, partition: u32) -> u64 {
    (stage.index() as u64) << 34 | u64::from(partition) << 2
}
const PIECES: u64 = 1;
const VALUE: u64 = 2;
fn broadcast_id(stage: StageId, what: u64) -> u64 {
    (stage.index() as u64) << 34 | what
}

/// Looks where a task's cached input is, marks its blocks as used, and adds the work of computing lost ones again to its demand.
pub(crate) fn plan_read(sim: &mut Sim, stage: StageId, partition: u32, demand: &mut Demand) -> Option<Box<CachedInput>> {
    let plan = sim.plan;
    let app = &plan.spec().app;
    let source = plan.cache_source[stage.index()].filter(|_| app.stages[stage.index()].input == InputSource::Cached)?;
    let (readers, parts) = (u64::from(sim.driver.stages[stage].tasks), u64::from(sim.driver.stages[source].tasks));
    let first = u64::from(partition) * parts / readers;
    let range = first..((u64::from(partition) + 1) * parts / readers).max(first + 1);
    let mut input = CachedInput { source: Some(source), ..CachedInput::default() };
    let each = 1.0 / range.clone().count() as f64;
    for part in range.map(|p| p as u32) {
        match sim.driver.cache.place_mut(source, part).map_or(Place::Nowhere, |place| *place) {
            Place::Memory(at) => {
                sim.executors[at].pool(mode(plan, source)).touch_block(partition_id(source, part));
            }
            Place::Disk(at) => input.on_disk.push((at, part, each)),
            Place::Nowhere => {
                let state = &sim.driver.stages[source];
                let work = Demand::new(&app.stages[source.index()].work, state.part(part), state.partitions(), &sim.day, &plan.spec().spark.shuffle);
                demand.cpu += work.cpu;
                demand.allocated += work.allocated;
                input.input += work.input;
                input.read += work.read;
                input.lost.push(part);
            }
        }
    }
    (!input.on_disk.is_empty() || !input.lost.is_empty()).then(|| Box::new(input))
}

fn mode(plan: &SimPlan, stage: StageId) -> MemoryMode {
    match plan.spec().app.stages[stage.index()].memory.storage_level {
        StorageLevel::OffHeap => MemoryMode::OffHeap,
        StorageLevel::MemoryAndDisk | StorageLevel::MemoryOnly => MemoryMode::OnHeap,
    }
}

/// A task has ended well: its partition of a cached RDD is stored, and those of its input that it computed again.
pub(crate) fn store_results(sim: &mut Sim, id: TaskId) {
    let plan = sim.plan;
    let run = &sim.tasks[id];
    let (stage, partition, executor) = (run.stage, run.partition, run.executor);
    if !plan.spec().app.stages[stage.index()].cached.is_zero() {
        store(sim, executor, stage, partition);
    }
    if let Some(input) = sim.tasks[id].cached.take() {
        for (source, part) in input.source.into_iter().flat_map(|source| input.lost.iter().map(move |part| (source, *part))) {
            store(sim, executor, source, part);
        }
    }
}

/// Size of a cached partition.
pub(crate) fn size(sim: &Sim, stage: StageId, partition: u32) -> Bytes {
    let share = sim.driver.stages[stage].shares[partition as usize];
    sim.plan.spec().app.stages[stage.index()].cached.scale(share * sim.day.volume * sim.day.expansion)
}

/// A copy of a partition that is cached at `from` has come to `to`, which stores it or not; if it does, the old one leaves memory.
pub(crate) fn migrate(sim: &mut Sim, from: ExecutorId, to: ExecutorId, stage: StageId, partition: u32) -> bool {
    let Some(before) = sim.driver.cache.place_mut(stage, partition).map(|place| *place) else { return true };
    if before != Place::Memory(from) && before != Place::Disk(from) {
        // It has been evicted or computed elsewhere meanwhile.
        return true;
    }
    store(sim, to, stage, partition);
    let stored = sim.driver.cache.place_mut(stage, partition).is_some_and(|place| *place != Place::Nowhere);
    if !stored {
        if let Some(place) = sim.driver.cache.place_mut(stage, partition) {
            *place = before;
        }
        return false;
    }
    let mode = mode(sim.plan, stage);
    sim.executors[from].pool(mode).drop_block(partition_id(stage, partition));
    task::off_heap(sim, from);
    true
}

fn store(sim: &mut Sim, executor: ExecutorId, stage: StageId, partition: u32) {
    let plan = sim.plan;
    let spec = &plan.spec().app.stages[stage.index()];
    let bytes = size(sim, stage, partition);
    let block = Block { id: partition_id(stage, partition), rdd: Some(stage.index() as u32), bytes };
    let stored = sim.executors[executor].pool(mode(plan, stage)).store_block(block);
    let place = match spec.memory.storage_level {
        _ if stored => Place::Memory(executor),
        StorageLevel::MemoryOnly => Place::Nowhere,
        StorageLevel::MemoryAndDisk | StorageLevel::OffHeap => write_to_disk(sim, executor, (stage, partition), bytes),
    };
    if let Some(known) = sim.driver.cache.place_mut(stage, partition) {
        *known = place;
    }
    evicted(sim, executor);
    task::off_heap(sim, executor);
}

/// Takes notice of what execution or other blocks have evicted.
pub(crate) fn evicted(sim: &mut Sim, executor: ExecutorId) {
    for mode in [MemoryMode::OnHeap, MemoryMode::OffHeap] {
        let pool = sim.executors[executor].pool(mode);
        if pool.has_evicted() {
            let gone: Vec<Block> = pool.take_evicted_blocks().collect();
            gone.iter().for_each(|block| block_evicted(sim, executor, block));
        }
    }
}

fn block_evicted(sim: &mut Sim, executor: ExecutorId, block: &Block) {
    let stage = StageId::new((block.id >> 34) as u32);
    match block.id & 3 {
        PIECES => {}
        VALUE => sim.executors[executor].broadcast += block.bytes,
        _ => {
            let keeps = sim.plan.spec().app.stages[stage.index()].memory.storage_level != StorageLevel::MemoryOnly;
            // A copy that another executor has made meanwhile is the one that is known.
            let partition = (block.id >> 2) as u32;
            if sim.driver.cache.place_mut(stage, partition).is_none_or(|place| *place != Place::Memory(executor)) {
                return;
            }
            let now_at = if keeps { write_to_disk(sim, executor, (stage, partition), block.bytes) } else { Place::Nowhere };
            if let Some(place) = sim.driver.cache.place_mut(stage, partition) {
                *place = now_at;
            }
        }
    }
}

/// The directory of a cached partition in an executor's scratch.
pub(crate) fn dir_of(sim: &Sim, executor: ExecutorId, stage: Option<StageId>, partition: u32) -> usize {
    let scratch = &sim.plan.executor.scratch;
    let rdd = stage.map_or(0, StageId::index);
    if scratch.several { task::files::ordered(sim, executor, local_dir::of_cached(rdd, partition, scratch.dirs.len())) } else { 0 }
}

/// A block goes to a local directory, at once on tmpfs, by write-back on disk, and tells where it is then. One that finds no room on a
/// disk or a claim is nowhere: the next reader makes it again.
fn write_to_disk(sim: &mut Sim, executor: ExecutorId, (stage, partition): (StageId, u32), bytes: Bytes) -> Place {
    let now = sim.now();
    let dir = dir_of(sim, executor, Some(stage), partition);
    let on_disk = sim.plan.executor.scratch.dirs[dir].carrier != Carrier::Tmpfs;
    if let Some(node) = sim.executors[executor].node.filter(|_| on_disk)
        && task::files::room(sim, executor, node, dir).0 < bytes
    {
        return Place::Nowhere;
    }
    let files = Stored::at(&sim.plan.executor.scratch, dir, bytes);
    let host = &mut sim.executors[executor];
    host.cached_files += &files;
    host.note_scratch();
    let (Some(node), Some(slot)) = (host.node, host.slot) else { return Place::Disk(executor) };
    sim.machines[node].memory.charge(slot, Charge::Shmem, files.tmpfs);
    scratch::put(sim, executor, node, &files);
    if let Some((carrier, disk)) = task::files::device_of(sim, executor, dir).filter(|_| !files.disk.is_zero()) {
        sim.machines[carrier].write_back(now, disk, files.disk, Some(slot).filter(|_| carrier == node));
        sim.touch(carrier);
    }
    sim.touch(node);
    Place::Disk(executor)
}

/// The first task of a stage on an executor brings the stage's broadcast variables.
pub(crate) fn hold_broadcast(sim: &mut Sim, executor: ExecutorId, stage: StageId) {
    let bytes = sim.plan.spec().app.stages[stage.index()].broadcast;
    let host = &mut sim.executors[executor];
    if bytes.is_zero() || host.broadcasts.contains(&stage) {
        return;
    }
    host.broadcasts.push(stage);
    let pieces = bytes.scale(1.0 / UNCOMPRESSED);
    host.memory.store_block(Block { id: broadcast_id(stage, PIECES), rdd: None, bytes: pieces });
    if !host.memory.store_block(Block { id: broadcast_id(stage, VALUE), rdd: None, bytes }) {
        host.broadcast += bytes;
    }
    evicted(sim, executor);
}

/// A job has ended: nobody refers to the broadcast variables of stages that no running job has.
pub(crate) fn drop_broadcasts(sim: &mut Sim) {
    let (plan, jobs) = (sim.plan, &sim.driver.jobs);
    let needed = |stage: StageId| jobs.iter().zip(&plan.spec().app.jobs).any(|(state, job)| state.is_running() && job.stages.contains(&stage.index()));
    for (_, host) in sim.executors.iter_mut() {
        for stage in host.broadcasts.extract_if(.., |stage| !needed(*stage)) {
            host.memory.drop_block(broadcast_id(stage, PIECES));
            if host.memory.drop_block(broadcast_id(stage, VALUE)).is_zero() {
                host.broadcast -= plan.spec().app.stages[stage.index()].broadcast;
            }
        }
    }
}

//! An executor's life: bound, started, registered, dead, gone.
//!
//! How it starts is in [`super::start`]. A memory death ends all its tasks at once and frees its anonymous
//! memory; tmpfs files stay charged until the volumes are torn down (6.4, ED-8, ED-9); the driver and the scheduler learn of it later (DT-1), and only then are
//! its map outputs unregistered and a replacement asked for. Between the two, reducers that need its files
//! retry in vain (FF-1). With an external shuffle service the files belong to the node and outlive it.

use crate::cluster::{self, daemons};
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId, PodSlot, ShuffleId, StageId, TaskId};
use crate::kernel::{IdVec, Purpose};
use crate::plan::Announced;
use crate::record::{Cause, Incident, Level, Party};
use crate::shown::shown;
use crate::sim::Sim;
use crate::spark::claims::{PodClaims, reuse};
use crate::spark::decommission::{cached, migration};
use crate::spark::jvm;
use crate::spark::python::Workers;
use crate::spark::resize::Growth;
use crate::spark::roll::Work;
use crate::spark::scratch::Stored;
use crate::spark::start::{self, Start};
use crate::spark::task_memory_manager::MemoryMode;
use crate::spark::unified_memory::UnifiedMemory;
use crate::spark::{allocator, driver, push_merge, task};
use crate::spec::Platform;
use crate::units::{Bytes, SimSpan, SimTime};

/// Where an executor is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Waits for a node.
    Pending,
    /// Has a node; its process is not up yet.
    Bound,
    /// Its process is up; it has not registered.
    Starting,
    /// Takes tasks.
    Registered,
    /// Dead, and the driver does not know yet.
    Dead,
    /// Dead, and everyone knows.
    Gone,
}

/// An executor at run time.
#[derive(Debug)]
pub(crate) struct Executor {
    pub(crate) life: Life,
    pub(crate) node: Option<NodeId>,
    pub(crate) slot: Option<PodSlot>,
    /// Cores and slots that it registers with, fixed when its pod is made.
    pub(crate) announced: Announced,
    /// Execution and storage memory in the heap.
    pub(crate) memory: UnifiedMemory,
    /// The same off-heap; of no size unless `spark.memory.offHeap.enabled` (MEM-8).
    pub(crate) native: UnifiedMemory,
    pub(crate) running: Vec<TaskId>,
    /// Tasks that wait for execution memory (MEM-21).
    pub(crate) blocked: Vec<TaskId>,
    /// Tasks that died with it, for the driver to hear of.
    pub(crate) lost: Vec<task::Attempt>,
    /// How its memory limit has grown.
    pub(crate) growth: Growth,
    /// What its attempts add up to; kept for the plugin that replaces executors only.
    pub(crate) work: Work,
    /// When its process started.
    pub(crate) started_at: Option<SimTime>,
    /// When it registered.
    pub(crate) registered_at: Option<SimTime>,
    /// That it vanished, and when the driver gives it up.
    pub(crate) silent: Option<SimTime>,
    /// What it died of.
    pub(crate) cause: Option<Cause>,
    /// Whether the driver ended it: then nobody is to blame.
    pub(crate) dismissed: bool,
    /// Share of the heap that the young generation may touch.
    pub(crate) young_share: f64,
    /// Its start, while it is under way.
    pub(crate) start: Option<Start>,
    /// Non-heap memory that its tasks will bring.
    pub(crate) to_come: jvm::ToCome,
    /// Bytes allocated in the heap since the JVM started, steps that are under way included.
    pub(crate) allocated: Bytes,
    /// The part of the young generation that was walked through.
    pub(crate) young: Bytes,
    /// Execution memory that tasks acquired in the heap and that the heap could not hold (MEM-31).
    pub(crate) unused: Bytes,
    /// Heap that the running steps will have touched at their ends: the sum over their ramps.
    pub(crate) touching: Bytes,
    /// Live objects of tasks outside managed memory.
    pub(crate) unmanaged: Bytes,
    /// States of aggregates among them.
    pub(crate) states: Bytes,
    /// States of tasks that have ended, which stay in the old generation until it is marked.
    pub(crate) dead_states: Bytes,
    /// Values of broadcast variables that tasks refer to and that are not in storage memory.
    pub(crate) broadcast: Bytes,
    /// Stages whose broadcast variables it holds.
    pub(crate) broadcasts: Vec<StageId>,
    /// Off-heap memory charged.
    pub(crate) off_heap: Bytes,
    /// Fetch buffers in use, and their high-water mark: pooled arenas do not shrink (FR-3).
    pub(crate) direct: Bytes,
    pub(crate) direct_peak: Bytes,
    /// Python or R workers.
    pub(crate) workers: Workers,
    /// Map outputs by shuffle, registered or not.
    pub(crate) outputs: IdVec<ShuffleId, Stored>,
    /// Cached blocks in the local directories.
    pub(crate) cached_files: Stored,
    /// Spills and temporary outputs.
    pub(crate) temporary: Stored,
    pub(crate) scratch_peak: Bytes,
    /// Scratch at the kubelet's last volume statistics.
    pub(crate) disk_stats: Stored,
    /// Its claims, and what comes after them.
    pub(crate) claims: PodClaims,
    /// Whether a task has run here: the first ones load classes (8.5).
    pub(crate) warm: bool,
    /// When it was asked for.
    pub(crate) created_at: SimTime,
    /// When the allocator sees its pod (AL-1).
    pub(crate) seen_at: SimTime,
    /// Since when it has no task; kept under dynamic allocation only.
    pub(crate) idle_since: Option<SimTime>,
    /// Whether it takes no more tasks, because it is going to leave.
    pub(crate) leaving: bool,
    /// Whether its pod is being deleted, so that another is asked for.
    pub(crate) terminating: bool,
    /// Files of executors before it in the same pod or on the same claim, which nobody reads.
    pub(crate) garbage: Stored,
    /// Restarts of its container in a row.
    pub(crate) restarts: u32,
    /// Whether it is dead and its container will start again as another executor.
    pub(crate) restarts_in_place: bool,
    /// Whether another executor lives in its pod.
    pub(crate) succeeded: bool,
}

impl Executor {
    /// A new executor that waits for a node.
    pub(crate) fn new(sim: &Sim, id: ExecutorId) -> Self {
        let plan = sim.plan;
        let young = &plan.spec().uncertainty.heap_young_share;
        let now = sim.now();
        let seen = sim.luck.draw(&plan.spec().uncertainty.pod_acknowledged_s, Purpose::PodAcknowledged, id.index() as u64).max(0.0);
        let announced = if sim.allocator.recovery { plan.executor.recovery } else { plan.executor.usual };
        let mut outputs = IdVec::new();
        for _ in &plan.spec().app.shuffles {
            outputs.push(Stored::NONE);
        }
        Self {
            life: Life::Pending,
            node: None,
            slot: None,
            announced,
            memory: plan.executor.unified_memory(),
            native: plan.executor.native_memory(),
            running: Vec::with_capacity(announced.slots as usize),
            blocked: Vec::new(),
            lost: Vec::new(),
            growth: Growth::default(),
            work: Work::default(),
            started_at: None,
            registered_at: None,
            silent: None,
            cause: None,
            dismissed: false,
            young_share: sim.luck.draw(young, Purpose::HeapYoungShare, 0).clamp(0.05, 1.0),
            start: None,
            to_come: jvm::ToCome::default(),
            allocated: jvm::STARTED,
            young: Bytes::ZERO,
            unused: Bytes::ZERO,
            touching: Bytes::ZERO,
            unmanaged: Bytes::ZERO,
            states: Bytes::ZERO,
            dead_states: Bytes::ZERO,
            broadcast: Bytes::ZERO,
            broadcasts: Vec::new(),
            off_heap: Bytes::ZERO,
            direct: Bytes::ZERO,
            direct_peak: Bytes::ZERO,
            workers: Workers::default(),
            outputs,
            cached_files: Stored::NONE,
            temporary: Stored::NONE,
            scratch_peak: Bytes::ZERO,
            disk_stats: Stored::NONE,
            claims: PodClaims::new(now),
            warm: false,
            created_at: now,
            seen_at: now + SimSpan::from_secs_f64(seen),
            idle_since: None,
            leaving: false,
            terminating: false,
            garbage: Stored::NONE,
            restarts: 0,
            restarts_in_place: false,
            succeeded: false,
        }
    }

    /// Live heap: base + blocks + managed pages + unmanaged objects + broadcasts beside the blocks (JH-1).
    pub(crate) fn live_heap(&self) -> Bytes {
        let managed = self.memory.storage_used() + self.memory.execution_used();
        jvm::BASE_LIVE + managed.saturating_sub(self.unused) + self.unmanaged + self.broadcast
    }

    /// The pools of a memory mode.
    pub(crate) fn pool(&mut self, mode: MemoryMode) -> &mut UnifiedMemory {
        match mode {
            MemoryMode::OnHeap => &mut self.memory,
            MemoryMode::OffHeap => &mut self.native,
        }
    }

    /// All scratch files.
    pub(crate) fn scratch(&self) -> Stored {
        let mut all = self.temporary.clone();
        self.other_files().for_each(|files| all += files);
        all
    }

    /// Scratch files in one directory.
    pub(crate) fn in_dir(&self, dir: usize) -> Bytes {
        self.temporary.in_dir(dir) + self.other_files().map(|files| files.in_dir(dir)).sum()
    }

    fn other_files(&self) -> impl Iterator<Item = &Stored> {
        [&self.cached_files, &self.garbage].into_iter().chain(self.outputs.values())
    }

    /// Notes the scratch peak.
    pub(crate) fn note_scratch(&mut self) {
        let all = self.temporary.sum() + self.other_files().map(Stored::sum).sum();
        self.scratch_peak = self.scratch_peak.max(all);
    }

    /// Whether its process exists.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.life, Life::Starting | Life::Registered)
    }

    /// Free task slots.
    pub(crate) fn free_slots(&self) -> u32 {
        if self.life == Life::Dead && self.silent.is_some() && self.registered_at.is_some() && !self.leaving {
            // The driver does not know.
            return self.announced.slots.saturating_sub(self.lost.len() as u32);
        }
        if self.life == Life::Registered && !self.leaving { self.announced.slots - self.running.len() as u32 } else { 0 }
    }
}

/// What killed an executor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    pub(crate) cause: Cause,
    pub(crate) level: Level,
    pub(crate) used: Bytes,
    pub(crate) limit: Bytes,
}

/// The executor's processes are gone, now.
pub(crate) fn die(sim: &mut Sim, id: ExecutorId, death: Death) {
    let now = sim.now();
    let executor = &sim.executors[id];
    let Some(node) = executor.node else { return };
    if matches!(executor.life, Life::Dead | Life::Gone | Life::Pending) {
        return;
    }
    sim.show_memory(node, now);
    record(sim, id, node, death);
    kill(sim, id, death.cause);
}

/// The processes of an executor that has some get SIGKILL: tasks are cut off, anonymous memory is free, fetches break, volumes go
/// later. What follows any death, without an incident.
pub(crate) fn kill(sim: &mut Sim, id: ExecutorId, cause: Cause) {
    let now = sim.now();
    let (Some(node), Some(slot)) = (sim.executors[id].node, sim.executors[id].slot) else { return };
    reuse::on_leaving(sim, id);
    for task in std::mem::take(&mut sim.executors[id].running) {
        let lost = task::abort_at_death(sim, task);
        sim.executors[id].lost.push(lost);
    }
    let executor = &mut sim.executors[id];
    executor.life = Life::Dead;
    executor.cause = Some(cause);
    executor.blocked.clear();
    sim.driver.cache.forget(id);
    start::cut_off(sim, id);
    let v = sim.machines[node].v(now);
    sim.machines[node].memory.container_died(slot, v);
    sim.touch(node);
    migration::on_executor_gone(sim, id);
    push_merge::on_executor_gone(sim, id);
    cached::on_executor_gone(sim, id);
    if !sim.plan.spec().spark.shuffle.service {
        task::break_fetches(sim, id);
    }
    let seen = sim.luck.draw(&sim.plan.spec().uncertainty.death_detection_s, Purpose::DeathDetection, id.index() as u64).max(0.0);
    sim.after(SimSpan::from_secs_f64(seen), Event::ExecutorLossSeen(id));
    if allocator::restart::schedule(sim, id, cause) {
        return;
    }
    let teardown = match sim.plan.spec().cluster.platform {
        Platform::Bare => sim.plan.spec().spark.kubernetes.replace_delay,
        Platform::Kubernetes | Platform::Yarn | Platform::Standalone => {
            SimSpan::from_secs_f64(sim.luck.draw(&sim.plan.spec().cluster.kubelet.teardown_s, Purpose::Teardown, id.index() as u64))
        }
    };
    sim.after(teardown, Event::VolumesTornDown(id));
}

fn record(sim: &mut Sim, id: ExecutorId, node: NodeId, death: Death) {
    let now = sim.now();
    let victim = Party::Executor(id.index() as u32 + 1);
    let slot = sim.executors[id].slot;
    let holders = sim.holders(node, if death.level == Level::Pod || death.level == Level::Heap { slot } else { None });
    let machine = &sim.machines[node];
    let node_memory = machine.memory.node_level(machine.v(now));
    let stage = sim.driver.running_stage();
    sim.observer.killed(now, id.index() as u32 + 1, node.index() as u32, death.cause);
    sim.tally.died(Incident {
        at: now,
        cause: death.cause,
        level: death.level,
        shown: shown(sim.plan.spec(), &victim, death.cause, death.level),
        victim,
        node: node.index() as u32,
        stage,
        used: death.used,
        limit: death.limit,
        node_memory,
        holders,
    });
}

/// Driver and scheduler learn of the death.
pub(crate) fn on_loss_seen(sim: &mut Sim, id: ExecutorId) {
    // The kubelet tells of a container's end.
    if sim.executors[id].node.is_some_and(|node| daemons::waits_for_agents(sim, node, Event::ExecutorLossSeen(id))) {
        return;
    }
    sim.executors[id].life = Life::Gone;
    allocator::recovery::on_failed(sim, id);
    reuse::free_if_known(sim, id);
    driver::failures::on_executor_lost(sim, id);
    if sim.ending.is_none() && sim.plan.spec().cluster.platform != Platform::Bare {
        allocator::wake_if_missing(sim);
        cluster::pods_changed(sim);
    }
}

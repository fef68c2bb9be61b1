//! What a run notes as it goes, and the outcome made of it.
//!
//! Peaks are taken where levels can fall (a release, a death) and once at the end, so none is missed between two events.
//! Bytes and failures are booked on the stage that they belong to; a death on the earliest stage that runs. Holders at a death
//! are ranked by class and owner under the limit that was met, ramps included, so that without swap they add up to what the limit saw.

use crate::cluster::daemons::Daemon;
use crate::ids::{NodeId, PodSlot, StageId};
use crate::linux::cgroup::Charge;
use crate::linux::oom;
use crate::machine::Owner;
use crate::plan::SimPlan;
use crate::record::{Ending, Holder, Incident, MemoryClass, Outcome, Party, StageRecord, Truncation};
use crate::sim::{RunKey, Sim};
use crate::units::{Bytes, SimTime};

/// Notes of one run.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) hash: u64,
    incidents: Vec<Incident>,
    executors_lost: u32,
    executors_pending: u32,
    executors_injected: u32,
    before_shuffle: Option<Bytes>,
    pod_peak: Bytes,
    swap_out: Bytes,
    stages: Vec<StageRecord>,
}

impl Tally {
    pub(crate) fn new(plan: &SimPlan) -> Self {
        Self {
            events: 0,
            hash: 0,
            incidents: Vec::new(),
            executors_lost: 0,
            executors_pending: 0,
            executors_injected: 0,
            before_shuffle: None,
            pod_peak: Bytes::ZERO,
            swap_out: Bytes::ZERO,
            stages: vec![StageRecord::default(); plan.spec().app.stages.len()],
        }
    }
    /// An executor died.
    pub(crate) fn died(&mut self, incident: Incident) {
        self.executors_lost += 1;
        if let Some(stage) = incident.stage {
            self.stages[stage as usize].deaths += 1;
        }
        self.incidents.push(incident);
    }
    /// How many incidents there are so far.
    pub(crate) const fn incidents(&self) -> usize {
        self.incidents.len()
    }
    /// A neighbour or the driver died.
    pub(crate) fn incident(&mut self, incident: Incident) {
        self.incidents.push(incident);
    }
    /// Scratch was full; noted once an instant and executor.
    pub(crate) fn full(&mut self, incident: Incident) {
        let again = |noted: &Incident| noted.at == incident.at && noted.cause == incident.cause && noted.victim == incident.victim;
        if !self.incidents.last().is_some_and(again) {
            self.incidents.push(incident);
        }
    }
    /// So many executors wait for a node after a placement round.
    pub(crate) fn pending(&mut self, waiting: u32) {
        self.executors_pending = self.executors_pending.max(waiting);
    }
    pub(crate) fn pod_peak(&mut self, peak: Bytes) {
        self.pod_peak = self.pod_peak.max(peak);
    }
    /// A stage attempt started; the first that writes a shuffle notes the memory before it.
    pub(crate) fn stage_started(&mut self, stage: StageId, now: SimTime, writes_shuffle: bool, fullest: Bytes) {
        let record = &mut self.stages[stage.index()];
        if record.attempts == 0 {
            record.started = now;
        }
        record.attempts += 1;
        if writes_shuffle {
            self.before_shuffle.get_or_insert(fullest);
        }
    }
    pub(crate) fn stage_ended(&mut self, stage: StageId, now: SimTime) {
        self.stages[stage.index()].ended = now;
    }
    /// A task ended well; how many of its stage have by now.
    pub(crate) fn task_ok(&mut self, stage: StageId, written: Bytes) -> u32 {
        let record = &mut self.stages[stage.index()];
        record.tasks_ok += 1;
        record.shuffle_write += written;
        record.tasks_ok
    }
    /// An executor was killed because the user asked for it.
    pub(crate) fn injected(&mut self) {
        self.executors_injected += 1;
    }
    /// Pages went to swap.
    pub(crate) fn swapped_out(&mut self, bytes: Bytes) {
        self.swap_out += bytes;
    }
    pub(crate) fn task_failed(&mut self, stage: StageId) {
        self.stages[stage.index()].tasks_failed += 1;
    }
    /// A task attempt failed with `SparkOutOfMemoryError`.
    pub(crate) fn task_oom(&mut self, stage: StageId) {
        self.stages[stage.index()].task_ooms += 1;
    }
    pub(crate) fn resubmitted(&mut self, stage: StageId, tasks: u32) {
        self.stages[stage.index()].tasks_resubmitted += tasks;
    }
    pub(crate) fn read(&mut self, stage: StageId, bytes: Bytes) {
        self.stages[stage.index()].shuffle_read += bytes;
    }
    /// A spill that freed so much memory and wrote a file of so many bytes.
    pub(crate) fn spilled(&mut self, stage: StageId, memory: Bytes, bytes: Bytes) {
        let record = &mut self.stages[stage.index()];
        record.spill_memory += memory;
        record.spill += bytes;
        record.spills += 1;
    }

    /// The outcome of a run that has ended.
    pub(crate) fn outcome(sim: &mut Sim, key: RunKey) -> Outcome {
        sim.note_last_peaks();
        let tally = &mut sim.tally;
        let scratch = sim.executors.values().map(|e| e.scratch_peak).max().unwrap_or(Bytes::ZERO);
        let node_peak = sim.machines.values().map(|m| m.memory.peak).max().unwrap_or(Bytes::ZERO);
        Outcome {
            replication: key.replication,
            ending: sim.ending.unwrap_or(Ending::Truncated(Truncation::Events)),
            duration: sim.calendar.now().since(SimTime::ZERO),
            incidents: std::mem::take(&mut tally.incidents),
            executors_lost: tally.executors_lost,
            executors_pending: tally.executors_pending,
            executors_injected: tally.executors_injected,
            node_peak,
            node_before_shuffle: tally.before_shuffle.unwrap_or(node_peak),
            pod_peak: tally.pod_peak,
            scratch_peak: scratch,
            shuffle_write: tally.stages.iter().map(|s| s.shuffle_write).sum(),
            spill: tally.stages.iter().map(|s| s.spill).sum(),
            task_ooms: tally.stages.iter().map(|s| s.task_ooms).sum(),
            swap_out: tally.swap_out,
            stages: std::mem::take(&mut tally.stages),
            events: tally.events,
            event_hash: tally.hash,
        }
    }
}

impl Sim<'_, '_> {
    /// Takes the peaks that no later decrease will take.
    fn note_last_peaks(&mut self) {
        let now = self.calendar.now();
        for (_, machine) in self.machines.iter_mut() {
            let v = machine.v(now);
            // A node without pods has a peak too: the system's memory.
            machine.memory.note_node_peak(v);
            for index in 0..machine.memory.pods.len() {
                if machine.memory.pods[index].open {
                    machine.memory.note_peaks(PodSlot::new(index as u32), v);
                }
            }
        }
        for (_, executor) in self.executors.iter_mut() {
            executor.note_scratch();
        }
        // A dead executor's slot may have gone to a neighbour that came later.
        let peak = |node: NodeId, slot: PodSlot| {
            let machine = &self.machines[node];
            matches!(machine.owners[slot.index()], Owner::Executor(_)).then(|| machine.memory.pods[slot.index()].peak)
        };
        let peaks: Vec<Bytes> = self.executors.values().filter_map(|e| peak(e.node?, e.slot?)).collect();
        peaks.into_iter().for_each(|peak| self.tally.pod_peak(peak));
    }

    /// Anonymous + shmem memory of the fullest node now.
    pub(crate) fn fullest_node_memory(&self) -> Bytes {
        let now = self.now();
        self.machines.values().map(|m| m.memory.node_level(m.v(now)).min(m.memory.usable_on_node())).max().unwrap_or(Bytes::ZERO)
    }

    /// Who holds how much on a node (or in one pod), largest first.
    pub(crate) fn holders(&self, node: NodeId, only: Option<PodSlot>) -> Vec<Holder> {
        let machine = &self.machines[node];
        let v = machine.v(self.now());
        let mut holders = Vec::new();
        if only.is_none() {
            let system = machine.memory.classes(v, Bytes::ZERO)[MemoryClass::System as usize];
            let daemons = machine.daemons.iter().filter(|daemon| !daemon.held().is_zero());
            let named = |daemon: &Daemon| Party::Daemon(self.plan.spec().cluster.daemons[daemon.spec as usize].name.clone());
            holders.extend(daemons.clone().map(|daemon| Holder { party: named(daemon), class: MemoryClass::System, bytes: daemon.held() }));
            holders.push(Holder { party: Party::System, class: MemoryClass::System, bytes: system - daemons.map(Daemon::held).sum() });
        }
        for index in (0..machine.memory.pods.len()).filter(|&i| machine.memory.pods[i].open) {
            let slot = PodSlot::new(index as u32);
            if only.is_some_and(|only| only != slot) {
                continue;
            }
            for charge in Charge::ALL {
                let bytes = machine.memory.held(slot, charge, v);
                if !bytes.is_zero() {
                    holders.push(Holder { party: oom::party(self, machine, slot), class: class_of(charge), bytes });
                }
            }
        }
        holders.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.party.cmp(&b.party)));
        holders
    }
}

const fn class_of(charge: Charge) -> MemoryClass {
    match charge {
        Charge::Heap => MemoryClass::Heap,
        Charge::NonHeap => MemoryClass::NonHeap,
        Charge::Python => MemoryClass::Python,
        Charge::Process => MemoryClass::Neighbour,
        Charge::Shmem => MemoryClass::Tmpfs,
    }
}

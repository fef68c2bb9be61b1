//! Push-based shuffle: map outputs are also pushed to shuffle services, which merge them by partition.
//!
//! The first attempt of a map stage takes nodes with executors as mergers, if there are enough. After a map task its executor pushes
//! the blocks that are small enough: each merger receives its range of partitions over the NIC and appends it to files on its local
//! disks. When the last map has ended the driver finalises: at once when enough pushes have ended, else after a timeout; at once and
//! without using the merged files when the shuffle is small. Children wait for that. What came too late is not merged, and a
//! task reads it from the original. Merged files are the node's: they outlive executors and go with the shuffle. Assumptions: blocks
//! of a map are alike; each map's lie in one directory of a merger, one map after the other in another one, where Spark hashes the
//! names of partitions' files (CM-3); an executor's death drops its pushes; a service dies only with its node, whose partitions are
//! then read from the originals. Source: 3.7; Spark's `ShuffleBlockPusher`, `RemoteBlockPushResolver`,
//! `YarnSchedulerBackend.getShufflePushMergerLocations`, `DAGScheduler.scheduleShuffleMergeFinalize`.

use crate::event::Event;
use crate::hardware::{Device, FlowOwner, page_cache};
use crate::ids::{ExecutorId, NodeId, ShuffleId, StageId};
use crate::kernel::{EventHandle, FlowHandle, IdVec, Purpose};
use crate::plan::{ScratchPlan, SimPlan};
use crate::sim::Sim;
use crate::spark::driver::failures;
use crate::spark::executor::Life;
use crate::spark::task::files;
use crate::spec::{PushConf, SinkSpec};
use crate::units::{Bytes, SimSpan};

/// What becomes of a shuffle's pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody merges it.
    Off,
    /// Pushes are taken.
    Open,
    /// All maps have ended and the driver waits.
    Ending,
    /// Merged files are what they are.
    Final,
}

/// A shuffle that is merged.
#[derive(Debug)]
pub(crate) struct Merge {
    state: State,
    mergers: Vec<NodeId>,
    /// Bytes of merged files by merger and there by directory, complete pushes or not.
    files: Vec<Bytes>,
    /// Maps whose push has begun.
    pushed: Vec<bool>,
    /// Pushes that have ended, well or not.
    ended: u32,
    /// Bytes of the maps that are merged.
    merged: Bytes,
    due: Option<EventHandle>,
}

/// What a reader finds merged of a shuffle, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Merged {
    pub(crate) shuffle: ShuffleId,
    pub(crate) node: NodeId,
    pub(crate) bytes: Bytes,
}

/// A map output on its way to all mergers.
#[derive(Debug)]
struct Push {
    shuffle: ShuffleId,
    from: ExecutorId,
    bytes: Bytes,
    flows: Vec<(NodeId, Device, FlowHandle)>,
    left: u32,
}

impl Merge {
    /// Merged files by node and directory.
    fn files<'a>(&'a self, scratch: &'a ScratchPlan) -> impl Iterator<Item = (NodeId, usize, Bytes)> + 'a {
        let dirs = scratch.dirs.len();
        self.files.iter().enumerate().map(move |(index, bytes)| (self.mergers[index / dirs], index % dirs, *bytes))
    }
}

/// All merging of a run.
#[derive(Debug, Default)]
pub(crate) struct Merges {
    shuffles: IdVec<ShuffleId, Merge>,
    pushes: Vec<Option<Push>>,
    /// Nodes that have vanished, shuffle services and all.
    lost: Vec<NodeId>,
}

impl Merges {
    /// Nothing merged yet; of no size without push-based shuffle.
    pub(crate) fn new(plan: &SimPlan, maps: impl Fn(usize) -> u32) -> Self {
        let mut shuffles = IdVec::new();
        let count = if plan.spec().spark.shuffle_storage.push.is_some() { plan.spec().app.shuffles.len() } else { 0 };
        for shuffle in 0..count {
            let pushed = vec![false; maps(shuffle) as usize];
            shuffles.push(Merge { state: State::Off, mergers: Vec::new(), files: Vec::new(), pushed, ended: 0, merged: Bytes::ZERO, due: None });
        }
        Self { shuffles, pushes: Vec::new(), lost: Vec::new() }
    }
    /// Whether readers of a shuffle wait for its merging.
    pub(crate) fn is_open(&self, shuffle: ShuffleId) -> bool {
        self.shuffles.get(shuffle).is_some_and(|merge| matches!(merge.state, State::Open | State::Ending))
    }
    /// Bytes of a shuffle that readers of a partition find merged, and where, if its merger is still there.
    pub(crate) fn merged(&self, shuffle: ShuffleId, partition: u32, partitions: u32) -> Option<Merged> {
        let merge = self.shuffles.get(shuffle).filter(|merge| merge.state == State::Final && !merge.merged.is_zero())?;
        let range = u64::from(partition) * merge.mergers.len() as u64 / u64::from(partitions.max(1));
        let node = merge.mergers[(range as usize).min(merge.mergers.len().checked_sub(1)?)];
        (!self.lost.contains(&node)).then_some(Merged { shuffle, node, bytes: merge.merged })
    }
    /// Whether the driver waits for a finalisation.
    pub(crate) fn is_about_to_act(&self) -> bool {
        self.shuffles.values().any(|merge| merge.state == State::Ending)
    }
    /// For the audit: merged files on a node, or on one of its disks.
    pub(crate) fn files_on(&self, scratch: &ScratchPlan, node: NodeId, disk: Option<u8>) -> Bytes {
        let here = |(at, dir, _): &(NodeId, usize, Bytes)| *at == node && disk.is_none_or(|disk| scratch.dirs[*dir].node_disk() == disk);
        self.shuffles.values().flat_map(|merge| merge.files(scratch)).filter(here).map(|(_, _, bytes)| bytes).sum()
    }
    /// Bytes that readers find merged.
    #[cfg(test)]
    pub(crate) fn merged_bytes(&self, shuffle: ShuffleId) -> Bytes {
        self.shuffles.get(shuffle).map_or(Bytes::ZERO, |merge| merge.merged)
    }
}

/// The first attempt of a map stage looks for mergers.
pub(crate) fn begin(sim: &mut Sim, shuffle: usize) {
    let plan = sim.plan;
    let Some(conf) = plan.spec().spark.shuffle_storage.push else { return };
    let id = ShuffleId::new(shuffle as u32);
    let spec = &plan.spec().app.shuffles[shuffle];
    if plan.spec().app.stages[spec.writer].barrier || sim.driver.merges.shuffles[id].state != State::Off {
        return;
    }
    let hosts = sim.executors.values().filter(|e| e.life == Life::Registered).filter_map(|e| e.node);
    let mut nodes: Vec<NodeId> = hosts.collect();
    nodes.sort_unstable();
    nodes.dedup();
    let wanted = mergers_wanted(&conf, spec.partitions, plan.executor.usual.slots);
    if nodes.is_empty() || nodes.len() < wanted.min(mergers_needed(&conf, wanted)) {
        return;
    }
    let first = sim.luck.stream(Purpose::ShuffleMergers, shuffle as u64).below(nodes.len() as u64) as usize;
    nodes.rotate_left(first);
    nodes.truncate(wanted);
    let merge = &mut sim.driver.merges.shuffles[id];
    (merge.state, merge.files, merge.mergers) = (State::Open, vec![Bytes::ZERO; nodes.len() * plan.executor.scratch.dirs.len()], nodes);
}

/// As many mergers as executors would run all reducers at once, at most as many as there can be executors.
fn mergers_wanted(conf: &PushConf, partitions: u32, slots: u32) -> usize {
    partitions.div_ceil(slots.max(1)).max(1).min(conf.max_executors.max(1)) as usize
}
/// Fewer than wanted are enough if they are so many.
fn mergers_needed(conf: &PushConf, wanted: usize) -> usize {
    (conf.mergers_min_static as usize).max((wanted as f64 * conf.mergers_min_ratio) as usize)
}

/// A stage's outputs are void: so is what was merged of them.
pub(crate) fn void(sim: &mut Sim, shuffle: ShuffleId) {
    if sim.driver.merges.shuffles.get(shuffle).is_none_or(|merge| merge.state == State::Off) {
        return;
    }
    end_pushes(sim, |push| push.shuffle == shuffle);
    let merge = &mut sim.driver.merges.shuffles[shuffle];
    (merge.state, merge.merged) = (State::Final, Bytes::ZERO);
    if let Some(due) = merge.due.take() {
        sim.calendar.cancel(due);
    }
}

/// A map task has ended: its executor pushes what it wrote.
pub(crate) fn push(sim: &mut Sim, shuffle: ShuffleId, map: u32, from: ExecutorId, bytes: Bytes) {
    let Some(conf) = sim.plan.spec().spark.shuffle_storage.push else { return };
    let partitions = sim.plan.spec().app.shuffles[shuffle.index()].partitions;
    let Some(merge) = sim.driver.merges.shuffles.get_mut(shuffle).filter(|merge| merge.state == State::Open) else { return };
    if std::mem::replace(&mut merge.pushed[map as usize], true) {
        return;
    }
    let share = Bytes::new(bytes.get() / merge.mergers.len() as u64);
    let fits = bytes.get() / u64::from(partitions.max(1)) <= conf.max_block.get();
    let dir = sim.plan.executor.scratch.some_on_disk(u64::from(map)).filter(|_| fits && !share.is_zero());
    let Some(dir) = dir.filter(|&dir| has_room(sim, shuffle, dir, share)) else {
        sim.driver.merges.shuffles[shuffle].ended += 1;
        return;
    };
    let slot = sim.driver.merges.pushes.iter().position(Option::is_none).unwrap_or(sim.driver.merges.pushes.len());
    let flows = flows(sim, (shuffle, slot as u32), from, dir, share);
    let push = Push { shuffle, from, bytes, left: flows.len() as u32, flows };
    let done = push.left == 0;
    if slot == sim.driver.merges.pushes.len() {
        sim.driver.merges.pushes.push(Some(push));
    } else {
        sim.driver.merges.pushes[slot] = Some(push);
    }
    if done {
        arrived(sim, slot as u32);
    }
}

/// Whether each merger's disk has room for its share; Spark drops blocks that cannot be written, and those for a service that is gone.
fn has_room(sim: &Sim, shuffle: ShuffleId, dir: usize, share: Bytes) -> bool {
    let disk = sim.plan.executor.scratch.dirs[dir].node_disk();
    let merges = &sim.driver.merges;
    merges.shuffles[shuffle].mergers.iter().all(|&node| !merges.lost.contains(&node) && share <= files::disk_room(sim, node, disk).0)
}

/// Starts the flows of a push: the original is read, crosses the NICs, and is appended to each merger's files.
fn flows(sim: &mut Sim, (shuffle, slot): (ShuffleId, u32), from: ExecutorId, dir: usize, share: Bytes) -> Vec<(NodeId, Device, FlowHandle)> {
    let now = sim.now();
    let Some(home) = sim.executors[from].node else { return Vec::new() };
    let scratch = &sim.plan.executor.scratch;
    let (dirs, disk) = (scratch.dirs.len(), scratch.dirs[dir].node_disk());
    let owner = FlowOwner::MergePush(slot);
    let mut flows = Vec::new();
    let mergers = sim.driver.merges.shuffles[shuffle].mergers.clone();
    let machine = &mut sim.machines[home];
    let missed = page_cache::missed(share * mergers.len() as u64, machine.files, machine.cache_room(now));
    if !missed.is_zero() {
        flows.push((home, Device::Disk(disk), machine.devices.add_read(now, disk, missed, owner)));
    }
    let away = mergers.iter().filter(|&&node| node != home).count() as u64;
    if away > 0 {
        flows.push((home, Device::NicOut, machine.devices.add_nic(now, Device::NicOut, share * away, owner)));
    }
    sim.touch(home);
    for (index, node) in mergers.into_iter().enumerate() {
        let machine = &mut sim.machines[node];
        if node != home {
            flows.push((node, Device::NicIn, machine.devices.add_nic(now, Device::NicIn, share, owner)));
        }
        let waits = machine.buffered_write(now, disk, share, None);
        machine.add_files(Some(disk), share);
        if !waits.is_zero() {
            flows.push((node, Device::Disk(disk), machine.devices.add_write(now, disk, waits, owner)));
        }
        sim.touch(node);
        sim.driver.merges.shuffles[shuffle].files[index * dirs + dir] += share;
    }
    flows
}

/// A flow of a push is through.
pub(crate) fn on_flow_done(sim: &mut Sim, slot: u32) {
    let Some(push) = sim.driver.merges.pushes.get_mut(slot as usize).and_then(Option::as_mut) else { return };
    push.left -= 1;
    if push.left == 0 {
        arrived(sim, slot);
    }
}

/// A push has arrived everywhere.
fn arrived(sim: &mut Sim, slot: u32) {
    let Some(push) = sim.driver.merges.pushes.get_mut(slot as usize).and_then(Option::take) else { return };
    let merge = &mut sim.driver.merges.shuffles[push.shuffle];
    merge.ended += 1;
    merge.merged += push.bytes;
    if merge.state == State::Ending && is_enough(sim, push.shuffle) {
        finalize(sim, push.shuffle);
    }
}

/// Whether so many pushes have ended that the driver waits for no more.
fn is_enough(sim: &Sim, shuffle: ShuffleId) -> bool {
    let (Some(conf), merge) = (sim.plan.spec().spark.shuffle_storage.push, &sim.driver.merges.shuffles[shuffle]) else { return true };
    f64::from(merge.ended) >= conf.min_completed_ratio * merge.pushed.len() as f64
}

/// All maps of a shuffle have ended: children wait until it is final. `false` when there is nothing to wait for.
pub(crate) fn ends(sim: &mut Sim, shuffle: ShuffleId) -> bool {
    let Some(conf) = sim.plan.spec().spark.shuffle_storage.push else { return false };
    match sim.driver.merges.shuffles[shuffle].state {
        State::Off | State::Final => return false,
        State::Ending => return true,
        State::Open => {}
    }
    let small = sim.driver.outputs[shuffle].bytes() < conf.min_size_to_wait;
    let wait = if small || is_enough(sim, shuffle) { SimSpan::ZERO } else { conf.finalize_timeout };
    if small {
        // Spark finalises at once and does not use what was merged.
        end_pushes(sim, |push| push.shuffle == shuffle);
        sim.driver.merges.shuffles[shuffle].merged = Bytes::ZERO;
    }
    let due = sim.after(wait, Event::MergeFinalized(shuffle));
    let merge = &mut sim.driver.merges.shuffles[shuffle];
    (merge.state, merge.due) = (State::Ending, Some(due));
    true
}

/// The driver has waited long enough.
pub(crate) fn on_finalized(sim: &mut Sim, shuffle: ShuffleId) {
    finalize(sim, shuffle);
}

fn finalize(sim: &mut Sim, shuffle: ShuffleId) {
    end_pushes(sim, |push| push.shuffle == shuffle);
    let merge = &mut sim.driver.merges.shuffles[shuffle];
    merge.state = State::Final;
    if let Some(due) = merge.due.take() {
        sim.calendar.cancel(due);
    }
    let stage = StageId::new(sim.plan.spec().app.shuffles[shuffle.index()].writer as u32);
    failures::finalized(sim, stage);
}

/// Pushes end without having arrived; what they have written stays.
fn end_pushes(sim: &mut Sim, which: impl Fn(&Push) -> bool) {
    let now = sim.now();
    for slot in 0..sim.driver.merges.pushes.len() {
        let Some(push) = sim.driver.merges.pushes[slot].take_if(|push| which(push)) else { continue };
        for (node, device, flow) in push.flows {
            sim.machines[node].devices.cancel(now, device, flow);
            sim.touch(node);
        }
    }
}

/// An executor is no more: so are its pushes.
pub(crate) fn on_executor_gone(sim: &mut Sim, id: ExecutorId) {
    end_pushes(sim, |push| push.from == id);
}

/// A node has vanished, and its shuffle service: what is on its way there never arrives.
pub(crate) fn on_node_lost(sim: &mut Sim, node: NodeId) {
    if sim.plan.spec().spark.shuffle_storage.push.is_some() {
        sim.driver.merges.lost.push(node);
        end_pushes(sim, |push| push.flows.iter().any(|(at, ..)| *at == node));
    }
}

/// A shuffle is removed, merged files and all.
pub(crate) fn remove(sim: &mut Sim, shuffle: ShuffleId) {
    void(sim, shuffle);
    let Some(merge) = sim.driver.merges.shuffles.get_mut(shuffle) else { return };
    let scratch = &sim.plan.executor.scratch;
    for (node, dir, bytes) in merge.files(scratch) {
        sim.machines[node].remove_files(Some(scratch.dirs[dir].node_disk()), bytes);
    }
    merge.files.clear();
}

/// The shuffle that a stage writes, if it does.
pub(crate) fn written_by(plan: &SimPlan, stage: StageId) -> Option<ShuffleId> {
    match plan.spec().app.stages[stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => Some(ShuffleId::new(shuffle as u32)),
        SinkSpec::Result => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::observe::Nobody;
    use crate::sim::RunKey;
    use crate::spec::Platform;
    use crate::units::SimTime;

    /// 3.7: when all has been pushed the nodes hold each output once and, spread over the mergers, once more.
    #[test]
    fn disks_hold_outputs_twice() {
        let mut spec = fixture::case_study(false, false);
        spec.cluster.platform = Platform::Yarn;
        spec.uncertainty = fixture::certain();
        spec.spark.shuffle.service = true;
        spec.app = fixture::passes(Bytes::new(3_000_000_000), 2, 200);
        spec.spark.shuffle_storage.push = Some(PushConf {
            max_block: Bytes::mib(1),
            mergers_min_static: 2,
            mergers_min_ratio: 0.05,
            max_executors: 4,
            finalize_timeout: SimSpan::from_secs(10),
            min_size_to_wait: Bytes::mib(500),
            min_completed_ratio: 1.0,
        });
        let plan = SimPlan::compile(&spec).expect("compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        crate::cluster::settle_in(&mut sim);
        sim.run_until(SimTime::ZERO + SimSpan::from_secs(10_000));
        let own: Bytes = sim.executors.values().map(|executor| executor.outputs.values().map(crate::spark::scratch::Stored::sum).sum::<Bytes>()).sum();
        let all: Bytes = sim.machines.values().map(|machine| machine.files).sum();
        let registered: Bytes = sim.driver.outputs.values().map(crate::spark::driver::MapOutputs::bytes).sum();
        // A byte of each output is lost to rounding.
        assert!(registered.get().abs_diff(2 * 2_100_000_000) <= 223, "two shuffles of 0.7 of the input, not {registered}");
        let copies = all - own;
        // A share of each of 223 outputs is rounded down for each merger.
        assert!(copies <= registered && registered - copies < Bytes::new(223 * 4), "{copies} of {registered}");
        for (shuffle, outputs) in sim.driver.outputs.iter() {
            assert_eq!(sim.driver.merges.merged_bytes(shuffle), outputs.bytes());
        }
    }
}

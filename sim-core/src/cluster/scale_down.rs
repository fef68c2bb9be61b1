//! The cluster autoscaler's other half: nodes that go when nobody needs them. Off unless a pool has a `max` or a `min`.
//!
//! At each scan that brings no node, a node is unneeded when requests take less than the threshold of its CPU and of its memory (daemons
//! count) and all its pods can go: daemons go with it, replicas and evictable executors must fit elsewhere by the scheduler's filters. Executors of the
//! direct allocator and the driver have no controller that would replace them, so one of them keeps its node, unless its pod says
//! `safe-to-evict`; so do pods with local storage and those of `kube-system` (no budget is known). What cannot go is looked at again after 5 min. After
//! 10 min unneeded, and 10 min after the last growth, a node goes: empty ones up to ten a scan, others one at a time, its pods with their
//! grace. Assumptions: neighbours that are on named nodes stay there; nothing fails. Source: the autoscaler's FAQ; `core/scaledown`,
//! `simulator/drainability/rules` of release 1.30.

use super::placement::{self, Candidate};
use super::{neighbours, views};
use crate::event::Event;
use crate::ids::{NodeId, PodSlot};
use crate::kube::scheduler::{self, NodeView, PodView};
use crate::machine::Owner;
use crate::plan::Carrier;
use crate::sim::Sim;
use crate::spark::executor::Life;
use crate::spark::{allocator, decommission};
use crate::spec::{NeighbourPlacement, Platform, PodsAllocator, VolumeSource};
use crate::units::{SimSpan, SimTime};

/// Pods below this priority neither hold a node nor have to fit elsewhere (`expendable-pods-priority-cutoff`).
const EXPENDABLE_BELOW: i32 = -10;
/// `unremovable-node-recheck-timeout`.
const RECHECK: SimSpan = SimSpan::from_secs(300);
/// `max-empty-bulk-delete`.
const MOST_EMPTY: usize = 10;
/// `terminationGracePeriodSeconds` unless a pod says otherwise (DT-4).
const GRACE: SimSpan = SimSpan::from_secs(30);
/// Between two looks whether a drained node's pods are gone.
const POLL: SimSpan = SimSpan::from_secs(1);

/// What the autoscaler knows of nodes that may go.
#[derive(Debug, Default)]
pub(super) struct ScaleDown {
    /// By node, since when it is unneeded.
    unneeded_since: Vec<Option<SimTime>>,
    /// By node, until when it is not looked at.
    skipped_until: Vec<SimTime>,
    /// When nodes were last asked for.
    pub(super) grew_at: Option<SimTime>,
    /// Nodes whose pods are leaving, and whether they had any.
    draining: Vec<(NodeId, bool)>,
}

impl ScaleDown {
    pub(super) fn new(nodes: usize) -> Self {
        Self { unneeded_since: vec![None; nodes], skipped_until: vec![SimTime::ZERO; nodes], ..Self::default() }
    }
}

/// What becomes of a pod when its node goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It goes with the node.
    Goes,
    /// It is evicted and must fit elsewhere.
    Moves,
    /// It keeps the node.
    Keeps,
}

/// Whether a pool has more nodes than its smallest number.
fn above_min(sim: &Sim, pool: usize) -> bool {
    let spec = &sim.plan.spec().cluster.pools[pool];
    let scales = spec.max_count.is_some() || spec.min_count.is_some();
    let going = &sim.cluster.autoscaler.down.draining;
    let stays = |node: &&NodeId| sim.plan.nodes[node.index()].pool == pool && !going.iter().any(|(going, _)| going == *node);
    scales && sim.cluster.present.iter().filter(stays).count() as u32 > spec.min_count.unwrap_or(spec.count)
}

/// Whether scans have nodes to look at.
pub(super) fn looks(sim: &Sim) -> bool {
    let spec = &sim.plan.spec().cluster;
    spec.platform == Platform::Kubernetes && spec.autoscaler.scale_down && (0..spec.pools.len()).any(|pool| above_min(sim, pool))
}

/// One scan.
pub(super) fn scan(sim: &mut Sim) {
    if !looks(sim) {
        return;
    }
    find_unneeded(sim);
    let (now, settings) = (sim.now(), &sim.plan.spec().cluster.autoscaler);
    let (unneeded, delay) = (settings.scale_down_unneeded, settings.scale_down_delay_after_add);
    if sim.cluster.autoscaler.down.grew_at.is_some_and(|at| at + delay > now) {
        return;
    }
    let mut empty = 0;
    for node in sim.cluster.present.clone() {
        let due = sim.cluster.autoscaler.down.unneeded_since[node.index()].is_some_and(|since| since + unneeded <= now);
        if !due || !above_min(sim, sim.plan.nodes[node.index()].pool) {
            continue;
        }
        let has_pods = fates(sim, node).iter().any(|(.., fate)| *fate != Fate::Goes);
        let busy = if has_pods { sim.cluster.autoscaler.down.draining.iter().any(|(_, pods)| *pods) } else { empty >= MOST_EMPTY };
        if !busy {
            empty += usize::from(!has_pods);
            drain(sim, node, has_pods);
        }
    }
}

/// Brings the list of unneeded nodes up to date. A pod that is moved in thought takes its room for the nodes that are looked at later.
fn find_unneeded(sim: &mut Sim) {
    let (now, candidates) = (sim.now(), sim.cluster.present.clone());
    let mut nodes: Vec<Option<NodeView<'_>>> = candidates.iter().map(|&node| Some(views::node(sim, node))).collect();
    let mut news: Vec<(NodeId, Option<bool>)> = Vec::new();
    for (place, &node) in candidates.iter().enumerate() {
        let machine = &sim.machines[node];
        let Some(view) = nodes[place].take() else { continue };
        let skipped = sim.cluster.autoscaler.down.skipped_until[node.index()] > now;
        let looked_at = !skipped && !machine.cordoned && above_min(sim, sim.plan.nodes[node.index()].pool);
        if !looked_at || utilisation(&view) >= sim.plan.spec().cluster.autoscaler.scale_down_threshold {
            news.push((node, None));
            nodes[place] = Some(view);
            continue;
        }
        let free = empties(sim, node, &view, &mut nodes);
        news.push((node, Some(free)));
        if !free {
            nodes[place] = Some(view);
        }
    }
    drop(nodes);
    let down = &mut sim.cluster.autoscaler.down;
    for (node, free) in news {
        let since = &mut down.unneeded_since[node.index()];
        *since = if free == Some(true) { since.or(Some(now)) } else { None };
        if free == Some(false) {
            down.skipped_until[node.index()] = now + RECHECK;
        }
    }
}

/// The larger of the shares of CPU and memory that are requested.
fn utilisation(node: &NodeView<'_>) -> f64 {
    let cpu: u64 = node.pods.iter().map(|pod| pod.cpu_request.get()).sum();
    let memory: u64 = node.pods.iter().map(|pod| pod.memory_request.get()).sum();
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    share(cpu, node.allocatable_cpu.get()).max(share(memory, node.allocatable_memory.get()))
}

/// Whether all pods of a node can go; then those that have to be elsewhere are there, in thought.
fn empties<'a>(sim: &'a Sim, node: NodeId, view: &NodeView<'a>, nodes: &mut [Option<NodeView<'a>>]) -> bool {
    let fates = fates(sim, node);
    if fates.iter().any(|(.., fate)| *fate == Fate::Keeps) {
        return false;
    }
    let movers: Vec<PodView<'a>> = view.pods.iter().zip(&fates).filter(|(_, (.., fate))| *fate == Fate::Moves).map(|(pod, _)| *pod).collect();
    if movers.is_empty() {
        return true;
    }
    let places: Vec<usize> = (0..nodes.len()).filter(|&place| nodes[place].is_some()).collect();
    let mut others: Vec<NodeView<'a>> = nodes.iter().flatten().cloned().collect();
    let options = placement::options(sim);
    for pod in movers {
        let Some(other) = scheduler::first_fit(&pod, &others, &options, 0..others.len()) else { return false };
        others[other].pods.push(pod);
    }
    for (place, other) in places.into_iter().zip(others) {
        nodes[place] = Some(other);
    }
    true
}

/// What would become of each pod of a node, in the order of the scheduler's view.
fn fates(sim: &Sim, node: NodeId) -> Vec<(PodSlot, Owner, Fate)> {
    views::residents(sim, node).into_iter().map(|(slot, owner)| (slot, owner, fate(sim, owner))).collect()
}

fn fate(sim: &Sim, owner: Owner) -> Fate {
    let spec = sim.plan.spec();
    let priority = match owner {
        Owner::Executor(_) => spec.spark.kubernetes.pod_template.priority,
        Owner::Neighbour(index) => spec.cluster.neighbours[index as usize].priority,
        Owner::Driver => 0,
    };
    if priority < EXPENDABLE_BELOW {
        return Fate::Goes;
    }
    match owner {
        Owner::Driver => Fate::Keeps,
        Owner::Executor(id) => {
            let may = spec.spark.kubernetes.pod_template.safe_to_evict;
            let bare = spec.spark.allocation.allocator == PodsAllocator::Direct;
            let local = spec.cluster.autoscaler.skip_local_storage && has_local_storage(sim);
            // What is on its way out is waited for.
            let leaves = sim.executors[id].terminating || sim.executors[id].life == Life::Dead;
            if may == Some(true) || (may.is_none() && !bare && !local && !leaves) { Fate::Moves } else { Fate::Keeps }
        }
        Owner::Neighbour(index) => {
            let neighbour = &spec.cluster.neighbours[index as usize];
            match neighbour.placement {
                NeighbourPlacement::EveryNode => Fate::Goes,
                NeighbourPlacement::Replicas(_) if neighbour.namespace != "kube-system" => Fate::Moves,
                NeighbourPlacement::Replicas(_) | NeighbourPlacement::On(_) => Fate::Keeps,
            }
        }
    }
}

/// Whether an executor has an `emptyDir` on disk or a directory of the node; those in memory do not count.
fn has_local_storage(sim: &Sim) -> bool {
    let scratch = sim.plan.executor.scratch.dirs.iter().any(|dir| matches!(dir.carrier, Carrier::EmptyDir | Carrier::Disk(_)));
    let hosts = sim.plan.spec().spark.kubernetes.pod_template.volumes.iter().any(|volume| matches!(volume.source, VolumeSource::HostPath { .. }));
    scratch || hosts
}

/// A node takes no more pods, and those that it has are evicted with their grace.
fn drain(sim: &mut Sim, node: NodeId, has_pods: bool) {
    let grace = GRACE.min(sim.plan.spec().cluster.autoscaler.max_graceful_termination);
    sim.machines[node].cordoned = true;
    sim.cluster.nominated.retain(|&(_, at)| at != node);
    let down = &mut sim.cluster.autoscaler.down;
    down.unneeded_since[node.index()] = None;
    down.draining.push((node, has_pods));
    for (slot, owner, _) in fates(sim, node) {
        match owner {
            Owner::Executor(id) => {
                sim.executors[id].terminating = true;
                decommission::notify(sim, id, Some(grace));
            }
            Owner::Neighbour(index) if sim.plan.spec().cluster.neighbours[index as usize].placement != NeighbourPlacement::EveryNode => {
                if !sim.cluster.leaving.contains(&(node, slot)) {
                    sim.cluster.leaving.push((node, slot));
                    sim.after(grace, Event::NeighbourLeaves(node, slot.index() as u32));
                }
            }
            Owner::Neighbour(_) | Owner::Driver => {}
        }
    }
    if has_pods {
        allocator::wake_if_missing(sim);
        super::pods_changed(sim);
    }
    sim.after(if has_pods { grace } else { SimSpan::ZERO }, Event::NodeRemoved(node));
}

/// A drained node goes with its daemons, when the volumes of all others are torn down.
pub(crate) fn on_removed(sim: &mut Sim, node: NodeId) {
    let machine = &sim.machines[node];
    let open = machine.owners.iter().enumerate().filter(|&(slot, _)| machine.memory.pods[slot].open);
    let (daemons, others): (Vec<_>, Vec<_>) =
        open.map(|(slot, owner)| (PodSlot::new(slot as u32), *owner)).partition(|(_, owner)| matches!(owner, Owner::Neighbour(_)));
    if !others.is_empty() {
        sim.after(POLL, Event::NodeRemoved(node));
        return;
    }
    for (slot, _) in daemons {
        sim.cluster.leaving.retain(|&leaving| leaving != (node, slot));
        neighbours::move_out(sim, node, slot);
    }
    super::give_system_back(sim, node);
    let machine = &mut sim.machines[node];
    (machine.away, machine.cordoned, machine.lost) = (true, false, false);
    (machine.has_image, machine.images_collected) = (false, false);
    (machine.memory_pressure_until, machine.disk_pressure_until) = (SimTime::ZERO, SimTime::ZERO);
    sim.cluster.present.retain(|&present| present != node);
    let autoscaler = &mut sim.cluster.autoscaler;
    autoscaler.down.draining.retain(|(going, _)| *going != node);
    autoscaler.put_back(node);
    sim.touch(node);
    super::pods_changed(sim);
    super::autoscaler::plan_scan(sim);
}

/// Pods that wait do not stand on a node that goes.
pub(super) fn is_going(sim: &Sim, node: NodeId) -> bool {
    sim.cluster.autoscaler.down.draining.iter().any(|(going, _)| *going == node)
}

/// For the audit: a node that goes is there and takes no pod; a pod for which victims go does not get it.
pub(super) fn check(sim: &Sim) {
    for (node, _) in &sim.cluster.autoscaler.down.draining {
        assert!(sim.cluster.present.contains(node) && sim.machines[*node].cordoned, "{node:?} goes and takes pods");
    }
    let nominated = |&(_, node): &(Candidate, NodeId)| is_going(sim, node);
    assert!(!sim.cluster.nominated.iter().any(nominated), "a pod is to get a node that goes");
}

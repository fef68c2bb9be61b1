//! The kubelet's periodic looks: memory eviction, disk limits of volumes, disk pressure.
//!
//! Every 10 s the eviction manager compares metrics that are up to 10 s old with its thresholds and evicts one
//! pod at most (NE-1, NE-2), so a fast ramp usually meets the kernel first (A22). The working set counts
//! anonymous and tmpfs memory and the active share of page cache. `sizeLimit` of disk `emptyDir` and ephemeral
//! limits are compared with volume statistics up to a minute old (ED-11, ED-12), and all pods over them go. System-critical pods
//! are never evicted. After an eviction the manager polls each second, for 30 s at most, until the pod is cleaned up, and looks again at
//! once (NE-2). A nearly full disk first loses its unused images. Assumptions: pods are ranked by their memory now, without their share of
//! active cache; disk use is read without delay; a soft eviction gives no grace to the pod (`evictionMaxPodGracePeriod` 0).

use super::eviction::{self, Candidate, MemoryStats, Signal};
use super::qos;
use crate::cluster::{daemons, neighbours};
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::kernel::{Purpose, mix};
use crate::machine::{Metrics, Owner};
use crate::plan::Carrier;
use crate::record::{Cause, Incident, Level};
use crate::shown::shown;
use crate::sim::Sim;
use crate::spark::executor::{self, Death};
use crate::units::{Bytes, SimSpan};

/// How long the manager waits for an evicted pod's clean-up (NE-2).
const CLEANUP_TIMEOUT_S: f64 = 30.0;

/// Starts the looks on every node, each at its own phase.
pub(crate) fn start(sim: &mut Sim) {
    for place in 0..crate::cluster::present(sim).len() {
        let node = crate::cluster::present(sim)[place];
        start_on(sim, node);
    }
}

/// Starts the looks on a node.
pub(crate) fn start_on(sim: &mut Sim, node: NodeId) {
    // A node that left and came back within a period: its last look is still on its way.
    if std::mem::replace(&mut sim.machines[node].kubelet, true) {
        return;
    }
    let period = sim.plan.spec().cluster.kubelet.eviction_period_s;
    let phase = sim.luck.stream(Purpose::EvictionPhase, node.index() as u64).unit() * period;
    schedule(sim, node, phase, 0);
}

/// Schedules the next look and, before it, the taking of its metrics.
fn schedule(sim: &mut Sim, node: NodeId, in_seconds: f64, look: u64) {
    let kubelet = &sim.plan.spec().cluster.kubelet;
    let age = sim.luck.draw(&kubelet.metrics_age_s, Purpose::MetricsAge, mix(node.index() as u64, look)).clamp(0.0, in_seconds);
    sim.after(SimSpan::from_secs_f64(in_seconds - age), Event::KubeletMetrics(node));
    sim.after(SimSpan::from_secs_f64(in_seconds), Event::KubeletTick(node));
}

/// Metrics are taken.
pub(crate) fn on_metrics(sim: &mut Sim, node: NodeId) {
    let now = sim.now();
    let active = sim.plan.spec().cluster.kubelet.active_file_share;
    let machine = &mut sim.machines[node];
    let v = machine.v(now);
    let cache = machine.page_cache(now).scale(active);
    machine.metrics = Metrics { pods: machine.memory.pods_level(v) + cache, node: machine.memory.node_level(v) + cache };
}

/// The eviction manager looks.
pub(crate) fn on_tick(sim: &mut Sim, node: NodeId) {
    if sim.machines[node].lost || sim.machines[node].away {
        sim.machines[node].kubelet = false;
        return;
    }
    if daemons::waits_for_agents(sim, node, Event::KubeletTick(node)) {
        return;
    }
    let period = sim.plan.spec().cluster.kubelet.eviction_period_s;
    let look = sim.now().as_ns();
    let evicted = if over_volume_limit(sim, node) {
        None
    } else if let Some(death) = memory_pressure(sim, node) {
        evict_for_memory(sim, node, death)
    } else {
        disk_pressure(sim, node)
    };
    let next = evicted.map_or(period, |owner| clean_up_s(sim, node, owner));
    schedule(sim, node, next, look);
}

/// Seconds until the manager sees that an evicted pod is gone; it polls each second.
fn clean_up_s(sim: &Sim, node: NodeId, evicted: Owner) -> f64 {
    // An executor's volumes go after the same draw (`executor::die`): luck is by address.
    let entity = match evicted {
        Owner::Executor(id) => id.index() as u64,
        Owner::Driver | Owner::Neighbour(_) => mix(node.index() as u64, sim.now().as_ns()),
    };
    let teardown = sim.luck.draw(&sim.plan.spec().cluster.kubelet.teardown_s, Purpose::Teardown, entity);
    libm::ceil(teardown).clamp(1.0, CLEANUP_TIMEOUT_S)
}

/// Whether memory signals are below their threshold, and what an eviction then reports.
fn memory_pressure(sim: &mut Sim, node: NodeId) -> Option<Death> {
    let plan = &sim.plan.nodes[node.index()];
    let now = sim.now();
    let machine = &mut sim.machines[node];
    let kubepods_limit = plan.kubepods_limit.unwrap_or(plan.shape.memory);
    let stats = MemoryStats { capacity: plan.shape.memory, working_set: machine.metrics.node, kubepods_limit, kubepods_working_set: machine.metrics.pods };
    let settings = &sim.plan.spec().cluster.kubelet.eviction;
    let look = machine.eviction.look(&stats, plan.shape.reserved.eviction_memory, settings, now);
    if look.pressure {
        machine.memory_pressure_until = now + settings.pressure_transition;
    }
    let (signal, threshold) = look.act?;
    let (used, whole) = match signal {
        Signal::Memory => (stats.working_set, stats.capacity),
        Signal::AllocatableMemory | Signal::NodeFs => (stats.kubepods_working_set, kubepods_limit),
    };
    Some(Death { cause: Cause::Eviction, level: Level::Eviction, used, limit: eviction::eviction_line(whole, threshold) })
}

/// Evicts the first in rank by memory, and tells whose pod it was.
fn evict_for_memory(sim: &mut Sim, node: NodeId, death: Death) -> Option<Owner> {
    let v = sim.machines[node].v(sim.now());
    let (slots, candidates) = ranked(sim, node, |sim, slot, _| sim.machines[node].memory.level(slot, v), false);
    let first = slots[eviction::victim(&candidates)?];
    let owner = sim.machines[node].owners[first.index()];
    evict(sim, node, first, death);
    Some(owner)
}

/// The pods of a node as candidates for eviction.
fn ranked(sim: &Sim, node: NodeId, usage: impl Fn(&Sim, PodSlot, Owner) -> Bytes, by_disk: bool) -> (Vec<PodSlot>, Vec<Candidate>) {
    let machine = &sim.machines[node];
    let mut slots = Vec::new();
    let mut candidates = Vec::new();
    let v = machine.v(sim.now());
    for (index, &owner) in machine.owners.iter().enumerate().filter(|(i, _)| machine.memory.pods[*i].open) {
        let slot = PodSlot::new(index as u32);
        // A neighbour between its death and its return has nothing to evict.
        if !machine.memory.has_process(slot, v) {
            continue;
        }
        let spec = sim.plan.spec();
        let (resources, priority) = match owner {
            Owner::Executor(id) if sim.executors[id].is_up() => {
                let mut resources = sim.plan.executor.resources;
                resources.memory_request += sim.executors[id].growth.taken;
                (resources, spec.spark.kubernetes.pod_template.priority)
            }
            Owner::Executor(_) => continue,
            Owner::Driver => (crate::linux::oom::driver_resources(sim), 0),
            Owner::Neighbour(n) => {
                let neighbour = &spec.cluster.neighbours[n as usize];
                (neighbour.resources, neighbour.priority)
            }
        };
        let request = if by_disk { resources.ephemeral_request } else { resources.memory_request };
        slots.push(slot);
        candidates.push(Candidate { usage: usage(sim, slot, owner), request, priority, critical: qos::is_critical(priority) });
    }
    (slots, candidates)
}

fn evict(sim: &mut Sim, node: NodeId, slot: PodSlot, death: Death) {
    match sim.machines[node].owners[slot.index()] {
        Owner::Executor(id) => executor::die(sim, id, death),
        Owner::Driver => crate::linux::oom::kill_driver(sim, death),
        Owner::Neighbour(_) => {
            let machine = &sim.machines[node];
            let victim = crate::linux::oom::party(sim, machine, slot);
            let incident = Incident {
                at: sim.now(),
                cause: death.cause,
                level: death.level,
                shown: shown(sim.plan.spec(), &victim, death.cause, death.level),
                victim,
                node: node.index() as u32,
                stage: sim.driver.running_stage(),
                used: death.used,
                limit: death.limit,
                node_memory: machine.memory.node_level(machine.v(sim.now())),
                holders: sim.holders(node, None),
            };
            sim.tally.incident(incident);
            neighbours::on_evicted(sim, node, slot);
        }
    }
}

/// Evicts all executors whose disk volumes or ephemeral storage are over their limit, by statistics up to a minute old.
fn over_volume_limit(sim: &mut Sim, node: NodeId) -> bool {
    refresh_volume_stats(sim, node);
    let scratch = &sim.plan.executor.scratch;
    let limited = scratch.dirs.iter().any(|dir| is_looked_at(sim, dir.carrier) && dir.size_limit.is_some());
    if !limited && sim.plan.executor.resources.ephemeral_limit.is_none() {
        return false;
    }
    let here = sim.executors.iter().filter(|(_, e)| e.node == Some(node) && e.is_up());
    let over: Vec<(ExecutorId, Bytes, Bytes)> = here.filter_map(|(id, e)| over_a_limit(sim, e).map(|(used, limit)| (id, used, limit))).collect();
    for &(id, used, limit) in &over {
        executor::die(sim, id, Death { cause: Cause::Eviction, level: Level::Volume, used, limit });
    }
    !over.is_empty()
}

/// Whether the kubelet's look can find a volume over its limit: on disk, and in a tmpfs that was mounted without a size (ED-1, ED-6).
fn is_looked_at(sim: &Sim, carrier: Carrier) -> bool {
    carrier == Carrier::EmptyDir || carrier == Carrier::Tmpfs && !sim.plan.spec().cluster.kubelet.sized_memory_volumes
}

/// A volume over its `sizeLimit` (ED-11), or the pod over its ephemeral limit (ED-12): use and limit.
fn over_a_limit(sim: &Sim, executor: &executor::Executor) -> Option<(Bytes, Bytes)> {
    let scratch = &sim.plan.executor.scratch;
    let stats = &executor.disk_stats;
    let volumes = scratch.dirs.iter().enumerate().filter(|(_, dir)| is_looked_at(sim, dir.carrier));
    let volume = volumes.filter_map(|(number, dir)| Some((stats.in_dir(number), dir.size_limit?))).find(|(used, limit)| used > limit);
    let pod = sim.plan.executor.resources.ephemeral_limit.map(|limit| (stats.ephemeral(scratch), limit)).filter(|(used, limit)| used > limit);
    volume.or(pod)
}

fn refresh_volume_stats(sim: &mut Sim, node: NodeId) {
    let period = SimSpan::from_secs_f64(sim.plan.spec().cluster.kubelet.volume_stats_period_s);
    let now = sim.now();
    let machine = &mut sim.machines[node];
    if now.since(machine.volume_stats_at) < period {
        return;
    }
    machine.volume_stats_at = now;
    for (_, executor) in sim.executors.iter_mut().filter(|(_, e)| e.node == Some(node)) {
        executor.disk_stats = executor.scratch();
    }
}

/// Evicts the heaviest user of a disk that is nearly full, when garbage collection of images is not enough (NE-6, NE-7).
fn disk_pressure(sim: &mut Sim, node: NodeId) -> Option<Owner> {
    let now = sim.now();
    let plan = &sim.plan.nodes[node.index()];
    let settings = &sim.plan.spec().cluster.kubelet.eviction;
    let machine = &mut sim.machines[node];
    let files = machine.files_on[0];
    let percent = plan.shape.reserved.eviction_nodefs_percent;
    let size = plan.shape.disks[0].size;
    let pressed = |disk_used: Bytes| eviction::nodefs_pressure(size, size.saturating_sub(files + disk_used), percent).is_some();
    if !pressed(machine.disk_used) {
        return None;
    }
    machine.disk_pressure_until = now + settings.pressure_transition;
    if !std::mem::replace(&mut machine.images_collected, true) {
        machine.disk_used = machine.disk_used.saturating_sub(settings.unused_images);
        if !pressed(machine.disk_used) {
            return None;
        }
    }
    let used = files + machine.disk_used;
    let limit = size.scale(1.0 - f64::from(percent) / 100.0);
    let disk = |sim: &Sim, slot: PodSlot, owner: Owner| match owner {
        Owner::Executor(id) => scratch_on_disk(sim, id),
        Owner::Neighbour(_) => neighbours::on_disk(sim, node, slot),
        Owner::Driver => Bytes::ZERO,
    };
    let (slots, candidates) = ranked(sim, node, disk, true);
    let with_files = candidates.iter().any(|c| !c.usage.is_zero());
    let first = slots[eviction::victim(&candidates).filter(|_| with_files)?];
    let owner = sim.machines[node].owners[first.index()];
    evict(sim, node, first, Death { cause: Cause::Eviction, level: Level::Volume, used, limit });
    Some(owner)
}

fn scratch_on_disk(sim: &Sim, id: ExecutorId) -> Bytes {
    sim.executors[id].scratch().ephemeral(&sim.plan.executor.scratch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::sim::RunKey;
    use crate::spark::executor::{Executor, Life};
    use crate::spark::scratch::Stored;
    use crate::spec::{DeviceUse, Dist, NeighbourSpec, Resources};

    /// ED-11: the local-storage pass evicts every pod over its limit, not one like the pass for node pressure (NE-2).
    #[test]
    fn ed_11_all_pods_over_their_volume_limit_go_in_one_pass() {
        let mut spec = fixture::case_study(false, true);
        spec.spark.kubernetes.pod_template.ephemeral_limit = Some(Bytes::gib(1));
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        let node = NodeId::new(0);
        for (index, used) in [Bytes::gib(2), Bytes::gib(1), Bytes::gib(3)].into_iter().enumerate() {
            let mut executor = Executor::new(&sim, ExecutorId::new(sim.executors.len() as u32));
            let slot = sim.machines[node].open_pod(Owner::Executor(ExecutorId::new(index as u32)), plan.executor.limit, None);
            (executor.life, executor.node, executor.slot) = (Life::Registered, Some(node), Some(slot));
            executor.disk_stats = Stored::at(&plan.executor.scratch, 0, used);
            sim.executors.push(executor);
        }
        assert!(over_volume_limit(&mut sim, node));
        let up: Vec<bool> = sim.executors.values().map(Executor::is_up).collect();
        assert_eq!(up, [false, true, false]);
    }

    /// NE-6: a nearly full disk first loses the images that nothing uses; only then a pod goes.
    #[test]
    fn ne_6_images_go_before_pods() {
        let mut spec = fixture::case_study(false, true);
        spec.cluster.kubelet.eviction.unused_images = Bytes::gib(20);
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        let (node, id, size) = (NodeId::new(0), ExecutorId::new(0), plan.nodes[0].shape.disks[0].size);
        let mut executor = Executor::new(&sim, id);
        let slot = sim.machines[node].open_pod(Owner::Executor(id), plan.executor.limit, None);
        (executor.life, executor.node, executor.slot) = (Life::Registered, Some(node), Some(slot));
        sim.executors.push(executor);
        let full = size.scale(0.91);
        sim.machines[node].disk_used = full;
        assert_eq!(disk_pressure(&mut sim, node), None);
        assert_eq!(sim.machines[node].disk_used, full - Bytes::gib(20));
        // The second time there is nothing left to collect: the disk is as full as before.
        sim.machines[node].disk_used = full;
        disk_pressure(&mut sim, node);
        assert_eq!(sim.machines[node].disk_used, full);
        assert!(sim.machines[node].disk_pressure_until > sim.now());
    }

    /// NE-7 by hand, in GiB: a cache holds 200 without a request, an executor 40 without one, a database of high priority 60 with a request of 10,
    /// a logger 100 with one of 120. The first three are above their request: by priority the cache and the executor before the database,
    /// by what is above it the cache before the executor; the logger is the last.
    #[test]
    fn ne_7_neighbours_and_executors_are_ranked_by_what_they_hold_on_disk() {
        let mut spec = fixture::case_study(false, true);
        let model = spec.cluster.neighbours[0].clone();
        let holding = |name: &str, held: u64, request: u64, priority: i32| NeighbourSpec {
            name: name.into(),
            devices: DeviceUse { held: Dist::Constant(Bytes::gib(held).as_f64()), ..DeviceUse::NONE },
            resources: Resources { ephemeral_request: Bytes::gib(request), ..model.resources },
            priority,
            ..model.clone()
        };
        spec.cluster.neighbours = vec![holding("database", 60, 10, 1000), holding("logger", 100, 120, 0), holding("cache", 200, 0, 0)];
        spec.cluster.pools[0].shape.disks[0].used = Bytes::gib(80);
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        crate::cluster::settle_in(&mut sim);
        let (node, id) = (NodeId::new(0), ExecutorId::new(0));
        let mut executor = Executor::new(&sim, id);
        let slot = sim.machines[node].open_pod(Owner::Executor(id), plan.executor.limit, None);
        (executor.life, executor.node, executor.slot) = (Life::Registered, Some(node), Some(slot));
        sim.executors.push(executor);
        sim.machines[node].memory.charge(slot, crate::linux::cgroup::Charge::Process, Bytes::gib(1));
        let files = Stored::at(&plan.executor.scratch, 0, Bytes::gib(40));
        sim.executors[id].outputs[crate::ids::ShuffleId::new(0)] += &files;
        crate::spark::scratch::put(&mut sim, id, node, &files);
        assert_eq!(sim.machines[node].disk_used, Bytes::gib(80 + 60 + 100 + 200));
        // 480 of 512 GiB are used; the threshold is at 460.8. Without the cache it is not met.
        let mut evicted = Vec::new();
        for refilled in [200, 40, 60, 100] {
            evicted.push(disk_pressure(&mut sim, node).expect("somebody goes"));
            if evicted.len() == 1 {
                assert_eq!((sim.machines[node].disk_used, disk_pressure(&mut sim, node)), (Bytes::gib(240), None));
            }
            // Somebody else fills the disk again; the executor's own files are torn down later.
            sim.machines[node].disk_used += Bytes::gib(refilled);
        }
        assert_eq!(evicted, [Owner::Neighbour(2), Owner::Executor(id), Owner::Neighbour(0), Owner::Neighbour(1)]);
    }

    /// D of 5.9: when the node's signal fired, the incident carries the node's numbers.
    #[test]
    fn an_eviction_reports_the_signal_that_fired() {
        let plan = SimPlan::compile(&fixture::case_study(false, true)).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        let node = NodeId::new(0);
        sim.machines[node].metrics = Metrics { pods: Bytes::gib(40), node: Bytes::mib(63_500) };
        let death = memory_pressure(&mut sim, node).expect("63 500 of 64 000 MiB leave less than 750");
        assert_eq!((death.used, death.limit), (Bytes::mib(63_500), Bytes::mib(63_250)));
    }
}

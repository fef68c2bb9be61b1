//! Neighbours: pods that use memory beyond their requests, disk and network beside the executors, and come back when killed.
//!
//! A neighbour's memory is drawn once a (neighbour, node) and held from the start: daemons and services are
//! older than the job, unless they are said to arrive later. Killed or evicted ones with `restartPolicy: Always` return after the kubelet's crash
//! back-off (10 s, doubled up to 300 s), on the same node. Their tmpfs pages survive a kill in place (ED-5); assumption: an
//! eviction too, although it would tear their volumes down. What they hold on the kubelet's disk survives a kill and goes with an
//! eviction (NE-7), and who comes back starts with an empty volume; their rates on disk and NIC end and begin with them.
//! Source: NO-1, 7.3; the back-off is recalled.

use crate::event::Event;
use crate::hardware::Standing;
use crate::ids::{NodeId, PodSlot};
use crate::kernel::{Purpose, mix};
use crate::linux::cgroup::Charge;
use crate::machine::Owner;
use crate::sim::Sim;
use crate::spec::{NeighbourPlacement, NeighbourSpec};
use crate::units::{Bytes, SimSpan, SimTime};

use super::daemons::waits_for_agents;
use super::placement::{self, Verdict};

/// First restart delay of the kubelet's crash back-off.
const FIRST_BACKOFF_S: u64 = 10;
/// Largest restart delay of the kubelet's crash back-off.
const LAST_BACKOFF_S: u64 = 300;

/// A neighbour on a node.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// Index in the cluster spec.
    pub(crate) spec: u32,
    pub(crate) node: NodeId,
    pub(crate) slot: PodSlot,
    /// Anonymous memory when it runs.
    pub(crate) anon: Bytes,
    /// What it holds on the kubelet's disk.
    held: Bytes,
    /// What it takes of disk and NIC when it runs.
    standing: Standing,
    /// Whether it takes that now.
    stands: bool,
    /// Whether it was preempted and is gone; its place in the list stays.
    gone: bool,
    restarts: u32,
}

/// Puts every neighbour on its node.
pub(super) fn settle(sim: &mut Sim) {
    let plan = sim.plan;
    for (index, neighbour) in plan.spec().cluster.neighbours.iter().enumerate() {
        if let Some(arrives) = neighbour.arrives {
            sim.after(arrives, Event::NeighbourArrives(index as u32));
            continue;
        }
        match &neighbour.placement {
            NeighbourPlacement::EveryNode => sim.cluster.present.clone().into_iter().for_each(|node| move_in(sim, index as u32, neighbour, node)),
            NeighbourPlacement::Replicas(count) => (0..*count).for_each(|_| settle_pod(sim, index as u32)),
            NeighbourPlacement::On(nodes) => nodes.iter().for_each(|node| move_in(sim, index as u32, neighbour, NodeId::new(*node))),
        }
    }
}

/// A pod from before the application: it has its node, or waits for one.
fn settle_pod(sim: &mut Sim, spec: u32) {
    let pod = sim.cluster.new_pod_of(spec);
    match placement::place(sim, pod) {
        Verdict::Bound(node) => bind(sim, spec, node),
        Verdict::Refused { .. } => sim.cluster.pending_neighbours.push(pod),
    }
}

/// A neighbour that comes later, by its index: its pods are put on every node, or wait for the scheduler.
pub(crate) fn on_arrives(sim: &mut Sim, index: u32) {
    let plan = sim.plan;
    let neighbour = &plan.spec().cluster.neighbours[index as usize];
    match &neighbour.placement {
        NeighbourPlacement::EveryNode => {
            // A node that joined at this very instant has it.
            let has = |node: &NodeId| sim.cluster.tenants.iter().any(|tenant| tenant.spec == index && tenant.node == *node);
            let nodes: Vec<NodeId> = sim.cluster.present.iter().copied().filter(|node| !has(node)).collect();
            nodes.into_iter().for_each(|node| move_in(sim, index, neighbour, node));
        }
        NeighbourPlacement::On(nodes) => {
            // A node that is gone has nobody.
            let there: Vec<NodeId> = nodes.iter().map(|node| NodeId::new(*node)).filter(|node| sim.cluster.present.contains(node)).collect();
            there.into_iter().for_each(|node| move_in(sim, index, neighbour, node));
        }
        NeighbourPlacement::Replicas(count) => {
            for _ in 0..*count {
                let pod = sim.cluster.new_pod_of(index);
                sim.cluster.pending_neighbours.push(pod);
            }
            sim.after(SimSpan::ZERO, Event::SchedulePods);
        }
    }
}

/// Neighbours that run on every node and are there, by their index.
pub(super) fn daemons(sim: &Sim) -> impl Iterator<Item = u32> {
    let now = sim.now();
    let there = move |neighbour: &NeighbourSpec| neighbour.arrives.is_none_or(|arrives| SimTime::ZERO + arrives <= now);
    let all = sim.plan.spec().cluster.neighbours.iter().enumerate();
    all.filter(move |(_, one)| one.placement == NeighbourPlacement::EveryNode && there(one)).map(|(index, _)| index as u32)
}

/// The scheduler has found a node.
pub(super) fn bind(sim: &mut Sim, spec: u32, node: NodeId) {
    let plan = sim.plan;
    move_in(sim, spec, &plan.spec().cluster.neighbours[spec as usize], node);
}

/// A preempted pod is gone with its memory; a controller with replicas makes another.
pub(super) fn move_out(sim: &mut Sim, node: NodeId, slot: PodSlot) {
    let Some(tenant) = sim.cluster.tenants.iter_mut().find(|t| !t.gone && t.node == node && t.slot == slot) else { return };
    tenant.gone = true;
    let spec = tenant.spec;
    let neighbour = &sim.plan.spec().cluster.neighbours[spec as usize];
    let now = sim.calendar.now();
    let machine = &mut sim.machines[node];
    let v = machine.v(now);
    machine.memory.close_pod(slot, v);
    machine.devices.reserve_cpu(now, -neighbour.cpu_use.as_cores());
    machine.disk_used -= std::mem::take(&mut tenant.held);
    if std::mem::take(&mut tenant.stands) {
        machine.devices.stand(now, &tenant.standing, false);
    }
    sim.touch(node);
    if matches!(neighbour.placement, NeighbourPlacement::Replicas(_)) {
        let pod = sim.cluster.new_pod_of(spec);
        sim.cluster.pending_neighbours.push(pod);
    }
}

fn move_in(sim: &mut Sim, index: u32, neighbour: &NeighbourSpec, node: NodeId) {
    let entity = mix(u64::from(index), mix(node.index() as u64, sim.cluster.tenants.iter().filter(|t| t.spec == index && t.node == node).count() as u64));
    let anon = Bytes::from_f64(sim.luck.draw(&neighbour.memory.anon, Purpose::NeighbourMemory, entity));
    let shmem = Bytes::from_f64(sim.luck.draw(&neighbour.memory.shmem, Purpose::NeighbourMemory, mix(entity, 1)));
    let limit = neighbour.resources.memory_limit;
    let usable = limit.map(|limit| sim.machines[node].memory.usable(limit));
    // A neighbour that would die of its own limit before the job starts lives just under it instead.
    let shmem = usable.map_or(shmem, |limit| shmem.min(limit.saturating_sub(Bytes::mib(1))));
    let anon = usable.map_or(anon, |limit| anon.min(limit.saturating_sub(shmem + Bytes::mib(1))));
    let held = held(sim, neighbour, node, entity);
    let disk = &sim.plan.nodes[node.index()].shape.disks[0];
    let machine = &mut sim.machines[node];
    let standing = machine.devices.standing(&neighbour.devices, disk);
    machine.devices.stand(sim.calendar.now(), &standing, true);
    machine.disk_used += held;
    let slot = machine.open_pod(Owner::Neighbour(index), limit, None);
    super::limit_swap(sim, node, slot, &neighbour.resources, neighbour.priority);
    let machine = &mut sim.machines[node];
    machine.memory.charge(slot, Charge::Process, anon);
    machine.memory.charge(slot, Charge::Shmem, shmem);
    machine.devices.reserve_cpu(sim.calendar.now(), neighbour.cpu_use.as_cores());
    sim.cluster.tenants.push(Tenant { spec: index, node, slot, anon, held, standing, stands: true, gone: false, restarts: 0 });
    sim.touch(node);
}

/// What a neighbour holds on the kubelet's disk: what is drawn for it, but no more than its limit and the room there.
fn held(sim: &Sim, neighbour: &NeighbourSpec, node: NodeId, entity: u64) -> Bytes {
    let drawn = Bytes::from_f64(sim.luck.draw(&neighbour.devices.held, Purpose::NeighbourDisk, entity).max(0.0));
    let (machine, size) = (&sim.machines[node], sim.plan.nodes[node.index()].shape.disks[0].size);
    let room = size.saturating_sub(machine.disk_used + machine.files_on[0]);
    drawn.min(room).min(neighbour.resources.ephemeral_limit.unwrap_or(drawn))
}

/// What the neighbour in a pod of a node holds on the kubelet's disk.
pub(crate) fn on_disk(sim: &Sim, node: NodeId, slot: PodSlot) -> Bytes {
    sim.cluster.tenants.iter().find(|t| !t.gone && t.node == node && t.slot == slot).map_or(Bytes::ZERO, |tenant| tenant.held)
}

/// The kubelet evicts a neighbour: what it holds on disk goes, too.
pub(crate) fn on_evicted(sim: &mut Sim, node: NodeId, slot: PodSlot) {
    if let Some(tenant) = sim.cluster.tenants.iter_mut().find(|t| !t.gone && t.node == node && t.slot == slot) {
        sim.machines[node].disk_used -= std::mem::take(&mut tenant.held);
    }
    on_killed(sim, node, slot, 1);
}

/// One of a neighbour's `processes` is gone (all, when it is one); it may come back.
pub(crate) fn on_killed(sim: &mut Sim, node: NodeId, slot: PodSlot, processes: u32) {
    let now = sim.calendar.now();
    let Some(index) = sim.cluster.tenants.iter().position(|t| !t.gone && t.node == node && t.slot == slot) else { return };
    let tenant = &mut sim.cluster.tenants[index];
    let backoff = (FIRST_BACKOFF_S << tenant.restarts.min(5)).min(LAST_BACKOFF_S);
    tenant.restarts += 1;
    let spec = tenant.spec;
    let machine = &mut sim.machines[node];
    let v = machine.v(now);
    let held = machine.memory.held(slot, Charge::Process, v);
    let freed = Bytes::new(held.get().div_ceil(u64::from(processes)));
    machine.memory.uncharge(slot, Charge::Process, freed, v);
    if processes == 1 && std::mem::take(&mut tenant.stands) {
        machine.devices.stand(now, &tenant.standing, false);
    }
    if sim.plan.spec().cluster.neighbours[spec as usize].restarts {
        sim.after(SimSpan::from_secs(backoff), Event::NeighbourBack(node, index as u32));
    }
    sim.touch(node);
}

/// A neighbour is back and takes its memory again.
pub(crate) fn on_back(sim: &mut Sim, node: NodeId, tenant: u32) {
    if waits_for_agents(sim, node, Event::NeighbourBack(node, tenant)) {
        return;
    }
    let tenant = &mut sim.cluster.tenants[tenant as usize];
    if tenant.gone {
        return;
    }
    let (slot, anon, now) = (tenant.slot, tenant.anon, sim.calendar.now());
    let machine = &mut sim.machines[node];
    if !std::mem::replace(&mut tenant.stands, true) {
        machine.devices.stand(now, &tenant.standing, true);
    }
    let held = machine.memory.held(slot, Charge::Process, machine.v(now));
    machine.memory.charge(slot, Charge::Process, anon.saturating_sub(held));
    sim.touch(node);
}

/// Panics if devices serve others than the neighbours that run.
pub(crate) fn check(sim: &Sim) {
    for (node, machine) in sim.machines.iter() {
        let here = sim.cluster.tenants.iter().filter(|tenant| tenant.stands && tenant.node == node);
        let asked: f64 = here.map(|tenant| tenant.standing.sum()).sum();
        assert!((machine.devices.standing_sum() - asked).abs() < 1e-6, "steady rates on {node:?}: {} of {asked}", machine.devices.standing_sum());
    }
}

//! What swap costs tasks: pages that go out and come back, over the node's first disk.
//!
//! When pages go out for a limit, the task whose memory grows fastest under it waits for the disk (direct reclaim is done by who allocates); without one nobody
//! does. A step that allocates on a heap of which a part is in swap touches that part of its allocations there, and files in a tmpfs that are read are
//! in swap in the same part: they are read from the disk, and something else goes out for them: thrashing. Nothing happens without swap. Assumptions: a step
//! brings back no page twice; page-ins overlap with its other work, which they soon outlast; other processes than executors touch no page in swap again; of
//! several local directories only the node's shuffle files are looked for in a swapped tmpfs.

use super::files::{self, Access};
use crate::ids::{ExecutorId, NodeId, PodSlot, TaskId};
use crate::linux::limits::Over;
use crate::machine::Owner;
use crate::sim::Sim;
use crate::units::Bytes;

/// Pages out for a limit that is reached; `true` when anything could go.
pub(crate) fn make_room(sim: &mut Sim, node: NodeId, over: Over) -> bool {
    let now = sim.now();
    let machine = &mut sim.machines[node];
    if !machine.memory.has_swap() {
        return false;
    }
    let v = machine.v(now);
    let moved = machine.memory.page_out(over, v);
    if moved.is_zero() {
        return false;
    }
    sim.tally.swapped_out(moved);
    match fastest(sim, node, over) {
        Some(task) => files::device_flow(sim, task, node, 0, moved, Access::Write),
        None => sim.machines[node].swap_out(now, moved),
    }
    sim.touch(node);
    true
}

/// The task under a limit whose memory grows fastest; of equal ones the first.
fn fastest(sim: &Sim, node: NodeId, over: Over) -> Option<TaskId> {
    let only = match over {
        Over::Container(slot) | Over::Pod(slot) | Over::Tmpfs(slot) => Some(slot),
        Over::Kubepods | Over::Node => None,
    };
    let here = sim.executors.values().filter(|e| e.node == Some(node) && (only.is_none() || e.slot == only));
    let slope = |task: &TaskId| sim.tasks[*task].ramp.map_or(0.0, |ramp| ramp.slope());
    let growing = here.flat_map(|e| e.running.iter().copied()).filter(|task| slope(task) > 0.0);
    growing.reduce(|fastest, task| if slope(&task) > slope(&fastest) { task } else { fastest })
}

/// Brings back what a step's allocations touch of its executor's heap.
pub(super) fn page_in(sim: &mut Sim, id: TaskId, allocated: Bytes) {
    let (node, Some(slot)) = (sim.tasks[id].node, sim.executors[sim.tasks[id].executor].slot) else { return };
    back(sim, id, node, slot, false, allocated);
}

/// Reads files of an executor's tmpfs: what is in swap.
pub(super) fn read_tmpfs(sim: &mut Sim, id: TaskId, executor: ExecutorId, bytes: Bytes) {
    let host = &sim.executors[executor];
    let Some(node) = host.node else { return };
    if let Some(slot) = sim.machines[node].pod_of(executor, host.slot) {
        back(sim, id, node, slot, true, bytes);
    }
}

/// Reads files of the tmpfs of all executors on a node in proportion: what is in swap.
pub(super) fn read_tmpfs_of_node(sim: &mut Sim, id: TaskId, node: NodeId, bytes: Bytes) {
    let machine = &sim.machines[node];
    if machine.memory.swap_used().is_zero() {
        return;
    }
    let slots = (0..machine.owners.len() as u32).map(PodSlot::new);
    let of_executors = slots.filter(|slot| machine.memory.pods[slot.index()].open && matches!(machine.owners[slot.index()], Owner::Executor(_)));
    let held: Vec<(PodSlot, Bytes)> = of_executors.map(|slot| (slot, machine.memory.settled_shmem(slot))).collect();
    let all: Bytes = held.iter().map(|(_, held)| *held).sum();
    for (slot, held) in held.into_iter().filter(|(_, held)| !held.is_zero()) {
        back(sim, id, node, slot, true, bytes.scale(held.as_f64() / all.as_f64()));
    }
}

/// Touches so many bytes of a pod: those in swap come back, and the task waits for the disk.
fn back(sim: &mut Sim, id: TaskId, node: NodeId, slot: PodSlot, tmpfs: bool, touched: Bytes) {
    let memory = &mut sim.machines[node].memory;
    let share = memory.swapped_share(slot, tmpfs);
    if share > 0.0 {
        let bytes = memory.page_in(slot, tmpfs, touched.scale(share));
        files::device_flow(sim, id, node, 0, bytes, Access::Read);
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture;
    use crate::plan::SimPlan;
    use crate::record::{Outcome, Party};
    use crate::sim::{RunKey, Simulator};
    use crate::spec::{CgroupVersion, ClusterSpec, Platform, Spec, SwapSpec};
    use crate::units::Bytes;

    const SWAP: SwapSpec = SwapSpec { size: Bytes::gib(64), for_cgroups: true, limited: true, tmpfs_noswap: false };

    fn run(spec: &Spec, replication: u64) -> Outcome {
        let mut spec = spec.clone();
        spec.limits.paranoid = true;
        Simulator::new(&SimPlan::compile(&spec).expect("the fixture compiles")).run(RunKey { seed: 1, replication })
    }
    /// The case study in bare cgroups, scratch in RAM.
    fn bare(swap: SwapSpec) -> Spec {
        let mut spec = fixture::case_study(true, true);
        spec.cluster.platform = Platform::Bare;
        spec.cluster.cgroup = CgroupVersion::V1;
        spec.spark.kubernetes.max_replacements = Some(20);
        // Less than system, neighbours and four heaps need.
        spec.cluster.pools[0].shape.memory = Bytes::gib(46);
        spec.cluster.swap = swap;
        spec
    }

    /// Swap of size zero is none, whatever else is said of it.
    #[test]
    fn no_size_is_no_swap() {
        for spec in [bare(SwapSpec::default()), fixture::case_study(true, true)] {
            let mut zero = spec.clone();
            zero.cluster.swap = SwapSpec { size: Bytes::ZERO, ..SWAP };
            assert_eq!(run(&spec, 0), run(&zero, 0));
        }
    }

    /// Where tmpfs can go to swap, no replication dies that lived without; all that died live, and take longer than with enough RAM.
    #[test]
    fn swap_that_is_large_enough_saves_executors_and_costs_time() {
        let mut roomy = bare(SwapSpec::default());
        roomy.spark.executor.container_memory = Bytes::gib(60);
        roomy.cluster.pools[0].shape.memory = Bytes::gib(512);
        for replication in 0..3 {
            let (without, with, enough) = (run(&bare(SwapSpec::default()), replication), run(&bare(SWAP), replication), run(&roomy, replication));
            assert_eq!((without.oom(), with.oom(), enough.oom()), (true, false, false), "replication {replication}");
            assert!(with.swap_out > Bytes::gib(1) && without.swap_out.is_zero() && enough.swap_out.is_zero());
            assert!(with.duration > enough.duration, "{:?} {:?}", with.duration, enough.duration);
        }
    }

    /// Too little swap is full soon: then the kernel kills as it would have.
    #[test]
    fn a_full_swap_ends_in_a_kill() {
        let outcome = run(&bare(SwapSpec { size: Bytes::mib(256), ..SWAP }), 0);
        assert!(outcome.oom() && outcome.swap_out >= Bytes::mib(256), "{:?} {:?}", outcome.ending, outcome.swap_out);
    }

    /// LimitedSwap gives executors, whose request is their limit, nothing, and critical neighbours neither: the run is the same. Burstable neighbours
    /// give way, on cgroup v2 only.
    #[test]
    fn limited_swap_is_for_burstable_neighbours() {
        let spec = fixture::case_study(true, true);
        // A request of 512 MiB on 64 000 MiB gives 8 GiB of it.
        let swap = SwapSpec { size: Bytes::mib(1_024_000), ..SWAP };
        let with = |spec: &Spec| Spec { cluster: ClusterSpec { swap, ..spec.cluster.clone() }, ..spec.clone() };
        assert_eq!(run(&spec, 0), run(&with(&spec), 0));
        let mut burstable = spec;
        burstable.cluster.neighbours.iter_mut().for_each(|neighbour| neighbour.priority = 0);
        // Evictions would come before the kernel.
        burstable.cluster.kubelet.eviction_period_s = 1e6;
        let (without, with_swap) = (run(&burstable, 0), run(&with(&burstable), 0));
        let (lost, saved) = (without.neighbours_lost(), with_swap.neighbours_lost());
        assert!(lost > 0 && saved < lost && !with_swap.swap_out.is_zero(), "{lost} {saved} {:?}", with_swap.swap_out);
        assert!(with_swap.incidents.iter().all(|i| matches!(i.victim, Party::Executor(_) | Party::Neighbour(_))));
        burstable.cluster.cgroup = CgroupVersion::V1;
        assert!(run(&with(&burstable), 0).swap_out.is_zero());
    }
}

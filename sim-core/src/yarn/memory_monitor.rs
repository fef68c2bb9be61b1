//! The NodeManager's memory monitor at run time.
//!
//! Every 3 s the resident memory of each container's process tree is compared with its size (YRN-2 to YRN-4):
//! heap touched, non-heap and Python; tmpfs files and page cache are not counted. The whole tree counts as
//! older than one poll except in an executor's first interval. Virtual memory is taken as the reserved heap,
//! the reserved class space and code cache, and the non-heap memory.

use super::monitor::{self, TreeUsage};
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId};
use crate::linux::cgroup::Charge;
use crate::record::{Cause, Level};
use crate::sim::Sim;
use crate::spark::executor::{self, Death, Life};
use crate::units::{Bytes, SimSpan};

/// Address space that a 64-bit JVM reserves beside its heap: 1 GiB class space and 240 MiB code cache (1.7).
const RESERVED_BESIDE_HEAP: Bytes = Bytes::mib(1024 + 240);

/// Starts the monitor on every node.
pub(crate) fn start(sim: &mut Sim) {
    let interval = SimSpan::from_secs_f64(sim.plan.spec().cluster.yarn.monitor_interval_s);
    for index in 0..sim.machines.len() {
        sim.after(interval, Event::MonitorPoll(NodeId::new(index as u32)));
    }
}

/// One poll of one node.
pub(crate) fn on_poll(sim: &mut Sim, node: NodeId) {
    let limit = sim.plan.executor.container();
    for index in 0..sim.executors.len() {
        let id = ExecutorId::new(index as u32);
        if sim.executors[id].node != Some(node) || !sim.executors[id].is_up() {
            continue;
        }
        let (physical, virtual_memory) = usage(sim, id, node);
        if monitor::check(limit, physical, virtual_memory, &sim.plan.spec().cluster.yarn).is_some() {
            executor::die(sim, id, Death { cause: Cause::Container, level: Level::Pod, used: physical.current, limit });
        }
    }
    let interval = SimSpan::from_secs_f64(sim.plan.spec().cluster.yarn.monitor_interval_s);
    sim.after(interval, Event::MonitorPoll(node));
}

fn usage(sim: &Sim, id: ExecutorId, node: NodeId) -> (TreeUsage, TreeUsage) {
    let executor = &sim.executors[id];
    let machine = &sim.machines[node];
    let v = machine.v(sim.now());
    let held = |class| executor.slot.map_or(Bytes::ZERO, |slot| machine.memory.held(slot, class, v));
    let beside = held(Charge::NonHeap) + held(Charge::Python);
    // What is in swap is no part of a process's RSS.
    let swapped = executor.slot.map_or(Bytes::ZERO, |slot| machine.memory.swapped(slot).anon);
    let tree = |current: Bytes| TreeUsage { current, aged: if executor.life == Life::Registered { current } else { Bytes::ZERO } };
    (tree((held(Charge::Heap) + beside).saturating_sub(swapped)), tree(sim.plan.executor.heap + RESERVED_BESIDE_HEAP + beside))
}

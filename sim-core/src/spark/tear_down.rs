//! The end of an executor's volumes, some time after the end of its processes.
//!
//! The kubelet unmounts the volumes of a pod that has ended and removes what was in them: then tmpfs is no longer charged and files on disk
//! are gone (ED-8, ED-9); claims are unmounted and keep theirs (4.8). On YARN local directories stay until the application
//! ends. Where other executors of the host read its files themselves, fetches fail from here on if the driver does not know of the
//! death yet. Nothing here is drawn: `executor::kill` has decided when.

use crate::cluster::{self, daemons};
use crate::event::Event;
use crate::ids::ExecutorId;
use crate::sim::Sim;
use crate::spark::claims::{self, attach, reuse};
use crate::spark::executor::Life;
use crate::spark::scratch::{self, Stored};
use crate::spark::{allocator, task};
use crate::spec::Platform;

/// The pod's volumes are unmounted and removed.
pub(crate) fn on_volumes_torn_down(sim: &mut Sim, id: ExecutorId) {
    let now = sim.now();
    if sim.executors[id].node.is_some_and(|node| daemons::waits_for_agents(sim, node, Event::VolumesTornDown(id))) {
        return;
    }
    let executor = &mut sim.executors[id];
    let (Some(node), Some(slot)) = (executor.node, executor.slot) else { return };
    let platform = sim.plan.spec().cluster.platform;
    // YARN keeps an application's local directories until the application ends; elsewhere they go with the pod.
    if platform != Platform::Yarn {
        let files = executor.scratch();
        executor.temporary = Stored::NONE;
        executor.cached_files = Stored::NONE;
        executor.garbage = Stored::NONE;
        executor.outputs.values_mut().for_each(|o| *o = Stored::NONE);
        let known = executor.life == Life::Gone;
        scratch::take(sim, id, node, &files, false);
        reuse::on_torn_down(sim, id, &files);
        claims::unmount(sim, id, node);
        if !known && !sim.plan.spec().spark.shuffle.service {
            task::break_fetches(sim, id);
        }
    }
    sim.tally.pod_peak(sim.machines[node].memory.pods[slot.index()].peak);
    let v = sim.machines[node].v(now);
    sim.machines[node].memory.close_pod(slot, v);
    attach::on_closed(sim, node);
    sim.touch(node);
    if platform == Platform::Bare {
        allocator::replace_bare(sim);
    } else {
        // The pod's requests are free for the scheduler, maybe before the driver knows.
        cluster::pods_changed(sim);
    }
}

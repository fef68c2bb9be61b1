//! The NodeManager's disk checker: nodes whose disks are too full lose their containers.
//!
//! Every two minutes a local directory on a disk of which more than 90 % is used counts as bad; a node with less than a quarter of its
//! directories good is unhealthy (YRN-7). The resource manager takes such a node out of its scheduler and with it all containers there: exit status
//! −100, for which nobody is to blame, so neither tasks nor executors count it. The `NodeManager` itself goes on, and with it a shuffle service. Once there is room
//! again, because the driver's cleaner has removed shuffles, the next look takes the node back. Assumptions: containers that start on a node with some bad directories
//! use them all the same; a driver that loses its container ends the application, which YARN would start again. Source: `DirectoryCollection`,
//! `LocalDirsHandlerService.areDisksHealthy`, `RMNodeImpl.reportNodeUnusable` of Hadoop 3.4.

use crate::cluster;
use crate::ids::{ExecutorId, NodeId};
use crate::plan::Carrier;
use crate::record::{Ending, FailureReason};
use crate::sim::Sim;
use crate::spark::executor::Life;
use crate::spark::removal;
use crate::spark::task::files;
use crate::units::SimSpan;

/// `yarn.nodemanager.disk-health-checker.min-healthy-disks`.
const LEAST_GOOD: f64 = 0.25;

/// Looks at a node's disks when the checker's period has ended since the last look of the monitor, `step` ago.
pub(crate) fn look_if_due(sim: &mut Sim, node: NodeId, step: SimSpan) {
    let period = SimSpan::from_secs_f64(sim.plan.spec().cluster.yarn.disk_check_interval_s).as_ns().max(1);
    let now = sim.now().as_ns();
    if now / period != now.saturating_sub(step.as_ns()) / period {
        look(sim, node);
    }
}

fn look(sim: &mut Sim, node: NodeId) {
    let healthy = is_healthy(sim, node);
    if healthy != sim.machines[node].unhealthy || sim.machines[node].lost {
        return;
    }
    sim.machines[node].unhealthy = !healthy;
    if healthy {
        return cluster::pods_changed(sim);
    }
    if sim.cluster.driver.is_some_and(|(at, _)| at == node) {
        return sim.end(Ending::Failed(FailureReason::DriverLost));
    }
    let here = |life: Life| !matches!(life, Life::Dead | Life::Gone);
    let lost: Vec<ExecutorId> = sim.executors.iter().filter(|(_, e)| e.node == Some(node) && here(e.life)).map(|(id, _)| id).collect();
    lost.into_iter().for_each(|id| removal::stop(sim, id));
}

/// Whether enough of its local directories have room.
fn is_healthy(sim: &Sim, node: NodeId) -> bool {
    let most = sim.plan.spec().cluster.yarn.disk_utilization / 100.0;
    let disks: Vec<u8> =
        sim.plan.executor.scratch.dirs.iter().filter_map(|dir| if let Carrier::Disk(disk) = dir.carrier { Some(disk) } else { None }).collect();
    let used = |disk: u8| {
        let (room, size) = files::disk_room(sim, node, disk);
        1.0 - room.as_f64() / size.as_f64().max(1.0)
    };
    enough(&disks.iter().map(|&disk| used(disk)).collect::<Vec<f64>>(), most)
}

/// Whether a node with directories on disks that are used to these shares is healthy.
fn enough(used: &[f64], most: f64) -> bool {
    let good = used.iter().filter(|&&share| share <= most && share < 1.0).count();
    good as f64 >= LEAST_GOOD * used.len() as f64
}

#[cfg(test)]
mod tests {
    use super::enough;

    #[test]
    fn yrn7_a_node_is_healthy_while_a_quarter_of_its_disks_is() {
        let cases: [(&[f64], bool); 7] = [
            // 90 % is not over 90 %.
            (&[0.90], true),
            (&[0.901], false),
            // One good of four is a quarter, one of five is less.
            (&[0.95, 0.95, 0.95, 0.5], true),
            (&[0.95, 0.95, 0.95, 0.95, 0.5], false),
            (&[1.0, 0.2], true),
            (&[0.95, 0.99, 0.91], false),
            (&[], true),
        ];
        for (used, healthy) in cases {
            assert_eq!(enough(used, 0.9), healthy, "{used:?}");
        }
        // With the limit at 100 % a disk is bad once it is full.
        assert!(enough(&[0.999], 1.0) && !enough(&[1.0], 1.0));
    }
}

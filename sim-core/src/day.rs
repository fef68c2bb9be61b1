//! What is drawn once a replication: the day's data volume, ratios and machine speeds.
//!
//! Every draw is addressed (purpose, entity), so the same replication of another configuration has the same
//! day, and adding a node changes nobody else's luck. Factors are drawn independently of each other, which is an assumption: a
//! day with more data may well compress differently. What a bad distribution could draw is cut to what can run (speeds at
//! least 1 %, nothing negative).

use crate::hardware::node::Speeds;
use crate::kernel::{Luck, Purpose, mix};
use crate::plan::SimPlan;

/// The factors of one replication.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    /// On all byte counts.
    pub(crate) volume: f64,
    /// On compressed bytes.
    pub(crate) compression: f64,
    /// On in-memory bytes.
    pub(crate) expansion: f64,
    /// On allocated bytes.
    pub(crate) allocation: f64,
    /// Heap committed per live byte by JVMs whose heap grows.
    pub(crate) heap_growth: f64,
    /// On non-heap memory.
    pub(crate) non_heap: f64,
    /// Speed of each node.
    pub(crate) speeds: Vec<Speeds>,
}

impl Day {
    pub(crate) fn draw(plan: &SimPlan, luck: &Luck) -> Self {
        let u = &plan.spec().uncertainty;
        let speeds = plan
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| {
                let entity = index as u64;
                let disk = |d: usize| luck.draw(&u.disk_speed, Purpose::DiskSpeed, mix(entity, d as u64)).max(0.01);
                Speeds {
                    cpu: luck.draw(&u.cpu_speed, Purpose::CpuSpeed, entity).max(0.01),
                    nic: luck.draw(&u.nic_speed, Purpose::NicSpeed, entity).max(0.01),
                    disks: (0..node.shape.disks.len()).map(disk).collect(),
                }
            })
            .collect();
        Self {
            volume: luck.draw(&u.data_volume, Purpose::DataVolume, 0).max(0.0),
            compression: luck.draw(&u.compression, Purpose::Compression, 0).max(0.0),
            expansion: luck.draw(&u.object_expansion, Purpose::ObjectExpansion, 0).max(0.0),
            allocation: luck.draw(&u.allocation, Purpose::Allocation, 0).max(0.0),
            heap_growth: luck.draw(&u.heap_growth, Purpose::HeapGrowth, 0).max(1.0),
            non_heap: luck.draw(&u.non_heap, Purpose::NonHeap, 0).max(0.1),
            speeds,
        }
    }
}

//! YARN's settings, by the names of `yarn-site.xml`.
//!
//! The defaults are those of `yarn-default.xml` of Hadoop 3.4 where a release has one that fits: containers in steps of 1 GiB, a look every
//! 3 s at physical and virtual memory, disks healthy up to 90 %. What a node offers has no useful default there (8 GiB and 8 vcores whatever
//! the machine); here it is a share of the memory and all cores. Who enforces sizes is a choice of the site: the monitor, or cgroups.
//! Source: 1.8.

use crate::units::Bytes;

/// Who holds containers on YARN to their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerControl {
    /// The `NodeManager` looks at process trees every few seconds (YRN-2, YRN-3).
    Monitor,
    /// The kernel, by a memory cgroup of the container's size; the monitor kills nobody (YRN-6).
    Cgroup,
}

/// YARN settings.
#[derive(Clone, Debug, PartialEq)]
pub struct YarnSpec {
    /// `yarn.scheduler.minimum-allocation-mb`: no container is smaller (YRN-1).
    pub minimum_allocation: Bytes,
    /// What containers are rounded up to multiples of: the minimum in the Capacity scheduler,
    /// `yarn.resource-types.memory-mb.increment-allocation` in the Fair scheduler (YRN-1). Zero does not round.
    pub increment_allocation: Bytes,
    /// `yarn.scheduler.maximum-allocation-mb`; `None`: what the largest node offers.
    pub maximum_allocation: Option<Bytes>,
    /// Whether containers must fit by their vcores too: the `DominantResourceCalculator`, or the Fair scheduler.
    pub counts_vcores: bool,
    /// `yarn.nodemanager.resource.cpu-vcores`; `None`: the node's cores.
    pub node_vcores: Option<u32>,
    /// Who enforces sizes.
    pub control: ContainerControl,
    /// `max-disk-utilization-per-disk-percentage` of the disk health checker (YRN-7), 0 to 100.
    pub disk_utilization: f64,
    /// `yarn.nodemanager.disk-health-checker.interval-ms`, seconds.
    pub disk_check_interval_s: f64,
    /// `yarn.nodemanager.resource.memory-mb` as a share of `MemTotal`.
    pub node_memory_share: f64,
    /// `yarn.nodemanager.container-monitor.interval-ms`, seconds (YRN-2).
    pub monitor_interval_s: f64,
    /// `yarn.nodemanager.pmem-check-enabled`.
    pub pmem_check: bool,
    /// `yarn.nodemanager.vmem-check-enabled`.
    pub vmem_check: bool,
    /// `yarn.nodemanager.vmem-pmem-ratio`.
    pub vmem_ratio: f64,
}

impl Default for YarnSpec {
    fn default() -> Self {
        Self {
            minimum_allocation: Bytes::gib(1),
            increment_allocation: Bytes::gib(1),
            maximum_allocation: None,
            counts_vcores: false,
            node_vcores: None,
            control: ContainerControl::Monitor,
            disk_utilization: 90.0,
            disk_check_interval_s: 120.0,
            node_memory_share: 0.8,
            monitor_interval_s: 3.0,
            pmem_check: true,
            vmem_check: true,
            vmem_ratio: 2.1,
        }
    }
}

//! YARN: container sizes, placement and the polling memory monitor.
//!
//! A `NodeManager` offers a fixed amount of memory; containers are rounded up to the scheduler's minimum and placed by
//! memory alone, as the default resource calculator of the Capacity scheduler does, or by vcores as well. By default nothing limits a container in the
//! kernel: a monitor polls process trees and kills those over their limit, so a fast allocation can overrun the node
//! first. It counts resident memory, not files in tmpfs or page cache, so scratch never causes a kill by the monitor
//! (YRN-4); with cgroups the kernel kills at the limit instead (YRN-6). Disks that are too full cost a node its containers
//! (YRN-7). Queues, preemption, locality and elastic memory control are left out. Source: 1.8 and Hadoop 3.4, read for each part.

pub(crate) mod disk_health;
pub(crate) mod memory_monitor;
pub mod monitor;
pub mod placement;
pub mod sizing;

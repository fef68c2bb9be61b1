//! YARN: container sizes, placement and the polling memory monitor.
//!
//! A `NodeManager` offers a fixed amount of memory; containers are rounded up to the scheduler's minimum and placed by
//! memory alone, as the default resource calculator of the Capacity scheduler does. Nothing limits a container in the
//! kernel: a monitor polls process trees and kills those over their limit, so a fast allocation can overrun the node
//! first. It counts resident memory, not files in tmpfs or page cache, so scratch never causes a kill by the monitor
//! (YRN-4). Queues, preemption, locality and strict cgroup enforcement (YRN-6) are left out. Source: 1.8; marked there
//! as recalled where not read.

pub(crate) mod memory_monitor;
pub mod monitor;
pub mod placement;
pub mod sizing;

//! The `NodeManager`'s memory check: one look at one container.
//!
//! A container dies if its process tree uses more than twice its limit, or if the processes that were already there at
//! the last poll use more than the limit; the grace keeps a fork from counting a process twice (YRN-3). The check of
//! virtual memory comes first, with the limit times `vmem-pmem-ratio`. The caller polls every
//! [`crate::spec::YarnSpec::monitor_interval_s`] seconds (YRN-2); between two polls usage is unlimited. Resident memory
//! of the tree counts, files do not (YRN-4).

use crate::spec::YarnSpec;
use crate::units::Bytes;

/// Memory of a process tree at a poll, and of those of its processes that an earlier poll saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeUsage {
    /// All processes.
    pub current: Bytes,
    /// Processes that are older than one poll.
    pub aged: Bytes,
}

/// Why the monitor kills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// Resident memory over the container's size.
    Physical,
    /// Virtual memory over the size times `vmem-pmem-ratio`.
    Virtual,
}

impl Kill {
    /// Exit status of the container (YRN-5).
    pub const fn exit_status(self) -> i32 {
        match self {
            Self::Physical => -104,
            Self::Virtual => -103,
        }
    }
}

/// What one poll does with a container of size `limit`.
pub fn check(limit: Bytes, physical: TreeUsage, virtual_memory: TreeUsage, yarn: &YarnSpec) -> Option<Kill> {
    if yarn.vmem_check && over(virtual_memory, limit.scale(yarn.vmem_ratio)) {
        Some(Kill::Virtual)
    } else {
        (yarn.pmem_check && over(physical, limit)).then_some(Kill::Physical)
    }
}

fn over(usage: TreeUsage, limit: Bytes) -> bool {
    usage.current.get() > limit.get().saturating_mul(2) || usage.aged > limit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yarn(pmem_check: bool, vmem_check: bool) -> YarnSpec {
        YarnSpec { pmem_check, vmem_check, ..YarnSpec::default() }
    }

    fn usage(current: u64, aged: u64) -> TreeUsage {
        TreeUsage { current: Bytes::mib(current), aged: Bytes::mib(aged) }
    }

    #[test]
    fn yrn3_aged_over_the_limit_or_current_over_twice() {
        let limit = Bytes::mib(1000);
        let cases = [
            (usage(1000, 1000), None),
            (usage(1001, 1001), Some(Kill::Physical)),
            // A young process may pass the limit, up to twice.
            (usage(2000, 900), None),
            (usage(2001, 900), Some(Kill::Physical)),
        ];
        for (physical, expected) in cases {
            assert_eq!(check(limit, physical, TreeUsage::default(), &yarn(true, true)), expected, "{physical:?}");
            assert_eq!(check(limit, physical, TreeUsage::default(), &yarn(false, true)), None);
        }
    }

    #[test]
    fn yrn3_virtual_memory_is_checked_first_against_2_1_times_the_limit() {
        let limit = Bytes::mib(1000);
        assert_eq!(check(limit, usage(0, 0), usage(2100, 2100), &yarn(true, true)), None);
        assert_eq!(check(limit, usage(1500, 1500), usage(2101, 2101), &yarn(true, true)), Some(Kill::Virtual));
        assert_eq!(check(limit, usage(1500, 1500), usage(2101, 2101), &yarn(true, false)), Some(Kill::Physical));
    }

    #[test]
    fn yrn5_exit_statuses() {
        assert_eq!((Kill::Physical.exit_status(), Kill::Virtual.exit_status()), (-104, -103));
    }
}

//! Spark: the arithmetic of its memory, and its driver, executors and tasks in a run.
//!
//! The public modules are pure functions or small accounts without time or chance: what an executor's container
//! is asked for, how tasks share execution memory, when a shuffle writer spills, what the JVM holds beside the
//! heap, how many failures are allowed. `allocator`, `decommission`, `driver`, `executor` and `task` are the run: functions over its one state.
//! Source: 1 to 4.

pub mod adaptive;
pub(crate) mod allocator;
pub(crate) mod blocks;
pub mod bypass_writer;
pub(crate) mod claims;
pub(crate) mod decommission;
pub(crate) mod driver;
pub mod execution_pool;
pub(crate) mod executor;
pub mod failure_cap;
pub mod fetch_limits;
pub mod fetch_retry;
pub(crate) mod inject;
pub mod jvm;
pub mod local_dir;
pub mod page;
pub(crate) mod push_merge;
pub mod push_writer;
pub mod python;
pub(crate) mod remote_shuffle;
pub(crate) mod removal;
pub(crate) mod resize;
pub(crate) mod roll;
pub(crate) mod scratch;
pub(crate) mod silence;
pub mod sizing;
pub mod sort_writer;
pub mod start;
pub mod storage_pool;
pub(crate) mod task;
pub mod task_memory_manager;
pub(crate) mod tear_down;
pub mod unified_memory;
pub mod unsafe_writer;
pub mod writer;

//! Spark: the arithmetic of its memory, shuffle writers and failure limits.
//!
//! Everything here is a pure function or a small account without time or chance: what an executor's container
//! is asked for, how tasks share execution memory, when a shuffle writer spills, what the JVM holds beside the
//! heap. The stateful model of driver, executors and tasks is built on top.

pub(crate) mod allocator;
pub mod bypass_writer;
pub(crate) mod driver;
pub mod execution_pool;
pub(crate) mod executor;
pub mod failure_cap;
pub mod fetch_limits;
pub mod fetch_retry;
pub mod jvm;
pub mod page;
pub(crate) mod scratch;
pub mod sizing;
pub mod sort_writer;
pub mod storage_pool;
pub(crate) mod task;
pub mod unified_memory;
pub mod unsafe_writer;
pub mod writer;

//! The recorded world as a scenario, and the self-check of a profile on it.
//!
//! [`scenario`] writes the run as it was: platform, executors, settings, hosts. [`check()`] replays the profile there with certain
//! inputs and holds durations and shuffle bytes against the log, stage by stage. What the log does not tell is a documented
//! default that does not bind: memory of the nodes, disks and network. How much CPU the tasks had does come from the log
//! (CPU time over the time in which a task wanted a core), so the check tests the replay's structure (what runs at
//! the same time, what waits for what, how much is moved) and not the speed of machines; with the number of cores given,
//! the model divides them itself.

mod check;
mod scenario;

pub use check::{Check, StageCheck, check, error, spec};
pub use scenario::scenario;

//! Linux memory: the cgroup tree with its charges and limits, and what the OOM killer takes.
//!
//! Every byte of a node has an owner (a container, a pod whose container is gone, the system) and a class.
//! Charges go up the tree container → pod → `kubepods` → node (domain-facts 5.7, 6.1). tmpfs pages stay with
//! the pod until its volumes are torn down (LM-1, 6.4). Memory that grows while a task computes moves in ramps
//! (`ramp`); the next crossing of a limit is an event. Page cache gives way before anything is killed (`file_pages`). What does not
//! need a simulation (charges, limits, reclaim, the choice of a victim) is public, so that recordings of the real kernel can be
//! played through it.

pub mod cgroup;
mod file_pages;
mod kernel_memory;
pub mod limits;
pub(crate) mod oom;
pub mod oom_badness;
pub mod ramp;
pub mod swap;

//! Linux memory: the cgroup tree with its charges and limits, and what the OOM killer takes.
//!
//! Every byte of a node has an owner (a container, a pod whose container is gone, the system) and a class.
//! Charges go up the tree container → pod → `kubepods` → node (domain-facts 5.7, 6.1). tmpfs pages stay with
//! the pod until its volumes are torn down (LM-1, 6.4). Memory that grows while a task computes moves in ramps
//! (`ramp`); the next crossing of a limit is an event.

pub(crate) mod cgroup;
pub(crate) mod limits;
pub(crate) mod oom;
pub mod oom_badness;
pub(crate) mod ramp;

//! The model: Spark shuffle on a cluster, as a discrete-event simulation of memory.

pub mod kernel;
pub mod kube;
pub mod linux;
pub mod observe;
pub mod plan;
pub mod record;
pub mod sim;
pub mod spark;
pub mod spec;
pub mod study;
pub mod units;
pub mod yarn;

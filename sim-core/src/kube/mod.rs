//! kube

pub mod empty_dir;
pub mod eviction;
pub(crate) mod kubelet;
pub mod local_dirs;
pub mod qos;
pub mod reservation;
pub mod scheduler;

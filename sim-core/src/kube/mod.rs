//! Kubernetes: scheduler, QoS, reservations, volumes and the kubelet.
//!
//! What decides is pure and public: where a pod goes ([`scheduler`]), who is evicted ([`eviction`]), what a volume may hold
//! ([`empty_dir`], [`local_dirs`]), how a container is ranked for the OOM killer ([`qos`]), what a node keeps back
//! ([`reservation`]). The kubelet's loop applies it to a run. Requests decide placement, usage decides death; nothing here
//! connects the two, as in Kubernetes. Left out: quotas, soft eviction. Source: 5.1 to 5.10.

pub mod empty_dir;
pub mod eviction;
pub(crate) mod kubelet;
pub mod local_dirs;
pub mod qos;
pub mod reservation;
pub mod scheduler;
pub mod swap;

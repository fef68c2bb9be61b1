//! `[remote_shuffle]` to the workers of a remote shuffle service.

use sim_core::spec::RemoteShuffleService;

use super::{View, derived};
use crate::raw::{Node, Value};
use crate::spark_conf::{Conf, MANAGER, RemoteService, remote_kind};

/// A service that Spark's keys name and the scenario says nothing of has the documented defaults.
pub(super) fn assume(tree: &mut Node, conf: &Conf) {
    if remote_kind(conf).is_some() && tree.get("remote_shuffle").is_none() {
        tree.insert("remote_shuffle", derived(Value::Table(Vec::new()), MANAGER));
    }
}

/// What the table says.
pub(super) fn service(table: View<'_>) -> RemoteService {
    let workers = RemoteShuffleService {
        workers: table.count("workers"),
        nic: table.rate("nic"),
        disk: table.rate("disk"),
        disk_size: table.size("disk_size"),
        memory: table.size("memory"),
        pause_at: table.number("pause_at"),
        page_cache: table.size("page_cache"),
    };
    RemoteService { workers, pauses: table.maybe("pause_at").is_some(), patched: table.on("patched_spark") }
}

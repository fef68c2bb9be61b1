//! Persisted RDDs as a log tells of them.
//!
//! Spark logs an RDD with its storage level in every stage that computes or reads it. The sizes in it are usually zero, because
//! stage events are made before blocks are; they are filled where block updates were logged. Where they are zero and
//! something is persisted, the peaks of executors' storage memory say how much there was.

use super::events::RddInfo;

/// One persisted RDD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PersistedRdd {
    pub(super) name: String,
    pub(super) level: String,
    pub(super) partitions: u64,
    pub(super) memory: u64,
    pub(super) disk: u64,
}

impl PersistedRdd {
    /// Takes in what one stage says of it.
    pub(super) fn see(&mut self, rdd: &RddInfo<'_>) {
        if self.name.is_empty() {
            self.name = rdd.name.chars().filter(|c| !c.is_control()).take(80).collect();
        }
        self.level = level(rdd);
        self.partitions = self.partitions.max(rdd.partitions.0);
        self.memory = self.memory.max(rdd.memory.0);
        self.disk = self.disk.max(rdd.disk.0);
    }
}

/// The name of the level in Spark's `StorageLevel`.
fn level(rdd: &RddInfo<'_>) -> String {
    let places = match (rdd.level.memory, rdd.level.disk) {
        (true, true) => "MEMORY_AND_DISK",
        (true, false) => "MEMORY_ONLY",
        (false, _) => "DISK_ONLY",
    };
    let serialised = if rdd.level.memory && !rdd.level.deserialized { "_SER" } else { "" };
    let copies = if rdd.level.replication.0 > 1 { format!("_{}", rdd.level.replication.0) } else { String::new() };
    format!("{places}{serialised}{copies}")
}

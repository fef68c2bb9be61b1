//! Keys of executors' lives: claims that outlive them, plugins that resize and roll them, heartbeats, and leaving in good order (3.6, 3.7, 4.7, 4.8).

use super::keys::{COUNT, I32, key, since};
use super::{ConfDefault, ConfKey, ConfKind};
use crate::quantity::SparkUnit::B;
use ConfDefault::{Released, Unset};
use ConfKind::{Bool, Integer, Number, Size, Text, Time};

/// This part of the table.
pub(super) const KEYS: &[ConfKey] = &[
    since(
        (3, 2),
        &key("spark.kubernetes.driver.ownPersistentVolumeClaim", Bool, Released, "Whether claims belong to the driver and outlive their pods.", "4.8"),
    ),
    since(
        (3, 2),
        &key("spark.kubernetes.driver.reusePersistentVolumeClaim", Bool, Released, "Whether new pods mount the claims of pods that are gone.", "4.8"),
    ),
    since((3, 4), &key("spark.kubernetes.driver.waitToReusePersistentVolumeClaim", Bool, Released, "Whether pods wait for such a claim.", "4.8")),
    since(
        (3, 0),
        &key(
            "spark.shuffle.sort.io.plugin.class",
            Text,
            Released,
            "Where Spark keeps shuffle data: whether files on a claim are found again, and whether it knows that a remote service's outlive executors.",
            "3.7, 4.8",
        ),
    ),
    since((4, 2), &key("spark.kubernetes.executor.pvc.resizeInterval", Time("min"), Released, "Time between two looks at how full claims are.", "4.7")),
    since((4, 2), &key("spark.kubernetes.executor.pvc.resizeThreshold", Number(0.0, 1.0), Released, "Use above which claims grow.", "4.7")),
    since((4, 2), &key("spark.kubernetes.executor.pvc.resizeFactor", Number(0.0, 1000.0), Released, "By how much of their size.", "4.7")),
    since(
        (4, 2),
        &key(
            "spark.kubernetes.allocation.recoveryMode.enabled",
            Bool,
            Unset("from the first OOM on"),
            "Whether new executors run one task at a time: true always, false never.",
            "4.7",
        ),
    ),
    since(
        (3, 0),
        &key(
            "spark.plugins",
            Text,
            Released,
            "Plugin classes; of these those that resize executors and their claims, and that replace executors, are modelled.",
            "4.7",
        ),
    ),
    since((4, 2), &key("spark.kubernetes.executor.resizeInterval", Time("s"), Released, "How often executors' memory is compared with their limit.", "4.7")),
    since((4, 2), &key("spark.kubernetes.executor.resizeThreshold", Number(0.0, 1.0), Released, "Share of the limit above which it grows.", "4.7")),
    since((4, 2), &key("spark.kubernetes.executor.resizeFactor", Number(0.0, 1.0), Released, "By how much of itself the limit grows.", "4.7")),
    since((3, 3), &key("spark.kubernetes.executor.rollInterval", Time("s"), Released, "How often one executor is replaced on purpose; 0 is never.", "3.7")),
    since((3, 3), &key("spark.kubernetes.executor.rollPolicy", Text, Released, "Which executor is replaced on purpose.", "3.7")),
    since(
        (3, 3),
        &key(
            "spark.kubernetes.executor.minTasksPerExecutorBeforeRolling",
            Integer(0, I32),
            Released,
            "Tasks that an executor must have been given before it is replaced on purpose.",
            "3.7",
        ),
    ),
    key("spark.executor.heartbeatInterval", Time("ms"), Released, "Time between heartbeats of an executor.", "3.6"),
    key("spark.network.timeout", Time("s"), Released, "Silence after which an executor is lost and connections are given up.", "3.6, FF-1"),
    key("spark.network.timeoutInterval", Time("ms"), Released, "How often silent executors are looked for.", "3.6"),
    key("spark.storage.blockManagerHeartbeatTimeoutMs", Time("ms"), Unset("spark.network.timeout"), "Silence after which an executor is lost.", "3.6"),
    key("spark.shuffle.io.connectionTimeout", Time("s"), Unset("spark.network.timeout"), "Silence after which a fetch under way fails.", "FF-1"),
    key(
        "spark.shuffle.io.connectionCreationTimeout",
        Time("s"),
        Unset("spark.shuffle.io.connectionTimeout"),
        "Time after which a connection that nobody answers fails.",
        "FF-1",
    ),
    key("spark.decommission.enabled", Bool, Released, "Whether executors with a notice leave in good order.", "3.7"),
    key("spark.storage.decommission.enabled", Bool, Released, "Whether they copy their blocks to others.", "3.7"),
    key("spark.storage.decommission.shuffleBlocks.enabled", Bool, Released, "Whether shuffle files are among them.", "3.7"),
    key("spark.storage.decommission.rddBlocks.enabled", Bool, Released, "Whether cached blocks are among them.", "3.7"),
    key("spark.storage.decommission.shuffleBlocks.maxThreads", COUNT, Released, "Peers that shuffle files are sent to at a time.", "3.7"),
    since(
        (3, 2),
        &key(
            "spark.storage.decommission.shuffleBlocks.maxDiskSize",
            Size(B),
            Unset("no limit"),
            "Shuffle files of an executor above which it takes none of others.",
            "3.7",
        ),
    ),
    key("spark.storage.decommission.maxReplicationFailuresPerBlock", Integer(0, I32), Released, "Failures to copy a block after which it is given up.", "3.7"),
    key("spark.storage.decommission.replicationReattemptInterval", Time("ms"), Released, "Time between two looks for blocks to copy.", "3.7"),
    key("spark.storage.decommission.fallbackStorage.path", Text, Unset("none"), "Storage for shuffle files that no peer takes.", "3.7"),
    since((3, 2), &key("spark.executor.decommission.forceKillTimeout", Time("s"), Unset("no limit"), "Time after which a leaving executor is killed.", "3.7")),
];

//! Where shuffle data lies: the shuffle manager, and the keys of the client that it names (3.7).
//!
//! Celeborn's and Uniffle's keys have no entry in Spark's catalogue; their defaults are those of Celeborn 0.6 and Uniffle 0.10. The
//! service's own side is a table of the scenario.

use sim_core::spec::{Platform, PushConf, RemoteClient, RemoteShuffleConf, RemoteShuffleService, ShuffleStorageConf};
use sim_core::units::Bytes;

use super::Conf;
use crate::codec::Codec;

/// The key that names the manager.
pub(crate) const MANAGER: &str = "spark.shuffle.manager";
/// The key that names where Spark keeps shuffle data, and so whether it outlives executors.
pub(crate) const IO_PLUGIN: &str = "spark.shuffle.sort.io.plugin.class";
/// The codec of Celeborn's client.
pub(crate) const CELEBORN_CODEC: &str = "spark.celeborn.client.shuffle.compression.codec";
/// The codec of Uniffle's client.
pub(crate) const UNIFFLE_CODEC: &str = "spark.rss.client.io.compression.codec";
/// When Celeborn's manager takes Spark's own shuffle.
pub(crate) const FALLBACK_POLICY: &str = "spark.celeborn.client.spark.shuffle.fallback.policy";
const FORCE_FALLBACK: &str = "spark.celeborn.client.spark.shuffle.forceFallback.enabled";

/// Celeborn's chunk of a reducer's data (`celeborn.shuffle.chunk.size`), of which several are in flight.
const CHUNK: Bytes = Bytes::mib(8);

/// A shuffle manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    /// Spark's own.
    Sort,
    /// Apache Celeborn's.
    Celeborn,
    /// Apache Uniffle's.
    Uniffle,
    /// Somebody else's.
    Other,
}

/// The manager that the configuration names.
pub(crate) fn manager(conf: &Conf) -> Manager {
    let name = conf.text(MANAGER).unwrap_or_default();
    match name.as_str() {
        "" | "org.apache.spark.shuffle.sort.SortShuffleManager" => Manager::Sort,
        short if short.eq_ignore_ascii_case("sort") || short.eq_ignore_ascii_case("tungsten-sort") => Manager::Sort,
        "org.apache.spark.shuffle.celeborn.SparkShuffleManager" | "org.apache.spark.shuffle.celeborn.RssShuffleManager" => Manager::Celeborn,
        "org.apache.spark.shuffle.RssShuffleManager" | "org.apache.spark.shuffle.DelegationRssShuffleManager" => Manager::Uniffle,
        _ => Manager::Other,
    }
}

/// Whether Celeborn's manager always takes Spark's own shuffle.
pub(crate) fn always_falls_back(conf: &Conf) -> bool {
    conf.on(FORCE_FALLBACK) || conf.text(FALLBACK_POLICY).is_some_and(|policy| policy.eq_ignore_ascii_case("always"))
}

/// The service that stores shuffle data, if one does.
pub(crate) fn remote_kind(conf: &Conf) -> Option<Manager> {
    match manager(conf) {
        Manager::Celeborn if always_falls_back(conf) => None,
        kind @ (Manager::Celeborn | Manager::Uniffle) => Some(kind),
        Manager::Sort | Manager::Other => None,
    }
}

/// The class that tells Spark that a service's outputs outlive executors.
pub(crate) const fn plugin_of(kind: Manager) -> &'static str {
    match kind {
        Manager::Uniffle => "org.apache.spark.shuffle.RssShuffleDataIo",
        Manager::Celeborn | Manager::Sort | Manager::Other => "org.apache.spark.shuffle.celeborn.CelebornShuffleDataIO",
    }
}

/// What the scenario says of the service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RemoteService {
    /// The workers; their `pause_at` counts where the scenario has it.
    pub(crate) workers: RemoteShuffleService,
    /// Whether the scenario has `pause_at`.
    pub(crate) pauses: bool,
    /// Whether Spark is patched.
    pub(crate) patched: bool,
}

/// Where shuffle data lies.
pub(super) fn shuffle_storage(conf: &Conf, platform: Platform, service: Option<RemoteService>) -> ShuffleStorageConf {
    let remote = remote_kind(conf).zip(service).map(|(kind, service)| remote(conf, kind, service));
    let push = (conf.on(PUSH_ENABLED) && keeps_from_pushing(conf, platform).is_empty()).then(|| push(conf));
    ShuffleStorageConf { remote, push }
}

/// The key of push-based shuffle.
pub(crate) const PUSH_ENABLED: &str = "spark.shuffle.push.enabled";
/// What a `NodeManager` does with what is pushed: nothing, by default.
const MERGER: &str = "spark.shuffle.push.server.mergedShuffleFileManagerImpl";

/// What Spark needs to push shuffle blocks and does not have (`Utils.isPushBasedShuffleEnabled`). That shuffle services merge is the
/// cluster's setting, so it is assumed unless the application's says otherwise.
pub(crate) fn keeps_from_pushing(conf: &Conf, platform: Platform) -> Vec<&'static str> {
    let kryo = conf.text("spark.serializer").is_some_and(|name| name.ends_with("KryoSerializer"));
    let merges = conf.text(MERGER).is_none_or(|class| !class.ends_with("NoOpMergedShuffleFileManager"));
    let needs = [
        (platform == Platform::Yarn, "YARN"),
        (conf.on("spark.shuffle.service.enabled"), "spark.shuffle.service.enabled = true"),
        (kryo, "spark.serializer = org.apache.spark.serializer.KryoSerializer"),
        (!conf.on("spark.io.encryption.enabled"), "spark.io.encryption.enabled = false"),
        (merges, "a merging shuffle service (org.apache.spark.network.shuffle.RemoteBlockPushResolver)"),
        (remote_kind(conf).is_none(), "Spark's own shuffle manager"),
    ];
    needs.into_iter().filter(|(has, _)| !has).map(|(_, what)| what).collect()
}

fn push(conf: &Conf) -> PushConf {
    let key = |name: &str| format!("spark.shuffle.push.{name}");
    let fixed = || conf.count("spark.executor.instances").unwrap_or(1);
    PushConf {
        max_block: conf.size(&key("maxBlockSizeToPush")).unwrap_or_default(),
        mergers_min_static: conf.count(&key("mergersMinStaticThreshold")).unwrap_or_default(),
        mergers_min_ratio: conf.number(&key("mergersMinThresholdRatio")).unwrap_or_default(),
        max_executors: super::allocation::dynamic(conf).map_or_else(fixed, |dynamic| dynamic.max),
        finalize_timeout: conf.time(&key("finalize.timeout")).unwrap_or_default(),
        // Spark 3.2 waits in any case, and for the whole time.
        min_size_to_wait: conf.size(&key("minShuffleSizeToWait")).unwrap_or_default(),
        min_completed_ratio: conf.number(&key("minCompletedPushRatio")).unwrap_or(2.0),
    }
}

fn remote(conf: &Conf, kind: Manager, given: RemoteService) -> RemoteShuffleConf {
    let plugged = (conf.version.major, conf.version.minor) >= (3, 5) && conf.text(IO_PLUGIN).is_some_and(|class| class == plugin_of(kind));
    let mut service = given.workers;
    if !given.pauses {
        service.pause_at = if kind == Manager::Celeborn { 0.85 } else { 0.7 };
    }
    let replicates = conf.on("spark.celeborn.client.push.replicate.enabled");
    let celeborn = kind == Manager::Celeborn;
    RemoteShuffleConf {
        client: if celeborn { celeborn_client(conf) } else { uniffle_client(conf) },
        max_partitions: if celeborn { count(conf, "spark.celeborn.client.spark.shuffle.fallback.numPartitionsThreshold", u32::MAX) } else { u32::MAX },
        reliable: plugged || given.patched,
        at_executor: celeborn,
        copies_sent: if celeborn { 1 } else { count(conf, "spark.rss.data.replica", 1).max(1) },
        copies_made: u32::from(celeborn && replicates),
        fetch_in_flight: if celeborn {
            CHUNK * u64::from(count(conf, "spark.celeborn.client.fetch.maxReqsInFlight", 3))
        } else {
            size(conf, "spark.rss.client.read.buffer.size", Bytes::mib(14))
        },
        service,
    }
}

fn celeborn_client(conf: &Conf) -> RemoteClient {
    let sorts = conf.text("spark.celeborn.client.spark.shuffle.writer").is_some_and(|writer| writer.eq_ignore_ascii_case("sort"));
    let by_partitions = conf.on("spark.celeborn.client.spark.push.dynamicWriteMode.enabled");
    RemoteClient::Celeborn {
        buffer_initial: size(conf, "spark.celeborn.client.push.buffer.initial.size", Bytes::kib(8)),
        buffer_max: size(conf, "spark.celeborn.client.push.buffer.max.size", Bytes::kib(64)),
        queue: count(conf, "spark.celeborn.client.push.queue.capacity", 512),
        sort_threshold: size(conf, "spark.celeborn.client.spark.push.sort.memory.threshold", Bytes::mib(64)),
        hash_up_to: match (by_partitions, sorts) {
            (true, _) => count(conf, "spark.celeborn.client.spark.push.dynamicWriteMode.partitionNum.threshold", 2000),
            (false, true) => 0,
            (false, false) => u32::MAX,
        },
    }
}

fn uniffle_client(conf: &Conf) -> RemoteClient {
    RemoteClient::Uniffle {
        spill_size: size(conf, "spark.rss.writer.buffer.spill.size", Bytes::mib(128)),
        step: size(conf, "spark.rss.writer.pre.allocated.buffer.size", Bytes::mib(16)),
        spills: conf.on("spark.rss.client.memory.spill.enabled"),
    }
}

fn size(conf: &Conf, key: &str, default: Bytes) -> Bytes {
    conf.size(key).filter(|size| !size.is_zero()).unwrap_or(default)
}
fn count(conf: &Conf, key: &str, default: u32) -> u32 {
    conf.count(key).unwrap_or(default)
}

/// Whether shuffle data is compressed, and the codec: of the service's client where there is one, else Spark's.
pub(super) fn codec(conf: &Conf) -> (bool, Codec) {
    let spark = || conf.text("spark.io.compression.codec").and_then(|name| Codec::find(&name)).unwrap_or(Codec::spark_default());
    let of = |key: &str| conf.text(key).unwrap_or_else(|| "lz4".to_owned());
    let found = |name: &str| Codec::find(name).unwrap_or(Codec::spark_default());
    match remote_kind(conf) {
        None | Some(Manager::Sort | Manager::Other) => (conf.on("spark.shuffle.compress"), spark()),
        Some(Manager::Celeborn) => (!of(CELEBORN_CODEC).eq_ignore_ascii_case("none"), found(&of(CELEBORN_CODEC))),
        Some(Manager::Uniffle) => (conf.on("spark.shuffle.compress") && !of(UNIFFLE_CODEC).eq_ignore_ascii_case("noop"), found(&of(UNIFFLE_CODEC))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Diagnostics, Source};
    use crate::properties::read_properties;
    use crate::raw::Layer;
    use sim_core::spec::SparkVersion;
    use sim_core::units::ByteRate;

    fn conf(text: &str, minor: u16) -> Conf {
        let source = Source::new("test.conf", text);
        let entries = read_properties(&source, &Layer::Properties, &mut Diagnostics::default());
        Conf::new(&entries, SparkVersion { major: 3, minor, patch: 0 })
    }
    fn resolved(text: &str, minor: u16) -> Option<RemoteShuffleConf> {
        let workers = RemoteShuffleService {
            workers: 3,
            nic: ByteRate::mb_per_sec(1000),
            disk: ByteRate::mb_per_sec(500),
            disk_size: Bytes::gib(100),
            memory: Bytes::gib(4),
            pause_at: 0.0,
            page_cache: Bytes::gib(8),
        };
        shuffle_storage(&conf(text, minor), Platform::Kubernetes, Some(RemoteService { workers, pauses: false, patched: false })).remote
    }

    const CELEBORN: &str = "spark.shuffle.manager org.apache.spark.shuffle.celeborn.SparkShuffleManager\n";
    const UNIFFLE: &str = "spark.shuffle.manager org.apache.spark.shuffle.RssShuffleManager\n";

    #[test]
    fn managers_by_their_class_names() {
        for sort in ["", "spark.shuffle.manager sort", "spark.shuffle.manager tungsten-sort"] {
            assert_eq!((manager(&conf(sort, 5)), resolved(sort, 5)), (Manager::Sort, None));
        }
        assert_eq!(manager(&conf("spark.shuffle.manager com.example.Mine", 5)), Manager::Other);
        let celeborn = resolved(CELEBORN, 5).expect("remote");
        assert!(matches!(celeborn.client, RemoteClient::Celeborn { hash_up_to: u32::MAX, queue: 512, .. }));
        assert_eq!((celeborn.copies(), celeborn.fetch_in_flight, celeborn.service.pause_at.to_bits()), (1, Bytes::mib(24), 0.85_f64.to_bits()));
        let uniffle = resolved(&format!("{UNIFFLE}spark.rss.data.replica 3"), 5).expect("remote");
        assert_eq!((uniffle.copies(), uniffle.at_executor), (3, false));
    }

    #[test]
    fn celeborn_falls_back_when_told_to() {
        for key in ["spark.celeborn.client.spark.shuffle.fallback.policy ALWAYS", "spark.celeborn.client.spark.shuffle.forceFallback.enabled true"] {
            assert_eq!(resolved(&format!("{CELEBORN}{key}"), 5), None);
        }
        let few = resolved(&format!("{CELEBORN}spark.celeborn.client.spark.shuffle.fallback.numPartitionsThreshold 500"), 5);
        assert_eq!(few.map(|conf| conf.max_partitions), Some(500));
    }

    // SPARK-42689: the driver component can say so from 3.5 on.
    #[test]
    fn spark_knows_of_the_service_by_its_plugin_from_3_5_on() {
        let plugged = format!("{CELEBORN}spark.shuffle.sort.io.plugin.class org.apache.spark.shuffle.celeborn.CelebornShuffleDataIO");
        let reliable = |text: &str, minor| resolved(text, minor).map(|conf| conf.reliable);
        assert_eq!((reliable(&plugged, 5), reliable(&plugged, 4), reliable(CELEBORN, 5)), (Some(true), Some(false), Some(false)));
    }

    // `Utils.isPushBasedShuffleEnabled`.
    #[test]
    fn spark_pushes_on_yarn_with_a_service_and_a_relocatable_serializer() {
        let text = |changed: &str| {
            format!(
                "spark.shuffle.push.enabled true\nspark.shuffle.service.enabled true\n\
                 spark.serializer org.apache.spark.serializer.KryoSerializer\nspark.executor.instances 7\n{changed}"
            )
        };
        let of = |text: &str, platform| shuffle_storage(&conf(text, 5), platform, None).push;
        let push = of(&text(""), Platform::Yarn).expect("all is there");
        assert_eq!((push.max_block, push.mergers_min_static, push.max_executors), (Bytes::mib(1), 5, 7));
        assert_eq!((push.finalize_timeout.as_secs_f64(), push.min_size_to_wait), (10.0, Bytes::mib(500)));
        assert_eq!(of(&text(""), Platform::Kubernetes), None);
        for without in [
            "spark.shuffle.service.enabled false",
            "spark.serializer org.apache.spark.serializer.JavaSerializer",
            "spark.io.encryption.enabled true",
            "spark.shuffle.push.server.mergedShuffleFileManagerImpl org.apache.spark.network.shuffle.NoOpMergedShuffleFileManager",
            "spark.shuffle.manager org.apache.spark.shuffle.RssShuffleManager",
        ] {
            assert_eq!(of(&text(without), Platform::Yarn), None, "{without}");
        }
        assert_eq!(of("", Platform::Yarn), None);
    }

    #[test]
    fn the_clients_codec_counts() {
        let of = |text: &str| codec(&conf(text, 5));
        let zstd = Codec::find("zstd").expect("known");
        assert_eq!(of("spark.io.compression.codec zstd"), (true, zstd));
        assert_eq!(of(&format!("{CELEBORN}spark.io.compression.codec zstd")), (true, Codec::spark_default()));
        assert_eq!(of(&format!("{CELEBORN}{CELEBORN_CODEC} ZSTD")), (true, zstd));
        assert!(!of(&format!("{CELEBORN}{CELEBORN_CODEC} NONE")).0 && !of(&format!("{UNIFFLE}{UNIFFLE_CODEC} NOOP")).0);
    }
}

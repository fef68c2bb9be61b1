//! Keys that say how executors are asked for, resolved (4.4, 3.7, 1.9).

use sim_core::spec::{AllocationConf, ClaimResize, ClaimReuse, ClaimsConf, DecommissionConf, DynamicAllocation, FallbackStorage, Platform, PodsAllocator};
use sim_core::units::{ByteRate, SimSpan};

use super::shuffle_storage::{Manager, remote_kind};
use super::{Conf, executor_life};

/// Without a ceiling Spark's keys hold the largest 32-bit integer.
const NO_CEILING: u32 = i32::MAX as u32;

/// One stream to an object store, the middle of 40 to 100 MB/s (8.1).
const OBJECT_STORE_STREAM: ByteRate = ByteRate::mb_per_sec(70);

/// How executors are asked for on a platform; `in_place` tells whether its pods can be resized.
pub(super) fn allocation(conf: &Conf, platform: Platform, in_place: bool) -> AllocationConf {
    let ceiling = |key| conf.count(key).filter(|&most| most < NO_CEILING);
    let delay = conf.time("spark.kubernetes.allocation.batch.delay").unwrap_or_default();
    let timeout = conf.time("spark.kubernetes.allocation.executor.timeout").unwrap_or_default();
    let by_controller = conf.text("spark.kubernetes.allocation.pods.allocator").is_some_and(|name| ["statefulset", "deployment"].contains(&name.as_str()));
    let allocator = if by_controller { PodsAllocator::Controller } else { PodsAllocator::Direct };
    AllocationConf {
        allocator,
        delete_on_termination: conf.on("spark.kubernetes.executor.deleteOnTermination"),
        max_pending_pods: [ceiling("spark.kubernetes.allocation.maxPendingPods"), ceiling("spark.kubernetes.allocation.maxPendingPodsPerRp")]
            .into_iter()
            .flatten()
            .min(),
        creation_timeout: timeout.max(delay * 5),
        maximum: ceiling("spark.kubernetes.allocation.maximum"),
        yarn_heartbeat: conf.time("spark.yarn.scheduler.heartbeat.interval-ms").unwrap_or_default(),
        // The master counts only where it runs the executors; a negative number never gives up.
        max_executor_retries: conf.count("spark.deploy.maxExecutorRetries").filter(|_| platform == Platform::Standalone),
        dynamic: dynamic(conf).filter(|_| platform != Platform::Bare),
        decommission: decommission(conf),
        recovery: executor_life::recovery(conf, platform, allocator),
        resize: executor_life::resize(conf, platform, allocator, in_place),
        roll: executor_life::roll(conf, platform),
        heartbeat: executor_life::heartbeat(conf),
        claims: ClaimsConf { reuse: claim_reuse(conf), resize: claim_resize(conf) },
    }
}

/// Claims that outlive their pods, when the driver owns and reuses them (4.8). The plug-in that recovers shuffle files takes the key
/// for off unless it is written.
fn claim_reuse(conf: &Conf) -> Option<ClaimReuse> {
    let key = |name: &str| format!("spark.kubernetes.driver.{name}PersistentVolumeClaim");
    let plugin = conf.text("spark.shuffle.sort.io.plugin.class").is_some_and(|class| class == "org.apache.spark.shuffle.KubernetesLocalDiskShuffleDataIO");
    (conf.on(&key("own")) && conf.on(&key("reuse"))).then(|| ClaimReuse {
        wait: conf.on(&key("waitToReuse")),
        recover: plugin && conf.written(&key("reuse")).is_some(),
        verify: conf.version.major >= 4 && conf.on("spark.shuffle.checksum.enabled"),
    })
}

/// Claims that grow, when the plug-in is there (4.7); an interval of zero switches it off.
fn claim_resize(conf: &Conf) -> Option<ClaimResize> {
    let key = |name: &str| format!("spark.kubernetes.executor.pvc.resize{name}");
    let there = executor_life::plugins(conf).iter().any(|name| name == executor_life::PVC_RESIZE_PLUGIN);
    let interval = conf.time(&key("Interval")).filter(|interval| there && !interval.is_zero())?;
    Some(ClaimResize { interval, threshold: conf.number(&key("Threshold"))?, factor: conf.number(&key("Factor"))? })
}

/// Leaving in good order, when enabled (3.7).
fn decommission(conf: &Conf) -> Option<DecommissionConf> {
    let storage = |name: &str| format!("spark.storage.decommission.{name}");
    conf.on("spark.decommission.enabled").then(|| DecommissionConf {
        shuffle_blocks: conf.on(&storage("enabled")) && conf.on(&storage("shuffleBlocks.enabled")),
        rdd_blocks: conf.on(&storage("enabled")) && conf.on(&storage("rddBlocks.enabled")),
        max_threads: conf.count(&storage("shuffleBlocks.maxThreads")).unwrap_or_default(),
        max_disk_size: conf.size(&storage("shuffleBlocks.maxDiskSize")),
        max_failures_per_block: conf.count(&storage("maxReplicationFailuresPerBlock")).unwrap_or_default(),
        reattempt_interval: conf.time(&storage("replicationReattemptInterval")).unwrap_or_default(),
        force_kill_timeout: conf.time("spark.executor.decommission.forceKillTimeout"),
        fallback: conf.text(&storage("fallbackStorage.path")).map(|_| FallbackStorage { per_stream: OBJECT_STORE_STREAM }),
    })
}

/// Dynamic allocation, when enabled.
pub(crate) fn dynamic(conf: &Conf) -> Option<DynamicAllocation> {
    let key = |name: &str| format!("spark.dynamicAllocation.{name}");
    if !conf.on(&key("enabled")) {
        return None;
    }
    let time = |name: &str| conf.time(&key(name));
    let min = conf.count(&key("minExecutors")).unwrap_or_default();
    let instances = conf.written("spark.executor.instances").and_then(|_| conf.count("spark.executor.instances"));
    let backlog_timeout = time("schedulerBacklogTimeout").unwrap_or(SimSpan::from_secs(1));
    Some(DynamicAllocation {
        min,
        initial: [conf.count(&key("initialExecutors")), instances].into_iter().flatten().fold(min, u32::max),
        max: conf.count(&key("maxExecutors")).unwrap_or(NO_CEILING),
        ratio: conf.number(&key("executorAllocationRatio")).unwrap_or(1.0),
        backlog_timeout,
        sustained_backlog_timeout: time("sustainedSchedulerBacklogTimeout").unwrap_or(backlog_timeout),
        idle_timeout: time("executorIdleTimeout").unwrap_or_default(),
        cached_idle_timeout: time("cachedExecutorIdleTimeout"),
        // Uniffle's manager switches it off.
        shuffle_tracking: conf.on(&key("shuffleTracking.enabled")) && !conf.on("spark.shuffle.service.enabled") && remote_kind(conf) != Some(Manager::Uniffle),
        shuffle_timeout: time("shuffleTracking.timeout"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Diagnostics, Source};
    use crate::properties::read_properties;
    use crate::raw::Layer;
    use sim_core::spec::SparkVersion;

    fn resolved(text: &str, minor: u16) -> AllocationConf {
        let source = Source::new("test.conf", text);
        let entries = read_properties(&source, &Layer::Properties, &mut Diagnostics::default());
        allocation(&Conf::new(&entries, SparkVersion { major: if minor < 3 { 4 } else { 3 }, minor, patch: 0 }), Platform::Kubernetes, true)
    }

    /// Appendix B, and the chain of defaults: the minimum, unless more is asked for at first.
    #[test]
    fn dynamic_allocation_takes_its_defaults_from_each_other() {
        // 4.8: from 3.4 on claims are the driver's, and used again.
        let claims = ClaimsConf { reuse: Some(ClaimReuse { wait: false, recover: false, verify: false }), resize: None };
        assert_eq!(resolved("", 4), AllocationConf { max_executor_retries: None, claims, ..AllocationConf::FIXED });
        let dynamic = |text: &str, minor| resolved(&format!("spark.dynamicAllocation.enabled true\n{text}"), minor).dynamic.expect("on");
        let plain = dynamic("", 4);
        assert_eq!((plain.min, plain.initial, plain.max, plain.shuffle_tracking), (0, 0, NO_CEILING, true));
        assert!(!dynamic("", 3).shuffle_tracking, "off by default before 3.4");
        assert_eq!((plain.sustained_backlog_timeout, plain.idle_timeout, plain.cached_idle_timeout), (SimSpan::from_secs(1), SimSpan::from_secs(60), None));
        let first = |text| dynamic(text, 4).initial;
        assert_eq!(first("spark.dynamicAllocation.minExecutors 2"), 2);
        assert_eq!(first("spark.dynamicAllocation.minExecutors 2\nspark.executor.instances 5\nspark.dynamicAllocation.initialExecutors 3"), 5);
        assert!(!dynamic("spark.shuffle.service.enabled true", 4).shuffle_tracking);
    }

    /// 4.8: both keys are on from 3.4, the plug-in wants one of them written, and 4.0 verifies what it finds.
    #[test]
    fn claims_by_version_and_plugin() {
        let plugin = "spark.shuffle.sort.io.plugin.class org.apache.spark.shuffle.KubernetesLocalDiskShuffleDataIO\n";
        let written = format!("{plugin}spark.kubernetes.driver.reusePersistentVolumeClaim true\n");
        let of = |text: &str, minor| resolved(text, minor).claims.reuse.map(|reuse| (reuse.recover, reuse.verify));
        assert_eq!((of("", 3), of("", 5), of(plugin, 5)), (None, Some((false, false)), Some((false, false))));
        assert_eq!((of(&written, 5), of(&written, 0)), (Some((true, false)), Some((true, true))));
        assert_eq!(of("spark.kubernetes.driver.ownPersistentVolumeClaim false", 5), None);
    }

    /// 4.7: 4.2 has the keys; without the plug-in they do nothing.
    #[test]
    fn claims_grow_with_the_plugin_only() {
        let plugin = &format!("spark.plugins a.B, {}\n", executor_life::PVC_RESIZE_PLUGIN);
        let of = |text: &str| resolved(text, 2).claims.resize;
        assert_eq!(of("spark.kubernetes.executor.pvc.resizeInterval 1min"), None);
        assert_eq!(of(plugin), Some(ClaimResize { interval: SimSpan::from_secs(300), threshold: 0.5, factor: 1.0 }));
        assert_eq!(of(&format!("{plugin}spark.kubernetes.executor.pvc.resizeInterval 0")), None);
    }

    /// 4.1 added a ceiling by resource profile and one on all pods ever created.
    #[test]
    fn ceilings_by_version() {
        let text = "spark.kubernetes.allocation.maxPendingPods 9\nspark.kubernetes.allocation.maxPendingPodsPerRp 4\nspark.kubernetes.allocation.maximum 30";
        let of = |minor| (resolved(text, minor).max_pending_pods, resolved(text, minor).maximum);
        assert_eq!((of(4), of(0), of(1)), ((Some(9), None), (Some(9), None), (Some(4), Some(30))));
        assert_eq!(resolved("spark.kubernetes.allocation.batch.delay 200s", 4).creation_timeout, SimSpan::from_secs(1000), "AL-3");
    }
}

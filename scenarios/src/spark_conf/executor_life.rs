//! Keys about what happens to executors while they live, resolved (3.6, 4.7).

use sim_core::spec::{HeartbeatConf, Platform, PodsAllocator, RecoveryMode, ResizeConf, RollConf, RollPolicy};
use sim_core::units::SimSpan;

use super::Conf;

/// Class of the plugin that resizes executors.
pub(crate) const RESIZE_PLUGIN: &str = "org.apache.spark.scheduler.cluster.k8s.ExecutorResizePlugin";
/// The plugin that lets claims grow (4.7).
pub(crate) const PVC_RESIZE_PLUGIN: &str = "org.apache.spark.scheduler.cluster.k8s.ExecutorPVCResizePlugin";

/// Class of the plugin that replaces executors.
pub(crate) const ROLL_PLUGIN: &str = "org.apache.spark.scheduler.cluster.k8s.ExecutorRollPlugin";

/// Whether replacements run one task at a time. Only the direct allocator is told of an OOM; `true` counts for all.
pub(super) fn recovery(conf: &Conf, platform: Platform, allocator: PodsAllocator) -> RecoveryMode {
    const KEY: &str = "spark.kubernetes.allocation.recoveryMode.enabled";
    if platform != Platform::Kubernetes || (conf.version.major, conf.version.minor) < (4, 2) {
        return RecoveryMode::Off;
    }
    match (conf.text(KEY), allocator) {
        (Some(_), _) if conf.on(KEY) => RecoveryMode::Always,
        (None, PodsAllocator::Direct) => RecoveryMode::AfterOom,
        (Some(_), _) | (None, PodsAllocator::Controller) => RecoveryMode::Off,
    }
}

/// Names in `spark.plugins`.
pub(crate) fn plugins(conf: &Conf) -> Vec<String> {
    let text = conf.text("spark.plugins").unwrap_or_default();
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The plugin that resizes executors, where it does anything: `in_place` tells whether the cluster can resize pods.
pub(super) fn resize(conf: &Conf, platform: Platform, allocator: PodsAllocator, in_place: bool) -> Option<ResizeConf> {
    let key = |name: &str| format!("spark.kubernetes.executor.{name}");
    let works = in_place && platform == Platform::Kubernetes && allocator == PodsAllocator::Direct;
    let interval = conf.time(&key("resizeInterval")).filter(|interval| *interval > SimSpan::ZERO)?;
    (works && plugins(conf).iter().any(|name| name == RESIZE_PLUGIN)).then(|| ResizeConf {
        interval,
        threshold: conf.number(&key("resizeThreshold")).unwrap_or_default(),
        factor: conf.number(&key("resizeFactor")).unwrap_or_default(),
    })
}

/// The plugin that replaces executors, where it does anything: on Kubernetes, with an interval and with decommission.
pub(super) fn roll(conf: &Conf, platform: Platform) -> Option<RollConf> {
    let works = platform == Platform::Kubernetes && conf.on("spark.decommission.enabled") && plugins(conf).iter().any(|name| name == ROLL_PLUGIN);
    let interval = roll_interval(conf).filter(|_| works)?;
    Some(RollConf {
        interval,
        policy: roll_policy(conf).unwrap_or_default(),
        min_tasks: conf.count("spark.kubernetes.executor.minTasksPerExecutorBeforeRolling").unwrap_or_default(),
        wide_outliers: (conf.version.major, conf.version.minor) >= (3, 4),
    })
}

/// Time between two looks of that plugin, which Spark cuts off to whole seconds; `None` when that leaves nothing.
pub(crate) fn roll_interval(conf: &Conf) -> Option<SimSpan> {
    let seconds = conf.time("spark.kubernetes.executor.rollInterval")?.as_ns() / SimSpan::from_secs(1).as_ns();
    (seconds > 0).then(|| SimSpan::from_secs(seconds))
}

/// Its policy, if the release has one of this name; upper and lower case are the same.
pub(crate) fn roll_policy(conf: &Conf) -> Option<RollPolicy> {
    let name = conf.text("spark.kubernetes.executor.rollPolicy")?.to_ascii_uppercase();
    roll_policies(conf).find(|(_, known)| *known == name).map(|(policy, _)| policy)
}

/// The policies of the release, by name.
pub(crate) fn roll_policies(conf: &Conf) -> impl Iterator<Item = (RollPolicy, &'static str)> {
    let version = (conf.version.major, conf.version.minor);
    RollPolicy::ALL.into_iter().filter(move |(_, _, since)| version >= *since).map(|(policy, name, _)| (policy, name))
}

/// When silence is noticed. Timeouts fall back on `spark.network.timeout`.
pub(super) fn heartbeat(conf: &Conf) -> HeartbeatConf {
    let time = |key: &str| conf.time(key);
    let network = time("spark.network.timeout").unwrap_or_default();
    let connection_timeout = time("spark.shuffle.io.connectionTimeout").unwrap_or(network);
    HeartbeatConf {
        interval: time("spark.executor.heartbeatInterval").unwrap_or_default(),
        timeout: time("spark.storage.blockManagerHeartbeatTimeoutMs").unwrap_or(network),
        check_interval: time("spark.network.timeoutInterval").unwrap_or_default(),
        connection_timeout,
        creation_timeout: time("spark.shuffle.io.connectionCreationTimeout").unwrap_or(connection_timeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Diagnostics, Source};
    use crate::properties::read_properties;
    use crate::raw::Layer;
    use sim_core::spec::SparkVersion;

    fn with<T>(text: &str, minor: u16, look: impl Fn(&Conf) -> T) -> T {
        with_version(text, SparkVersion { major: 4, minor, patch: 0 }, look)
    }
    fn with_version<T>(text: &str, version: SparkVersion, look: impl Fn(&Conf) -> T) -> T {
        let source = Source::new("test.conf", text);
        let entries = read_properties(&source, &Layer::Properties, &mut Diagnostics::default());
        look(&Conf::new(&entries, version))
    }

    /// `setIfMissing` at the first OOM: unset arms it, `false` keeps it off, `true` means all executors; since 4.2.
    #[test]
    fn recovery_mode_has_three_states() {
        let of = |text: &str, minor| with(text, minor, |conf| recovery(conf, Platform::Kubernetes, PodsAllocator::Direct));
        let key = "spark.kubernetes.allocation.recoveryMode.enabled";
        assert_eq!((of("", 2), of("", 3), of("", 1)), (RecoveryMode::AfterOom, RecoveryMode::AfterOom, RecoveryMode::Off));
        assert_eq!((of(&format!("{key} true"), 3), of(&format!("{key} false"), 3)), (RecoveryMode::Always, RecoveryMode::Off));
        let elsewhere = |platform, allocator| with("", 3, |conf| recovery(conf, platform, allocator));
        assert_eq!(elsewhere(Platform::Yarn, PodsAllocator::Direct), RecoveryMode::Off);
        assert_eq!(elsewhere(Platform::Kubernetes, PodsAllocator::Controller), RecoveryMode::Off);
    }

    /// 4.7: 1 min, 0.9, 0.1; nothing without the plugin, the direct allocator, or resizable pods.
    #[test]
    fn the_resize_plugin_must_be_named() {
        let text = format!("spark.plugins a.b.C, {RESIZE_PLUGIN}");
        let of = |text: &str, allocator, in_place| with(text, 3, |conf| resize(conf, Platform::Kubernetes, allocator, in_place));
        let defaults = ResizeConf { interval: SimSpan::from_secs(60), threshold: 0.9, factor: 0.1 };
        assert_eq!(of(&text, PodsAllocator::Direct, true), Some(defaults));
        assert_eq!(of("", PodsAllocator::Direct, true), None);
        assert_eq!(of(&text, PodsAllocator::Controller, true), None);
        assert_eq!(of(&text, PodsAllocator::Direct, false), None);
        assert_eq!(of(&format!("{text}\nspark.kubernetes.executor.resizeInterval 0"), PodsAllocator::Direct, true), None);
    }

    /// By byte code: off by default, without decommission, off Kubernetes and below a second; 3.3 knows eight policies, 3.4 twelve.
    #[test]
    fn the_roll_plugin_needs_its_name_an_interval_and_decommission() {
        let on = format!("spark.plugins {ROLL_PLUGIN}\nspark.decommission.enabled true\nspark.kubernetes.executor.rollInterval 90500ms");
        let of = |text: &str| with(text, 3, |conf| roll(conf, Platform::Kubernetes));
        let defaults = RollConf { interval: SimSpan::from_secs(90), policy: RollPolicy::Outlier, min_tasks: 0, wide_outliers: true };
        assert_eq!(of(&on), Some(defaults));
        for off in [
            "spark.plugins a.B",
            "spark.decommission.enabled false",
            "spark.kubernetes.executor.rollInterval 999ms",
            "spark.kubernetes.executor.rollInterval 0",
        ] {
            let key = off.split(' ').next().expect("a key");
            let others: Vec<&str> = on.lines().filter(|line| !line.starts_with(key)).collect();
            assert_eq!(of(&format!("{}\n{off}", others.join("\n"))), None, "{off}");
        }
        assert_eq!(with(&on, 3, |conf| roll(conf, Platform::Yarn)), None);
        let policy = |name: &str, major, minor| {
            with_version(&format!("spark.kubernetes.executor.rollPolicy {name}"), SparkVersion { major, minor, patch: 0 }, roll_policy)
        };
        assert_eq!((policy("disk_used", 3, 4), policy("DISK_USED", 3, 3)), (Some(RollPolicy::DiskUsed), None));
        assert_eq!((policy("ID", 3, 3), policy("ACTIVE_TASKS", 4, 3)), (Some(RollPolicy::Id), None));
        assert_eq!([3, 4].map(|minor| with_version("", SparkVersion { major: 3, minor, patch: 0 }, |conf| roll_policies(conf).count())), [8, 12]);
    }

    /// 3.6, and the chain of defaults of `HeartbeatReceiver` and `TransportConf`.
    #[test]
    fn timeouts_fall_back_on_the_network_timeout() {
        assert_eq!(with("", 3, heartbeat), HeartbeatConf::DEFAULT);
        let slow = with("spark.network.timeout 800s\nspark.shuffle.io.connectionTimeout 30s", 3, heartbeat);
        let seconds = SimSpan::from_secs;
        assert_eq!((slow.timeout, slow.connection_timeout, slow.creation_timeout), (seconds(800), seconds(30), seconds(30)));
        let own = with("spark.storage.blockManagerHeartbeatTimeoutMs 300000", 3, heartbeat);
        assert_eq!((own.timeout, own.connection_timeout), (seconds(300), seconds(120)));
    }
}

//! Keys about what happens to executors while they live, resolved (3.6, 4.7).

use sim_core::spec::{HeartbeatConf, Platform, PodsAllocator, RecoveryMode, ResizeConf};
use sim_core::units::SimSpan;

use super::Conf;

/// Class of the plugin that resizes executors.
pub(crate) const RESIZE_PLUGIN: &str = "org.apache.spark.scheduler.cluster.k8s.ExecutorResizePlugin";
/// The plugin that lets claims grow (4.7).
pub(crate) const PVC_RESIZE_PLUGIN: &str = "org.apache.spark.scheduler.cluster.k8s.ExecutorPVCResizePlugin";

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
        let source = Source::new("test.conf", text);
        let entries = read_properties(&source, &Layer::Properties, &mut Diagnostics::default());
        look(&Conf::new(&entries, SparkVersion { major: 4, minor, patch: 0 }))
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

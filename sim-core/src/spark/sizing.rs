//! How much memory the container of an executor or driver is given.
//!
//! Heap plus overhead plus off-heap plus Python, in whole MiB, each part truncated as Spark truncates it. The overhead is an
//! absolute setting, or a factor of the heap with a minimum; which factor applies depends on version, platform, language
//! and deploy mode. On Kubernetes the sum is request and limit alike (POD-4); on YARN the scheduler rounds it up
//! ([`crate::yarn::sizing`]); standalone and bare executors have no container of Spark's making (1.9). Source: 1.5.

use crate::spec::{DeployMode, Language, Platform, SparkVersion};
use crate::units::Bytes;

/// Default overhead as a share of the heap (POD-2).
pub const OVERHEAD_FACTOR: f64 = 0.1;
/// Overhead factor that submission sets for Python and R applications in cluster mode on Kubernetes (POD-3).
pub const NON_JVM_OVERHEAD_FACTOR: f64 = 0.4;
/// Least overhead, MiB (POD-1).
pub const MIN_OVERHEAD_MIB: u64 = 384;

/// What decides the size of a container. The same for an executor and for a driver (POD-10), each with its own keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SizingRequest {
    /// What runs the container.
    pub platform: Platform,
    /// Spark release.
    pub version: SparkVersion,
    /// Language of the application.
    pub language: Language,
    /// Where the driver runs.
    pub deploy_mode: DeployMode,
    /// `spark.executor.memory`: the heap.
    pub memory: Bytes,
    /// `spark.executor.memoryOverhead`, if set: replaces factor and minimum.
    pub overhead: Option<Bytes>,
    /// `spark.executor.memoryOverheadFactor`, if set. Without effect before 3.3 (POD-2).
    pub overhead_factor: Option<f64>,
    /// `spark.kubernetes.memoryOverheadFactor`, if set. Kubernetes only.
    pub kubernetes_overhead_factor: Option<f64>,
    /// `spark.executor.minMemoryOverhead`, if set. Without effect before 4.0 (POD-1).
    pub min_overhead: Option<Bytes>,
    /// `spark.memory.offHeap.size` when off-heap is enabled, else zero. Zero for a driver.
    pub off_heap: Bytes,
    /// `spark.executor.pyspark.memory`, else zero. Counts for Python applications only. Zero for a driver.
    pub pyspark: Bytes,
}

/// The parts and the sum, MiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizing {
    /// Heap.
    pub heap_mib: u64,
    /// Overhead.
    pub overhead_mib: u64,
    /// Off-heap execution and storage memory.
    pub off_heap_mib: u64,
    /// Python workers.
    pub pyspark_mib: u64,
    /// The container that is asked for: all of these.
    pub total_mib: u64,
    /// The factor that made the overhead; none when it was set outright or there is no container.
    pub factor: Option<f64>,
    /// Whether the overhead is the minimum because the factor gave less.
    pub minimum_applies: bool,
}

impl Sizing {
    /// Size of the container, bytes.
    pub const fn total(&self) -> Bytes {
        Bytes::mib(self.total_mib)
    }
    /// Overhead, bytes.
    pub const fn overhead(&self) -> Bytes {
        Bytes::mib(self.overhead_mib)
    }
}

/// The container that Spark asks for (1.5). On standalone and bare the overhead is zero and the total is only what the
/// process is configured to use, not a limit.
pub fn container_memory(request: &SizingRequest) -> Sizing {
    let heap_mib = request.memory.whole_mib();
    let off_heap_mib = request.off_heap.whole_mib();
    let pyspark_mib = if request.language == Language::Python { request.pyspark.whole_mib() } else { 0 };
    let (overhead_mib, factor, minimum_applies) = overhead(request, heap_mib);
    let total_mib = [overhead_mib, off_heap_mib, pyspark_mib].into_iter().fold(heap_mib, u64::saturating_add);
    Sizing { heap_mib, overhead_mib, off_heap_mib, pyspark_mib, total_mib, factor, minimum_applies }
}

/// Overhead in MiB, the factor behind it, and whether the minimum replaced the factor's result.
fn overhead(request: &SizingRequest, heap_mib: u64) -> (u64, Option<f64>, bool) {
    if matches!(request.platform, Platform::Standalone | Platform::Bare) {
        return (0, None, false);
    }
    if let Some(set) = request.overhead {
        return (set.whole_mib(), None, false);
    }
    let factor = overhead_factor(request);
    // Spark keeps MiB in a 32-bit integer; a float that is too large becomes the largest one.
    let by_factor = u64::from((factor * heap_mib as f64).clamp(0.0, f64::from(i32::MAX)) as u32);
    let minimum = match request.min_overhead {
        Some(set) if request.version.major >= 4 => set.whole_mib(),
        _ => MIN_OVERHEAD_MIB,
    };
    (by_factor.max(minimum), Some(factor), minimum > by_factor)
}

/// The overhead factor in force (POD-2, POD-3).
pub fn overhead_factor(request: &SizingRequest) -> f64 {
    let has_own_factor = (request.version.major, request.version.minor) >= (3, 3);
    if let Some(factor) = request.overhead_factor.filter(|_| has_own_factor) {
        return factor;
    }
    if request.platform != Platform::Kubernetes {
        return OVERHEAD_FACTOR;
    }
    let raised = request.language != Language::Jvm && request.deploy_mode == DeployMode::Cluster;
    request.kubernetes_overhead_factor.unwrap_or(if raised { NON_JVM_OVERHEAD_FACTOR } else { OVERHEAD_FACTOR })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn scala(mib: u64) -> SizingRequest {
        SizingRequest {
            platform: Platform::Kubernetes,
            version: SparkVersion { major: 3, minor: 4, patch: 0 },
            language: Language::Jvm,
            deploy_mode: DeployMode::Cluster,
            memory: Bytes::mib(mib),
            overhead: None,
            overhead_factor: None,
            kubernetes_overhead_factor: None,
            min_overhead: None,
            off_heap: Bytes::ZERO,
            pyspark: Bytes::ZERO,
        }
    }
    fn python(mib: u64) -> SizingRequest {
        SizingRequest { language: Language::Python, ..scala(mib) }
    }
    fn total(request: &SizingRequest) -> u64 {
        container_memory(request).total_mib
    }

    #[test]
    fn a1_scala_8g() {
        let sizing = container_memory(&scala(8192));
        assert_eq!((sizing.overhead_mib, sizing.total_mib), (819, 9011));
        assert_eq!(sizing.total(), Bytes::new(9_448_718_336));
        assert_eq!(sizing.overhead(), Bytes::mib(819));
    }

    #[test]
    fn a2_minimum_overhead_below_3840m() {
        assert_eq!((total(&scala(2048)), total(&scala(3072))), (2432, 3456));
        assert!(container_memory(&scala(3839)).minimum_applies);
        assert!(!container_memory(&scala(3840)).minimum_applies);
    }

    #[test]
    fn a3_python_in_cluster_mode() {
        assert_eq!(total(&python(8192)), 11_468);
        assert_eq!(total(&SizingRequest { pyspark: Bytes::gib(2), ..python(8192) }), 13_516);
    }

    #[test]
    fn pod_3_client_mode_or_an_explicit_factor_keeps_python_at_its_factor() {
        assert_eq!(total(&SizingRequest { deploy_mode: DeployMode::Client, ..python(8192) }), 9011);
        assert_eq!(total(&SizingRequest { kubernetes_overhead_factor: Some(0.1), ..python(8192) }), 9011);
        assert_eq!(total(&SizingRequest { overhead_factor: Some(0.1), ..python(8192) }), 9011);
        assert_eq!(total(&SizingRequest { language: Language::R, ..scala(8192) }), 11_468);
    }

    #[test]
    fn pod_8_totals() {
        assert_eq!(total(&scala(10_500)), 11_550);
        let all_set = SizingRequest { overhead: Some(Bytes::gib(3)), off_heap: Bytes::gib(4), ..scala(8192) };
        assert_eq!(total(&all_set), 15_360);
        assert_eq!(container_memory(&all_set).factor, None);
        assert_eq!(total(&SizingRequest { pyspark: Bytes::gib(2), ..scala(8192) }), 9011, "no Python, no Python memory");
    }

    #[test]
    fn pod_1_and_pod_2_keys_count_from_their_release() {
        let with = |major, minor| SizingRequest {
            version: SparkVersion { major, minor, patch: 0 },
            overhead_factor: Some(0.2),
            min_overhead: Some(Bytes::mib(1000)),
            ..scala(2048)
        };
        assert_eq!(total(&with(3, 2)), 2432);
        assert_eq!(total(&with(3, 3)), 2048 + 409);
        assert_eq!(total(&with(4, 0)), 3048);
    }

    #[test]
    fn pod_2_yarn_knows_no_kubernetes_factor() {
        let yarn = SizingRequest { platform: Platform::Yarn, kubernetes_overhead_factor: Some(0.9), ..python(8192) };
        assert_eq!((container_memory(&yarn).overhead_mib, total(&yarn)), (819, 9011));
    }

    #[test]
    fn standalone_has_no_overhead() {
        for platform in [Platform::Standalone, Platform::Bare] {
            let sizing = container_memory(&SizingRequest { platform, ..scala(8192) });
            assert_eq!((sizing.overhead_mib, sizing.total_mib), (0, 8192));
        }
    }

    #[test]
    fn absurd_factors_do_not_overflow() {
        for factor in [f64::NAN, f64::INFINITY, -1.0] {
            let sizing = container_memory(&SizingRequest { overhead_factor: Some(factor), ..scala(8192) });
            assert!((MIN_OVERHEAD_MIB..1 << 31).contains(&sizing.overhead_mib));
        }
    }
}

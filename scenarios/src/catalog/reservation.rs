//! What a provider keeps from pods.
//!
//! `kubeReserved` memory and CPU and the hard eviction threshold by provider and Kubernetes version (5.10). Memory is the
//! machine's nominal one. The banded formula is AKS before 1.29 and GKE; AKS from 1.29 goes by the number of pods, as does EKS.

use sim_core::spec::Reservation;
use sim_core::units::{Bytes, CoreMillis};

/// Whose rules reserve a node's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// Azure.
    Aks,
    /// Amazon.
    Eks,
    /// Google.
    Gke,
    /// Upstream defaults, and everything that is not Kubernetes.
    Upstream,
}

/// Reservation of a node (5.10, A9 to A11).
pub(crate) fn reservation(provider: Provider, kubernetes: (u16, u16), memory: Bytes, cpu: CoreMillis, max_pods: u32) -> Reservation {
    let pods = u64::from(max_pods);
    let (reserved, eviction_mib) = match provider {
        Provider::Aks if kubernetes < (1, 29) => (bands(memory), 750),
        Provider::Aks => (Bytes::mib(20 * pods + 50).min(Bytes::new(memory.get() / 4)), 100),
        Provider::Gke if memory < Bytes::gib(1) => (Bytes::mib(255), 100),
        Provider::Gke => (bands(memory), 100),
        Provider::Eks => (Bytes::mib(255 + 11 * pods), 100),
        Provider::Upstream => (Bytes::ZERO, 100),
    };
    Reservation { memory: reserved, cpu: reserved_cpu(provider, cpu), eviction_memory: Bytes::mib(eviction_mib), eviction_nodefs_percent: 10 }
}

/// 25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112, 2 % of the rest.
fn bands(memory: Bytes) -> Bytes {
    let mut rest = memory;
    let mut reserved = 0;
    for (gib, percent) in [(4, 25), (4, 20), (8, 10), (112, 6), (1 << 29, 2)] {
        let part = rest.min(Bytes::gib(gib));
        reserved += part.get() / 100 * percent + part.get() % 100 * percent / 100;
        rest -= part;
    }
    Bytes::new(reserved)
}

/// AKS: 60/100/140/180/260/420/740 thousandths for 1/2/4/8/16/32/64 cores; GKE and EKS: 6 %, 1 %, 0.5 %, 0.25 % of cores in bands.
fn reserved_cpu(provider: Provider, cpu: CoreMillis) -> CoreMillis {
    let bands: &[(u64, u64)] = match provider {
        Provider::Aks => &[(1000, 600), (1000, 400), (2000, 200), (u64::MAX, 100)],
        Provider::Eks | Provider::Gke => &[(1000, 600), (1000, 100), (2000, 50), (u64::MAX, 25)],
        Provider::Upstream => &[],
    };
    let mut rest = cpu.get();
    let mut reserved = 0;
    for (width, per_ten_thousand) in bands {
        let part = rest.min(*width);
        reserved += part * per_ten_thousand / 10_000;
        rest -= part;
    }
    CoreMillis::new(reserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allocatable_mib(provider: Provider, version: (u16, u16), memory: Bytes, pods: u32) -> f64 {
        let r = reservation(provider, version, memory, CoreMillis::cores(16), pods);
        (memory - r.memory - r.eviction_memory).as_f64() / f64::from(1 << 20)
    }

    // A9, A10, A11.
    #[test]
    fn providers_allocatable_memory() {
        let gib = 1024.0;
        for (found, expected) in [
            (allocatable_mib(Provider::Aks, (1, 28), Bytes::gib(64), 110), 57.7876 * gib),
            (allocatable_mib(Provider::Aks, (1, 28), Bytes::gib(128), 110), 117.9476 * gib),
            (allocatable_mib(Provider::Aks, (1, 29), Bytes::gib(64), 110), 63_186.0),
            (allocatable_mib(Provider::Aks, (1, 29), Bytes::gib(64), 250), 60_386.0),
            (allocatable_mib(Provider::Gke, (1, 30), Bytes::gib(150), 110), 140.1423 * gib),
            (allocatable_mib(Provider::Eks, (1, 30), Bytes::gib(64), 58), 65_536.0 - 893.0 - 100.0),
            (allocatable_mib(Provider::Upstream, (1, 30), Bytes::gib(64), 110), 65_436.0),
        ] {
            assert!((found - expected).abs() < 0.1, "{found} {expected}");
        }
    }

    // 5.10: AKS CPU reservations by cores.
    #[test]
    fn aks_reserved_cpu() {
        for (cores, millis) in [(1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740)] {
            assert_eq!(reserved_cpu(Provider::Aks, CoreMillis::cores(cores)), CoreMillis::new(millis));
        }
    }
}

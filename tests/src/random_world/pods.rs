//! Executors' pods: affinity, volumes and claims.

use super::Draw;
use sim_core::spec::{
    AccessMode, Affinity, ClaimSpec, ClassFacts, EmptyDir, LabelSelector, Medium, NodeSelectorTerm, PodAffinityTerm, Reach, Requirement, SelectorOp, Spec,
    Toleration, Volume, VolumeSource, WeightedPodAffinityTerm, ZoneSet,
};
use sim_core::units::{ByteRate, Bytes};

pub(super) fn on_executors(topology_key: &str) -> PodAffinityTerm {
    let requirement = Requirement { key: "spark-role".into(), op: SelectorOp::In, values: vec!["executor".into()] };
    PodAffinityTerm::new(LabelSelector { requirements: vec![requirement] }, topology_key)
}

/// Required affinity of executors to each other on a node: what packs them.
pub fn packed() -> Affinity {
    Affinity { required_pod: vec![on_executors("kubernetes.io/hostname")], ..Affinity::NONE }
}

/// Preferred anti-affinity of executors to each other on a node: what spreads them.
pub fn spread() -> Affinity {
    let term = WeightedPodAffinityTerm { weight: 100, term: on_executors("kubernetes.io/hostname") };
    Affinity { preferred_anti: vec![term], ..Affinity::NONE }
}

pub(super) fn affinity(d: &mut Draw) -> Affinity {
    match d.count(0, 6) {
        0 | 1 => packed(),
        2 => spread(),
        3 => Affinity { required_anti: vec![on_executors("kubernetes.io/hostname")], ..Affinity::NONE },
        4 => Affinity { preferred_pod: vec![WeightedPodAffinityTerm { weight: 7, term: on_executors("zone") }], ..Affinity::NONE },
        5 => {
            let requirement = Requirement { key: "zone".into(), op: SelectorOp::NotIn, values: vec!["2".into()] };
            Affinity { required_node: vec![NodeSelectorTerm { requirements: vec![requirement] }], ..Affinity::NONE }
        }
        _ => Affinity::NONE,
    }
}

pub(super) fn pods(d: &mut Draw, spec: &mut Spec) {
    let disks = spec.cluster.pools[0].shape.disks.len() as u64;
    let template = &mut spec.spark.kubernetes.pod_template;
    template.affinity = affinity(d);
    if d.once_in(3) {
        template.tolerations.push(Toleration { key: String::new(), exists: true, value: String::new(), effect: None });
    }
    template.priority = d.one_of(&[0, 0, 10]);
    template.ephemeral_limit = d.once_in(5).then(|| d.bytes(Bytes::mib(50), Bytes::gib(4)));
    if d.once_in(2) {
        for number in 1..=d.count(1, 3) {
            let size_limit = d.once_in(2).then(|| d.bytes(Bytes::mib(20), Bytes::gib(2)));
            let source = match d.count(0, 4) {
                0 | 1 => VolumeSource::EmptyDir(EmptyDir { medium: Medium::Disk, size_limit }),
                2 => VolumeSource::EmptyDir(EmptyDir { medium: Medium::Memory, size_limit }),
                3 => VolumeSource::HostPath { disk: d.0.below(disks) as usize },
                _ => VolumeSource::Claim(claim(d)),
            };
            template.volumes.push(local_dir(number, source));
        }
    }
}

/// A local directory of Spark's from this source.
pub fn local_dir(number: u64, source: VolumeSource) -> Volume {
    Volume { name: format!("spark-local-dir-{number}"), mount_path: format!("/scratch/{number}"), source }
}

pub(super) fn claim(d: &mut Draw) -> ClaimSpec {
    let size = d.bytes(Bytes::mib(50), Bytes::gib(4));
    let rate = ByteRate::mb_per_sec(40 + size.whole_mib() % 200);
    ClaimSpec {
        size,
        read: rate,
        write: rate,
        iops: 1000,
        io_size: Bytes::kib(256),
        shared: size.get().is_multiple_of(4),
        burst: None,
        class: class(size.get()),
    }
}

/// Facts of a storage class, by any number.
pub(super) fn class(number: u64) -> ClassFacts {
    ClassFacts {
        reach: [Reach::Region, Reach::Zone, Reach::Node][(number / 4 % 3) as usize],
        immediate: (number / 12).is_multiple_of(3),
        access: [AccessMode::ReadWriteMany, AccessMode::ReadWriteOnce, AccessMode::ReadWriteOncePod][(number / 36 % 3) as usize],
        zones: if (number / 108).is_multiple_of(4) { ZoneSet::of([0].into_iter()) } else { ZoneSet::ALL },
        per_node: (number / 432).is_multiple_of(3).then_some(2),
        expands: !(number / 1296).is_multiple_of(3),
    }
}

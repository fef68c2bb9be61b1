//! Laws on where volumes are and which nodes there are: zones, local volumes, nodes that go.

use sim_core::record::Outcome;
use sim_core::spec::{AccessMode, ClaimReuse, ClaimSpec, ClaimsConf, ClassFacts, Injection, Moment, Reach, Spec, VolumeSource};
use sim_core::units::{ByteRate, Bytes, SimSpan};
use tests::{random_world, world};

use super::runs;

const ZONAL: ClassFacts = ClassFacts { reach: Reach::Zone, ..ClassFacts::FREE };

/// A job that loses an executor, whose claims are used again after a second, on nodes in zones.
fn with_class(class: ClassFacts, zones: &[&str], nodes: u32) -> Spec {
    let mut spec = world::world();
    spec.limits.paranoid = true;
    spec.uncertainty = world::uncertain();
    spec.spark.executor.container_memory = Bytes::gib(3);
    spec.app = world::passes(Bytes::new(900_000_000), 5, 12);
    let rate = ByteRate::mb_per_sec(200);
    let claim = ClaimSpec { size: Bytes::gib(20), read: rate, write: rate, iops: 100_000, io_size: Bytes::kib(256), shared: false, burst: None, class };
    spec.spark.kubernetes.pod_template.volumes = vec![random_world::local_dir(1, VolumeSource::Claim(claim))];
    spec.spark.allocation.creation_timeout = SimSpan::from_secs(1);
    spec.spark.allocation.claims = ClaimsConf { reuse: Some(ClaimReuse { wait: false, recover: false, verify: false }), resize: None };
    spec.inject = vec![Injection { executor: 1, when: Moment::TasksDone { stage: 3, tasks: 4 } }];
    spec.cluster.pools[0].count = nodes;
    spec.cluster.pools[0].zones = zones.iter().map(|&zone| zone.to_owned()).collect();
    spec
}

fn waited(outcomes: &[Outcome]) -> Vec<u32> {
    outcomes.iter().map(|outcome| outcome.executors_pending).collect()
}

/// In one zone a zonal disk is as good as one of the region, to the event.
#[test]
fn one_zone_is_no_zone() {
    assert_eq!(runs(&with_class(ZONAL, &["a"], 4), 61, 20), runs(&with_class(ClassFacts::FREE, &["a"], 4), 61, 20));
    assert_eq!(runs(&with_class(ZONAL, &[], 4), 61, 20), runs(&with_class(ClassFacts::FREE, &[], 4), 61, 20));
}

/// More nodes in every zone never make a pod wait that did not; and pods wait for the longest where volumes bind the most.
#[test]
fn more_room_in_every_zone_makes_nobody_wait() {
    for class in [ZONAL, ClassFacts { immediate: true, ..ZONAL }, ClassFacts { reach: Reach::Node, per_node: Some(1), ..ClassFacts::FREE }] {
        let series: Vec<Vec<u32>> = [2, 4, 8].map(|nodes| waited(&runs(&with_class(class, &["a", "b"], nodes), 62, 20))).into();
        for pair in series.windows(2) {
            assert!(pair[0].iter().zip(&pair[1]).all(|(few, many)| many <= few), "{class:?}: {series:?}");
        }
    }
    let sums = [None, Some(2), Some(1), Some(0)].map(|per_node| {
        let class = ClassFacts { reach: Reach::Node, per_node, ..ClassFacts::FREE };
        waited(&runs(&with_class(class, &["a", "b"], 2), 63, 10)).iter().sum::<u32>()
    });
    assert!(sums.windows(2).all(|pair| pair[0] <= pair[1]) && sums[0] < sums[3], "{sums:?}");
}

/// A disk that has to be detached first never makes a job end earlier on the whole.
#[test]
fn detaching_takes_time() {
    let total = |access| {
        let spec = with_class(ClassFacts { access, ..ClassFacts::FREE }, &[], 4);
        runs(&spec, 64, 40).iter().map(|outcome| outcome.duration.as_secs_f64()).sum::<f64>()
    };
    let (share, disk) = (total(AccessMode::ReadWriteMany), total(AccessMode::ReadWriteOnce));
    assert!(disk >= share, "{disk} with disks, {share} with file shares");
}

/// A `min` that is the count is no `min`, to the event; and who may go is no reason to run worse where all that run keep their nodes.
#[test]
fn nodes_that_may_not_go_do_not() {
    let with = |min: Option<u32>| {
        let mut spec = world::troubled(Bytes::mib(4700));
        spec.limits.paranoid = true;
        let count = spec.cluster.pools[0].count;
        spec.cluster.pools[0].min_count = min.map(|less| count - less);
        spec.cluster.autoscaler.scale_down_unneeded = SimSpan::from_secs(1);
        spec
    };
    assert_eq!(runs(&with(None), 65, 20), runs(&with(Some(0)), 65, 20));
    let mut off = with(Some(1));
    off.cluster.autoscaler.scale_down = false;
    assert_eq!(runs(&with(None), 65, 20), runs(&off, 65, 20));
}

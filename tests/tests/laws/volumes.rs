//! Laws on volumes: larger claims, claims that are used again, more directories.

use sim_core::plan::SimPlan;
use sim_core::record::{Cause, Outcome};
use sim_core::sim::{RunKey, Simulator};
use sim_core::spec::{ClaimReuse, ClaimSpec, ClaimsConf, ClassFacts, EmptyDir, Injection, Medium, Moment, Spec, VolumeSource};
use sim_core::units::{ByteRate, Bytes, SimSpan};
use tests::{random_world, world};

use super::runs;

fn claim(size: Bytes) -> VolumeSource {
    let rate = ByteRate::mb_per_sec(200);
    VolumeSource::Claim(ClaimSpec {
        size,
        read: rate,
        write: rate,
        iops: 100_000,
        io_size: Bytes::kib(256),
        shared: false,
        burst: None,
        class: ClassFacts::FREE,
    })
}

fn with_volumes(sources: &[VolumeSource]) -> Spec {
    let mut spec = world::world();
    spec.limits.paranoid = true;
    spec.uncertainty = world::uncertain();
    spec.spark.executor.container_memory = Bytes::gib(3);
    spec.spark.kubernetes.pod_template.volumes = sources.iter().zip(1..).map(|(source, number)| random_world::local_dir(number, *source)).collect();
    spec
}

fn full(outcome: &Outcome) -> bool {
    outcome.has(Cause::ScratchFull)
}

/// 4.8: a larger claim is full less often, run by run at the ends and on the whole in between.
#[test]
fn a_larger_claim_is_never_full_more_often() {
    let sizes = [30, 60, 90, 120, 240, 2000];
    let shares: Vec<usize> = sizes.iter().map(|&mib| runs(&with_volumes(&[claim(Bytes::mib(mib))]), 31, 20).iter().filter(|o| full(o)).count()).collect();
    assert!(shares.windows(2).all(|pair| pair[1] <= pair[0]), "{shares:?}");
    assert_eq!((shares[0], shares[sizes.len() - 1]), (20, 0), "{shares:?}");
}

/// CM-3: the same room in several directories holds less, because files do not go where there is room.
#[test]
fn more_directories_of_the_same_total_size_never_hold_more() {
    let whole = 600;
    let shares: Vec<usize> = [1, 2, 3, 6]
        .iter()
        .map(|&dirs| {
            let each = claim(Bytes::mib(whole / dirs));
            runs(&with_volumes(&vec![each; dirs as usize]), 32, 20).iter().filter(|o| full(o)).count()
        })
        .collect();
    assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]), "{shares:?}");
    assert!(shares[3] > shares[0], "{shares:?}");
}

/// The small one of two directories is full although the other is all but empty; in memory it is the pod's memory (CM-3, ED-3).
#[test]
fn the_smallest_directory_decides() {
    let disk = VolumeSource::EmptyDir(EmptyDir { medium: Medium::Disk, size_limit: None });
    let memory = |mib| VolumeSource::EmptyDir(EmptyDir { medium: Medium::Memory, size_limit: Some(Bytes::mib(mib)) });
    for sources in [[disk, memory(20)], [claim(Bytes::gib(10)), claim(Bytes::mib(20))]] {
        assert!(runs(&with_volumes(&sources), 33, 10).iter().all(full), "{sources:?}");
    }
    for sources in [[disk, memory(1000)], [claim(Bytes::gib(10)), claim(Bytes::gib(10))]] {
        assert!(!runs(&with_volumes(&sources), 33, 10).iter().any(full), "{sources:?}");
    }
}

/// 3.7: where scratch has room, outputs that come back from a claim spare tasks and never cost any; and their files are still there.
#[test]
fn outputs_that_come_back_never_cost_more_tasks() {
    let tasks = |reuse: Option<ClaimReuse>, replication| {
        let mut spec = with_volumes(&[claim(Bytes::gib(100))]);
        spec.uncertainty = world::certain();
        spec.app = world::passes(Bytes::new(900_000_000), 5, 12);
        spec.spark.allocation.creation_timeout = SimSpan::from_secs(5);
        spec.spark.allocation.claims = ClaimsConf { reuse, resize: None };
        spec.inject = vec![Injection { executor: 1, when: Moment::TasksDone { stage: 3, tasks: 4 } }];
        let plan = SimPlan::compile(&spec).expect("compiles");
        let outcome = Simulator::new(&plan).run(RunKey { seed: 34, replication });
        assert!(!outcome.job_failed());
        outcome.stages.iter().map(|stage| stage.tasks_ok).sum::<u32>()
    };
    let recovers = ClaimReuse { wait: false, recover: true, verify: true };
    let (mut with, mut without) = (0, 0);
    for replication in 0..20 {
        with += tasks(Some(recovers), replication);
        without += tasks(None, replication);
    }
    assert!(with <= without, "{with} tasks with, {without} without");
}

//! Recovery mode: after an executor was lost to an OOM, new ones run one task at a time.
//!
//! Not set, the mode begins when the driver removes an executor with a reason whose text has "OOM" in it, and stays: exit 52 reads
//! "JVM OOM", exit 137 "SIGKILL, possible container OOM", whoever sent the signal; a JVM that its own flags end with another code (3, 134, 143) is not named so. A pod that is made in the mode has the same
//! requests, limits and heap, but its executor registers with the cores of one task, so its JVM has one slot, and Tungsten pages and
//! threads for as many cores. Pods made before keep theirs. Dynamic allocation still divides by the slots of the application's
//! profile, and so asks for too few. Pods that are deleted, and executors that fall silent, are lost for other reasons. Assumptions:
//! an evicted container ends by SIGKILL, because a hard eviction leaves no grace; the allocator never sees a failed pod before the
//! driver removes its executor, so the first replacement is made in the mode, too. Source: `KubernetesClusterSchedulerBackend`,
//! `ExecutorPodsLifecycleManager`, `BasicExecutorFeatureStep` of Spark 4.3 (byte code).

use crate::ids::ExecutorId;
use crate::record::Cause;
use crate::sim::Sim;
use crate::spec::RecoveryMode;

/// The driver has seen an executor's pod fail.
pub(crate) fn on_failed(sim: &mut Sim, id: ExecutorId) {
    if sim.plan.spec().spark.allocation.recovery == RecoveryMode::AfterOom
        && sim.executors[id].cause.is_some_and(|cause| names_oom(cause, sim.plan.spec().spark.executor.heap_exit))
    {
        sim.allocator.recovery = true;
    }
}

/// Whether Spark's words for a death have "OOM" in them: those for the exit codes 52 and 137 do.
const fn names_oom(cause: Cause, heap_exit: u8) -> bool {
    match cause {
        Cause::Heap => matches!(heap_exit, 52 | 137),
        Cause::Container | Cause::Node | Cause::Eviction => true,
        Cause::ScratchFull => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster;
    use crate::fixture;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::record::Outcome;
    use crate::sim::{RunKey, Simulator};
    use crate::spark::executor;
    use crate::spark::removal;
    use crate::spec::{AllocationConf, Spec};
    use crate::units::{Bytes, SimSpan, SimTime};

    const KEY: RunKey = RunKey { seed: 1, replication: 0 };

    fn spec(recovery: RecoveryMode) -> Spec {
        let mut spec = fixture::case_study(false, false);
        spec.limits.paranoid = true;
        spec.spark.executor.cores = 4;
        spec.spark.allocation.recovery = recovery;
        spec
    }
    fn run(spec: &Spec) -> Outcome {
        let plan = SimPlan::compile(spec).expect("the fixture compiles");
        Simulator::new(&plan).run(KEY)
    }
    /// Slots of all executors half a minute after the first one was lost in some way.
    fn slots_after(spec: &Spec, lose: impl Fn(&mut Sim, ExecutorId)) -> Vec<u32> {
        let plan = SimPlan::compile(spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, KEY, &mut nobody);
        cluster::settle_in(&mut sim);
        sim.run_until(SimTime::ZERO + SimSpan::from_secs(30));
        lose(&mut sim, ExecutorId::new(0));
        sim.run_until(SimTime::ZERO + SimSpan::from_secs(60));
        sim.executors.values().map(|e| e.announced.slots).collect()
    }
    fn killed(cause: Cause) -> impl Fn(&mut Sim, ExecutorId) {
        move |sim, id| executor::kill(sim, id, cause)
    }

    /// The words of `ExecutorPodsLifecycleManager` for exit codes 52 and 137 have "OOM" in them; those for a deleted pod do not.
    #[test]
    fn the_first_oom_makes_replacements_single() {
        let after_oom = spec(RecoveryMode::AfterOom);
        for cause in [Cause::Heap, Cause::Container, Cause::Node, Cause::Eviction] {
            assert_eq!(slots_after(&after_oom, killed(cause)), [4, 4, 4, 4, 1], "{cause:?}");
        }
        // With -XX:+ExitOnOutOfMemoryError the exit code is 3, which Spark does not name.
        let mut flagged = after_oom.clone();
        flagged.spark.executor.heap_exit = 3;
        assert_eq!(slots_after(&flagged, killed(Cause::Heap)), [4, 4, 4, 4, 4]);
        assert_eq!(slots_after(&after_oom, removal::stop), [4, 4, 4, 4, 4], "a pod that was deleted");
        assert_eq!(slots_after(&spec(RecoveryMode::Off), killed(Cause::Container)), [4, 4, 4, 4, 4]);
        assert_eq!(slots_after(&spec(RecoveryMode::Always), killed(Cause::Container)), [1, 1, 1, 1, 1]);
    }

    /// `max(1, ceil(spark.task.cpus))` cores: the one task of two cores has all of them, and pages are for two cores (MEM-33: of 4.5 GiB
    /// of execution memory a 32nd part is 144 MiB, above the largest page).
    #[test]
    fn a_task_of_several_cores_fits() {
        let mut spec = spec(RecoveryMode::Always);
        spec.spark.executor.task_cpus = 2;
        let plan = SimPlan::compile(&spec).expect("the fixture compiles").executor;
        assert_eq!((plan.usual.cores, plan.usual.slots, plan.recovery.cores, plan.recovery.slots), (4, 2, 2, 1));
        spec.spark.executor.heap = Bytes::gib(1);
        spec.spark.executor.cores = 16;
        let plan = SimPlan::compile(&spec).expect("the fixture compiles").executor;
        assert!(plan.recovery.page > plan.usual.page, "fewer cores, larger pages: {:?} and {:?}", plan.recovery.page, plan.usual.page);
    }

    /// Without an OOM the mode changes nothing, to the event.
    #[test]
    fn without_an_oom_nothing_changes() {
        let (off, armed) = (run(&spec(RecoveryMode::Off)), run(&spec(RecoveryMode::AfterOom)));
        assert!(off.incidents.is_empty(), "the fixture lives on disks");
        assert_eq!(off.event_hash, armed.event_hash);
        assert_eq!(spec(RecoveryMode::Off).spark.allocation, AllocationConf::FIXED);
    }

    /// One task a JVM from the start is what one core an executor is, but for pages and threads: as many tasks run at a time.
    #[test]
    fn from_the_start_a_quarter_of_the_tasks_run_at_a_time() {
        let (four, one) = (run(&spec(RecoveryMode::Off)), run(&spec(RecoveryMode::Always)));
        assert!(one.duration > four.duration, "{:?} and {:?}", one.duration, four.duration);
    }
}

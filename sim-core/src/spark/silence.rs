//! A node that vanishes without notice: its executors fall silent, and nobody closes a connection.
//!
//! The processes are gone at once, and so are tmpfs, files and the node's shuffle service. The driver takes its executors for alive:
//! it fills their free slots, until it has missed their heartbeats for `timeout`, which it looks for every `check_interval` (3.6).
//! Then it kills and replaces them. On Kubernetes that removes them as killed, so their tasks do not count; elsewhere as lost, and
//! they count (3.5). No pod is seen to fail, so no cap counts them. An executor that had not registered sends no heartbeats and is
//! replaced when the cluster gives the node up. Reducers wait for the timeouts of connections
//! ([`crate::spark::fetch_retry::silent_peer`]). Assumptions: the node takes no new pod from that instant on, where the scheduler
//! learns of it after 40 s; a driver that lives there ends the application; the machine is not deleted, which would tell Spark
//! earlier; standalone's master, which misses a worker after a minute, says nothing. Source: 3.6; `HeartbeatReceiver`, `Heartbeater`,
//! `KubernetesClusterSchedulerBackend.doKillExecutors` of Spark 4.3 (byte code).

use crate::cluster;
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId};
use crate::kernel::{Luck, Purpose};
use crate::record::{Ending, FailureReason};
use crate::sim::Sim;
use crate::spark::claims::reuse;
use crate::spark::decommission::{cached, migration};
use crate::spark::executor::Life;
use crate::spark::{allocator, push_merge, start, task};
use crate::spec::{HeartbeatConf, Platform};
use crate::units::{SimSpan, SimTime};

/// From the last sign of a node to the deletion of its pods: lease of 40 s, toleration of 300 s (Kubernetes' defaults).
pub(crate) const PODS_ARE_DELETED: SimSpan = SimSpan::from_secs(340);
/// `yarn.nm.liveness-monitor.expiry-interval-ms`.
const CONTAINERS_ARE_LOST: SimSpan = SimSpan::from_secs(600);
/// `spark.worker.timeout`.
const WORKER_IS_LOST: SimSpan = SimSpan::from_secs(60);

/// A node is lost: everything on it is, and nobody is told.
pub(crate) fn lose_node(sim: &mut Sim, node: NodeId) {
    sim.machines[node].cordoned = true;
    sim.machines[node].lost = true;
    push_merge::on_node_lost(sim, node);
    if sim.cluster.driver.is_some_and(|(at, _)| at == node) {
        return sim.end(Ending::Failed(FailureReason::DriverLost));
    }
    let here: Vec<ExecutorId> = sim.executors.iter().filter(|(_, e)| e.node == Some(node)).map(|(id, _)| id).collect();
    for &id in &here {
        if matches!(sim.executors[id].life, Life::Bound | Life::Starting | Life::Registered) {
            vanish(sim, id);
        }
    }
    here.into_iter().for_each(|id| task::break_fetches(sim, id));
    let given_up = match sim.plan.spec().cluster.platform {
        Platform::Kubernetes => PODS_ARE_DELETED,
        Platform::Yarn => CONTAINERS_ARE_LOST,
        Platform::Standalone | Platform::Bare => WORKER_IS_LOST,
    };
    sim.after(given_up, Event::NodeGivenUp(node));
}

/// The processes of an executor are gone, and the driver does not know.
fn vanish(sim: &mut Sim, id: ExecutorId) {
    let now = sim.now();
    for task in std::mem::take(&mut sim.executors[id].running) {
        let lost = task::abort_at_death(sim, task);
        sim.executors[id].lost.push(lost);
    }
    let registered = sim.executors[id].registered_at;
    let up_at = sim.driver.up_at;
    let conf = sim.plan.spec().spark.allocation.heartbeat;
    let lost_at = registered.map(|at| given_up_at(&conf, last_heartbeat(&conf, &sim.luck, id, at, now), up_at).max(now));
    let executor = &mut sim.executors[id];
    executor.note_scratch();
    executor.life = Life::Dead;
    executor.silent = Some(lost_at.unwrap_or(SimTime::MAX));
    executor.blocked.clear();
    start::cut_off(sim, id);
    sim.driver.cache.forget(id);
    migration::on_executor_gone(sim, id);
    cached::on_executor_gone(sim, id);
    push_merge::on_executor_gone(sim, id);
    if let Some(at) = lost_at {
        sim.after(at.since(now), Event::ExecutorLossSeen(id));
    }
    sim.after(SimSpan::ZERO, Event::VolumesTornDown(id));
}

/// The last heartbeat that an executor sent: the first comes one to two intervals after its start.
fn last_heartbeat(conf: &HeartbeatConf, luck: &Luck, id: ExecutorId, registered: SimTime, now: SimTime) -> SimTime {
    let interval = conf.interval.as_ns().max(1);
    let phase = (luck.stream(Purpose::Heartbeat, id.index() as u64).unit() * interval as f64) as u64;
    let first = registered + SimSpan::from_ns(interval + phase);
    if now < first {
        return registered;
    }
    first + SimSpan::from_ns(now.since(first).as_ns() / interval * interval)
}

/// The first look of the driver at which the last heartbeat is older than the timeout. It looks from its start on.
fn given_up_at(conf: &HeartbeatConf, last: SimTime, up_at: SimTime) -> SimTime {
    let step = conf.check_interval.as_ns().max(1);
    let silent = (last + conf.timeout).since(up_at).as_ns();
    up_at + SimSpan::from_ns((silent / step + 1) * step)
}

/// The cluster gives a silent node up: executors that have not registered, or that nobody has missed yet, count as gone and are replaced.
pub(crate) fn on_node_given_up(sim: &mut Sim, node: NodeId) {
    for (_, executor) in sim.executors.iter_mut().filter(|(_, e)| e.node == Some(node) && e.silent.is_some()) {
        executor.terminating = true;
        if executor.registered_at.is_none() {
            executor.life = Life::Gone;
        }
    }
    let silent = |e: &crate::spark::executor::Executor| e.node == Some(node) && e.silent.is_some();
    let here: Vec<ExecutorId> = sim.executors.iter().filter(|(_, e)| silent(e)).map(|(id, _)| id).collect();
    here.into_iter().for_each(|id| reuse::free_if_known(sim, id));
    cluster::pods_changed(sim);
    allocator::wake_if_missing(sim);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::record::Outcome;
    use crate::sim::{RunKey, Simulator};
    use crate::spec::{Reclaim, Reclaimed, Spec};

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimSpan::from_secs(seconds)
    }
    fn spec(lost: Option<u64>) -> Spec {
        let mut spec = fixture::case_study(false, false);
        spec.limits.paranoid = true;
        spec.spark.deploy_mode = crate::spec::DeployMode::Client;
        let reclaim = |at| Reclaim { who: Reclaimed::Node(0), at: SimSpan::from_secs(at), notice: SimSpan::ZERO, sudden: true };
        spec.reclaims = lost.map(reclaim).into_iter().collect();
        spec
    }
    fn run(spec: &Spec) -> Outcome {
        let plan = SimPlan::compile(spec).expect("the fixture compiles");
        Simulator::new(&plan).run(RunKey { seed: 1, replication: 0 })
    }

    /// 3.6: 120 s of silence, looked for each 60 s. Looks come 10, 70, 130, 190, 250 s after the submission here.
    #[test]
    fn a_silent_executor_is_given_up_at_the_first_look_after_its_timeout() {
        let conf = HeartbeatConf::DEFAULT;
        for (last, given_up) in [(9, 130), (10, 190), (11, 190), (69, 190), (70, 250)] {
            assert_eq!(given_up_at(&conf, at(last), at(10)), at(given_up), "last heartbeat at {last} s");
        }
    }

    /// The last heartbeat is never older than an interval, but for an executor that has just started: up to two.
    #[test]
    fn heartbeats_are_an_interval_apart_from_a_phase_of_their_own() {
        let conf = HeartbeatConf::DEFAULT;
        let mut seen = Vec::new();
        for replication in 0..50 {
            let luck = Luck::new(1, replication);
            let last = last_heartbeat(&conf, &luck, ExecutorId::new(0), at(20), at(100));
            assert!(last > at(90) && last <= at(100), "{last:?}");
            seen.push(last);
            assert_eq!(last_heartbeat(&conf, &luck, ExecutorId::new(0), at(20), at(29)), at(20));
        }
        seen.dedup();
        assert!(seen.len() > 40, "phases differ");
    }

    /// The driver fills a silent executor's slots, and replaces it when it is given up.
    #[test]
    fn tasks_are_sent_to_a_node_that_is_gone() {
        let mut spec = spec(Some(25));
        spec.spark.executor.cores = 4;
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        cluster::settle_in(&mut sim);
        sim.run_until(at(60));
        let (id, silent) = sim.executors.iter().find(|(_, e)| e.silent.is_some()).expect("one lived there");
        assert_eq!((silent.life, silent.lost.len(), silent.running.len()), (Life::Dead, 4, 0));
        assert_eq!(sim.executors.len(), 4, "nobody is replaced");
        sim.run_until(at(129));
        assert_eq!(sim.executors[id].life, Life::Dead);
        sim.run_until(at(200));
        assert_eq!((sim.executors[id].life, sim.executors.len()), (Life::Gone, 5));
    }

    /// On Kubernetes the tasks of a silent executor do not count, elsewhere they do.
    #[test]
    fn only_off_kubernetes_do_its_tasks_count() {
        for (platform, ends) in [(Platform::Kubernetes, Ending::Succeeded), (Platform::Standalone, Ending::Failed(FailureReason::TaskFailures))] {
            let mut spec = spec(Some(25));
            spec.cluster.platform = platform;
            spec.spark.scheduling.task_max_failures = 1;
            assert_eq!(run(&spec).ending, ends, "{platform:?}");
        }
    }

    /// The longer the timeout, the longer the run; and without a loss timeouts change nothing, to the event.
    #[test]
    fn a_longer_timeout_lengthens_a_run_that_loses_a_node() {
        let with = |lost, seconds| {
            let mut spec = spec(lost);
            spec.spark.allocation.heartbeat.timeout = SimSpan::from_secs(seconds);
            run(&spec)
        };
        let durations: Vec<SimSpan> = [60, 120, 300].map(|seconds| with(Some(25), seconds).duration).into();
        assert!(durations[0] < durations[1] && durations[1] < durations[2], "{durations:?}");
        assert_eq!(with(None, 60).event_hash, with(None, 300).event_hash);
    }

    /// An application whose driver was there ends.
    #[test]
    fn a_driver_goes_with_its_node() {
        let mut spec = spec(None);
        spec.spark.deploy_mode = crate::spec::DeployMode::Cluster;
        for node in 0..4 {
            spec.reclaims = vec![Reclaim { who: Reclaimed::Node(node), at: SimSpan::from_secs(25), notice: SimSpan::ZERO, sudden: true }];
            let ended = run(&spec).ending;
            assert!([Ending::Succeeded, Ending::Failed(FailureReason::DriverLost)].contains(&ended), "{ended:?}");
        }
    }
}

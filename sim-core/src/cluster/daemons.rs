//! Daemons of the nodes: killed by a global OOM, restarted by systemd.
//!
//! A daemon is there from the start of its node. When the kernel kills it its memory is free at once; systemd starts it again after
//! `RestartSec`, with the same memory, unless it has been started five times within ten seconds (`StartLimitBurst`), after which it stays
//! down. While the kubelet or the runtime is down pods run on, but nothing that the two do happens: no container starts or is seen to end, no volume is torn
//! down, no pod is evicted; it all happens when they are back (containers are children of shims, `KillMode=process`). Assumptions: units of
//! kubelet and runtime have no start limit (`StartLimitInterval=0`); they are ready as soon as they are started, which is long before the node's
//! lease of 40 s is over. Source: NO-2; systemd.service(5); kubeadm's `kubelet.service`, containerd's `containerd.service`.

use crate::event::Event;
use crate::ids::NodeId;
use crate::kernel::{Purpose, mix};
use crate::sim::Sim;
use crate::spec::DaemonRole;
use crate::units::{Bytes, SimSpan, SimTime};

/// `DefaultStartLimitBurst`.
const START_LIMIT_BURST: usize = 5;
/// `DefaultStartLimitIntervalSec`.
const START_LIMIT_INTERVAL: SimSpan = SimSpan::from_secs(10);

/// A daemon on a node.
#[derive(Debug)]
pub(crate) struct Daemon {
    /// Index in the cluster spec.
    pub(crate) spec: u32,
    /// Its memory when it runs.
    anon: Bytes,
    up: bool,
    /// When systemd started it again, within the interval of the limit.
    starts: Vec<SimTime>,
}

impl Daemon {
    /// What it holds now.
    pub(crate) fn held(&self) -> Bytes {
        if self.up { self.anon } else { Bytes::ZERO }
    }
}

/// A node is up, and its daemons with it.
pub(super) fn start_on(sim: &mut Sim, node: NodeId) {
    let plan = sim.plan;
    for (index, spec) in plan.spec().cluster.daemons.iter().enumerate() {
        let anon = sim.luck.draw(&spec.anon, Purpose::Daemons, mix(index as u64, node.index() as u64));
        let daemon = Daemon { spec: index as u32, anon: Bytes::from_f64(anon), up: true, starts: Vec::new() };
        sim.machines[node].memory.charge_system(daemon.anon);
        sim.machines[node].daemons.push(daemon);
    }
}

/// A node is gone, and its daemons with it; returns what they held.
pub(super) fn end_on(sim: &mut Sim, node: NodeId) -> Bytes {
    let machine = &mut sim.machines[node];
    machine.agents_back = SimTime::ZERO;
    std::mem::take(&mut machine.daemons).iter().map(Daemon::held).sum()
}

/// The kernel has killed a daemon, by its place on the node.
pub(crate) fn on_killed(sim: &mut Sim, node: NodeId, place: usize) {
    let now = sim.now();
    let machine = &mut sim.machines[node];
    // The level falls: what it was is noted, and what was reclaimed for it is gone.
    let v = machine.v(now);
    machine.memory.note_node_peak(v);
    machine.memory.reclaim_everywhere(v);
    let daemon = &mut machine.daemons[place];
    let (freed, spec) = (daemon.held(), daemon.spec);
    daemon.up = false;
    sim.machines[node].memory.uncharge_system(freed);
    sim.touch(node);
    let spec = &sim.plan.spec().cluster.daemons[spec as usize];
    let Some(delay) = spec.restart else { return };
    if spec.role != DaemonRole::Service {
        let machine = &mut sim.machines[node];
        machine.agents_back = machine.agents_back.max(now + delay);
    }
    sim.after(delay, Event::DaemonBack(node, place as u32));
}

/// systemd starts a daemon again.
pub(crate) fn on_back(sim: &mut Sim, node: NodeId, place: u32) {
    let now = sim.now();
    let machine = &mut sim.machines[node];
    // The node may have gone since, or come again with all its daemons.
    let Some(daemon) = machine.daemons.get_mut(place as usize).filter(|daemon| !daemon.up) else { return };
    let limited = sim.plan.spec().cluster.daemons[daemon.spec as usize].role == DaemonRole::Service;
    daemon.starts.retain(|&start| now.since(start) < START_LIMIT_INTERVAL);
    if machine.lost || limited && daemon.starts.len() >= START_LIMIT_BURST {
        return;
    }
    daemon.starts.push(now);
    daemon.up = true;
    machine.memory.charge_system(daemon.anon);
    sim.touch(node);
}

/// Whether kubelet or runtime of a node are down; then the event comes again when they are back.
pub(crate) fn waits_for_agents(sim: &mut Sim, node: NodeId, event: Event) -> bool {
    let now = sim.now();
    let back = sim.machines[node].agents_back;
    if back > now {
        sim.after(back.since(now), event);
    }
    back > now
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::ids::ExecutorId;
    use crate::linux::cgroup::Charge;
    use crate::linux::oom;
    use crate::machine::Owner;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::record::{Cause, Party};
    use crate::sim::{RunKey, Simulator};
    use crate::spark::executor::{self, Life};
    use crate::spec::{DaemonSpec, DeployMode, Dist, Spec};
    use crate::units::CoreMillis;

    const KEY: RunKey = RunKey { seed: 1, replication: 0 };
    const NODE: NodeId = NodeId::new(0);

    fn daemon(name: &str, mib: u64, oom_score_adj: i32, role: DaemonRole, restart: SimSpan) -> DaemonSpec {
        DaemonSpec { name: name.into(), anon: Dist::Constant(Bytes::mib(mib).as_f64()), oom_score_adj, role, restart: Some(restart) }
    }
    fn with(daemons: Vec<DaemonSpec>) -> Spec {
        let mut spec = fixture::case_study(false, true);
        spec.limits.paranoid = true;
        spec.spark.deploy_mode = DeployMode::Client;
        spec.cluster.neighbours.clear();
        spec.cluster.pools[0].shape.reserved.memory = Bytes::ZERO;
        spec.cluster.daemons = daemons;
        // The kernel's work, without the kubelet's.
        spec.cluster.kubelet.eviction_period_s = 1e6;
        spec
    }
    /// A node whose only pod is the first executor, with so much heap.
    fn filled<'p, 'o>(plan: &'p SimPlan, nobody: &'o mut Nobody, heap: Bytes) -> Sim<'p, 'o> {
        let mut sim = Sim::new(plan, KEY, nobody);
        super::super::settle_in(&mut sim);
        let id = ExecutorId::new(0);
        let mut executor = executor::Executor::new(&sim, id);
        let slot = sim.machines[NODE].open_pod(Owner::Executor(id), None, None);
        (executor.life, executor.node, executor.slot) = (Life::Registered, Some(NODE), Some(slot));
        executor.registered_at = Some(SimTime::ZERO);
        sim.executors.push(executor);
        sim.machines[NODE].memory.charge(slot, Charge::Heap, heap);
        sim
    }
    fn names(sim: &mut Sim) -> Vec<Party> {
        crate::tally::Tally::outcome(sim, KEY).incidents.into_iter().map(|incident| incident.victim).collect()
    }

    /// NO-2, 6.3, worked by hand on 64 000 MiB, so 16 384 pages a point of adjustment. An executor with 62 GiB has 16 252 928 pages and 31 744 of
    /// page tables. Burstable, with a request of a fifth of the node (800), it has 29 391 872 points; Guaranteed (−997) −50 176. A service of 300 MiB
    /// has 76 950, a kubelet of 100 MiB (−999) −16 341 966. Without the service the node is still full, without the executor it is not.
    #[test]
    fn no_2_a_service_dies_before_a_guaranteed_executor_and_the_kubelet_after_it() {
        let (agent, executor) = (Party::Daemon("agent".into()), Party::Executor(1));
        for (cpu_limit, expected) in [(Some(CoreMillis::cores(3)), vec![agent, executor.clone()]), (None, vec![executor])] {
            let mut spec = with(vec![
                daemon("kubelet", 100, -999, DaemonRole::Kubelet, SimSpan::from_secs(10)),
                daemon("agent", 300, 0, DaemonRole::Service, SimSpan::from_ms(100)),
            ]);
            spec.spark.executor.cpu_limit = cpu_limit;
            let plan = SimPlan::compile(&spec).expect("the fixture compiles");
            let mut nobody = Nobody;
            let mut sim = filled(&plan, &mut nobody, Bytes::gib(62));
            while oom::relieve(&mut sim, NODE) {}
            assert_eq!(names(&mut sim), expected, "CPU limit {cpu_limit:?}");
        }
    }

    /// `kubepods` at its limit spares what is outside (NO-2, level C), whatever its points.
    #[test]
    fn no_2_a_full_kubepods_kills_no_daemon() {
        let mut spec = with(vec![daemon("agent", 2000, 1000, DaemonRole::Service, SimSpan::from_ms(100))]);
        spec.cluster.pools[0].shape.reserved.memory = Bytes::gib(8);
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = filled(&plan, &mut nobody, Bytes::gib(50));
        let room = plan.nodes[0].kubepods_limit.expect("Kubernetes has one");
        assert!(!oom::relieve(&mut sim, NODE));
        sim.machines[NODE].memory.kubepods_limit = Some(room);
        let slot = sim.executors[ExecutorId::new(0)].slot.expect("it is bound");
        sim.machines[NODE].memory.charge(slot, Charge::Heap, room - Bytes::gib(50));
        while oom::relieve(&mut sim, NODE) {}
        assert_eq!(names(&mut sim), [Party::Executor(1)]);
    }

    /// systemd's limit: five starts within ten seconds, 100 ms apart, and no sixth.
    #[test]
    fn a_service_that_is_killed_at_each_start_stays_down_after_five() {
        let mut spec = with(vec![daemon("agent", 300, 0, DaemonRole::Service, SimSpan::from_ms(100))]);
        spec.spark.executor.cpu_limit = Some(spec.spark.executor.cpu_request);
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        // 63 875 MiB are there for pages; system and executor, which is Guaranteed, leave 275.
        let mut sim = filled(&plan, &mut nobody, Bytes::mib(64_000 - 1536 - 400));
        sim.look_at_touched();
        sim.run_until(SimTime::ZERO + SimSpan::from_ms(9900));
        assert_eq!(sim.machines[NODE].daemons[0].held(), Bytes::ZERO);
        assert_eq!(names(&mut sim), vec![Party::Daemon("agent".into()); 6], "the first life and five starts");
    }

    /// While the kubelet is down a death is not seen and nothing is torn down; both happen when it is back, and its memory is, too.
    #[test]
    fn without_its_kubelet_a_node_tells_nothing() {
        let plan = SimPlan::compile(&with(vec![daemon("kubelet", 100, -999, DaemonRole::Kubelet, SimSpan::from_secs(10))])).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = filled(&plan, &mut nobody, Bytes::gib(9));
        let id = ExecutorId::new(0);
        let before = sim.machines[NODE].memory.system();
        on_killed(&mut sim, NODE, 0);
        assert_eq!(sim.machines[NODE].memory.system(), before - Bytes::mib(100));
        executor::kill(&mut sim, id, Cause::Node);
        // The death would be seen after 1 to 3 s, volumes be torn down after 0.3 to 3.
        sim.run_until(SimTime::ZERO + SimSpan::from_ms(9999));
        let slot = sim.executors[id].slot.expect("it was bound");
        assert!(sim.executors[id].life == Life::Dead && sim.machines[NODE].memory.pods[slot.index()].open);
        sim.run_until(SimTime::ZERO + SimSpan::from_secs(10));
        assert!(sim.executors[id].life == Life::Gone && !sim.machines[NODE].memory.pods[slot.index()].open);
        assert_eq!(sim.machines[NODE].memory.system(), before);
    }

    /// A whole run on crowded nodes: daemons die and come back, the books balance, and the same daemons on roomy nodes change nothing but peaks.
    #[test]
    fn a_run_with_daemons_ends_and_balances() {
        let mut spec = with(vec![
            daemon("kubelet", 100, 1000, DaemonRole::Kubelet, SimSpan::from_secs(10)),
            daemon("agent", 2000, 1000, DaemonRole::Service, SimSpan::from_ms(100)),
        ]);
        let run = |spec: &Spec| Simulator::new(&SimPlan::compile(spec).expect("the fixture compiles")).run(KEY);
        let roomy = run(&spec);
        spec.cluster.daemons.clear();
        let without = run(&spec);
        assert_eq!((roomy.event_hash, roomy.daemons_lost()), (without.event_hash, 0));
        assert_eq!(roomy.node_peak, without.node_peak + Bytes::mib(2100));
        let mut crowded = with(vec![daemon("kubelet", 100, 1000, DaemonRole::Kubelet, SimSpan::from_secs(10))]);
        crowded.cluster.pools[0].shape.reserved.memory = Bytes::ZERO;
        crowded.cluster.pools[0].shape.system_memory = Dist::Constant(Bytes::gib(36).as_f64());
        let outcome = run(&crowded);
        assert!(outcome.daemons_lost() > 0, "{:?}", outcome.incidents);
        assert!(outcome.incidents.iter().all(|i| i.victim.is_ours() || matches!(i.victim, Party::Daemon(_))));
    }
}

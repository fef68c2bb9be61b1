//! `ExecutorResizePlugin`: memory limits that grow while executors live.
//!
//! Every `interval` the driver compares each executor's memory, as the metrics server last had it, with the limit in its pod's spec;
//! above `threshold` of it both request and limit become `trunc(limit · (1 + factor))`, through the pod's resize subresource. The
//! kubelet takes the change when the node has room beside what its other pods request; else it defers it and tries again, or says
//! that the node could never hold it (Kubernetes 1.33). The scheduler counts what was asked for, the kernel enforces what was
//! taken. Heap and mounts keep their size: only memory outside the heap, and tmpfs below its mount's size, get the room. There is no cap
//! on growth in Spark 4.3. Assumptions: metrics are the container's working set, taken each 15 s (the metrics server's resolution);
//! a change that fits is taken at once. Source: `ExecutorResizeDriverPlugin` of Spark 4.3 (byte code); Kubernetes documentation,
//! "Resize CPU and Memory Resources assigned to Containers".

use crate::event::Event;
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::sim::Sim;
use crate::spark::executor::Executor;
use crate::spec::ResizeConf;
use crate::units::{Bytes, SimSpan};

/// `--metric-resolution` of the metrics server, its default.
const METRICS: SimSpan = SimSpan::from_secs(15);

/// What an executor's pod has beyond the limit that it was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    /// In its spec: what the scheduler counts.
    pub(crate) asked: Bytes,
    /// In its cgroup: what the kubelet has taken.
    pub(crate) taken: Bytes,
    /// Memory that the metrics server knows of.
    metered: Option<Bytes>,
}

/// The driver is up, and its plugin with it.
pub(crate) fn start(sim: &mut Sim) {
    if let Some(conf) = sim.plan.spec().spark.allocation.resize {
        sim.after(METRICS, Event::PodMetrics);
        sim.after(conf.interval, Event::ResizeLook);
    }
}

/// The metrics server asks the kubelets; the kubelets look again at what they have deferred.
pub(crate) fn on_metrics(sim: &mut Sim) {
    let now = sim.now();
    let active = sim.plan.spec().cluster.kubelet.active_file_share;
    for id in up(sim) {
        let executor = &sim.executors[id];
        let Some((node, slot)) = place(executor) else { continue };
        let machine = &sim.machines[node];
        let level = machine.memory.level(slot, machine.v(now));
        let room = machine.memory.pods[slot.index()].limit.map_or(Bytes::MAX, |limit| limit.saturating_sub(level));
        let cache = executor.scratch().disk.min(room).scale(active);
        sim.executors[id].growth.metered = Some(level + cache);
    }
    for id in up(sim) {
        take(sim, id);
    }
    sim.after(METRICS, Event::PodMetrics);
}

/// The plugin looks.
pub(crate) fn on_look(sim: &mut Sim) {
    let Some(conf) = sim.plan.spec().spark.allocation.resize else { return };
    let Some(first) = sim.plan.executor.limit else { return };
    for id in up(sim) {
        let growth = &mut sim.executors[id].growth;
        let limit = first + growth.asked;
        if let Some(larger) = growth.metered.and_then(|used| larger(&conf, limit, used)) {
            growth.asked = larger - first;
            take(sim, id);
        }
    }
    sim.after(conf.interval, Event::ResizeLook);
}

/// The limit that the plugin asks for, if it does.
fn larger(conf: &ResizeConf, limit: Bytes, used: Bytes) -> Option<Bytes> {
    (used.as_f64() > limit.as_f64() * conf.threshold).then(|| limit.scale(1.0 + conf.factor).max(limit))
}

/// The kubelet takes what was asked for, if the node has room.
fn take(sim: &mut Sim, id: ExecutorId) {
    let executor = &sim.executors[id];
    let (growth, Some((node, slot)), Some(first)) = (executor.growth, place(executor), sim.plan.executor.limit) else { return };
    if growth.asked == growth.taken {
        return;
    }
    let others = crate::cluster::requested_by_others(sim, node, slot);
    let own = sim.plan.executor.resources.memory_request + growth.asked;
    if others + own > sim.plan.nodes[node.index()].allocatable_memory {
        return;
    }
    sim.executors[id].growth.taken = growth.asked;
    sim.machines[node].memory.pods[slot.index()].limit = Some(first + growth.asked);
    sim.touch(node);
}

fn up(sim: &Sim) -> Vec<ExecutorId> {
    sim.executors.iter().filter(|(_, e)| e.is_up()).map(|(id, _)| id).collect()
}

fn place(executor: &Executor) -> Option<(NodeId, PodSlot)> {
    executor.node.zip(executor.slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster;
    use crate::fixture;
    use crate::linux::cgroup::Charge;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::record::Outcome;
    use crate::sim::{RunKey, Simulator};
    use crate::spec::Spec;
    use crate::units::SimTime;

    const DEFAULT: ResizeConf = ResizeConf { interval: SimSpan::from_secs(60), threshold: 0.9, factor: 0.1 };

    fn spec(resize: Option<ResizeConf>, tmpfs: bool) -> Spec {
        let mut spec = fixture::case_study(tmpfs, false);
        spec.limits.paranoid = true;
        spec.spark.allocation.resize = resize;
        spec
    }
    fn run(spec: &Spec) -> Outcome {
        let plan = SimPlan::compile(spec).expect("the fixture compiles");
        Simulator::new(&plan).run(RunKey { seed: 1, replication: 0 })
    }
    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimSpan::from_secs(seconds)
    }
    /// Runs with one executor charged so many bytes more at 20 s, and looks at it.
    fn grown(spec: &Spec, more: Bytes, until: u64) -> (Growth, Option<Bytes>) {
        let plan = SimPlan::compile(spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        cluster::settle_in(&mut sim);
        sim.run_until(at(20));
        let (node, slot) = place(&sim.executors[ExecutorId::new(0)]).expect("it runs");
        let v = sim.machines[node].v(sim.now());
        let level = sim.machines[node].memory.level(slot, v);
        sim.machines[node].memory.charge(slot, Charge::NonHeap, more.saturating_sub(level));
        sim.touch(node);
        sim.run_until(at(until));
        (sim.executors[ExecutorId::new(0)].growth, sim.machines[node].memory.pods[slot.index()].limit)
    }

    /// 12 800 MiB: above 11 520 MiB the limit becomes 14 080 MiB, and then needs 12 672 MiB for the next step.
    #[test]
    fn the_limit_grows_by_a_tenth_above_nine_tenths_of_it() {
        let mib = |limit, used| larger(&DEFAULT, Bytes::mib(limit), Bytes::mib(used)).map(|new| new.get() >> 20);
        assert_eq!(mib(12_800, 11_520), None, "not above");
        assert_eq!(mib(12_800, 11_521), Some(14_080));
        assert_eq!(mib(14_080, 12_672), None);
        assert_eq!(mib(14_080, 12_673), Some(15_488));
        let odd = Bytes::new(1_000_000_007);
        assert_eq!(larger(&DEFAULT, odd, odd), Some(Bytes::new(1_100_000_007)), "cut off to whole bytes: 1 100 000 007.7");
    }

    /// The driver is up after 10 s, looks first 60 s later, and sees metrics of at most 15 s before.
    #[test]
    fn a_full_pod_gets_room_at_the_next_look() {
        let mut spec = spec(Some(DEFAULT), false);
        spec.app.stages[0].delay = SimSpan::from_secs(1000);
        let nearly = Bytes::mib(12_700);
        assert_eq!(grown(&spec, nearly, 69), (Growth { metered: Some(nearly), ..Growth::default() }, Some(Bytes::mib(12_800))));
        let (growth, limit) = grown(&spec, nearly, 71);
        assert_eq!((growth.asked, growth.taken, limit), (Bytes::mib(1280), Bytes::mib(1280), Some(Bytes::mib(14_080))));
        // 12 700 MiB are above 0.9 · 14 080, not above 0.9 · 15 488: two looks, no more.
        assert_eq!(grown(&spec, nearly, 600).1, Some(Bytes::mib(15_488)));
    }

    /// The kubelet defers what does not fit beside the requests of others; the spec says it nevertheless.
    #[test]
    fn a_full_node_defers_the_change() {
        let mut spec = spec(Some(DEFAULT), false);
        spec.spark.deploy_mode = crate::spec::DeployMode::Client;
        spec.app.stages[0].delay = SimSpan::from_secs(1000);
        for pool in &mut spec.cluster.pools {
            // Room for the executor as it is made and the daemons, not for a tenth more.
            pool.shape.memory = Bytes::mib(12_800 + 1024 + 5611 + 750 + 100);
        }
        spec.cluster.neighbours.iter_mut().for_each(|n| n.memory.anon = crate::spec::Dist::Constant(1e8));
        let (growth, limit) = grown(&spec, Bytes::mib(12_700), 71);
        assert_eq!((growth.asked, growth.taken, limit), (Bytes::mib(1280), Bytes::ZERO, Some(Bytes::mib(12_800))));
        spec.cluster.pools.iter_mut().for_each(|pool| pool.shape.memory += Bytes::mib(1180));
        assert_eq!(grown(&spec, Bytes::mib(12_700), 71).1, Some(Bytes::mib(14_080)), "to the byte");
    }

    /// Where nothing comes near nine tenths of its limit the plugin only looks.
    #[test]
    fn a_plugin_without_a_cause_changes_nothing() {
        let mut high = DEFAULT;
        high.threshold = 1.0;
        let (off, on) = (run(&spec(None, false)), run(&spec(Some(high), false)));
        assert_eq!((off.duration, off.ending, off.pod_peak), (on.duration, on.ending, on.pod_peak));
    }
}

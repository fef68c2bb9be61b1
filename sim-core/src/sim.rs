//! The loop and the dispatch, nothing else.
//!
//! One calendar moves time; one match says which room handles what. After each event the nodes that it touched
//! are looked at: limits that are reached are dealt with (`linux::oom`), then their pending
//! completions and crossings are brought up to date. A run ends when the application does, or is cut off at a
//! stated horizon or number of events, which is an outcome of its own.

use crate::cluster::Cluster;
use crate::day::Day;
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId, TaskId};
use crate::kernel::{Calendar, EventHandle, IdVec, Luck, mix};
use crate::kube::kubelet;
use crate::linux::oom;
use crate::machine::Machine;
use crate::observe::{Nobody, Observer};
use crate::plan::SimPlan;
use crate::record::{Ending, Outcome, Truncation};
use crate::spark::allocator::Allocator;
use crate::spark::decommission::cached::CachedMigrations;
use crate::spark::decommission::migration::Migrations;
use crate::spark::driver::Driver;
use crate::spark::executor::Executor;
use crate::spark::remote_shuffle::RemoteShuffle;
use crate::spark::task::Tasks;
use crate::spark::{allocator, claims, decommission, driver, executor, inject, push_merge, resize, roll, silence, start, task, tear_down};
use crate::tally::Tally;
use crate::units::{SimSpan, SimTime};
use crate::yarn::memory_monitor;

/// Addresses one replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunKey {
    /// Master seed.
    pub seed: u64,
    /// Replication number.
    pub replication: u64,
}

/// A simulator of one plan.
#[derive(Debug)]
pub struct Simulator<'p> {
    plan: &'p SimPlan,
}

impl<'p> Simulator<'p> {
    /// A simulator that can run any replication of the plan.
    pub fn new(plan: &'p SimPlan) -> Self {
        Self { plan }
    }

    /// Runs one replication.
    pub fn run(&mut self, key: RunKey) -> Outcome {
        self.run_observed(key, &mut Nobody)
    }

    /// Runs one replication under observation; the outcome is the same.
    pub fn run_observed<O: Observer>(&mut self, key: RunKey, observer: &mut O) -> Outcome {
        let mut sim = Sim::new(self.plan, key, observer);
        sim.go();
        let outcome = Tally::outcome(&mut sim, key);
        if self.plan.spec().limits.paranoid {
            crate::audit::audit(&mut sim);
        }
        outcome
    }
}

/// The state of one replication: the parts, each with its own room.
pub(crate) struct Sim<'p, 'o> {
    pub(crate) plan: &'p SimPlan,
    pub(crate) luck: Luck,
    pub(crate) day: Day,
    pub(crate) calendar: Calendar<Event>,
    pub(crate) machines: IdVec<NodeId, Machine>,
    pub(crate) cluster: Cluster,
    pub(crate) executors: IdVec<ExecutorId, Executor>,
    pub(crate) tasks: Tasks,
    pub(crate) driver: Driver,
    pub(crate) allocator: Allocator,
    pub(crate) migrations: Migrations,
    pub(crate) remote: Option<RemoteShuffle>,
    pub(crate) cached_migrations: CachedMigrations,
    pub(crate) tally: Tally,
    pub(crate) ending: Option<Ending>,
    pub(crate) observer: &'o mut dyn Observer,
    observed: bool,
    touched: Vec<NodeId>,
}

impl<'p, 'o> Sim<'p, 'o> {
    pub(crate) fn new(plan: &'p SimPlan, key: RunKey, observer: &'o mut dyn Observer) -> Self {
        let luck = Luck::new(key.seed, key.replication);
        let day = Day::draw(plan, &luck);
        let machines = Cluster::machines(plan, &day);
        let observed = observer.wants_memory();
        let touched = machines.ids().collect();
        Self {
            plan,
            luck,
            calendar: Calendar::new(),
            machines,
            cluster: Cluster::new(plan, &luck),
            executors: IdVec::new(),
            tasks: Tasks::new(),
            driver: Driver::new(plan, &day, &luck),
            allocator: Allocator::new(plan, &luck),
            migrations: Migrations::default(),
            remote: RemoteShuffle::new(plan),
            cached_migrations: CachedMigrations::default(),
            tally: Tally::new(plan),
            ending: None,
            observer,
            observed,
            touched,
            day,
        }
    }

    /// The current instant.
    pub(crate) fn now(&self) -> SimTime {
        self.calendar.now()
    }

    /// Schedules an event after a span.
    pub(crate) fn after(&mut self, span: SimSpan, event: Event) -> EventHandle {
        self.calendar.schedule(self.calendar.now() + span, event.class(), event)
    }

    /// Marks a node to be looked at when the current event has been handled.
    pub(crate) fn touch(&mut self, node: NodeId) {
        let machine = &mut self.machines[node];
        if !machine.touched {
            machine.touched = true;
            self.touched.push(node);
        }
    }

    /// Ends the run.
    pub(crate) fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    fn go(&mut self) {
        crate::cluster::settle_in(self);
        inject::start(self);
        let horizon = SimTime::ZERO + self.plan.spec().limits.horizon;
        while self.ending.is_none() {
            let Some((at, event)) = self.calendar.pop() else {
                self.end(Ending::Truncated(Truncation::Starved));
                break;
            };
            self.tally.events += 1;
            self.tally.hash = mix(self.tally.hash ^ at.as_ns(), event.fingerprint());
            if at >= horizon {
                self.end(Ending::Truncated(if driver::starved(&self.executors) { Truncation::Starved } else { Truncation::Horizon }));
            } else if self.tally.events > self.plan.spec().limits.max_events {
                self.end(Ending::Truncated(Truncation::Events));
            } else {
                self.dispatch(event);
                self.look_at_touched();
                if self.plan.spec().limits.paranoid {
                    crate::audit::no_slot_is_idle(self);
                }
            }
        }
    }

    /// Runs up to and including an instant, for tests that look at the state in between.
    #[cfg(test)]
    pub(crate) fn run_until(&mut self, until: SimTime) {
        while self.ending.is_none() && self.calendar.peek_time().is_some_and(|at| at <= until) {
            let Some((_, event)) = self.calendar.pop() else { return };
            self.dispatch(event);
            self.look_at_touched();
            crate::audit::no_slot_is_idle(self);
        }
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::DeviceDone(node, device) => task::on_device_done(self, node, device),
            Event::RemoteShuffleDone(device) => task::on_service_done(self, device),
            Event::MemoryCrossing(node) => {
                self.machines[node].crossing_fired();
                self.touch(node);
            }
            Event::TaskTimer(task) => task::on_timer(self, task),
            Event::FetchGivesUp(task) => task::on_fetch_gives_up(self, task),
            Event::DriverUp => driver::on_driver_up(self),
            Event::AllocationRound => allocator::on_round(self),
            Event::DynamicAllocation => allocator::dynamic::on_tick(self),
            Event::Reclaim(index) => decommission::on_reclaim(self, index),
            Event::PodMetrics => resize::on_metrics(self),
            Event::ResizeLook => resize::on_look(self),
            Event::RollLook => roll::on_look(self),
            Event::NodeGivenUp(node) => silence::on_node_given_up(self, node),
            Event::NoticeOver(executor) => decommission::on_notice_over(self, executor),
            Event::MigrationRefill(executor) => decommission::migration::refill(self, executor),
            Event::FallbackCopied(thread) => decommission::migration::on_copied(self, thread),
            Event::ContainerRestarts(executor) => allocator::restart::on_restart(self, executor),
            Event::SchedulePods => crate::cluster::on_schedule(self),
            Event::ExecutorStarts(executor) => start::on_starts(self, executor),
            Event::ExecutorLossSeen(executor) => executor::on_loss_seen(self, executor),
            Event::VolumesTornDown(executor) => tear_down::on_volumes_torn_down(self, executor),
            Event::RegistrationTimeout => driver::on_registration_timeout(self),
            Event::JobStarts(job) => driver::jobs::on_job_starts(self, job),
            Event::StageReady(stage) => driver::on_stage_ready(self, stage),
            Event::MergeFinalized(shuffle) => push_merge::on_finalized(self, shuffle),
            Event::VolumeDetached(number) => claims::attach::on_detached(self, number),
            Event::ClaimReport(executor) => claims::resize::on_report(self, executor),
            Event::ClaimLook => claims::resize::on_look(self),
            Event::ClaimsGrown(executor) => claims::resize::on_grown(self, executor),
            Event::CleanerRuns => driver::cleaner::on_cleaner(self),
            Event::ResubmitStages => driver::fetch_failures::on_resubmit(self),
            Event::ReviveOffers => driver::offers::on_revive(self),
            Event::SpeculationLook => driver::speculation::on_look(self),
            Event::Unschedulable(stage, attempt) => driver::offers::on_unschedulable(self, stage, attempt),
            Event::KubeletMetrics(node) => kubelet::on_metrics(self, node),
            Event::KubeletTick(node) => kubelet::on_tick(self, node),
            Event::MonitorPoll(node) => memory_monitor::on_poll(self, node),
            Event::Injected(index) => inject::on_due(self, index),
            Event::AutoscalerScan => crate::cluster::autoscaler::on_scan(self),
            Event::NodeJoins(node) => crate::cluster::autoscaler::on_joins(self, node),
            Event::NodeRemoved(node) => crate::cluster::scale_down::on_removed(self, node),
            Event::NodeNotProvisioned(node) => crate::cluster::autoscaler::on_not_provisioned(self, node),
            Event::DaemonBack(node, place) => crate::cluster::daemons::on_back(self, node, place),
            Event::NeighbourArrives(index) => crate::cluster::neighbours::on_arrives(self, index),
            Event::NeighbourLeaves(node, slot) => crate::cluster::preemption::on_neighbour_leaves(self, node, slot),
            Event::NeighbourBack(node, neighbour) => crate::cluster::neighbours::on_back(self, node, neighbour),
        }
    }

    /// Deals with limits that are reached, then brings the touched nodes up to date.
    pub(crate) fn look_at_touched(&mut self) {
        while let Some(node) = self.touched.pop() {
            while oom::relieve(self, node) {}
            let now = self.calendar.now();
            self.machines[node].refresh(&mut self.calendar);
            if self.observed {
                self.show_memory(node, now);
            }
            if self.plan.spec().limits.paranoid {
                self.check_books(node);
            }
        }
        if let Some(service) = self.remote.as_mut().filter(|service| service.touched) {
            service.refresh(&mut self.calendar);
        }
    }

    /// Tells the observer a node's memory.
    pub(crate) fn show_memory(&mut self, node: NodeId, now: SimTime) {
        if self.observed {
            let machine = &self.machines[node];
            let classes = machine.memory.classes(machine.v(now), machine.page_cache(now));
            self.observer.memory(now, node.index() as u32, &classes);
        }
    }

    fn check_books(&self, node: NodeId) {
        if let Err(imbalance) = self.machines[node].memory.check() {
            panic!("the books of {node:?} do not balance at {:?}: {imbalance}", self.now());
        }
    }

    /// Takes a slot's task out of the arena; the caller has ended it.
    pub(crate) fn forget_task(&mut self, task: TaskId) {
        self.tasks.remove(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::observe::Timeline;

    fn run(tmpfs: bool, packed: bool, replication: u64) -> Outcome {
        let mut spec = fixture::case_study(tmpfs, packed);
        spec.limits.paranoid = true;
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        Simulator::new(&plan).run(RunKey { seed: 1, replication })
    }

    /// Neither alone, both together: with certain inputs but for neighbours and volume.
    #[test]
    fn only_tmpfs_and_packing_together_kill() {
        for (tmpfs, packed) in [(true, true), (true, false), (false, true), (false, false)] {
            let deaths: usize = (0..10).filter(|&r| run(tmpfs, packed, r).oom()).count();
            assert_eq!(deaths > 8, tmpfs && packed, "tmpfs {tmpfs}, packed {packed}: {deaths} of 10");
            assert!(deaths == 0 || tmpfs && packed);
        }
    }

    #[test]
    fn the_same_address_gives_the_same_run_with_and_without_an_observer() {
        let spec = fixture::case_study(true, true);
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let key = RunKey { seed: 3, replication: 7 };
        let mut timeline = Timeline::new(SimSpan::from_ms(100));
        let plain = Simulator::new(&plan).run(key);
        let observed = Simulator::new(&plan).run_observed(key, &mut timeline);
        assert_eq!(plain, observed);
        assert!(timeline.marks.len() > 10 && timeline.nodes.iter().any(|n| n.samples.len() > 100));
    }
}

//! The model: Spark shuffle on a cluster, as a discrete-event simulation of memory.
//!
//! The way through this crate: a [`spec::Spec`] (what is simulated, already checked) is compiled into a
//! [`plan::SimPlan`] (indices and rates); [`sim::Simulator::run`] plays one replication of it, addressed by a
//! seed and a number, and leaves a [`record::Outcome`]; [`study::run_study`] plays many in parallel and folds
//! them into estimates with intervals.
//!
//! Inside a run, one calendar ([`kernel`]) moves integer time; devices ([`hardware`]) share their capacity;
//! memory ([`linux`]) is booked in a tree of cgroups and moves in ramps; [`kube`] and [`yarn`] place and watch
//! containers; [`spark`] runs stages and tasks, spills, fails and tries again. [`event::Event`] is the complete
//! list of what can happen.
//!
//! What is absent on purpose: no file, no clock, no environment, no printing, no global random numbers, no
//! serialisation, no hash-map iteration; threads only in [`study`].

mod audit;
mod cluster;
mod day;
pub mod event;
#[cfg(test)]
mod fixture;
pub mod hardware;
pub mod ids;
pub mod kernel;
pub mod kube;
pub mod linux;
mod machine;
pub mod observe;
pub mod plan;
pub mod record;
pub mod shown;
pub mod sim;
pub mod spark;
pub mod spec;
pub mod study;
mod tally;
pub mod units;
pub mod yarn;

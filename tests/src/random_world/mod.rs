//! Random small scenarios by number, over everything that a spec can say.
//!
//! The generator is addressed: case `n` is the same spec whatever ran before it, so that a failure is reproduced by its
//! number alone. Sizes are small, so that a thousand cases run in seconds, and so drawn that each mechanism (spills, full
//! disks, container, node and heap deaths, evictions, fetch failures, aborts) happens in some of them. [`simplifications`]
//! are the steps by which a failing case is made smaller.

mod app;
mod cluster;
mod pods;
mod simpler;
mod spark;

use sim_core::kernel::{Luck, Purpose, Stream};
use sim_core::spec::{CgroupVersion, Platform, Spec};
use sim_core::units::{Bytes, SimSpan};

pub use pods::{local_dir, packed, spread};
pub use simpler::{Simplification, simplifications};

use crate::world;

/// Draws of one case.
struct Draw(Stream);

impl Draw {
    /// One of the numbers from `low` to `high`.
    fn count(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }
    /// `true` once in `n`.
    fn once_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }
    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.below(choices.len() as u64) as usize]
    }
    /// Log-uniform: as likely between 1 and 10 as between 10 and 100.
    fn bytes(&mut self, low: Bytes, high: Bytes) -> Bytes {
        let ratio = high.as_f64() / low.as_f64();
        low.scale(ratio.powf(self.0.unit()))
    }
}
/// The spec of case `number`.
pub fn case(number: u64) -> Spec {
    let mut d = Draw(Luck::new(20_240_607, number).stream(Purpose::TaskOrder, 0));
    let mut spec = world::world();
    spec.name = format!("random-{number}");
    spec.cluster.platform = d.one_of(&[Platform::Kubernetes, Platform::Kubernetes, Platform::Kubernetes, Platform::Yarn, Platform::Standalone, Platform::Bare]);
    spec.cluster.cgroup = d.one_of(&[CgroupVersion::V1, CgroupVersion::V2 { group_kill: true }, CgroupVersion::V2 { group_kill: false }]);
    cluster::pools(&mut d, &mut spec);
    cluster::neighbours(&mut d, &mut spec);
    spark::executors(&mut d, &mut spec);
    spark::shuffle(&mut d, &mut spec);
    spark::scheduling(&mut d, &mut spec);
    pods::pods(&mut d, &mut spec);
    let tasks_hold = spec.spark.executor.heap;
    spec.app = app::app(&mut d, tasks_hold);
    if d.once_in(2) {
        spec.uncertainty = world::uncertain();
    }
    spark::leaving(&mut d, &mut spec);
    spark::adaptive(&mut d, &mut spec);
    spark::rolling(&mut d, &mut spec);
    spark::remote_shuffle(&mut d, &mut spec);
    spark::fallback(&mut d, &mut spec);
    spark::push(&mut d, &mut spec);
    spec.limits.max_events = 60_000;
    if d.once_in(8) {
        spec.limits.horizon = SimSpan::from_secs(d.count(1, 90));
    }
    if d.once_in(20) {
        spec.limits.max_events = d.count(1, 500);
    }
    if d.once_in(4) {
        spec.inject = (0..d.count(1, 3)).map(|_| app::injection(&mut d, &spec.app)).collect();
    }
    cluster::placing(&mut d, &mut spec);
    cluster::growing(&mut d, &mut spec);
    cluster::devices(&mut d, &mut spec);
    spec
}

//! Rules across fields, one file a rule, one line a rule in the table.
//!
//! A rule sees a point that is built and says what cannot work (an error) or what will surprise (a warning). Rules of a
//! single value are the walker's; here stand those that need the cluster, the configuration and the job together.

mod autoscaler;
mod claims;
mod codec;
mod daemons;
mod driver_fits;
mod dynamic_allocation;
mod executor_fits;
mod file_cleanup;
mod heap_minimum;
mod heartbeats;
mod inject;
mod kube_scheduler;
mod limit_below_heap;
mod needs_shuffle;
mod node_memory;
mod nodes;
mod off_heap_size;
mod plugins;
mod push_shuffle;
mod reclaim;
mod remote_shuffle;
mod shuffle_service;
mod swap;
mod task_slots;
mod tmpfs_overhead;
mod tmpfs_unused;
mod yarn_allocation;

use sim_core::kube::reservation::{allocatable_cpu, allocatable_memory};
use sim_core::spec::{NodeShape, Platform, PoolSpec, Spec, YarnSpec};
use sim_core::units::{Bytes, CoreMillis};
use sim_core::yarn::sizing::node_capacity;

use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::Node;
use crate::spark_conf::Conf;

/// What a rule sees.
pub(crate) struct Facts<'a> {
    /// The point.
    pub(crate) spec: &'a Spec,
    /// Spark's keys.
    pub(crate) conf: &'a Conf,
    /// The filled tree.
    pub(crate) tree: &'a Node,
}

impl Facts<'_> {
    /// Puts a diagnostic at the first of these Spark keys that was written.
    fn at_conf(&self, keys: &[&str], diagnostic: Diagnostic) -> Diagnostic {
        keys.iter().find_map(|key| self.conf.written(key)).map_or(diagnostic.clone(), |node| node.mark(diagnostic))
    }
    /// Puts a diagnostic at a key of the cluster.
    fn at_cluster(&self, key: &str, diagnostic: Diagnostic) -> Diagnostic {
        self.tree.get("cluster").and_then(|cluster| cluster.get(key)).map_or(diagnostic.clone(), |node| node.mark(diagnostic))
    }
    fn kubernetes(&self) -> bool {
        self.spec.cluster.platform == Platform::Kubernetes
    }
    /// Whether YARN refuses a container of this size, which the rule `yarn-allocation` says.
    fn refused_by_yarn(&self, asked: Bytes) -> bool {
        self.spec.cluster.platform == Platform::Yarn && asked > self.spec.largest_yarn_container()
    }
    /// Memory and CPU that pods of a node can have: allocatable on Kubernetes, what the `NodeManager` offers on YARN, all elsewhere.
    fn room(&self, pool: &PoolSpec) -> (Bytes, CoreMillis) {
        let shape = &pool.shape;
        match self.spec.cluster.platform {
            Platform::Yarn => (node_capacity(shape.memory, &self.spec.cluster.yarn), yarn_vcores(shape, &self.spec.cluster.yarn)),
            Platform::Kubernetes | Platform::Standalone | Platform::Bare => (allocatable_memory(shape), allocatable_cpu(shape)),
        }
    }
}

/// Vcores that a node offers; no end of them where YARN does not count them.
fn yarn_vcores(shape: &NodeShape, yarn: &YarnSpec) -> CoreMillis {
    if yarn.counts_vcores { yarn.node_vcores.map_or(shape.cpu, |vcores| CoreMillis::cores(vcores.into())) } else { CoreMillis::new(u64::MAX) }
}

type Rule = fn(&Facts<'_>, &mut Diagnostics);

const RULES: &[Rule] = &[
    nodes::rule,
    node_memory::rule,
    heap_minimum::rule,
    off_heap_size::rule,
    task_slots::rule,
    claims::rule,
    codec::rule,
    shuffle_service::rule,
    dynamic_allocation::rule,
    reclaim::rule,
    remote_shuffle::rule,
    push_shuffle::rule,
    plugins::rule,
    heartbeats::rule,
    executor_fits::rule,
    driver_fits::rule,
    limit_below_heap::rule,
    tmpfs_overhead::rule,
    tmpfs_unused::rule,
    needs_shuffle::rule,
    file_cleanup::rule,
    inject::rule,
    kube_scheduler::rule,
    autoscaler::rule,
    yarn_allocation::rule,
    daemons::rule,
    swap::rule,
];

/// Applies every rule.
pub(crate) fn validate(facts: &Facts<'_>, problems: &mut Diagnostics) {
    for rule in RULES {
        rule(facts, problems);
    }
}

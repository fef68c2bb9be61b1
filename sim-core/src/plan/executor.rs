//! The executor, sized: slots, memory regions, limit, scratch.
//!
//! All executors of an application are alike (no resource profiles) but for those that recovery mode makes, so this is worked out once. With off-heap memory enabled
//! there are two pairs of pools: Tungsten's pages come from the off-heap one, the object writer's collection and cached blocks from
//! the one in the heap, which keeps its size (MEM-8). Sources: 1.1, 1.5, MEM-8, MEM-33.

use super::scratch::ScratchPlan;
use crate::spark::unified_memory::{self, UnifiedMemory};
use crate::spark::{jvm, page};
use crate::spec::{ContainerControl, Label, Platform, Resources, Spec};
use crate::units::{Bytes, CoreMillis};

/// What an executor says of itself when it registers, and what its JVM makes of that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Announced {
    /// Cores.
    pub cores: u32,
    /// Task slots: `cores / task_cpus`.
    pub slots: u32,
    /// Tungsten page (MEM-33).
    pub page: Bytes,
    /// Factor on CPU work when a CPU limit is below the slots.
    pub cpu_stretch: f64,
}

/// Sizes of every executor.
#[derive(Clone, Debug)]
pub struct ExecutorPlan {
    /// What an executor announces.
    pub usual: Announced,
    /// What one that was made in recovery mode announces: as many cores as one task takes. Its pod is the same.
    pub recovery: Announced,
    /// `-Xmx`.
    pub heap: Bytes,
    /// M: unified memory in the heap (MEM-6).
    pub unified: Bytes,
    /// S: the part of it where cached data is safe from execution.
    pub storage_region: Bytes,
    /// `spark.memory.offHeap.size`: when not zero Tungsten pages live there (MEM-8).
    pub off_heap: Bytes,
    /// The part of it where off-heap cached data is safe from execution.
    pub native_storage_region: Bytes,
    /// Container (or pod) memory limit, if any.
    pub limit: Option<Bytes>,
    /// Pod requests and limits for the scheduler, sidecars included.
    pub resources: Resources,
    /// Labels of executor pods (PT-2 and the template's).
    pub labels: Vec<Label>,
    /// Where scratch goes.
    pub scratch: ScratchPlan,
}

impl ExecutorPlan {
    pub(super) fn new(spec: &Spec) -> Self {
        let conf = &spec.spark;
        let executor = &conf.executor;
        let reported = jvm::max_memory(executor.heap, executor.collector, executor.xms_equals_xmx);
        let unified = unified_memory::unified_region(reported, conf.memory.fraction);
        let on_heap = executor.off_heap.is_zero();
        let storage_region = unified_memory::storage_region(unified, conf.memory.storage_fraction);
        // Pages are sized by the execution pool that they come from.
        let tungsten = if on_heap { unified } else { executor.off_heap };
        let execution = tungsten - unified_memory::storage_region(tungsten, conf.memory.storage_fraction);
        let announced = |cores: u32| {
            let slots = cores / executor.task_cpus;
            let page = conf.memory.page_size.unwrap_or_else(|| page::default_page_size(execution, cores, executor.collector, on_heap));
            Announced { cores, slots, page, cpu_stretch: cpu_stretch(executor.cpu_limit, slots) }
        };
        let container = spec.container(executor.container_memory);
        let limit = match spec.cluster.platform {
            Platform::Kubernetes | Platform::Bare => (!container.is_zero()).then_some(container),
            Platform::Yarn => (spec.cluster.yarn.control == ContainerControl::Cgroup).then_some(container),
            Platform::Standalone => None,
        };
        let template = &conf.kubernetes.pod_template;
        let resources = Resources {
            cpu_request: executor.cpu_request + template.sidecars.cpu_request,
            cpu_limit: executor.cpu_limit,
            memory_request: container + template.sidecars.memory_request,
            memory_limit: limit,
            ephemeral_request: template.ephemeral_request,
            ephemeral_limit: template.ephemeral_limit,
        };
        let mut labels = vec![Label::new("spark-role", "executor"), Label::new("spark-app-selector", spec.app.name.clone())];
        labels.extend(template.labels.iter().cloned());
        Self {
            usual: announced(executor.cores),
            recovery: announced(executor.task_cpus),
            heap: executor.heap,
            unified,
            storage_region,
            native_storage_region: unified_memory::storage_region(executor.off_heap, conf.memory.storage_fraction),
            off_heap: executor.off_heap,
            limit,
            resources,
            labels,
            scratch: ScratchPlan::new(spec),
        }
    }

    /// The pools in the heap.
    pub(crate) fn unified_memory(&self) -> UnifiedMemory {
        UnifiedMemory::new(self.unified, self.storage_region)
    }

    /// The off-heap pools; of no size when off-heap memory is disabled.
    pub(crate) fn native_memory(&self) -> UnifiedMemory {
        UnifiedMemory::new(self.off_heap, self.native_storage_region)
    }

    /// Memory that YARN's monitor compares with.
    pub(crate) fn container(&self) -> Bytes {
        self.resources.memory_request
    }
}

fn cpu_stretch(limit: Option<CoreMillis>, slots: u32) -> f64 {
    limit.map_or(1.0, |limit| (f64::from(slots) / limit.as_cores().max(0.001)).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// MEM-8, MEM-33: with off-heap memory pools and pages come from its size, and a page has no array header.
    #[test]
    fn mem_8_off_heap_pools_follow_the_storage_fraction() {
        let mut spec = fixture::case_study(true, true);
        spec.spark.executor.off_heap = Bytes::gib(1);
        spec.spark.executor.cores = 2;
        spec.spark.memory.storage_fraction = 0.25;
        let plan = ExecutorPlan::new(&spec);
        // 0.75 GiB / 2 cores / 16 = 24 MiB, the next power of two is 32 MiB.
        assert_eq!(plan.usual.page, Bytes::mib(32));
        let pools = plan.native_memory();
        assert_eq!((pools.execution_pool(), pools.storage_pool()), (Bytes::mib(768), Bytes::mib(256)));
        assert_eq!(plan.unified_memory().max(), unified_memory::unified_region(spec.spark.executor.heap, 0.6), "the pools in the heap keep their size");
    }
}

//! Sizes that follow from memory keys: what the pod asks for, what tasks may have of it, what scratch in RAM may hold.
//!
//! They come from the compiled plan, so `explain` shows what a run would use; a scenario that cannot run shows the sizes of its
//! configuration only (1.1, 1.5, MEM-12, MEM-33, ED-1).

use sim_core::kube::empty_dir::tmpfs_size;
use sim_core::plan::SimPlan;
use sim_core::spark::jvm::max_memory;
use sim_core::spark::unified_memory::{storage_region, unified_region};
use sim_core::spec::{Platform, Spec};
use sim_core::units::Bytes;

/// Parts of keys whose value decides a size.
const ABOUT_MEMORY: [&str; 9] =
    ["emory", "offHeap", "executor_limit", "tmpfs", "local_dirs", "spark.local.dir", "pageSize", "spark.executor.cores", "spark.task.cpus"];

/// The sizes of a scenario beside a key that decides some of them.
pub(super) fn beside(key: &str, spec: &Spec) -> Vec<(String, String)> {
    if !ABOUT_MEMORY.iter().any(|part| key.contains(part)) || key.starts_with("uncertainty.") {
        return Vec::new();
    }
    let mut all = container(spec);
    all.extend(regions(spec));
    if let Ok(plan) = SimPlan::compile(spec) {
        all.extend(planned(&plan));
    }
    all.push(("driver_memory_mib".to_owned(), mib(spec.container(spec.spark.driver.container_memory))));
    all
}

fn mib(bytes: Bytes) -> String {
    bytes.whole_mib().to_string()
}

fn container(spec: &Spec) -> Vec<(String, String)> {
    let executor = &spec.spark.executor;
    let mut all = vec![
        ("heap_mib".to_owned(), mib(executor.heap)),
        ("off_heap_mib".to_owned(), mib(executor.off_heap)),
        ("pyspark_mib".to_owned(), mib(executor.pyspark)),
    ];
    let container = spec.container(executor.container_memory);
    if !container.is_zero() {
        let rest = executor.heap + executor.off_heap + executor.pyspark;
        let name = if spec.cluster.platform == Platform::Kubernetes { "pod_memory_mib" } else { "container_memory_mib" };
        all.push((name.to_owned(), mib(container)));
        all.push(("overhead_mib".to_owned(), mib(executor.container_memory.saturating_sub(rest))));
    }
    all
}

fn regions(spec: &Spec) -> Vec<(String, String)> {
    let executor = &spec.spark.executor;
    let unified = unified_region(max_memory(executor.heap, executor.collector, executor.xms_equals_xmx), spec.spark.memory.fraction);
    let storage = storage_region(unified, spec.spark.memory.storage_fraction);
    let slots = u64::from((executor.cores / executor.task_cpus.max(1)).max(1));
    let sizes = [
        ("unified_memory_bytes", unified.get()),
        ("storage_region_bytes", storage.get()),
        ("execution_per_task_min_bytes", unified.get() / (2 * slots)),
        ("execution_per_task_max_bytes", unified.get() / slots),
    ];
    sizes.map(|(name, bytes)| (name.to_owned(), bytes.to_string())).to_vec()
}

fn planned(plan: &SimPlan) -> Vec<(String, String)> {
    let executor = plan.executor();
    let mut all = vec![("page_size_bytes".to_owned(), executor.usual.page.get().to_string())];
    let scratch = &executor.scratch;
    let smallest = plan.node_lines().into_iter().filter_map(|node| node.allocatable).min();
    if let (Some(allocatable), 1..) = (smallest, scratch.tmpfs_dirs) {
        let each = tmpfs_size(allocatable, executor.limit, scratch.tmpfs_size_limit);
        all.push(("tmpfs_capacity_bytes".to_owned(), (each * u64::from(scratch.tmpfs_dirs)).get().to_string()));
    }
    all
}

//! `explain KEY`: what a key means, its default, its value here and where that comes from.

use sim_core::spark::jvm::max_memory;
use sim_core::spark::unified_memory::{storage_region, unified_region};
use sim_core::spec::{Platform, Spec};
use sim_core::units::Bytes;

use crate::diag::Diagnostic;
use crate::layer::all_paths;
use crate::scenario::Scenario;
use crate::schema::{Need, ROOT, describe, field_at, nearest};
use crate::spark_conf::{self, NOT_SIMULATED, is_family, known_names};

/// What is known about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The key.
    pub key: String,
    /// Meaning.
    pub meaning: String,
    /// Default, by version where it differs.
    pub default: String,
    /// Value in the scenario.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Option<String>,
    /// Whether it decides something in the simulation.
    pub modelled: bool,
    /// Source of the meaning and the default.
    pub source: String,
    /// Sizes that follow from memory keys in the scenario, as name and value.
    pub derived: Vec<(String, String)>,
}

/// Explains a Spark key or a path of a scenario; an unknown key gives its nearest names.
#[expect(clippy::result_large_err, reason = "one diagnostic for one question")]
pub fn explain(key: &str, scenario: Option<&Scenario>) -> Result<Explanation, Diagnostic> {
    let key = key.trim();
    let setting = scenario.and_then(|s| s.settings.iter().find(|setting| setting.key == key));
    let mut explanation = described(key).ok_or_else(|| unknown(key))?;
    explanation.value = setting.map(|setting| setting.value.clone());
    explanation.origin = setting.map(|setting| setting.origin.to_string());
    if let Some(scenario) = scenario
        && (key.contains("emory") || key.contains("offHeap") || key.contains("executor_limit"))
    {
        explanation.derived = derived(&scenario.spec);
    }
    Ok(explanation)
}

fn described(key: &str) -> Option<Explanation> {
    let make = |meaning: &str, default: String, modelled, source: &str| Explanation {
        key: key.to_owned(),
        meaning: meaning.to_owned(),
        default,
        value: None,
        origin: None,
        modelled,
        source: source.to_owned(),
        derived: Vec::new(),
    };
    if let Some(known) = spark_conf::find(key) {
        return Some(make(known.meaning, known.default_in_words(), true, known.source));
    }
    if let Some((_, why)) = NOT_SIMULATED.iter().find(|(name, _)| *name == key) {
        return Some(make(&format!("Not simulated: {why}."), "as in Spark".to_owned(), false, "Spark's configuration page"));
    }
    if is_family(key) {
        let pod = key.starts_with("spark.kubernetes.");
        return Some(make("Adds to the executor pod, or is left alone.", "unset".to_owned(), pod, "LD-3, PT-2"));
    }
    let parts: Vec<&str> = key.split('.').collect();
    let field = field_at(&ROOT, &parts)?;
    let default = match field.need {
        Need::Default(toml) => toml.to_owned(),
        Need::Computed(from) => from.to_owned(),
        Need::Required => "none: it must be there".to_owned(),
        Need::Optional => "unset".to_owned(),
    };
    Some(make(&format!("{} Takes {}.", field.meaning, describe(field.kind)), default, true, field.source))
}

fn unknown(key: &str) -> Diagnostic {
    let paths = all_paths();
    let mut names: Vec<&str> = known_names().collect();
    names.extend(paths.iter().map(String::as_str));
    let near = nearest(key, names);
    let hint = if near.is_empty() { "spillcast schema prints every key of a scenario".to_owned() } else { format!("did you mean {}?", near.join(" or ")) };
    Diagnostic::error("unknown-key", format!("nothing is known about {key:?}")).found(key).expected("a Spark key or a path of a scenario").hint(hint)
}

/// The sizes of an executor (1.1, 1.5).
fn derived(spec: &Spec) -> Vec<(String, String)> {
    let executor = &spec.spark.executor;
    let mib = |bytes: Bytes| bytes.whole_mib().to_string();
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
    let unified = unified_region(max_memory(executor.heap, executor.collector, executor.xms_equals_xmx), spec.spark.memory.fraction);
    let storage = storage_region(unified, spec.spark.memory.storage_fraction);
    let slots = u64::from((executor.cores / executor.task_cpus.max(1)).max(1));
    for (name, bytes) in
        [("unified_memory_bytes", unified.get()), ("storage_region_bytes", storage.get()), ("execution_per_task_max_bytes", unified.get() / slots)]
    {
        all.push((name.to_owned(), bytes.to_string()));
    }
    all.push(("driver_memory_mib".to_owned(), mib(spec.container(spec.spark.driver.container_memory))));
    all
}

//! What users write or export, read and checked into the model's inputs.
//!
//! [`load`] takes what the command line names (a scenario file or a built-in one, a properties file, a pod template, what kubectl printed,
//! `--conf`, `--set`), lays the layers over each other so that each value keeps its origin, checks everything at once,
//! and gives a [`Scenario`] with the model's [`sim_core::spec::Spec`]. [`Scenario::points`] expands a sweep: each point goes
//! through all layers and rules again. Problems are [`diag::Diagnostics`] with file, place, what was found, what was
//! expected and one thing to try; bad input never panics.
//!
//! ```
//! use scenarios::{Request, load};
//!
//! let (scenario, problems) = load(&Request { scenario: "aks-migration".to_owned(), ..Request::default() });
//! assert!(!problems.has_errors());
//! let scenario = scenario.expect("no errors");
//! assert_eq!(scenario.spec.cluster.pools[0].count, 4);
//! ```

mod build;
mod catalog;
mod codec;
pub mod diag;
pub mod event_log;
mod expand;
mod explain;
mod kube_yaml;
mod kubectl;
mod layer;
pub mod library;
mod new;
pub mod profile;
mod properties;
mod quantity;
mod raw;
pub mod recorded;
mod scenario;
mod schema;
mod spark_application;
mod spark_conf;
mod sweep;
pub mod trials;
mod validate;
mod vms;

pub use explain::{Explanation, explain, explain_all, explain_matching, explain_set};
pub use library::{BuiltIn, BuiltInKind};
pub use new::new_scenario;
pub use raw::Origin;
pub use scenario::{Request, Scenario, Setting, load};
pub use sweep::{Axis, AxisValue, Point, Sweep};
pub use vms::{Vm, VmDisk, VmRemote, vms};

/// The JSON Schema (draft-07) of a scenario file, for editors.
pub fn schema() -> serde_json::Value {
    schema::json_schema(&schema::ROOT, "spillcast scenario")
}

/// Every Spark key that bears on memory, shuffle or placement, with its meaning; keys that are not simulated say so.
pub fn known_keys() -> Vec<(String, String)> {
    use spark_conf::meanings;
    let simulated = spark_conf::KEYS.iter().map(|key| (key.key.to_owned(), key.meaning.to_owned()));
    let others = meanings::reasoned().filter(|key| spark_conf::find(key).is_none()).map(|key| {
        let meaning = meanings::meaning(key).unwrap_or("Not related to memory or shuffle.");
        (key.to_owned(), format!("{meaning} (not simulated)"))
    });
    let mut keys: Vec<_> = simulated.chain(others).collect();
    keys.sort();
    keys
}

/// Whether a name is that of a built-in scenario.
pub fn is_built_in_scenario(name: &str) -> bool {
    library::find(name).is_some_and(|built_in| built_in.kind != BuiltInKind::Profile)
}

//! What the profile's recording run showed of executors' memory, where the scenario says nothing.
//!
//! Four inputs of the memory model belong to the workload and can be seen in executor metrics: the share of the heap that the young
//! generation touches, the growth of a heap without `-Xms`, how much is allocated, and non-heap memory. The module `profile::calibrate` says how. A recording without
//! those metrics leaves the documented defaults, and says so beside them.

use sim_core::spec::Collector;

use super::derived;
use crate::profile::{Calibration, Measured, Profile};
use crate::raw::{Layer, Node, Origin, Value};
use crate::scenario::Setting;

/// The keys below `uncertainty`, with what was measured of each.
fn inputs(calibration: &Calibration) -> [(&'static str, Option<Measured>); 4] {
    let Calibration { young_share, heap_growth, non_heap, allocation } = *calibration;
    [("heap_young_share", young_share), ("heap_growth", heap_growth), ("allocation", allocation), ("non_heap", non_heap)]
}

/// Puts what was measured where the scenario says nothing, but for what only holds under the same collector.
pub(super) fn fill(tree: &mut Node, profile: &Profile) {
    put(tree, profile, |key| !OF_THE_COLLECTOR.contains(&key));
}

/// Keys whose measure says nothing of another collector.
const OF_THE_COLLECTOR: [&str; 2] = ["heap_young_share", "heap_growth"];

/// Puts what was measured of the heap, when the recording run had the same collector or does not tell.
pub(super) fn fill_heap(tree: &mut Node, profile: &Profile, collector: Collector) {
    let name = match collector {
        Collector::G1 => "g1",
        Collector::Parallel => "parallel",
        Collector::Serial => "serial",
    };
    let recorded = profile.evidence().and_then(|evidence| evidence.collector.as_deref());
    if recorded.is_none_or(|recorded| recorded == name) {
        put(tree, profile, |key| OF_THE_COLLECTOR.contains(&key));
    }
}

fn put(tree: &mut Node, profile: &Profile, wanted: impl Fn(&str) -> bool) {
    let Some((calibration, run)) = profile.calibration() else { return };
    for (key, value) in inputs(&calibration).into_iter().filter(|(key, _)| wanted(key)) {
        let Some(value) = value else { continue };
        if tree.get("uncertainty").is_none() {
            tree.insert("uncertainty", derived(Value::Table(Vec::new()), "the profile's evidence"));
        }
        let Some(table) = tree.get_mut("uncertainty").filter(|table| table.get(key).is_none()) else { continue };
        let executors = if value.executors == 1 { "1 executor".to_owned() } else { format!("{} executors", value.executors) };
        let origin = format!("measured in {run}, {executors}");
        let text = format!("{{ normal = {{ mean = {:.4}, sd = {:.4} }} }}", value.mean, value.sd);
        if let Some(node) = crate::raw::read_value(&text, &Layer::Derived(origin)) {
            table.insert(key, node);
        }
    }
}

/// Says of each input that a recording could have told and did not that its default holds.
pub(super) fn tell(settings: &mut [Setting], profile: &Profile) {
    let Some((calibration, run)) = profile.calibration() else { return };
    for (key, _) in inputs(&calibration).iter().filter(|(key, value)| value.is_none() && *key != "allocation") {
        let own = settings.iter_mut().find(|setting| setting.key.strip_prefix("uncertainty.") == Some(key));
        let Some(setting) = own else { continue };
        let why = format!("; the executor metrics of {run} do not tell it");
        match &mut setting.origin {
            Origin::Default(text) => text.push_str(&why),
            Origin::Derived(text) => *text = format!("documented default: {text}{why}"),
            _ => {}
        }
    }
}

//! What the profile's recording run showed of executors' memory, where the scenario says nothing.
//!
//! Three inputs of the memory model belong to the workload and can be seen in executor metrics: the share of the heap that the young
//! generation touches, the growth of a heap without `-Xms`, and non-heap memory. The module `profile::calibrate` says how. A recording without
//! those metrics leaves the documented defaults, and says so beside them.

use super::derived;
use crate::profile::{Calibration, Measured, Profile};
use crate::raw::{Layer, Node, Origin, Value};
use crate::scenario::Setting;

/// The keys below `uncertainty`, with what was measured of each.
fn inputs(calibration: &Calibration) -> [(&'static str, Option<Measured>); 3] {
    [("heap_young_share", calibration.young_share), ("heap_growth", calibration.heap_growth), ("non_heap", calibration.non_heap)]
}

/// Puts what was measured where the scenario says nothing.
pub(super) fn fill(tree: &mut Node, profile: &Profile) {
    let Some((calibration, run)) = profile.calibration() else { return };
    for (key, value) in inputs(&calibration) {
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
    for (key, _) in inputs(&calibration).iter().filter(|(_, value)| value.is_none()) {
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

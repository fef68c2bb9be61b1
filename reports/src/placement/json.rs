//! The object of `explain placement --format json`.

use serde_json::{Value, json};
use sim_core::kube::scheduler::{NodeScores, Reason, plugins};
use sim_core::observe::Placement;

use super::{PlacementReport, rule_name};
use crate::json::SCHEMA_VERSION;

/// All decisions; field names are a promise, as those of the result object are.
pub fn object(report: &PlacementReport) -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "scenario": report.scenario,
        "seed": report.seed,
        "replication": report.replication,
        "weights": plugins().into_iter().filter_map(|(name, weight)| Some((name.to_owned(), json!(weight?)))).collect::<serde_json::Map<_, _>>(),
        "pods": report.placements.iter().map(|placement| pod(report, placement)).collect::<Vec<_>>(),
        "left_out": report.left_out,
    })
}

fn pod(report: &PlacementReport, placement: &Placement) -> Value {
    let explained = &placement.explained;
    let decision = &explained.decision;
    let name = |node: &usize| report.node(*node).to_owned();
    json!({
        "pod": placement.pod,
        "at_s": placement.at.as_secs_f64(),
        "tries": placement.tries,
        "cpu_request_m": explained.cpu.get(),
        "memory_request_bytes": explained.memory.get(),
        "node": decision.node.as_ref().map(name),
        "tied": decision.tied.iter().map(name).collect::<Vec<_>>(),
        "scores": decision.table.iter().map(|row| scores(report, row)).collect::<Vec<_>>(),
        "refused": decision.reasons.iter().map(|(node, reason)| refused(report, *node, reason)).collect::<Vec<_>>(),
        "held": placement.held.as_ref().map(|held| json!({"volume": held.volume, "node": report.node(held.node), "for_s": held.wait.map(sim_core::units::SimSpan::as_secs_f64)})),
        "without": explained.without.iter().map(|one| json!({"rule": rule_name(&one.rule), "node": one.node.as_ref().map(name)})).collect::<Vec<_>>(),
    })
}

fn scores(report: &PlacementReport, row: &NodeScores) -> Value {
    let plugin = |score: &sim_core::kube::scheduler::PluginScore| json!({"plugin": score.plugin, "raw": score.raw, "normalised": score.normalised, "weighted": score.weighted});
    json!({"node": report.node(row.node), "total": row.total, "plugins": row.by_plugin.iter().map(plugin).collect::<Vec<_>>()})
}

fn refused(report: &PlacementReport, node: usize, reason: &Reason) -> Value {
    json!({"node": report.node(node), "plugin": reason.plugin(), "reason": reason.to_string()})
}

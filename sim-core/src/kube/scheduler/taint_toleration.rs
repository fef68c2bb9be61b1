//! The `TaintToleration` plugin.
//!
//! Filter: a `NoSchedule` or `NoExecute` taint that the pod does not tolerate excludes the node. Score: the fewer
//! untolerated `PreferNoSchedule` taints the better, normalised against the worst feasible node and reversed, weight 3
//! (5.1, 5.6). Memory and disk pressure are taints too: the cluster tolerates memory pressure on behalf of every pod
//! that is not best-effort, so executors keep landing on a node that is short of memory, while disk pressure refuses
//! them (NE-5).

use super::reason::Reason;
use super::{Cycle, NodeConditions, NodeView, PodView};
use crate::spec::{Taint, TaintEffect, Toleration};

const MEMORY_PRESSURE: &str = "node.kubernetes.io/memory-pressure";
const DISK_PRESSURE: &str = "node.kubernetes.io/disk-pressure";

/// Refuses nodes with a taint, or a pressure, that the pod does not tolerate.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let (pod, node) = (cycle.pod, &cycle.nodes[index]);
    if let Some(taint) = untolerated(pod, node) {
        reasons.push((index, Reason::UntoleratedTaint { key: taint.key.clone(), value: taint.value.clone() }));
    } else if let Some(key) = untolerated_pressure(pod, node.conditions) {
        reasons.push((index, Reason::UntoleratedTaint { key: key.to_owned(), value: String::new() }));
    }
}

/// The first taint of the node that keeps the pod away.
pub(super) fn untolerated<'a>(pod: &PodView<'_>, node: &NodeView<'a>) -> Option<&'a Taint> {
    let binding = |taint: &&Taint| taint.effect != TaintEffect::PreferNoSchedule;
    node.taints.iter().filter(binding).find(|taint| !tolerates(pod.tolerations, &taint.key, &taint.value, taint.effect))
}

/// The number of untolerated `PreferNoSchedule` taints.
pub(super) fn score(cycle: &Cycle<'_>, feasible: &[usize], scores: &mut [i64]) {
    for (score, &index) in scores.iter_mut().zip(feasible) {
        let soft = cycle.nodes[index].taints.iter().filter(|taint| taint.effect == TaintEffect::PreferNoSchedule);
        let untolerated = soft.filter(|taint| !tolerates(cycle.pod.tolerations, &taint.key, &taint.value, taint.effect));
        *score = untolerated.map(|_| 1).sum();
    }
}

/// 100 for nodes without such taints, 0 for those with the most.
pub(super) fn normalise(_: &Cycle<'_>, scores: &mut [i64]) {
    super::normalise(scores, true);
}

fn untolerated_pressure(pod: &PodView<'_>, conditions: NodeConditions) -> Option<&'static str> {
    let refuses = |key: &str| !tolerates(pod.tolerations, key, "", TaintEffect::NoSchedule);
    if conditions.memory_pressure && pod.best_effort && refuses(MEMORY_PRESSURE) {
        return Some(MEMORY_PRESSURE);
    }
    (conditions.disk_pressure && refuses(DISK_PRESSURE)).then_some(DISK_PRESSURE)
}

/// Whether any toleration covers the taint. An empty key covers every key; no effect covers every effect.
pub(super) fn tolerates(tolerations: &[Toleration], key: &str, value: &str, effect: TaintEffect) -> bool {
    tolerations.iter().any(|toleration| {
        let effect_matches = toleration.effect.is_none_or(|one| one == effect);
        let key_matches = toleration.key.is_empty() || toleration.key == key;
        effect_matches && key_matches && (toleration.exists || toleration.value == value)
    })
}

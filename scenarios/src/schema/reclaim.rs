//! `[[reclaim]]`: what the cluster takes back in the middle of a run.

use super::{Field, Kind, Shape};

pub(super) static RECLAIM: Shape = Shape {
    name: "[[reclaim]]",
    fields: &[
        Field::optional(
            "executor",
            Kind::Integer(1, 100_000),
            "Executor whose pod is taken, 1 is the first; replacements have the numbers after the first ones.",
        ),
        Field::optional("node", Kind::Text, "Node that is drained: its executors leave, and it takes no other pod. Nodes are POOL-INDEX."),
        Field::required("at", Kind::Time, "When, from the submission of the application."),
        Field::default(
            "sudden",
            Kind::Bool,
            "false",
            "Whether the node just vanishes: no notice, no signal, packets to it are lost. Not for an executor.",
            "3.6",
        ),
        Field::default("notice", Kind::Time, "\"30s\"", "Time from the notice to the kill.", "DT-4; AWS and Azure spot reclaims give 2 min and 30 s"),
    ],
};

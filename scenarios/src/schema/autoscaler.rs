//! `[cluster.autoscaler]`: how pools with `max` grow.

use super::{Field, Kind, Measure, Shape};

pub(super) static AUTOSCALER: Shape = Shape {
    name: "[cluster.autoscaler]",
    fields: &[
        Field::default("scan_interval", Kind::Time, "\"10s\"", "scan-interval: how often it looks at pods that found no node.", "5.6"),
        Field::default(
            "scale_up",
            Kind::Dist(Measure::Seconds),
            "{ uniform = { low = 120, high = 300 } }",
            "From its decision until the new node takes pods, seconds.",
            "5.6: an AKS node takes two to five minutes (recalled); read yours from the events TriggeredScaleUp and Scheduled of a pod",
        ),
        Field::default(
            "max_node_provision_time",
            Kind::Time,
            "\"15m\"",
            "max-node-provision-time: a node that is not there by then is given up, and its pool is left alone for 5 min, doubled up to 30 min.",
            "the autoscaler's and AKS' default",
        ),
        Field::default(
            "expander",
            Kind::Choice(&["random", "least-waste"]),
            "\"random\"",
            "expander: which pool grows when several could help, any or the one that leaves least CPU and memory over.",
            "the default of release 1.30 and of AKS",
        ),
    ],
};

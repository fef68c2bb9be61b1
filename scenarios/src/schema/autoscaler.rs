//! `[cluster.autoscaler]`: how pools with `max` grow, and how they and those with `min` shrink.

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
        Field::default(
            "scale_down",
            Kind::Bool,
            "true",
            "scale-down-enabled: whether nodes that nobody needs go, down to a pool's min.",
            "the autoscaler's default",
        ),
        Field::default(
            "scale_down_utilization_threshold",
            Kind::Number(0.0, 1.0),
            "0.5",
            "scale-down-utilization-threshold: a node whose requests of CPU and memory are both below this share may go.",
            "the autoscaler's and AKS' default",
        ),
        Field::default(
            "scale_down_unneeded_time",
            Kind::Time,
            "\"10m\"",
            "scale-down-unneeded-time: how long a node is unneeded before it goes.",
            "the autoscaler's and AKS' default",
        ),
        Field::default(
            "scale_down_delay_after_add",
            Kind::Time,
            "\"10m\"",
            "scale-down-delay-after-add: no node goes for so long after one was asked for.",
            "the autoscaler's and AKS' default",
        ),
        Field::default(
            "max_graceful_termination",
            Kind::Time,
            "\"600s\"",
            "max-graceful-termination-sec: the longest grace of a pod that is evicted from a node that goes.",
            "the autoscaler's and AKS' default",
        ),
        Field::default(
            "skip_nodes_with_local_storage",
            Kind::Bool,
            "true",
            "skip-nodes-with-local-storage: pods of a controller with an emptyDir on disk or a hostPath keep their node.",
            "the autoscaler's default; AKS' own profile has false (recalled)",
        ),
    ],
};

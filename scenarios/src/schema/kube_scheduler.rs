//! `[cluster.scheduler]`: the profile of kube-scheduler.

use super::{Field, Kind, Shape};

pub(super) static KUBE_SCHEDULER: Shape = Shape {
    name: "[cluster.scheduler]",
    fields: &[
        Field::default(
            "strategy",
            Kind::Choice(&["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"]),
            "\"LeastAllocated\"",
            "scoringStrategy.type of NodeResourcesFit: spread by free share, pack, or a shape of your own.",
            "NR-2",
        ),
        Field::default(
            "resources",
            Kind::List(&Kind::Table(&RESOURCE)),
            "[{ name = \"cpu\" }, { name = \"memory\" }]",
            "scoringStrategy.resources: what the strategy looks at.",
            "NR-2",
        ),
        Field::default("shape", Kind::List(&Kind::Table(&POINT)), "[]", "Shape of RequestedToCapacityRatio, by increasing utilization.", ""),
        Field::default(
            "hard_pod_affinity_weight",
            Kind::Integer(0, 100),
            "1",
            "hardPodAffinityWeight: how much a running pod's required affinity attracts those that it selects.",
            "PA-5",
        ),
        Field::default(
            "percentage_of_nodes_to_score",
            Kind::Integer(0, 100),
            "0",
            "percentageOfNodesToScore: how many feasible nodes end the search, from 100 nodes on; 0 is adaptive.",
            "SC-2",
        ),
        Field::optional(
            "cold_image",
            Kind::Size,
            "Size of Spark's image when nodes have it only once driver or an executor has been there; without it every node has it, and ImageLocality decides nothing.",
        ),
        Field::default("preemption", Kind::Bool, "true", "Whether pods of higher priority may have others of lower priority deleted.", "5.6"),
        Field::default("priority_classes", Kind::Map, "{}", "Values of your priority classes by name, for priorityClassName of the pod template.", ""),
    ],
};

static RESOURCE: Shape = Shape {
    name: "[[cluster.scheduler.resources]]",
    fields: &[
        Field::required("name", Kind::Choice(&["cpu", "memory", "ephemeral-storage"]), "The resource."),
        Field::default("weight", Kind::Integer(1, 100), "1", "Its weight.", "NR-2"),
    ],
};

static POINT: Shape = Shape {
    name: "[[cluster.scheduler.shape]]",
    fields: &[Field::required("utilization", Kind::Integer(0, 100), "Percent requested."), Field::required("score", Kind::Integer(0, 10), "Score there.")],
};

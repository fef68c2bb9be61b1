//! Which fields of a pod template are read; the walker warns about all others.

use crate::schema::{Field, Kind, Shape};

const fn opt(key: &'static str, kind: Kind) -> Field {
    Field::optional(key, kind, "")
}
const fn must(key: &'static str, kind: Kind) -> Field {
    Field::required(key, kind, "Kubernetes requires it.")
}

/// `v1/Pod`.
pub(super) static POD: Shape = Shape {
    name: "the pod template",
    fields: &[opt("apiVersion", Kind::Text), opt("kind", Kind::Choice(&["Pod"])), opt("metadata", Kind::Table(&METADATA)), opt("spec", Kind::Table(&SPEC))],
};
static METADATA: Shape =
    Shape { name: "metadata", fields: &[opt("name", Kind::Text), opt("namespace", Kind::Text), opt("labels", Kind::Map), opt("annotations", Kind::Map)] };
static SPEC: Shape = Shape {
    name: "spec",
    fields: &[
        opt("affinity", Kind::Table(&AFFINITY)),
        opt("tolerations", Kind::List(&Kind::Table(&TOLERATION))),
        opt("nodeSelector", Kind::Map),
        opt("priority", Kind::Integer(-2_147_483_648, 2_147_483_647)),
        opt("priorityClassName", Kind::Text),
        opt("preemptionPolicy", Kind::Choice(&["Never", "PreemptLowerPriority"])),
        opt("nodeName", Kind::Text),
        opt("topologySpreadConstraints", Kind::List(&Kind::Table(&SPREAD))),
        opt("volumes", Kind::List(&Kind::Table(&VOLUME))),
        opt("containers", Kind::List(&Kind::Table(&CONTAINER))),
    ],
};
static AFFINITY: Shape = Shape {
    name: "affinity",
    fields: &[
        opt("podAffinity", Kind::Table(&POD_AFFINITY)),
        opt("podAntiAffinity", Kind::Table(&POD_AFFINITY)),
        opt("nodeAffinity", Kind::Table(&NODE_AFFINITY)),
    ],
};
static POD_AFFINITY: Shape = Shape {
    name: "pod affinity",
    fields: &[
        opt("requiredDuringSchedulingIgnoredDuringExecution", Kind::List(&Kind::Table(&POD_TERM))),
        opt("preferredDuringSchedulingIgnoredDuringExecution", Kind::List(&Kind::Table(&WEIGHTED_POD_TERM))),
    ],
};
static POD_TERM: Shape = Shape {
    name: "a pod affinity term",
    fields: &[
        opt("labelSelector", Kind::Table(&LABEL_SELECTOR)),
        must("topologyKey", Kind::Text),
        opt("namespaces", Kind::List(&Kind::Text)),
        opt("namespaceSelector", Kind::Table(&LABEL_SELECTOR)),
        opt("matchLabelKeys", Kind::List(&Kind::Text)),
        opt("mismatchLabelKeys", Kind::List(&Kind::Text)),
    ],
};
static SPREAD: Shape = Shape {
    name: "a topology spread constraint",
    fields: &[
        must("maxSkew", Kind::Integer(1, 1_000_000)),
        must("topologyKey", Kind::Text),
        must("whenUnsatisfiable", Kind::Choice(&["DoNotSchedule", "ScheduleAnyway"])),
        opt("labelSelector", Kind::Table(&LABEL_SELECTOR)),
        opt("minDomains", Kind::Integer(1, 1_000_000)),
        opt("nodeAffinityPolicy", Kind::Choice(&["Honor", "Ignore"])),
        opt("nodeTaintsPolicy", Kind::Choice(&["Honor", "Ignore"])),
        opt("matchLabelKeys", Kind::List(&Kind::Text)),
    ],
};
static PORT: Shape = Shape {
    name: "a container port",
    fields: &[
        opt("name", Kind::Text),
        opt("containerPort", Kind::Integer(1, 65_535)),
        opt("hostPort", Kind::Integer(1, 65_535)),
        opt("hostIP", Kind::Text),
        opt("protocol", Kind::Choice(&["TCP", "UDP", "SCTP"])),
    ],
};
static WEIGHTED_POD_TERM: Shape =
    Shape { name: "a weighted pod affinity term", fields: &[must("weight", Kind::Integer(1, 100)), must("podAffinityTerm", Kind::Table(&POD_TERM))] };
static LABEL_SELECTOR: Shape =
    Shape { name: "labelSelector", fields: &[opt("matchLabels", Kind::Map), opt("matchExpressions", Kind::List(&Kind::Table(&EXPRESSION)))] };
static EXPRESSION: Shape =
    Shape { name: "an expression", fields: &[must("key", Kind::Text), must("operator", Kind::Text), opt("values", Kind::List(&Kind::Any))] };
static NODE_AFFINITY: Shape = Shape {
    name: "nodeAffinity",
    fields: &[
        opt("requiredDuringSchedulingIgnoredDuringExecution", Kind::Table(&NODE_SELECTOR)),
        opt("preferredDuringSchedulingIgnoredDuringExecution", Kind::List(&Kind::Table(&WEIGHTED_NODE_TERM))),
    ],
};
static NODE_SELECTOR: Shape = Shape { name: "a node selector", fields: &[must("nodeSelectorTerms", Kind::List(&Kind::Table(&NODE_TERM)))] };
static NODE_TERM: Shape = Shape {
    name: "a node selector term",
    fields: &[opt("matchExpressions", Kind::List(&Kind::Table(&EXPRESSION))), opt("matchFields", Kind::List(&Kind::Table(&EXPRESSION)))],
};
static WEIGHTED_NODE_TERM: Shape =
    Shape { name: "a weighted node selector term", fields: &[must("weight", Kind::Integer(1, 100)), must("preference", Kind::Table(&NODE_TERM))] };
static TOLERATION: Shape = Shape {
    name: "a toleration",
    fields: &[opt("key", Kind::Text), opt("operator", Kind::Choice(&["Exists", "Equal"])), opt("value", Kind::Text), opt("effect", Kind::Text)],
};
static VOLUME: Shape = Shape {
    name: "a volume",
    fields: &[
        must("name", Kind::Text),
        opt("emptyDir", Kind::Table(&EMPTY_DIR)),
        opt("hostPath", Kind::Table(&HOST_PATH)),
        opt("persistentVolumeClaim", Kind::Any),
        opt("ephemeral", Kind::Any),
    ],
};
static HOST_PATH: Shape = Shape { name: "hostPath", fields: &[must("path", Kind::Text), opt("type", Kind::Text)] };
static EMPTY_DIR: Shape = Shape { name: "emptyDir", fields: &[opt("medium", Kind::Text), opt("sizeLimit", Kind::KubeBytes)] };
static CONTAINER: Shape = Shape {
    name: "a container",
    fields: &[
        opt("name", Kind::Text),
        opt("image", Kind::Text),
        opt("resources", Kind::Table(&RESOURCES)),
        opt("ports", Kind::List(&Kind::Table(&PORT))),
        opt("volumeMounts", Kind::List(&Kind::Table(&MOUNT))),
    ],
};
static RESOURCES: Shape = Shape { name: "resources", fields: &[opt("requests", Kind::Table(&AMOUNTS)), opt("limits", Kind::Table(&AMOUNTS))] };
static AMOUNTS: Shape =
    Shape { name: "resource amounts", fields: &[opt("cpu", Kind::KubeCpu), opt("memory", Kind::KubeBytes), opt("ephemeral-storage", Kind::KubeBytes)] };
static MOUNT: Shape = Shape { name: "a volume mount", fields: &[must("name", Kind::Text), must("mountPath", Kind::Text), opt("readOnly", Kind::Bool)] };

//! Which fields of a SparkApplication are known; the walker warns about all others.
//!
//! Fields that hold nothing of memory, scratch or placement (images, classes, arguments, credentials, monitoring) are known
//! and told nothing of. Source: the API reference of sparkoperator.k8s.io/v1beta2.

use crate::schema::{Field, Kind, Shape};

const fn opt(key: &'static str, kind: Kind) -> Field {
    Field::optional(key, kind, "")
}
const fn must(key: &'static str, kind: Kind) -> Field {
    Field::required(key, kind, "The Spark operator requires it.")
}
/// A field that changes nothing in the model.
const fn nothing(key: &'static str) -> Field {
    Field::optional(key, Kind::Any, "")
}

const COUNT: Kind = Kind::Integer(0, i32::MAX as i64);

/// The `spec` of a `SparkApplication`, `v1beta2`.
pub(super) static SPEC: Shape = Shape {
    name: "spec",
    fields: &[
        opt("type", Kind::Choice(&["Java", "Scala", "Python", "R"])),
        opt("sparkVersion", Kind::Text),
        opt("mode", Kind::Choice(&["cluster", "client", "in-cluster-client"])),
        opt("sparkConf", Kind::Map),
        opt("memoryOverheadFactor", Kind::Any),
        opt("nodeSelector", Kind::Map),
        opt("volumes", Kind::Any),
        must("driver", Kind::Table(&DRIVER)),
        must("executor", Kind::Table(&EXECUTOR)),
        opt("dynamicAllocation", Kind::Table(&DYNAMIC)),
        opt("batchSchedulerOptions", Kind::Table(&BATCH)),
        opt("restartPolicy", Kind::Table(&RESTART)),
        nothing("image"),
        nothing("imagePullPolicy"),
        nothing("imagePullSecrets"),
        nothing("mainClass"),
        nothing("mainApplicationFile"),
        nothing("arguments"),
        nothing("proxyUser"),
        nothing("hadoopConf"),
        nothing("pythonVersion"),
        nothing("deps"),
        nothing("monitoring"),
        nothing("timeToLiveSeconds"),
        nothing("sparkUIOptions"),
        nothing("driverIngressOptions"),
        nothing("suspend"),
    ],
};
static DRIVER: Shape = Shape {
    name: "driver",
    fields: &[
        opt("cores", COUNT),
        opt("coreRequest", Kind::KubeCpu),
        opt("coreLimit", Kind::KubeCpu),
        opt("memory", Kind::Text),
        opt("memoryOverhead", Kind::Text),
        opt("javaOptions", Kind::Text),
        opt("env", Kind::Any),
        opt("envVars", Kind::Any),
        nothing("podName"),
        nothing("image"),
        nothing("labels"),
        nothing("annotations"),
        nothing("serviceAccount"),
        nothing("serviceAnnotations"),
        nothing("serviceLabels"),
        nothing("configMaps"),
        nothing("secrets"),
        nothing("envSecretKeyRefs"),
        nothing("envFrom"),
        nothing("podSecurityContext"),
        nothing("securityContext"),
        nothing("lifecycle"),
        nothing("kubernetesMaster"),
        nothing("ports"),
        nothing("dnsConfig"),
        nothing("hostAliases"),
        nothing("volumeMounts"),
    ],
};
static EXECUTOR: Shape = Shape {
    name: "executor",
    fields: &[
        opt("instances", COUNT),
        opt("cores", COUNT),
        opt("coreRequest", Kind::KubeCpu),
        opt("coreLimit", Kind::KubeCpu),
        opt("memory", Kind::Text),
        opt("memoryOverhead", Kind::Text),
        opt("memoryLimit", Kind::KubeBytes),
        opt("javaOptions", Kind::Text),
        opt("deleteOnTermination", Kind::Bool),
        opt("labels", Kind::Map),
        opt("affinity", Kind::Any),
        opt("tolerations", Kind::Any),
        opt("nodeSelector", Kind::Map),
        opt("volumeMounts", Kind::Any),
        opt("sidecars", Kind::Any),
        opt("priorityClassName", Kind::Text),
        opt("schedulerName", Kind::Text),
        opt("template", Kind::Any),
        opt("env", Kind::Any),
        opt("envVars", Kind::Any),
        nothing("image"),
        nothing("annotations"),
        nothing("serviceAccount"),
        nothing("configMaps"),
        nothing("secrets"),
        nothing("envSecretKeyRefs"),
        nothing("envFrom"),
        nothing("podSecurityContext"),
        nothing("securityContext"),
        nothing("lifecycle"),
        nothing("ports"),
        nothing("dnsConfig"),
        nothing("hostAliases"),
    ],
};
static DYNAMIC: Shape = Shape {
    name: "dynamicAllocation",
    fields: &[
        opt("enabled", Kind::Bool),
        opt("initialExecutors", COUNT),
        opt("minExecutors", COUNT),
        opt("maxExecutors", COUNT),
        opt("shuffleTrackingEnabled", Kind::Bool),
        opt("shuffleTrackingTimeout", Kind::Integer(0, i64::MAX)),
    ],
};
static BATCH: Shape = Shape { name: "batchSchedulerOptions", fields: &[opt("priorityClassName", Kind::Text), nothing("queue"), nothing("resources")] };
static RESTART: Shape = Shape {
    name: "restartPolicy",
    fields: &[
        opt("type", Kind::Choice(&["Never", "OnFailure", "Always"])),
        opt("onFailureRetries", COUNT),
        nothing("onFailureRetryInterval"),
        nothing("onSubmissionFailureRetries"),
        nothing("onSubmissionFailureRetryInterval"),
    ],
};

//! `[[cluster.daemon]]`: what systemd runs on every node, outside `kubepods`.

use super::{Field, Kind, Measure, Shape};

pub(super) static DAEMON: Shape = Shape {
    name: "[[cluster.daemon]]",
    fields: &[
        Field::required("name", Kind::Text, "Name, such as kubelet or node-problem-detector."),
        Field::required("anon", Kind::Dist(Measure::Bytes), "Anonymous memory that it uses, bytes; beside the pool's system_memory."),
        Field::default(
            "role",
            Kind::Choice(&["service", "kubelet", "runtime"]),
            "\"service\"",
            "What it is to the pods: while the kubelet or the runtime is down none starts, is seen to end, or is evicted.",
            "NO-2",
        ),
        Field::computed(
            "oom_score_adj",
            Kind::Integer(-1000, 1000),
            "-999 for kubelet and runtime, else 0",
            "OOMScoreAdjust of its unit; -1000 is never killed.",
            "NO-2, systemd.exec(5)",
        ),
        Field::default("restarts", Kind::Bool, "true", "Whether systemd starts it again after a kill (Restart=always or on-failure).", "units of daemons"),
        Field::computed(
            "restart_delay",
            Kind::Time,
            "10s for the kubelet, 5s for the runtime, else 100ms",
            "RestartSec of its unit.",
            "kubeadm's kubelet.service, containerd's containerd.service, systemd.service(5)",
        ),
    ],
};

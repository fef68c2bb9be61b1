//! `InterPodAffinity`: sums of weights by topology domain, scaled between the extremes of the feasible nodes.
//!
//! The terms are those of Kubernetes' test: towards `security=S1` in the region with 5, towards S2 with 6, away from either in the `az` with 5,
//! and one that does both with 8 and 5. China and India are regions, az1 and az2 are zones of another key.

use super::{Case, case, feasible, scores};
use crate::kube::scheduler::fixture::{HOSTNAME, Node, Pod, ZONE, is, node, pod, term};
use crate::spec::{KubeSchedulerSpec, LabelSelector, PodAffinityTerm, Requirement, SelectorOp};

const PLUGIN: &str = "InterPodAffinity";
const CHINA: (&str, &str) = ("region", "China");
const INDIA: (&str, &str) = ("region", "India");
const AZ1: (&str, &str) = ("az", "az1");
const AZ2: (&str, &str) = ("az", "az2");

/// A pod of this security.
fn of(level: &str) -> Pod {
    pod(100, 100).label("security", level)
}

fn plain() -> Pod {
    pod(100, 100)
}

fn at(labels: &[(&str, &str)], pods: Vec<Pod>) -> Node {
    labels.iter().fold(node("n", pods), |node, (key, value)| node.label(key, value))
}

fn near(pod: Pod, weight: i64, level: &str) -> Pod {
    pod.prefer_with(weight, term("region", "security", level))
}

fn away(pod: Pod, level: &str) -> Pod {
    pod.prefer_apart(5, term("az", "security", level))
}

/// Towards S1 in the region with 8, away from S2 in the zone with 5.
fn both_ways(pod: Pod) -> Pod {
    away(near(pod, 8, "S1"), "S2")
}

pub(super) fn attraction() -> Vec<Case> {
    let three = |pods: [Vec<Pod>; 3]| pods.into_iter().zip([CHINA, INDIA, AZ1]).map(|(pods, label)| at(&[label], pods)).collect::<Vec<Node>>();
    let several = |requirements| PodAffinityTerm::new(LabelSelector { requirements }, "region");
    let not_s1 = Requirement { key: "security".into(), op: SelectorOp::NotIn, values: vec!["S1".into()] };
    let any = Requirement { key: "security".into(), op: SelectorOp::Exists, values: vec![] };
    let s1_here = || plain().label("security", "S1").require_with(term("region", "security", "S1"));
    vec![
        // 5 in China; in India no S1; the third node has one but no region.
        case("k8s: towards S1 in the region", PLUGIN, near(of("S1"), 5, "S1"), three([vec![of("S1")], vec![of("S2")], vec![of("S1")]]), scores(&[100, 0, 0])),
        // 5 for all of China.
        case(
            "k8s: a region shares its score",
            PLUGIN,
            near(plain(), 5, "S1"),
            vec![at(&[CHINA], vec![of("S1")]), at(&[CHINA, AZ1], vec![]), at(&[INDIA], vec![])],
            scores(&[100, 100, 0]),
        ),
        // China 4·6 = 24, India 2·6 = 12, which is the least: 0.
        case(
            "k8s: the region with more of them",
            PLUGIN,
            near(of("S1"), 6, "S2"),
            vec![
                at(&[CHINA], vec![of("S2"), of("S2")]),
                at(&[INDIA], vec![of("S2")]),
                at(&[CHINA], vec![of("S2")]),
                at(&[CHINA], vec![of("S2")]),
                at(&[INDIA], vec![of("S2")]),
            ],
            scores(&[100, 0, 100, 100, 0]),
        ),
        // 8 for "not S1, and S2", 2 for any security: 2, 10, 0.
        case(
            "k8s: terms with several expressions",
            PLUGIN,
            of("S1").prefer_with(8, several(vec![not_s1, is("security", "S2")])).prefer_with(2, several(vec![any])),
            three([vec![of("S1")], vec![of("S2")], vec![of("S1")]]),
            scores(&[20, 100, 0]),
        ),
        // The running pods' preferences: the first wants S1, the second S2, which the newcomer is.
        case(
            "k8s: preferences of running pods",
            PLUGIN,
            of("S2"),
            three([vec![near(of("S1"), 5, "S1")], vec![near(of("S2"), 6, "S2")], vec![]]),
            scores(&[0, 100, 0]),
        ),
        // Their required terms count 1 each.
        case("k8s: requirements of running pods", PLUGIN, of("S1"), three([vec![s1_here()], vec![s1_here()], vec![]]), scores(&[100, 100, 0])),
        case("k8s: requirements of running pods with weight 0", PLUGIN, of("S1"), three([vec![s1_here()], vec![s1_here()], vec![]]), scores(&[0, 0, 0]))
            .with(KubeSchedulerSpec { hard_pod_affinity_weight: 0, ..KubeSchedulerSpec::default() }),
        // 8 for both nodes: no difference.
        case("k8s: one region is no choice", PLUGIN, of("S1"), vec![at(&[CHINA], vec![of("S1")]), at(&[CHINA], vec![both_ways(plain())])], scores(&[0, 0])),
    ]
}

pub(super) fn repulsion() -> Vec<Case> {
    let two = |first: Vec<Pod>, second: Vec<Pod>| vec![at(&[AZ1], first), at(&[CHINA], second)];
    vec![
        // −5 and 0.
        case("k8s: away from S1 in the zone", PLUGIN, away(of("S1"), "S1"), two(vec![of("S1")], vec![of("S2")]), scores(&[0, 100])),
        // The second node has an S1 too, but no zone.
        case("k8s: a node without the key cannot be avoided", PLUGIN, away(of("S1"), "S1"), two(vec![of("S1")], vec![of("S1")]), scores(&[0, 100])),
        // −10 and 0.
        case("k8s: away from two", PLUGIN, away(of("S1"), "S1"), vec![at(&[AZ1], vec![of("S1"); 2]), at(&[INDIA], vec![of("S2")])], scores(&[0, 100])),
        // The first node's pod avoids S2, which comes; the second's avoids S1.
        case(
            "k8s: running pods that avoid the newcomer",
            PLUGIN,
            of("S2"),
            vec![at(&[AZ1], vec![away(of("S1"), "S2")]), at(&[AZ2], vec![away(of("S2"), "S1")])],
            scores(&[0, 100]),
        ),
        // 8 and 0: the second has no region.
        case("k8s: towards and away", PLUGIN, both_ways(of("S1")), vec![at(&[CHINA], vec![of("S1")]), at(&[AZ1], vec![of("S1")])], scores(&[100, 0])),
        // China 5·8 = 40, India 2·8 = 16.
        case(
            "k8s: brothers in two regions",
            PLUGIN,
            both_ways(of("S1")),
            vec![
                at(&[CHINA, AZ1], vec![of("S1"); 2]),
                at(&[INDIA], vec![of("S1")]),
                at(&[CHINA], vec![of("S1"); 2]),
                at(&[CHINA], vec![of("S1")]),
                at(&[INDIA], vec![of("S1")]),
            ],
            scores(&[100, 0, 100, 100, 0]),
        ),
        // +8 by the newcomer, −5 by the newcomer, +8 by the pod there, −5 by the pod there.
        case(
            "k8s: towards and away, both sides",
            PLUGIN,
            both_ways(of("S1")),
            vec![at(&[CHINA], vec![of("S1")]), at(&[AZ1], vec![of("S2")]), at(&[INDIA], vec![both_ways(plain())]), at(&[AZ2], vec![away(plain(), "S1")])],
            scores(&[100, 0, 100, 0]),
        ),
    ]
}

/// "Assigning Pods to Nodes": `with-pod-affinity`, and the web servers with their caches.
pub(super) fn documented() -> Vec<Case> {
    let with_pod_affinity = || plain().require_with(term(ZONE, "security", "S1")).prefer_apart(100, term(ZONE, "security", "S2"));
    let cache = || plain().label("app", "store").require_apart(term(HOSTNAME, "app", "store"));
    let server = || plain().label("app", "web-store").require_apart(term(HOSTNAME, "app", "web-store")).require_with(term(HOSTNAME, "app", "store"));
    let named = |name: &str, pods| node(name, pods);
    vec![
        // V has S1 and S2: −100 on both its nodes; R has S1 alone: 0.
        case(
            "docs: preferably not in a zone with S2",
            PLUGIN,
            with_pod_affinity(),
            vec![node("a", vec![of("S1"), of("S2")]).zone("V"), node("b", vec![]).zone("V"), node("c", vec![of("S1")]).zone("R")],
            scores(&[0, 0, 100]),
        ),
        // W has nobody, the last node no zone.
        case(
            "docs: only in a zone with S1",
            PLUGIN,
            with_pod_affinity(),
            vec![node("a", vec![of("S1")]).zone("V"), node("b", vec![]).zone("V"), node("c", vec![of("S2")]).zone("W"), node("d", vec![])],
            feasible(&[0, 1]),
        ),
        // Each node takes one cache.
        case(
            "docs: the third redis cache",
            PLUGIN,
            cache(),
            vec![named("node-1", vec![cache()]), named("node-2", vec![cache()]), named("node-3", vec![])],
            feasible(&[2]),
        ),
        // Beside a cache, and not beside a server.
        case(
            "docs: the second web server",
            PLUGIN,
            server(),
            vec![named("node-1", vec![cache(), server()]), named("node-2", vec![cache()]), named("node-3", vec![cache()]), named("node-4", vec![])],
            feasible(&[1, 2]),
        ),
        case(
            "docs: no place for a fourth web server",
            PLUGIN,
            server(),
            ["node-1", "node-2", "node-3"].map(|name| named(name, vec![cache(), server()])).to_vec(),
            feasible(&[]),
        ),
    ]
}

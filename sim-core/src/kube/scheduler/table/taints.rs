//! `TaintToleration`.

use super::{Case, case, feasible, scores};
use crate::kube::scheduler::fixture::{Node, Pod, node, pod};
use crate::spec::TaintEffect::{self, NoExecute, NoSchedule, PreferNoSchedule};
use crate::spec::{Taint, Toleration};

const PLUGIN: &str = "TaintToleration";

type Rule = (&'static str, &'static str, TaintEffect);

fn tainted(taints: &[Rule]) -> Node {
    let taints = taints.iter().map(|&(key, value, effect)| Taint { key: key.into(), value: value.into(), effect }).collect();
    Node { taints, ..node("n", vec![]) }
}

/// A pod with tolerations of operator `Equal`.
fn tolerating(rules: &[Rule]) -> Pod {
    let equal = |&(key, value, effect): &Rule| Toleration { key: key.into(), exists: false, value: value.into(), effect: Some(effect) };
    Pod { tolerations: rules.iter().map(equal).collect(), ..pod(100, 100) }
}

pub(super) fn scored() -> Vec<Case> {
    let (arm, ssd) = (("cpu-type", "arm64", PreferNoSchedule), ("disk-type", "ssd", PreferNoSchedule));
    let growing = || vec![tainted(&[]), tainted(&[arm]), tainted(&[arm, ssd])];
    vec![
        // Untolerated: 0 and 1, since the value differs.
        case(
            "k8s: a soft taint of another value",
            PLUGIN,
            tolerating(&[("foo", "bar", PreferNoSchedule)]),
            vec![tainted(&[("foo", "bar", PreferNoSchedule)]), tainted(&[("foo", "blah", PreferNoSchedule)])],
            scores(&[100, 0]),
        ),
        case("k8s: all soft taints are tolerated", PLUGIN, tolerating(&[arm, ssd]), growing(), scores(&[100, 100, 100])),
        // 0, 1, 2 untolerated: 100 − 100·x/2.
        case("k8s: soft taints of no interest to the pod", PLUGIN, tolerating(&[("foo", "bar", PreferNoSchedule)]), growing(), scores(&[100, 50, 0])),
        // The second has a hard taint, which the pod tolerates: 0, 0, 2.
        case(
            "k8s: tolerations of hard taints do not help with soft ones",
            PLUGIN,
            tolerating(&[("cpu-type", "arm64", NoSchedule), ("disk-type", "ssd", NoSchedule)]),
            vec![tainted(&[]), tainted(&[("cpu-type", "arm64", NoSchedule)]), tainted(&[arm, ssd])],
            scores(&[100, 100, 0]),
        ),
        case("k8s: a soft taint and no toleration", PLUGIN, pod(100, 100), vec![tainted(&[]), tainted(&[arm])], scores(&[100, 0])),
    ]
}

pub(super) fn filtered() -> Vec<Case> {
    let dedicated = ("dedicated", "user1", NoSchedule);
    let exists = |key: &str| pod(100, 100).tolerating(key, Some(NoSchedule));
    let one = |name, incoming, taints: &[Rule], fits: bool| case(name, PLUGIN, incoming, vec![tainted(taints)], feasible(if fits { &[0] } else { &[] }));
    let any_effect = Toleration { key: "foo".into(), exists: false, value: "bar".into(), effect: None };
    let both = Pod { tolerations: [tolerating(&[("dedicated", "user2", NoSchedule)]).tolerations, exists("foo").tolerations].concat(), ..pod(100, 100) };
    vec![
        one("k8s: a dedicated node", pod(100, 100), &[dedicated], false),
        one("k8s: a dedicated node and its user", tolerating(&[dedicated]), &[dedicated], true),
        one("k8s: a dedicated node and another user", tolerating(&[("dedicated", "user2", NoSchedule)]), &[dedicated], false),
        one("k8s: whatever the value", exists("foo"), &[("foo", "bar", NoSchedule)], true),
        one("k8s: two taints, two tolerations", both, &[("dedicated", "user2", NoSchedule), ("foo", "bar", NoSchedule)], true),
        one("k8s: the toleration is for another effect", tolerating(&[("foo", "bar", PreferNoSchedule)]), &[("foo", "bar", NoSchedule)], false),
        one("k8s: the toleration is for every effect", Pod { tolerations: vec![any_effect], ..pod(100, 100) }, &[("foo", "bar", NoSchedule)], true),
        one("k8s: a soft taint refuses nobody", pod(100, 100), &[("dedicated", "user1", PreferNoSchedule)], true),
        one("k8s: nor one of another user", tolerating(&[("dedicated", "user2", NoSchedule)]), &[("dedicated", "user1", PreferNoSchedule)], true),
        // The third of three has no toleration.
        one(
            "docs: three taints and two tolerations",
            tolerating(&[("key1", "value1", NoSchedule), ("key1", "value1", NoExecute)]),
            &[("key1", "value1", NoSchedule), ("key1", "value1", NoExecute), ("key2", "value2", NoSchedule)],
            false,
        ),
    ]
}

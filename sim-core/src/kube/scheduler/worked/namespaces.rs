//! Which pods a pod affinity term looks at: namespaces and label keys; and the weight of running pods' required terms.

use super::{column, column_with};
use crate::kube::scheduler::fixture::{HOSTNAME, Node, Pod, executor, executors_here, node, selecting, term};
use crate::kube::scheduler::tests::decide;
use crate::spec::{KubeSchedulerSpec, LabelSelector, PodAffinityTerm};

fn elsewhere(namespace: &'static str) -> Pod {
    Pod { namespace: Some(namespace), ..executor() }
}

/// An executor is alone on node 0, in `namespace`; is the new one of "default" kept away by its anti-affinity term?
fn avoids(term: &PodAffinityTerm, namespace: &'static str) -> bool {
    let nodes = [node("a", vec![elsewhere(namespace)])];
    decide(&executor().require_apart(term.clone()), &nodes).node.is_none()
}

#[test]
fn terms_reach_namespaces_as_the_api_says() {
    let own = executors_here();
    let listed = PodAffinityTerm { namespaces: vec!["etl".into()], ..own.clone() };
    let selected = PodAffinityTerm { namespace_selector: Some(selecting("kubernetes.io/metadata.name", "bi")), ..own.clone() };
    let all = PodAffinityTerm { namespace_selector: Some(LabelSelector::default()), ..own.clone() };
    let union = PodAffinityTerm { namespaces: vec!["etl".into()], ..selected.clone() };
    let table = [
        // Neither: the pod's own namespace.
        (&own, [true, false, false]),
        // A list: those and not its own.
        (&listed, [false, true, false]),
        // A selector, by the label with the name.
        (&selected, [false, false, true]),
        // An empty selector: all.
        (&all, [true, true, true]),
        // Both: the union.
        (&union, [false, true, true]),
    ];
    for (term, expected) in table {
        assert_eq!(["default", "etl", "bi"].map(|namespace| avoids(term, namespace)), expected, "{term:?}");
    }
}

#[test]
fn running_pods_terms_look_from_their_own_namespace() {
    let guarded = |namespace| Pod { namespace: Some(namespace), ..executor().require_apart(executors_here()) };
    assert_eq!(decide(&executor(), &[node("a", vec![guarded("etl")])]).node, Some(0));
    assert_eq!(decide(&elsewhere("etl"), &[node("a", vec![guarded("etl")])]).node, None);
}

#[test]
fn the_first_pod_of_a_namespace_may_go_anywhere() {
    let incoming = || elsewhere("etl").require_with(executors_here());
    // An executor of another namespace is no company and does not pin either.
    let nodes = [node("a", vec![executor()]), node("b", vec![])];
    assert_eq!(decide(&incoming(), &nodes).tied, [1]);
    // A term on another namespace does not match the pod itself: no exception.
    let foreign = PodAffinityTerm { namespaces: vec!["bi".into()], ..executors_here() };
    assert_eq!(decide(&elsewhere("etl").require_with(foreign), &nodes).node, None);
}

#[test]
fn label_keys_narrow_a_term_to_the_pods_own_application() {
    let of = |app: &str| executor().label("spark-app-selector", app);
    let nodes = |app: &str| vec![node("a", vec![of(app)]), node("b", vec![])];
    let same = PodAffinityTerm { match_label_keys: vec!["spark-app-selector".into()], ..executors_here() };
    let others = PodAffinityTerm { mismatch_label_keys: vec!["spark-app-selector".into()], ..executors_here() };
    // Apart from my own only; apart from others' only.
    assert_eq!(decide(&of("mine").require_apart(same.clone()), &nodes("mine")).node, Some(1));
    assert_eq!(decide(&of("mine").require_apart(same.clone()), &nodes("yours")[..1]).node, Some(0));
    assert_eq!(decide(&of("mine").require_apart(others.clone()), &nodes("mine")[..1]).node, Some(0));
    assert_eq!(decide(&of("mine").require_apart(others), &nodes("yours")).node, Some(1));
    // A key that the pod itself lacks narrows nothing.
    assert_eq!(decide(&executor().require_apart(same), &nodes("yours")[..1]).node, None);
}

#[test]
fn a_term_without_a_selector_selects_nobody() {
    let term = PodAffinityTerm::new(LabelSelector::nothing(), HOSTNAME);
    assert_eq!(decide(&executor().require_apart(term.clone()), &[node("a", vec![executor()])]).node, Some(0));
    assert_eq!(decide(&executor().require_with(term), &[node("a", vec![executor()])]).node, None);
}

#[test]
fn hard_pod_affinity_weight_by_hand() {
    // A: two running pods that require executors near: weight w each. B: one that prefers them with 3. 2w and 3.
    let nodes: [Node; 3] =
        [node("a", vec![executor().require_with(executors_here()); 2]), node("b", vec![executor().prefer_with(3, executors_here())]), node("c", vec![])];
    let table = [
        // 0, 3, 0.
        (0, [(0, 0), (3, 100), (0, 0)]),
        // 2, 3, 0: 100·2/3 = 66.
        (1, [(2, 66), (3, 100), (0, 0)]),
        // 20, 3, 0: 100·3/20 = 15.
        (10, [(20, 100), (3, 15), (0, 0)]),
        // 200, 3, 0: 1.5 -> 1.
        (100, [(200, 100), (3, 1), (0, 0)]),
    ];
    for (weight, expected) in table {
        let settings = KubeSchedulerSpec { hard_pod_affinity_weight: weight, ..KubeSchedulerSpec::default() };
        assert_eq!(column_with(&settings, "InterPodAffinity", &executor(), &nodes), expected.map(Some), "weight {weight}");
    }
}

#[test]
fn negative_sums_are_scaled_too() {
    // Anti-affinity 100 of the newcomer and of two running pods: A −200 each, 2 pods -> −400; B 1 pod -> −200; C 0.
    let apart = || executor().prefer_apart(100, executors_here());
    let nodes = [node("a", vec![apart(); 2]), node("b", vec![apart()]), node("c", vec![])];
    assert_eq!(column("InterPodAffinity", &apart(), &nodes), [Some((-400, 0)), Some((-200, 50)), Some((0, 100))]);
}

#[test]
fn weights_of_different_keys_meet_on_a_node() {
    // On the host −10 a pod, in the rack +4 a pod: A (r1) −10 + 8 = −2 with one pod of two in r1, B (r1) −10 + 8 = −2, C (r1) 8, D (r2) 0.
    let incoming = executor().prefer_apart(10, executors_here()).prefer_with(4, term("rack", "spark-role", "executor"));
    let nodes = [
        node("a", vec![executor()]).label("rack", "r1"),
        node("b", vec![executor()]).label("rack", "r1"),
        node("c", vec![]).label("rack", "r1"),
        node("d", vec![]).label("rack", "r2"),
    ];
    assert_eq!(column("InterPodAffinity", &incoming, &nodes), [Some((-2, 0)), Some((-2, 0)), Some((8, 100)), Some((0, 20))]);
}

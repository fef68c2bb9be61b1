//! `PodTopologySpread` as a score: x = round Σ (pods · ln(domains + 2) + maxSkew − 1), then 100 · (max + min − x)/max.
//!
//! ln 3 = 1.0986, ln 4 = 1.3863, ln 5 = 1.6094, ln 6 = 1.7918.

use super::{Case, Expected, case, scores};
use crate::kube::scheduler::fixture::{HOSTNAME, Node, Pod, ZONE, node, pod, roughly, selecting};
use crate::kube::scheduler::system_defaults;
use crate::spec::{LabelSelector, SpreadConstraint};

const PLUGIN: &str = "PodTopologySpread";

fn foo() -> Pod {
    pod(100, 100).label("foo", "")
}

fn bar() -> Pod {
    pod(100, 100).label("bar", "")
}

fn both() -> Pod {
    foo().label("bar", "")
}

fn spreading(constraints: Vec<SpreadConstraint>) -> Pod {
    Pod { spread: constraints, ..both() }
}

fn by_host(max_skew: u32) -> SpreadConstraint {
    roughly(max_skew, HOSTNAME, "foo", "")
}

fn by_zone() -> SpreadConstraint {
    roughly(1, ZONE, "foo", "")
}

fn hosts(pods: &[usize]) -> Vec<Node> {
    pods.iter().enumerate().map(|(index, &count)| node(&format!("n{index}"), vec![foo(); count])).collect()
}

/// Nodes in zones with these pods; a node that is `full` takes no more and is no candidate.
fn zoned(nodes: &[(&str, &[Pod], bool)]) -> Vec<Node> {
    let one = |(index, &(zone, pods, full)): (usize, &(&str, &[Pod], bool))| {
        let node = node(&format!("n{index}"), pods.to_vec()).zone(zone);
        if full { Node { max_pods: pods.len() as u32, ..node } } else { node }
    };
    nodes.iter().enumerate().map(one).collect()
}

fn some(of: &[Option<i64>]) -> Expected {
    Expected::Scores(of.to_vec())
}

pub(super) fn one_constraint() -> Vec<Case> {
    let nobody = SpreadConstraint { selector: LabelSelector::nothing(), ..by_host(1) };
    let defaulted = Pod { spread_is_default: true, ..spreading(system_defaults(&selecting("foo", ""))) };
    vec![
        case("k8s: nobody there", PLUGIN, spreading(vec![by_host(1)]), hosts(&[0, 0]), scores(&[100, 100])),
        // 1.39 -> 1 on both.
        case("k8s: as many on each node", PLUGIN, spreading(vec![by_host(1)]), hosts(&[1, 1]), scores(&[100, 100])),
        // ln 6: 4, 2, 0, 5.
        case("k8s: 2/1/0/3 with maxSkew 1", PLUGIN, spreading(vec![by_host(1)]), hosts(&[2, 1, 0, 3]), scores(&[20, 60, 100, 0])),
        case("k8s: no selector", PLUGIN, spreading(vec![nobody]), hosts(&[2, 1, 0, 3]), scores(&[100, 100, 100, 100])),
        // One more each: 4.58 -> 5, 2.79 -> 3, 1, 6.38 -> 6: 100·(6 + 1 − x)/6.
        case("k8s: 2/1/0/3 with maxSkew 2", PLUGIN, spreading(vec![by_host(2)]), hosts(&[2, 1, 0, 3]), scores(&[33, 66, 100, 16])),
        // Two more each: 9.17 -> 9, 7.38 -> 7, 5.58 -> 6, 3.79 -> 4: 100·(13 − x)/9.
        case("k8s: 4/3/2/1 with maxSkew 3", PLUGIN, spreading(vec![by_host(3)]), hosts(&[4, 3, 2, 1]), scores(&[44, 66, 77, 100])),
        // Hostname 3; zone 5 adds nothing where no node has one.
        case("k8s: system defaults without zones", PLUGIN, defaulted, hosts(&[4, 3, 2, 1]), scores(&[44, 66, 77, 100])),
    ]
}

pub(super) fn some_are_no_candidates() -> Vec<Case> {
    let f = foo();
    let full = |mut nodes: Vec<Node>| {
        if let Some(last) = nodes.last_mut() {
            last.max_pods = 3;
        }
        nodes
    };
    let mut lame = full(hosts(&[4, 2, 1, 3]));
    lame[1].labels.clear();
    let fours = |full_last: bool| {
        zoned(&[
            ("zone1", &[f.clone(), f.clone(), f.clone(), f.clone()], false),
            ("zone1", &[f.clone(), f.clone()], false),
            ("zone2", std::slice::from_ref(&f), false),
            ("zone2", &[f.clone(), f.clone(), f.clone()], full_last),
        ])
    };
    vec![
        // Three candidates, ln 5: 6.44 -> 6, 3.22 -> 3, 1.61 -> 2: 100·(8 − x)/6.
        case("k8s: 4/2/1 and a full node", PLUGIN, spreading(vec![by_host(1)]), full(hosts(&[4, 2, 1, 3])), some(&[Some(33), Some(83), Some(100), None])),
        // The second has no hostname: 0. Two are left, ln 4: 5.55 -> 6, 1.39 -> 1: 100·(7 − x)/6.
        case("k8s: 4/1, a node without the key and a full one", PLUGIN, spreading(vec![by_host(1)]), lame, some(&[Some(16), Some(0), Some(100), None])),
        // Zones 6 and 4 (the full node's pods count for its zone), ln 4: 8.32 -> 8, 5.55 -> 6: 100·(14 − x)/8.
        case("k8s: zones of 6 and 4 with a full node", PLUGIN, spreading(vec![by_zone()]), fours(true), some(&[Some(75), Some(75), Some(100), None])),
        case("hand: zones of 6 and 4", PLUGIN, spreading(vec![by_zone()]), fours(false), scores(&[75, 75, 100, 100])),
    ]
}

pub(super) fn two_constraints() -> Vec<Case> {
    let (f, b, fb) = (foo(), bar(), both());
    let zone_of = |key| roughly(1, ZONE, key, "");
    let zone_and_host = || spreading(vec![zone_of("foo"), roughly(1, HOSTNAME, "bar", "")]);
    vec![
        // Candidates a (2) and x (2); zones 3 and 6, ln 4: 4.16 and 8.32; hosts, ln 4: 2.77 both: 6.93 -> 7, 11.09 -> 11: 100·(18 − x)/11.
        case(
            "k8s: zone and host, two of four are full",
            PLUGIN,
            spreading(vec![by_zone(), by_host(1)]),
            zoned(&[
                ("zone1", &[f.clone(), f.clone()], false),
                ("zone2", &[f.clone(), f.clone()], false),
                ("zone1", std::slice::from_ref(&f), true),
                ("zone2", &[f.clone(), f.clone(), f.clone(), f.clone()], true),
            ]),
            some(&[Some(100), Some(63), None, None]),
        ),
        // By `foo` 3 and 3, by `bar` 2 and 1, ln 4: 6.93 -> 7, 5.55 -> 6: 100·(13 − x)/7.
        case(
            "k8s: two selectors over zones",
            PLUGIN,
            spreading(vec![zone_of("foo"), zone_of("bar")]),
            zoned(&[
                ("zone1", &[fb.clone(), f.clone()], false),
                ("zone2", &[], false),
                ("zone1", std::slice::from_ref(&fb), true),
                ("zone2", &[f.clone(), fb.clone(), f.clone()], true),
            ]),
            some(&[Some(85), Some(100), None, None]),
        ),
        // `foo` by zone 2 and 1, ln 4: 2.77, 1.39; `bar` by host 0, 1, 0, 1, ln 6: 1.79. 2.77 -> 3, 4.56 -> 5, 1.39 -> 1, 3.18 -> 3: 100·(6 − x)/5.
        case(
            "k8s: foo over zones and bar over hosts",
            PLUGIN,
            zone_and_host(),
            zoned(&[
                ("zone1", std::slice::from_ref(&f), false),
                ("zone1", std::slice::from_ref(&fb), false),
                ("zone2", &[], false),
                ("zone2", &[f.clone(), b.clone()], false),
            ]),
            scores(&[60, 20, 100, 60]),
        ),
        // `foo` by zone 0 and 2, `bar` by host 0, 1, 0, 1: 0, 1.79 -> 2, 2.77 -> 3, 4.56 -> 5: 100·(5 − x)/5.
        case(
            "k8s: foo over zones and bar over hosts, some without any",
            PLUGIN,
            zone_and_host(),
            zoned(&[("zone1", &[], false), ("zone1", &[b], false), ("zone2", &[f], false), ("zone2", &[fb], false)]),
            scores(&[100, 60, 40, 0]),
        ),
    ]
}

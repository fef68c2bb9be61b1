//! The texts and the object for two pods worked out by hand.

use sim_core::kube::scheduler::{Alternative, Decision, NodeScores, PluginScore, Reason, Rule};
use sim_core::observe::{Explained, Held, Placement};
use sim_core::units::{Bytes, CoreMillis, SimSpan, SimTime};

use super::*;

fn scores(node: usize, fit: i64, pods: i64) -> NodeScores {
    let score = |plugin, raw, normalised, weight| PluginScore { plugin, raw, normalised, weighted: normalised * weight };
    let by_plugin =
        vec![score("TaintToleration", 0, 100, 3), score("NodeResourcesFit", fit, fit, 1), score("InterPodAffinity", pods, if pods < 0 { 0 } else { 100 }, 2)];
    NodeScores { node, total: by_plugin.iter().map(|score| score.weighted).sum(), by_plugin }
}

fn report() -> PlacementReport {
    let explained = |decision, without| Explained { cpu: CoreMillis::new(2000), memory: Bytes::mib(9011), decision, without };
    let bound = Decision {
        node: Some(1),
        tied: vec![1],
        table: vec![scores(0, 71, -200), scores(1, 44, 0)],
        reasons: vec![(2, Reason::InsufficientMemory)],
        looked_at: 3,
    };
    let other = |rule, node| Alternative { rule, node };
    let without = vec![
        other(Rule::Plugin("InterPodAffinity"), Some(0)),
        other(Rule::Plugin("NodeName"), Some(1)),
        other(Rule::PodAntiAffinity { required: false, index: 0 }, Some(0)),
    ];
    let waiting = Decision { node: None, tied: vec![], table: vec![], reasons: (0..3).map(|node| (node, Reason::PodAffinity)).collect(), looked_at: 3 };
    let placement = |pod: &str, tries, explained| Placement { at: SimTime::from_ns(11_000_000_000), pod: pod.to_owned(), tries, explained, held: None };
    PlacementReport {
        scenario: "two-pods".to_owned(),
        seed: 1,
        replication: 0,
        nodes: vec!["pool-0".to_owned(), "pool-1".to_owned(), "pool-2".to_owned()],
        placements: vec![
            placement("executor-1", 1, explained(bound, without)),
            placement("executor-2", 4, explained(waiting, vec![other(Rule::Plugin("NodeName"), None)])),
        ],
        left_out: 2,
    }
}

const WIDE: &str = "\
two-pods: placement in replication 0 of seed 1

executor-1 -> pool-1
  at 11 s, requests 2000m CPU and 8.8 GiB
                                         raw   of 100  weight  points
  pool-1: 544 points
    NodeResourcesFit                      44       44      x1      44
    InterPodAffinity                       0      100      x2     200
  pool-0: 371 points
    NodeResourcesFit                      71       71      x1      71
    InterPodAffinity                    -200        0      x2       0
  the same on all: TaintToleration 300
  refused by NodeResourcesFit: Insufficient memory: pool-2
  pool-0 without InterPodAffinity, or without podAntiAffinity.preferred[0]

executor-2 -> Pending
  at 11 s, requests 2000m CPU and 8.8 GiB
  tried 4 times with this outcome
  no node is feasible
  refused by InterPodAffinity: node(s) didn't match pod affinity rules: pool-0,
    pool-1, pool-2
  no rule alone changes that

2 decisions more; --first shows more of them
";

#[test]
fn the_text_tells_what_decided() {
    assert_eq!(text(&report(), 80), WIDE);
}

#[test]
fn narrow_terminals_get_narrow_lines() {
    let text = text(&report(), 42);
    assert!(text.lines().all(|line| line.chars().count() <= 42), "{text}");
    assert!(text.contains("    InterPodAffinity\n"), "{text}");
}

#[test]
fn the_object_has_everything() {
    let object = object(&report());
    let pods = &object["pods"];
    assert_eq!(pods[0]["node"], "pool-1");
    assert_eq!(pods[0]["scores"][0]["total"], 371);
    assert_eq!(pods[0]["scores"][0]["plugins"][2]["raw"], -200);
    assert_eq!(pods[0]["refused"][0]["plugin"], "NodeResourcesFit");
    assert_eq!(pods[0]["without"][2]["rule"], "podAntiAffinity.preferred[0]");
    assert_eq!((&pods[1]["node"], &pods[1]["tries"]), (&serde_json::Value::Null, &serde_json::json!(4)));
    assert_eq!(object["weights"]["TaintToleration"], 3);
}

/// A pod that has its node and cannot mount its volume there, as `kubectl describe pod` tells it.
#[test]
fn a_held_volume_is_told_with_its_node() {
    let mut report = report();
    report.placements[0].held = Some(Held { volume: "spark-local-dir-1".to_owned(), node: 2, wait: Some(SimSpan::from_secs(37)) });
    let told = text(&report, 200);
    let words = "  ContainerCreating for 37 s: Multi-Attach error for volume spark-local-dir-1: it is already exclusively attached to one node, pool-2, and can't be attached to another\n";
    assert!(told.contains(words), "{told}");
    let object = object(&report);
    assert_eq!(object["pods"][0]["held"], serde_json::json!({"volume": "spark-local-dir-1", "node": "pool-2", "for_s": 37.0}));
    assert_eq!(object["pods"][1]["held"], serde_json::Value::Null);
}

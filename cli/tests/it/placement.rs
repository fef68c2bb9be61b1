//! `explain placement`: table and object, narrow lines, and its refusals.

use serde_json::Value;

use crate::spillcast::Place;

#[test]
fn it_tells_every_pod_of_the_built_in_story() {
    let place = Place::new();
    let told = place.spillcast(&["explain", "placement", "aks-migration"]).code(0).stdout;
    for said in ["driver -> ", "executor-1 -> ", "executor-4 -> ", "without InterPodAffinity", "podAffinity.required[0]"] {
        assert!(told.contains(said), "{said}:\n{told}");
    }
    assert!(!told.contains('\u{1b}'));
}

#[test]
fn the_object_names_the_same_nodes_as_the_table() {
    let place = Place::new();
    let line = ["explain", "placement", "aks-migration", "--first", "5", "--seed", "3", "--replication", "2"];
    let told = place.spillcast(&line).code(0).stdout;
    let object: Value = serde_json::from_str(&place.spillcast(&[&line[..], &["--format", "json"]].concat()).code(0).stdout).expect("JSON");
    assert_eq!((&object["seed"], &object["replication"], &object["schema_version"]), (&3.into(), &2.into(), &1.into()));
    let pods = object["pods"].as_array().expect("pods");
    assert_eq!(pods.len(), 5);
    for pod in pods {
        let node = pod["node"].as_str().unwrap_or("Pending");
        assert!(told.contains(&format!("{} -> {node}\n", pod["pod"].as_str().expect("a name"))), "{pod}\n{told}");
        for row in pod["scores"].as_array().expect("scores") {
            let sum: i64 = row["plugins"].as_array().expect("plugins").iter().filter_map(|plugin| plugin["weighted"].as_i64()).sum();
            assert_eq!(row["total"].as_i64(), Some(sum));
        }
    }
}

#[test]
fn it_says_why_it_cannot() {
    let place = Place::new();
    for (line, said) in [(&["explain", "placement"][..], "needs a scenario"), (&["explain", "placement", "on-prem-yarn"], "only Kubernetes")] {
        let ran = place.spillcast(line).code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(said) && ran.stderr.contains("hint"), "{}", ran.stderr);
    }
}

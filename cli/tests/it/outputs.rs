//! Formats, output directories, resuming, and the same bytes for any number of threads.

use std::fs;

use serde_json::Value;

use crate::spillcast::{Place, tree};

#[test]
fn the_number_of_threads_changes_no_byte() {
    let place = Place::new();
    let sweep = |jobs: &str, out: &str| place.spillcast(&["sweep", "aks-migration", "-n", "3", "-j", jobs, "-o", out]).code(0).stdout;
    assert_eq!(sweep("1", "one"), sweep("2", "two"));
    let (one, two) = (tree(&place.path("one")), tree(&place.path("two")));
    assert!(one.len() > 3);
    for ((name, one), (other, two)) in one.iter().zip(&two) {
        assert_eq!(name, other);
        assert!(one == two, "{} differs", name.display());
    }
    assert_eq!(one.len(), two.len());
}

#[test]
fn the_number_of_threads_changes_no_format() {
    let place = Place::new();
    for format in ["table", "json", "jsonl", "csv"] {
        let sweep = |jobs: &str| place.spillcast(&["sweep", "aks-migration", "-n", "5", "-j", jobs, "--format", format]).code(0).stdout;
        let one = sweep("1");
        assert!(!one.is_empty() && one == sweep("2"), "{format} differs");
    }
}

#[test]
fn units_stand_once() {
    let table = Place::new().spillcast(&["sweep", "aks-migration-remedies", "-n", "1"]).code(0).stdout;
    assert!(table.contains("1.05 ×") && !table.contains("× ×"), "{table}");
    let table = Place::new().spillcast(&["sweep", "aks-migration-growth", "-n", "1"]).code(0).stdout;
    assert!(table.contains("5 %") && !table.contains("% %"), "{table}");
}

#[test]
fn an_ingested_log_runs_on_another_cluster() {
    let place = Place::new();
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/tests/data/factorial-200.json.zst");
    place.spillcast(&["ingest", log, "-o", "p.toml"]).code(0);
    let object = place.spillcast(&["run", "aks-migration", "--profile", "p.toml", "-n", "20", "--format", "json"]).code(0).json();
    assert_eq!(object["replications"], 20);
    // Everything that the log says was written is written, whatever day it is: the volume varies by 5 %.
    let recorded = 586_351_586.0;
    let written = object["shuffle_write_bytes"]["p50"].as_f64().expect("bytes") / recorded;
    assert!((0.9..1.1).contains(&written), "{written} of the recorded bytes");
}

#[test]
fn all_formats_have_the_same_points() {
    let place = Place::new();
    let sweep = |format: &str| place.spillcast(&["sweep", "aks-migration", "-n", "2", "--format", format]).code(0);
    let object = sweep("json").json();
    let points = object["points"].as_array().expect("points").clone();
    assert!(points.len() > 1 && object["schema_version"] == 1 && object["interrupted"] == false);
    let lines: Vec<Value> = sweep("jsonl").stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines, points);
    assert!(points.iter().all(|point| point["point"].is_object() && point["p_oom"]["n"] == 2));
    assert_eq!(sweep("csv").stdout.lines().count(), points.len() + 1);
    assert!(!sweep("table").stdout.trim().is_empty());
}

#[test]
fn a_run_is_one_object() {
    let object = Place::new().spillcast(&["run", "aks-migration", "-n", "2", "--format", "json"]).code(0).json();
    assert_eq!((object["schema_version"].as_u64(), object["replications"].as_u64()), (Some(1), Some(2)));
    assert_eq!(object["version"], env!("CARGO_PKG_VERSION"));
    assert!(object.get("point").is_none() && object.get("interrupted").is_none());
    let p = &object["p_oom"];
    assert!(p["low"].as_f64() <= p["estimate"].as_f64() && p["estimate"].as_f64() <= p["high"].as_f64(), "{p}");
}

#[test]
fn a_directory_of_ours_is_replaced_and_others_are_not() {
    let place = Place::new();
    let sweep = |more: &[&str]| place.spillcast(&[&["sweep", "aks-migration", "-n", "1", "-q", "-o", "out"], more].concat());
    sweep(&[]).code(0);
    let before = tree(&place.path("out"));
    place.write("out/notes.txt", "mine");
    sweep(&["--seed", "2"]).code(0);
    assert_eq!(place.read("out/notes.txt"), "mine");
    sweep(&[]).code(0);
    fs::remove_file(place.path("out/notes.txt")).expect("the notes");
    assert!(tree(&place.path("out")) == before, "the same study does not give the same directory");
    fs::remove_dir_all(place.path("out/.spillcast")).expect("our mark");
    sweep(&[]).code(2);
    sweep(&["--force"]).code(0);
}

#[test]
fn a_sweep_goes_on_where_it_ended() {
    let place = Place::new();
    let sweep = |more: &[&str]| place.spillcast(&[&["sweep", "aks-migration", "-n", "2", "-o", "out"], more].concat()).code(0);
    sweep(&[]);
    let complete = tree(&place.path("out"));
    let points: Vec<_> = complete.iter().filter(|(name, _)| name.starts_with(".spillcast/points")).collect();
    // One point is missing; another one is marked, to see that it is taken and not run.
    fs::remove_file(place.path("out").join(&points[0].0)).expect("a point");
    let marked = place.path("out").join(&points[1].0);
    let text = fs::read_to_string(&marked).expect("a point");
    let events = text.rfind("\"events\":").expect("a field");
    fs::write(&marked, format!("{}\"events\":424242}}}}", &text[..events])).expect("writable");
    let resumed = sweep(&["--resume"]);
    assert!(resumed.stderr.contains("points are taken from `out`"), "{}", resumed.stderr);
    for (name, contents) in tree(&place.path("out")) {
        let (_, before) = complete.iter().find(|(other, _)| *other == name).expect("no new file");
        assert!(contents == *before || place.path("out").join(&name) == marked, "{} differs", name.display());
    }
    assert!(fs::read_to_string(&marked).expect("a point").contains("424242"), "the point was run again");
    // Another seed is another study: nothing is taken.
    let other = sweep(&["--resume", "--seed", "5"]);
    assert!(other.stderr.contains("0 of "), "{}", other.stderr);
    assert!(!fs::read_to_string(&marked).unwrap_or_default().contains("424242"));
}

#[test]
fn a_new_scenario_runs_as_it_is() {
    let place = Place::new();
    let printed = place.spillcast(&["new", "demo"]).code(0).stdout;
    assert!(printed.starts_with("#:schema"), "{printed}");
    place.spillcast(&["new", "demo", "-o", "demo.toml"]).code(0);
    assert_eq!(place.read("demo.toml"), printed);
    let ran = place.spillcast(&["run", "demo.toml", "-n", "1", "--format", "json"]).code(0);
    assert_eq!(ran.json()["replications"], 1);
}

#[test]
fn the_schema_is_draft_07() {
    let schema = Place::new().spillcast(&["schema"]).code(0).json();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
}

#[test]
fn lists_have_names_and_stories() {
    let place = Place::new();
    for what in ["scenarios", "sweeps", "incidents", "profiles", "keys", "vms"] {
        let list = place.spillcast(&["list", what, "--format", "json"]).code(0).json();
        let entries = list["entries"].as_array().expect("entries").clone();
        assert!(!entries.is_empty(), "{what}");
        let table = place.spillcast(&["list", what]).code(0).stdout;
        for entry in entries {
            let name = entry["name"].as_str().expect("a name");
            assert!(table.contains(name) && entry["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{what}: {name}");
        }
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{what}");
    }
    let some = place.spillcast(&["list", "vms", "standard_d", "--provider", "aks", "--format", "json"]).code(0).json();
    let names: Vec<&str> = some["entries"].as_array().expect("entries").iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert!(names.len() > 10 && names.iter().all(|name| name.starts_with("Standard_D")), "{names:?}");
    let told = place.spillcast(&["list", "incidents"]).code(0).stdout;
    assert!(told.contains("terasort-root-disk") && told.contains("https://github.com/apache-spark-on-k8s/spark/issues/260"), "{told}");
    let all = place.spillcast(&["list"]).code(0).stdout;
    assert!(all.contains("aks-migration"));
}

#[test]
fn explain_tells_the_value_its_origin_and_the_pod() {
    let place = Place::new();
    let explain = |more: &[&str]| place.spillcast(&[&["explain", "spark.executor.memory", "--format", "json"], more].concat()).code(0).json();
    let alone = explain(&[]);
    assert!(alone["value"].is_null() && alone["modelled"] == true && alone["default"].is_string(), "{alone}");
    let here = explain(&["aks-migration"]);
    assert!(here["value"].is_string() && here["origin"].is_string(), "{here}");
    assert!(here["pod_memory_mib"].as_u64().is_some_and(|mib| mib > 384), "{here}");
    let table = place.spillcast(&["explain", "spark.executor.memory", "aks-migration"]).code(0).stdout;
    assert!(table.contains("spark.executor.memory") && table.contains(here["origin"].as_str().unwrap_or("?")), "{table}");
}

#[test]
fn explain_lists_what_is_set_what_matches_and_all() {
    let place = Place::new();
    let keys = |line: &[&str]| {
        let json = place.spillcast(&[&["explain"], line, &["--format", "json"]].concat()).code(0).json();
        json["keys"].as_array().expect("a list").clone()
    };
    let set = keys(&["aks-migration"]);
    assert!(set.iter().any(|key| key["key"] == "cluster.platform" && key["value"] == "aks"), "{set:?}");
    assert!(set.iter().all(|key| key["origin"].as_str().is_some_and(|origin| !origin.starts_with("default"))), "{set:?}");
    let matching = keys(&["spark.dynamicAllocation.*", "aks-migration"]);
    assert_eq!(matching, keys(&["spark.dynamicAllocation", "aks-migration"]));
    assert!(matching.iter().any(|key| key["key"] == "spark.dynamicAllocation.maxExecutors"));
    let all = keys(&["--all"]);
    assert!(all.len() > 1700 && all.iter().any(|key| key["key"] == "spark.ui.port" && key["modelled"] == false));
    let table = place.spillcast(&["explain", "aks-migration"]).code(0).stdout;
    assert!(table.contains("(aks-migration.toml:") && table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn explain_tells_where_a_default_changed_and_what_a_key_was_called() {
    let place = Place::new();
    let found = place.spillcast(&["explain", "spark.speculation.multiplier", "--format", "json"]).code(0).json();
    assert_eq!(found["default"], "1.5, 3.0 since 4.0");
    let old = place.spillcast(&["explain", "spark.yarn.executor.memoryOverhead"]).code(0).stdout;
    assert!(old.contains("The old name of spark.executor.memoryOverhead"), "{old}");
}

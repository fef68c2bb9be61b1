//! `validate`: recorded trials, incidents, and what is left out.

use std::path::{Path, PathBuf};

use crate::spillcast::Place;

fn trials() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tests/data/trials")
}

/// Some lines of the committed trials, and the directory of their logs.
fn some(place: &Place, lines: &[usize]) -> String {
    let all = std::fs::read_to_string(trials().join("trials.jsonl")).expect("the committed trials");
    let all: Vec<&str> = all.lines().collect();
    let text: Vec<&str> = lines.iter().map(|line| all[line - 1]).collect();
    place.write("some.jsonl", &text.join("\n"));
    trials().join("eventlogs").display().to_string()
}

#[test]
fn recorded_trials_are_scored_and_replays_are_not() {
    let place = Place::new();
    let logs = some(&place, &[3, 9, 34]);
    let line = ["validate", "some.jsonl", "--logs", &logs, "-n", "8", "--format", "json", "-o", "out"];
    let ran = place.spillcast(&line).code(0);
    let result = ran.json();
    assert_eq!((result["trials"].as_u64(), result["per_trial"].as_array().map(Vec::len)), (Some(2), Some(3)));
    for key in ["oom_accuracy", "brier", "job_outcome_accuracy", "kill_level_accuracy", "node_peak_mape", "executors_lost_mae", "duration_mape"] {
        assert!(result[key].is_number() && result["intervals"][key]["n"].is_number(), "{key}: {}", result[key]);
    }
    // Disk survives, tmpfs and packed with 400 MiB dies at the node's limit.
    assert_eq!(result["oom_accuracy"], 1.0);
    assert_eq!(result["per_trial"][1]["forecast"]["level"], "node");
    assert_eq!(result["per_trial"][2]["role"], "calibration");
    for file in ["validation.json", "trials.jsonl", "report-card.md", "reliability.svg", "reliability.csv", "node-peak.svg", "duration.svg", "deaths.svg"] {
        assert!(place.path("out").join(file).exists(), "{file}");
    }
    let table = place.spillcast(&["validate", "some.jsonl", "--logs", &logs, "-n", "8"]).code(0).stdout;
    assert!(table.contains("Brier score") && table.contains("spreadsheet"), "{table}");
}

/// Ctrl-C after the first trial: its score is printed and written, and marked.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_the_scores_of_what_was_forecast() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    let logs = some(&place, &[3, 4, 9]);
    let text = place.read("some.jsonl");
    let many: Vec<&str> = text.lines().cycle().take(300).collect();
    place.write("many.jsonl", &many.join("\n"));
    // One thread: minutes of work for any machine, of which the first trial takes a second or two.
    let line = ["validate", "many.jsonl", "--logs", &logs, "-n", "200", "--jobs", "1", "--format", "json", "-o", "out"];
    let child = place.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    std::thread::sleep(std::time::Duration::from_secs(8));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let ended = child.wait_with_output().expect("an end");
    let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted after"), "{stderr}");
    let result: serde_json::Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    let done = result["trials"].as_u64().expect("a number");
    assert!(result["interrupted"] == true && (1..300).contains(&done), "{done} trials");
    assert!(place.path("out/validation.json").exists());
}

#[test]
fn what_cannot_be_used_is_left_out_and_said() {
    let place = Place::new();
    let logs = some(&place, &[3]);
    let mut text = place.read("some.jsonl");
    text.push_str("\n\n{\"config\": {\"calib\": \"nowhere\"}}\nnonsense\n{\"deaths\": []}\n");
    let strange = text.lines().next().expect("a line").replacen("\"seed\"", "\"colour\":\"red\",\"seed\"", 1);
    place.write("more.jsonl", &format!("{text}{strange}\n"));
    let ran = place.spillcast(&["validate", "more.jsonl", "--logs", &logs, "-n", "2", "--format", "json"]).code(0);
    assert_eq!(ran.json()["trials"], 2);
    for said in ["nowhere", "is no trial", "has no `config`", "colour"] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let none = place.spillcast(&["validate", "some.jsonl", "--logs", "."]).code(2);
    assert!(none.stderr.contains("--logs DIR"), "{}", none.stderr);
    place.spillcast(&["validate", "missing.jsonl"]).code(2);
}

#[test]
fn a_team_scores_the_model_on_its_own_incidents() {
    let place = Place::new();
    let incident = "[[incident]]\nname = \"night\"\nscenario = \"aks-migration\"\noom = true\nlevel = \"node\"\nnode_peak = \"58GiB\"\n\
        [[incident]]\nscenario = \"aks-migration\"\nconf = { \"spark.kubernetes.local.dirs.tmpfs\" = \"false\" }\noom = false\nkills = 0\njob = \"ok\"\n";
    place.write("incidents.toml", incident);
    let result = place.spillcast(&["validate", "incidents.toml", "-n", "8", "--format", "json"]).code(0).json();
    assert_eq!((result["trials"].as_u64(), result["oom_accuracy"].as_f64(), result["job_outcome_accuracy"].as_f64()), (Some(2), Some(1.0), Some(1.0)));
    assert!(result["duration_mape"].is_null() && result["intervals"]["node_peak_mape"]["n"] == 1, "{result}");
    place.write("bad.toml", "[[incident]]\nscenario = \"aks-migration\"\nlevel = \"moon\"\n");
    let bad = place.spillcast(&["validate", "bad.toml"]).code(2);
    assert!(bad.stderr.contains("moon") && bad.stderr.contains("pod, node, heap"), "{}", bad.stderr);
}

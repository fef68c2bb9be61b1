//! Bad input: exit 2, nothing on stdout, and a message that says where and what to try.

use crate::spillcast::{Place, plain_scenario};

/// Runs it, and looks for texts on stderr.
#[track_caller]
fn refused(place: &Place, line: &[&str], said: &[&str]) {
    let ran = place.spillcast(line).code(2);
    assert_eq!(ran.stdout, "", "{line:?}");
    for text in said {
        assert!(ran.stderr.contains(text), "{line:?} does not say `{text}`:\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains('\u{1b}'), "{line:?} has colour in a pipe");
    assert!(!ran.stderr.contains("panicked"), "{line:?}:\n{}", ran.stderr);
}

#[test]
fn misspelled_commands_and_options_get_the_nearest_name() {
    let place = Place::new();
    refused(&place, &["rnu", "x"], &["rnu", "'run'"]);
    refused(&place, &["swep", "x"], &["'sweep'"]);
    refused(&place, &["run", "x", "--sede", "3"], &["--sede", "--seed"]);
    refused(&place, &["run", "x", "--format", "jsno"], &["jsno", "json"]);
    refused(&place, &["run", "aks-migraton"], &["aks-migraton", "aks-migration"]);
    refused(&place, &["explain", "spark.executor.memry"], &["spark.executor.memry", "spark.executor.memory", "hint"]);
    refused(&place, &["explain", "spark.nothing.*"], &["no key matches", "spark.nothing.*", "hint"]);
    refused(&place, &["explain"], &["nothing to explain", "hint"]);
    refused(&place, &["explain", "--all", "spark.executor.memory", "aks-migration"], &["--all"]);
}

#[test]
fn values_out_of_range_say_what_was_expected() {
    let place = Place::new();
    refused(&place, &["run", "x", "-n", "0"], &["0", "1..="]);
    refused(&place, &["run", "x", "--seed", "-1"], &["--seed"]);
    refused(&place, &["run", "x", "--seed", "one"], &["whole number", "random"]);
    refused(&place, &["run", "x", "--confidence", "95"], &["0.95 or 95%"]);
    refused(&place, &["run", "x", "--precision", "0"], &["0.01 or 1%"]);
    refused(&place, &["run", "x", "-j", "0"], &["--jobs"]);
    refused(&place, &["new", "../x"], &["letters, digits"]);
}

#[test]
fn all_problems_of_a_file_are_told_with_their_lines() {
    let place = Place::new();
    place.write("bad.toml", "name = \"x\"\nplatfrom = 1\n\nclutser = 2\n");
    refused(&place, &["run", "bad.toml"], &["bad.toml:2:", "platfrom", "bad.toml:4:", "clutser", "hint:"]);
    place.write("worse.toml", "name = \n");
    refused(&place, &["run", "worse.toml"], &["worse.toml:1:"]);
    place.write("binary.toml", "\0\u{1}\u{fffd}");
    refused(&place, &["sweep", "binary.toml"], &["binary.toml"]);
}

#[test]
fn missing_files_are_named() {
    let place = Place::new();
    refused(&place, &["run", "nowhere.toml"], &["nowhere.toml", "hint:"]);
    refused(&place, &["ingest", "nowhere.log"], &["nowhere.log"]);
    refused(&place, &["run", ""], &["error"]);
}

#[test]
fn a_misspelled_spark_key_is_told_with_the_nearest() {
    let place = Place::new();
    let ran = place.spillcast(&["explain", "spark.executor.memory", "aks-migration", "--conf", "spark.exectuor.memory=4g"]);
    assert!(ran.stderr.contains("spark.exectuor.memory") && ran.stderr.contains("spark.executor.memory"), "{}", ran.stderr);
}

#[test]
fn a_scenario_without_a_grid_is_not_swept() {
    let place = Place::new();
    let plain = plain_scenario(&place);
    refused(&place, &["sweep", &plain], &[&plain, "[sweep]", "spillcast run"]);
}

#[test]
fn bad_gates_are_refused_before_anything_runs() {
    let place = Place::new();
    refused(
        &place,
        &["run", "aks-migration", "--fail-if", "p_omm > 1%", "--fail-if", "p_oom > 3GiB"],
        &["--fail-if:1:1", "p_oom", "a share is compared with a size"],
    );
}

#[test]
fn bad_outputs_are_refused_before_anything_runs() {
    let place = Place::new();
    place.write("file", "");
    // So many replications would never end.
    let many = ["-n", "1000000000"];
    refused(&place, &["run", "aks-migration", many[0], many[1], "-o", "file"], &["`file` is a file"]);
    refused(&place, &["run", "aks-migration", many[0], many[1], "-o", "file/deeper"], &["file/deeper"]);
    std::fs::create_dir(place.path("mine")).expect("a directory");
    place.write("mine/thesis.txt", "");
    refused(&place, &["run", "aks-migration", many[0], many[1], "-o", "mine"], &["mine", "--force"]);
    refused(&place, &["sweep", "aks-migration", "--resume"], &["--resume", "-o DIR"]);
    refused(&place, &["new", "x", "-o", "file"], &["`file` exists", "--force"]);
    refused(&place, &["new", "x", "-o", "nowhere/x.toml"], &["nowhere/x.toml"]);
}

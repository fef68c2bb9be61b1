//! Pipes, colours, quietness, seeds, twins in the environment.

use std::process::Stdio;

use crate::spillcast::{Place, Ran};

#[test]
fn a_reader_that_goes_away_is_a_quiet_success() {
    let place = Place::new();
    for line in [&["list"][..], &["schema"], &["--help"], &["completions", "bash"], &["run", "aks-migration", "-n", "1", "-q"]] {
        let mut child = place.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        drop(child.stdout.take());
        let ran = Ran::of(child.wait_with_output().expect("an end")).code(0);
        assert_eq!(ran.stderr, "", "{line:?}");
    }
}

#[test]
fn colour_is_for_terminals_unless_forced() {
    let place = Place::new();
    let line = ["run", "nowhere.toml"];
    let colored = |environment: &[(&str, &str)], more: &[&str]| {
        let output = place.command(&[&line[..], more].concat()).envs(environment.iter().copied()).output().expect("the binary starts");
        Ran::of(output).code(2).stderr.contains('\u{1b}')
    };
    assert!(!colored(&[], &[]));
    assert!(colored(&[], &["--color", "always"]));
    assert!(colored(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1")], &["--color=never"]));
    assert!(colored(&[("SPILLCAST_COLOR", "always")], &[]));
    // Also for what clap says.
    assert!(colored(&[], &["--bogus", "--color", "always"]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1")], &["--bogus", "--color", "never"]));
}

#[test]
fn results_have_no_colour_in_a_pipe() {
    let place = Place::new();
    let line = ["run", "aks-migration", "-n", "2"];
    assert!(!place.spillcast(&line).code(0).stdout.contains('\u{1b}'));
    assert!(place.spillcast(&[&line[..], &["--color", "always"]].concat()).code(0).stdout.contains('\u{1b}'));
}

#[test]
fn quiet_says_only_errors() {
    let place = Place::new();
    assert_eq!(place.spillcast(&["run", "aks-migration", "-n", "1", "-q", "-o", "out"]).code(0).stderr, "");
    assert_ne!(place.spillcast(&["run", "nowhere.toml", "-q"]).code(2).stderr, "");
}

#[test]
fn the_seed_is_fixed_and_echoed() {
    let place = Place::new();
    let seed_of = |more: &[&str]| {
        let ran = place.spillcast(&[&["run", "aks-migration", "-n", "1", "--format", "json"], more].concat()).code(0);
        let seed = ran.json()["seed"].as_u64().expect("a seed");
        assert!(ran.stderr.contains(&format!("seed {seed}")), "{}", ran.stderr);
        (seed, ran.stderr)
    };
    assert_eq!(seed_of(&[]).0, 1);
    assert_eq!(seed_of(&["--seed", "7"]).0, 7);
    let (drawn, said) = seed_of(&["--seed", "random"]);
    assert!(said.contains(&format!("`--seed {drawn}`")), "{said}");
}

#[test]
fn options_have_twins_in_the_environment() {
    let place = Place::new();
    let run = |more: &[&str]| {
        let mut command = place.command(&[&["run", "aks-migration"], more].concat());
        command.envs([("SPILLCAST_SEED", "9"), ("SPILLCAST_REPLICATIONS", "2"), ("SPILLCAST_FORMAT", "json"), ("SPILLCAST_QUIET", "1")]);
        Ran::of(command.output().expect("the binary starts")).code(0)
    };
    let twins = run(&[]);
    assert_eq!((twins.json()["seed"].as_u64(), twins.json()["replications"].as_u64()), (Some(9), Some(2)));
    assert_eq!(twins.stderr, "");
    assert_eq!(run(&["--seed", "3"]).json()["seed"], 3);
}

#[test]
fn repeated_options_take_one_value_a_line_from_the_environment() {
    let place = Place::new();
    let mut command = place.command(&["run", "aks-migration", "-n", "2"]);
    command.env("SPILLCAST_FAIL_IF", "replications > 5\nreplications == 2");
    let ran = Ran::of(command.output().expect("the binary starts")).code(1);
    assert_eq!(ran.stderr.matches("gate failed").count(), 1);
}

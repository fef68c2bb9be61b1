//! Help at 80 columns, as it is when piped.

use crate::spillcast::Place;

const COMMANDS: [&str; 8] = ["run", "sweep", "ingest", "list", "explain", "schema", "new", "completions"];

#[test]
fn short_help_of_the_program() {
    insta::assert_snapshot!(Place::new().spillcast(&["-h"]).code(0).stdout);
}

#[test]
fn long_help_of_the_program() {
    insta::assert_snapshot!(Place::new().spillcast(&["--help"]).code(0).stdout);
}

#[test]
fn short_help_of_run() {
    insta::assert_snapshot!(Place::new().spillcast(&["run", "-h"]).code(0).stdout);
}

#[test]
fn long_help_of_sweep() {
    insta::assert_snapshot!(Place::new().spillcast(&["sweep", "--help"]).code(0).stdout);
}

#[test]
fn all_help_fits_80_columns() {
    let place = Place::new();
    for command in COMMANDS {
        for help in ["-h", "--help"] {
            let ran = place.spillcast(&[command, help]).code(0);
            assert_eq!(ran.stderr, "", "{command} {help}");
            for line in ran.stdout.lines() {
                assert!(line.chars().count() <= 80, "{command} {help}: {line}");
            }
        }
    }
}

#[test]
fn the_version_is_one_line() {
    let ran = Place::new().spillcast(&["--version"]).code(0);
    assert_eq!(ran.stdout, format!("spillcast {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_the_help_is_an_error() {
    let ran = Place::new().spillcast(&[]).code(2);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("Usage: spillcast"));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = Place::new().spillcast(&["completions", shell]).code(0);
        for command in COMMANDS {
            assert!(ran.stdout.contains(command), "{shell} {command}");
        }
    }
}

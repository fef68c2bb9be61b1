//! Event logs on the command line: several at once, and redaction.

use std::path::Path;

use crate::spillcast::Place;

fn recorded(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/tests/data/recorded").join(name).display().to_string()
}

#[test]
fn a_redacted_log_gives_the_same_totals_and_replaces_nothing_unasked() {
    let place = Place::new();
    let log = recorded("3.5.8-fail");
    let ran = place.spillcast(&["ingest", &log, "--redact", "shared.zst", "--format", "json"]).code(0);
    let (whole, said) = (ran.json(), ran.stderr.clone());
    assert!(said.contains("wrote `shared.zst` without names"), "{said}");
    assert_eq!(whole["application"], "recorded-fail", "the summary is not redacted");
    let shared = place.spillcast(&["ingest", "shared.zst", "--format", "json"]).code(0).json();
    assert_eq!(shared["totals"], whole["totals"]);
    assert_eq!(shared["application"], "redacted");
    let again = place.spillcast(&["ingest", &log, "--redact", "shared.zst"]).code(2);
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    place.spillcast(&["ingest", &log, "--redact", "shared.toml"]).code(0);
    let profile = place.read("shared.toml");
    assert!(profile.contains("schema_version") && !profile.contains("recorded-fail") && !profile.contains("jobs.py"), "{profile}");
    let lzf = place.spillcast(&["ingest", &log, "--redact", "shared.lzf"]).code(2);
    assert!(lzf.stderr.contains("LZF") && !place.path("shared.lzf").exists(), "{}", lzf.stderr);
}

#[test]
fn logs_of_different_applications_are_refused() {
    let place = Place::new();
    let ran = place.spillcast(&["ingest", &recorded("3.5.8-fail"), &recorded("4.3.0-cache")]).code(2);
    assert!(ran.stderr.contains("different applications") && ran.stderr.contains("hint:"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    place.spillcast(&["ingest"]).code(2);
}

#[test]
fn what_is_no_log_says_what_it_is() {
    let place = Place::new();
    place.write("junk.log", "hello\n");
    let ran = place.spillcast(&["ingest", "junk.log", "-o", "p.toml"]).code(2);
    for said in ["junk.log is not an event log", "line 1 is `hello`", "expected", "hint"] {
        assert!(ran.stderr.contains(said), "`{said}` is missing:\n{}", ran.stderr);
    }
    assert!(ran.stdout.is_empty() && !place.path("p.toml").exists());
}

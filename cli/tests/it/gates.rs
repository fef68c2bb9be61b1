//! Gates decide between 0 and 1; what is simulated does not.

use crate::spillcast::Place;

#[test]
fn a_simulated_death_is_a_result() {
    Place::new().spillcast(&["run", "aks-migration", "-n", "2"]).code(0);
}

#[test]
fn a_gate_that_holds_ends_with_1_and_the_result_is_there() {
    let place = Place::new();
    let passed = place.spillcast(&["run", "aks-migration", "-n", "2", "--fail-if", "replications > 2"]).code(0);
    let failed = place.spillcast(&["run", "aks-migration", "-n", "2", "--fail-if", "replications > 2", "--fail-if", "replications == 2"]).code(1);
    assert_eq!(passed.stdout, failed.stdout);
    assert!(failed.stderr.contains("gate failed: `replications == 2`: replications is 2 (n = 2)"), "{}", failed.stderr);
}

#[test]
fn in_a_sweep_every_failing_point_is_named() {
    let place = Place::new();
    let ran = place.spillcast(&["sweep", "aks-migration", "-n", "2", "--format", "json", "--fail-if", "replications == 2"]).code(1);
    let points = ran.json()["points"].as_array().map(Vec::len).expect("points");
    assert_eq!(ran.stderr.matches("gate failed").count(), points);
    let values = ran.json()["axes"][0]["values"].as_array().cloned().expect("an axis");
    for value in values {
        assert!(ran.stderr.contains(value.as_str().expect("a label")), "{value} is not named:\n{}", ran.stderr);
    }
}

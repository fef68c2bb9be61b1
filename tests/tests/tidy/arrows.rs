//! Which crate may see which. `cli -> {scenarios, reports, sim-core}`, `reports -> sim-core`, `scenarios -> sim-core`; tests and benches see
//! all. The model knows neither files' formats nor charts nor arguments, so none of those libraries is among its dependencies.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Who may depend on whom, within the workspace. A crate that is not listed may not exist.
const ARROWS: [(&str, &[&str]); 6] = [
    ("sim-core", &[]),
    ("scenarios", &["sim-core"]),
    ("reports", &["sim-core"]),
    ("spillcast", &["scenarios", "reports", "sim-core"]),
    ("benches", &["sim-core", "scenarios", "reports", "spillcast"]),
    ("tests", &["sim-core", "scenarios", "reports", "spillcast"]),
];
/// Kept out of the model: formats, charts, arguments. A dependency whose name starts so is banned (`serde_json`, `clap_complete`).
const NOT_IN_THE_MODEL: [&str; 10] = ["serde", "toml", "clap", "plotters", "csv", "minijinja", "schemars", "zstd", "anyhow", "indicatif"];

/// What `cargo metadata` says of the workspace's own packages. Declared dependencies are enough, so nothing needs to be fetched.
fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--offline", "--format-version", "1", "--no-deps"])
        .current_dir(super::tree::root())
        .output()
        .expect("cargo must run, it runs this test");
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn offenders(metadata: &Value) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut found = Vec::new();
    for package in list(&metadata["packages"]) {
        let name = text(&package["name"]);
        let Some(targets) = allowed.get(name) else {
            found.push(format!("crate `{name}` has no line in the table of arrows"));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let target = text(&dependency["name"]);
            // `kind` is null for a normal dependency; the arrows hold for test and build dependencies too.
            if allowed.contains_key(target) && !targets.contains(&target) {
                found.push(format!("{name} -> {target}"));
            }
            if name == "sim-core" && dependency["kind"].is_null() && NOT_IN_THE_MODEL.iter().any(|ban| target.starts_with(ban)) {
                found.push(format!("sim-core depends on `{target}`"));
            }
        }
    }
    found
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn crates_point_the_way_they_should() {
    let metadata = metadata();
    assert_eq!(list(&metadata["packages"]).count(), ARROWS.len(), "the table of arrows and the workspace list different crates");
    super::assert_none("crate arrows", &offenders(&metadata));
}

#[test]
fn a_wrong_arrow_is_caught() {
    let package = |name: &str, dependencies: Value| serde_json::json!({"packages": [{"name": name, "dependencies": dependencies}]});
    let wrong = [
        (package("sim-core", serde_json::json!([{"name": "scenarios", "kind": null}])), "sim-core -> scenarios"),
        (package("sim-core", serde_json::json!([{"name": "serde_json", "kind": null}])), "sim-core depends on `serde_json`"),
        (package("reports", serde_json::json!([{"name": "scenarios", "kind": "dev"}])), "reports -> scenarios"),
        (package("common", serde_json::json!([])), "crate `common` has no line in the table of arrows"),
    ];
    for (metadata, expected) in wrong {
        assert_eq!(offenders(&metadata), [expected]);
    }
    let right = serde_json::json!([{"name": "proptest", "kind": "dev"}, {"name": "rand", "kind": null}]);
    assert!(offenders(&package("sim-core", right)).is_empty());
}

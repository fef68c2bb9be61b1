//! A job recorded on bare memory cgroups, replayed there: nodes of 1700 MiB, four executors of 512 MiB of heap, no limit of their own.

use std::path::Path;

use scenarios::diag::render_plain;
use scenarios::{Request, load};
use sim_core::plan::SimPlan;
use sim_core::record::{Ending, Outcome};
use sim_core::sim::{RunKey, Simulator};

const PACKED: &str = r#"pod_template = """
apiVersion: v1
kind: Pod
spec:
  affinity:
    podAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - labelSelector: {matchLabels: {spark-role: executor}}
          topologyKey: kubernetes.io/hostname
""""#;

/// Two machines of two cores; everything that is uncertain about the job and the devices is certain.
fn scenario(memory_mib: u32, tmpfs: bool, packed: bool) -> String {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/factorial-200.json.zst");
    let template = if packed { PACKED } else { "" };
    format!(
        r#"
name = "lab"
[cluster]
platform = "bare"
[[cluster.pool]]
count = 2
cpu = 2
memory = "{memory_mib}MiB"
nic = "1GB/s"
system_memory = 0
[[cluster.pool.disk]]
name = "disk"
size = "100GiB"
read = "500MB/s"
[spark]
version = "3.5.0"
deploy_mode = "client"
replace_delay = "2s"
max_replacements = 40
{template}
[spark.conf]
"spark.executor.instances" = "4"
"spark.executor.cores" = "1"
"spark.executor.memory" = "512m"
"spark.kubernetes.local.dirs.tmpfs" = "{tmpfs}"
[job]
profile = "{}"
[uncertainty]
data_volume = 1
partition_skew = 1
compression = 1
object_expansion = 1
[limits]
horizon = "10m"
paranoid = true
"#,
        log.display()
    )
}

fn runs(text: &str, replications: u64) -> Vec<Outcome> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lab.toml");
    std::fs::write(&path, text).expect("written");
    let (scenario, problems) = load(&Request { scenario: path.display().to_string(), ..Request::default() });
    assert!(problems.items().iter().all(|problem| problem.rule == "event-log"), "{}", render_plain(&problems));
    let plan = SimPlan::compile(&scenario.expect("no errors").spec).expect("it compiles");
    (0..replications).map(|replication| Simulator::new(&plan).run(RunKey { seed: 1, replication })).collect()
}

/// What another reader found in the log.
fn recorded() -> serde_json::Value {
    let all: serde_json::Value = serde_json::from_str(include_str!("data/expected-totals.json")).expect("JSON");
    all["factorial-200.json.zst"].clone()
}

#[test]
fn on_roomy_nodes_a_recorded_job_writes_what_its_log_says() {
    let log = recorded();
    for tmpfs in [false, true] {
        let outcome = runs(&scenario(8192, tmpfs, false), 1).remove(0);
        assert_eq!((outcome.ending, outcome.executors_lost), (Ending::Succeeded, 0), "tmpfs {tmpfs}");
        let written = log["totals"]["shuffle_write_bytes"].as_f64().expect("bytes");
        let ratio = outcome.shuffle_write.as_f64() / written;
        assert!((ratio - 1.0).abs() < 0.01, "tmpfs {tmpfs}: {ratio} of the recorded bytes");
        let tasks: Vec<u64> = outcome.stages.iter().map(|stage| u64::from(stage.tasks_ok)).collect();
        let expected: Vec<u64> = log["stages"].as_array().expect("stages").iter().map(|stage| stage["tasks"].as_u64().expect("tasks")).collect();
        assert_eq!(tasks, expected);
        assert!(outcome.stages.iter().all(|stage| stage.attempts == 1 && stage.tasks_failed == 0));
    }
}

#[test]
fn on_nodes_of_1700_mib_every_corner_comes_to_an_end() {
    for (tmpfs, packed) in [(true, true), (true, false), (false, true), (false, false)] {
        for outcome in runs(&scenario(1700, tmpfs, packed), 5) {
            assert!(outcome.node_peak.whole_mib() <= 1700, "tmpfs {tmpfs}, packed {packed}: {}", outcome.node_peak);
            assert!(!matches!(outcome.ending, Ending::Truncated(_)), "tmpfs {tmpfs}, packed {packed}: {:?}", outcome.ending);
        }
    }
}

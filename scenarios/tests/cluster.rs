//! Files of a running system: nodes, pods, what pods use, a SparkApplication. Expected values are worked by hand from the files.

use std::path::PathBuf;

use scenarios::diag::{Diagnostics, render_plain};
use scenarios::{Request, Scenario, load};
use sim_core::spec::{Dist, EmptyDir, Label, Language, Medium, NeighbourPlacement, VolumeSource};
use sim_core::units::{ByteRate, Bytes, CoreMillis};

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cluster")).join(name)
}

fn request() -> Request {
    Request { scenario: "aks-migration".to_owned(), ..Request::default() }
}

fn loaded(request: &Request) -> (Scenario, Diagnostics) {
    let (scenario, problems) = load(request);
    (scenario.unwrap_or_else(|| panic!("{}", render_plain(&problems))), problems)
}

fn told(problems: &Diagnostics, words: &str) -> bool {
    problems.items().iter().any(|problem| problem.message.contains(words))
}

#[test]
fn nodes_become_pools_with_their_names_and_what_their_status_says() {
    let (scenario, problems) = loaded(&Request { nodes: Some(file("nodes.json")), ..request() });
    let pools = &scenario.spec.cluster.pools;
    assert_eq!(pools.iter().map(|pool| (pool.name.as_str(), pool.count)).collect::<Vec<_>>(), [("workers", 3), ("system", 1)]);
    assert_eq!(pools[0].node_names, ["aks-workers-31337-vmss000000", "aks-workers-31337-vmss000001", "aks-workers-31337-vmss000002"]);
    let shape = &pools[0].shape;
    assert_eq!((shape.cpu, shape.memory, shape.max_pods), (CoreMillis::cores(16), Bytes::kib(65_848_192), 110));
    // 5.9: capacity - allocatable = reserved + eviction threshold, 750 MiB on AKS 1.28 (5.10).
    assert_eq!((shape.reserved.memory, shape.reserved.eviction_memory), (Bytes::mib(5746), Bytes::mib(750)));
    assert_eq!(shape.reserved.cpu, CoreMillis::new(260));
    // The catalogue gives the disk's speed, the node its size.
    assert_eq!((shape.disks[0].write, shape.disks[0].size), (ByteRate::mb_per_sec(150), Bytes::kib(129_886_128)));
    assert!(pools[0].labels.contains(&Label::new("topology.kubernetes.io/zone", "westeurope-1")));
    assert!(!pools[0].labels.iter().any(|label| label.key == "kubernetes.io/hostname"), "the model gives each node its own");
    assert_eq!((pools[1].taints.len(), pools[1].taints[0].key.as_str()), (1, "CriticalAddonsOnly"));
    assert!(told(&problems, "cordoned or not ready: aks-workers-31337-vmss000003 (1 of 5 nodes)"), "{}", render_plain(&problems));
}

#[test]
fn pods_become_neighbours_where_they_run_with_what_they_use() {
    let request = Request { nodes: Some(file("nodes.json")), pods: Some(file("pods.json")), pod_usage: Some(file("top.txt")), ..request() };
    let (scenario, problems) = loaded(&request);
    let neighbours = &scenario.spec.cluster.neighbours;
    let names: Vec<&str> = neighbours.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["kube-system/ama-logs", "web/shop", "kube-system/kube-proxy", "spark/parse-driver"]);
    let logs = &neighbours[0];
    assert_eq!(logs.placement, NeighbourPlacement::On(vec![0, 1, 2, 3]));
    assert_eq!((logs.resources.memory_request, logs.resources.memory_limit), (Bytes::mib(550), None), "one container has no limit, so the pod has none");
    assert_eq!((logs.resources.cpu_request, logs.priority, logs.restarts), (CoreMillis::new(150), 2_000_001_000, true));
    let mib = |n: u32| f64::from(n) * f64::from(1 << 20);
    assert_eq!(logs.memory.anon, Dist::Empirical([411, 402, 2950, 398].map(mib).to_vec()));
    assert_eq!(neighbours[1].placement, NeighbourPlacement::On(vec![1, 1]));
    assert_eq!(neighbours[1].resources.memory_limit, Some(Bytes::gib(2)));
    assert_eq!(neighbours[1].cpu_use, CoreMillis::new(115));
    assert_eq!(neighbours[2].placement, NeighbourPlacement::On(vec![0]));
    for words in [
        "have ended: 1 of",
        "no node of the scenario: 1 of",
        "does not have them: 1 of",
        "taken as neighbours (remove those of the job that you simulate): 1 of",
    ] {
        assert!(told(&problems, words), "{words}: {}", render_plain(&problems));
    }
}

#[test]
fn without_nodes_daemons_are_everywhere_and_others_are_replicas() {
    let (scenario, problems) = loaded(&Request { pods: Some(file("pods.json")), ..request() });
    let placements: Vec<&NeighbourPlacement> = scenario.spec.cluster.neighbours.iter().map(|n| &n.placement).collect();
    assert_eq!(placements[..2], [&NeighbourPlacement::EveryNode, &NeighbourPlacement::Replicas(2)]);
    assert_eq!(scenario.spec.cluster.neighbours[1].memory.anon, Dist::Empirical(vec![1_073_741_824.0; 2]), "what it requests");
    assert!(told(&problems, "because no file tells what they use"));
}

#[test]
fn the_metrics_api_tells_use_by_container() {
    let request = Request { nodes: Some(file("nodes.json")), pods: Some(file("pods.json")), pod_usage: Some(file("metrics.json")), ..request() };
    let shop = loaded(&request).0.spec.cluster.neighbours[1].clone();
    // One of the two replicas is measured: 1 546 240Ki + 1 024Ki; the other is taken at its request.
    assert_eq!(shop.memory.anon, Dist::Empirical(vec![1_547_264.0 * 1024.0, 1_073_741_824.0]));
}

#[test]
fn a_spark_application_is_what_its_sections_say() {
    let request = Request { spark_application: Some(file("application.yaml")), pods: Some(file("pods.json")), ..request() };
    let (scenario, problems) = loaded(&request);
    let (spark, conf) = (&scenario.spec.spark, |key: &str| scenario.settings.iter().find(|s| s.key == key).map(|s| s.value.clone()));
    assert_eq!((spark.language, spark.version.major, spark.version.minor), (Language::Jvm, 3, 4));
    // The section wins over sparkConf; what only sparkConf says stays.
    assert_eq!(conf("spark.executor.memory").as_deref(), Some("10g"));
    assert_eq!(conf("spark.sql.shuffle.partitions").as_deref(), Some("96"));
    assert_eq!(conf("spark.dynamicAllocation.shuffleTracking.timeout").as_deref(), Some("60000ms"));
    assert_eq!(spark.executor.container_memory, Bytes::mib(10 * 1024 + 2560));
    let template = &spark.kubernetes.pod_template;
    assert!(template.affinity.required_pod.is_empty() && template.affinity.preferred_anti[0].weight == 100, "the scenario's template is replaced");
    assert_eq!(template.tolerations[0].value, "spark");
    assert_eq!(template.volumes[0].source, VolumeSource::EmptyDir(EmptyDir { medium: Medium::Disk, size_limit: Some(Bytes::gib(10)) }));
    assert!(template.labels.contains(&Label::new("app", "fixed-width-parse")));
    let origin = scenario.settings.iter().find(|s| s.key == "spark.executor.memoryOverhead").map(|s| s.origin.to_string());
    assert!(origin.as_deref().is_some_and(|origin| origin.ends_with("application.yaml:40")), "every value has its line: {origin:?}");
    for words in ["spec.executor.gpu is not simulated", "retries of the application are not simulated", "the application's own: 1 of"] {
        assert!(told(&problems, words), "{words}: {}", render_plain(&problems));
    }
}

#[test]
fn keys_of_the_scenario_win_over_an_application_that_it_names() {
    let set = vec![format!("spark.application={}", file("application.yaml").display())];
    let (scenario, _) = loaded(&Request { set: set.clone(), ..request() });
    assert!(!scenario.spec.spark.kubernetes.pod_template.affinity.required_pod.is_empty(), "the scenario's own template");
    let (over, _) = loaded(&Request { spark_application: Some(file("application.yaml")), conf: vec!["spark.executor.memory=6g".to_owned()], ..request() });
    assert_eq!(over.spec.spark.executor.container_memory, Bytes::mib(6 * 1024 + 2560), "--conf lies over it");
}

fn problem_of(request: &Request) -> String {
    let (scenario, problems) = load(request);
    assert!(scenario.is_none());
    render_plain(&problems)
}

#[test]
fn wrong_files_are_told_with_the_command_that_writes_right_ones() {
    let wrong = problem_of(&Request { nodes: Some(file("top.txt")), ..request() });
    assert!(wrong.contains("kubectl get nodes -o yaml"), "{wrong}");
    let pods = problem_of(&Request { nodes: Some(file("pods.json")), ..request() });
    assert!(pods.contains("has no node that takes pods"), "{pods}");
    let usage = problem_of(&Request { pods: Some(file("pods.json")), pod_usage: Some(file("application.yaml")), ..request() });
    assert!(usage.contains("kubectl top pods -A"), "{usage}");
    let application = problem_of(&Request { spark_application: Some(file("nodes.json")), ..request() });
    assert!(application.contains("one SparkApplication is needed"), "{application}");
    let alone = problem_of(&Request { pod_usage: Some(file("top.txt")), ..request() });
    assert!(alone.contains("cluster.pods beside it"), "{alone}");
}

/// Apache's own operator: keys and the executors' template are Spark's; what decides nothing here is told.
#[test]
fn apaches_application_is_read_and_its_rest_is_told() {
    let path = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
    let text = "apiVersion: spark.apache.org/v1\nkind: SparkApplication\nmetadata: {name: pi}\nspec:\n  runtimeVersions: {sparkVersion: 4.0.0}\n  sparkConf: {spark.executor.memory: 6g}\n  driverSpec: {podTemplateSpec: {}}\n  applicationTolerations: {instanceConfig: {initExecutors: 3, maxExecutors: 5}}\n  executorSpec: {podTemplateSpec: {metadata: {labels: {app: pi}}}}\n";
    std::fs::write(path.path(), text).expect("written");
    let (scenario, problems) = loaded(&Request { spark_application: Some(path.path().to_owned()), ..request() });
    assert_eq!((scenario.spec.spark.version.major, scenario.spec.spark.executor.instances), (4, 3));
    assert!(scenario.spec.spark.kubernetes.pod_template.labels.contains(&Label::new("app", "pi")));
    for words in ["spec.driverSpec is not simulated", "instanceConfig.maxExecutors is not simulated"] {
        assert!(told(&problems, words), "{words}: {}", render_plain(&problems));
    }
}

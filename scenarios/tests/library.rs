//! Every built-in loads, resolves at every point and says what its story says.

use scenarios::diag::render_plain;
use scenarios::{BuiltInKind, Request, Scenario, explain, library, load, new_scenario, schema};
use sim_core::spec::{
    AccessMode, BurstSpec, CgroupVersion, ClaimSpec, ClassFacts, Collector, Dist, EmptyDir, Label, Medium, NeighbourPlacement, Platform, Reservation,
    VolumeSource,
};
use sim_core::units::{ByteRate, Bytes, CoreMillis};

fn request(name: &str) -> Request {
    Request { scenario: name.to_owned(), ..Request::default() }
}

fn loaded(request: &Request) -> Scenario {
    let (scenario, problems) = load(request);
    scenario.unwrap_or_else(|| panic!("{}", render_plain(&problems)))
}

#[test]
fn every_built_in_loads_and_every_point_resolves() {
    for built_in in library::all().iter().filter(|b| b.kind != BuiltInKind::Profile) {
        let scenario = loaded(&request(built_in.name));
        assert_eq!(scenario.name, built_in.name);
        assert!(!built_in.summary.is_empty() && !scenario.title.is_empty());
        assert_eq!(scenario.sweep.is_some(), built_in.kind == BuiltInKind::Sweep, "{}", built_in.name);
        let (points, problems) = scenario.points();
        assert!(!problems.has_errors(), "{}", render_plain(&problems));
        let expected: usize = scenario.sweep.iter().flat_map(|s| &s.axes).map(|axis| axis.values.len()).product();
        assert_eq!(points.len(), expected);
    }
}

// 7.1 to 7.3 and A9: the machine of the case, with the reservation of AKS before 1.29 on nominal memory.
#[test]
fn aks_migration_is_the_case() {
    let spec = loaded(&request("aks-migration")).spec;
    let pool = &spec.cluster.pools[0];
    assert_eq!(spec.cluster.platform, Platform::Kubernetes);
    assert_eq!(spec.cluster.cgroup, CgroupVersion::V2 { group_kill: true });
    assert_eq!((pool.count, pool.shape.cpu, pool.shape.memory), (4, CoreMillis::cores(16), Bytes::mib(64_000)));
    assert!((pool.shape.reserved.memory.as_gib() - 5.48).abs() < 0.001);
    assert_eq!(pool.shape.reserved.eviction_memory, Bytes::mib(750));
    assert_eq!(pool.shape.disks[0].name, "os-p20");
    assert_eq!(spec.spark.executor.container_memory, Bytes::mib(9216 + 3584));
    assert_eq!(spec.spark.driver.container_memory, Bytes::mib(2432));
    assert_eq!(spec.spark.scheduling.executor_max_failures, None);
    assert_eq!(spec.spark.kubernetes.allocation_batch_size, 5);
    assert!(spec.spark.executor.xms_equals_xmx && spec.spark.kubernetes.local_dirs_tmpfs);
    let template = &spec.spark.kubernetes.pod_template;
    assert_eq!(template.affinity.required_pod[0].topology_key, "kubernetes.io/hostname");
    assert_eq!(template.volumes.len(), 2);
    assert_eq!(spec.cluster.neighbours.len(), 3);
    assert!(spec.cluster.neighbours.iter().all(|n| n.placement == NeighbourPlacement::EveryNode && n.priority == 2_000_001_000));
}

#[test]
fn aks_migration_sweeps_the_two_misconfigurations_first_axis_slowest() {
    let (points, _) = loaded(&request("aks-migration")).points();
    let found: Vec<(bool, bool)> =
        points.iter().map(|p| (p.spec.spark.kubernetes.local_dirs_tmpfs, p.spec.spark.kubernetes.pod_template.affinity.required_pod.is_empty())).collect();
    assert_eq!(found, [(true, false), (true, true), (false, false), (false, true)]);
    assert_eq!(points[2].coordinates, [("tmpfs".to_owned(), false.into()), ("placement".to_owned(), "required-affinity".into())]);
    assert_eq!(points[0].spec, loaded(&request("aks-migration")).spec);
}

// 1.5: the default overhead of 6 GiB is trunc(614.4) MiB, which request-equals-limit writes out.
#[test]
fn variants_change_what_they_say() {
    let base = loaded(&request("aks-migration")).spec;
    let limit = loaded(&request("request-equals-limit")).spec;
    assert_eq!(limit.spark.executor.container_memory, Bytes::mib(6144 + 614));
    assert_eq!(limit.cluster.neighbours.len(), 1);
    let fixed = loaded(&request("aks-migration-fixed")).spec;
    assert!(!fixed.spark.kubernetes.local_dirs_tmpfs);
    assert_eq!(fixed.cluster, base.cluster);
    let yarn = loaded(&request("on-prem-yarn")).spec;
    assert_eq!((yarn.cluster.platform, yarn.spark.shuffle.service, yarn.cluster.pools[0].shape.disks.len()), (Platform::Yarn, true, 6));
    assert!(!yarn.spark.executor.xms_equals_xmx);
    assert_eq!(yarn.spark.scheduling.executor_max_failures, Some(8));
    let (growth, _) = loaded(&request("aks-migration-growth")).points();
    let inputs: Vec<u64> = growth.iter().map(|p| p.spec.app.input.get() / 30_000_000).collect();
    assert_eq!(inputs, [5, 10, 25, 50, 75, 100, 125, 150, 200]);
    let (remedies, _) = loaded(&request("aks-migration-remedies")).points();
    assert_eq!((remedies.len(), remedies[29].spec.spark.executor.heap, remedies[29].spec.spark.executor.instances), (30, Bytes::gib(20), 6));
    // The unit stands with the axis alone.
    assert_eq!(remedies[5].labels, ["1.05", "2"]);
    let units: Vec<_> = loaded(&request("aks-migration-remedies")).sweep.into_iter().flat_map(|sweep| sweep.axes).map(|axis| axis.unit).collect();
    assert_eq!(units, [Some("×".to_owned()), None]);
}

#[test]
fn later_layers_win_and_every_value_keeps_its_origin() {
    let directory = tempfile::tempdir().expect("a directory");
    let properties = directory.path().join("spark-defaults.conf");
    std::fs::write(&properties, "spark.executor.memory 10g\nspark.executor.cores=5\nspark.task.maxFailures: 8\n").expect("written");
    let scenario = loaded(&Request {
        conf: vec!["spark.executor.cores=4".to_owned()],
        properties_file: Some(properties),
        set: vec!["spark.conf.\"spark.executor.memory\"=12g".to_owned(), "cluster.pool.workers.count=8".to_owned(), "cluster.kubernetes=1.30".to_owned()],
        ..request("aks-migration")
    });
    let spec = &scenario.spec;
    assert_eq!((spec.spark.executor.heap, spec.spark.executor.cores, spec.spark.scheduling.task_max_failures), (Bytes::gib(12), 4, 8));
    // A10: 20 MiB for each of the overlay's 250 pods, and 50.
    assert_eq!((spec.cluster.pools[0].count, spec.cluster.pools[0].shape.reserved.memory), (8, Bytes::mib(5050)));
    let origin = |key: &str| scenario.settings.iter().find(|s| s.key == key).unwrap_or_else(|| panic!("{key}")).origin.to_string();
    assert_eq!(origin("spark.executor.memory"), "--set");
    assert_eq!(origin("spark.executor.cores"), "--conf");
    assert!(origin("spark.task.maxFailures").ends_with("spark-defaults.conf:3"));
    assert_eq!(origin("spark.memory.fraction"), "default of Spark 3.4");
    assert!(origin("cluster.platform").starts_with("aks-migration.toml:"));
    assert_eq!(origin("cluster.pool.0.cpu"), "VM shape Standard_D16s_v5");
    assert_eq!(origin("cluster.kubelet.eviction_period"), "default (NE-1)");
}

// A4: M and S of an 8 GiB heap.
#[test]
fn explain_gives_derived_sizes() {
    let scenario = loaded(&Request {
        conf: vec!["spark.executor.memory=8g".to_owned()],
        set: vec!["spark.conf.'spark.executor.memoryOverhead'=819m".to_owned()],
        ..request("aks-migration")
    });
    let found = explain("spark.executor.memory", Some(&scenario)).expect("known");
    assert_eq!((found.value.as_deref(), found.origin.as_deref(), found.default.as_str()), (Some("8g"), Some("--conf"), "1g"));
    let derived = |name: &str| found.derived.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(derived("pod_memory_mib"), Some("9011"));
    assert_eq!(derived("unified_memory_bytes"), Some("4965217075"));
    assert_eq!(derived("storage_region_bytes"), Some("2482608537"));
    assert!(explain("cluster.pool.count", None).is_ok() && explain("cluster.pool.0.count", Some(&scenario)).expect("known").value.is_some());
    assert!(!explain("spark.shuffle.sync", None).expect("known").modelled);
    let hint = explain("spark.executor.memry", None).expect_err("unknown").hint.expect("hint");
    assert!(hint.contains("spark.executor.memory"), "{hint}");
}

#[test]
fn a_new_scenario_runs_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["mine", "with \"quotes\" \\ and\nlines"] {
        let text = new_scenario(name);
        assert!(text.starts_with("#:schema "));
        let path = directory.path().join("new.toml");
        std::fs::write(&path, text).expect("written");
        let (points, problems) = loaded(&request(&path.display().to_string())).points();
        assert_eq!(points.len(), 3, "{}", render_plain(&problems));
    }
}

#[test]
fn the_schema_names_every_key_of_the_built_ins() {
    let schema = schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    for built_in in library::all().iter().filter(|b| b.kind != BuiltInKind::Profile) {
        let document: toml::Table = built_in.text.parse().expect("TOML");
        check(&serde_json::to_value(document).expect("JSON"), &schema, built_in.name);
    }
}

/// A tiny independent reading of the schema: known properties and JSON types.
fn check(value: &serde_json::Value, schema: &serde_json::Value, path: &str) {
    use serde_json::Value::{Array, Bool, Number, Object, String};
    let name = match value {
        Object(_) => "object",
        Array(_) => "array",
        String(_) => "string",
        Bool(_) => "boolean",
        Number(n) if n.is_i64() && schema["type"] == "integer" => "integer",
        _ => "number",
    };
    let types = &schema["type"];
    assert!(types.is_null() || types == name || types.as_array().is_some_and(|all| all.iter().any(|t| t == name)), "{path}: {name} against {types}");
    if let (Object(map), Some(properties)) = (value, schema["properties"].as_object()) {
        for (key, child) in map {
            check(child, properties.get(key).unwrap_or_else(|| panic!("{path}.{key} is not in the schema")), &format!("{path}.{key}"));
        }
    }
    if let (Array(items), Some(_)) = (value, schema.get("items")) {
        for item in items {
            check(item, &schema["items"], path);
        }
    }
}

// 4.1, 4.8, LD-3: volumes from Spark's keys and from the template, on the disk that carries their directory.
#[test]
fn volumes_of_executors() {
    let directory = tempfile::tempdir().expect("a directory");
    let template = directory.path().join("pod.yaml");
    let yaml = "metadata: {labels: {team: a}}\nspec:\n  nodeSelector: {disk: ssd}\n  tolerations: [{key: spark, operator: Exists, effect: NoSchedule}]\n  priorityClassName: system-cluster-critical\n  \
        containers:\n  - volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}, {name: c, mountPath: /c}]\n    resources: {limits: {ephemeral-storage: 5Gi}}\n  - resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 128Mi}}\n  \
        volumes:\n  - {name: a, emptyDir: {medium: Memory, sizeLimit: 1Gi}}\n  - {name: b, hostPath: {path: /mnt/nvme/spark}}\n  - {name: c, emptyDir: }\n";
    std::fs::write(&template, yaml).expect("written");
    let scenario = loaded(&Request {
        pod_template: Some(template),
        set: vec!["cluster.pool.0.vm=Standard_L8s_v3".to_owned(), "cluster.pool.0.memory=62.5GiB".to_owned()],
        conf: vec![
            "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.mount.path=/d".to_owned(),
            "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.sizeLimit=100Gi".to_owned(),
            "spark.kubernetes.executor.label.tier=batch".to_owned(),
        ],
        ..request("aks-migration")
    });
    let pod = &scenario.spec.spark.kubernetes.pod_template;
    let empty = |medium, size_limit| VolumeSource::EmptyDir(EmptyDir { medium, size_limit });
    // The example is on AKS, whose default class is a standard SSD.
    let rate = ByteRate::mb_per_sec(100);
    // A disk of the provider's default class: one node at a time, in all zones.
    let class = ClassFacts { access: AccessMode::ReadWriteOnce, ..ClassFacts::FREE };
    // An E10: half an hour of 150 MB/s beyond its 100.
    let burst = Some(BurstSpec { rate: ByteRate::mb_per_sec(150), iops: 600, credit: Bytes::new(50_000_000 * 1800) });
    let claim = ClaimSpec { size: Bytes::gib(100), read: rate, write: rate, iops: 500, io_size: Bytes::kib(256), shared: false, burst, class };
    let sources: Vec<VolumeSource> = pod.volumes.iter().map(|v| v.source).collect();
    // L8s_v3 has an OS disk, a temp disk and then the NVMe.
    let nvme = scenario.spec.cluster.pools[0].shape.disks.iter().position(|d| d.name == "nvme").expect("NVMe");
    assert_eq!(
        sources,
        [empty(Medium::Memory, Some(Bytes::gib(1))), VolumeSource::HostPath { disk: nvme }, empty(Medium::Disk, None), VolumeSource::Claim(claim)]
    );
    assert_eq!(pod.labels, [Label::new("team", "a"), Label::new("tier", "batch")]);
    assert_eq!((pod.priority, pod.ephemeral_limit), (2_000_000_000, Some(Bytes::gib(5))));
    assert_eq!(
        (pod.sidecars.cpu_request, pod.sidecars.memory_request, pod.sidecars.memory_limit),
        (CoreMillis::new(100), Bytes::mib(64), Some(Bytes::mib(128)))
    );
    assert_eq!(pod.affinity.required_node[0].requirements[0].values, ["ssd"]);
    assert!(pod.tolerations[0].exists && pod.affinity.required_pod.is_empty());
    // A sweep's template lies over the command line's.
    let (points, _) = scenario.points();
    assert_eq!(points[1].spec.spark.kubernetes.pod_template.affinity.preferred_anti.len(), 1);
}

// JVM-5: what a collector's young generation may take (G1 measured, NewRatio = 2 for the others).
#[test]
fn the_touched_share_of_the_heap_follows_the_collector() {
    let share = |set: &[&str]| {
        let set = set.iter().map(ToString::to_string).collect();
        loaded(&Request { set, ..request("aks-migration") }).spec.uncertainty.heap_young_share
    };
    assert_eq!(share(&[]), Dist::Normal { mean: 0.64, sd: 0.04 });
    assert_eq!(share(&["spark.collector=parallel"]), Dist::Constant(1.0 / 3.0));
    assert_eq!(share(&["spark.collector=serial", "uncertainty.heap_young_share=0.5"]), Dist::Constant(0.5));
}

// A20 and FC-1: failure caps by version; POD-3: Python in cluster mode.
#[test]
fn defaults_follow_version_platform_and_language() {
    let with = |set: &[&str], conf: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        loaded(&Request { set: owned(set), conf: owned(conf), ..request("request-equals-limit") }).spec.spark
    };
    assert_eq!(with(&[], &[]).scheduling.executor_max_failures, None);
    assert_eq!(with(&["spark.version=3.5.1"], &[]).scheduling.executor_max_failures, Some(8));
    assert_eq!(with(&["spark.version=3.5.1"], &["spark.executor.instances=1"]).scheduling.executor_max_failures, Some(3));
    assert_eq!(with(&["spark.version=4.2.0"], &[]).kubernetes.allocation_batch_size, 20);
    let python = with(&["spark.language=python"], &["spark.driver.memory=8g", "spark.executor.pyspark.memory=2g"]);
    assert_eq!((python.driver.container_memory, python.executor.container_memory), (Bytes::mib(11_468), Bytes::mib(6144 + 614 + 2048)));
    let client = with(&["spark.language=python", "spark.deploy_mode=client"], &["spark.driver.memory=8g"]);
    assert_eq!(client.driver.container_memory, Bytes::mib(9011));
}

#[test]
fn a_bare_cluster_is_described_by_hand() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("bare.toml");
    let text = "name = \"bare\"\n[cluster]\nplatform = \"bare\"\n[[cluster.pool]]\ncount = 2\ncpu = 2\nmemory = \"1700MiB\"\nnic = \"1GB/s\"\nsystem_memory = 0\n\
        disk = [{ name = \"d\", size = \"100GB\", read = \"500MB/s\" }]\n[spark]\nexecutor_limit = \"1GiB\"\nreplace_delay = \"3s\"\nmax_replacements = 40\n\
        [spark.conf]\nspark.executor.memory = \"512m\"\nspark.executor.instances = 4\n[job]\nprofile = \"fixed-width-parse\"\n";
    std::fs::write(&path, text).expect("written");
    let spec = loaded(&request(&path.display().to_string())).spec;
    assert_eq!((spec.cluster.platform, spec.cluster.cgroup), (Platform::Bare, CgroupVersion::V1));
    assert_eq!(spec.cluster.pools[0].shape.reserved, Reservation::default());
    assert_eq!((spec.spark.executor.container_memory, spec.spark.executor.instances, spec.spark.kubernetes.max_replacements), (Bytes::gib(1), 4, Some(40)));
    assert_eq!((spec.spark.executor.collector, spec.spark.executor.xms_equals_xmx), (Collector::Serial, false));
    assert_eq!(spec.cluster.pools[0].shape.disks[0].write, spec.cluster.pools[0].shape.disks[0].read);
}

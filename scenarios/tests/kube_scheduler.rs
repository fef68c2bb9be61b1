//! What a pod template and `[cluster.scheduler]` say of placement reaches the model as the API means it; what is left out is told.

use scenarios::diag::render_plain;
use scenarios::{Request, load};
use sim_core::spec::{
    AutoscalerSpec, Dist, Expander, FitStrategy, HostPort, LabelSelector, PodTemplate, ScoredResource, SelectorOp, ShapePoint, Spec, WhenUnsatisfiable,
};
use sim_core::units::{Bytes, SimSpan};

const TEMPLATE: &str = r"
apiVersion: v1
kind: Pod
metadata:
  namespace: elsewhere
spec:
  nodeName: pool-0-1
  priorityClassName: batch-high
  preemptionPolicy: Never
  topologySpreadConstraints:
    - maxSkew: 2
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: DoNotSchedule
      minDomains: 3
      nodeAffinityPolicy: Ignore
      nodeTaintsPolicy: Honor
      matchLabelKeys: [spark-app-selector]
      labelSelector: {matchLabels: {spark-role: executor}}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
          - matchFields: [{key: metadata.name, operator: In, values: [pool-0-1]}]
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - topologyKey: kubernetes.io/hostname
          namespaces: [etl]
          namespaceSelector: {}
          matchLabelKeys: [a]
          mismatchLabelKeys: [b]
          labelSelector: {matchExpressions: [{key: spark-role, operator: Exists}]}
  containers:
    - name: executor
      ports: [{containerPort: 1}, {containerPort: 7078, hostPort: 7078}, {hostPort: 53, protocol: UDP, hostIP: 10.0.0.1}]
";

fn scenario(cluster: &str, pool: &str, template: &str) -> String {
    let template = if template.is_empty() { String::new() } else { format!("pod_template = '''{template}'''\n") };
    format!(
        "name = \"x\"\n[cluster]\nplatform = \"aks\"\n{cluster}\n[[cluster.pool]]\nvm = \"Standard_D8s_v5\"\ncount = 4\n{pool}\n\
         [spark]\nversion = \"3.5.0\"\n{template}[spark.conf]\n\"spark.kubernetes.namespace\" = \"etl\"\n[job]\nprofile = \"fixed-width-parse\"\ninput = \"1GB\"\n"
    )
}

fn loaded(text: &str) -> (Option<Spec>, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("x.toml");
    std::fs::write(&path, text).expect("written");
    let (scenario, problems) = load(&Request { scenario: path.display().to_string(), ..Request::default() });
    (scenario.map(|scenario| scenario.spec), render_plain(&problems))
}

fn spec(cluster: &str, pool: &str, template: &str) -> Spec {
    let (spec, problems) = loaded(&scenario(cluster, pool, template));
    spec.unwrap_or_else(|| panic!("{problems}"))
}

#[test]
fn fields_of_the_template_mean_what_the_api_says() {
    let spec = spec("scheduler.priority_classes = { batch-high = 1000 }", "zones = [\"1\", \"2\", \"3\"]", TEMPLATE);
    let PodTemplate { affinity, spread, host_ports, node_name, priority, never_preempts, .. } = &spec.spark.kubernetes.pod_template;
    assert_eq!((node_name.as_deref(), *priority, *never_preempts), (Some("pool-0-1"), 1000, true));
    let [zone, host] = spread.as_slice() else { panic!("two constraints") };
    assert_eq!((zone.max_skew, zone.min_domains, zone.when_unsatisfiable), (2, 3, WhenUnsatisfiable::DoNotSchedule));
    assert_eq!((zone.honor_affinity, zone.honor_taints, zone.match_label_keys.as_slice()), (false, true, &["spark-app-selector".to_owned()][..]));
    assert_eq!((zone.selector.requirements[0].key.as_str(), &zone.selector.requirements[0].values[..]), ("spark-role", &["executor".to_owned()][..]));
    // The API's defaults; no selector selects nothing.
    assert_eq!((host.min_domains, host.honor_affinity, host.honor_taints, host.when_unsatisfiable), (1, true, false, WhenUnsatisfiable::ScheduleAnyway));
    assert_eq!(host.selector, LabelSelector::nothing());
    let port = |port, protocol: &str, ip: &str| HostPort { port, protocol: protocol.into(), ip: ip.into() };
    assert_eq!(*host_ports, [port(7078, "TCP", "0.0.0.0"), port(53, "UDP", "10.0.0.1")]);
    let term = &affinity.required_anti[0];
    assert_eq!((&term.namespaces[..], &term.namespace_selector), (&["etl".to_owned()][..], &Some(LabelSelector::default())));
    assert_eq!((&term.match_label_keys[..], &term.mismatch_label_keys[..]), (&["a".to_owned()][..], &["b".to_owned()][..]));
    let field = &affinity.required_node[0].requirements[0];
    assert_eq!((field.key.as_str(), field.op, &field.values[..]), ("kubernetes.io/hostname", SelectorOp::In, &["pool-0-1".to_owned()][..]));
    assert_eq!(spec.spark.kubernetes.namespace, "etl");
}

#[test]
fn what_spark_replaces_and_what_is_unknown_is_told() {
    let (_, problems) = loaded(&scenario("", "", TEMPLATE));
    for said in ["spark.kubernetes.namespace", "priority_classes", "\"topology.kubernetes.io/zone\"", "every executor will stay Pending"] {
        assert!(problems.contains(said), "{said}:\n{problems}");
    }
    let (_, problems) = loaded(&scenario("", "", "spec:\n  schedulingGates: [{name: x}]\n"));
    assert!(problems.contains("spec.schedulingGates is not simulated"), "{problems}");
    let bad = "spec:\n  topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: Never}]\n";
    let (spec, problems) = loaded(&scenario("", "", bad));
    assert!(spec.is_none() && problems.contains("maxSkew") && problems.contains("DoNotSchedule"), "{problems}");
}

#[test]
fn the_profile_of_the_scheduler_is_read() {
    let shaped = "[cluster.scheduler]\nstrategy = \"RequestedToCapacityRatio\"\nshape = [{ utilization = 0, score = 0 }, { utilization = 100, score = 10 }]\n\
                  resources = [{ name = \"memory\", weight = 3 }, { name = \"ephemeral-storage\" }]\nhard_pod_affinity_weight = 7\npercentage_of_nodes_to_score = 30\ncold_image = \"800MiB\"\npreemption = false";
    let scheduler = spec(shaped, "", "").cluster.scheduler;
    let points = vec![ShapePoint { utilization: 0, score: 0 }, ShapePoint { utilization: 100, score: 10 }];
    assert_eq!(scheduler.fit, FitStrategy::RequestedToCapacityRatio(points));
    assert_eq!(scheduler.fit_resources, [(ScoredResource::Memory, 3), (ScoredResource::EphemeralStorage, 1)]);
    assert_eq!((scheduler.hard_pod_affinity_weight, scheduler.percentage_of_nodes_to_score, scheduler.preemption), (7, 30, false));
    assert_eq!(scheduler.cold_image.map(Bytes::whole_mib), Some(800));
    assert_eq!(spec("", "", "").cluster.scheduler, sim_core::spec::KubeSchedulerSpec::default());
}

#[test]
fn a_shape_has_to_be_a_line() {
    for shape in ["", "shape = [{ utilization = 50, score = 1 }, { utilization = 50, score = 2 }]"] {
        let (spec, problems) = loaded(&scenario(&format!("[cluster.scheduler]\nstrategy = \"RequestedToCapacityRatio\"\n{shape}"), "", ""));
        assert!(spec.is_none() && problems.contains("is no line"), "{problems}");
    }
}

#[test]
fn azure_nodes_take_two_data_disks_a_vcpu() {
    assert_eq!(spec("", "", "").cluster.pools[0].max_volumes, Some(16));
    assert_eq!(spec("", "max_volumes = 5", "").cluster.pools[0].max_volumes, Some(5));
}

#[test]
fn a_pool_with_a_maximum_has_the_autoscaler_as_it_is_set() {
    let off = spec("", "", "");
    assert_eq!((off.cluster.pools[0].max_count, off.cluster.autoscaler), (None, AutoscalerSpec::default()));
    let text = "[cluster.autoscaler]\nscan_interval = \"20s\"\nscale_up = 90\nmax_node_provision_time = \"5m\"\nexpander = \"least-waste\"";
    let on = spec(text, "max = 9", "");
    assert_eq!((on.cluster.pools[0].count, on.cluster.pools[0].max_count), (4, Some(9)));
    let expected = AutoscalerSpec {
        scan_interval: SimSpan::from_secs(20),
        scale_up_s: Dist::Constant(90.0),
        max_node_provision: SimSpan::from_secs(300),
        expander: Expander::LeastWaste,
        ..AutoscalerSpec::default()
    };
    assert_eq!(on.cluster.autoscaler, expected);
    let text = "[cluster.autoscaler]\nscale_down = false\nscale_down_utilization_threshold = 0.7\nscale_down_unneeded_time = \"5m\"\n\
                scale_down_delay_after_add = \"2m\"\nmax_graceful_termination = \"60s\"\nskip_nodes_with_local_storage = false";
    let down = spec(text, "min = 1", "");
    assert_eq!((down.cluster.pools[0].min_count, off.cluster.pools[0].min_count), (Some(1), None));
    let expected = AutoscalerSpec {
        scale_down: false,
        scale_down_threshold: 0.7,
        scale_down_unneeded: SimSpan::from_secs(300),
        scale_down_delay_after_add: SimSpan::from_secs(120),
        max_graceful_termination: SimSpan::from_secs(60),
        skip_local_storage: false,
        ..AutoscalerSpec::default()
    };
    assert_eq!(down.cluster.autoscaler, expected);
}

#[test]
fn a_maximum_that_cannot_be_is_told() {
    let (none, problems) = loaded(&scenario("", "max = 3", ""));
    assert!(none.is_none() && problems.contains("count 4 and max 3"), "{problems}");
    let (none, problems) = loaded(&scenario("", "min = 5", ""));
    assert!(none.is_none() && problems.contains("count 4 and min 5"), "{problems}");
    let (some, problems) = loaded(&scenario("", "min = 1", "").replace("\"aks\"", "\"standalone\""));
    assert!(some.is_some() && problems.contains("does not shrink"), "{problems}");
    let (none, problems) = loaded(&scenario("[cluster.autoscaler]\nscan_interval = \"0s\"", "max = 9", ""));
    assert!(none.is_none() && problems.contains("without a pause"), "{problems}");
    let (some, problems) = loaded(&scenario("", "max = 9", "").replace("\"aks\"", "\"standalone\""));
    assert!(some.is_some() && problems.contains("does not grow"), "{problems}");
}

//! From layers to the model's input: merge, check all of it, fill what follows, build, apply the rules.

mod claims;
mod cluster;
mod daemons;
mod derive;
mod disks;
mod inject;
mod job;
mod kube_scheduler;
mod measured;
mod real;
mod reclaim;
mod remote_shuffle;
mod settings;
mod view;

use sim_core::spec::{Collector, DeployMode, Language, PodTemplate, PoolConf, RunLimits, SparkConf, SparkVersion, Spec, Uncertainty, VolumeSource};

use crate::diag::{Diagnostics, Source};
use crate::kube_yaml;
use crate::layer::{Change, Layers, beside, read_file};
use crate::raw::{Entry, Layer, Node, Value};
use crate::scenario::Setting;
use crate::schema::{ROOT, Unknown, fill, walk};
use crate::spark_conf::{self, Conf, Surroundings};
use crate::validate;
use view::View;

/// A point that passed every check.
pub(crate) struct Resolved {
    /// The model's input.
    pub(crate) spec: Spec,
    /// All settings.
    pub(crate) settings: Vec<Setting>,
    /// One line that tells the story.
    pub(crate) title: String,
    /// Runs of the point.
    pub(crate) replications: u64,
}

/// Builds one point; `None` when there are errors.
pub(crate) fn resolve(layers: &Layers, axis: &[Change], problems: &mut Diagnostics) -> Option<Resolved> {
    let mut tree = layers.merge(axis, problems);
    walk(&tree, &ROOT, "", Unknown::Error, problems);
    let version = version(&tree);
    let entries: Vec<Entry> = tree.get("spark").and_then(|spark| spark.get("conf")).map(|conf| conf.entries().to_vec()).unwrap_or_default();
    spark_conf::check(&entries, version, problems);
    let template = template(&tree, problems);
    let profile = job::profile(layers, &tree, problems);
    if problems.has_errors() {
        return None;
    }
    if let Some(profile) = &profile {
        measured::fill(&mut tree, profile);
    }
    let conf = Conf::new(&entries, version);
    remote_shuffle::assume(&mut tree, &conf);
    fill(&mut tree, &ROOT);
    derive::derive(&mut tree, problems);
    if problems.has_errors() {
        return None;
    }
    spark_conf::check_mode(&conf, problems);
    let pools = pools(View(&tree).table("spark"), &conf, problems);
    let mut template = template.unwrap_or_default();
    spark_conf::families(&conf, &mut template, problems);
    place_host_paths(&mut template, &tree);
    claims::place_claims(&mut template, &tree, problems);
    let spark = spark(&tree, &conf, template.pod, pools);
    if let Some(profile) = &profile {
        measured::fill_heap(&mut tree, profile, spark.executor.collector);
    }
    derive::young_share(&mut tree, spark.executor.collector);
    let profile = profile?;
    let spec = spec(&tree, &conf, spark, &profile);
    validate::validate(&validate::Facts { spec: &spec, conf: &conf, tree: &tree }, problems);
    if problems.has_errors() {
        return None;
    }
    let root = View(&tree);
    let mut settings = settings::settings(&tree, &conf);
    measured::tell(&mut settings, &profile);
    Some(Resolved { spec, settings, title: root.text("title"), replications: root.count64("replications") })
}

fn version(tree: &Node) -> SparkVersion {
    let text = tree.get("spark").and_then(|spark| spark.get("version")).and_then(Node::text).unwrap_or("3.5.0");
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    SparkVersion { major: next(), minor: next(), patch: next() }
}

/// The pod template: `spark.pod_template`, else the file that Spark's key names.
fn template(tree: &Node, problems: &mut Diagnostics) -> Option<kube_yaml::Template> {
    let spark = tree.get("spark")?;
    let key = spark.get("conf").and_then(|conf| conf.get("spark.kubernetes.executor.podTemplateFile"));
    let node = spark.get("pod_template").or(key)?;
    let classes = tree.get("cluster").and_then(|cluster| cluster.get("scheduler")).and_then(|scheduler| scheduler.get("priority_classes"));
    if matches!(node.value, Value::Table(_)) {
        return kube_yaml::pod_template_of(node, classes, problems);
    }
    let text = node.text()?;
    let source = match (&node.layer, &node.place) {
        (Layer::PodTemplate, Some(place)) => place.source.clone(),
        (_, place) if text.contains('\n') => {
            Source::new(place.as_ref().map_or("pod_template".to_owned(), |at| format!("{} (pod_template)", at.source.name)), text)
        }
        _ => read_file(&beside(node, text), Some(node), problems)?,
    };
    kube_yaml::pod_template(&source, classes, problems)
}

/// Puts each `hostPath` on the disk whose mount directory is its longest prefix; others are on the first.
fn place_host_paths(template: &mut kube_yaml::Template, tree: &Node) {
    let pools = tree.get("cluster").and_then(|cluster| cluster.get("pool")).map_or(&[][..], Node::items);
    let mounts: Vec<(usize, String)> =
        pools.iter().flat_map(|pool| View(pool).items("disk").enumerate().map(|(i, disk)| (i, disk.text("mount"))).collect::<Vec<_>>()).collect();
    for (volume, path) in &template.host_paths {
        let carries = |mount: &str| !mount.is_empty() && std::path::Path::new(path).starts_with(mount);
        let disk = mounts.iter().filter(|(_, mount)| carries(mount)).max_by_key(|(_, mount)| mount.len()).map_or(0, |(disk, _)| *disk);
        if let Some(volume) = template.pod.volumes.get_mut(*volume) {
            volume.source = VolumeSource::HostPath { disk };
        }
    }
}

/// Pools of the scenario, then those of Spark's file whose names are new.
fn pools(spark: View<'_>, conf: &Conf, problems: &mut Diagnostics) -> Vec<PoolConf> {
    let inline = spark.items("pool").map(|pool| PoolConf {
        name: pool.text("name"),
        mode: spark_conf::scheduling_mode(&pool.text("mode")).unwrap_or_default(),
        weight: pool.count("weight"),
        min_share: pool.count("min_share"),
    });
    let mut pools: Vec<PoolConf> = inline.collect();
    for pool in spark_conf::allocation_file(conf, problems) {
        if !pools.iter().any(|known| known.name == pool.name) {
            pools.push(pool);
        }
    }
    pools
}

fn spark(tree: &Node, conf: &Conf, template: PodTemplate, pools: Vec<PoolConf>) -> SparkConf {
    let platform = cluster::platform(&View(tree).table("cluster").text("platform"));
    let mut around = surroundings(View(tree).table("spark"), platform, template, pools);
    around.remote_shuffle = View(tree).maybe("remote_shuffle").map(remote_shuffle::service);
    around.resizes_in_place = resizes_in_place(tree);
    spark_conf::resolve(conf, around)
}

fn spec(tree: &Node, conf: &Conf, spark: SparkConf, profile: &crate::profile::Profile) -> Spec {
    let root = View(tree);
    let limits = root.table("limits");
    let app = job::app(root.table("job"), conf, profile);
    let cluster = cluster::cluster(root.table("cluster"));
    Spec {
        name: root.text("name"),
        reclaims: reclaim::reclaims(root, &cluster),
        cluster,
        spark,
        inject: inject::injections(root, &app),
        app,
        uncertainty: uncertainty(root.table("uncertainty")),
        limits: RunLimits { horizon: limits.time("horizon"), max_events: limits.count64("max_events"), paranoid: limits.on("paranoid") },
    }
}

fn surroundings(spark: View<'_>, platform: sim_core::spec::Platform, template: PodTemplate, pools: Vec<PoolConf>) -> Surroundings {
    Surroundings {
        platform,
        language: match spark.text("language").as_str() {
            "python" => Language::Python,
            "r" => Language::R,
            _ => Language::Jvm,
        },
        deploy_mode: if spark.text("deploy_mode") == "client" { DeployMode::Client } else { DeployMode::Cluster },
        collector: spark.maybe("collector").map(|name| match name.0.text() {
            Some("parallel") => Collector::Parallel,
            Some("serial") => Collector::Serial,
            _ => Collector::G1,
        }),
        xms_equals_xmx: spark.maybe("xms_equals_xmx").map(|node| node.0.value == Value::Bool(true)),
        executor_limit: spark.maybe("executor_limit").map(|_| spark.size("executor_limit")),
        local_dirs: spark.maybe("local_dirs").map(|_| spark.count("local_dirs")),
        codec: ["codec_ratio", "compress_s_per_gib", "decompress_s_per_gib"].map(|key| spark.maybe(key).map(|_| spark.number(key))),
        replace_delay: spark.time("replace_delay"),
        max_replacements: spark.maybe("max_replacements").map(|_| spark.count("max_replacements")),
        pools,
        remote_shuffle: None,
        resizes_in_place: false,
        template,
    }
}

/// Whether the cluster resizes pods in place: Kubernetes 1.33 and later.
pub(crate) fn resizes_in_place(tree: &Node) -> bool {
    derive::kubernetes_version(&View(tree).table("cluster").text("kubernetes")) >= (1, 33)
}

fn uncertainty(view: View<'_>) -> Uncertainty {
    let factor = |key| view.dist(key, crate::schema::Measure::Factor);
    let seconds = |key| view.dist(key, crate::schema::Measure::Seconds);
    Uncertainty {
        data_volume: factor("data_volume"),
        partition_skew: factor("partition_skew"),
        compression: factor("compression"),
        object_expansion: factor("object_expansion"),
        heap_young_share: factor("heap_young_share"),
        allocation: factor("allocation"),
        non_heap: factor("non_heap"),
        cpu_speed: factor("cpu_speed"),
        disk_speed: factor("disk_speed"),
        nic_speed: factor("nic_speed"),
        task_cpu: factor("task_cpu"),
        heap_growth: factor("heap_growth"),
        task_launch_s: seconds("task_launch"),
        executor_start_s: seconds("executor_start"),
        warm_up_s: seconds("warm_up"),
        death_detection_s: seconds("death_detection"),
        pod_acknowledged_s: seconds("pod_acknowledged"),
        claim_attach_s: seconds("claim_attach"),
        claim_detach_s: seconds("claim_detach"),
        claim_resize_s: seconds("claim_resize"),
    }
}

/// A value that follows from others.
fn derived(value: Value, from: impl Into<String>) -> Node {
    Node::made(value, Layer::Derived(from.into()))
}

//! Storage classes and what they say of placement, from the file to the model; and the annotation that lets an executor be evicted.

use scenarios::diag::render_plain;
use scenarios::{Request, load};
use sim_core::spec::{AccessMode, ClaimSpec, ClassFacts, Reach, Spec, VolumeSource, ZoneSet};

/// Four nodes in zones a and b on a platform, with a class of one's own and some more keys.
fn loaded(platform: &str, class: &str, conf: &[&str]) -> (Option<Spec>, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("x.toml");
    let vm = if platform == "eks" { "m5.2xlarge" } else { "Standard_D8s_v5" };
    let class = if class.is_empty() { String::new() } else { format!("[[cluster.storage_class]]\nname = \"fast\"\nread = \"200MB/s\"\n{class}\n") };
    let text = format!(
        "name = \"x\"\n[cluster]\nplatform = \"{platform}\"\n[[cluster.pool]]\nvm = \"{vm}\"\ncount = 4\nzones = [\"a\", \"b\"]\n{class}\
         [spark]\nversion = \"4.2.0\"\n[job]\nprofile = \"fixed-width-parse\"\ninput = \"1GB\"\n"
    );
    std::fs::write(&path, text).expect("written");
    let conf = conf.iter().map(|&line| line.to_owned()).collect();
    let (scenario, problems) = load(&Request { scenario: path.display().to_string(), conf, ..Request::default() });
    (scenario.map(|scenario| scenario.spec), render_plain(&problems))
}

const VOLUME: &str = "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1";

fn claim(platform: &str, class: &str, options: &[&str]) -> (ClaimSpec, String) {
    let mut conf = vec![format!("{VOLUME}.mount.path=/d"), format!("{VOLUME}.options.sizeLimit=100Gi")];
    conf.extend(options.iter().map(|option| format!("{VOLUME}.options.{option}")));
    let (spec, problems) = loaded(platform, class, &conf.iter().map(String::as_str).collect::<Vec<_>>());
    let spec = spec.unwrap_or_else(|| panic!("{problems}"));
    let VolumeSource::Claim(claim) = spec.spark.kubernetes.pod_template.volumes[0].source else { panic!("a claim") };
    (claim, problems)
}

const OWN: [&str; 2] = ["claimName=OnDemand", "storageClass=fast"];

#[test]
fn a_class_says_where_its_volumes_can_be_used() {
    let of = |class: &str| claim("aks", class, &OWN).0.class;
    // The Kubernetes API binds at once unless told otherwise; nothing else is known against a class.
    assert_eq!(of("iops = 1000"), ClassFacts { immediate: true, ..ClassFacts::FREE });
    let zonal = of("reach = \"zone\"\nbinding = \"WaitForFirstConsumer\"\nzones = [\"b\"]\nexpands = false");
    assert_eq!((zonal.reach, zonal.immediate, zonal.access, zonal.expands), (Reach::Zone, false, AccessMode::ReadWriteOnce, false));
    assert_eq!(zonal.zones, ZoneSet::of([1].into_iter()));
    let local = of("reach = \"node\"\nper_node = 2\naccess = \"ReadWriteOncePod\"");
    assert_eq!((local.reach, local.per_node, local.access), (Reach::Node, Some(2), AccessMode::ReadWriteOncePod));
}

#[test]
fn a_class_without_a_zone_of_the_cluster_is_refused() {
    let conf = [format!("{VOLUME}.mount.path=/d"), format!("{VOLUME}.options.sizeLimit=1Gi"), format!("{VOLUME}.options.storageClass=fast")];
    let (none, problems) = loaded("aks", "zones = [\"c\"]", &conf.each_ref().map(String::as_str));
    assert!(none.is_none() && problems.contains("storage-class-zones") && problems.contains("zones a, b") && problems.contains("x.toml"), "{problems}");
}

/// A disk for all is told, a file share is not; of a plain name without a class nothing is known.
#[test]
fn one_disk_for_all_executors_is_told() {
    let (disk, told) = claim("aks", "", &["claimName=scratch", "storageClass=managed-csi"]);
    assert!(disk.shared && told.contains("shared-claim") && told.contains("Multi-Attach"), "{told}");
    let (one, told) = claim("aks", "access = \"ReadWriteOncePod\"", &["claimName=scratch", "storageClass=fast"]);
    assert!(one.shared && told.contains("the others stay Pending"), "{told}");
    for options in [&["claimName=scratch"][..], &["claimName=scratch", "storageClass=fast"]] {
        let (share, told) = claim("aks", "iops = 1000", options);
        assert!(share.shared && share.class.access == AccessMode::ReadWriteMany && !told.contains("shared-claim"), "{told}");
    }
}

#[test]
fn claims_of_a_class_that_cannot_expand_are_told() {
    let plugin = ["spark.plugins=org.apache.spark.scheduler.cluster.k8s.ExecutorPVCResizePlugin", "spark.kubernetes.executor.pvc.resizeInterval=1min"];
    let told = |class: &str| {
        let own = [format!("{VOLUME}.mount.path=/d"), format!("{VOLUME}.options.sizeLimit=100Gi"), format!("{VOLUME}.options.claimName=OnDemand")];
        let class = format!("{VOLUME}.options.storageClass={class}");
        let conf: Vec<&str> = own.iter().chain([&class]).map(String::as_str).chain(plugin).collect();
        loaded("eks", "", &conf).1
    };
    assert!(told("gp2").contains("allowVolumeExpansion"), "{}", told("gp2"));
    assert!(!told("gp3").contains("allowVolumeExpansion"), "{}", told("gp3"));
}

#[test]
fn an_executor_may_be_safe_to_evict() {
    let of = |conf: &[&str]| loaded("aks", "", conf).0.expect("it loads").spark.kubernetes.pod_template.safe_to_evict;
    let key = "spark.kubernetes.executor.annotation.cluster-autoscaler.kubernetes.io/safe-to-evict";
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[&format!("{key}=true")]), Some(true));
    assert_eq!(of(&[&format!("{key}=false")]), Some(false));
    assert_eq!(of(&["spark.kubernetes.executor.annotation.team=etl"]), None);
}

//! What users are told about plugins that resize and replace executors, heartbeats, and nodes that vanish.

use scenarios::diag::render_plain;
use scenarios::{Request, load};

const PLUGIN: &str = "spark.plugins=org.apache.spark.scheduler.cluster.k8s.ExecutorResizePlugin";

/// Problems of a scenario with these keys, version of Spark and of Kubernetes, and more TOML.
fn told(spark: &str, kubernetes: &str, conf: &[&str], more: &str) -> String {
    let text = format!(
        "name = \"t\"\n[cluster]\nplatform = \"aks\"\nkubernetes = \"{kubernetes}\"\n[[cluster.pool]]\nvm = \"Standard_D16s_v5\"\ncount = 4\n\
         [spark]\nversion = \"{spark}\"\n[spark.conf]\n\"spark.executor.memory\" = \"9g\"\n[job]\nprofile = \"fixed-width-parse\"\ninput = \"3GB\"\n{more}"
    );
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("s.toml");
    std::fs::write(&path, text).expect("written");
    let request = Request { scenario: path.display().to_string(), conf: conf.iter().map(ToString::to_string).collect(), ..Request::default() };
    render_plain(&load(&request).1)
}

#[test]
fn what_keeps_the_resize_plugin_from_working_is_told() {
    let plugin = |spark, kubernetes, more: &[&str]| told(spark, kubernetes, &[&[PLUGIN], more].concat(), "");
    assert_eq!(plugin("4.3.0", "1.33", &[]), "", "it works");
    assert!(plugin("4.3.0", "1.32", &[]).contains("refuses to resize pods in place"));
    assert!(plugin("4.1.0", "1.33", &[]).contains("error[resize-plugin]: the driver does not start"), "{}", plugin("4.1.0", "1.33", &[]));
    let controller = plugin("4.3.0", "1.33", &["spark.kubernetes.allocation.pods.allocator=statefulset"]);
    assert!(controller.contains("for the direct allocator only"), "{controller}");
    let alone = told("4.3.0", "1.33", &["spark.kubernetes.executor.resizeFactor=0.2"], "");
    assert!(alone.contains("spark.plugins does not name the plugin"), "{alone}");
    let other = told("4.3.0", "1.33", &["spark.plugins=com.nvidia.spark.SQLPlugin"], "");
    assert!(other.contains("the plugin com.nvidia.spark.SQLPlugin is not simulated"), "{other}");
}

/// In the order in which the byte code of `ExecutorRollDriverPlugin.init` looks: interval, decommission, policy.
#[test]
fn what_keeps_the_roll_plugin_from_working_is_told() {
    let key = |name: &str| format!("spark.kubernetes.executor.{name}");
    let (named, hourly, leaves) = (PLUGIN.replace("Resize", "Roll"), key("rollInterval=1h"), "spark.decommission.enabled=true".to_owned());
    let of = |spark, conf: &[&String]| told(spark, "1.30", &conf.iter().map(|text| text.as_str()).collect::<Vec<_>>(), "");
    let working = |spark, more: &str| of(spark, &[&named, &hourly, &leaves, &key(more)]);
    assert_eq!(of("4.3.0", &[&named, &hourly, &leaves]), "", "it works");
    assert!(of("4.3.0", &[&named, &leaves]).contains("does nothing: its interval is less than a second"));
    assert!(of("4.3.0", &[&named, &hourly]).contains("does nothing: spark.decommission.enabled is false"));
    assert!(of("3.2.4", &[&named, &leaves]).contains("error[roll-plugin]: the driver does not start"));
    assert!(of("4.3.0", &[&hourly]).contains("spark.plugins does not name the plugin"));
    assert_eq!(working("4.3.0", "rollPolicy=disk_used"), "");
    assert!(working("3.3.4", "rollPolicy=DISK_USED").contains("this release has no such policy"));
    assert!(working("4.3.0", "rollPolicy=OLDEST").contains("ID, ADD_TIME, TOTAL_GC_TIME"), "{}", working("4.3.0", "rollPolicy=OLDEST"));
    assert!(working("4.3.0", "rollPolicy=TOTAL_GC_TIME").contains("chooses as TOTAL_DURATION does"));
    assert!(working("4.3.0", "rollPolicy=OUTLIER_NO_FALLBACK").contains("among fewer than six executors none is an outlier"));
    let six = of("4.3.0", &[&named, &hourly, &leaves, &key("rollPolicy=OUTLIER_NO_FALLBACK"), &"spark.executor.instances=6".to_owned()]);
    assert_eq!(six, "");
}

/// `HeartbeatReceiver` and `SparkConf` refuse an interval that is not less than the timeout.
#[test]
fn timeouts_that_spark_refuses_are_errors() {
    let short = told("3.5.0", "1.30", &["spark.network.timeout=10s"], "");
    assert!(short.contains("error[heartbeats]: Spark refuses to start: executors send heartbeats too seldom"), "{short}");
    let rare = told("3.5.0", "1.30", &["spark.network.timeout=30s"], "");
    assert!(rare.contains("silence is looked for too seldom"), "{rare}");
    assert_eq!(told("3.5.0", "1.30", &["spark.network.timeout=800s"], ""), "");
    let slow = told("3.5.0", "1.30", &["spark.network.timeout=60s", "spark.executor.memory=45g", "spark.executor.extraJavaOptions=-XX:+UseParallelGC"], "");
    assert!(!slow.contains("long-collection"), "45 GiB are collected in 18 s: {slow}");
}

#[test]
fn only_nodes_vanish() {
    let reclaim = |text: &str| told("3.5.0", "1.30", &[], &format!("[[reclaim]]\n{text}\nat = \"60s\"\nsudden = true\n"));
    assert_eq!(reclaim("node = \"pool-0-0\""), "", "and nobody needs decommission for it");
    assert!(reclaim("executor = 1").contains("only a node vanishes without notice"));
}

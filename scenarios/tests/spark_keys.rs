//! Spark's keys as users meet them: what is told of a properties file, and what `explain` answers.

use scenarios::diag::render_plain;
use scenarios::{Request, Scenario, explain, explain_all, explain_matching, explain_set, load};
use sim_core::units::Bytes;

fn request(version: &str, conf: &[&str]) -> Request {
    Request {
        scenario: "aks-migration".to_owned(),
        conf: conf.iter().map(ToString::to_string).collect(),
        set: vec![format!("spark.version={version}")],
        ..Request::default()
    }
}

fn loaded(version: &str, conf: &[&str]) -> Scenario {
    let (scenario, problems) = load(&request(version, conf));
    scenario.unwrap_or_else(|| panic!("{}", render_plain(&problems)))
}

/// What is told of a properties file under a release, beyond what is told without it.
fn told(version: &str, properties: &str) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("spark-defaults.conf");
    std::fs::write(&path, properties).expect("written");
    let (_, without) = load(&request(version, &[]));
    let (_, problems) = load(&Request { properties_file: Some(path), ..request(version, &[]) });
    let new = problems.items().iter().filter(|item| !without.items().contains(item));
    let text = |item: &scenarios::diag::Diagnostic| {
        let line = item.place.as_ref().map_or(0, |place| place.source.line_column(place.span.start).0);
        let found = item.found.as_deref().map_or_else(String::new, |found| format!(" [{found}]"));
        let hint = item.hint.as_deref().map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{line}: {}: {}{found}{hint}", item.rule, item.message).replace(&format!("{}/", directory.path().display()), "")
    };
    new.map(text).collect()
}

#[test]
fn a_default_is_not_told_and_anything_else_once() {
    let conf = "spark.checkpoint.compress true\nspark.shuffle.file.buffer 32\nspark.io.encryption.enabled FALSE\nspark.sql.files.openCostInBytes 4m\nspark.yarn.am.waitTime 100000\n";
    assert_eq!(told("3.4.0", conf), ["1: not-simulated: spark.checkpoint.compress is not simulated: nothing is checkpointed"]);
    // 4.1 turned it on: the same line says nothing new.
    assert_eq!(told("4.1.0", conf), [""; 0]);
    assert_eq!(
        told("3.4.0", "spark.io.encryption.enabled true\n"),
        ["1: not-simulated: spark.io.encryption.enabled is not simulated: encryption costs nothing here"]
    );
}

#[test]
fn what_bears_on_nothing_is_told_together() {
    let conf = "spark.ui.port 4050\nspark.eventLog.overwrite true\nspark.mycompany.tenant t\nspark.celeborn.master.endpoints h:9097\nspark.celeborn.master.port 9097\nspark.ui.retainedJobs 1000\n";
    assert_eq!(
        told("3.4.0", conf),
        [
            "0: not-simulated: 2 settings are not simulated: each bears neither on memory nor on shuffle [spark.ui.port (spark-defaults.conf:1), spark.eventLog.overwrite (spark-defaults.conf:2)]",
            "3: unknown-conf: spark.mycompany.tenant is not simulated: it is no key of Spark: a library or the job itself may read it",
            "0: not-simulated: 2 settings are not simulated: each belongs to a remote shuffle service, of which it decides nothing here [spark.celeborn.master.endpoints (spark-defaults.conf:4), spark.celeborn.master.port (spark-defaults.conf:5)]",
        ]
    );
}

#[test]
fn slips_and_names_of_the_past_are_told_with_the_right_name() {
    assert_eq!(
        told("3.4.0", "spark.exectuor.memory 4g\n"),
        ["1: unknown-conf: spark.exectuor.memory is not known and not simulated [spark.exectuor.memory] (did you mean spark.executor.memory?)"]
    );
    assert_eq!(
        told("3.4.0", "spark.reducer.maxMbInFlight 96\n"),
        ["1: conf-renamed: spark.reducer.maxMbInFlight is the old name of spark.reducer.maxSizeInFlight (write spark.reducer.maxSizeInFlight)"]
    );
    let dropped = told("4.3.0", "spark.blacklist.enabled true\n");
    assert_eq!(dropped, ["1: conf-version: spark.blacklist.enabled is ignored: Spark 4.3 does not read it (it is called spark.excludeOnFailure.enabled now)"]);
    assert!(told("3.4.0", "spark.blacklist.enabled true\n")[0].contains("is the old name of spark.excludeOnFailure.enabled"));
    assert_eq!(
        told("3.3.0", "spark.stage.maxAttempts 3\n"),
        ["1: conf-version: spark.stage.maxAttempts is ignored: Spark 3.3 does not know it (it exists since Spark 3.5)"]
    );
    assert_eq!(told("4.1.0", "spark.kubernetes.pyspark.pythonVersion 3\n").len(), 1);
}

// What real Spark answers for confs with old names (tests/recorders/spark_conf): the old one counts, unless the new one is set, too.
#[test]
fn an_old_name_counts_for_the_new_one() {
    let scenario = loaded("3.4.0", &["spark.reducer.maxMbInFlight=96"]);
    assert_eq!(scenario.spec.spark.shuffle.max_size_in_flight, Bytes::mib(96));
    let found = explain("spark.reducer.maxSizeInFlight", Some(&scenario)).expect("known");
    assert_eq!((found.value.as_deref(), found.origin.as_deref()), (Some("96"), Some("--conf")));
    let old = explain("spark.reducer.maxMbInFlight", Some(&scenario)).expect("known");
    assert_eq!((old.value.as_deref(), old.renamed_to.as_deref()), (Some("96"), Some("spark.reducer.maxSizeInFlight")));
    let both = loaded("3.4.0", &["spark.reducer.maxSizeInFlight=24m", "spark.reducer.maxMbInFlight=96"]);
    assert_eq!(both.spec.spark.shuffle.max_size_in_flight, Bytes::mib(24));
    let cap = |version: &str| loaded(version, &["spark.yarn.max.executor.failures=9"]).spec.spark.scheduling.executor_max_failures;
    assert_eq!((cap("3.5.0"), cap("4.3.0")), (Some(9), Some(9)));
    assert_ne!(cap("3.4.0"), Some(9), "on Kubernetes 3.4 does not count");
}

#[test]
fn the_default_follows_the_release() {
    for (version, batch) in [("3.4.0", 5), ("4.1.0", 10), ("4.3.0", 20)] {
        let scenario = loaded(version, &[]);
        assert_eq!(scenario.spec.spark.kubernetes.allocation_batch_size, batch);
        let found = explain("spark.kubernetes.allocation.batch.size", Some(&scenario)).expect("known");
        assert_eq!(found.value, Some(batch.to_string()));
        assert_eq!(found.default_here, found.value);
        assert_eq!(found.default, "5, 10 since 4.0, 20 since 4.2");
    }
    let found = explain("spark.shuffle.service.removeShuffle", Some(&loaded("4.3.0", &[]))).expect("known");
    assert_eq!((found.value.as_deref(), found.origin.as_deref(), found.modelled), (Some("true"), Some("default of Spark 4.3"), true));
    let gone = explain("spark.kubernetes.pyspark.pythonVersion", None).expect("known");
    assert!(gone.removed.is_some() && gone.since.is_some(), "{gone:?}");
}

// A4, A7, A12: regions and page of an 8 GiB heap, and the tmpfs of its pod.
#[test]
fn sizes_stand_beside_memory_keys() {
    let conf = ["spark.executor.memory=8g", "spark.executor.memoryOverhead=819m", "spark.executor.cores=4", "spark.kubernetes.local.dirs.tmpfs=true"];
    let scenario = loaded("3.4.0", &conf);
    let found = explain("spark.kubernetes.local.dirs.tmpfs", Some(&scenario)).expect("known");
    let derived = |name: &str| found.derived.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{name}")).1.parse::<u64>().expect("a number");
    assert_eq!(derived("pod_memory_mib"), 9011);
    assert_eq!(derived("tmpfs_capacity_bytes"), 9011 << 20);
    assert_eq!(derived("unified_memory_bytes"), 4_965_217_075);
    assert_eq!(derived("execution_per_task_max_bytes"), 4_965_217_075 / 4);
    assert_eq!(derived("execution_per_task_min_bytes"), 4_965_217_075 / 8);
    assert_eq!(derived("page_size_bytes"), 67_108_864 - 16);
    assert!(explain("spark.speculation", Some(&scenario)).expect("known").derived.is_empty());
}

#[test]
fn lists_tell_what_is_set_and_what_matches() {
    let scenario = loaded("3.4.0", &["spark.mycompany.tenant=t"]);
    let set = explain_set(&scenario);
    let find = |key: &str| set.iter().find(|found| found.key == key);
    assert_eq!(find("spark.mycompany.tenant").and_then(|found| found.value.as_deref()), Some("t"));
    assert!(find("cluster.platform").and_then(|found| found.origin.as_deref()).is_some_and(|origin| origin.starts_with("aks-migration.toml:")));
    assert!(find("spark.memory.fraction").is_none(), "a default is not set");
    let matching = explain_matching("*memoryOverhead*", Some(&scenario));
    assert!(matching.iter().any(|found| found.key == "spark.executor.memoryOverheadFactor"));
    assert!(matching.iter().all(|found| found.key.contains("memoryOverhead")));
    assert!(explain_all(Some(&scenario)).iter().any(|found| found.key == "spark.ui.port"));
}

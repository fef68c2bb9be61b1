//! What users write about scheduling: jobs that overlap, pools, speculation, exclusion; and what a log tells of stages.

use std::path::Path;
use std::sync::Arc;

use scenarios::diag::{Diagnostics, Source, render_plain};
use scenarios::event_log::ingest;
use scenarios::profile::{Profile, ProfileConf};
use scenarios::{Request, Scenario, load};
use sim_core::spec::{AppSpec, ExclusionConf, JobStart, LocalityConf, PoolConf, SchedulerConf, SchedulingMode, SpeculationConf};
use sim_core::units::{Bytes, SimSpan};

fn profile(jobs: &str) -> (Option<Profile>, Diagnostics) {
    let stage = |name: &str| format!("[[stage]]\nname = \"{name}\"\nsink = \"result\"\nfrom = \"remote\"\n[stage.work]\nvolume = 1.0\n");
    let text = format!("schema_version = 1\nname = \"p\"\ninput = \"1 GB\"\n{jobs}\n{}", ["a", "b", "c"].map(stage).concat());
    Profile::parse(&Arc::clone(&Source::new("p.toml", text)))
}

fn app(profile: &Profile) -> AppSpec {
    profile.to_app(profile.input(), &ProfileConf { shuffle_partitions: None, max_partition_bytes: Bytes::mib(128), joins: None })
}

#[test]
fn jobs_start_in_turn_after_or_beside_others() {
    let text = r#"
[[job]]
name = "one"
stages = ["a"]
driver_gap = "2s"
[[job]]
name = "two"
stages = ["b"]
beside = "one"
offset = "500ms"
pool = "reports"
[[job]]
name = "three"
stages = ["c"]
after = ["one", "two"]
gap = "1s"
"#;
    let (read, problems) = profile(text);
    let read = read.unwrap_or_else(|| panic!("{}", render_plain(&problems)));
    let app = app(&read);
    let starts: Vec<JobStart> = app.jobs.iter().map(|job| job.start.clone()).collect();
    let expected =
        [JobStart::InTurn, JobStart::With { job: 0, offset: SimSpan::from_ms(500) }, JobStart::After { jobs: vec![0, 1], gap: SimSpan::from_secs(1) }];
    assert_eq!(starts, expected);
    assert_eq!(app.jobs[1].pool.as_deref(), Some("reports"));
    let (again, _) = Profile::parse(&Source::new("again.toml", read.to_toml()));
    assert_eq!(again.as_ref(), Some(&read), "what is written is read back");
}

#[test]
fn a_job_waits_only_for_jobs_before_it() {
    let job = |name: &str, stage: &str, rest: &str| format!("[[job]]\nname = \"{name}\"\nstages = [\"{stage}\"]\n{rest}\n");
    let told = |first: &str| {
        let (read, problems) = profile(&[job("one", "a", first), job("two", "b", ""), job("three", "c", "")].concat());
        assert!(read.is_none());
        render_plain(&problems)
    };
    assert!(told("after = [\"two\"]").contains("job `one` waits for `two`, which does not come before it"));
    assert!(told("beside = \"tow\"").contains("there is no job called `tow`"));
    assert!(told("offset = \"1s\"").contains("`offset` belongs to `beside`"));
    assert!(told("after = []\nbeside = \"two\"").contains("not both"));
}

fn scenario(version: &str, conf: &str, rest: &str) -> (Option<Scenario>, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("s.toml");
    let text = format!(
        "name = \"t\"\n[cluster]\nplatform = \"aks\"\n[[cluster.pool]]\nvm = \"Standard_D16s_v5\"\ncount = 4\n[spark]\nversion = \"{version}\"\n[spark.conf]\n{conf}\n{rest}\n[job]\nprofile = \"fixed-width-parse\"\n"
    );
    std::fs::write(&path, text).expect("written");
    let xml = "<allocations><pool name=\"etl\"><weight>2</weight></pool><pool name=\"reports\"><minShare>4</minShare></pool></allocations>";
    std::fs::write(directory.path().join("fair.xml"), xml).expect("written");
    let (scenario, problems) = load(&Request { scenario: path.display().to_string(), ..Request::default() });
    (scenario, render_plain(&problems))
}

fn scheduler(version: &str, conf: &str, rest: &str) -> SchedulerConf {
    let (scenario, problems) = scenario(version, conf, rest);
    scenario.unwrap_or_else(|| panic!("{problems}")).spec.spark.scheduler
}

/// 3.6 and Appendix B: all off by default; once on, the defaults are those of the release.
#[test]
fn what_is_off_by_default_is_off_and_defaults_follow_the_release() {
    for version in ["3.4.0", "4.0.0"] {
        assert_eq!(scheduler(version, "", ""), SchedulerConf::default(), "{version}");
    }
    let on = "\"spark.speculation\" = \"true\"\n\"spark.excludeOnFailure.enabled\" = \"true\"";
    let three = scheduler("3.4.0", on, "");
    assert_eq!(three.speculation, Some(SpeculationConf::default()));
    assert_eq!(three.exclusion, Some(ExclusionConf::default()));
    let four = scheduler("4.0.0", on, "").speculation.expect("on");
    assert_eq!((four.quantile, four.multiplier), (0.9, 3.0));
    assert_eq!(scheduler("3.3.0", on, "").speculation.expect("on").efficiency, None, "since 3.4");
    // SPARK-18886: before 3.1 every launch restarts the wait.
    assert!(scheduler("3.0.0", "", "").locality.reset_on_launch);
    let waits = scheduler("3.5.0", "\"spark.locality.wait\" = \"1s\"\n\"spark.locality.wait.process\" = \"0\"", "").locality;
    assert_eq!(waits, LocalityConf { wait_process: SimSpan::ZERO, wait_node: SimSpan::from_secs(1), ..LocalityConf::default() });
}

#[test]
fn pools_come_from_the_scenario_and_from_spark_s_file() {
    let conf = "\"spark.scheduler.mode\" = \"fair\"\n\"spark.scheduler.allocation.file\" = \"fair.xml\"";
    let read = scheduler("3.5.0", conf, "[[spark.pool]]\nname = \"etl\"\nmode = \"fair\"\nmin_share = 3");
    let etl = PoolConf { mode: SchedulingMode::Fair, min_share: 3, ..PoolConf::plain("etl") };
    let reports = PoolConf { min_share: 4, ..PoolConf::plain("reports") };
    assert_eq!((read.mode, read.pools), (SchedulingMode::Fair, vec![etl, reports]), "the scenario's own come first and win");
    let (none, told) = scenario("3.5.0", "\"spark.scheduler.mode\" = \"LIFO\"", "");
    assert!(none.is_none() && told.contains("FIFO or FAIR"), "{told}");
    let (some, told) = scenario("3.5.0", "\"spark.scheduler.allocation.file\" = \"hdfs://nn/fair.xml\"", "");
    assert!(some.is_some() && told.contains("only a local file can be read"), "{told}");
}

/// A switch that is read and not simulated is told by name.
#[test]
fn resources_of_tasks_are_told_not_to_be_modelled() {
    let (some, told) = scenario("3.5.0", "\"spark.task.resource.gpu.amount\" = \"1\"", "");
    assert!(some.is_some() && told.contains("spark.task.resource.gpu.amount is not simulated"), "{told}");
}

/// FF-5, FF-6: logs of Spark 3.4 and later say which RDDs are indeterminate, all say which are of a barrier stage. The stages are cut
/// down from a log of Spark 3.5 of `parallelize.map.groupByKey.repartition(3).count` and a barrier job.
#[test]
fn a_log_tells_indeterminate_and_barrier_stages() {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/indeterminate.json");
    let ingested = ingest(&log).unwrap_or_else(|problems| panic!("{}", render_plain(&problems)));
    let app = app(&ingested.profile);
    let marks: Vec<(bool, bool)> = app.stages.iter().map(|stage| (stage.indeterminate, stage.barrier)).collect();
    assert_eq!(marks, [(false, false), (true, false), (true, false), (false, true)]);
}

//! Files against the documented shapes.

use reports::{OutputFile, SweepReport, csv, files, json};
use serde_json::Value;

mod common;

fn ends(file: &OutputFile, extension: &str) -> bool {
    file.name.rsplit('.').next() == Some(extension)
}

fn samples() -> Vec<SweepReport> {
    vec![common::factorial(), common::rising(), common::plane(), common::named(), common::run(980), common::run(0), common::starved()]
}

/// Field names and nesting of the design's result object.
#[test]
fn result_object_has_the_documented_fields() {
    let report = common::factorial();
    let object = json::result_object(&report.header, &report.points[3]);
    let estimate = ["estimate", "low", "high", "confidence", "n"];
    let peak = ["p50", "max", "p95"];
    let shape: [(&str, &[&str]); 11] = [
        ("p_oom", &estimate),
        ("p_job_failure", &estimate),
        ("executors_lost", &["mean", "p50", "p95", "max", "mean_low", "mean_high"]),
        ("duration_s", &["mean", "p50", "p95", "n", "mean_low", "p50_low", "p95_high"]),
        ("node_peak_bytes", &peak),
        ("pod_peak_bytes", &peak),
        ("scratch_peak_bytes", &peak),
        ("shuffle_write_bytes", &peak),
        ("spill_bytes", &peak),
        ("node_before_shuffle_bytes", &peak),
        ("node_at_first_kill_bytes", &peak),
    ];
    for (name, fields) in shape {
        for field in fields {
            assert!(object[name][field].is_number(), "{name}.{field}");
        }
    }
    for cause in ["heap", "container", "node", "eviction", "scratch_full"] {
        assert!(object["p_by_cause"][cause]["high"].is_number(), "{cause}");
    }
    assert_eq!(object["schema_version"], 1);
    assert_eq!(object["scenario"], "aks-migration");
    assert_eq!(object["replications"], 400);
    assert_eq!(object["truncated"], 0);
    assert_eq!(object["p_oom"]["estimate"], 0.98);
    assert_eq!(object["p_oom"]["n"], 400);
    assert_eq!(object["failed"]["task_failures"], 392);
    assert_eq!(object["first_level"]["kubepods"], 392);
    assert_eq!(object["point"]["job.placement"], "packed");
    assert!(object["node_peak_bytes"]["max"].is_u64(), "sizes are whole bytes");
}

#[test]
fn point_is_there_only_with_coordinates() {
    let report = common::run(0);
    let object = json::result_object(&report.header, &report.points[0]);
    assert!(object.get("point").is_none());
    // Nobody died: the summary of the first kill is zeros with n 0, never null.
    assert_eq!(object["node_at_first_kill_bytes"]["n"], 0);
    assert_eq!(object["node_at_first_kill_bytes"]["p50"], 0);
}

#[test]
fn truncations_are_counted_by_reason() {
    let report = common::starved();
    let object = json::result_object(&report.header, &report.points[0]);
    assert_eq!((&object["truncated"], &object["truncated_by"]["starved"]), (&Value::from(4), &Value::from(4)));
    assert_eq!(object["executors_pending"]["max"], 3.0);
}

fn numbers(value: &Value, path: &str) {
    match value {
        Value::Null => panic!("{path} is null"),
        Value::Array(list) => list.iter().for_each(|v| numbers(v, path)),
        Value::Object(map) => map.iter().for_each(|(k, v)| numbers(v, &format!("{path}.{k}"))),
        _ => {}
    }
}

#[test]
fn every_line_parses_and_has_no_null() {
    for report in samples() {
        let lines = json::lines(&report);
        assert_eq!(lines.lines().count(), report.points.len());
        for line in lines.lines() {
            numbers(&serde_json::from_str(line).expect("one object a line"), "");
        }
    }
}

#[test]
fn not_a_number_never_reaches_a_file() {
    let mut report = common::run(980);
    report.points[0].result.duration_s.mean = f64::NAN;
    report.points[0].result.node_peak.max = f64::INFINITY;
    numbers(&json::result_object(&report.header, &report.points[0]), "");
    let table = csv::points(&report.header, &report.axes, &report.points);
    assert!(!table.contains("NaN") && !table.contains("inf"));
}

#[test]
fn csv_starts_with_the_axes_and_all_rows_are_as_long_as_the_header() {
    for report in samples() {
        let text = csv::points(&report.header, &report.axes, &report.points);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let head = reader.headers().expect("a header").clone();
        for (axis, name) in report.axes.iter().zip(&head) {
            assert_eq!(axis.name, name);
        }
        for name in
            ["replications", "p_oom", "p_oom_low", "p_oom_high", "p_scratch_full", "first_node", "duration_p50_s", "node_peak_p95_bytes", "truncated_starved"]
        {
            assert!(head.iter().any(|h| h == name), "{name}");
        }
        let rows: Vec<_> = reader.records().collect::<Result<_, _>>().expect("rows as long as the header");
        assert_eq!(rows.len(), report.points.len());
    }
    let report = common::rising();
    let text = csv::points(&report.header, &report.axes, &report.points);
    assert!(text.lines().nth(1).is_some_and(|row| row.starts_with("0.3,100,0.02,")), "{text}");
}

#[test]
fn labels_with_commas_and_quotes_survive_csv() {
    let axes = vec![common::names("a", "a", &["x, \"y\"", "z"])];
    let report = common::sweep(axes, |_| common::result(10, 0, sim_core::record::Cause::Node, 0, 1.0));
    let text = csv::points(&report.header, &report.axes, &report.points);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let first = reader.records().next().expect("a row").expect("well formed");
    assert_eq!(&first[0], "x, \"y\"");
}

#[test]
fn an_output_directory_has_charts_with_their_data_and_the_same_bytes_each_time() {
    for report in samples() {
        let all = files(&report);
        let names: Vec<&str> = all.iter().map(|f| f.name.as_str()).collect();
        for name in ["index.html", "results.csv", "results.jsonl"] {
            assert!(names.contains(&name), "{name}");
        }
        let charts: Vec<&str> = names.iter().filter_map(|n| n.strip_suffix(".svg")).collect();
        assert!(!charts.is_empty());
        for chart in charts {
            assert!(names.contains(&format!("{chart}.csv").as_str()), "{chart}");
        }
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len(), "names are unique");
        assert_eq!(all, files(&report));
    }
}

#[test]
fn svg_has_words_for_readers_who_do_not_see_it_and_legible_text() {
    for report in samples() {
        for file in files(&report).iter().filter(|f| ends(f, "svg")) {
            let text = std::str::from_utf8(&file.contents).expect("UTF-8");
            assert!(text.starts_with("<svg xmlns=") && text.trim_end().ends_with("</svg>"), "{}", file.name);
            assert_eq!((text.matches("<title>").count(), text.matches("<desc>").count()), (1, 1), "{}", file.name);
            assert!(!text.contains("NaN") && !text.contains("inf\"") && !text.contains("\"sans-serif\""), "{}", file.name);
            assert!(text.contains("DejaVu Sans, "), "{}", file.name);
            for size in text.split("font-size=\"").skip(1) {
                let size: f64 = size.split('"').next().and_then(|s| s.parse().ok()).expect("a number");
                // The view box is four times finer than CSS pixels.
                assert!(size / 4.0 >= 12.999, "{}: {size}", file.name);
            }
        }
    }
}

#[test]
fn names_are_escaped_everywhere() {
    let mut report = common::named();
    report.header.scenario = "<script>alert(1)</script>".into();
    report.header.command = "spillcast sweep '<u>' && true".into();
    report.axes[0].labels[0] = "<img src=x>".into();
    report.axes[0].title = "a < b & c".into();
    for file in files(&report).iter().filter(|f| ends(f, "svg") || ends(f, "html")) {
        let text = std::str::from_utf8(&file.contents).expect("UTF-8");
        for raw in ["<script>alert", "<u>", "<img", "a < b"] {
            assert!(!text.contains(raw), "{} has {raw}", file.name);
        }
    }
}

#[test]
fn the_page_is_self_contained() {
    let page = String::from_utf8(files(&common::factorial()).swap_remove(0).contents).expect("UTF-8");
    for outside in ["src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let addresses = page.matches("http").count();
    assert_eq!(addresses, page.matches("http://www.w3.org/2000/svg").count(), "the only addresses are namespaces");
    for part in [
        "Neither alone, both together",
        "n = 400",
        "spillcast sweep aks-migration -n 400 --seed 1 -o out",
        "0123456789abcdef",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

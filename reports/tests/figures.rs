//! What charts say, read from their data.

use reports::figures::{self, Chart, causes, curve, dots, fan, heat_map, memory};
use reports::{AxisInfo, Standing, svg, verdict};
use sim_core::record::{Cause, MemoryClass};
use sim_core::study::Estimate;

mod common;

fn p(low: f64, estimate: f64, high: f64) -> Estimate {
    Estimate { estimate, low, high, confidence: 0.95, n: 100 }
}

/// The rule of the house style: hatched when wider than 0.2 or across one half.
#[test]
fn undecided_is_wide_or_across_one_half() {
    let table = [
        (p(0.48, 0.5, 0.52), true),
        (p(0.05, 0.15, 0.26), true),
        (p(0.05, 0.15, 0.24), false),
        (p(0.5, 0.58, 0.66), false),
        (p(0.4, 0.45, 0.5), false),
        (p(0.0, 0.0, 0.04), false),
        (p(0.97, 0.98, 0.99), false),
    ];
    for (estimate, expected) in table {
        assert_eq!(Standing::of(&estimate) == Standing::Undecided, expected, "{estimate:?}");
    }
    assert_eq!(Standing::of(&p(0.97, 0.98, 0.99)), Standing::Dies);
    assert_eq!(Standing::of(&p(0.0, 0.0, 0.04)), Standing::Survives);
    assert_eq!(Standing::of(&p(0.2, 0.25, 0.3)), Standing::Risky);
}

#[test]
fn one_corner_of_a_factorial_is_neither_alone() {
    let figures = heat_map::figures(&common::factorial());
    assert_eq!(figures.len(), 1);
    assert_eq!(figures[0].title, "Neither alone, both together: tmpfs + packed dies (98 %), the rest at most 0.5 %");
    let Chart::HeatMap(map) = &figures[0].chart else { panic!("a heat map") };
    // Names read from the top: the second row of the scenario is at the bottom.
    assert_eq!((map.y.labels[0].as_str(), map.x.labels[1].as_str()), ("tmpfs", "packed"));
    let cell = map.cells[1].p.expect("every point ran");
    assert!((cell.estimate - 0.98).abs() < 1e-12 && cell.n == 400);
    assert!(map.contours.is_empty(), "names have no contours");
}

#[test]
fn contours_part_the_cells_below_from_those_above() {
    let figures = heat_map::figures(&common::plane());
    let Chart::HeatMap(map) = &figures[0].chart else { panic!("a heat map") };
    assert_eq!(map.contours.iter().map(|c| c.level).collect::<Vec<_>>(), heat_map::LEVELS);
    let columns = map.x.labels.len();
    for contour in &map.contours {
        for [from, to] in &contour.segments {
            for (x, y) in [from, to] {
                let at = |x: f64, y: f64| map.cells[y as usize * columns + x as usize].p.expect("every point ran").estimate;
                let (a, b) = (at(x.floor(), y.floor()), at(x.ceil(), y.ceil()));
                let (low, high) = (a.min(b), a.max(b));
                // Half a count of 200 is what the log-odds scale may move an end by.
                assert!(low - 0.0026 <= contour.level && contour.level <= high + 0.0026, "{} between {low} and {high}", contour.level);
            }
        }
    }
    assert_eq!(map.cells.iter().filter(|c| c.undecided).count(), 3);
}

#[test]
fn curve_rises_and_keeps_the_interval_as_its_band() {
    let report = common::rising();
    let figure = curve::figure(&report).expect("one numeric axis");
    assert_eq!(figure.title, "P(OOM) rises with input: 2 % at 0.3 GB, 98 % at 3 GB");
    assert!(figure.subtitle.contains("n = 100 a point") && figure.subtitle.contains("seed 1") && figure.subtitle.contains("95 % interval"));
    let Chart::Curve(curve) = &figure.chart else { panic!("a curve") };
    for (point, source) in curve.points.iter().zip(&report.points) {
        assert_eq!(point.p, source.result.p_oom);
        assert!(point.p.low <= point.p.estimate && point.p.estimate <= point.p.high);
    }
    assert!(!curve.log && dots::figure(&report).is_none() && heat_map::figures(&report).is_empty());
}

#[test]
fn a_flat_curve_claims_no_trend() {
    let axes = vec![common::numbers("job.input", "input", "GB", &[1.0, 2.0, 50.0])];
    let report = common::sweep(axes, |at| common::result(100, 40 + at[0] as u64, Cause::Heap, 0, 20.0));
    let figure = curve::figure(&report).expect("one numeric axis");
    assert_eq!(figure.title, "No trend of P(OOM) with input can be told: 40 % to 42 %");
    let Chart::Curve(curve) = &figure.chart else { panic!("a curve") };
    assert!(curve.log, "a span of 50 is drawn on a log scale");
}

#[test]
fn names_get_dots() {
    let figure = dots::figure(&common::named()).expect("one axis of names");
    let Chart::Dots(dots) = &figure.chart else { panic!("dots") };
    assert_eq!(dots.rows.iter().map(|d| d.undecided).collect::<Vec<_>>(), [false, false, true, false]);
    assert!(curve::figure(&common::named()).is_none());
}

#[test]
fn causes_and_survivors_are_the_whole() {
    let report = common::named();
    let figure = causes::figure(&report).expect("points");
    let Chart::Causes(chart) = &figure.chart else { panic!("causes") };
    for (bar, point) in chart.bars.iter().zip(&report.points) {
        assert_eq!(bar.total(), point.result.replications);
    }
    assert_eq!((chart.bars[1].first[2], chart.bars[1].survived), (180, 20));
    assert_eq!(figure.title, "What comes first: the node runs out of memory (52 % of incidents), scratch fills up (35 %)");
}

#[test]
fn fan_has_ordered_quantiles_of_all_replications() {
    let axes = vec![common::numbers("job.input", "input", "GB", &[1.0, 2.0])];
    let mut report = common::sweep(axes, |_| common::result(100, 0, Cause::Node, 0, 10.0));
    report.points[0].result.node_peaks = (1..=100).rev().map(f64::from).collect();
    let figure = fan::figure(&report).expect("points");
    let Chart::Fan(fan) = &figure.chart else { panic!("a fan") };
    assert_eq!(fan.points[0].quantiles.map(|q| q as u64), [5, 25, 50, 75, 95]);
    assert_eq!(fan.limit, None, "nothing is known of the nodes");
}

#[test]
fn memory_shows_the_fullest_node_with_its_limits_above_the_system() {
    let report = common::factorial();
    let figure = memory::figure(&report).expect("two stories");
    assert_eq!(figure.title, "Same luck, no deaths: disk + packed instead of tmpfs + packed");
    let Chart::Memory(chart) = &figure.chart else { panic!("memory") };
    let [dying, fixed] = chart.panels.as_slice() else { panic!("two panels") };
    assert_eq!((dying.title.as_str(), fixed.title.as_str()), ("tmpfs + packed: job aborted", "disk + packed: job ok"));
    assert_eq!(dying.subtitle, "pool-0: 5 executors lost, 1 on other nodes");
    let gib = 1_073_741_824.0;
    let levels: Vec<f64> = dying.limits.iter().map(|l| (l.level / gib * 10.0).round() / 10.0).collect();
    assert_eq!(levels, [62.8, 58.0 + 1.6, 57.0 + 1.6]);
    // Deaths lie where the pods' limit was reached, on this node only.
    assert_eq!(dying.kills.iter().map(|k| k.executor).collect::<Vec<_>>(), [1, 2, 3, 5]);
    assert!(dying.kills.iter().all(|k| (k.height / gib - 59.6).abs() < 0.5), "{:?}", dying.kills);
    assert!(!chart.classes.contains(&MemoryClass::Python), "classes without memory are not in the key");
    assert!(chart.panels.iter().flat_map(|p| &p.samples).all(|(_, c)| c.iter().sum::<f64>() <= chart.top));
    assert_eq!(
        dying.stages.iter().map(|s| (s.name.as_str(), s.lane, s.ok)).collect::<Vec<_>>(),
        [("read", 0, true), ("map", 0, true), ("join and write", 0, false)]
    );
}

#[test]
fn verdicts_read_like_sentences() {
    let table = [
        (common::run(980), "Runs out of memory in 98 % of replications, killed at the limit of all pods of a node; the job fails in 98 %."),
        (common::run(0), "Did not run out of memory once in 1000 replications, but executors are evicted in 0.5 %."),
        (common::run(500), "Undecided: P(OOM) is between 47 % and 53 % after 1000 replications."),
        (common::plane(), "P(OOM) falls with nodes and rises with input: 18 of 40 points run out of memory, 3 undecided."),
        (common::rising(), "P(OOM) rises with input: 2 % at 0.3 GB, 98 % at 3 GB."),
    ];
    for (report, sentence) in table {
        assert_eq!(verdict(&report).sentence, sentence);
    }
}

#[test]
fn more_heap_is_judged_along_its_axis() {
    let axes = || vec![common::names("scratch", "scratch", &["disk", "tmpfs"]), common::numbers("spark.executor.memory", "heap", "GiB", &[8.0, 16.0])];
    let of = |disk: [u64; 2], tmpfs: [u64; 2]| common::sweep(axes(), move |at| common::result(200, [disk, tmpfs][at[0]][at[1]], Cause::Node, 0, 50.0));
    let no_help = verdict(&of([0, 0], [198, 198])).sentence;
    assert_eq!(no_help, "Scratch decides: tmpfs at least 99 %, disk 0 %; more heap does not help.");
    assert!(verdict(&of([0, 0], [60, 198])).sentence.ends_with("more heap makes it worse."));
    assert!(verdict(&of([0, 0], [198, 2])).sentence.ends_with("more heap helps."));
}

#[test]
fn next_steps_are_commands_that_fit_the_case() {
    assert_eq!(verdict(&common::run(980)).next_step, "spillcast run aks-migration --conf spark.kubernetes.local.dirs.tmpfs=false");
    assert_eq!(verdict(&common::run(500)).next_step, "spillcast run aks-migration --seed 1 -n 10000");
    let mut odd = common::factorial();
    odd.header.seed = 7;
    odd.header.command = "spillcast sweep 'my file'\\''s.toml' --profile p.toml -n 400 --seed 7 -o out".into();
    let cured = verdict(&odd);
    // One axis changed is enough; the user's own options stay.
    let command = "spillcast run 'my file'\\''s.toml' --profile p.toml --seed 7 --conf spark.kubernetes.local.dirs.tmpfs=disk --set job.placement=packed";
    assert_eq!(cured.next_step, command);
    assert_eq!(cured.reason, "the smallest change that survives: disk (0 %)");
    // A value that no command can set leaves the setting that moves the memory.
    odd.axes[0].settings = vec![None, Some(Vec::new())];
    assert_eq!(verdict(&odd).next_step, "spillcast sweep 'my file'\\''s.toml' --profile p.toml --seed 7 --conf spark.kubernetes.local.dirs.tmpfs=false");
    assert_eq!(verdict(&common::run(0)).next_step, "spillcast run aks-migration --fail-if 'p_oom > 1%'");
}

#[test]
fn labels_have_their_unit_once_and_titles_read_inside_a_sentence() {
    let axis = AxisInfo { labels: vec!["5 %".into(), "10".into()], ..common::numbers("input", "Input, 3 GB is 100 %", "%", &[5.0, 10.0]) };
    assert_eq!((axis.label(0), axis.label(1), axis.short()), ("5 %".into(), "10 %".into(), "input".into()));
    assert_eq!(axis.phrase(0), "input 5 %");
    assert_eq!(common::names("x", "VM (size)", &["a", "b"]).short(), "VM");
}

#[test]
fn a_grid_without_survivors_says_so_and_its_contours_promise_no_boundary() {
    let axes = || vec![common::numbers("m", "Executor memory, factor", "", &[1.0, 1.5, 2.0]), common::numbers("e", "Executors", "", &[2.0, 3.0, 4.0])];
    let report = common::sweep(axes(), |at| common::result(200, if at[1] == 1 { 60 } else { 199 }, Cause::Container, 0, 50.0));
    let sentence =
        "No combination survives: 6 of 9 points run out of memory, 30 % at best (executor memory 1, executors 3); more executor memory does not cure it.";
    assert_eq!(verdict(&report).sentence, sentence);
    let Chart::HeatMap(map) = &heat_map::figures(&report)[0].chart else { panic!("a heat map") };
    assert!(map.contours.is_empty(), "P(OOM) falls and rises along executors");
}

#[test]
fn an_interrupted_sweep_says_so_and_draws_what_there_is() {
    let mut report = common::plane();
    report.points.truncate(11);
    report.interrupted = true;
    assert!(verdict(&report).sentence.starts_with("Interrupted after 11 of 40 points. So far:"));
    let figures = heat_map::figures(&report);
    let Chart::HeatMap(map) = &figures[0].chart else { panic!("a heat map") };
    assert_eq!(map.cells.iter().filter(|c| c.p.is_none()).count(), 29);
    assert!(svg::render(&figures[0]).contains("not run"));
    report.points.clear();
    assert!(verdict(&report).sentence.starts_with("Nothing to report"));
    assert!(figures::all(&report).iter().all(|f| !svg::render(&f.figure).contains("NaN")));
}

#[test]
fn three_axes_give_a_map_for_each_value_of_the_third() {
    let mut axes = common::plane().axes;
    axes.push(common::names("scratch", "scratch", &["disk", "tmpfs"]));
    let report = common::sweep(axes, |at| common::result(50, at[2] as u64 * 49, Cause::Node, 0, 30.0));
    let figures = heat_map::figures(&report);
    assert_eq!(figures.len(), 2);
    let most = |i: usize| {
        let Chart::HeatMap(map) = &figures[i].chart else { panic!("a heat map") };
        map.cells.iter().filter_map(|c| c.p).map(|p| p.estimate).fold(0.0, f64::max)
    };
    assert!(most(0) < 1e-12 && (most(1) - 0.98).abs() < 1e-12);
    assert!(figures[1].subtitle.starts_with("scratch tmpfs · "), "{}", figures[1].subtitle);
}

#[test]
fn crowded_charts_keep_the_worst_points_and_say_what_they_leave_out() {
    let report = common::crowded();
    let figure = causes::figure(&report).expect("points");
    let Chart::Causes(chart) = &figure.chart else { panic!("causes") };
    assert_eq!(chart.bars.len(), 40);
    assert!(figure.subtitle.ends_with("128 of 168 points with fewer not drawn"), "{}", figure.subtitle);
    let most_survivors = chart.bars.iter().map(|b| b.survived).max();
    let better = report.points.iter().filter(|p| Some(p.result.replications - p.result.first_cause.iter().sum::<u64>()) < most_survivors).count();
    assert!(better <= 40, "{better} points are worse than the best that is drawn");
    // Every cell of the map still has its interval.
    let map = svg::render(&heat_map::figures(&report)[0]);
    assert!(map.matches("–").count() >= 160, "intervals are printed");
}

//! The recorded heap curves: how much of its heap a JVM has touched against what it has allocated.
//!
//! Under G1 with `-Xms = -Xmx` the curve is a stair with one step: small edens, each used again and again, until the collector knows its pauses;
//! then eden takes its largest size at once, and every byte that is allocated is a byte that was never touched before, up to `young_share · heap`
//! and what is live. `live` is the load's own live set where it is known, else the old generation in use. Recorded by `tests/recorders/heap_touch`,
//! explained in `docs/model/heap-touch.md`, whose numbers are derived here.

use std::collections::BTreeMap;

/// One reading of a JVM, MiB.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Allocated since the start, by all threads.
    pub allocated: f64,
    /// Resident in the heap's address range.
    pub touched: f64,
    /// Anonymous memory of the process, heap included.
    pub anon: f64,
    /// In use in the old generation, garbage included.
    pub old: f64,
    /// The load's live set is complete; always false for a Spark executor.
    pub built: bool,
}

/// One JVM from start to end.
#[derive(Clone, Debug)]
pub struct Run {
    /// `load`, or `spark-` and the workload.
    pub source: String,
    /// `g1-fixed` (`-Xms = -Xmx`), `g1-grow` or `serial-grow` (`-Xmx` only).
    pub collector: String,
    /// `-Xmx`, MiB.
    pub heap: f64,
    /// Share of the heap that the load keeps alive; `None` for Spark.
    pub live_share: Option<f64>,
    /// Share of the load's allocation that replaces part of its live set; `None` for Spark.
    pub churn: Option<f64>,
    /// MiB of rows that a Spark workload reads; empty for a load.
    pub input: String,
    /// Task slots of the executor, or the load's one thread.
    pub cores: String,
    /// In order of time.
    pub samples: Vec<Sample>,
}

impl Run {
    /// The live set, MiB: the load's own, or the median use of the old generation over the second half of the samples.
    pub fn live(&self) -> f64 {
        self.live_share.map_or_else(|| median(self.samples[self.samples.len() / 2..].iter().map(|s| s.old).collect()), |share| share * self.heap)
    }

    /// The most that was touched, as a share of the heap.
    pub fn touched_share(&self) -> f64 {
        self.most_touched() / self.heap
    }

    /// What was touched beyond the live set, as a share of the heap.
    pub fn young_share(&self) -> f64 {
        (self.most_touched() - self.live()) / self.heap
    }

    /// Anonymous memory outside the heap at the end, MiB.
    pub fn non_heap(&self) -> f64 {
        self.samples.last().map_or(0.0, |last| last.anon - last.touched)
    }

    /// Heaps that were allocated in small edens, and new bytes for each allocated byte after them. `NaN` where the heap never walked on, or grows.
    pub fn stair(&self) -> (f64, f64) {
        if self.collector != "g1-fixed" {
            return (f64::NAN, f64::NAN);
        }
        let small = SMALL_EDEN * self.heap + self.live_share.map_or(EXECUTOR_LIVE, |share| share * self.heap);
        let built = self.samples.iter().filter(|sample| sample.built || self.live_share.is_none());
        let walk: Vec<&Sample> = built.skip_while(|s| s.touched < small + 0.1 * self.heap).collect();
        let Some(first) = walk.first() else { return (f64::NAN, f64::NAN) };
        let until = (first.allocated - (first.touched - small)) / self.heap;
        let last = walk.iter().rev().find(|s| s.touched < 0.9 * self.most_touched()).unwrap_or(first);
        (until, (last.touched - first.touched) / (last.allocated - first.allocated))
    }

    fn most_touched(&self) -> f64 {
        self.samples.iter().map(|sample| sample.touched).fold(0.0, f64::max)
    }
}

/// Least eden of G1 as a share of the heap (`G1NewSizePercent`), and what an executor keeps alive beside its tasks, MiB.
const SMALL_EDEN: f64 = 0.05;
const EXECUTOR_LIVE: f64 = 30.0;

/// The middle value; NaN of none.
pub fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which a share of the values lies, by nearest rank; NaN of none.
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}

/// Reads the recorded file. An error names the line.
pub fn read(csv: &str) -> Result<Vec<Run>, String> {
    let mut lines = csv.lines().enumerate();
    let header: BTreeMap<&str, usize> = lines.next().map(|(_, line)| line.split(',').enumerate().map(|(i, name)| (name, i)).collect()).unwrap_or_default();
    let mut runs: Vec<(String, Run)> = Vec::new();
    for (index, line) in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let text = |name: &str| header.get(name).and_then(|&i| fields.get(i)).copied().ok_or_else(|| format!("line {}: no {name}", index + 1));
        let number = |name: &str| text(name)?.parse::<f64>().map_err(|e| format!("line {}: {name}: {e}", index + 1));
        let sample = Sample {
            allocated: number("allocated_mib")?,
            touched: number("touched_mib")?,
            anon: number("anon_mib")?,
            old: number("old_mib")?,
            built: text("built")? == "1",
        };
        // All columns before the first measured one say which run it is.
        let key = fields[..header.get("t_ms").copied().unwrap_or(0).min(fields.len())].join(",");
        if runs.last().is_none_or(|(last, _)| *last != key) {
            let optional = |name: &str| text(name).ok().and_then(|value| value.parse().ok());
            let (source, collector) = (text("source")?.to_owned(), text("collector")?.to_owned());
            let [input, cores] = ["input_mib", "cores"].map(|name| text(name).unwrap_or_default().to_owned());
            let (live_share, churn) = (optional("live_share"), optional("churn"));
            let run = Run { source, collector, heap: number("heap_mib")?, live_share, churn, input, cores, samples: Vec::new() };
            runs.push((key, run));
        }
        if let Some((_, run)) = runs.last_mut() {
            run.samples.push(sample);
        }
    }
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// The tables of `docs/model/heap-touch.md`, by their captions.
pub fn tables(runs: &[Run]) -> Vec<(&'static str, String)> {
    let loads: Vec<&Run> = runs.iter().filter(|run| run.live_share.is_some()).collect();
    let fixed: Vec<&Run> = loads.iter().copied().filter(|run| run.collector == "g1-fixed").collect();
    let by_load = |run: &Run| format!("{} | {:.2} | {:.2}", run.collector, run.live_share.unwrap_or(0.0), run.churn.unwrap_or(0.0));
    vec![
        ("loads", grouped("collector | live / heap | churn", &loads, by_load)),
        ("heaps", grouped("heap (MiB)", &fixed, |run| format!("{:>4}", run.heap))),
        ("spark", executors(runs)),
    ]
}

/// One row a group: how many runs, and median (least to most) of what was touched, of the young share and of what was allocated in small edens.
fn grouped(head: &str, runs: &[&Run], key: impl Fn(&Run) -> String) -> String {
    let mut groups: BTreeMap<String, Vec<&Run>> = BTreeMap::new();
    for &run in runs {
        groups.entry(key(run)).or_default().push(run);
    }
    let row = |(name, group): (String, Vec<&Run>)| {
        let spread = |value: fn(&Run) -> f64| spread(group.iter().map(|run| value(run)).collect());
        let (touched, young, small) = (spread(Run::touched_share), spread(Run::young_share), spread(|run| run.stair().0));
        format!("{} | {} | {touched} | {young} | {small}", name.trim(), group.len())
    };
    table(&format!("{head} | runs | touched / heap | young share | small edens"), groups.into_iter().map(row))
}

/// One row an executor.
fn executors(runs: &[Run]) -> String {
    let row = |run: &Run| {
        let (workload, slots) = (run.source.trim_start_matches("spark-"), &run.cores);
        let (live, touched, young, rest) = (run.live(), run.touched_share(), run.young_share(), run.non_heap());
        let small = spread(vec![run.stair().0]);
        let which = format!("{} | {} | {workload} | {slots} | {}", run.collector, run.heap, run.input);
        format!("{which} | {live:.0} | {touched:.2} | {young:.2} | {small} | {rest:.0}")
    };
    let head = "collector | heap (MiB) | workload | slots | input (MiB) | live (MiB) | touched / heap | young share | small edens | non-heap (MiB)";
    table(head, runs.iter().filter(|run| run.live_share.is_none()).map(row))
}

/// A Markdown table of rows whose cells are parted by ` | `.
fn table(head: &str, rows: impl Iterator<Item = String>) -> String {
    let rule = vec!["---"; head.split(" | ").count()].join(" | ");
    let lines: Vec<String> = [head.to_owned(), rule].into_iter().chain(rows).map(|row| format!("| {row} |")).collect();
    lines.join("\n") + "\n"
}

/// `median (least–most)`, two decimals; the value alone if there is one, a dash if there is none.
fn spread(mut values: Vec<f64>) -> String {
    values.retain(|value| !value.is_nan());
    if values.is_empty() {
        return "–".to_owned();
    }
    let (least, most) = (quantile(values.clone(), 0.0), quantile(values.clone(), 1.0));
    let middle = median(values);
    if most - least < 0.005 { format!("{middle:.2}") } else { format!("{middle:.2} ({least:.2}–{most:.2})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> Vec<Run> {
        read(&std::fs::read_to_string(crate::data("heap_touch.csv")).expect("the recorded file")).expect("well formed")
    }

    fn of<'a>(runs: &'a [Run], collector: &'a str) -> impl Iterator<Item = &'a Run> {
        runs.iter().filter(move |run| run.collector == collector)
    }

    #[test]
    fn the_page_holds_the_tables_that_the_data_gives() {
        let page = std::fs::read_to_string(crate::root().join("docs/model/heap-touch.md")).expect("the page");
        for (caption, table) in tables(&recorded()) {
            assert!(page.contains(&table), "the table `{caption}` of docs/model/heap-touch.md should be\n\n{table}");
        }
    }

    #[test]
    fn the_stair_is_found_in_one_made_by_collections() {
        // Independent of the formula: a heap of 1000 MiB, seven edens of 50 and then one of 600, a byte touched when it is first used.
        let (mut touched, mut samples, mut allocated) = (30.0_f64, Vec::new(), 0.0);
        for eden in [50, 50, 50, 50, 50, 50, 50, 600, 600] {
            for used in 0..eden {
                allocated += 1.0;
                touched = touched.max(30.0 + f64::from(used + 1));
                if allocated % 20.0 == 0.0 {
                    samples.push(Sample { allocated, touched, anon: touched, old: 30.0, built: false });
                }
            }
        }
        let text = |text: &str| text.to_owned();
        let run =
            Run { source: text("spark"), collector: text("g1-fixed"), heap: 1000.0, live_share: None, churn: None, input: text(""), cores: text("1"), samples };
        let (small, slope) = run.stair();
        assert!((small - 0.40).abs() < 0.001 && (slope - 1.0).abs() < 1e-9, "{small} {slope}: seven edens, and the room that the large one begins with");
    }

    #[test]
    fn after_the_small_edens_every_byte_is_a_new_one() {
        let runs = recorded();
        let steady: Vec<&Run> = of(&runs, "g1-fixed").filter(|run| run.churn == Some(0.0) && run.live_share.is_some_and(|share| share < 0.3)).collect();
        assert!(steady.len() >= 6, "too few loads to say anything");
        for run in steady {
            let (small, slope) = run.stair();
            assert!((0.85..=1.15).contains(&slope) && (0.25..=0.6).contains(&small), "heap {}: {small:.2}, then {slope:.2}", run.heap);
        }
    }

    #[test]
    fn g1_touches_its_60_per_cent_young_generation_and_the_live_set() {
        // G1MaxNewSizePercent is 60: without promotion and far from a full heap, that and the live set is what is touched.
        for run in of(&recorded(), "g1-fixed").filter(|run| run.churn == Some(0.0) && run.live_share.is_some_and(|share| share < 0.3)) {
            assert!((0.58..=0.63).contains(&run.young_share()), "heap {}: {:.3}", run.heap, run.young_share());
        }
    }

    #[test]
    fn a_heap_of_fixed_size_gives_nothing_back() {
        for run in of(&recorded(), "g1-fixed") {
            let most = run.samples.iter().map(|s| s.touched).fold(0.0, f64::max);
            let last = run.samples.last().map_or(0.0, |s| s.touched);
            assert!(last > most - 0.02 * run.heap, "{} at {}: {last} of {most}", run.source, run.heap);
        }
    }

    #[test]
    fn serial_without_xms_stays_small_where_g1_fills() {
        let runs = recorded();
        for run in of(&runs, "serial-grow").filter(|run| run.live_share == Some(0.05)) {
            let g1 = of(&runs, "g1-fixed").filter(|g1| g1.heap.total_cmp(&run.heap).is_eq() && g1.live_share == run.live_share && g1.churn == run.churn);
            assert!(g1.count() > 0 && run.touched_share() < 0.2, "heap {}: {:.2}", run.heap, run.touched_share());
        }
    }

    #[test]
    fn the_recommended_values_cover_the_recorded_executors() {
        let runs = recorded();
        let executors: Vec<&Run> = of(&runs, "g1-fixed").filter(|run| run.live_share.is_none()).collect();
        assert!(executors.len() >= 6, "too few executors to say anything");
        let small = median(executors.iter().map(|run| run.stair().0).collect());
        let model = sim_core::spark::jvm::SMALL_EDENS;
        assert!((small - model).abs() < 0.03, "median {small:.2}, the model has {model}");
        for run in executors {
            assert!((0.55..=0.85).contains(&run.young_share()), "{} at {}: young share {:.2}", run.source, run.heap, run.young_share());
            // Within two of the standard deviations that the page gives.
            let non_heap = 150.0 + 0.03 * run.heap;
            assert!((run.non_heap() / non_heap - 1.0).abs() < 0.16, "{} at {}: non-heap {:.0}, formula {non_heap:.0}", run.source, run.heap, run.non_heap());
        }
    }

    #[test]
    fn a_broken_line_is_named() {
        let head = "source,collector,heap_mib,t_ms,allocated_mib,touched_mib,anon_mib,old_mib,built";
        assert_eq!(read(&format!("{head}\nload,g1-fixed,512,1,2,x,3,4,1\n")).err().as_deref(), Some("line 2: touched_mib: invalid float literal"));
        assert!(read(&format!("{head}\nload,g1-fixed\n")).is_err());
        assert!(read("").is_ok_and(|runs| runs.is_empty()));
    }
}

//! The recorded heap curves (how much of its heap a JVM has touched against what it has allocated) and the fit of the model's curve to them.
//!
//! The curve is `d touched / d allocated = k · (ceiling − touched) / ceiling`, with `ceiling = min(heap, young_share · heap + live)`: eden takes
//! fresh regions as long as the collector has not yet given it its full size, the more rarely the fuller it is. `live` is the load's own live set
//! where it is known, else the old generation in use. Recorded by `tests/recorders/heap_touch`, explained in `docs/model/heap-touch.md`, whose
//! numbers are derived here.

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

    /// The fitted `k` and the root mean square error as a share of the heap, with the ceiling where the run ended.
    pub fn fit(&self) -> (f64, f64) {
        let begin = self.samples.iter().position(|sample| sample.built).unwrap_or(0);
        let samples = &self.samples[begin..];
        let candidates = (0..500).map(|step| 0.05 * 1.012_f64.powi(step));
        let scored = candidates.map(|k| (k, rms(samples, self.most_touched(), k) / self.heap));
        scored.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((f64::NAN, f64::NAN))
    }

    fn most_touched(&self) -> f64 {
        self.samples.iter().map(|sample| sample.touched).fold(0.0, f64::max)
    }
}

/// Root mean square error of the closed form `touched = ceiling − (ceiling − first) · exp(−k · allocated / ceiling)`.
fn rms(samples: &[Sample], ceiling: f64, k: f64) -> f64 {
    let Some(first) = samples.first() else { return f64::NAN };
    let square = |s: &Sample| (ceiling - (ceiling - first.touched) * (-k * (s.allocated - first.allocated) / ceiling).exp() - s.touched).powi(2);
    (samples.iter().map(square).sum::<f64>() / samples.len() as f64).sqrt()
}

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
            let run = Run { source, collector, heap: number("heap_mib")?, live_share: optional("live_share"), churn: optional("churn"), samples: Vec::new() };
            runs.push((key, run));
        }
        if let Some((_, run)) = runs.last_mut() {
            run.samples.push(sample);
        }
    }
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

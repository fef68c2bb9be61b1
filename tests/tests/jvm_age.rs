//! What an executor's JVM holds as it grows older, against real executors.
//!
//! `data/jvm_age.csv` has the resident heap and the rest of the anonymous memory of 40 executors by the CPU time of their processes, under
//! Serial and under G1 at full size. A JVM that starts uses 5.6 to 6.9 core-seconds until it registers; its first task 4.5 more. The same
//! executors are simulated from a recorded trial, with the committed fit, and looked at when the first stage starts and when it ends.

use std::collections::BTreeMap;

use scenarios::trials::TrialModel;
use sim_core::observe::Observer;
use sim_core::plan::SimPlan;
use sim_core::record::MemoryClass;
use sim_core::sim::{RunKey, Simulator};
use sim_core::units::{Bytes, SimTime};
use tests::card::Book;
use tests::data;

/// Heap and non-heap memory of an executor, MiB.
type Held = [f64; 2];

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Medians of real executors with one collector and 512 MiB of heap, by CPU seconds.
fn real(collector: &str) -> BTreeMap<String, Held> {
    let text = std::fs::read_to_string(data("jvm_age.csv")).expect("the recordings are committed");
    let mut by_age: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with(&format!("{collector},512,"))) {
        let columns: Vec<&str> = line.split(',').collect();
        let [_, _, _, _, _, cpu, heap, rest] = columns[..] else { panic!("{line}") };
        let [heaps, rests] = by_age.entry(cpu.to_owned()).or_default();
        heaps.push(heap.parse().expect("MiB"));
        rests.push(rest.parse().expect("MiB"));
    }
    by_age.into_iter().map(|(age, held)| (age, held.map(median))).collect()
}

/// Memory of the first node when the first stage starts and when it ends.
#[derive(Default)]
struct Moments {
    now: Held,
    seen: Vec<Held>,
}

impl Observer for Moments {
    fn wants_memory(&self) -> bool {
        true
    }
    fn memory(&mut self, _at: SimTime, node: u32, classes: &[Bytes; MemoryClass::ALL.len()]) {
        if node == 0 {
            self.now = [MemoryClass::Heap, MemoryClass::NonHeap].map(|class| classes[class as usize].as_f64() / f64::from(1 << 20));
        }
    }
    fn stage_started(&mut self, _at: SimTime, stage: u32, attempt: u32) {
        if (stage, attempt) == (0, 0) {
            self.seen.push(self.now);
        }
    }
    fn stage_ended(&mut self, _at: SimTime, stage: u32, attempt: u32, _ok: bool) {
        if (stage, attempt) == (0, 0) {
            self.seen.push(self.now);
        }
    }
}

/// An executor of a trial at both moments: medians of the mean of all on its node, over replications.
fn simulated(trial: &str, executors: f64) -> [Held; 2] {
    let book = Book::committed().expect("the trials are committed");
    let trials = book.trials(&TrialModel::fitted(), |known| known.name == trial);
    let plan = SimPlan::compile(&trials[0].spec).expect("the trial compiles");
    let runs: Vec<Vec<Held>> = (0..21)
        .map(|replication| {
            let mut moments = Moments::default();
            Simulator::new(&plan).run_observed(RunKey { seed: 1, replication }, &mut moments);
            moments.seen
        })
        .collect();
    [0, 1].map(|moment| [0, 1].map(|class| median(runs.iter().map(|seen| seen[moment][class] / executors).collect())))
}

fn agree(what: &str, ours: Held, real: Held) {
    for (class, (ours, real)) in ["heap", "non-heap"].into_iter().zip(ours.into_iter().zip(real)) {
        assert!((ours / real - 1.0).abs() < 0.15, "{what}, {class}: {ours:.0} MiB against {real:.0}");
    }
}

#[test]
fn executors_under_serial_are_as_large_as_real_ones() {
    let real = real("serial");
    let [idle, warm] = simulated("1", 4.0);
    agree("registered", idle, real["5.5"]);
    agree("after the first stage", warm, real["12"]);
    assert!(real["5.5"].iter().sum::<f64>() * 1.4 < real["12"].iter().sum(), "they grow by more than a third");
}

#[test]
fn executors_under_g1_are_as_large_as_real_ones() {
    let real = real("g1_full");
    let [idle, warm] = simulated("47", 4.0);
    agree("registered", idle, real["7"]);
    agree("after the first stage", warm, real["14"]);
}

//! Fits what the model takes for recorded trials, and scores it by leaving workloads out.
//!
//! `fit explain N…` shows how replications of single trials end. See docs/model/validation.md.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use scenarios::trials::{Trial, TrialModel, TrialRequest, read};
use sim_core::plan::SimPlan;
use sim_core::study::score::Forecast;
use sim_core::study::{Study, run_study};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (trials, logs) = (PathBuf::from(&arguments[1]), PathBuf::from(&arguments[2]));
    let model = match arguments.iter().position(|a| a == "--model") {
        Some(at) => TrialModel::parse(&arguments[at + 1], &std::fs::read_to_string(&arguments[at + 1]).unwrap_or_default()).unwrap_or_else(|_| panic!("model")),
        None => TrialModel::fitted(),
    };
    let trials = load(&trials, &logs, &model);
    for number in arguments[3..].iter().filter_map(|text| text.parse::<usize>().ok()) {
        explain(&trials[number - 1]);
    }
}

fn load(trials: &Path, logs: &Path, model: &TrialModel) -> Vec<Trial> {
    match read(&TrialRequest { path: trials, logs: Some(logs), model }) {
        Ok((trials, _)) => trials,
        Err(problems) => {
            eprintln!("{problems:?}");
            Vec::new()
        }
    }
}

fn explain(trial: &Trial) {
    let Ok(plan) = SimPlan::compile(&trial.spec) else { return };
    let study = Study { seed: 1, replications: 12, precision: None, confidence: 0.95 };
    let outcomes = run_study(&plan, &study, &AtomicBool::new(false), &()).outcomes;
    let forecast = Forecast::fold(&plan, &outcomes, &trial.clock, 0.95);
    println!("{} {}: {:?}", trial.name, trial.setup, trial.observed);
    println!("  median lost {} duration {:.0}", forecast.executors_lost.p50, forecast.duration_s.p50);
    for outcome in outcomes.iter().take(3) {
        println!("  {:?} {:.0} s, peak {}", outcome.ending, outcome.duration.as_secs_f64(), outcome.node_peak);
        for i in &outcome.incidents {
            let held: Vec<String> = i.holders.iter().map(|h| format!("{:?}:{}={}", h.party, h.class.key(), h.bytes)).collect();
            println!("    {:6.1} {:?} {:?} n{} stage {:?} {}", i.at.as_ns() as f64 / 1e9, i.victim, i.level, i.node, i.stage, held.join(" "));
        }
        for (index, s) in outcome.stages.iter().enumerate() {
            println!(
                "    stage {index}: attempts {} ok {} failed {} again {} {:.1}..{:.1} write {} read {} deaths {}",
                s.attempts,
                s.tasks_ok,
                s.tasks_failed,
                s.tasks_resubmitted,
                s.started.as_ns() as f64 / 1e9,
                s.ended.as_ns() as f64 / 1e9,
                s.shuffle_write,
                s.shuffle_read,
                s.deaths
            );
        }
    }
}

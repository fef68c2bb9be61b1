//! The fit of what the model takes for recorded trials, and forecasts of trials for it.
//!
//! Coordinate descent: one parameter at a time goes up and down while that helps, twice over all, the second time with half the step. The loss adds what the scores
//! measure (squared distance of P(OOM) and P(failure) from what happened, errors of node peak, deaths and duration), with weights that make a usual
//! error of each cost about the same. Every forecast has the same seed, so two parameters are compared under the same luck. Parameters are of the
//! recorder's world and of mechanisms, never of a trial. See docs/model/validation.md.

use std::sync::atomic::AtomicBool;

use reports::validation::ScoredTrial;
use scenarios::trials::{Trial, TrialModel};
use sim_core::plan::SimPlan;
use sim_core::study::score::{self, Forecast};
use sim_core::study::{Study, run_study};

/// Confidence of all intervals.
pub const CONFIDENCE: f64 = 0.95;

/// Forecasts trials and puts what was seen beside.
pub fn forecast(trials: &[Trial], replications: u64) -> Vec<ScoredTrial> {
    let study = Study { seed: 1, replications, precision: None, confidence: CONFIDENCE };
    let mut groups: Vec<&str> = Vec::new();
    let mut scored = Vec::new();
    for trial in trials {
        let Ok(plan) = SimPlan::compile(&trial.spec) else { continue };
        let outcomes = run_study(&plan, &study, &AtomicBool::new(false), &()).outcomes;
        let group = groups.iter().position(|known| *known == trial.group).unwrap_or_else(|| {
            groups.push(&trial.group);
            groups.len() - 1
        });
        let forecast = Forecast::fold(&plan, &outcomes, &trial.clock, CONFIDENCE);
        scored.push(ScoredTrial {
            name: trial.name.clone(),
            workload: trial.workload.clone(),
            group: trial.group.clone(),
            setup: trial.setup.clone(),
            calibration: trial.calibration,
            trial: score::Trial { group, forecast, observed: trial.observed, spreadsheet: trial.spreadsheet },
        });
    }
    scored
}

/// How bad forecasts are; replays do not count.
pub fn loss(scored: &[ScoredTrial]) -> f64 {
    let trials: Vec<&score::Trial> = scored.iter().filter(|scored| !scored.calibration).map(|scored| &scored.trial).collect();
    trials.iter().map(|trial| trial_loss(trial)).sum::<f64>() / trials.len().max(1) as f64
}

fn trial_loss(trial: &score::Trial) -> f64 {
    let squared = |p: f64, happened: Option<bool>| happened.map_or(0.0, |happened| (p - f64::from(u8::from(happened))).powi(2));
    let oom = squared(trial.forecast.p_oom.estimate, trial.observed.oom);
    let job = squared(trial.forecast.p_job_failure.estimate, trial.observed.job_failed);
    let peak = trial.node_peak_error().map_or(0.0, |error| error.abs().min(0.5));
    let lost = trial.executors_lost_error().map_or(0.0, |error| error.abs().min(5.0));
    let time = trial.duration_error().map_or(0.0, |error| error.abs().min(2.0));
    4.0 * oom + 2.0 * job + 5.0 * peak + 0.1 * lost + 0.3 * time
}

/// A parameter: its place in the model, the values to try relative to its own, and what is known of it without the trials.
struct Parameter {
    at: fn(&mut TrialModel) -> &mut f64,
    steps: &'static [f64],
    /// Median and the standard deviation of its logarithm.
    prior: (f64, f64),
}

/// What a parameter costs that lies a standard deviation from what is known of it, in the loss of one trial. Without it a workload that is left out
/// pays for what the others fitted by chance.
const PRIOR_WEIGHT: f64 = 0.5;

const SERIAL: &str = "serial";
const G1_FULL: &str = "g1_full";

fn memory<'m>(model: &'m mut TrialModel, way: &str, key: &str) -> &'m mut [f64; 2] {
    model.memory.entry(way.to_owned()).or_default().entry(key.to_owned()).or_insert([1.0, 0.1])
}

const PARAMETERS: [Parameter; 6] = [
    // 13 executors under Serial and four under G1, by kind of mapping: 118 MiB of the model's 145, and 134 of 164 (docs/model/heap-touch.md).
    Parameter { at: |model| &mut memory(model, SERIAL, "non_heap")[0], steps: &[0.97, 1.03], prior: (0.81, 0.03) },
    Parameter { at: |model| &mut memory(model, G1_FULL, "non_heap")[0], steps: &[0.97, 1.03], prior: (0.82, 0.03) },
    // Counted by collections, of which one is a third of what a small log shows.
    Parameter { at: |model| &mut model.allocation, steps: &[0.8, 1.25], prior: (1.0, 0.3) },
    // 5.6 core-seconds of the process under Serial and 6.7 under G1, of which a thread of a task would have had two thirds (docs/model/heap-touch.md).
    Parameter { at: |model| &mut model.start_s[0], steps: &[0.87, 1.15], prior: (4.0, 0.15) },
    // Calibrations and targets were recorded in turn on one machine. A run's speed differs from another's by 0.3; there are 16 calibrations.
    Parameter { at: |model| &mut model.cpu_speed[0], steps: &[0.87, 1.15], prior: (1.0, 0.08) },
    Parameter { at: |model| &mut model.before_s, steps: &[0.7, 1.4], prior: (4.0, 0.5) },
];

/// Rounds over all parameters, each with half the step of the one before.
const ROUNDS: i32 = 2;

/// What the parameters of a model cost for lying far from what is known of them, in the mean loss of so many trials.
fn prior_loss(model: &TrialModel, trials: usize) -> f64 {
    let mut model = model.clone();
    let far = |parameter: &Parameter| {
        let (median, sd) = parameter.prior;
        ((*(parameter.at)(&mut model) / median).ln() / sd).powi(2)
    };
    PRIOR_WEIGHT * PARAMETERS.iter().map(far).sum::<f64>() / trials.max(1) as f64
}

/// Loss of a model on trials, with what its parameters cost.
fn whole_loss(trials: &[Trial], model: &TrialModel, replications: u64) -> f64 {
    loss(&forecast(trials, replications)) + prior_loss(model, trials.len())
}

/// Fits on the trials that `trials` gives for a model, from a first guess.
pub fn fit(trials: &dyn Fn(&TrialModel) -> Vec<Trial>, guess: &TrialModel, replications: u64, told: &mut dyn FnMut(&str)) -> TrialModel {
    let mut best = guess.clone();
    let mut least = whole_loss(&trials(&best), &best, replications);
    for round in 0..ROUNDS {
        for (number, parameter) in PARAMETERS.iter().enumerate() {
            for step in parameter.steps.iter().map(|step| step.powf(0.5_f64.powi(round))) {
                // On in a direction that helps, until it does not.
                loop {
                    let mut other = best.clone();
                    let at = (parameter.at)(&mut other);
                    *at = round_off(*at * step);
                    let loss = whole_loss(&trials(&other), &other, replications);
                    if loss >= least {
                        break;
                    }
                    (best, least) = (other, loss);
                }
            }
            told(&format!("round {round}, parameter {number}: loss {least:.4}, value {}", (parameter.at)(&mut best)));
        }
    }
    best
}

/// Four significant digits: a fit is not finer than that.
fn round_off(value: f64) -> f64 {
    if value <= 0.0 {
        return value;
    }
    let scale = 10f64.powf(3.0 - value.log10().floor());
    (value * scale).round() / scale
}

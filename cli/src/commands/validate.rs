//! `validate`: forecasts of trials that were run, against what happened.
//!
//! Each trial is forecast from its calibration log and its configuration alone; what was seen meets the forecast only when it is scored.

use std::sync::atomic::Ordering;

use anyhow::Context;
use rayon::ThreadPoolBuilder;
use reports::validation::{self, ScoredTrial, Validation};
use scenarios::diag::Diagnostic;
use scenarios::trials::{self, Trial, TrialModel, TrialRequest};
use sim_core::plan::SimPlan;
use sim_core::study::score::{self, Forecast};
use sim_core::study::{Study, run_study};

use crate::args::{InfoFormat, ValidateArgs};
use crate::exit::{Exit, Failure};
use crate::interrupt;
use crate::out_dir::OutDir;
use crate::printer::Printer;
use crate::progress::Bar;
use crate::report;

/// Forecasts and scores.
pub(super) fn validate(args: &ValidateArgs, printer: &Printer) -> Result<Exit, Failure> {
    let model = model(args)?;
    let request = TrialRequest { path: &args.trials, logs: args.logs.as_deref(), model: &model };
    let (trials, problems) = trials::read(&request).map_err(Failure::Diagnosed)?;
    printer.diagnostics(&problems);
    let dir = args.out.as_deref().map(|out| OutDir::open(out, args.force)).transpose()?;
    let scored = forecast_all(args, &trials, printer)?;
    let interrupted = scored.len() < trials.len();
    if interrupted {
        printer.note(&format!("interrupted after {} of {} trials; the scores are of those", scored.len(), trials.len()));
        if scored.is_empty() {
            return Ok(Exit::Interrupted);
        }
    }
    let source = args.trials.file_name().map_or_else(|| args.trials.display().to_string(), |name| name.to_string_lossy().into_owned());
    let validation = Validation {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source,
        seed: args.seed,
        replications: args.replications,
        confidence: args.confidence.0,
        command: command(args),
        trials: scored,
        interrupted,
    };
    let object = report::pretty(&validation::result_object(&validation));
    let written = dir.as_ref().map_or(Ok(()), |dir| write(dir, &validation, &object, printer));
    match args.format.format {
        InfoFormat::Table => printer.result(&validation::table(&validation))?,
        InfoFormat::Json => printer.result(&object)?,
    }
    written?;
    Ok(if interrupted { Exit::Interrupted } else { Exit::Done })
}

/// The committed fit, or the one that the user names.
fn model(args: &ValidateArgs) -> Result<TrialModel, Failure> {
    let Some(path) = &args.model else { return Ok(TrialModel::fitted()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    TrialModel::parse(&path.display().to_string(), &text).map_err(Failure::Diagnosed)
}

/// Every trial's forecast beside what was seen, or as many as were done when the user stopped it.
fn forecast_all(args: &ValidateArgs, trials: &[Trial], printer: &Printer) -> Result<Vec<ScoredTrial>, Failure> {
    let threads = args.jobs.map_or(0, usize::from);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    let study = Study { seed: args.seed, replications: args.replications, precision: None, confidence: args.confidence.0 };
    let bar = Bar::new(printer, study.replications * trials.len() as u64);
    let stop = interrupt::listen(printer);
    let mut groups: Vec<&str> = Vec::new();
    let mut scored = Vec::new();
    for (index, trial) in trials.iter().enumerate() {
        bar.point(index + 1, trials.len());
        let plan = SimPlan::compile(&trial.spec)
            .map_err(|error| Failure::from(Diagnostic::error("plan", format!("trial {} cannot be simulated: {error}", trial.name))))?;
        let outcomes = pool.install(|| run_study(&plan, &study, stop, &bar)).outcomes;
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let group = groups.iter().position(|known| *known == trial.group).unwrap_or_else(|| {
            groups.push(&trial.group);
            groups.len() - 1
        });
        let forecast = Forecast::fold(&plan, &outcomes, &trial.clock, study.confidence);
        scored.push(ScoredTrial {
            name: trial.name.clone(),
            workload: trial.workload.clone(),
            group: trial.group.clone(),
            setup: trial.setup.clone(),
            calibration: trial.calibration,
            trial: score::Trial { group, forecast, observed: trial.observed, spreadsheet: trial.spreadsheet },
        });
    }
    bar.clear();
    Ok(scored)
}

fn write(dir: &OutDir, validation: &Validation, object: &str, printer: &Printer) -> Result<(), Failure> {
    let files = validation::files(validation, object);
    for file in &files {
        dir.write(&file.name, &file.contents)?;
    }
    dir.finish(files.into_iter().map(|file| file.name).collect())?;
    printer.note(&format!("wrote `{}`", dir.root().display()));
    Ok(())
}

/// The command that gives the same again.
fn command(args: &ValidateArgs) -> String {
    let logs = args.logs.as_deref().map_or(String::new(), |logs| format!(" --logs {}", crate::quote::shell_word(&logs.display().to_string())));
    let trials = crate::quote::shell_word(&args.trials.display().to_string());
    format!("spillcast validate {trials}{logs} -n {} --seed {}", args.replications, args.seed)
}

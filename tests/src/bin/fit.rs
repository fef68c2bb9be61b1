//! Fits what the model takes for recorded trials, and scores it by leaving one workload out at a time.
//!
//! `fit` fits on all trials and on all but each workload, and writes `scenarios/src/trials/fitted.toml` and the folds in
//! `tests/tests/data/trials/folds`. `fit card` writes the report card from them: docs/model/report-card.md and its charts. See docs/model/validation.md.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::process::ExitCode;

use scenarios::trials::TrialModel;
use tests::card::{self, Book};
use tests::{fit, root};

/// Replications of a trial in a fit.
const REPLICATIONS: u64 = 48;

fn main() -> ExitCode {
    let book = match Book::committed() {
        Ok(book) => book,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    let done = if std::env::args().nth(1).as_deref() == Some("card") { card::write(&book) } else { fit_all(&book) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn fit_all(book: &Book) -> std::io::Result<()> {
    let guess = TrialModel::fitted();
    for workload in book.workloads() {
        let fold = fit::fit(&|model| book.trials(model, |trial| !trial.calibration && trial.workload != workload), &guess, REPLICATIONS, &mut |line| {
            println!("without {workload}: {line}");
        });
        std::fs::write(card::fold_path(&workload), fold.to_toml())?;
    }
    let all = fit::fit(&|model| book.trials(model, |trial| !trial.calibration), &guess, REPLICATIONS, &mut |line| println!("all: {line}"));
    std::fs::write(root().join("scenarios/src/trials/fitted.toml"), all.to_toml())
}

//! The report card: committed trials, forecast by fits that never saw their workload.
//!
//! The trials and the calibration logs lie in `tests/tests/data/trials`, a fit for each workload left out in `folds` there. The card is the page
//! `docs/model/report-card.md` between its markers, the charts beside it, and `score.json`, against which a test holds every later build.

use std::path::PathBuf;

use reports::validation::{ScoredTrial, Validation};
use scenarios::diag::Diagnostics;
use scenarios::trials::{Recorded, Trial, TrialModel};
use serde_json::Value;

use crate::{data, fit, root};

/// Replications of each trial of the card.
pub const REPLICATIONS: u64 = 200;
/// The page.
pub const PAGE: &str = "docs/model/report-card.md";

/// The committed trials.
pub struct Book(Recorded);

impl Book {
    /// Reads them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn committed() -> Result<Self, String> {
        Self::read("trials.jsonl")
    }

    /// Reads the trials that were recorded when the model and its fit stood.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn afterwards() -> Result<Self, String> {
        Self::read("own.jsonl")
    }

    fn read(file: &str) -> Result<Self, String> {
        let path = data("trials").join(file);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut problems = Diagnostics::default();
        Ok(Self(Recorded::load(&path, &text, None, &mut problems)))
    }

    /// The trials under a model, as far as they are wanted.
    pub fn trials(&self, model: &TrialModel, wanted: impl Fn(&Trial) -> bool) -> Vec<Trial> {
        let mut trials = self.0.trials(model, &mut Diagnostics::default());
        trials.retain(|trial| wanted(trial));
        trials
    }

    /// Kinds of workloads, in order of their names.
    pub fn workloads(&self) -> Vec<String> {
        let mut names: Vec<String> = self.trials(&TrialModel::fitted(), |_| true).into_iter().map(|trial| trial.workload).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Each trial forecast by the fit that never saw its workload, in the order of the file.
    ///
    /// # Errors
    /// When a fold's fit cannot be read.
    pub fn left_out(&self, replications: u64) -> Result<Validation, String> {
        let mut all: Vec<ScoredTrial> = Vec::new();
        for workload in self.workloads() {
            let path = fold_path(&workload);
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let model = TrialModel::parse(&path.display().to_string(), &text).map_err(|problems| format!("{problems:?}"))?;
            all.extend(fit::forecast(&self.trials(&model, |trial| trial.workload == workload), replications));
        }
        all.sort_by_key(|trial| trial.name.parse::<usize>().unwrap_or(0));
        number_groups(&mut all);
        Ok(validation("the committed trials, each workload left out of its fit", replications, all))
    }

    /// Each trial forecast by the committed fit.
    pub fn by_the_fit(&self, replications: u64) -> Validation {
        let trials = fit::forecast(&self.trials(&TrialModel::fitted(), |_| true), replications);
        validation("trials that were recorded afterwards, by the committed fit", replications, trials)
    }
}

fn validation(source: &str, replications: u64, trials: Vec<ScoredTrial>) -> Validation {
    Validation {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: source.to_owned(),
        seed: 1,
        replications,
        confidence: fit::CONFIDENCE,
        command: "cargo run --release -p tests --bin fit card".to_owned(),
        trials,
        interrupted: false,
    }
}

/// Trials of one log are a group, over all folds.
fn number_groups(trials: &mut [ScoredTrial]) {
    let mut names: Vec<String> = Vec::new();
    for trial in trials {
        let known = names.iter().position(|name| *name == trial.group);
        trial.trial.group = known.unwrap_or(names.len());
        if known.is_none() {
            names.push(trial.group.clone());
        }
    }
}

/// The fit without a workload.
pub fn fold_path(workload: &str) -> PathBuf {
    data("trials").join("folds").join(format!("without-{workload}.toml"))
}

/// The committed scores.
pub fn score_path() -> PathBuf {
    data("trials").join("score.json")
}

/// Writes page, charts and scores.
///
/// # Errors
/// When a file cannot be written.
pub fn write(book: &Book) -> std::io::Result<()> {
    let validation = book.left_out(REPLICATIONS).map_err(std::io::Error::other)?;
    std::fs::write(score_path(), format!("{:#}\n", score_object(&validation)))?;
    for named in reports::validation::figures(&validation) {
        std::fs::write(root().join(format!("docs/images/validation-{}.svg", named.name)), reports::svg::render(&named.figure))?;
        std::fs::write(root().join(format!("docs/images/validation-{}.csv", named.name)), named.figure.data_csv())?;
    }
    let path = root().join(PAGE);
    let page = std::fs::read_to_string(&path)?;
    let afterwards = Book::afterwards().map_err(std::io::Error::other)?.by_the_fit(REPLICATIONS);
    let part = format!("{}\n{AFTERWARDS}\n{}", reports::validation::card(&validation), reports::validation::scores(&afterwards));
    std::fs::write(&path, crate::card::between(&page, &part))
}

/// What the page says of trials that came later.
const AFTERWARDS: &str = "## Trials that came afterwards

Recorded by the same program with other seeds, looked at only when model and fit stood, and forecast by the fit on all others; since, only states of aggregates were changed, of which none of them has any. Builds ran beside
them, so their durations are worth little, and one of them is a storm of 24 deaths that went on to the time-out.
";

const BEGIN: &str = "<!-- begin: written by `fit card` -->\n";
const END: &str = "<!-- end -->\n";

/// The page with its generated part replaced.
pub fn between(page: &str, part: &str) -> String {
    match (page.find(BEGIN), page.find(END)) {
        (Some(begin), Some(end)) if begin < end => format!("{}{BEGIN}\n{part}\n{}", &page[..begin], &page[end..]),
        _ => format!("{page}\n{BEGIN}\n{part}\n{END}"),
    }
}

/// The scores that a later build is held against.
pub fn score_object(validation: &Validation) -> Value {
    let all = reports::validation::result_object(validation);
    let keys = ["schema_version", "replications", "trials", "intervals", "baselines", "replays"];
    keys.into_iter().map(|key| (key.to_owned(), all[key].clone())).collect::<serde_json::Map<_, _>>().into()
}

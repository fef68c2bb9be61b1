//! What the arguments of `run` and `sweep` mean once everything is known.
//!
//! Here the random seed is drawn, the number of threads is found, and gates are parsed, so that whatever follows
//! cannot fail on an argument any more.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use scenarios::Request;
use scenarios::diag::{Diagnostic, Diagnostics};
use sim_core::study::Study;

use crate::args::{Format, ScenarioArgs, Seed, SimulationArgs, StudyArgs};
use crate::exit::Failure;
use crate::gate::Gate;
use crate::quote;

/// Confidence unless asked otherwise, the default of `--confidence`.
const USUAL_CONFIDENCE: f64 = 0.95;

/// `run` or `sweep`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One point.
    Run,
    /// The whole grid.
    Sweep,
}

/// Everything that `run` and `sweep` need to know.
pub(crate) struct StudySettings {
    /// Which command it is.
    pub mode: Mode,
    /// What to load.
    pub request: Request,
    /// Master seed.
    pub seed: u64,
    /// Whether it was drawn now.
    pub seed_drawn: bool,
    /// Replications asked for; else the scenario's own number.
    pub replications: Option<u64>,
    /// Largest half-width of P(OOM)'s interval.
    pub precision: Option<f64>,
    /// Confidence of intervals.
    pub confidence: f64,
    /// Threads.
    pub jobs: NonZeroUsize,
    /// Whether the model checks its books after every event.
    pub paranoid: bool,
    /// What makes the exit status 1.
    pub gates: Vec<Gate>,
    /// Format on stdout.
    pub format: Format,
    /// Output directory.
    pub out: Option<OutSettings>,
}

/// `-o` and what goes with it.
#[derive(Debug)]
pub(crate) struct OutSettings {
    /// The directory.
    pub dir: PathBuf,
    /// Whether it may be a directory of others.
    pub force: bool,
    /// Whether to take the points that it holds.
    pub resume: bool,
}

impl StudySettings {
    /// Resolves arguments.
    pub(crate) fn resolve(args: StudyArgs, mode: Mode) -> Result<Self, Failure> {
        let SimulationArgs { replications, precision, confidence, seed, jobs, fail_if, paranoid } = args.simulation;
        if args.output.resume && args.output.out.is_none() {
            let problem = Diagnostic::error("resume", "`--resume` has no directory to go on from");
            return Err(problem.hint("name the directory of the interrupted sweep with `-o DIR`").into());
        }
        let (seed, seed_drawn) = master_seed(seed);
        Ok(Self {
            mode,
            request: request(args.scenario, args.changes),
            seed,
            seed_drawn,
            replications,
            precision: precision.map(|share| share.0),
            confidence: confidence.0,
            jobs: jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN),
            paranoid,
            gates: gates(&fail_if)?,
            format: args.output.format,
            out: args.output.out.map(|dir| OutSettings { dir, force: args.output.force, resume: args.output.resume }),
        })
    }

    /// The study of one point.
    pub(crate) fn study(&self, of_scenario: u64) -> Study {
        Study { seed: self.seed, replications: self.replications.unwrap_or(of_scenario), precision: self.precision, confidence: self.confidence }
    }

    /// The command that gives the same numbers again, for a shell. Threads, formats and paths of outputs do not
    /// change a number, so they are left out.
    pub(crate) fn command(&self, study: &Study) -> String {
        let mode = match self.mode {
            Mode::Run => "run",
            Mode::Sweep => "sweep",
        };
        let mut words = vec!["spillcast".to_owned(), mode.to_owned(), self.request.scenario.clone()];
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        self.request.profile.iter().for_each(|profile| option("--profile", path(profile)));
        self.request.pod_template.iter().for_each(|template| option("--pod-template", path(template)));
        let files = [
            ("--spark-application", &self.request.spark_application),
            ("--nodes", &self.request.nodes),
            ("--pods", &self.request.pods),
            ("--pod-usage", &self.request.pod_usage),
        ];
        files.into_iter().for_each(|(name, file)| file.iter().for_each(|file| option(name, path(file))));
        self.request.properties_file.iter().for_each(|properties| option("--properties-file", path(properties)));
        self.request.conf.iter().for_each(|conf| option("--conf", conf.clone()));
        self.request.set.iter().for_each(|set| option("--set", set.clone()));
        option("-n", study.replications.to_string());
        option("--seed", study.seed.to_string());
        study.precision.iter().for_each(|precision| option("--precision", precision.to_string()));
        if (study.confidence - USUAL_CONFIDENCE).abs() > f64::EPSILON {
            option("--confidence", study.confidence.to_string());
        }
        quote::command_line(&words)
    }
}

/// What `scenarios` is asked to load. Empty values come from empty lines of environment twins.
pub(crate) fn request(scenario: String, changes: ScenarioArgs) -> Request {
    let ScenarioArgs { mut conf, properties_file, pod_template, spark_application, nodes, pods, pod_usage, mut set, profile } = changes;
    conf.retain(|value| !value.trim().is_empty());
    set.retain(|value| !value.trim().is_empty());
    Request { scenario, conf, properties_file, pod_template, spark_application, nodes, pods, pod_usage, set, profile }
}

/// All gates, or all that is wrong with them.
fn gates(texts: &[String]) -> Result<Vec<Gate>, Failure> {
    let mut problems = Diagnostics::default();
    let mut gates = Vec::new();
    for text in texts {
        match Gate::parse(text) {
            Ok(gate) => gates.push(gate),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.has_errors() { Err(Failure::Diagnosed(problems)) } else { Ok(gates) }
}

/// The master seed, and whether it was drawn.
pub(crate) fn master_seed(seed: Seed) -> (u64, bool) {
    match seed {
        Seed::Fixed(seed) => (seed, false),
        Seed::Random => (draw_seed(), true),
    }
}

/// A seed from the operating system's randomness, by way of the standard library's hash keys. It has 53 bits, so that
/// it survives a JSON reader that knows only floats.
fn draw_seed() -> u64 {
    RandomState::new().hash_one("spillcast") >> 11
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn resolve(line: &[&str]) -> Result<StudySettings, Failure> {
        let Ok(Cli { command: Command::Sweep(args), .. }) = Cli::try_parse_from([&["spillcast", "sweep"], line].concat()) else { panic!("{line:?}") };
        StudySettings::resolve(args, Mode::Sweep)
    }

    #[test]
    fn the_command_names_all_that_changes_a_number() -> Result<(), Failure> {
        let settings = resolve(&[
            "my grid.toml",
            "--conf",
            "a=b c",
            "--set",
            "x=1",
            "--profile",
            "p.toml",
            "-j",
            "2",
            "--precision",
            "1%",
            "--confidence",
            "90%",
            "--format",
            "json",
        ])?;
        let command = settings.command(&settings.study(500));
        let expected = "spillcast sweep 'my grid.toml' --profile p.toml --conf 'a=b c' --set x=1 -n 500 --seed 1 --precision 0.01 --confidence 0.9";
        assert_eq!(command, expected);
        Ok(())
    }

    #[test]
    fn a_random_seed_is_drawn_each_time() -> Result<(), Failure> {
        let (a, b) = (resolve(&["x", "--seed", "random"])?, resolve(&["x", "--seed", "random"])?);
        assert!(a.seed_drawn && a.seed != b.seed && a.seed < 1 << 53);
        Ok(())
    }

    #[test]
    fn all_bad_gates_are_told_at_once() {
        let Err(Failure::Diagnosed(problems)) = resolve(&["x", "--fail-if", "p_omm > 1", "--fail-if", "p_oom >", "--fail-if", "p_oom > 1"]) else { panic!() };
        assert_eq!(problems.items().len(), 2);
    }

    #[test]
    fn resume_needs_a_directory() {
        assert!(resolve(&["x", "--resume"]).is_err());
        assert!(resolve(&["x", "--resume", "-o", "out"]).is_ok());
    }
}

//! What was typed, and nothing else: no file is opened and nothing is resolved here.
//!
//! Each option has its environment twin from [`crate::env_vars`]; a test walks the whole command and holds that.
//! The first paragraph of a doc comment is what `-h` shows, the rest is added by `--help`.

mod groups;
mod values;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use groups::{GlobalArgs, InfoFormatArgs, OutFileArgs, OutputArgs, PlacementArgs, ScenarioArgs, SimulationArgs};
pub(crate) use values::{ColorWhen, Format, InfoFormat, Seed};

use crate::printer;

const EXAMPLES: &str = "\
Examples:
  spillcast list                                   what is built in
  spillcast sweep aks-migration -o out             charts, table and page in out/
  spillcast run aks-migration --conf spark.kubernetes.local.dirs.tmpfs=false
  spillcast ingest eventlog.zst -o profile.toml    a job profile from an event log
  spillcast run cluster.toml --profile profile.toml --fail-if 'p_oom > 1%'
  spillcast explain spark.memory.fraction cluster.toml

Every option has a twin in the environment: SPILLCAST_ and its name, such as
SPILLCAST_SEED=7. NO_COLOR and CLICOLOR_FORCE are respected.

Exit status: 0 done; 1 a gate of --fail-if failed; 2 could not do it;
130 interrupted (what was done is written and marked). A simulated
out-of-memory death is a result, so it ends with 0.";

/// Forecast whether a Spark job will run out of memory on a cluster that it has not run on yet
///
/// spillcast replays a job many times in a discrete-event simulation of Spark, Kubernetes, the Linux memory
/// controller and the disks. It answers with a probability and its interval, the cause, and what would help.
#[derive(Debug, Parser)]
#[command(name = "spillcast", version, arg_required_else_help = true, after_long_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

impl Cli {
    /// Parses the arguments of this process; `--help` and `--version` come back as errors, as clap has them.
    pub(crate) fn parse_arguments() -> Result<Self, clap::Error> {
        let matches = Self::sized_command().try_get_matches().map_err(suggest_command)?;
        Self::from_arg_matches(&matches)
    }

    /// The command with its help wrapped to the terminal, 80 columns when piped.
    pub(crate) fn sized_command() -> clap::Command {
        Self::command().term_width(printer::width().min(100))
    }
}

/// Adds the nearest command where clap finds none: its measure of likeness gives up on short words with two letters
/// swapped (`rnu`).
fn suggest_command(mut error: clap::Error) -> clap::Error {
    let suggested = error.get(ContextKind::SuggestedSubcommand).is_some();
    if let (ErrorKind::InvalidSubcommand, false, Some(ContextValue::String(typed))) = (error.kind(), suggested, error.get(ContextKind::InvalidSubcommand)) {
        let root = Cli::command();
        let distance = |name: &str| strsim::damerau_levenshtein(name, typed);
        let nearest = root.get_subcommands().map(clap::Command::get_name).min_by_key(|name| distance(name));
        if let Some(name) = nearest.filter(|name| distance(name) <= 2) {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![name.to_owned()]));
        }
    }
    error
}

/// One variant a command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what happens to a job on a cluster: probabilities, causes, durations
    #[command(after_long_help = RUN_EXAMPLES)]
    Run(StudyArgs),
    /// Do the same over a grid of configurations: charts and a table
    #[command(after_long_help = SWEEP_EXAMPLES)]
    Sweep(StudyArgs),
    /// Turn a Spark event log into a job profile
    #[command(after_long_help = INGEST_EXAMPLES)]
    Ingest(IngestArgs),
    /// Hold forecasts against trials that were run: accuracy, Brier score, errors, reliability
    #[command(after_long_help = VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// List what is built in, with one line for each
    List(ListArgs),
    /// Explain a Spark key: meaning, default, value here and where it came from
    #[command(after_long_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Print the JSON Schema of a scenario file, for editors
    Schema,
    /// Print a commented scenario that runs as it is
    New(NewArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  spillcast run aks-migration
  spillcast run cluster.toml -n 5000 --format json
  spillcast run cluster.toml --properties-file spark-defaults.conf
  spillcast run cluster.toml --set cluster.pool.0.count=6
  spillcast run cluster.toml --fail-if 'p_oom > 1% or duration_s.p95 > 2h'";

const SWEEP_EXAMPLES: &str = "\
Examples:
  spillcast sweep aks-migration -o out
  spillcast sweep grid.toml -o out --resume        go on after an interrupt
  spillcast sweep grid.toml --format csv > grid.csv
  spillcast sweep grid.toml --precision 1% -n 20000";

const INGEST_EXAMPLES: &str = "\
Examples:
  spillcast ingest eventlog.zst
  spillcast ingest eventlog.zst -o profile.toml
  spillcast ingest eventlog.zst --scenario as-recorded.toml
  spillcast ingest eventlog.zst --check            replay it where it was recorded
  spillcast ingest app_1 app_2                     attempts of one application
  spillcast ingest eventlog.zst --redact shared.zst
  spillcast ingest app-20250101-0001 --format json";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  spillcast validate trials.jsonl --logs eventlogs
  spillcast validate trials.jsonl --format json
  spillcast validate incidents.toml -o report      the model on your own history";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  spillcast explain spark.memory.fraction
  spillcast explain spark.executor.memory aks-migration
  spillcast explain spark.executor.memory x.toml --conf spark.executor.memory=12g
  spillcast explain 'spark.dynamicAllocation.*'    all that match
  spillcast explain aks-migration                  what the scenario sets
  spillcast explain placement aks-migration        why each pod is where it is
  spillcast explain --all";

/// `run` and `sweep`.
#[derive(Debug, clap::Args)]
pub(crate) struct StudyArgs {
    /// Scenario file, or the name of a built-in one (see `spillcast list`)
    pub scenario: String,
    /// What is simulated.
    #[command(flatten)]
    pub changes: ScenarioArgs,
    /// How it is simulated.
    #[command(flatten)]
    pub simulation: SimulationArgs,
    /// Where results go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `ingest`.
#[derive(Debug, clap::Args)]
pub(crate) struct IngestArgs {
    /// Event log of one application: plain, zstd, lz4, snappy, lzf or gzip, or a rolled log's directory; several logs are
    /// attempts of one application
    #[arg(required = true)]
    pub log: Vec<std::path::PathBuf>,
    /// Also write the log without names, hosts, paths, queries and secrets, packed as the ending asks (.zst, .gz, .lz4,
    /// .snappy, or plain); OUT.toml gets the profile of such a log instead
    #[arg(long, value_name = "OUT", env = crate::env_vars::REDACT, hide_env = true)]
    pub redact: Option<std::path::PathBuf>,
    /// Where the profile goes.
    #[command(flatten)]
    pub out: OutFileArgs,
    /// Write the scenario of the run as it was into this file
    ///
    /// It names the file of --out as its profile, or the log itself without one. What a log does not tell (memory of the nodes,
    /// disks, network) is filled with defaults that do not bind.
    #[arg(long, value_name = "FILE", env = crate::env_vars::RECORDED_SCENARIO, hide_env = true)]
    pub scenario: Option<std::path::PathBuf>,
    /// Replay the profile where it was recorded, and show the errors of duration and shuffle bytes
    #[arg(long, env = crate::env_vars::CHECK, hide_env = true)]
    pub check: bool,
    /// Cores that each host of the run had; without it the log's CPU times say what tasks had
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096), env = crate::env_vars::CORES, hide_env = true)]
    pub cores: Option<u32>,
    /// Format of the summary.
    #[command(flatten)]
    pub format: InfoFormatArgs,
}

/// `validate`.
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// Recorded trials, one JSON object a line, or a .toml list of your own incidents
    pub trials: std::path::PathBuf,
    /// Directory of the calibration runs' event logs; by default `eventlogs` beside the trials, or theirs
    #[arg(long, value_name = "DIR", env = crate::env_vars::LOGS, hide_env = true)]
    pub logs: Option<std::path::PathBuf>,
    /// Another fit than the committed one, for recorded trials
    #[arg(long, value_name = "FILE", env = crate::env_vars::MODEL, hide_env = true)]
    pub model: Option<std::path::PathBuf>,
    /// Replications of each trial
    #[arg(short = 'n', long, value_name = "N", env = crate::env_vars::REPLICATIONS, hide_env = true, default_value = "200", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub replications: u64,
    /// Master seed
    #[arg(long, value_name = "SEED", env = crate::env_vars::SEED, hide_env = true, default_value = "1")]
    pub seed: u64,
    /// Confidence of all intervals
    #[arg(long, value_name = "SHARE", env = crate::env_vars::CONFIDENCE, hide_env = true, default_value = "0.95", value_parser = values::confidence)]
    pub confidence: values::Share,
    /// Threads; all cores by default
    #[arg(short, long, value_name = "N", env = crate::env_vars::JOBS, hide_env = true)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Write charts, data and a page into this directory
    #[arg(short, long, value_name = "DIR", env = crate::env_vars::OUT, hide_env = true)]
    pub out: Option<std::path::PathBuf>,
    /// Write into a directory that spillcast did not make
    #[arg(long, env = crate::env_vars::FORCE, hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub force: bool,
    /// Format on stdout.
    #[command(flatten)]
    pub format: InfoFormatArgs,
}

/// `list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// What to list; without it all built-in scenarios, sweeps, incidents and profiles
    #[arg(value_enum)]
    pub what: Option<Listed>,
    /// Only names that begin like this, such as `Standard_D` or `spark.shuffle`
    pub prefix: Option<String>,
    /// Only machine shapes of this provider: aks, eks, gke or rack
    #[arg(long, value_name = "NAME", env = crate::env_vars::PROVIDER, hide_env = true, value_parser = ["aks", "eks", "gke", "rack"])]
    pub provider: Option<String>,
    /// Format of the list.
    #[command(flatten)]
    pub format: InfoFormatArgs,
}

/// What `list` can list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Listed {
    /// Built-in scenarios for `run`
    Scenarios,
    /// Built-in scenarios with a grid, for `sweep`
    Sweeps,
    /// Published incidents, broken and fixed, with their sources
    Incidents,
    /// Built-in job profiles
    Profiles,
    /// Spark keys that spillcast knows
    Keys,
    /// Machine shapes that spillcast knows
    Vms,
}

/// `explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Key, such as spark.memory.fraction; a prefix or a glob, such as 'spark.speculation*'; or only a scenario, for all
    /// that it sets; or the word placement, for the scheduler's decisions in a scenario
    pub key: Option<String>,
    /// Scenario file or built-in name whose values to show
    pub scenario: Option<String>,
    /// Every key of Spark that is known
    #[arg(long, env = crate::env_vars::ALL, hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub all: bool,
    /// Changes to the scenario.
    #[command(flatten)]
    pub changes: ScenarioArgs,
    /// Which placements.
    #[command(flatten)]
    pub placement: PlacementArgs,
    /// Format of the answer.
    #[command(flatten)]
    pub format: InfoFormatArgs,
}

/// `new`.
#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// Name of the scenario: letters, digits, `-`, `_` and `.`
    #[arg(value_parser = values::scenario_name)]
    pub name: String,
    /// Where the scenario goes.
    #[command(flatten)]
    pub out: OutFileArgs,
}

/// `completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// All options of all commands: (command, long name, environment twin).
    fn options() -> Vec<(String, String, Option<String>)> {
        let mut all = Vec::new();
        let mut root = Cli::command();
        root.build();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
                let Some(long) = arg.get_long() else { panic!("{} has an option without a long name", command.get_name()) };
                let twin = arg.get_env().map(|env| env.to_string_lossy().into_owned());
                all.push((command.get_name().to_owned(), long.to_owned(), twin));
            }
        }
        all.retain(|(command, long, _)| command != "help" && long != "help" && long != "version");
        all
    }

    #[test]
    fn clap_finds_no_contradiction() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_has_one_environment_twin() {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for (command, long, twin) in options() {
            let twin = twin.unwrap_or_else(|| panic!("{command} --{long} has no environment twin"));
            assert!(twin.starts_with("SPILLCAST_"), "{twin}");
            assert_eq!(seen.entry(twin.clone()).or_insert_with(|| long.clone()), &long, "{twin} stands for two options");
        }
    }

    /// Words of a shell line with single quotes, up to a redirection.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match (c, words.last_mut()) {
                ('\'', _) => quoted = !quoted,
                (' ', _) if !quoted => words.push(String::new()),
                (c, Some(word)) => word.push(c),
                (_, None) => {}
            }
        }
        words.into_iter().filter(|word| !word.is_empty()).take_while(|word| word != ">").collect()
    }

    #[test]
    fn every_example_parses() {
        let texts = [EXAMPLES, RUN_EXAMPLES, SWEEP_EXAMPLES, INGEST_EXAMPLES, VALIDATE_EXAMPLES, EXPLAIN_EXAMPLES, include_str!("../../../README.md")];
        let mut examples = 0;
        for text in texts {
            for line in text.lines().map(|line| line.trim().replace("cargo run --release -- ", "spillcast ")) {
                // What an example does stands after two blanks.
                let line = line.split("  ").next().unwrap_or_default();
                if line.starts_with("spillcast ") {
                    assert!(Cli::try_parse_from(words(line)).is_ok(), "{line}");
                    examples += 1;
                }
            }
        }
        assert!(examples > 20, "{examples}");
    }

    #[test]
    fn the_guide_names_every_option_and_its_twin() {
        let guide = include_str!("../../../docs/guide/command-line.md");
        for (command, long, twin) in options() {
            assert!(guide.contains(&format!("--{long}")), "the guide says nothing of {command} --{long}");
            assert!(twin.is_none_or(|twin| guide.contains(&twin)), "the guide does not name the twin of {command} --{long}");
        }
    }
}

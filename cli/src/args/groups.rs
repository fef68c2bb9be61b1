//! Groups of options that several commands share.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::values::{ColorWhen, Format, InfoFormat, Seed, Share, confidence, precision};
use crate::env_vars;

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Say only errors
    #[arg(short, long, global = true, env = env_vars::QUIET, hide_env = true, value_parser = FalseyValueParser::new(), conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, env = env_vars::VERBOSE, hide_env = true, value_parser = FalseyValueParser::new())]
    pub verbose: bool,
    /// When to colour
    #[arg(long, global = true, env = env_vars::COLOR, hide_env = true, value_name = "WHEN", value_enum, default_value_t = ColorWhen::Auto)]
    pub color: ColorWhen,
    /// Show no progress bar
    ///
    /// It is shown on stderr only, and only when that is a terminal.
    #[arg(long, global = true, env = env_vars::NO_PROGRESS, hide_env = true, value_parser = FalseyValueParser::new())]
    pub no_progress: bool,
}

/// What changes in a scenario before it is used. Later wins: defaults, scenario, SparkApplication, pod template, properties
/// file, `--conf`, `--set`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Changes to the scenario")]
pub(crate) struct ScenarioArgs {
    /// Spark key and value, as for spark-submit; may be repeated
    #[arg(long, value_name = "K=V", env = env_vars::CONF, hide_env = true, value_delimiter = '\n')]
    pub conf: Vec<String>,
    /// File of Spark properties, such as spark-defaults.conf
    #[arg(long, value_name = "FILE", env = env_vars::PROPERTIES_FILE, hide_env = true)]
    pub properties_file: Option<PathBuf>,
    /// Executor pod template, Kubernetes YAML
    #[arg(long, value_name = "FILE", env = env_vars::POD_TEMPLATE, hide_env = true)]
    pub pod_template: Option<PathBuf>,
    /// SparkApplication of the Spark operator, YAML: Spark's keys and the executors' pods
    #[arg(long, value_name = "FILE", env = env_vars::SPARK_APPLICATION, hide_env = true)]
    pub spark_application: Option<PathBuf>,
    /// Output of `kubectl get nodes -o yaml` (or json), instead of the scenario's pools
    #[arg(long, value_name = "FILE", env = env_vars::NODES, hide_env = true)]
    pub nodes: Option<PathBuf>,
    /// Output of `kubectl get pods -A -o json` (or yaml), instead of the scenario's neighbours
    #[arg(long, value_name = "FILE", env = env_vars::PODS, hide_env = true)]
    pub pods: Option<PathBuf>,
    /// Output of `kubectl top pods -A`: what those pods really use
    #[arg(long, value_name = "FILE", env = env_vars::POD_USAGE, hide_env = true)]
    pub pod_usage: Option<PathBuf>,
    /// Any key of the scenario file, such as cluster.pool.0.count=6; may be repeated
    #[arg(long, value_name = "PATH=VALUE", env = env_vars::SET, hide_env = true, value_delimiter = '\n')]
    pub set: Vec<String>,
    /// Job profile to use instead of the scenario's, or an event log
    #[arg(long, value_name = "FILE", env = env_vars::PROFILE, hide_env = true)]
    pub profile: Option<PathBuf>,
}

/// How much is simulated, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulation")]
pub(crate) struct SimulationArgs {
    /// Replications of each point; the scenario says how many by default
    #[arg(short = 'n', long, value_name = "N", env = env_vars::REPLICATIONS, hide_env = true, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub replications: Option<u64>,
    /// Stop a point once its P(OOM) is known to within this much, such as 1%
    ///
    /// This is half the width of the interval. `--replications` is then the largest number.
    #[arg(long, value_name = "HALF-WIDTH", env = env_vars::PRECISION, hide_env = true, value_parser = precision)]
    pub precision: Option<Share>,
    /// Confidence of all intervals
    #[arg(long, value_name = "SHARE", env = env_vars::CONFIDENCE, hide_env = true, default_value = "0.95", value_parser = confidence)]
    pub confidence: Share,
    /// Master seed, a number or `random`
    ///
    /// The same version, seed and input give the same bytes, whatever `--jobs`. `random` says what it picked.
    #[arg(long, value_name = "SEED", env = env_vars::SEED, hide_env = true, default_value = "1", allow_hyphen_values = true, value_parser = Seed::parse)]
    pub seed: Seed,
    /// Threads; all cores by default
    #[arg(short, long, value_name = "N", env = env_vars::JOBS, hide_env = true)]
    pub jobs: Option<NonZeroUsize>,
    /// Exit with 1 when this holds at any point, such as `p_oom > 1%`; may be repeated
    ///
    /// Fields are those of the JSON result: `p_oom`, `p_oom.high`, `p_job_failure`, `p_by_cause.node`,
    /// `duration_s.p95`, `executors_lost.mean`, `node_peak_bytes.p95` and so on. They are compared with
    /// `<` `<=` `>` `>=` `==` `!=` and joined with `and`, `or`, `not` and parentheses. Numbers may be percents,
    /// sizes (`58GiB`, `3GB`) and times (`90s`, `10min`, `2h`). A field without a value fails the gate.
    #[arg(long, value_name = "EXPRESSION", env = env_vars::FAIL_IF, hide_env = true, value_delimiter = '\n')]
    pub fail_if: Vec<String>,
    /// Check the model's books after every event (slow)
    #[arg(long, env = env_vars::PARANOID, hide_env = true, value_parser = FalseyValueParser::new())]
    pub paranoid: bool,
}

/// Which decisions of the scheduler `explain placement` tells.
#[derive(Debug, Args)]
#[command(next_help_heading = "Placement")]
pub(crate) struct PlacementArgs {
    /// Master seed of the run whose placements are told, a number or `random`
    #[arg(long, value_name = "SEED", env = env_vars::SEED, hide_env = true, default_value = "1", allow_hyphen_values = true, value_parser = Seed::parse)]
    pub seed: Seed,
    /// Number of the replication, 0 is the first
    #[arg(long, value_name = "N", env = env_vars::REPLICATION, hide_env = true, default_value_t = 0)]
    pub replication: u64,
    /// How many decisions are told, from the first on
    #[arg(long, value_name = "N", env = env_vars::FIRST, hide_env = true, default_value_t = 20)]
    pub first: usize,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Format on stdout
    #[arg(long, value_enum, default_value_t = Format::Table, env = env_vars::FORMAT, hide_env = true)]
    pub format: Format,
    /// Write charts, data and a page into this directory
    #[arg(short, long, value_name = "DIR", env = env_vars::OUT, hide_env = true)]
    pub out: Option<PathBuf>,
    /// Write into a directory that spillcast did not make
    ///
    /// Directories that spillcast wrote before are replaced without it. Other files in the directory stay.
    #[arg(long, env = env_vars::FORCE, hide_env = true, value_parser = FalseyValueParser::new())]
    pub force: bool,
    /// Take the points that DIR already holds instead of running them again
    ///
    /// A point is taken when its fingerprint, seed, replications, precision, confidence and version are the same.
    #[arg(long, env = env_vars::RESUME, hide_env = true, value_parser = FalseyValueParser::new())]
    pub resume: bool,
}

/// A file to write.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutFileArgs {
    /// File to write, `-` for stdout
    #[arg(short, long, value_name = "FILE", env = env_vars::OUT_FILE, hide_env = true)]
    pub out: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, env = env_vars::FORCE, hide_env = true, value_parser = FalseyValueParser::new())]
    pub force: bool,
}

/// Format of answers that are not results of a simulation.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct InfoFormatArgs {
    /// Format on stdout
    #[arg(long, value_enum, default_value_t = InfoFormat::Table, env = env_vars::INFO_FORMAT, hide_env = true)]
    pub format: InfoFormat,
}

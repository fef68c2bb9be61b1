//! The environment twin of every option, declared once.
//!
//! An option typed on the command line wins over its twin. For options that may be repeated the variable holds one
//! value a line. For switches an empty value, `0`, `no`, `off` and `false` mean "off", anything else "on".

/// Twin of `--replications`.
pub(crate) const REPLICATIONS: &str = "SPILLCAST_REPLICATIONS";
/// Twin of `--precision`.
pub(crate) const PRECISION: &str = "SPILLCAST_PRECISION";
/// Twin of `--confidence`.
pub(crate) const CONFIDENCE: &str = "SPILLCAST_CONFIDENCE";
/// Twin of `--seed`.
pub(crate) const SEED: &str = "SPILLCAST_SEED";
/// Twin of `--jobs`.
pub(crate) const JOBS: &str = "SPILLCAST_JOBS";
/// Twin of `--paranoid`.
pub(crate) const PARANOID: &str = "SPILLCAST_PARANOID";
/// Twin of `--fail-if`, one expression a line.
pub(crate) const FAIL_IF: &str = "SPILLCAST_FAIL_IF";
/// Twin of `--conf`, one `K=V` a line.
pub(crate) const CONF: &str = "SPILLCAST_CONF";
/// Twin of `--properties-file`.
pub(crate) const PROPERTIES_FILE: &str = "SPILLCAST_PROPERTIES_FILE";
/// Twin of `--pod-template`.
pub(crate) const POD_TEMPLATE: &str = "SPILLCAST_POD_TEMPLATE";
/// Twin of `--provider`.
pub(crate) const PROVIDER: &str = "SPILLCAST_PROVIDER";
/// Twin of `--spark-application`.
pub(crate) const SPARK_APPLICATION: &str = "SPILLCAST_SPARK_APPLICATION";
/// Twin of `--nodes`.
pub(crate) const NODES: &str = "SPILLCAST_NODES";
/// Twin of `--first`.
pub(crate) const FIRST: &str = "SPILLCAST_FIRST";
/// Twin of `--pod-usage`.
pub(crate) const POD_USAGE: &str = "SPILLCAST_POD_USAGE";
/// Twin of `--set`, one `PATH=VALUE` a line.
pub(crate) const SET: &str = "SPILLCAST_SET";
/// Twin of `--profile`.
pub(crate) const PROFILE: &str = "SPILLCAST_PROFILE";
/// Twin of `--format` of `run` and `sweep`.
pub(crate) const FORMAT: &str = "SPILLCAST_FORMAT";
/// Twin of `--format` of `ingest`, `list` and `explain`, which know fewer formats.
pub(crate) const INFO_FORMAT: &str = "SPILLCAST_INFO_FORMAT";
/// Twin of `--all`.
pub(crate) const ALL: &str = "SPILLCAST_ALL";
/// Twin of `--replication`.
pub(crate) const REPLICATION: &str = "SPILLCAST_REPLICATION";
/// Twin of `--pods`.
pub(crate) const PODS: &str = "SPILLCAST_PODS";
/// Twin of `--out` of `run` and `sweep`: a directory.
pub(crate) const OUT: &str = "SPILLCAST_OUT";
/// Twin of `--out` of `ingest` and `new`: a file.
pub(crate) const OUT_FILE: &str = "SPILLCAST_OUT_FILE";
/// Twin of `--redact`.
pub(crate) const REDACT: &str = "SPILLCAST_REDACT";
/// Twin of `--scenario` of `ingest`.
pub(crate) const RECORDED_SCENARIO: &str = "SPILLCAST_RECORDED_SCENARIO";
/// Twin of `--check`.
pub(crate) const CHECK: &str = "SPILLCAST_CHECK";
/// Twin of `--logs`.
pub(crate) const LOGS: &str = "SPILLCAST_LOGS";
/// Twin of `--model`.
pub(crate) const MODEL: &str = "SPILLCAST_MODEL";
/// Twin of `--cores`.
pub(crate) const CORES: &str = "SPILLCAST_CORES";
/// Twin of `--force`.
pub(crate) const FORCE: &str = "SPILLCAST_FORCE";
/// Twin of `--resume`.
pub(crate) const RESUME: &str = "SPILLCAST_RESUME";
/// Twin of `--quiet`.
pub(crate) const QUIET: &str = "SPILLCAST_QUIET";
/// Twin of `--verbose`.
pub(crate) const VERBOSE: &str = "SPILLCAST_VERBOSE";
/// Twin of `--color`.
pub(crate) const COLOR: &str = "SPILLCAST_COLOR";
/// Twin of `--no-progress`.
pub(crate) const NO_PROGRESS: &str = "SPILLCAST_NO_PROGRESS";

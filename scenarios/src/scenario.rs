//! A scenario: loading, and what it holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sim_core::spec::Spec;

use crate::build::{Resolved, resolve};
use crate::diag::{Diagnostics, Source};
use crate::layer::Layers;
use crate::profile::Profile;
use crate::raw::Origin;
use crate::sweep::{self, Point, Sweep};

/// What the command line asks for. Files are read by this crate.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Path or built-in name.
    pub scenario: String,
    /// `--conf K=V`, in order.
    pub conf: Vec<String>,
    /// `--properties-file`.
    pub properties_file: Option<PathBuf>,
    /// `--pod-template`; replaces the scenario's.
    pub pod_template: Option<PathBuf>,
    /// `--spark-application`: a SparkApplication in YAML; lies over the scenario and under `properties_file`.
    pub spark_application: Option<PathBuf>,
    /// `--nodes`: what `kubectl get nodes` printed; takes the place of the scenario's pools.
    pub nodes: Option<PathBuf>,
    /// `--pods`: what `kubectl get pods -A` printed; takes the place of the scenario's neighbours.
    pub pods: Option<PathBuf>,
    /// `--pod-usage`: what `kubectl top pods -A` printed.
    pub pod_usage: Option<PathBuf>,
    /// `--set PATH=VALUE`, in order.
    pub set: Vec<String>,
    /// Replaces `job.profile`, and with it the scenario's `job.input`.
    pub profile: Option<PathBuf>,
}

/// A value with where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Path in the scenario, or Spark key.
    pub key: String,
    /// Value as text.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// A checked scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Name.
    pub name: String,
    /// One line that tells the story.
    pub title: String,
    /// The model's input, without any axis of the sweep.
    pub spec: Spec,
    /// Every value with its origin, scenario paths first, then Spark keys.
    pub settings: Vec<Setting>,
    /// Runs of each point.
    pub replications: u64,
    /// The axes, if it has some.
    pub sweep: Option<Sweep>,
    layers: Layers,
    warnings: Diagnostics,
}

/// Loads a scenario; `None` exactly when the diagnostics have errors.
pub fn load(request: &Request) -> (Option<Scenario>, Diagnostics) {
    let mut problems = Diagnostics::default();
    let Some(layers) = Layers::read(request, &mut problems) else { return (None, problems) };
    finish(layers, problems)
}

fn finish(layers: Layers, mut problems: Diagnostics) -> (Option<Scenario>, Diagnostics) {
    let resolved = resolve(&layers, &[], &mut problems);
    let sweep = sweep::read(&layers.tree(), &mut problems);
    match resolved {
        Some(resolved) if !problems.has_errors() => {
            let Resolved { spec, settings, title, replications } = resolved;
            let scenario = Scenario { name: spec.name.clone(), title, spec, settings, replications, sweep, layers, warnings: problems.clone() };
            (Some(scenario), problems)
        }
        _ => (None, problems),
    }
}

/// Loads a scenario from its text, with a profile that is already read and that the scenario calls `name`.
pub(crate) fn load_with_profile(source: &Arc<Source>, name: &str, profile: &Profile) -> (Option<Scenario>, Diagnostics) {
    let mut problems = Diagnostics::default();
    let Some(layers) = Layers::of_text(source, &mut problems) else { return (None, problems) };
    layers.keep_profile(Path::new(name), profile);
    finish(layers, problems)
}

impl Scenario {
    /// Every point of the sweep in row-major order, the first axis slowest; one point without coordinates when there is no
    /// sweep. Each goes through all layers and rules; warnings that [`load`] has given are not repeated. When any point
    /// has errors there are no points.
    pub fn points(&self) -> (Vec<Point>, Diagnostics) {
        let Some(sweep) = &self.sweep else {
            let point = Point { index: 0, coordinates: Vec::new(), labels: Vec::new(), spec: self.spec.clone() };
            return (vec![point], Diagnostics::default());
        };
        let mut told = Diagnostics::default();
        let mut points = Vec::new();
        for combination in sweep.combinations() {
            let changes: Vec<_> = combination.iter().flat_map(|value| value.changes.iter().cloned()).collect();
            let mut problems = Diagnostics::default();
            let resolved = resolve(&self.layers, &changes, &mut problems);
            for item in problems.items() {
                if !told.items().contains(item) && !self.warnings.items().contains(item) {
                    told.push(item.clone());
                }
            }
            if let Some(resolved) = resolved {
                points.push(Point {
                    index: points.len(),
                    coordinates: sweep.axes.iter().zip(&combination).map(|(axis, value)| (axis.name.clone(), value.value.clone())).collect(),
                    labels: combination.iter().map(|value| value.label.clone()).collect(),
                    spec: resolved.spec,
                });
            }
        }
        if told.has_errors() {
            points.clear();
        }
        (points, told)
    }
}

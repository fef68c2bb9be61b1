//! `explain placement SCENARIO`: why each pod is where it is.
//!
//! One replication is run under an observer that keeps the scheduler's decisions, so that the pods, the replacements and the waits are those of
//! a real run of the model. Only Kubernetes has such a scheduler.

use reports::placement::{PlacementReport, object, text};
use scenarios::Scenario;
use scenarios::diag::Diagnostic;
use sim_core::observe::Placements;
use sim_core::plan::SimPlan;
use sim_core::sim::{RunKey, Simulator};
use sim_core::spec::Platform;

use super::load;
use crate::args::{ExplainArgs, InfoFormat, PlacementArgs};
use crate::exit::{Exit, Failure};
use crate::printer::{self, Printer};
use crate::report;
use crate::settings;

/// The word that asks for placements instead of a key.
pub(super) const WORD: &str = "placement";

/// Tells the placements of a scenario.
pub(super) fn placement(args: ExplainArgs, printer: &Printer) -> Result<Exit, Failure> {
    let Some(name) = args.scenario else {
        let problem = Diagnostic::error("usage", "explain placement needs a scenario").expected("a scenario file or a built-in name");
        return Err(problem.hint("spillcast explain placement aks-migration").into());
    };
    let scenario = load(&settings::request(name, args.changes), printer)?;
    let report = watch(&scenario, &args.placement)?;
    let result = match args.format.format {
        InfoFormat::Json => report::pretty(&object(&report)),
        InfoFormat::Table => text(&report, printer::width()),
    };
    printer.result(&result)?;
    Ok(Exit::Done)
}

fn watch(scenario: &Scenario, args: &PlacementArgs) -> Result<PlacementReport, Failure> {
    if scenario.spec.cluster.platform != Platform::Kubernetes {
        let problem = Diagnostic::error("no-scheduler", "only Kubernetes has a scheduler with filters and scores to explain");
        return Err(problem
            .expected("a platform of aks, eks, gke or kubernetes")
            .hint("spillcast explain cluster.platform SCENARIO shows what it is here")
            .into());
    }
    let plan = SimPlan::compile(&scenario.spec).map_err(|error| Diagnostic::error("plan", format!("this cannot be simulated: {error}")))?;
    // The result says which seed it was.
    let (seed, _) = settings::master_seed(args.seed);
    let key = RunKey { seed, replication: args.replication };
    let mut placements = Placements::default();
    Simulator::new(&plan).run_observed(key, &mut placements);
    let mut all = placements.all;
    let left_out = all.len().saturating_sub(args.first);
    all.truncate(args.first);
    Ok(PlacementReport {
        scenario: scenario.spec.name.clone(),
        seed,
        replication: args.replication,
        nodes: plan.node_lines().into_iter().map(|node| node.name).collect(),
        placements: all,
        left_out,
    })
}

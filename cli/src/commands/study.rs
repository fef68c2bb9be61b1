//! `run` and `sweep`: the same path, over one point or over the grid.
//!
//! Order matters: input and output are checked before the first replication; results are written before they are
//! printed, so that a reader that goes away loses nothing, and printed even if they could not be written; gates are
//! looked at last, when the result is there.

use reports::{Header, SweepReport};
use scenarios::diag::Diagnostic;
use scenarios::{Point, Scenario};
use sim_core::study::Study;

use super::load;
use crate::cache;
use crate::exit::{Exit, Failure};
use crate::out_dir::OutDir;
use crate::printer::Printer;
use crate::report;
use crate::session::{self, Conducted, Keeper, Planned};
use crate::settings::{Mode, StudySettings};
use crate::stories;

const LINES: &str = "results.jsonl";
const PAGE: &str = "index.html";

/// Runs a study from the scenario to the exit status.
pub(super) fn study(settings: &StudySettings, printer: &Printer) -> Result<Exit, Failure> {
    let scenario = load(&settings.request, printer)?;
    let planned = session::plan(points(settings.mode, &scenario, printer)?, settings.paranoid)?;
    let study = settings.study(scenario.replications);
    let header = report::header(settings, &scenario, &study, &planned);
    let dir = settings.out.as_ref().map(|out| OutDir::open(&out.dir, out.force)).transpose()?;
    announce(settings, &study, &header, planned.len(), printer);

    let write = |so_far: &Conducted| dir.as_ref().map_or(Ok(()), |dir| dir.write(LINES, report::lines(&header, so_far).as_bytes()));
    let keeper = dir.as_ref().map(|dir| Keeper { dir, write: &write });
    let conducted = session::conduct(settings, &study, &planned, keeper.as_ref(), printer)?;
    let Conducted { interrupted, last_is_partial, .. } = conducted;
    if interrupted {
        tell_interrupted(&conducted, &study, planned.len(), printer);
        if conducted.points.is_empty() {
            return Ok(Exit::Interrupted);
        }
    }
    let lines = report::lines(&header, &conducted);
    let axes = match (settings.mode, &scenario.sweep) {
        (Mode::Sweep, Some(sweep)) => report::axes(&sweep.axes),
        _ => Vec::new(),
    };
    let mut report = SweepReport { header, axes, points: conducted.points, interrupted, stories: Vec::new() };
    if dir.is_some() {
        report.stories = stories::tell(&report, &study, &planned)?;
    }
    let written = dir.as_ref().map_or(Ok(()), |dir| write_directory(dir, &report, lines, printer));
    if let (Some(dir), false) = (&dir, interrupted) {
        cache::keep_only(dir, &planned.iter().map(|point| point.fingerprint.as_str()).collect::<Vec<_>>());
    }
    printer.result(&report::render(settings.mode, settings.format, &report, last_is_partial, printer))?;
    // A full disk must not cost the numbers: they are on stdout by now.
    written?;
    if interrupted {
        return Ok(Exit::Interrupted);
    }
    Ok(judge(settings, &report, &planned, printer))
}

/// The points of a sweep; for a run the base point, also when the scenario has a grid.
fn points(mode: Mode, scenario: &Scenario, printer: &Printer) -> Result<Vec<Point>, Failure> {
    match (mode, &scenario.sweep) {
        (Mode::Run, None) => {}
        (Mode::Run, Some(_)) => printer.detail("the scenario has a grid; this runs its base point, `spillcast sweep` runs all"),
        (Mode::Sweep, None) => {
            let problem = Diagnostic::error("no-sweep", format!("scenario `{}` has nothing to sweep over", scenario.name));
            let hint = "add axes to it in a `[sweep]` table (`spillcast list sweeps` shows scenarios that have one), or use `spillcast run`";
            return Err(problem.found("no `[sweep]`").hint(hint).into());
        }
        (Mode::Sweep, Some(_)) => {
            let (points, diagnostics) = scenario.points();
            if diagnostics.has_errors() {
                return Err(Failure::Diagnosed(diagnostics));
            }
            printer.diagnostics(&diagnostics);
            return Ok(points);
        }
    }
    Ok(vec![Point { index: 0, coordinates: Vec::new(), labels: Vec::new(), spec: scenario.spec.clone() }])
}

/// Says what is run, so that any figure can be made again.
fn announce(settings: &StudySettings, study: &Study, header: &Header, points: usize, printer: &Printer) {
    if settings.seed_drawn {
        printer.note(&format!("drew seed {0}; `--seed {0}` gives the same numbers again", study.seed));
    }
    let over = if points == 1 { String::new() } else { format!(" at each of {points} points") };
    let most = if study.precision.is_some() { "at most " } else { "" };
    let Header { version, fingerprint, seed, .. } = header;
    printer.note(&format!("spillcast {version}, plan {fingerprint}, seed {seed}, {most}{} replications{over}", study.replications));
    printer.detail(&format!("{} threads; the same numbers again: {}", settings.jobs, header.command));
}

fn tell_interrupted(conducted: &Conducted, study: &Study, planned: usize, printer: &Printer) {
    let whole = conducted.points.len() - usize::from(conducted.last_is_partial);
    let partial = match conducted.points.last() {
        Some(last) if conducted.last_is_partial => format!(" and {} of {} replications of the next", last.result.replications, study.replications),
        _ => String::new(),
    };
    printer.note(&format!("interrupted after {whole} of {planned} points{partial}; with `-o DIR`, `--resume` goes on from there"));
}

fn write_directory(dir: &OutDir, report: &SweepReport, lines: String, printer: &Printer) -> Result<(), Failure> {
    let mut files = reports::files(report);
    // A partial point is marked in our lines.
    if let Some(file) = files.iter_mut().find(|file| file.name == LINES) {
        file.contents = lines.into_bytes();
    }
    for file in &files {
        dir.write(&file.name, &file.contents)?;
    }
    let names: Vec<String> = files.into_iter().map(|file| file.name).collect();
    let number = names.len();
    let first = if names.iter().any(|name| name == PAGE) { PAGE } else { LINES };
    dir.finish(names)?;
    printer.note(&format!("wrote {number} files; open `{}`", dir.root().join(first).display()));
    Ok(())
}

/// Looks at every gate at every point, and says which fail where.
fn judge(settings: &StudySettings, report: &SweepReport, planned: &[Planned], printer: &Printer) -> Exit {
    let mut exit = Exit::Done;
    for gate in &settings.gates {
        for (point, planned) in report.points.iter().zip(planned) {
            if let Some(why) = gate.failure(&point.result) {
                let at = if planned.labels.is_empty() { String::new() } else { format!(" at {}", planned.labels.join(", ")) };
                printer.gate_failed(&format!("`{}`{at}: {why} (n = {})", gate.text(), point.result.replications));
                exit = Exit::GateFailed;
            }
        }
    }
    exit
}

//! Memory of the fullest node over time, with the limits and the deaths.
//!
//! One panel a story, at most two, on one scale of bytes: a run that dies beside the same luck under another
//! configuration. Classes stack in the order of [`MemoryClass::ALL`]; page cache is on top because the kernel
//! takes it back first. Limits of pods (`kubepods`, eviction) count pods' memory only, so their lines stand on
//! top of what the system itself holds. Deaths and placements are those of the node that is drawn.

use sim_core::observe::{Mark, MarkKind, Sample};
use sim_core::plan::NodeLines;
use sim_core::record::{Cause, Ending, MemoryClass};
use sim_core::units::Bytes;

use super::{Chart, Figure, SIZE, Table};
use crate::csv::real;
use crate::{Story, SweepReport, format};

/// A dashed line.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Name and value.
    pub label: String,
    /// Where it is drawn, bytes.
    pub level: f64,
}

/// A death on the node that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Kill {
    /// Seconds.
    pub at: f64,
    /// Executor number.
    pub executor: u32,
    /// Why.
    pub cause: Cause,
    /// Unreclaimable memory of the node just before, bytes.
    pub height: f64,
}

/// A stage attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct StageBand {
    /// Seconds.
    pub from: f64,
    /// Seconds.
    pub to: f64,
    /// Name, with the attempt when it is not the first.
    pub name: String,
    /// Row, 0 on top, so that concurrent stages do not cover each other.
    pub lane: usize,
    /// Whether it completed.
    pub ok: bool,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What it is and how it ended.
    pub title: String,
    /// Which node, and what happened elsewhere.
    pub subtitle: String,
    /// Seconds and bytes by class, in stacking order.
    pub samples: Vec<(f64, [f64; MemoryClass::ALL.len()])>,
    /// Limits.
    pub limits: Vec<Limit>,
    /// Deaths.
    pub kills: Vec<Kill>,
    /// Seconds at which executors were placed on this node.
    pub placements: Vec<f64>,
    /// Stages.
    pub stages: Vec<StageBand>,
    /// End of the run, seconds.
    pub end: f64,
}

/// The data of the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// One or two runs.
    pub panels: Vec<Panel>,
    /// Top of the shared scale, bytes.
    pub top: f64,
    /// Classes with any memory in any panel.
    pub classes: Vec<MemoryClass>,
}

/// The chart; `None` when no run was observed.
pub fn figure(report: &SweepReport) -> Option<Figure> {
    let panels: Vec<Panel> = report.stories.iter().filter_map(panel).take(2).collect();
    if panels.is_empty() {
        return None;
    }
    let stacked = |classes: &[f64; MemoryClass::ALL.len()]| classes.iter().sum::<f64>();
    let highest = panels.iter().flat_map(|p| p.samples.iter().map(|(_, c)| stacked(c)).chain(p.limits.iter().map(|l| l.level))).fold(1.0, f64::max);
    let used = |class: &MemoryClass| panels.iter().any(|p| p.samples.iter().any(|(_, c)| c[*class as usize] > 0.004 * highest));
    let classes = MemoryClass::ALL.into_iter().filter(used).collect();
    let replication = report.stories[0].outcome.replication;
    let luck = if panels.len() == 2 { " · both panels: the same luck" } else { "" };
    Some(Figure {
        title: title(&report.stories, &panels),
        subtitle: format!("{} · seed {} · one replication, number {replication} (n = 1){luck}", report.header.scenario, report.header.seed),
        description: describe(&panels),
        size: SIZE,
        chart: Chart::Memory(Memory { panels, top: highest * 1.06, classes }),
    })
}

fn panel(story: &Story) -> Option<Panel> {
    let peak = |samples: &[Sample]| samples.iter().map(Sample::unreclaimable).max().unwrap_or(Bytes::ZERO);
    let nodes = story.timeline.nodes.iter().enumerate().filter(|(_, n)| !n.samples.is_empty());
    let (index, node) = nodes.max_by(|a, b| peak(&a.1.samples).cmp(&peak(&b.1.samples)).then(b.0.cmp(&a.0)))?;
    let end = story.outcome.duration.as_secs_f64().max(node.samples.last().map_or(0.0, |s| s.at.as_secs_f64()));
    let kills = kills(story, index, &node.samples);
    let all_kills = story.timeline.marks.iter().filter(|m| matches!(m.kind, MarkKind::Killed { .. })).count();
    let name = story.nodes.get(index).map_or_else(|| format!("node {index}"), |n| n.name.clone());
    let elsewhere = match all_kills - kills.len() {
        0 => String::new(),
        n => format!(", {n} on other nodes"),
    };
    let lost = match story.outcome.executors_lost {
        0 => ": nobody lost".to_owned(),
        n => format!(": {} lost{elsewhere}", format::plural(u64::from(n), "executor")),
    };
    let what = if story.subtitle.is_empty() { String::new() } else { format!("; {}", story.subtitle) };
    Some(Panel {
        title: format!("{}: {}", story.title, ending(story.outcome.ending)),
        subtitle: format!("{name}{lost}{what}"),
        samples: node.samples.iter().map(|s| (s.at.as_secs_f64(), s.classes.map(Bytes::as_f64))).collect(),
        limits: story.nodes.get(index).map(|n| limits(n, &node.samples)).unwrap_or_default(),
        kills,
        placements: placements(&story.timeline.marks, index),
        stages: stages(story, end),
        end,
    })
}

const fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Succeeded => "job ok",
        Ending::Failed(_) => "job aborted",
        Ending::Truncated(_) => "cut off",
    }
}

/// Lines of a node; limits of pods stand on the system's share.
fn limits(lines: &NodeLines, samples: &[Sample]) -> Vec<Limit> {
    let system = samples.iter().map(|s| s.classes[MemoryClass::System as usize].as_f64()).fold(0.0, f64::max);
    let mut limits = vec![Limit { label: format!("node RAM {}", lines.capacity), level: lines.capacity.as_f64() }];
    let pods = [("pods' limit", lines.kubepods_limit), ("eviction", lines.allocatable)];
    for (name, bytes) in pods {
        let Some(bytes) = bytes else { continue };
        // Two lines on the same bytes are one line with the first name.
        if !limits.iter().any(|l: &Limit| (l.level - bytes.as_f64() - system).abs() < 1.0) {
            limits.push(Limit { label: format!("{name} {bytes}"), level: bytes.as_f64() + system });
        }
    }
    limits
}

fn kills(story: &Story, node: usize, samples: &[Sample]) -> Vec<Kill> {
    let here = |m: &&Mark| m.node.is_some_and(|n| n as usize == node);
    let marks = story.timeline.marks.iter().filter(here);
    marks
        .filter_map(|m| match m.kind {
            MarkKind::Killed { executor, cause } => {
                let until = samples.partition_point(|s| s.at <= m.at);
                // The sample at the instant of the death may already lack the victim: look one sample back too.
                let height = samples[until.saturating_sub(2)..until].iter().map(|s| s.unreclaimable().as_f64()).fold(0.0, f64::max);
                Some(Kill { at: m.at.as_secs_f64(), executor, cause, height })
            }
            _ => None,
        })
        .collect()
}

fn placements(marks: &[Mark], node: usize) -> Vec<f64> {
    let here = |m: &&Mark| m.node.is_some_and(|n| n as usize == node) && matches!(m.kind, MarkKind::Placed { .. });
    marks.iter().filter(here).map(|m| m.at.as_secs_f64()).collect()
}

/// Stage attempts with their lanes; an attempt that never ended lasts to the end of the run.
fn stages(story: &Story, end: f64) -> Vec<StageBand> {
    let mut bands: Vec<(u32, u32, StageBand)> = Vec::new();
    let mut lane_ends: Vec<f64> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for mark in &story.timeline.marks {
        let at = mark.at.as_secs_f64();
        match mark.kind {
            MarkKind::StageStarted { stage, attempt } => {
                let lane = lane_ends.iter().position(|free| *free <= at).unwrap_or(lane_ends.len());
                lane_ends.resize(lane_ends.len().max(lane + 1), f64::INFINITY);
                lane_ends[lane] = f64::INFINITY;
                open.push(bands.len());
                bands.push((stage, attempt, StageBand { from: at, to: end, name: stage_name(story, stage, attempt), lane, ok: false }));
            }
            MarkKind::StageEnded { stage, attempt, ok } => {
                if let Some(i) = open.iter().position(|i| (bands[*i].0, bands[*i].1) == (stage, attempt)) {
                    let band = &mut bands[open.remove(i)].2;
                    (band.to, band.ok) = (at, ok);
                    lane_ends[band.lane] = at;
                }
            }
            MarkKind::Placed { .. } | MarkKind::Killed { .. } => {}
        }
    }
    bands.into_iter().map(|(_, _, band)| band).collect()
}

fn stage_name(story: &Story, stage: u32, attempt: u32) -> String {
    let name = story.stage_names.get(stage as usize).filter(|n| !n.is_empty()).map_or_else(|| format!("stage {stage}"), Clone::clone);
    if attempt == 0 { name } else { format!("{name}, attempt {}", attempt + 1) }
}

/// What two lists of values do not share, and what they do: `tmpfs`, `disk`, `packed`.
fn apart(first: &str, second: &str) -> (String, String, String) {
    let (a, b): (Vec<&str>, Vec<&str>) = (first.split(", ").collect(), second.split(", ").collect());
    if a.len() != b.len() || first == second {
        return (first.to_owned(), second.to_owned(), String::new());
    }
    let pick = |list: &[&str], same: bool| {
        let picked = list.iter().zip(a.iter().zip(&b)).filter(|(_, (a, b))| (a == b) == same);
        picked.map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
    };
    (pick(&a, false), pick(&b, false), pick(&a, true))
}

fn title(stories: &[Story], panels: &[Panel]) -> String {
    let lost = |i: usize| u64::from(stories[i].outcome.executors_lost);
    if panels.len() == 2 {
        let (first, second, both) = apart(&stories[0].title, &stories[1].title);
        let both = if both.is_empty() { both } else { format!(" (both {both})") };
        if lost(0) > 0 && lost(1) == 0 {
            return format!("Same luck, no deaths: {second} instead of {first}{both}");
        }
        return format!("Same luck: {} lost with {first}, {} with {second}{both}", format::plural(lost(0), "executor"), lost(1));
    }
    let panel = &panels[0];
    let peak = panel.samples.iter().map(|(_, c)| c[..MemoryClass::PageCache as usize].iter().sum::<f64>()).fold(0.0, f64::max);
    let of = panel.limits.first().map_or_else(String::new, |l| format!(" of {}", format::bytes(l.level)));
    let died = if lost(0) == 0 { "nobody dies".to_owned() } else { format!("{} lost", format::plural(lost(0), "executor")) };
    format!("The fullest node reaches {}{of}: {died}", format::bytes(peak))
}

fn describe(panels: &[Panel]) -> String {
    let one = |p: &Panel| {
        let peak = p.samples.iter().map(|(_, c)| c[..MemoryClass::PageCache as usize].iter().sum::<f64>()).fold(0.0, f64::max);
        let limits: Vec<&str> = p.limits.iter().map(|l| l.label.as_str()).collect();
        let kills: Vec<String> = p.kills.iter().map(|k| format!("executor {} at {}", k.executor, format::seconds(k.at))).collect();
        let deaths = if kills.is_empty() { "no deaths on this node".into() } else { format!("deaths: {}", kills.join(", ")) };
        format!("{} ({}): peak {}, {}, {deaths}", p.title, p.subtitle, format::bytes(peak), limits.join(", "))
    };
    format!("Memory of the fullest node over time, stacked by class. {}.", panels.iter().map(one).collect::<Vec<_>>().join("; "))
}

impl Memory {
    pub(super) fn table(&self) -> Table {
        let mut header = vec!["panel".to_owned(), "seconds".to_owned()];
        header.extend(MemoryClass::ALL.iter().map(|class| format!("{}_bytes", class.key())));
        header.extend(["killed_executor".to_owned(), "cause".to_owned()]);
        let mut rows = Vec::new();
        for panel in &self.panels {
            for (at, classes) in &panel.samples {
                let mut row = vec![panel.title.clone(), real(*at)];
                row.extend(classes.map(crate::csv::whole));
                row.extend([String::new(), String::new()]);
                rows.push(row);
            }
            for kill in &panel.kills {
                let mut row = vec![panel.title.clone(), real(kill.at)];
                row.extend(std::iter::repeat_n(String::new(), MemoryClass::ALL.len()));
                row.extend([kill.executor.to_string(), kill.cause.key().to_owned()]);
                rows.push(row);
            }
        }
        (header, rows)
    }
}

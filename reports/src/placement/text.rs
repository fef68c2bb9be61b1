//! The text of `explain placement`, for people.
//!
//! One block a pod. The table has a line a node and plugin; plugins that give all nodes the same are one line below it, because they decide
//! nothing. In large clusters the best nodes are shown. Narrow terminals get the plugin's name on a line of its own.

use sim_core::kube::scheduler::{NodeScores, PluginScore, Reason, plugins};
use sim_core::observe::{Held, Placement};

use super::{PlacementReport, rule_name};
use crate::format::{plural, seconds};

/// So many nodes are shown in a table.
const MOST_NODES: usize = 8;
/// So many names are spelled out in a list.
const MOST_NAMES: usize = 6;
/// Columns of the numbers: raw, of 100, weight, points.
const NUMBERS: usize = 34;

/// All blocks, no line wider than `width` where names allow it.
pub fn text(report: &PlacementReport, width: usize) -> String {
    let title = format!("{}: placement in replication {} of seed {}", report.scenario, report.replication, report.seed);
    let mut text = folded(&title, width).join("\n").trim_start().to_owned() + "\n";
    for placement in &report.placements {
        text.push('\n');
        text.push_str(&block(report, placement, width));
    }
    if report.left_out > 0 {
        text.push('\n');
        let more = format!("{} more; --first shows more of them", plural(report.left_out as u64, "decision"));
        text.push_str(folded(&more, width).join("\n").trim_start());
        text.push('\n');
    }
    text
}

fn block(report: &PlacementReport, placement: &Placement, width: usize) -> String {
    let explained = &placement.explained;
    let decision = &explained.decision;
    let outcome = decision.node.map_or("Pending".to_owned(), |node| report.node(node).to_owned());
    let at = seconds(placement.at.as_secs_f64());
    let mut lines = vec![format!("{} -> {outcome}", placement.pod), format!("  at {at}, requests {}m CPU and {}", explained.cpu.get(), explained.memory)];
    if placement.tries > 1 {
        lines.push(format!("  tried {} times with this outcome", placement.tries));
    }
    match (decision.node, decision.table.len(), decision.tied.len()) {
        (None, ..) => lines.push("  no node is feasible".to_owned()),
        (Some(_), 0, _) => lines.push("  one node is feasible: nothing is scored".to_owned()),
        (Some(_), _, tied) => {
            lines.extend(table(report, &decision.table, width));
            if tied > 1 {
                lines.push(format!("  {tied} nodes share the best score: luck decides"));
            }
        }
    }
    if let Some(held) = &placement.held {
        lines.extend(folded(&format!("  {}", held_words(report, held)), width));
    }
    lines.extend(refusals(report, &decision.reasons).iter().flat_map(|line| folded(line, width)));
    lines.extend(alternatives(report, placement).iter().flat_map(|line| folded(line, width)));
    lines.join("\n") + "\n"
}

/// The best nodes' scores, plugin by plugin; what is the same everywhere is told once.
fn table(report: &PlacementReport, rows: &[NodeScores], width: usize) -> Vec<String> {
    let mut best: Vec<&NodeScores> = rows.iter().collect();
    best.sort_by_key(|row| -row.total);
    let same = |index: usize| rows.iter().all(|row| row.by_plugin[index].weighted == rows[0].by_plugin[index].weighted);
    let count = rows.first().map_or(0, |row| row.by_plugin.len());
    let (equal, different): (Vec<usize>, Vec<usize>) = (0..count).partition(|&index| same(index));
    let shown = &best[..best.len().min(MOST_NODES)];
    let mut lines = Vec::new();
    if !different.is_empty() {
        lines.push(line("", ["raw", "of 100", "weight", "points"].map(str::to_owned), width));
    }
    for row in shown {
        let (first, others) = (format!("  {}", report.node(row.node)), format!("{} points", row.total));
        lines.push(format!("{first}: {others}"));
        lines.extend(different.iter().map(|&index| score(&row.by_plugin[index], width)));
    }
    if rows.len() > shown.len() {
        lines.push(format!("  … and {} with fewer points", plural((rows.len() - shown.len()) as u64, "node")));
    }
    if !equal.is_empty() {
        let told: Vec<String> = equal.iter().map(|&index| format!("{} {}", rows[0].by_plugin[index].plugin, rows[0].by_plugin[index].weighted)).collect();
        lines.extend(folded(&format!("  the same on all: {}", told.join(", ")), width));
    }
    lines
}

fn score(score: &PluginScore, width: usize) -> String {
    let weight = plugins().into_iter().find(|(name, _)| *name == score.plugin).and_then(|(_, weight)| weight).unwrap_or(1);
    line(score.plugin, [score.raw.to_string(), score.normalised.to_string(), format!("x{weight}"), score.weighted.to_string()], width)
}

/// A name and four numbers; the name above them where both do not fit.
fn line(name: &str, [raw, normalised, weight, points]: [String; 4], width: usize) -> String {
    let numbers = format!("{raw:>9}{normalised:>9}{weight:>8}{points:>8}");
    let room = width.saturating_sub(NUMBERS + 4);
    match name.len() {
        0 => format!("    {:room$}{numbers}", "", room = room.min(NAMES)),
        len if len <= room => format!("    {name:room$}{numbers}", room = room.min(NAMES)),
        _ => format!("    {name}\n    {:room$}{numbers}", "", room = room.min(NAMES)),
    }
}

/// Width of the longest plugin's name.
const NAMES: usize = "NodeResourcesBalancedAllocation".len();

/// As the `FailedAttachVolume` event words it.
fn held_words(report: &PlacementReport, held: &Held) -> String {
    let how_long = held.wait.map_or(String::new(), |wait| format!(" for {}", seconds(wait.as_secs_f64())));
    let node = report.node(held.node);
    format!(
        "ContainerCreating{how_long}: Multi-Attach error for volume {}: it is already exclusively attached to one node, {node}, and can't be attached to another",
        held.volume
    )
}

/// One line a reason: its plugin, its words, its nodes.
fn refusals(report: &PlacementReport, reasons: &[(usize, Reason)]) -> Vec<String> {
    let mut different: Vec<(&Reason, Vec<&str>)> = Vec::new();
    for (node, reason) in reasons {
        match different.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, nodes)) => nodes.push(report.node(*node)),
            None => different.push((reason, vec![report.node(*node)])),
        }
    }
    different.iter().map(|(reason, nodes)| format!("  refused by {}: {reason}: {}", reason.plugin(), names(nodes))).collect()
}

/// Where the pod would have gone without a rule, where that differs.
fn alternatives(report: &PlacementReport, placement: &Placement) -> Vec<String> {
    let here = placement.explained.decision.node;
    let mut different: Vec<(Option<usize>, Vec<String>)> = Vec::new();
    for one in placement.explained.without.iter().filter(|one| one.node != here) {
        match different.iter_mut().find(|(node, _)| *node == one.node) {
            Some((_, rules)) => rules.push(rule_name(&one.rule)),
            None => different.push((one.node, vec![rule_name(&one.rule)])),
        }
    }
    if different.is_empty() {
        return vec!["  no rule alone changes that".to_owned()];
    }
    let outcome = |node: &Option<usize>| node.map_or("Pending".to_owned(), |node| report.node(node).to_owned());
    different.iter().map(|(node, rules)| format!("  {} without {}", outcome(node), rules.join(", or without "))).collect()
}

fn names(all: &[&str]) -> String {
    let shown = all[..all.len().min(MOST_NAMES)].join(", ");
    if all.len() > MOST_NAMES { format!("{shown} and {} more", all.len() - MOST_NAMES) } else { shown }
}

/// A line of two blanks and words in lines of at most `width`, the others further in.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::from(" ");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > width && !line.trim().is_empty() {
            lines.push(std::mem::replace(&mut line, "   ".to_owned()));
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push(line);
    lines
}

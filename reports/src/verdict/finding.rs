//! What a grid of points shows, in one phrase.
//!
//! Patterns are tried from the most to the least telling: everything dies or nothing does; one corner dies and
//! no axis alone is to blame; one axis decides; a number's trend; and otherwise a count. A pattern is claimed
//! only when all points are decided; undecided points are counted at the end. A clause on heap is added where
//! an axis changes the heap, because more heap is what people try first.

use sim_core::study::Estimate;

use crate::{AxisInfo, Standing, SweepReport, format};

/// The finding of a sweep, without a full stop.
pub(crate) fn finding(report: &SweepReport) -> String {
    let standings: Vec<Standing> = report.points.iter().map(|p| Standing::of(&p.result.p_oom)).collect();
    if standings.is_empty() {
        return "No point was finished".into();
    }
    let undecided = standings.iter().filter(|s| **s == Standing::Undecided).count();
    if undecided == standings.len() {
        return "Undecided: too few replications to tell any point from a coin".into();
    }
    let base = if undecided == 0 { pattern(report, &standings) } else { None };
    let mut text = base.unwrap_or_else(|| counted(report, &standings));
    if let Some(clause) = heap_clause(report) {
        text = format!("{text}; {clause}");
    }
    text
}

fn pattern(report: &SweepReport, standings: &[Standing]) -> Option<String> {
    let complete = report.points.len() == report.grid_len();
    uniform(report, standings)
        .or_else(|| complete.then(|| interaction(report, standings)).flatten())
        .or_else(|| complete.then(|| single_axis_trend(report)).flatten())
        .or_else(|| complete.then(|| deciding_axis(report, standings)).flatten())
}

fn p(report: &SweepReport, index: usize) -> &Estimate {
    &report.points[index].result.p_oom
}

fn uniform(report: &SweepReport, standings: &[Standing]) -> Option<String> {
    let estimates = || report.points.iter().map(|p| p.result.p_oom.estimate);
    let (least, most) = (estimates().fold(1.0, f64::min), estimates().fold(0.0, f64::max));
    if standings.iter().all(|s| *s == Standing::Dies) {
        return Some(format!("Every point runs out of memory: {} or more", format::percent(least)));
    }
    if standings.iter().all(|s| *s == Standing::Survives) {
        return Some(if most <= 0.0 {
            "No point runs out of memory".into()
        } else {
            format!("No point often runs out of memory: at most {}", format::percent(most))
        });
    }
    None
}

/// One corner of a grid dies although each of its values survives elsewhere.
fn interaction(report: &SweepReport, standings: &[Standing]) -> Option<String> {
    let real_axes: Vec<usize> = (0..report.axes.len()).filter(|a| report.axes[*a].labels.len() > 1).collect();
    let dying: Vec<usize> = (0..standings.len()).filter(|i| standings[*i] == Standing::Dies).collect();
    let [corner] = dying.as_slice() else {
        return None;
    };
    if real_axes.len() < 2 || real_axes.iter().any(|a| report.axes[*a].labels.len() != 2) {
        return None;
    }
    let position = report.position(*corner);
    let names: Vec<String> = real_axes.iter().map(|a| report.axes[*a].phrase(position[*a])).collect();
    let others = (0..standings.len()).filter(|i| i != corner).map(|i| p(report, i).estimate).fold(0.0, f64::max);
    let opening = if names.len() == 2 { "Neither alone, both together" } else { "None alone, all together" };
    let at_most = if others > 0.0 { "at most " } else { "" };
    Some(format!("{opening}: {} dies ({}), the rest {at_most}{}", names.join(" + "), format::percent(p(report, *corner).estimate), format::percent(others)))
}

fn single_axis_trend(report: &SweepReport) -> Option<String> {
    let [axis] = report.axes.as_slice() else {
        return None;
    };
    axis.scale()?;
    let estimates: Vec<&Estimate> = report.points.iter().map(|p| &p.result.p_oom).collect();
    Some(trend(axis, &estimates))
}

/// How P(OOM) follows a numeric axis, in words; rises and falls are claimed when the ends' intervals part.
pub(crate) fn trend(axis: &AxisInfo, estimates: &[&Estimate]) -> String {
    let (Some(start), Some(end)) = (estimates.first(), estimates.last()) else {
        return "No point was finished".into();
    };
    let at = |i: usize| format!("{} at {}", format::percent(estimates[i].estimate), axis.label(i));
    let last = estimates.len() - 1;
    let highest = (0..=last).fold(0, |best, i| if estimates[i].estimate > estimates[best].estimate { i } else { best });
    let peak = estimates[highest];
    let inner_peak = highest != 0 && highest != last && peak.low > start.high && peak.low > end.high;
    if inner_peak {
        format!("P(OOM) is highest in the middle of {}: {}", axis.short(), at(highest))
    } else if end.low > start.high {
        format!("P(OOM) rises with {}: {}, {}", axis.short(), at(0), at(last))
    } else if end.high < start.low {
        format!("P(OOM) falls with {}: {}, {}", axis.short(), at(0), at(last))
    } else {
        let floor = estimates.iter().map(|e| e.estimate).fold(1.0, f64::min);
        let (low, high) = (format::percent(floor), format::percent(peak.estimate));
        let range = if low == high { low } else { format!("{low} to {high}") };
        format!("No trend of P(OOM) with {} can be told: {range}", axis.short())
    }
}

/// An axis whose value alone tells who dies.
fn deciding_axis(report: &SweepReport, standings: &[Standing]) -> Option<String> {
    if !standings.contains(&Standing::Survives) {
        return None;
    }
    let positions: Vec<Vec<usize>> = (0..standings.len()).map(|i| report.position(i)).collect();
    (0..report.axes.len()).find_map(|a| {
        let axis = &report.axes[a];
        let dies = |value: usize| {
            let mut of_value = standings.iter().zip(&positions).filter(|(_, at)| at[a] == value).map(|(s, _)| *s == Standing::Dies);
            let first = of_value.next()?;
            of_value.all(|d| d == first).then_some(first)
        };
        let verdicts: Vec<bool> = (0..axis.labels.len()).map(dies).collect::<Option<_>>()?;
        let names = |which: bool| (0..verdicts.len()).filter(|v| verdicts[*v] == which).map(|v| axis.label(v)).collect::<Vec<_>>();
        let (dying, others) = (names(true), names(false));
        if dying.is_empty() || others.is_empty() {
            return None;
        }
        let share = |which: bool, pick: fn(f64, f64) -> f64, start: f64| {
            (0..standings.len()).filter(|i| verdicts[positions[*i][a]] == which).map(|i| p(report, i).estimate).fold(start, pick)
        };
        let (least, most) = (share(true, f64::min, 1.0), share(false, f64::max, 0.0));
        let title = format::capitalised(&axis.short());
        // Nothing is more than all or less than none.
        let (at_least, at_most) = (if least < 1.0 { "at least " } else { "" }, if most > 0.0 { "at most " } else { "" });
        Some(format!("{title} decides: {} {at_least}{}, {} {at_most}{}", list(&dying), format::percent(least), list(&others), format::percent(most)))
    })
}

fn list(names: &[String]) -> String {
    match names {
        [first, .., last] if names.len() > 3 => format!("{first} to {last}"),
        _ => names.join(", "),
    }
}

/// Counts of points, after what can be said of numeric axes.
fn counted(report: &SweepReport, standings: &[Standing]) -> String {
    let count = |s: Standing| standings.iter().filter(|x| **x == s).count();
    let (dies, undecided) = (count(Standing::Dies), count(Standing::Undecided));
    let points = format::plural(standings.len() as u64, "point");
    let mut text = match dies {
        0 => format!("none of {points} is shown to run out of memory"),
        1 => format!("1 of {points} runs out of memory"),
        _ => format!("{dies} of {points} run out of memory"),
    };
    if undecided > 0 {
        text = format!("{text}, {undecided} undecided");
    }
    if dies > 0 && standings.len() > 1 && !standings.contains(&Standing::Survives) && report.points.len() == report.grid_len() {
        let best = (0..standings.len()).min_by(|a, b| p(report, *a).estimate.total_cmp(&p(report, *b).estimate));
        let best = best.map_or_else(String::new, |i| format!(", {} at best ({})", format::percent(p(report, i).estimate), report.point_label(i)));
        return format!("No combination survives: {text}{best}");
    }
    if let Some(trends) = trends(report) {
        return format!("P(OOM) {trends}: {text}");
    }
    let text = format::capitalised(&text);
    match safest(report).filter(|i| dies > 0 && report.points[*i].standing_words() == "survives") {
        Some(i) => format!("{text}; {} survives ({})", report.point_label(i), format::percent(p(report, i).estimate)),
        None => text,
    }
}

/// The point that is surest to survive; points with another trouble come last.
fn safest(report: &SweepReport) -> Option<usize> {
    let safe = (0..report.points.len()).filter(|i| report.points[*i].standing() == Standing::Survives);
    let rank = |i: usize| (report.points[i].other_trouble().is_some(), p(report, i).high);
    safe.min_by(|a, b| rank(*a).0.cmp(&rank(*b).0).then(rank(*a).1.total_cmp(&rank(*b).1)))
}

/// `rises with input and falls with nodes`, for the numeric axes along which no line contradicts it.
fn trends(report: &SweepReport) -> Option<String> {
    let numeric = (0..report.axes.len()).filter(|a| report.axes[*a].scale().is_some());
    let words: Vec<String> = numeric
        .filter_map(|a| match along(report, a)? {
            (true, false) => Some(format!("falls with {}", report.axes[a].short())),
            (false, true) => Some(format!("rises with {}", report.axes[a].short())),
            _ => None,
        })
        .collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

/// Whether P(OOM) falls, and whether it rises, from the first to the last value of an axis, on any line of the
/// grid on which only that axis changes. Intervals must part.
fn along(report: &SweepReport, axis: usize) -> Option<(bool, bool)> {
    if report.points.len() != report.grid_len() {
        return None;
    }
    let stride: usize = report.axes[axis + 1..].iter().map(|a| a.labels.len()).product();
    let reach = (report.axes[axis].labels.len() - 1) * stride;
    let starts = (0..report.points.len()).filter(|i| report.position(*i)[axis] == 0);
    Some(starts.fold((false, false), |(falls, rises), i| {
        let (first, last) = (p(report, i), p(report, i + reach));
        (falls || last.high < first.low, rises || last.low > first.high)
    }))
}

/// What more heap does, when it is one axis of several.
fn heap_clause(report: &SweepReport) -> Option<String> {
    let heap = report.axes.iter().position(is_heap).filter(|_| report.axes.len() > 1)?;
    report.axes[heap].scale()?;
    let deadly = report.points.iter().any(|p| p.standing() == Standing::Dies);
    if deadly && !report.points.iter().any(|p| p.standing() == Standing::Survives) {
        return Some(format!("more {} does not cure it", report.axes[heap].short()));
    }
    match along(report, heap)? {
        (true, true) => Some("more heap helps some points and hurts others".into()),
        (true, false) => Some("more heap helps".into()),
        (false, true) => Some("more heap makes it worse".into()),
        (false, false) => deadly.then(|| "more heap does not help".into()),
    }
}

fn is_heap(axis: &AxisInfo) -> bool {
    let title = axis.title.to_lowercase();
    axis.name.ends_with("spark.executor.memory") || title.contains("heap") || title.contains("executor memory")
}

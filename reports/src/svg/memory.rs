//! Draws node memory over time.

use sim_core::record::{Cause, MemoryClass};

use super::axis::{self, Scale};
use super::canvas::{Canvas, Font, Paint, Point};
use super::key::{self, Entry};
use super::{Area, fan, palette, text};
use crate::figures::memory::{Kill, Limit, Memory, Panel};

/// Height of a lane of stages.
const LANE: f64 = 19.0;
/// The most lanes; further concurrent stages are not drawn.
const MOST_LANES: usize = 3;
/// A stage attempt that did not complete.
const BROKEN: Paint = Paint(196, 200, 205, 1.0);

pub(super) fn draw(canvas: &mut Canvas, area: Area, memory: &Memory) {
    let used = legend(canvas, (area.left, area.top + 14.0), area.right, memory);
    let left = area.left + 62.0;
    let n = memory.panels.len() as f64;
    let same = memory.panels.windows(2).all(|w| w[0].limits == w[1].limits);
    let margin = memory.panels.iter().flat_map(|p| &p.limits).map(|l| text::width(&l.label, 13.0, false) + 22.0).fold(8.0, f64::max);
    let gap = if same { 26.0 } else { margin + 12.0 };
    let width = (area.right - margin - left - gap * (n - 1.0)) / n;
    let lanes = memory.panels.iter().map(|p| p.stages.iter().map(|s| s.lane + 1).max().unwrap_or(0)).max().unwrap_or(0).min(MOST_LANES);
    let header = 56.0 + lanes as f64 * LANE;
    for (i, panel) in memory.panels.iter().enumerate() {
        let x0 = left + i as f64 * (width + gap);
        let plot = Area { left: x0, top: area.top + used + header, right: x0 + width, bottom: area.bottom - 44.0 };
        draw_panel(canvas, &plot, memory, panel, (i == 0, lanes));
        if !same || i + 1 == memory.panels.len() {
            limit_names(canvas, &plot, &panel.limits, memory.top);
        }
    }
    let (_, unit) = fan::unit(memory.top);
    let middle = f64::midpoint(area.top + used + header, area.bottom - 44.0);
    canvas.text((34.0, middle), &format!("node memory, {unit}"), &Font::plain(14.0).centred().upwards().color(palette::SOFT));
}

fn draw_panel(canvas: &mut Canvas, plot: &Area, memory: &Memory, panel: &Panel, (first, lanes): (bool, usize)) {
    let y = Scale::linear((0.0, memory.top), (plot.bottom, plot.top));
    let (minutes, name) = if panel.end >= 300.0 { (60.0, "minutes") } else { (1.0, "seconds") };
    let x = Scale::linear((0.0, panel.end.max(1e-9)), (plot.left, plot.right));
    let above = plot.top - lanes as f64 * LANE;
    let size = if text::width(&panel.title, 15.0, true) <= plot.width() { 15.0 } else { 13.0 };
    canvas.text((plot.left, above - 36.0), &text::fit(&panel.title, size, true, plot.width()), &Font::bold(size));
    canvas.text((plot.left, above - 16.0), &text::fit(&panel.subtitle, 13.0, false, plot.width()), &Font::plain(13.0).color(palette::SOFT));
    let (size, _) = fan::unit(memory.top);
    let ticks: Vec<f64> = axis::ticks(memory.top / size, 6).into_iter().map(|t| t * size).collect();
    axis::horizontal_grid(canvas, plot, &y, &ticks, |t| if first { axis::tick_label(t / size) } else { String::new() });
    stages(canvas, plot, panel, &x);
    if first && lanes > 0 {
        canvas.text((plot.left - 8.0, plot.top - LANE / 2.0 - 1.5), "stages", &Font::plain(13.0).ending().color(palette::SOFT));
    }
    stack(canvas, panel, &x, &y);
    for at in &panel.placements {
        placement(canvas, (x.at(*at), plot.bottom + 1.0));
    }
    limits(canvas, plot, &panel.limits, &y);
    kills(canvas, plot, &panel.kills, &x, &y);
    let labels: Vec<(f64, String)> = axis::ticks(panel.end / minutes, 5).into_iter().map(|t| (x.at(t * minutes), axis::tick_label(t))).collect();
    axis::bottom_labels(canvas, plot, &labels);
    canvas.text((f64::midpoint(plot.left, plot.right), plot.bottom + 36.0), name, &Font::plain(14.0).centred().color(palette::SOFT));
}

/// Classes from the bottom up, each a polygon between two running sums.
fn stack(canvas: &mut Canvas, panel: &Panel, x: &Scale, y: &Scale) {
    let samples = thinned(panel, x);
    let line = |sums: &[f64]| simplified(&samples.iter().zip(sums).map(|((t, _), v)| (*t, y.at(*v))).collect::<Vec<Point>>());
    let mut below: Vec<f64> = vec![0.0; samples.len()];
    let mut floor = line(&below);
    for class in MemoryClass::ALL {
        let above: Vec<f64> = samples.iter().zip(&below).map(|((_, c), b)| b + c[class as usize]).collect();
        let ceiling = line(&above);
        if above.iter().zip(&below).any(|(a, b)| a > b) {
            let outline: Vec<Point> = ceiling.iter().chain(floor.iter().rev()).copied().collect();
            canvas.polygon(&outline, palette::class(class));
            // Heap and scratch have the same grey: the seam keeps them apart in print.
            canvas.path(&ceiling, palette::PAPER.faded(0.9), 1.0);
        }
        (below, floor) = (above, ceiling);
    }
}

/// The line without the points that lie within a fifth of a pixel of it (Ramer, Douglas and Peucker).
fn simplified(line: &[Point]) -> Vec<Point> {
    let mut keep = vec![false; line.len()];
    let mut spans = vec![(0, line.len().saturating_sub(1))];
    while let Some((from, to)) = spans.pop() {
        for end in [from, to] {
            if let Some(flag) = keep.get_mut(end) {
                *flag = true;
            }
        }
        let farthest = (from + 1..to).map(|i| (distance(line[i], line[from], line[to]), i)).max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((far, i)) = farthest.filter(|(far, _)| *far > 0.2) {
            debug_assert!(far.is_finite());
            spans.extend([(from, i), (i, to)]);
        }
    }
    line.iter().zip(keep).filter(|(_, keep)| *keep).map(|(p, _)| *p).collect()
}

/// Distance of a point from the segment between two others.
fn distance(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 { (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}

type PixelSample = (f64, [f64; MemoryClass::ALL.len()]);

/// Samples in pixels of time, at most four a pixel: the first, the last, the lowest and the highest.
fn thinned(panel: &Panel, x: &Scale) -> Vec<PixelSample> {
    let all: Vec<PixelSample> = panel.samples.iter().map(|(t, c)| (x.at(*t), *c)).collect();
    let total = |i: usize| all[i].1.iter().sum::<f64>();
    let mut kept = Vec::new();
    let mut start = 0;
    while start < all.len() {
        let pixel = all[start].0.floor();
        let end = start + all[start..].iter().take_while(|(t, _)| t.floor() <= pixel).count().max(1);
        let by = |a: &usize, b: &usize| total(*a).total_cmp(&total(*b));
        let mut keep = vec![start, end - 1];
        keep.extend((start..end).min_by(by));
        keep.extend((start..end).max_by(by));
        keep.sort_unstable();
        keep.dedup();
        kept.extend(keep.into_iter().map(|i| all[i]));
        start = end;
    }
    kept
}

/// A small grey arrow under the base line: an executor comes in.
fn placement(canvas: &mut Canvas, (x, y): Point) {
    canvas.polygon(&[(x, y), (x + 3.5, y + 7.0), (x - 3.5, y + 7.0)], palette::SURVIVED);
}

/// Dashed lines across a panel.
fn limits(canvas: &mut Canvas, plot: &Area, limits: &[Limit], y: &Scale) {
    for limit in limits {
        let at = y.at(limit.level);
        canvas.dashed(&[(plot.left, at), (plot.right, at)], palette::INK, 1.25, (6.0, 4.0));
    }
}

/// Names at the right ends of the lines, moved apart where lines are close, and tied to them.
fn limit_names(canvas: &mut Canvas, plot: &Area, limits: &[Limit], top: f64) {
    let y = Scale::linear((0.0, top), (plot.bottom, plot.top));
    let mut sorted: Vec<&Limit> = limits.iter().collect();
    sorted.sort_by(|a, b| b.level.total_cmp(&a.level));
    let mut at: Vec<f64> = sorted.iter().map(|l| y.at(l.level)).collect();
    for _ in 0..40 {
        for i in 1..at.len() {
            let short = 17.0 - (at[i] - at[i - 1]);
            if short > 0.0 {
                at[i - 1] -= short / 2.0;
                at[i] += short / 2.0;
            }
        }
    }
    for (limit, at) in sorted.iter().zip(at) {
        canvas.path(&[(plot.right + 2.0, y.at(limit.level)), (plot.right + 12.0, at), (plot.right + 17.0, at)], palette::AXIS, 1.0);
        canvas.text((plot.right + 20.0, at), &limit.label, &Font::plain(13.0));
    }
}

/// Black crosses with a white edge; numbers are left out where they would overlap.
fn kills(canvas: &mut Canvas, plot: &Area, kills: &[Kill], x: &Scale, y: &Scale) {
    let mut free = f64::NEG_INFINITY;
    for kill in kills {
        let (cx, cy) = (x.at(kill.at), y.at(kill.height));
        for (paint, width, r) in [(palette::PAPER, 6.0, 6.5), (palette::INK, 3.0, 5.5)] {
            canvas.line((cx - r, cy - r), (cx + r, cy + r), paint, width);
            canvas.line((cx - r, cy + r), (cx + r, cy - r), paint, width);
        }
        let label = format!("{}", kill.executor);
        // Deaths at the node are the rule here; others carry the shape of their cause.
        let other = kill.cause != Cause::Node;
        let half = text::width(&label, 13.0, true) / 2.0 + 2.0 + if other { 8.0 } else { 0.0 };
        let at = (cx.clamp(plot.left + half, plot.right - half), cy + 18.0);
        if at.0 - half >= free {
            canvas.rect((at.0 - half, at.1 - 8.0), (at.0 + half, at.1 + 8.0), palette::PAPER.faded(0.85));
            canvas.text((at.0 - if other { 7.0 } else { 0.0 }, at.1), &label, &Font::bold(13.0).centred());
            if other {
                palette::marker(canvas, Some(kill.cause), (at.0 + half - 8.0, at.1), 5.0, palette::cause(kill.cause));
            }
            free = at.0 + half + 1.0;
        }
    }
}

/// Thin grey bands above the plot, with the stage's name where it fits.
fn stages(canvas: &mut Canvas, plot: &Area, panel: &Panel, x: &Scale) {
    for stage in panel.stages.iter().filter(|s| s.lane < MOST_LANES) {
        let (from, to) = (x.at(stage.from), x.at(stage.to));
        let top = plot.top - (stage.lane as f64 + 1.0) * LANE;
        let fill = if stage.ok { Paint(236, 238, 240, 1.0) } else { BROKEN };
        canvas.rect((from, top), ((to - 1.5).max(from + 1.0), top + LANE - 3.0), fill);
        let name = text::fit(&stage.name, 13.0, false, to - from - 8.0);
        if name.chars().count() > 3 || name == stage.name {
            canvas.text((from + 4.0, top + (LANE - 3.0) / 2.0), &name, &Font::plain(13.0).color(palette::SOFT));
        }
        canvas.line((from, plot.top - 1.0), (from, plot.bottom), palette::GRID, 1.0);
    }
}

/// A death's cause after "by".
const fn by(cause: Cause) -> &'static str {
    match cause {
        Cause::Heap => "its heap limit",
        Cause::Container => "its container limit",
        Cause::Node => "the node",
        Cause::Eviction => "the kubelet (eviction)",
        Cause::ScratchFull => "full scratch",
    }
}

fn legend(canvas: &mut Canvas, at: Point, right: f64, memory: &Memory) -> f64 {
    let mut entries: Vec<Entry> = Vec::new();
    for class in &memory.classes {
        let paint = palette::class(*class);
        let sign = move |canvas: &mut Canvas, (x, y): Point| canvas.rect((x - 9.0, y - 6.0), (x + 9.0, y + 6.0), paint);
        entries.push(Entry { sign: Box::new(sign), words: palette::class_words(*class).to_owned() });
    }
    if memory.panels.iter().any(|p| !p.kills.is_empty()) {
        let sign = |canvas: &mut Canvas, (x, y): Point| {
            canvas.line((x - 5.5, y - 5.5), (x + 5.5, y + 5.5), palette::INK, 3.0);
            canvas.line((x - 5.5, y + 5.5), (x + 5.5, y - 5.5), palette::INK, 3.0);
        };
        entries.push(Entry { sign: Box::new(sign), words: "executor killed".into() });
    }
    for cause in Cause::ALL.into_iter().filter(|c| *c != Cause::Node && memory.panels.iter().any(|p| p.kills.iter().any(|k| k.cause == *c))) {
        let sign = move |canvas: &mut Canvas, at: Point| palette::marker(canvas, Some(cause), at, 6.0, palette::cause(cause));
        entries.push(Entry { sign: Box::new(sign), words: format!("by {}", by(cause)) });
    }
    if memory.panels.iter().any(|p| p.stages.iter().any(|s| !s.ok)) {
        let sign = |canvas: &mut Canvas, (x, y): Point| canvas.rect((x - 9.0, y - 7.0), (x + 9.0, y + 7.0), BROKEN);
        entries.push(Entry { sign: Box::new(sign), words: "stage attempt broken off".into() });
    }
    if memory.panels.iter().any(|p| !p.placements.is_empty()) {
        let sign = |canvas: &mut Canvas, (x, y): Point| placement(canvas, (x, y - 4.0));
        entries.push(Entry { sign: Box::new(sign), words: "executor placed".into() });
    }
    key::draw(canvas, at, right, &entries)
}

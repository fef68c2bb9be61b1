//! Draws node memory over time.

use sim_core::record::MemoryClass;

use super::axis::{self, Scale};
use super::canvas::{Canvas, Font, Paint, Point};
use super::key::{self, Entry};
use super::{Area, fan, palette, text};
use crate::figures::memory::{Kill, Limit, Memory, Panel};

/// Height of a lane of stages.
const LANE: f64 = 19.0;
/// The most lanes; further concurrent stages are not drawn.
const MOST_LANES: usize = 3;

pub(super) fn draw(canvas: &mut Canvas, area: Area, memory: &Memory) {
    let used = legend(canvas, (area.left, area.top + 14.0), area.right, memory);
    let left = area.left + 62.0;
    let gap = 44.0;
    let n = memory.panels.len() as f64;
    let width = (area.right - left - gap * (n - 1.0)) / n;
    let lanes = memory.panels.iter().map(|p| p.stages.iter().map(|s| s.lane + 1).max().unwrap_or(0)).max().unwrap_or(0).min(MOST_LANES);
    let header = 50.0 + lanes as f64 * LANE;
    for (i, panel) in memory.panels.iter().enumerate() {
        let x0 = left + i as f64 * (width + gap);
        let plot = Area { left: x0, top: area.top + used + header, right: x0 + width, bottom: area.bottom - 44.0 };
        draw_panel(canvas, &plot, memory, panel, (i == 0, lanes));
    }
    let (_, unit) = fan::unit(memory.top);
    let middle = f64::midpoint(area.top + used + header, area.bottom - 44.0);
    canvas.text((34.0, middle), &format!("node memory, {unit}"), &Font::plain(14.0).centred().upwards().color(palette::SOFT));
}

fn draw_panel(canvas: &mut Canvas, plot: &Area, memory: &Memory, panel: &Panel, (first, lanes): (bool, usize)) {
    let y = Scale::linear((0.0, memory.top), (plot.bottom, plot.top));
    let (minutes, name) = if panel.end >= 300.0 { (60.0, "min") } else { (1.0, "s") };
    let x = Scale::linear((0.0, panel.end.max(1e-9)), (plot.left, plot.right));
    let above = plot.top - lanes as f64 * LANE;
    canvas.text((plot.left, above - 36.0), &text::fit(&panel.title, 15.0, true, plot.width()), &Font::bold(15.0));
    canvas.text((plot.left, above - 16.0), &text::fit(&panel.subtitle, 13.0, false, plot.width()), &Font::plain(13.0).color(palette::SOFT));
    let (size, _) = fan::unit(memory.top);
    let ticks: Vec<f64> = axis::ticks(memory.top / size, 6).into_iter().map(|t| t * size).collect();
    axis::horizontal_grid(canvas, plot, &y, &ticks, |t| if first { axis::tick_label(t / size) } else { String::new() });
    stages(canvas, plot, panel, &x);
    stack(canvas, panel, &x, &y);
    for at in &panel.placements {
        canvas.line((x.at(*at), plot.bottom - 9.0), (x.at(*at), plot.bottom), Paint(255, 255, 255, 1.0), 3.0);
        canvas.line((x.at(*at), plot.bottom - 9.0), (x.at(*at), plot.bottom), palette::AXIS, 1.25);
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
    let mut below: Vec<f64> = vec![0.0; samples.len()];
    for class in MemoryClass::ALL {
        let above: Vec<f64> = samples.iter().zip(&below).map(|((_, c), b)| b + c[class as usize]).collect();
        if above.iter().zip(&below).any(|(a, b)| a > b) {
            let mut outline: Vec<Point> = samples.iter().zip(&above).map(|((t, _), v)| (*t, y.at(*v))).collect();
            outline.extend(samples.iter().zip(&below).rev().map(|((t, _), v)| (*t, y.at(*v))));
            canvas.polygon(&outline, palette::class(class));
        }
        below = above;
    }
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

/// Dashed lines, named at the right end; names move apart where lines are close.
fn limits(canvas: &mut Canvas, plot: &Area, limits: &[Limit], y: &Scale) {
    let mut sorted: Vec<&Limit> = limits.iter().collect();
    sorted.sort_by(|a, b| b.level.total_cmp(&a.level));
    let mut free = f64::NEG_INFINITY;
    for limit in sorted {
        let at = y.at(limit.level);
        canvas.dashed(&[(plot.left, at), (plot.right, at)], palette::INK, 1.25, (6.0, 4.0));
        let above = at - 10.0;
        let label = if above >= free { above } else { (at + 10.0).max(free) };
        let width = text::width(&limit.label, 13.0, false);
        canvas.rect((plot.right - width - 4.0, label - 7.5), (plot.right, label + 7.5), palette::PAPER.faded(0.78));
        canvas.text((plot.right - 2.0, label), &limit.label, &Font::plain(13.0).ending());
        free = label + 16.0;
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
        let half = text::width(&label, 13.0, true) / 2.0 + 2.0;
        let at = (cx.clamp(plot.left + half, plot.right - half), cy + 18.0);
        if at.0 - half >= free {
            canvas.rect((at.0 - half, at.1 - 8.0), (at.0 + half, at.1 + 8.0), palette::PAPER.faded(0.85));
            canvas.text(at, &label, &Font::bold(13.0).centred());
            free = at.0 + half + 1.0;
        }
    }
}

/// Thin grey bands above the plot, with the stage's name where it fits.
fn stages(canvas: &mut Canvas, plot: &Area, panel: &Panel, x: &Scale) {
    for stage in panel.stages.iter().filter(|s| s.lane < MOST_LANES) {
        let (from, to) = (x.at(stage.from), x.at(stage.to));
        let top = plot.top - (stage.lane as f64 + 1.0) * LANE;
        let fill = if stage.ok { Paint(236, 238, 240, 1.0) } else { Paint(212, 215, 219, 1.0) };
        canvas.rect((from, top), ((to - 1.5).max(from + 1.0), top + LANE - 3.0), fill);
        if text::width(&stage.name, 13.0, false) <= to - from - 8.0 {
            canvas.text((from + 4.0, top + (LANE - 3.0) / 2.0), &stage.name, &Font::plain(13.0).color(palette::SOFT));
        }
        canvas.line((from, plot.top - 1.0), (from, plot.bottom), palette::GRID, 1.0);
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
    key::draw(canvas, at, right, &entries)
}

//! Draws the fan of node peaks: bands over a number, boxes over names.

use super::axis::{self, Scale};
use super::canvas::{Canvas, Font, Point};
use super::{Area, palette, text};
use crate::figures::fan::{Fan, FanPoint};
use crate::format;

pub(super) fn draw(canvas: &mut Canvas, area: Area, fan: &Fan) {
    let most = fan.points.iter().map(|p| p.quantiles[4]).fold(1.0, f64::max);
    let top = fan.limit.map_or(most, |l| l.max(most)) * 1.08;
    if fan.numeric { bands(canvas, area, fan, top) } else { boxes(canvas, area, fan, top) }
}

/// Bytes an axis unit, and its name.
pub(super) fn unit(top: f64) -> (f64, &'static str) {
    const MIB: f64 = 1_048_576.0;
    if top < 4.0 * 1024.0 * MIB { (MIB, "MiB") } else { (1024.0 * MIB, "GiB") }
}

fn bands(canvas: &mut Canvas, area: Area, fan: &Fan, top: f64) {
    let plot = Area { left: area.left + 70.0, top: area.top + 18.0, right: area.right - 110.0, bottom: area.bottom - 62.0 };
    let value = |p: &FanPoint| p.x.unwrap_or(0.0);
    let ends = (value(&fan.points[0]), value(&fan.points[fan.points.len() - 1]));
    let pixels = (plot.left + 24.0, plot.right - 12.0);
    let x = if fan.log { Scale::log(ends, pixels) } else { Scale::linear(ends, pixels) };
    let y = Scale::linear((0.0, top), (plot.bottom, plot.top));
    let (size, name) = unit(top);
    let ticks: Vec<f64> = axis::ticks(top / size, 6).into_iter().map(|t| t * size).collect();
    axis::horizontal_grid(canvas, &plot, &y, &ticks, |t| axis::tick_label(t / size));
    for (low, high, alpha) in [(0, 4, 0.2), (1, 3, 0.4)] {
        let mut band: Vec<Point> = fan.points.iter().map(|p| (x.at(value(p)), y.at(p.quantiles[high]))).collect();
        band.extend(fan.points.iter().rev().map(|p| (x.at(value(p)), y.at(p.quantiles[low]))));
        canvas.polygon(&band, palette::MEMORY.faded(alpha));
    }
    let median: Vec<Point> = fan.points.iter().map(|p| (x.at(value(p)), y.at(p.quantiles[2]))).collect();
    canvas.path(&median, palette::MEMORY, 2.5);
    for p in &median {
        canvas.disc(*p, 4.0, palette::MEMORY);
    }
    for (limit, words, below) in limits(fan) {
        let at = y.at(limit);
        canvas.dashed(&[(plot.left, at), (plot.right, at)], palette::INK, 1.5, (6.0, 4.0));
        canvas.text((plot.left + 4.0, if below { at + 11.0 } else { at - 10.0 }), &words, &Font::plain(13.0));
    }
    end_labels(canvas, &fan.points[fan.points.len() - 1], &y, plot.right);
    let labels: Vec<(f64, String)> = fan.points.iter().map(|p| (x.at(value(p)), p.label.clone())).collect();
    axis::bottom_labels(canvas, &plot, &labels);
    let title = if fan.log { format!("{} (log scale)", fan.x_title) } else { fan.x_title.clone() };
    let middle = (f64::midpoint(plot.left, plot.right), f64::midpoint(plot.top, plot.bottom));
    axis::titles(canvas, ((middle.0, plot.bottom + 54.0), &title), ((36.0, middle.1), &format!("peak of the fullest node, {name}")));
}

/// Lines with their names, and whether the name stands nearer to the plot than the other's.
fn limits(fan: &Fan) -> Vec<(f64, String, bool)> {
    let ram = fan.limit.map(|limit| (limit, format!("node RAM {}", format::bytes(limit)), false));
    let pods = fan.kubepods.map(|limit| (limit, format!("pods' limit + system {}", format::bytes(limit)), true));
    ram.into_iter().chain(pods).collect()
}

/// Names of the quantiles at the right end, pushed apart where they would overlap.
fn end_labels(canvas: &mut Canvas, last: &FanPoint, y: &Scale, right: f64) {
    let names = ["5 %", "25 %", "median", "75 %", "95 %"];
    let mut at: Vec<f64> = last.quantiles.iter().map(|q| y.at(*q)).collect();
    let middle = at[2];
    for i in [1, 0] {
        at[i] = at[i].max(at[i + 1] + 15.0);
    }
    for i in [3, 4] {
        at[i] = at[i].min(at[i - 1] - 15.0);
    }
    at[2] = middle;
    for (name, at) in names.iter().zip(at) {
        let font = if *name == "median" { Font::bold(13.0) } else { Font::plain(13.0) };
        canvas.text((right + 2.0, at), name, &font.color(palette::MEMORY));
    }
}

fn boxes(canvas: &mut Canvas, area: Area, fan: &Fan, top: f64) {
    let widest = fan.points.iter().map(|p| text::width(&p.label, 13.0, false)).fold(40.0, f64::max);
    let room = widest.min(area.width() * 0.35);
    let plot = Area { left: area.left + room + 14.0, top: area.top + 46.0, right: area.right - 100.0, bottom: area.bottom - 46.0 };
    let x = Scale::linear((0.0, top), (plot.left, plot.right));
    let (size, name) = unit(top);
    let ticks: Vec<f64> = axis::ticks(top / size, 6).into_iter().map(|t| t * size).collect();
    axis::vertical_grid(canvas, &plot, &x, &ticks, |t| axis::tick_label(t / size));
    canvas.line((plot.left, plot.top), (plot.left, plot.bottom), palette::AXIS, 1.0);
    let step = plot.height() / fan.points.len() as f64;
    let half = (step * 0.3).min(16.0);
    for (i, p) in fan.points.iter().enumerate() {
        let y = plot.top + (i as f64 + 0.5) * step;
        let q = p.quantiles.map(|q| x.at(q));
        canvas.text((plot.left - 10.0, y), &text::fit(&p.label, 13.0, false, room), &Font::plain(13.0).ending());
        canvas.rect((q[0], y - half * 0.5), (q[4], y + half * 0.5), palette::MEMORY.faded(0.2));
        canvas.rect((q[1], y - half), (q[3], y + half), palette::MEMORY.faded(0.4));
        canvas.line((q[2], y - half), (q[2], y + half), palette::MEMORY, 3.0);
        canvas.text((plot.right + 12.0, y), &format::bytes(p.quantiles[2]), &Font::bold(13.0).color(palette::MEMORY));
    }
    canvas.text((plot.right + 12.0, plot.top - 12.0), "median", &Font::bold(13.0).color(palette::MEMORY));
    if !fan.heading.is_empty() {
        canvas.text((area.left, plot.top - 12.0), &text::fit(&fan.heading, 13.0, true, plot.left + 200.0), &Font::bold(13.0).color(palette::SOFT));
    }
    for (limit, words, below) in limits(fan) {
        let (at, up) = (x.at(limit), if below { 12.0 } else { 28.0 });
        canvas.dashed(&[(at, plot.top - up + 8.0), (at, plot.bottom)], palette::INK, 1.5, (6.0, 4.0));
        canvas.text((at, plot.top - up), &words, &Font::plain(13.0).ending());
    }
    let middle = f64::midpoint(plot.left, plot.right);
    canvas.text((middle, plot.bottom + 40.0), &format!("peak of the fullest node, {name}"), &Font::plain(14.0).centred().color(palette::SOFT));
}

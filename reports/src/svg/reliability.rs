//! Draws a reliability diagram.

use super::axis::{self, Scale};
use super::canvas::{Canvas, Font};
use super::{Area, palette};
use crate::figures::reliability::Reliability;
use crate::format;

pub(super) fn draw(canvas: &mut Canvas, area: Area, chart: &Reliability) {
    let side = (area.height() - 56.0).min(area.width() - 100.0);
    let left = area.left + 70.0;
    let plot = Area { left, top: area.top + 8.0, right: left + side * 1.5, bottom: area.top + 8.0 + side };
    let x = Scale::linear((0.0, 1.0), (plot.left, plot.right));
    let y = Scale::linear((0.0, 1.0), (plot.bottom, plot.top));
    let ticks = [0.0, 0.25, 0.5, 0.75, 1.0];
    axis::horizontal_grid(canvas, &plot, &y, &ticks, format::percent);
    axis::vertical_grid(canvas, &plot, &x, &ticks, format::percent);
    canvas.dashed(&[(x.at(0.0), y.at(0.0)), (x.at(1.0), y.at(1.0))], palette::AXIS, 1.25, (6.0, 4.0));
    let most = chart.bins.iter().map(|bin| bin.observed.n).max().unwrap_or(1) as f64;
    for bin in &chart.bins {
        let at = x.at(bin.forecast);
        canvas.line((at, y.at(bin.observed.low)), (at, y.at(bin.observed.high)), palette::DEATH.faded(0.5), 3.0);
        let radius = 5.0 + 9.0 * (bin.observed.n as f64 / most).sqrt();
        canvas.disc((at, y.at(bin.observed.estimate)), radius, palette::DEATH);
        let trials = if bin.observed.n == 1 { "1 trial".to_owned() } else { format!("{} trials", bin.observed.n) };
        // The last bin's words stand outside, where there is room; others beside their dot, off the line's end.
        let outside = bin.forecast > 0.95;
        let (font, beside) = if !outside && bin.forecast > 0.8 { (Font::plain(13.0).ending(), -radius - 7.0) } else { (Font::plain(13.0), radius + 7.0) };
        let raised = if outside { 0.0 } else { 12.0 * if bin.observed.estimate < 0.1 { -1.0 } else { 1.0 } };
        canvas.text((at + beside, y.at(bin.observed.estimate) + raised), &trials, &font);
    }
    let middle = f64::midpoint(plot.left, plot.right);
    axis::titles(
        canvas,
        ((middle, plot.bottom + 38.0), "P(OOM) that was forecast"),
        ((area.left + 10.0, f64::midpoint(plot.top, plot.bottom)), "share that ran out of memory"),
    );
    let note = plot.right + 20.0;
    canvas.text((note, plot.bottom - 50.0), "on the dashed line:", &Font::plain(13.0).color(palette::SOFT));
    canvas.text((note, plot.bottom - 32.0), "forecast means", &Font::plain(13.0).color(palette::SOFT));
    canvas.text((note, plot.bottom - 14.0), "what it says", &Font::plain(13.0).color(palette::SOFT));
}

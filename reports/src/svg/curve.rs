//! Draws a curve with its band.

use super::axis::{self, Scale};
use super::canvas::{Canvas, Font, Paint, Point};
use super::{Area, palette, text};
use crate::figures::curve::{Curve, CurvePoint};
use crate::format;

pub(super) fn draw(canvas: &mut Canvas, area: Area, curve: &Curve) {
    let plot = Area { left: area.left + 70.0, top: area.top + 18.0, right: area.right - 30.0, bottom: area.bottom - 46.0 };
    let ends = (curve.points[0].x, curve.points[curve.points.len() - 1].x);
    let pixels = (plot.left + 24.0, plot.right - 24.0);
    let x = if curve.log { Scale::log(ends, pixels) } else { Scale::linear(ends, pixels) };
    let y = Scale::linear((0.0, 1.0), (plot.bottom, plot.top));
    axis::horizontal_grid(canvas, &plot, &y, &[0.0, 0.25, 0.5, 0.75, 1.0], format::percent);
    let at = |p: f64, point: &CurvePoint| (x.at(point.x), y.at(p));
    let mut band: Vec<Point> = curve.points.iter().map(|p| at(p.p.high, p)).collect();
    band.extend(curve.points.iter().rev().map(|p| at(p.p.low, p)));
    canvas.polygon(&band, palette::DEATH.faded(0.2));
    let line: Vec<Point> = curve.points.iter().map(|p| at(p.p.estimate, p)).collect();
    canvas.path(&line, palette::DEATH, 2.5);
    for (point, centre) in curve.points.iter().zip(&line) {
        whisker(canvas, (x.at(point.x), y.at(point.p.low), y.at(point.p.high)), palette::DEATH);
        dot(canvas, *centre, point.undecided);
    }
    values(canvas, curve, &line, &plot);
    let labels: Vec<(f64, String)> = curve.points.iter().map(|p| (x.at(p.x), p.label.clone())).collect();
    axis::bottom_labels(canvas, &plot, &labels);
    let title = if curve.log { format!("{} (log scale)", curve.x_title) } else { curve.x_title.clone() };
    let middle = (f64::midpoint(plot.left, plot.right), f64::midpoint(plot.top, plot.bottom));
    axis::titles(canvas, ((middle.0, plot.bottom + 40.0), &title), ((36.0, middle.1), "P(OOM)"));
}

/// The interval of one point, thin.
fn whisker(canvas: &mut Canvas, (x, low, high): (f64, f64, f64), paint: Paint) {
    canvas.line((x, low), (x, high), paint, 1.25);
    canvas.line((x - 4.0, low), (x + 4.0, low), paint, 1.25);
    canvas.line((x - 4.0, high), (x + 4.0, high), paint, 1.25);
}

/// A point; hollow when undecided.
pub(super) fn dot(canvas: &mut Canvas, centre: Point, hollow: bool) {
    canvas.disc(centre, 6.5, palette::PAPER);
    if hollow {
        canvas.ring(centre, 4.5, palette::DEATH, 2.0);
    } else {
        canvas.disc(centre, 5.0, palette::DEATH);
    }
}

/// Percentages beside the points, where they do not run into each other: above the line on its way up.
fn values(canvas: &mut Canvas, curve: &Curve, line: &[Point], plot: &Area) {
    let mut free = f64::NEG_INFINITY;
    for (i, (point, (x, y))) in curve.points.iter().zip(line).enumerate() {
        let label = format::percent(point.p.estimate);
        let width = text::width(&label, 13.0, true);
        let steep = |other: Option<&Point>| other.is_some_and(|(_, other)| *other < y - 40.0);
        let rising = steep(line.get(i + 1));
        let falling = i > 0 && steep(line.get(i - 1));
        let near_top = *y < plot.top + 26.0;
        let (dx, dy) = match (rising, falling) {
            _ if near_top => (0.0, 20.0),
            (true, false) => (-width / 2.0 - 10.0, -12.0),
            (false, true) => (width / 2.0 + 10.0, -12.0),
            _ => (0.0, -20.0),
        };
        let left = x + dx - width / 2.0;
        if left >= free && left > plot.left - 4.0 {
            canvas.text((x + dx, y + dy), &label, &Font::bold(13.0).centred());
            free = left + width + 6.0;
        }
    }
}

//! Draws a curve with its band.

use super::axis::{self, Scale};
use super::canvas::{Canvas, Font, Paint, Point};
use super::{Area, palette, text};
use crate::figures::curve::{Curve, CurvePoint};
use crate::format;

pub(super) fn draw(canvas: &mut Canvas, area: Area, curve: &Curve) {
    let plot = Area { left: area.left + 70.0, top: area.top + 18.0, right: area.right - 30.0, bottom: area.bottom - 62.0 };
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
    values(canvas, curve, &x, &y, plot.top);
    let labels: Vec<(f64, String)> = curve.points.iter().map(|p| (x.at(p.x), p.label.clone())).collect();
    axis::bottom_labels(canvas, &plot, &labels);
    let title = if curve.log { format!("{} (log scale)", curve.x_title) } else { curve.x_title.clone() };
    let middle = (f64::midpoint(plot.left, plot.right), f64::midpoint(plot.top, plot.bottom));
    axis::titles(canvas, ((middle.0, plot.bottom + 54.0), &title), ((36.0, middle.1), "P(OOM)"));
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

/// Percentages above the intervals (below where there is no room above), beside the line where it is steep, and left
/// out where they would overlap.
fn values(canvas: &mut Canvas, curve: &Curve, x: &Scale, y: &Scale, top: f64) {
    let mut free = f64::NEG_INFINITY;
    for (i, point) in curve.points.iter().enumerate() {
        let label = format::percent(point.p.estimate);
        let half = text::width(&label, 13.0, true) / 2.0;
        let (mut centre, above) = (x.at(point.x), y.at(point.p.high) - 12.0);
        let is_below = above < top - 4.0;
        let at = if is_below { y.at(point.p.low) + 14.0 } else { above };
        // A steep line comes from below on one side: the label goes to the other.
        let rise = |j: Option<usize>| j.and_then(|j| curve.points.get(j)).map_or(0.0, |other| other.p.estimate - point.p.estimate);
        let (before, after) = (rise(i.checked_sub(1)), rise(Some(i + 1)));
        if is_below && before < -0.1 || !is_below && before > 0.1 {
            centre += half + 9.0;
        } else if is_below && after < -0.1 || !is_below && after > 0.1 {
            centre -= half + 9.0;
        }
        if centre - half >= free {
            canvas.text((centre, at), &label, &Font::bold(13.0).centred());
            free = centre + half + 6.0;
        }
    }
}

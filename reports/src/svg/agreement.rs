//! Draws forecasts against observations.

use sim_core::record::Cause;

use super::axis::{self, Scale};
use super::canvas::{Canvas, Paint, Point};
use super::key::{self, Entry};
use super::{Area, palette};
use crate::figures::agreement::{Agreement, Mark};
use crate::figures::causes::cause_words;

const ORDER: [Option<Cause>; 6] = [None, Some(Cause::Node), Some(Cause::Container), Some(Cause::Heap), Some(Cause::Eviction), Some(Cause::ScratchFull)];

pub(super) fn draw(canvas: &mut Canvas, area: Area, chart: &Agreement) {
    let there: Vec<Option<Cause>> = ORDER.into_iter().filter(|cause| chart.marks.iter().any(|mark| mark.cause == *cause)).collect();
    let entry = |cause: &Option<Cause>| {
        let cause = *cause;
        let sign = move |canvas: &mut Canvas, at: Point| palette::marker(canvas, cause, at, 6.0, paint(cause));
        Entry { sign: Box::new(sign), words: cause.map_or("nothing died", cause_words).to_owned() }
    };
    let used = key::draw(canvas, (area.left, area.top + 12.0), area.right, &there.iter().map(entry).collect::<Vec<_>>());
    let plot = Area { left: area.left + 84.0, top: area.top + used + 6.0, right: area.right - 20.0, bottom: area.bottom - 50.0 };
    let values = || chart.marks.iter().flat_map(|mark| [mark.observed, mark.forecast]);
    let top = values().fold(0.0, f64::max) * 1.12;
    let least = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min) / 1.12;
    let ends = if chart.log { (least.min(top / 2.0), top) } else { (0.0, top.max(1.0)) };
    let scale = |start, end| if chart.log { Scale::log(ends, (start, end)) } else { Scale::linear(ends, (start, end)) };
    let (x, y) = (scale(plot.left, plot.right), scale(plot.bottom, plot.top));
    let ticks = ticks(chart.log, ends);
    axis::horizontal_grid(canvas, &plot, &y, &ticks, axis::tick_label);
    axis::vertical_grid(canvas, &plot, &x, &ticks, axis::tick_label);
    if chart.band > 0.0 {
        band(canvas, ends, (&x, &y), chart.band);
    }
    let at = |value: f64| (x.at(value), y.at(value));
    canvas.dashed(&[at(ends.0), at(ends.1)], palette::AXIS, 1.25, (6.0, 4.0));
    for mark in drawn_last(&chart.marks) {
        palette::marker(canvas, mark.cause, (x.at(mark.observed), y.at(mark.forecast)), 5.5, paint(mark.cause));
    }
    let middle = (f64::midpoint(plot.left, plot.right), f64::midpoint(plot.top, plot.bottom));
    let (below, beside) = match chart.unit {
        "" => (format!("observed {}", chart.quantity), "forecast".to_owned()),
        unit => (format!("observed {}, {unit}", chart.quantity), format!("forecast, {unit}")),
    };
    axis::titles(canvas, ((middle.0, plot.bottom + 38.0), &below), ((area.left + 10.0, middle.1), &beside));
}

/// Deaths over survivors.
fn drawn_last(marks: &[Mark]) -> impl Iterator<Item = &Mark> {
    marks.iter().filter(|mark| mark.cause.is_none()).chain(marks.iter().filter(|mark| mark.cause.is_some()))
}

fn paint(cause: Option<Cause>) -> Paint {
    cause.map_or(palette::AXIS, palette::cause)
}

/// The part within a relative error, cut to the plot.
fn band(canvas: &mut Canvas, (from, to): (f64, f64), (x, y): (&Scale, &Scale), width: f64) {
    let mut points = Vec::new();
    for factor in [1.0 + width, 1.0 - width] {
        let inside = |value: f64| (value * factor).clamp(from, to);
        let (start, end) = ((from / factor).clamp(from, to), (to / factor).clamp(from, to));
        let mut side = vec![(x.at(start), y.at(inside(start))), (x.at(end), y.at(inside(end)))];
        if factor < 1.0 {
            side.push((x.at(to), y.at(inside(to))));
            side.reverse();
        } else {
            side.insert(0, (x.at(from), y.at(inside(from))));
            side.push((x.at(to), y.at(to)));
        }
        points.extend(side);
    }
    canvas.polygon(&points, palette::MEMORY.faded(0.1));
}

/// Round values between the ends: 1, 2 and 5 times powers of ten on a logarithmic axis.
fn ticks(log: bool, (from, to): (f64, f64)) -> Vec<f64> {
    if !log {
        return axis::ticks(to, 8);
    }
    let powers = (from.log10().floor() as i32)..=(to.log10().ceil() as i32);
    powers.flat_map(|power| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(power))).filter(|value| (from..=to).contains(value)).collect()
}

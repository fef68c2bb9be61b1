//! Draws stacked bars of first causes.

use sim_core::record::Cause;

use super::axis::{self, Scale};
use super::canvas::{Canvas, Font, Paint, Point};
use super::key::{self, Entry};
use super::{Area, palette, text};
use crate::figures::causes::{Bar, Causes, cause_words};
use crate::format;

/// Stacking order from the left: memory deaths, then evictions and full scratch, then survivors.
const ORDER: [Option<Cause>; 6] = [Some(Cause::Node), Some(Cause::Container), Some(Cause::Heap), Some(Cause::Eviction), Some(Cause::ScratchFull), None];

pub(super) fn draw(canvas: &mut Canvas, area: Area, causes: &Causes) {
    let drawn: Vec<Option<Cause>> = ORDER.into_iter().filter(|cause| causes.bars.iter().any(|b| count(b, *cause) > 0)).collect();
    let used = legend(canvas, (area.left, area.top + 14.0), area.right, &drawn);
    let widest = causes.bars.iter().map(|b| text::width(&b.label, 13.0, false)).fold(40.0, f64::max);
    let room = widest.min(area.width() * 0.35);
    let plot = Area {
        left: area.left + room + 14.0,
        top: area.top + used + if causes.heading.is_empty() { 12.0 } else { 34.0 },
        right: area.right - 24.0,
        bottom: area.bottom - 46.0,
    };
    let x = Scale::linear((0.0, 1.0), (plot.left, plot.right));
    axis::vertical_grid(canvas, &plot, &x, &[0.0, 0.25, 0.5, 0.75, 1.0], format::percent);
    if !causes.heading.is_empty() {
        canvas.text((area.left, plot.top - 14.0), &text::fit(&causes.heading, 13.0, true, area.width() * 0.8), &Font::bold(13.0).color(palette::SOFT));
    }
    let step = plot.height() / causes.bars.len() as f64;
    let half = (step * 0.36).min(26.0);
    for (i, bar) in causes.bars.iter().enumerate() {
        let y = plot.top + (i as f64 + 0.5) * step;
        canvas.text((plot.left - 10.0, y), &text::fit(&bar.label, 13.0, false, room), &Font::plain(13.0).ending());
        segments(canvas, bar, &drawn, &x, (y, half, step));
    }
    let middle = f64::midpoint(plot.left, plot.right);
    canvas.text((middle, plot.bottom + 40.0), "share of replications", &Font::plain(14.0).centred().color(palette::SOFT));
}

fn count(bar: &Bar, cause: Option<Cause>) -> u64 {
    match cause {
        Some(cause) => Cause::ALL.iter().position(|c| *c == cause).map_or(0, |i| bar.first[i]),
        None => bar.survived,
    }
}

fn paint(cause: Option<Cause>) -> Paint {
    cause.map_or(palette::SURVIVED, palette::cause)
}

fn segments(canvas: &mut Canvas, bar: &Bar, drawn: &[Option<Cause>], x: &Scale, (y, half, step): (f64, f64, f64)) {
    let mut before = 0;
    let mut free = f64::NEG_INFINITY;
    for cause in drawn {
        let n = count(bar, *cause);
        let total = bar.total().max(1) as f64;
        let (from, to) = (x.at(before as f64 / total), x.at((before + n) as f64 / total));
        before += n;
        if n == 0 {
            continue;
        }
        // Survivors are pale, so that the eye goes to deaths in colour and in greys.
        let fill = if cause.is_some() { paint(*cause) } else { palette::SURVIVED.faded(0.35) };
        canvas.rect((from, y - half), (to, y + half), fill);
        canvas.line((to, y - half), (to, y + half), palette::PAPER, 1.5);
        let ink = if cause.is_some() { palette::on(fill) } else { palette::SOFT };
        let words = format::percent(n as f64 / total);
        let width = text::width(&words, 13.0, true);
        let r = (half * 0.55).min(6.0);
        if to - from > width + 36.0 && half >= 8.0 {
            palette::marker(canvas, *cause, (from + 16.0, y), r, ink);
            canvas.text((from + 28.0, y), &words, &Font::bold(13.0).color(ink));
        } else if to - from > 18.0 {
            palette::marker(canvas, *cause, (f64::midpoint(from, to), y), r, ink);
        } else if cause.is_some() && step > 2.0 * half + 20.0 {
            // Too thin for its shape: the shape stands above, beside others that do.
            let at = f64::midpoint(from, to).max(free);
            palette::marker(canvas, *cause, (at, y - half - 8.0), 5.0, paint(*cause));
            free = at + 13.0;
        }
    }
}

fn legend(canvas: &mut Canvas, at: Point, right: f64, drawn: &[Option<Cause>]) -> f64 {
    let entry = |cause: &Option<Cause>| {
        let cause = *cause;
        let sign = move |canvas: &mut Canvas, at: Point| palette::marker(canvas, cause, at, 7.0, paint(cause));
        Entry { sign: Box::new(sign), words: cause.map_or("survived", cause_words).to_owned() }
    };
    key::draw(canvas, at, right, &drawn.iter().map(entry).collect::<Vec<_>>())
}

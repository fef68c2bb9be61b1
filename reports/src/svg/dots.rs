//! Draws dots with interval bars.

use super::axis::{self, Scale};
use super::canvas::{Canvas, Font};
use super::{Area, palette, text};
use crate::figures::dots::Dots;
use crate::format;

pub(super) fn draw(canvas: &mut Canvas, area: Area, dots: &Dots) {
    let widest = dots.rows.iter().map(|r| text::width(&r.label, 14.0, false)).fold(60.0, f64::max);
    let room = widest.min(area.width() * 0.35);
    let plot = Area { left: area.left + room + 16.0, top: area.top + 30.0, right: area.right - 170.0, bottom: area.bottom - 46.0 };
    let x = Scale::linear((0.0, 1.0), (plot.left, plot.right));
    canvas.text((area.left, area.top + 14.0), &dots.title, &Font::plain(14.0).color(palette::SOFT));
    axis::vertical_grid(canvas, &plot, &x, &[0.0, 0.25, 0.5, 0.75, 1.0], format::percent);
    canvas.line((plot.left, plot.top), (plot.left, plot.bottom), palette::AXIS, 1.0);
    let step = plot.height() / dots.rows.len() as f64;
    for (i, row) in dots.rows.iter().enumerate() {
        let y = plot.top + (i as f64 + 0.5) * step;
        canvas.text((plot.left - 12.0, y), &text::fit(&row.label, 14.0, false, room), &Font::plain(14.0).ending());
        let half = (step * 0.2).min(9.0);
        canvas.rect((x.at(row.p.low), y - half), (x.at(row.p.high), y + half), palette::DEATH.faded(0.3));
        canvas.line((x.at(row.p.low), y), (x.at(row.p.high), y), palette::DEATH, 1.25);
        super::curve::dot(canvas, (x.at(row.p.estimate), y), row.undecided);
        let main = format::percent(row.p.estimate);
        canvas.text((plot.right + 16.0, y), &main, &Font::bold(14.0));
        let after = plot.right + 16.0 + text::width("> 99.9 %", 14.0, true);
        canvas.text((after, y), &format::interval(&row.p), &Font::plain(13.0).color(palette::SOFT));
    }
    let middle = f64::midpoint(plot.left, plot.right);
    canvas.text((middle, plot.bottom + 40.0), "P(OOM)", &Font::plain(14.0).centred().color(palette::SOFT));
}

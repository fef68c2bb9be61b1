//! Keys: swatches or shapes with words, in rows that wrap.

use super::canvas::{Canvas, Font, Point};
use super::text;

/// Draws a sign centred on a point.
pub(super) type Sign = Box<dyn Fn(&mut Canvas, Point)>;

/// One entry: how to draw its sign (18 px wide, centred on the point), and its words.
pub(super) struct Entry {
    /// Draws the sign.
    pub(super) sign: Sign,
    /// What it means.
    pub(super) words: String,
}

/// Height of a row.
pub(super) const ROW: f64 = 22.0;

/// Draws entries from `(left, y)` rightwards, wrapping at `right`; returns the height used.
pub(super) fn draw(canvas: &mut Canvas, (left, y): Point, right: f64, entries: &[Entry]) -> f64 {
    let (mut x, mut row) = (left, y);
    for entry in entries {
        let width = 24.0 + text::width(&entry.words, 13.0, false) + 20.0;
        if x > left && x + width - 20.0 > right {
            (x, row) = (left, row + ROW);
        }
        (entry.sign)(canvas, (x + 9.0, row));
        canvas.text((x + 24.0, row), &entry.words, &Font::plain(13.0));
        x += width;
    }
    row + ROW - y
}

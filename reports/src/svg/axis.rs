//! Scales and axes.

use super::canvas::{Canvas, Font, Point};
use super::{Area, palette, text};

/// Size of axis text.
pub(super) const TEXT: f64 = 13.0;

/// From values to pixels, linear or logarithmic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    log: bool,
}

impl Scale {
    /// A linear scale; `from` lies at pixel `start`.
    pub(super) fn linear((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        Self { from, to, start, end, log: false }
    }
    /// A logarithmic scale; the ends must be positive, else it is linear.
    pub(super) fn log((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        if from > 0.0 && to > from { Self { from: from.ln(), to: to.ln(), start, end, log: true } } else { Self::linear((from, to), (start, end)) }
    }
    /// Pixel of a value; values on an empty scale lie in the middle.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = if self.log { value.max(f64::MIN_POSITIVE).ln() } else { value };
        let share = if self.to > self.from { (value - self.from) / (self.to - self.from) } else { 0.5 };
        self.start + share * (self.end - self.start)
    }
}

/// About `most` round values from 0 to `top`: steps of 1, 2 or 5 times a power of ten.
pub(super) fn ticks(top: f64, most: usize) -> Vec<f64> {
    if !(top > 0.0 && top.is_finite()) {
        return vec![0.0];
    }
    let rough = top / most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough * 0.999).unwrap_or(10.0 * power);
    (0..=(top / step + 1e-9) as usize).map(|i| i as f64 * step).collect()
}

/// A tick in as few digits as it needs.
pub(super) fn tick_label(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Horizontal grid lines with labels on the left.
pub(super) fn horizontal_grid(canvas: &mut Canvas, area: &Area, y: &Scale, ticks: &[f64], label: impl Fn(f64) -> String) {
    for tick in ticks {
        let at = y.at(*tick);
        canvas.line((area.left, at), (area.right, at), palette::GRID, 1.0);
        let text = label(*tick);
        if !text.is_empty() {
            canvas.text((area.left - 8.0, at), &text, &Font::plain(TEXT).ending());
        }
    }
}

/// Vertical grid lines with labels below.
pub(super) fn vertical_grid(canvas: &mut Canvas, area: &Area, x: &Scale, ticks: &[f64], label: impl Fn(f64) -> String) {
    for tick in ticks {
        let at = x.at(*tick);
        canvas.line((at, area.top), (at, area.bottom), palette::GRID, 1.0);
        canvas.text((at, area.bottom + 15.0), &label(*tick), &Font::plain(TEXT).centred());
    }
}

/// The base line, small ticks below it, and labels; what would overlap goes to a second row, or is left out.
pub(super) fn bottom_labels(canvas: &mut Canvas, area: &Area, labels: &[(f64, String)]) {
    canvas.line((area.left, area.bottom), (area.right, area.bottom), palette::AXIS, 1.0);
    let mut free = [f64::NEG_INFINITY; 2];
    for (x, label) in labels {
        canvas.line((*x, area.bottom), (*x, area.bottom + 4.0), palette::AXIS, 1.0);
        let half = text::width(label, TEXT, false) / 2.0;
        let row = free.iter().position(|free| x - half >= *free);
        if let Some(row) = row {
            canvas.text((*x, area.bottom + 16.0 + 15.0 * row as f64), label, &Font::plain(TEXT).centred());
            free[row] = x + half + 8.0;
        }
    }
}

/// Titles of both axes.
pub(super) fn titles(canvas: &mut Canvas, below: (Point, &str), beside: (Point, &str)) {
    canvas.text(below.0, below.1, &Font::plain(14.0).centred().color(palette::SOFT));
    canvas.text(beside.0, beside.1, &Font::plain(14.0).centred().upwards().color(palette::SOFT));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_end_within_the_top() {
        assert_eq!(ticks(68.0, 5), vec![0.0, 20.0, 40.0, 60.0]);
        assert_eq!(ticks(1.06, 5), vec![0.0, 0.5, 1.0]);
        assert_eq!(ticks(0.0, 5), vec![0.0]);
        assert_eq!(tick_label(0.5), "0.5");
        assert_eq!(tick_label(20.0), "20");
    }

    #[test]
    fn log_scale_puts_the_geometric_mean_in_the_middle() {
        let scale = Scale::log((1.0, 100.0), (0.0, 200.0));
        assert!((scale.at(10.0) - 100.0).abs() < 1e-9);
        assert!((Scale::linear((5.0, 5.0), (0.0, 200.0)).at(5.0) - 100.0).abs() < 1e-9);
    }
}

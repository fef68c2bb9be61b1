//! Figures to SVG, with the SVG backend of plotters.
//!
//! One file a chart, each drawing a part of [`crate::figures`] with the primitives of `canvas`. The backend
//! takes whole numbers, so everything is drawn on a grid four times finer than CSS pixels and the view box is
//! scaled back. A last pass over the text adds what the backend leaves out: `<title>` and `<desc>` for readers
//! who do not see the chart, fallbacks for the font, and the size in CSS pixels. Text is measured with the
//! widths of a wide common font, so that labels fit with any fallback.

mod agreement;
mod axis;
mod canvas;
mod causes;
mod curve;
mod dots;
mod fan;
mod heat_map;
mod key;
mod memory;
mod palette;
mod reliability;
mod text;

pub(crate) use palette::class_words;

use canvas::Canvas;

use crate::figures::{Chart, Figure};

/// The drawing area below the title, in CSS pixels.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn width(&self) -> f64 {
        self.right - self.left
    }
    fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// Draws a figure as one SVG document.
pub fn render(figure: &Figure) -> String {
    let raw = Canvas::draw(figure.size, |canvas| {
        let area = heading(canvas, figure);
        match &figure.chart {
            Chart::HeatMap(c) => heat_map::draw(canvas, area, c),
            Chart::Curve(c) => curve::draw(canvas, area, c),
            Chart::Dots(c) => dots::draw(canvas, area, c),
            Chart::Causes(c) => causes::draw(canvas, area, c),
            Chart::Memory(c) => memory::draw(canvas, area, c),
            Chart::Fan(c) => fan::draw(canvas, area, c),
            Chart::Reliability(c) => reliability::draw(canvas, area, c),
            Chart::Agreement(c) => agreement::draw(canvas, area, c),
        }
    });
    finish(&raw, figure)
}

/// Draws title and setup line; returns what is left.
fn heading(canvas: &mut Canvas, figure: &Figure) -> Area {
    let (width, height) = (f64::from(figure.size.0), f64::from(figure.size.1));
    canvas.rect((0.0, 0.0), (width, height), palette::PAPER);
    let room = width - 48.0;
    let size = [20.0, 19.0, 18.0, 17.0].into_iter().find(|size| text::width(&figure.title, *size, true) <= room).unwrap_or(17.0);
    let mut y = 28.0;
    for line in text::wrap(&figure.title, size, true, room, 2) {
        canvas.text((24.0, y), &line, &canvas::Font::bold(size));
        y += 24.0;
    }
    y -= 1.0;
    for line in text::wrap(&figure.subtitle, 14.0, false, room, 2) {
        canvas.text((24.0, y), &line, &canvas::Font::plain(14.0).color(palette::SOFT));
        y += 19.0;
    }
    Area { left: 24.0, top: y + 1.0, right: width - 24.0, bottom: height - 16.0 }
}

/// The last pass: size, words for screen readers, fonts.
fn finish(raw: &str, figure: &Figure) -> String {
    let (width, height) = figure.size;
    let open = raw.find('>').map_or(0, |end| end + 1);
    let body = &raw[open..];
    let body = body
        .replace("font-family=\"sans-serif\"", "font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\"")
        .replace(" opacity=\"1\"", "")
        .replace(" \"/>", "\"/>");
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let scale = u32::from(canvas::SCALE);
    let (w, h) = (width * scale, height * scale);
    let root = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {w} {h}\">");
    format!("{root}\n<title>{}</title>\n<desc>{}</desc>{body}", escape(&figure.title), escape(&figure.description))
}

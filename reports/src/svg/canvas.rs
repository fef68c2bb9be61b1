//! Primitives in CSS pixels over the plotters backend.
//!
//! Coordinates are floats and are rounded to a quarter of a pixel. Writing into a string cannot fail, so
//! results of the backend are dropped here, in one place.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontStyle, FontTransform, IntoFont, RGBAColor, RGBColor, ShapeStyle, TextStyle};

/// Grid units a CSS pixel.
pub(super) const SCALE: u8 = 4;

/// A point in CSS pixels, from the top left.
pub(super) type Point = (f64, f64);

/// A colour with opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Paint(pub(super) u8, pub(super) u8, pub(super) u8, pub(super) f64);

impl Paint {
    /// The same colour, less opaque.
    pub(super) const fn faded(self, alpha: f64) -> Self {
        Self(self.0, self.1, self.2, alpha)
    }
    fn style(self, width: f64) -> ShapeStyle {
        let color = RGBAColor(self.0, self.1, self.2, self.3);
        ShapeStyle { color, filled: true, stroke_width: grid(width).max(1) as u32 }
    }
}

/// How a piece of text looks.
#[derive(Clone, Copy)]
pub(super) struct Font {
    /// Size in CSS pixels.
    pub(super) size: f64,
    bold: bool,
    color: Paint,
    anchor: HPos,
    upright: bool,
}

impl Font {
    /// Plain dark text that starts at its point.
    pub(super) const fn plain(size: f64) -> Self {
        Self { size, bold: false, color: super::palette::INK, anchor: HPos::Left, upright: true }
    }
    /// Bold dark text.
    pub(super) const fn bold(size: f64) -> Self {
        Self { bold: true, ..Self::plain(size) }
    }
    /// In another colour.
    pub(super) const fn color(self, color: Paint) -> Self {
        Self { color, ..self }
    }
    /// Centred on its point.
    pub(super) const fn centred(self) -> Self {
        Self { anchor: HPos::Center, ..self }
    }
    /// Ending at its point.
    pub(super) const fn ending(self) -> Self {
        Self { anchor: HPos::Right, ..self }
    }
    /// Reading upwards.
    pub(super) const fn upwards(self) -> Self {
        Self { upright: false, ..self }
    }
}

/// A drawing in progress.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

fn grid(value: f64) -> i32 {
    (value * f64::from(SCALE)).round() as i32
}

fn on_grid((x, y): Point) -> (i32, i32) {
    (grid(x), grid(y))
}

impl Canvas<'_> {
    /// Runs `draw` on an empty drawing and returns the SVG text.
    pub(super) fn draw(size: (u32, u32), draw: impl FnOnce(&mut Canvas)) -> String {
        let mut text = String::new();
        let scale = u32::from(SCALE);
        let mut canvas = Canvas { backend: SVGBackend::with_string(&mut text, (size.0 * scale, size.1 * scale)) };
        draw(&mut canvas);
        canvas.backend.present().ok();
        drop(canvas);
        text
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: Point, to: Point, paint: Paint, width: f64) {
        self.backend.draw_line(on_grid(from), on_grid(to), &paint.style(width)).ok();
    }

    /// A line through points.
    pub(super) fn path(&mut self, points: &[Point], paint: Paint, width: f64) {
        self.backend.draw_path(points.iter().map(|p| on_grid(*p)), &paint.style(width)).ok();
    }

    /// A dashed line through points; the pattern runs on around corners.
    pub(super) fn dashed(&mut self, points: &[Point], paint: Paint, width: f64, (dash, gap): (f64, f64)) {
        let (mut on, mut left) = (true, dash);
        for pair in points.windows(2) {
            let (mut from, to) = (pair[0], pair[1]);
            let mut length = (to.0 - from.0).hypot(to.1 - from.1);
            while length > 1e-9 {
                let step = left.min(length);
                let next = (from.0 + (to.0 - from.0) * step / length, from.1 + (to.1 - from.1) * step / length);
                if on {
                    self.line(from, next, paint, width);
                }
                (from, length, left) = (next, length - step, left - step);
                if left <= 1e-9 {
                    on = !on;
                    left = if on { dash } else { gap };
                }
            }
        }
    }

    /// A filled polygon.
    pub(super) fn polygon(&mut self, points: &[Point], paint: Paint) {
        self.backend.fill_polygon(points.iter().map(|p| on_grid(*p)), &paint.style(1.0)).ok();
    }

    /// A filled rectangle by two corners.
    pub(super) fn rect(&mut self, from: Point, to: Point, paint: Paint) {
        self.backend.draw_rect(on_grid(from), on_grid(to), &paint.style(1.0), true).ok();
    }

    /// The outline of a rectangle.
    pub(super) fn frame(&mut self, (x0, y0): Point, (x1, y1): Point, paint: Paint, width: f64) {
        self.path(&[(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], paint, width);
    }

    /// A disc.
    pub(super) fn disc(&mut self, centre: Point, radius: f64, paint: Paint) {
        self.backend.draw_circle(on_grid(centre), grid(radius) as u32, &paint.style(1.0), true).ok();
    }

    /// A ring.
    pub(super) fn ring(&mut self, centre: Point, radius: f64, paint: Paint, width: f64) {
        self.backend.draw_circle(on_grid(centre), grid(radius) as u32, &paint.style(width), false).ok();
    }

    /// Lines from the lower left to the upper right, clipped to a rectangle.
    pub(super) fn hatch(&mut self, (x0, y0): Point, (x1, y1): Point, paint: Paint) {
        let (w, h) = (x1 - x0, y1 - y0);
        let mut along = 4.5;
        while along < w + h {
            let from = if along <= h { (x0, y0 + along) } else { (x0 + along - h, y1) };
            let to = if along <= w { (x0 + along, y0) } else { (x1, y0 + along - w) };
            self.line(from, to, paint, 1.25);
            along += 9.0;
        }
    }

    /// Text centred vertically on its point.
    pub(super) fn text(&mut self, at: Point, text: &str, font: &Font) {
        let Paint(r, g, b, alpha) = font.color;
        // The backend divides sizes by 1.24.
        let size = font.size * f64::from(SCALE) * 1.24;
        let face = ("sans-serif", size).into_font().style(if font.bold { FontStyle::Bold } else { FontStyle::Normal });
        let face = if font.upright { face } else { face.transform(FontTransform::Rotate270) };
        let mut style = TextStyle::from(face).pos(Pos::new(font.anchor, VPos::Center));
        style.color = RGBColor(r, g, b).mix(alpha).to_backend_color();
        self.backend.draw_text(text, &style, on_grid(at)).ok();
    }
}

//! Colours and shapes, the same in every chart.
//!
//! Classes of memory, causes and the scale of P(OOM) have fixed colours that colour-blind readers can tell
//! apart; causes have a shape as well, so that prints in greys do.

use sim_core::record::{Cause, MemoryClass};

use super::canvas::{Canvas, Paint, Point};

/// Background of charts.
pub(super) const PAPER: Paint = Paint(255, 255, 255, 1.0);
/// Text.
pub(super) const INK: Paint = Paint(32, 33, 36, 1.0);
/// Second-rank text.
pub(super) const SOFT: Paint = Paint(85, 89, 94, 1.0);
/// Axis lines.
pub(super) const AXIS: Paint = Paint(95, 99, 104, 1.0);
/// Grid lines.
pub(super) const GRID: Paint = Paint(228, 230, 232, 1.0);
/// The colour of P(OOM) as a line.
pub(super) const DEATH: Paint = Paint(0xD5, 0x5E, 0x00, 1.0);
/// Quantities of memory that are not one class.
pub(super) const MEMORY: Paint = Paint(0x00, 0x72, 0xB2, 1.0);
/// Survivors.
pub(super) const SURVIVED: Paint = Paint(0x9A, 0xA0, 0xA6, 1.0);

/// Colour of a class of memory.
pub(super) const fn class(class: MemoryClass) -> Paint {
    match class {
        MemoryClass::System => Paint(0x9A, 0xA0, 0xA6, 1.0),
        MemoryClass::Neighbour => Paint(0x5F, 0x63, 0x68, 1.0),
        MemoryClass::Heap => Paint(0x00, 0x72, 0xB2, 1.0),
        MemoryClass::NonHeap => Paint(0x56, 0xB4, 0xE9, 1.0),
        MemoryClass::Python => Paint(0xCC, 0x79, 0xA7, 1.0),
        MemoryClass::Tmpfs => Paint(0xD5, 0x5E, 0x00, 1.0),
        MemoryClass::PageCache => Paint(0xCF, 0xE8, 0xDF, 1.0),
    }
}

/// Name of a class of memory in keys.
pub(crate) const fn class_words(class: MemoryClass) -> &'static str {
    match class {
        MemoryClass::System => "OS and daemons",
        MemoryClass::Neighbour => "neighbours",
        MemoryClass::Heap => "JVM heap touched",
        MemoryClass::NonHeap => "JVM non-heap, direct",
        MemoryClass::Python => "Python",
        MemoryClass::Tmpfs => "tmpfs scratch",
        MemoryClass::PageCache => "page cache (reclaimable)",
    }
}

/// Colour of a cause.
pub(super) const fn cause(cause: Cause) -> Paint {
    match cause {
        Cause::Container => Paint(0xE6, 0x9F, 0x00, 1.0),
        Cause::Node => Paint(0xD5, 0x5E, 0x00, 1.0),
        Cause::Heap => Paint(0x00, 0x72, 0xB2, 1.0),
        Cause::Eviction => Paint(0xCC, 0x79, 0xA7, 1.0),
        Cause::ScratchFull => Paint(0x00, 0x9E, 0x73, 1.0),
    }
}

/// The shape of a cause, or of survival: `◆ ● ■ ▲ ✚ ○`.
pub(super) fn marker(canvas: &mut Canvas, cause: Option<Cause>, (x, y): Point, r: f64, paint: Paint) {
    match cause {
        Some(Cause::Container) => canvas.polygon(&[(x, y - r * 1.2), (x + r * 1.2, y), (x, y + r * 1.2), (x - r * 1.2, y)], paint),
        Some(Cause::Node) => canvas.disc((x, y), r, paint),
        Some(Cause::Heap) => canvas.rect((x - r * 0.9, y - r * 0.9), (x + r * 0.9, y + r * 0.9), paint),
        Some(Cause::Eviction) => canvas.polygon(&[(x, y - r * 1.1), (x + r * 1.1, y + r * 0.9), (x - r * 1.1, y + r * 0.9)], paint),
        Some(Cause::ScratchFull) => {
            canvas.rect((x - r, y - r * 0.35), (x + r, y + r * 0.35), paint);
            canvas.rect((x - r * 0.35, y - r), (x + r * 0.35, y + r), paint);
        }
        None => canvas.ring((x, y), r * 0.85, paint, 2.0),
    }
}

/// The sequential scale of P(OOM).
pub(super) fn probability(p: f64) -> Paint {
    const STOPS: [(u8, u8, u8); 5] = [(255, 255, 255), (0xFD, 0xE0, 0xC5), (0xF5, 0x9E, 0x72), (0xD5, 0x5E, 0x00), (0x7F, 0x27, 0x04)];
    let at = p.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let i = (at as usize).min(STOPS.len() - 2);
    let mix = |a: u8, b: u8| (f64::from(a) + (at - i as f64) * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (STOPS[i], STOPS[i + 1]);
    Paint(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2), 1.0)
}

/// Text that is legible on a background: white and ink contrast alike near a
/// luminance of 0.2, and white stays on the orange of node deaths.
pub(super) fn on(background: Paint) -> Paint {
    let linear = |c: u8| (f64::from(c) / 255.0).powf(2.2);
    let luminance = 0.2126 * linear(background.0) + 0.7152 * linear(background.1) + 0.0722 * linear(background.2);
    if luminance < 0.23 { PAPER } else { INK }
}

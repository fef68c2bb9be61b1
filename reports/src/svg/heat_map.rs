//! Draws a heat map.

use super::canvas::{Canvas, Font, Paint, Point};
use super::key::{self, Entry};
use super::{Area, axis, palette, text};
use crate::figures::heat_map::{Cell, Contour, HeatMap};
use crate::format;

/// Hatching of undecided cells.
const HATCH: Paint = Paint(70, 74, 80, 0.6);

pub(super) fn draw(canvas: &mut Canvas, area: Area, map: &HeatMap) {
    let widest = |labels: &[String]| labels.iter().map(|l| text::width(l, axis::TEXT, false)).fold(0.0, f64::max);
    let label_room = widest(&map.y.labels).min(area.width() * 0.25);
    let mut grid = Area { left: area.left + 30.0 + label_room, top: area.top + 6.0, right: area.right, bottom: 0.0 };
    let cell_width = grid.width() / map.x.labels.len() as f64;
    let upright = widest(&map.x.labels) <= cell_width - 6.0;
    let below = if upright { 24.0 } else { widest(&map.x.labels).min(130.0) + 10.0 };
    grid.bottom = area.bottom - 34.0 - 24.0 - below;
    let size = (cell_width, grid.height() / map.y.labels.len() as f64);
    let chains: Vec<(f64, Vec<Vec<Point>>)> = map.contours.iter().map(|c| (c.level, chain(c, &grid, size))).collect();
    cells(canvas, map, &grid, size);
    for (level, paths) in &chains {
        for path in paths {
            contour(canvas, *level, path);
        }
    }
    for (i, cell) in map.cells.iter().enumerate() {
        let from = corner(map, &grid, size, i);
        cell_text(canvas, cell, from, size, !chains.is_empty());
    }
    labels(canvas, map, &grid, (cell_width, below), upright);
    scale_key(canvas, (area.left, area.bottom - 10.0), area.right, map);
}

fn corner(map: &HeatMap, grid: &Area, (w, h): (f64, f64), index: usize) -> Point {
    let columns = map.x.labels.len();
    (grid.left + (index % columns) as f64 * w, grid.bottom - ((index / columns) as f64 + 1.0) * h)
}

fn cells(canvas: &mut Canvas, map: &HeatMap, grid: &Area, size: (f64, f64)) {
    for (i, cell) in map.cells.iter().enumerate() {
        let (x, y) = corner(map, grid, size, i);
        let to = (x + size.0, y + size.1);
        if let Some(p) = &cell.p {
            canvas.rect((x, y), to, palette::probability(p.estimate));
        }
        if cell.undecided {
            canvas.hatch((x + 1.0, y + 1.0), (to.0 - 1.0, to.1 - 1.0), HATCH);
        }
        canvas.frame((x, y), to, palette::GRID, 1.0);
    }
}

/// Percentage and interval, as far as the cell has room, on a patch of the cell's colour where lines pass.
fn cell_text(canvas: &mut Canvas, cell: &Cell, (x, y): Point, (w, h): (f64, f64), patch: bool) {
    let centre = (x + w / 2.0, y + h / 2.0);
    let Some(estimate) = &cell.p else {
        if w > 56.0 {
            canvas.text(centre, "not run", &Font::plain(13.0).centred().color(palette::SOFT));
        }
        return;
    };
    let (main, small) = (format::percent(estimate.estimate), format::interval(estimate));
    let background = palette::probability(estimate.estimate);
    let ink = palette::on(background);
    let big = [20.0, 15.0].into_iter().find(|size| text::width(&main, *size, true) <= w - 6.0 && (w > 110.0 && h > 60.0 || *size < 20.0)).unwrap_or(13.0);
    let (main_width, small_width) = (text::width(&main, big, true), text::width(&small, 13.0, false));
    if main_width > w - 4.0 || h < 17.0 {
        return;
    }
    let both = small_width <= w - 6.0 && h >= 38.0;
    let pending = if cell.pending > 0.0 { format!("{} Pending", format::count(cell.pending)) } else { String::new() };
    let three = both && !pending.is_empty() && h >= 58.0 && text::width(&pending, 13.0, false) <= w - 6.0;
    let centre = (centre.0, centre.1 - if three { 9.0 } else { 0.0 });
    let lines = if both { vec![(main_width, centre.1 - 8.0, big), (small_width, centre.1 + big / 2.0 + 2.0, 13.0)] } else { vec![(main_width, centre.1, big)] };
    for (width, y, size) in lines.iter().filter(|_| cell.undecided || patch) {
        let (half, up) = (width / 2.0 + 3.0, size * 0.58);
        canvas.rect((centre.0 - half, y - up), (centre.0 + half, y + up), background);
    }
    if both {
        canvas.text((centre.0, centre.1 - 8.0), &main, &Font::bold(big).centred().color(ink));
        canvas.text((centre.0, centre.1 + big / 2.0 + 2.0), &small, &Font::plain(13.0).centred().color(ink));
        if three {
            canvas.text((centre.0, centre.1 + big / 2.0 + 19.0), &pending, &Font::plain(13.0).centred().color(ink));
        }
    } else {
        canvas.text(centre, &main, &Font::bold(big).centred().color(ink));
    }
}

fn labels(canvas: &mut Canvas, map: &HeatMap, grid: &Area, (cell_width, below): (f64, f64), upright: bool) {
    for (i, label) in map.x.labels.iter().enumerate() {
        let x = grid.left + (i as f64 + 0.5) * cell_width;
        if upright {
            canvas.text((x, grid.bottom + 15.0), label, &Font::plain(axis::TEXT).centred());
        } else {
            let label = text::fit(label, axis::TEXT, false, 130.0);
            canvas.text((x, grid.bottom + 8.0), &label, &Font::plain(axis::TEXT).ending().upwards());
        }
    }
    let height = grid.height() / map.y.labels.len() as f64;
    for (i, label) in map.y.labels.iter().enumerate() {
        let label = text::fit(label, axis::TEXT, false, grid.left - 61.0 + 8.0);
        canvas.text((grid.left - 8.0, grid.bottom - (i as f64 + 0.5) * height), &label, &Font::plain(axis::TEXT).ending());
    }
    let middle = (f64::midpoint(grid.left, grid.right), f64::midpoint(grid.top, grid.bottom));
    axis::titles(canvas, ((middle.0, grid.bottom + below + 9.0), &map.x.title), ((36.0, middle.1), &map.y.title));
}

/// Segments of a contour joined into paths, in pixels.
fn chain(contour: &Contour, grid: &Area, (w, h): (f64, f64)) -> Vec<Vec<Point>> {
    let pixel = |(c, r): (f64, f64)| (grid.left + (c + 0.5) * w, grid.bottom - (r + 0.5) * h);
    let mut rest: Vec<[Point; 2]> = contour.segments.iter().map(|[a, b]| [pixel(*a), pixel(*b)]).collect();
    let near = |a: Point, b: Point| (a.0 - b.0).abs() + (a.1 - b.1).abs() < 1e-6;
    let mut paths = Vec::new();
    while let Some([a, b]) = rest.pop() {
        let mut path = std::collections::VecDeque::from([a, b]);
        loop {
            let (front, back) = (path[0], path[path.len() - 1]);
            if let Some(i) = rest.iter().position(|[a, b]| near(*a, back) || near(*b, back)) {
                let [a, b] = rest.swap_remove(i);
                path.push_back(if near(a, back) { b } else { a });
            } else if let Some(i) = rest.iter().position(|[a, b]| near(*a, front) || near(*b, front)) {
                let [a, b] = rest.swap_remove(i);
                path.push_front(if near(a, front) { b } else { a });
            } else {
                break;
            }
        }
        paths.push(path.into());
    }
    paths
}

fn contour(canvas: &mut Canvas, level: f64, path: &[Point]) {
    canvas.path(path, palette::PAPER.faded(0.75), 4.0);
    if level >= 0.5 {
        canvas.path(path, palette::INK, 2.0);
    } else if level >= 0.05 {
        canvas.dashed(path, palette::INK, 1.75, (8.0, 5.0));
    } else {
        canvas.dashed(path, palette::INK, 1.75, (2.0, 4.0));
    }
}

/// The colour scale, the sign of undecided cells, and the lines.
fn scale_key(canvas: &mut Canvas, (left, y): Point, right: f64, map: &HeatMap) {
    canvas.text((left, y), "P(OOM)", &Font::plain(13.0));
    let (bar, width) = (left + 62.0 + 22.0, 120.0);
    canvas.text((bar - 6.0, y), "0", &Font::plain(13.0).ending());
    for i in 0..60 {
        let x = bar + f64::from(i) * width / 60.0;
        canvas.rect((x, y - 6.0), (bar + width, y + 6.0), palette::probability(f64::from(i) / 59.0));
    }
    canvas.frame((bar, y - 6.0), (bar + width, y + 6.0), palette::GRID, 1.0);
    canvas.text((bar + width + 6.0, y), "100 %", &Font::plain(13.0));
    let mut entries = Vec::new();
    if map.cells.iter().any(|c| c.undecided) {
        let sign = |canvas: &mut Canvas, (x, y): Point| {
            canvas.rect((x - 9.0, y - 7.0), (x + 9.0, y + 7.0), palette::probability(0.3));
            canvas.hatch((x - 9.0, y - 7.0), (x + 9.0, y + 7.0), HATCH);
        };
        let words = if map.contours.is_empty() { "undecided: interval wider than 20 points, or across 50 %" } else { "undecided" };
        entries.push(Entry { sign: Box::new(sign), words: words.into() });
    }
    for line in &map.contours {
        let level = line.level;
        let sign = move |canvas: &mut Canvas, (x, y): Point| contour(canvas, level, &[(x - 11.0, y), (x + 11.0, y)]);
        entries.push(Entry { sign: Box::new(sign), words: format::percent(level) });
    }
    key::draw(canvas, (bar + width + 64.0, y), right, &entries);
}

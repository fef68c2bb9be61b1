//! Columns that fit a width.
//!
//! Numbers are right-aligned, names left-aligned. When the columns together are too wide, optional ones are
//! dropped from the least important on; when the required ones still are, names move to a line of their own.
//! Widths are counted in characters; colour codes are added after padding.

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Names of rows: left-aligned, always there.
    Name,
    /// Always there.
    Always,
    /// Dropped when there is no room; larger numbers go first.
    Drop(u8),
}

/// A column: heading and cells.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) head: String,
    pub(super) keep: Keep,
    pub(super) cells: Vec<String>,
    words: bool,
}

impl Column {
    pub(super) fn new(head: &str, keep: Keep, cells: Vec<String>) -> Self {
        Self { head: head.to_owned(), keep, cells, words: keep == Keep::Name }
    }
    /// A column of words: left-aligned.
    pub(super) fn words(head: &str, keep: Keep, cells: Vec<String>) -> Self {
        Self { words: true, ..Self::new(head, keep, cells) }
    }
    fn width(&self) -> usize {
        self.cells.iter().chain([&self.head]).map(|c| chars(c)).max().unwrap_or(0)
    }
}

/// Number of characters, which is what a terminal shows for our texts.
pub(super) fn chars(text: &str) -> usize {
    text.chars().count()
}

/// The text, cut with an ellipsis.
pub(super) fn cut(text: &str, room: usize) -> String {
    if chars(text) <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

const GAP: usize = 2;

/// The table's lines, none wider than `width`.
pub(super) fn lines(mut columns: Vec<Column>, width: usize, paint: &dyn Fn(&str, usize, &Column) -> String) -> Vec<String> {
    let total = |columns: &[Column]| columns.iter().map(|c| c.width() + GAP).sum::<usize>().saturating_sub(GAP);
    while total(&columns) > width {
        let worst = columns.iter().enumerate().filter_map(|(i, c)| if let Keep::Drop(rank) = c.keep { Some((rank, i)) } else { None }).max();
        let Some((_, index)) = worst else { break };
        columns.remove(index);
    }
    if total(&columns) > width { stacked(&columns, width, paint) } else { flat(&columns, paint) }
}

fn flat(columns: &[Column], paint: &dyn Fn(&str, usize, &Column) -> String) -> Vec<String> {
    let rows = columns.first().map_or(0, |c| c.cells.len());
    let line = |cell: &dyn Fn(&Column) -> String| {
        let padded: Vec<String> = columns.iter().map(cell).collect();
        padded.join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    let mut lines = vec![line(&|c| pad(&c.head, c))];
    lines.extend((0..rows).map(|row| line(&|c| paint(&pad(&c.cells[row], c), row, c))));
    lines
}

/// Names on a line of their own, numbers below them.
fn stacked(columns: &[Column], width: usize, paint: &dyn Fn(&str, usize, &Column) -> String) -> Vec<String> {
    let (names, numbers): (Vec<&Column>, Vec<&Column>) = columns.iter().partition(|c| c.keep == Keep::Name);
    let numbers: Vec<Column> = numbers.into_iter().cloned().collect();
    let below = flat(&numbers, paint);
    let mut lines = vec![format!("  {}", below[0])];
    for (row, numbers) in below[1..].iter().enumerate() {
        let name = names.iter().map(|c| c.cells[row].as_str()).collect::<Vec<_>>().join(", ");
        lines.push(cut(&name, width));
        lines.push(format!("  {numbers}"));
    }
    lines
}

fn pad(cell: &str, column: &Column) -> String {
    let fill = " ".repeat(column.width().saturating_sub(chars(cell)));
    if column.words { format!("{cell}{fill}") } else { format!("{fill}{cell}") }
}

/// A command in lines that a shell takes as one: broken between words, with a backslash, never inside quotes.
pub(super) fn command(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::from(" ");
    for word in crate::verdict::words(text) {
        if !line.trim().is_empty() && chars(&line) + 1 + chars(&word) + 2 > width {
            lines.push(format!("{line} \\"));
            line = String::from(" ");
        }
        line = format!("{line} {word}");
    }
    lines.push(line);
    lines
}

/// A number and its unit stay together: a blank between them becomes one that does not break.
fn glued(text: &str) -> String {
    let mut glued = String::new();
    for word in text.split(' ') {
        let bare = word.trim_end_matches([',', ';', '.', ')', ':']);
        let is_unit = matches!(bare, "%" | "s" | "min" | "h" | "B" | "KiB" | "MiB" | "GiB" | "TiB" | "×");
        let after_number = glued.ends_with(|c: char| c.is_ascii_digit());
        if !glued.is_empty() {
            glued.push(if is_unit && after_number { '\u{a0}' } else { ' ' });
        }
        glued.push_str(word);
    }
    glued
}

/// A sentence in lines no wider than `width`, further lines indented by two.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let glued = glued(text);
    for word in glued.split(' ').filter(|w| !w.is_empty()) {
        let is_empty = line.trim().is_empty();
        if !is_empty && chars(&line) + 1 + chars(word) > width {
            lines.push(std::mem::replace(&mut line, format!("  {word}")));
        } else if is_empty {
            line.push_str(word);
        } else {
            line = format!("{line} {word}");
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

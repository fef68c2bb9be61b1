//! Reading what a stage does: its input and its work, parametric or recorded.
//!
//! `[stage.work]` holds ratios with these defaults: `volume = 1`, `in_memory = 1.6` (8.2), `record = "128 B"` (8.2),
//! `cpu = "100 MB/s"` (Tungsten operators, 8.3: row serialisation and sorting together), `allocation = 4.0`,
//! `unmanaged = "20 MiB"` a task (readers' buffers and batches, JH-1). `[stage.recorded]` holds a `columns` list and
//! one array of integers a row; a column that is absent is zero everywhere and `tasks`, if absent, is one.

use sim_core::spec::InputSource;
use sim_core::units::{ByteRate, Bytes};
use toml::de::DeValue;

use super::parse::MAX_INPUT;
use super::rows::{COLUMNS, MAX_AMOUNT, SEEN_COLUMNS, WeightedRow, from_cells};
use super::table::{Reader, describe, integer, nearest};
use super::{DEFAULT_PER_STREAM, Ratios, RecordedRows, Work};
use crate::diag::Diagnostics;

/// Largest ratio to the input; above it somebody mixed up units.
const MAX_RATIO: f64 = 1000.0;
/// Rows of one stage that a file may hold.
const MAX_FILE_ROWS: usize = 100_000;
/// Tasks that one row may stand for.
const MAX_ROW_TASKS: u64 = 1 << 20;

/// Where rows come from, with the speed of one stream.
pub(super) fn input_source(block: &mut Reader<'_, '_>, out: &mut Diagnostics) -> InputSource {
    let per_stream = block.rate("per_stream", out).unwrap_or(DEFAULT_PER_STREAM).get();
    let remote = InputSource::Remote { per_stream };
    let kinds = [("none", InputSource::None), ("remote", remote), ("local", InputSource::Local), ("cached", InputSource::Cached)];
    let kind = block.choice("from", &kinds, out).unwrap_or(InputSource::None);
    if block.has("per_stream") && !matches!(kind, InputSource::Remote { .. }) {
        out.push(block.error(block.span_of("per_stream"), "`per_stream` needs `from = \"remote\"`").hint("remove `per_stream` or set `from`"));
    }
    kind
}

/// The work: exactly one of `work` and `recorded`.
pub(super) fn work(block: &mut Reader<'_, '_>, input: InputSource, out: &mut Diagnostics) -> Work {
    let ratios = block.child("work", out).map(|child| parametric(child, input, out));
    let rows = block.child("recorded", out).map(|child| recorded(child, out));
    match (ratios, rows) {
        (Some(ratios), None) => return Work::Parametric(ratios),
        (None, Some(rows)) => return Work::Recorded(rows.into_iter().collect()),
        (Some(_), Some(_)) => out.push(block.error(block.span_of("recorded"), "a stage has either `work` or `recorded`, not both").hint("remove one of them")),
        (None, None) if block.has("work") || block.has("recorded") => {}
        (None, None) => {
            out.push(block.error(block.span(), "the stage has no work").expected("`[stage.work]` or `[stage.recorded]`").hint("add `[stage.work]`"));
        }
    }
    Work::Recorded(RecordedRows::default())
}

fn parametric(mut block: Reader<'_, '_>, input: InputSource, out: &mut Diagnostics) -> Ratios {
    let input_default = if input == InputSource::None { 0.0 } else { 1.0 };
    let share = block.ratio("input", MAX_RATIO, out);
    if input == InputSource::None && share.is_some_and(|share| share > 0.0) {
        out.push(block.error(block.span_of("input"), "a stage without storage reads no input").hint("set `from = \"remote\"` in the stage"));
    }
    let record = block.size("record", MAX_INPUT, out).unwrap_or(Bytes::new(128));
    if record.is_zero() {
        out.push(block.error(block.span_of("record"), "a record has at least one byte").found("0").expected("a size above zero"));
    }
    let ratios = Ratios {
        input: share.unwrap_or(input_default),
        volume: block.ratio("volume", MAX_RATIO, out).unwrap_or(1.0),
        shuffle_write: block.ratio("shuffle_write", MAX_RATIO, out).unwrap_or(0.0),
        output: block.ratio("output", MAX_RATIO, out).unwrap_or(0.0),
        record,
        in_memory: block.ratio("in_memory", MAX_RATIO, out).unwrap_or(1.6),
        cpu: block.rate("cpu", out).unwrap_or(ByteRate::mb_per_sec(100)),
        sort: block.boolean("sort", out).unwrap_or(false),
        allocation: block.ratio("allocation", MAX_RATIO, out).unwrap_or(4.0),
        unmanaged: block.size("unmanaged", 1 << 40, out).unwrap_or(Bytes::mib(20)),
        unspillable: block.ratio("unspillable", 1.0, out).unwrap_or(0.0),
    };
    block.finish(out);
    ratios
}

fn recorded(mut block: Reader<'_, '_>, out: &mut Diagnostics) -> Vec<WeightedRow> {
    let columns = block.names("columns", out);
    let columns = block.need("columns", columns, "[\"tasks\", \"cpu_ns\"]", out).unwrap_or_default();
    let mut slots = Vec::new();
    for (name, span) in &columns {
        let slot = if name == "tasks" { Some(Slot::Tasks) } else { slot_of(name) };
        match slot {
            Some(slot) if slots.contains(&slot) => out.push(block.error(span.clone(), format!("column `{name}` is there twice"))),
            Some(slot) => slots.push(slot),
            None => {
                let mut problem = block.error(span.clone(), format!("unknown column `{name}`")).expected(format!(
                    "`tasks`, {}, {}",
                    COLUMNS.join(", "),
                    SEEN_COLUMNS.join(", ")
                ));
                if let Some(near) = nearest(name, &COLUMNS) {
                    problem = problem.hint(format!("did you mean `{near}`?"));
                }
                out.push(problem);
            }
        }
    }
    let rows = block.array("rows", out);
    let rows = block.need("rows", rows, "[[1, 1000000]]", out);
    let mut read = Vec::new();
    for row in rows.map(|rows| rows.iter()).into_iter().flatten() {
        match weighted_row(row.get_ref(), &slots, columns.len()) {
            Ok(row) => read.push(row),
            Err(why) => out.push(block.error(row.span(), why).found(describe(row.get_ref())).expected(format!("a list of {} integers", columns.len()))),
        }
    }
    let count = rows.map_or(1, |rows| rows.len());
    if count == 0 || count > MAX_FILE_ROWS {
        let problem = block.error(block.span_of("rows"), "a recorded stage does not have a usable number of rows");
        out.push(problem.found(format!("{count} rows")).expected(format!("at least one row and at most {MAX_FILE_ROWS}")));
    }
    block.finish(out);
    read
}

/// What a column of the file holds.
#[derive(Clone, Copy, PartialEq)]
enum Slot {
    Tasks,
    Column(usize),
    Seen(usize),
}

fn slot_of(name: &str) -> Option<Slot> {
    let place = |columns: &[&str]| columns.iter().position(|column| *column == name);
    place(&COLUMNS).map(Slot::Column).or_else(|| place(&SEEN_COLUMNS).map(Slot::Seen))
}

fn weighted_row(value: &DeValue<'_>, slots: &[Slot], width: usize) -> Result<WeightedRow, String> {
    let items = value.as_array().ok_or("a row is not a list")?;
    if items.len() != width {
        return Err("a row does not have one value for each column".to_owned());
    }
    let (mut tasks, mut cells, mut seen) = (1, [0; COLUMNS.len()], [0; SEEN_COLUMNS.len()]);
    for (item, slot) in items.iter().zip(slots) {
        let n = integer(item.get_ref()).ok_or("a value is not a whole number")?;
        match slot {
            Slot::Tasks if !(1..=MAX_ROW_TASKS).contains(&n) => return Err("`tasks` is not a number from 1 to 1048576".to_owned()),
            Slot::Tasks => tasks = n as u32,
            Slot::Column(column) => cells[*column] = n,
            Slot::Seen(column) => seen[*column] = n,
        }
    }
    if cells.iter().chain(&seen).any(|n| *n > MAX_AMOUNT) {
        return Err(format!("a value is larger than {MAX_AMOUNT}"));
    }
    Ok(WeightedRow { tasks, total: from_cells(cells), seen })
}

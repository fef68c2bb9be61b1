//! Recorded task rows: thinning and resampling with exact totals.
//!
//! A stage of many tasks is kept as at most a few hundred rows. Rows are ordered by the bytes that they move; the
//! largest ones stay single, because the tail decides who runs out of memory, and the rest is cut into groups of
//! neighbours that are kept as their sums, so totals are exact and the columns of a row stay joint. Another number
//! of tasks is made by cutting the rows' cumulated amounts at the new borders: fewer partitions merge neighbours,
//! more partitions divide each evenly (a hot key that can't be divided is beyond this). All rounding is of cumulated
//! amounts, so that no total drifts.

use std::borrow::Borrow;

use sim_core::spec::TaskRow;
use sim_core::units::{Bytes, SimSpan};

/// The largest amount in one cell of a recorded row; sums are capped there, far above any stage (146 years of CPU time).
pub(crate) const MAX_AMOUNT: u64 = 1 << 62;
/// Share of the kept rows that stay single tasks at the top.
const TAIL_SHARE: usize = 10;

/// Recorded tasks kept as one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedRow {
    /// How many tasks the row stands for.
    pub tasks: u32,
    /// Their sum.
    pub total: TaskRow,
    /// What the recording run saw of them beside their work, summed, in the order of [`SEEN_COLUMNS`]; never replayed.
    pub seen: [u64; SEEN_COLUMNS.len()],
}

impl WeightedRow {
    /// A row of which nothing was seen beside its work.
    pub const fn unseen(tasks: u32, total: TaskRow) -> Self {
        Self { tasks, total, seen: [0; SEEN_COLUMNS.len()] }
    }
}

/// What a recording run saw of a task beside its work: times that belong to the cluster that recorded it, and how its memory was used.
pub const SEEN_COLUMNS: [&str; 13] = [
    "seen_run_ms",
    "seen_gc_ms",
    "seen_fetch_wait_ms",
    "seen_write_ms",
    "seen_deserialize_ms",
    "seen_result_ms",
    "seen_scheduler_ms",
    "seen_remote_read_bytes",
    "seen_peak_execution_bytes",
    "seen_spill_memory_bytes",
    "seen_spill_disk_bytes",
    "seen_input_records",
    "seen_read_records",
];

/// The columns of a row that scale with the work, in the order of the file format.
pub(crate) const COLUMNS: [&str; 11] = [
    "input_bytes",
    "shuffle_read_bytes",
    "shuffle_write_bytes",
    "output_bytes",
    "records",
    "cpu_ns",
    "operator_memory_bytes",
    "writer_memory_bytes",
    "allocated_bytes",
    "unspillable_bytes",
    "unmanaged_bytes",
];
/// Index of the one column that belongs to a task and does not scale with its work.
const UNMANAGED: usize = 10;

/// The columns of a row as numbers.
pub(crate) fn cells(row: &TaskRow) -> [u64; 11] {
    [
        row.input.get(),
        row.shuffle_read.get(),
        row.shuffle_write.get(),
        row.output.get(),
        row.records,
        row.cpu.as_ns(),
        row.operator_memory.get(),
        row.writer_memory.get(),
        row.allocated.get(),
        row.unspillable.get(),
        row.unmanaged.get(),
    ]
}

/// A row from its columns.
pub(crate) fn from_cells(c: [u64; 11]) -> TaskRow {
    TaskRow {
        input: Bytes::new(c[0]),
        shuffle_read: Bytes::new(c[1]),
        shuffle_write: Bytes::new(c[2]),
        output: Bytes::new(c[3]),
        records: c[4],
        cpu: SimSpan::from_ns(c[5]),
        operator_memory: Bytes::new(c[6]),
        writer_memory: Bytes::new(c[7]),
        allocated: Bytes::new(c[8]),
        unspillable: Bytes::new(c[9]),
        unmanaged: Bytes::new(c[10]),
    }
}

/// The sum of two rows, capped.
pub(crate) fn add_rows(a: &TaskRow, b: &TaskRow) -> TaskRow {
    let (a, b) = (cells(a), cells(b));
    from_cells(std::array::from_fn(|i| a[i].saturating_add(b[i]).min(MAX_AMOUNT)))
}

/// The sum of all rows.
pub(super) fn total(rows: impl IntoIterator<Item = impl Borrow<WeightedRow>>) -> TaskRow {
    rows.into_iter().fold(TaskRow::ZERO, |sum, row| add_rows(&sum, &row.borrow().total))
}

/// How many tasks the rows stand for.
pub(super) fn task_count(rows: impl IntoIterator<Item = impl Borrow<WeightedRow>>) -> u32 {
    rows.into_iter().fold(0, |n, row| n.saturating_add(row.borrow().tasks))
}

/// At most `limit` rows with the same totals: the largest stay single, the others become sums of neighbours in size.
/// A list that is short enough stays in its order.
pub(crate) fn thin(rows: Vec<WeightedRow>, limit: usize) -> Vec<WeightedRow> {
    if rows.len() <= limit {
        return rows;
    }
    let mut sorted = rows;
    sorted.sort_by_cached_key(size_of_one);
    let tail = limit / TAIL_SHARE;
    let body = sorted.len() - tail;
    let groups = limit - tail;
    let mut thinned: Vec<WeightedRow> = (0..groups).map(|g| merge(&sorted[body * g / groups..body * (g + 1) / groups])).collect();
    thinned.extend_from_slice(&sorted[body..]);
    thinned
}

/// Bytes that one task of the row moves; CPU time, for rows that move nothing, breaks ties.
fn size_of_one(row: &WeightedRow) -> (u64, u64) {
    let c = cells(&row.total);
    let n = u64::from(row.tasks.max(1));
    ((c[0].saturating_add(c[1]).saturating_add(c[2])) / n, c[5] / n)
}

fn merge(rows: &[WeightedRow]) -> WeightedRow {
    let seen = rows.iter().fold([0; SEEN_COLUMNS.len()], |sum, row| std::array::from_fn(|i| row.seen[i].saturating_add(sum[i]).min(MAX_AMOUNT)));
    WeightedRow { tasks: task_count(rows), total: total(rows), seen }
}

/// `count` task rows whose totals are the rows' totals times `factor` (a fraction), rounded once.
pub(super) fn resample(rows: &[WeightedRow], count: u32, factor: (u64, u64)) -> Vec<TaskRow> {
    let recorded = task_count(rows).max(1);
    let mut columns: Vec<[u64; 11]> = vec![[0; 11]; count as usize];
    for (column, _) in COLUMNS.iter().enumerate() {
        let scaled = if column == UNMANAGED { (u64::from(count), u64::from(recorded)) } else { factor };
        let totals: Vec<(u32, u64)> = rows.iter().map(|row| (row.tasks, cells(&row.total)[column])).collect();
        cut(&totals, recorded, count, scaled, |task, amount| columns[task][column] = amount);
    }
    if recorded as usize > rows.len() {
        columns = spread(columns);
    }
    columns.into_iter().map(from_cells).collect()
}

/// Cuts the cumulated amounts of `rows` (tasks, sum) into `count` equal spans of tasks.
fn cut(rows: &[(u32, u64)], recorded: u32, count: u32, (num, den): (u64, u64), mut put: impl FnMut(usize, u64)) {
    let whole: u64 = rows.iter().fold(0, |sum, (_, amount)| sum.saturating_add(*amount));
    let end = scale_exact(whole, num, den);
    let (mut row, mut before_tasks, mut before_amount) = (0, 0u64, 0u64);
    let mut given = 0;
    for task in 0..count {
        let border = u128::from(task + 1) * u128::from(recorded);
        while row + 1 < rows.len() && u128::from(before_tasks + u64::from(rows[row].0)) * u128::from(count) < border {
            before_tasks += u64::from(rows[row].0);
            before_amount = before_amount.saturating_add(rows[row].1);
            row += 1;
        }
        let inside = (border as f64 / f64::from(count) - before_tasks as f64).max(0.0) / f64::from(rows.get(row).map_or(1, |r| r.0.max(1)));
        let amount = before_amount as f64 + rows.get(row).map_or(0.0, |r| r.1 as f64) * inside.min(1.0);
        let upto = if task + 1 == count { end } else { ((amount * (num as f64 / den.max(1) as f64)).round() as u64).clamp(given, end) };
        put(task as usize, upto - given);
        given = upto;
    }
}

/// `amount · num / den` to the nearest integer, capped so that later sums fit.
pub(super) fn scale_exact(amount: u64, num: u64, den: u64) -> u64 {
    let den = u128::from(den.max(1));
    let product = u128::from(amount).saturating_mul(u128::from(num)).saturating_add(den / 2);
    u64::try_from(product / den).unwrap_or(u64::MAX).min(MAX_AMOUNT)
}

/// Thinned rows are ordered by size; tasks of a stage start in index order, and a run whose large tasks all come last
/// is not the recorded one. A fixed stride of the golden ratio spreads the sizes evenly.
fn spread<T>(items: Vec<T>) -> Vec<T> {
    let mut keyed: Vec<(u64, T)> = items.into_iter().enumerate().map(|(i, item)| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15), item)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(tasks: u32, seed: u64) -> WeightedRow {
        WeightedRow::unseen(tasks, from_cells(std::array::from_fn(|i| seed.wrapping_mul(i as u64 + 7) % 1_000_003)))
    }

    proptest! {
        #[test]
        fn thinning_keeps_totals_and_the_largest(seeds in prop::collection::vec(any::<u64>(), 1..600), limit in 10usize..200) {
            let rows: Vec<_> = seeds.iter().map(|s| row(1, *s)).collect();
            let thinned = thin(rows.clone(), limit);
            prop_assert!(thinned.len() <= limit);
            prop_assert_eq!(total(&thinned), total(&rows));
            prop_assert_eq!(task_count(&thinned), task_count(&rows));
            prop_assert_eq!(thinned.iter().map(size_of_one).max(), rows.iter().map(size_of_one).max());
        }

        #[test]
        fn resampling_keeps_totals(seeds in prop::collection::vec((1u32..9, any::<u64>()), 1..60), count in 1u32..300, num in 1u64..50, den in 1u64..50) {
            let rows: Vec<_> = seeds.iter().map(|(n, s)| row(*n, *s)).collect();
            let (want, got) = (cells(&total(&rows)), resample(&rows, count, (num, den)));
            prop_assert_eq!(got.len(), count as usize);
            for (column, want) in want.iter().enumerate().take(UNMANAGED) {
                let sum: u64 = got.iter().map(|r| cells(r)[column]).sum();
                prop_assert_eq!(sum, scale_exact(*want, num, den));
            }
        }
    }

    #[test]
    fn the_recorded_count_gives_the_recorded_rows() {
        let rows: Vec<_> = (0..37).map(|i| row(1, i * 7919)).collect();
        let same: Vec<_> = rows.iter().map(|r| r.total).collect();
        assert_eq!(resample(&rows, 37, (1, 1)), same);
    }

    #[test]
    fn fewer_partitions_merge_neighbours_and_more_divide_them() {
        let rows: Vec<_> = [10, 30, 50, 70].map(|n| WeightedRow::unseen(1, from_cells([n; 11]))).to_vec();
        let writes = |count| resample(&rows, count, (1, 1)).iter().map(|r| r.shuffle_write.get()).collect::<Vec<_>>();
        assert_eq!(writes(2), [40, 120]);
        assert_eq!(writes(8), [5, 5, 15, 15, 25, 25, 35, 35]);
        let unmanaged: Vec<_> = resample(&rows, 2, (3, 1)).iter().map(|r| r.unmanaged.get()).collect();
        assert_eq!(unmanaged, [20, 60], "what a task holds does not grow with the input");
    }
}

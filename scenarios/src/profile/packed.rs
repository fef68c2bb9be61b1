//! Task rows in few bytes, in a profile and for as long as a log is read.
//!
//! A row has two dozen numbers, of which a task of a query uses about one, most of them small. It is kept as a mask of the
//! columns that are not zero and those columns in groups of seven bits: some 45 bytes in place of 200. What is unpacked
//! equals what was packed, and equal rows are packed alike. Room grows by a quarter at a time, so that little of it is empty.

use std::fmt;

use sim_core::spec::TaskRow;

use super::rows::{COLUMNS, SEEN_COLUMNS, WeightedRow, cells, from_cells};

/// Columns of a row: its work, then what was seen of it.
const WIDTH: usize = COLUMNS.len() + SEEN_COLUMNS.len();
/// Bytes of a number in groups of seven bits, at most.
const LONGEST_NUMBER: usize = 10;

/// The rows of a recorded stage.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RecordedRows(PackedRows);

impl RecordedRows {
    /// The rows, in their order.
    pub fn iter(&self) -> impl Iterator<Item = WeightedRow> + '_ {
        self.0.iter().map(|(_, row)| row)
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl FromIterator<WeightedRow> for RecordedRows {
    fn from_iter<I: IntoIterator<Item = WeightedRow>>(rows: I) -> Self {
        let mut packed = PackedRows::default();
        rows.into_iter().for_each(|row| packed.push(0, &row));
        packed.bytes.shrink_to_fit();
        Self(packed)
    }
}

impl fmt::Debug for RecordedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Rows with their partitions, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackedRows {
    bytes: Vec<u8>,
    len: usize,
}

impl PackedRows {
    /// Adds a row.
    pub(crate) fn push(&mut self, partition: u64, row: &WeightedRow) {
        let mut text = Row { bytes: [0; LONGEST_NUMBER * (WIDTH + 3)], len: 0 };
        let work = cells(&row.total);
        let columns = || work.iter().chain(&row.seen).enumerate().filter(|(_, n)| **n > 0);
        text.number(partition);
        text.number(u64::from(row.tasks));
        text.number(columns().fold(0, |mask, (column, _)| mask | 1 << column));
        columns().for_each(|(_, n)| text.number(*n));
        let text = &text.bytes[..text.len];
        if self.bytes.capacity() - self.bytes.len() < text.len() {
            self.bytes.reserve_exact(text.len().max(self.bytes.len() / 4));
        }
        self.bytes.extend_from_slice(text);
        self.len += 1;
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that they take, with room for more.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// The rows with their partitions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, WeightedRow)> + '_ {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (partition, tasks, mask) = (number(&mut rest), number(&mut rest), number(&mut rest));
            let all: [u64; WIDTH] = std::array::from_fn(|column| if mask & (1 << column) > 0 { number(&mut rest) } else { 0 });
            let total: TaskRow = from_cells(std::array::from_fn(|column| all[column]));
            // `tasks` was a 32-bit number.
            Some((partition, WeightedRow { tasks: tasks as u32, total, seen: std::array::from_fn(|column| all[COLUMNS.len() + column]) }))
        })
    }
}

/// One row while it is packed.
struct Row {
    bytes: [u8; LONGEST_NUMBER * (WIDTH + 3)],
    len: usize,
}

impl Row {
    /// Adds a number, seven bits a byte, the lowest first; the upper bit says that more follow.
    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.bytes[self.len] = n as u8 | 0x80;
            self.len += 1;
            n >>= 7;
        }
        self.bytes[self.len] = n as u8;
        self.len += 1;
    }
}

/// Takes the first number off.
fn number(rest: &mut &[u8]) -> u64 {
    let (mut n, mut shift) = (0, 0);
    while let Some((byte, after)) = rest.split_first() {
        *rest = after;
        n |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_number() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0u64), 0u64..300, any::<u64>()]
    }

    fn any_numbers<const N: usize>() -> impl Strategy<Value = [u64; N]> {
        prop::collection::vec(any_number(), N).prop_map(|numbers| numbers.try_into().unwrap())
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_went_in(rows in prop::collection::vec((any_number(), any::<u32>(), any_numbers::<{ COLUMNS.len() }>(), any_numbers::<{ SEEN_COLUMNS.len() }>()), 0..50)) {
            let rows: Vec<_> = rows.into_iter().map(|(partition, tasks, work, seen)| (partition, WeightedRow { tasks, total: from_cells(work), seen })).collect();
            let kept: RecordedRows = rows.iter().map(|(_, row)| *row).collect();
            prop_assert!(kept.iter().eq(rows.iter().map(|(_, row)| *row)));
            let mut packed = PackedRows::default();
            rows.iter().for_each(|(partition, row)| packed.push(*partition, row));
            prop_assert_eq!(packed.len(), rows.len());
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), rows);
        }
    }

    #[test]
    fn a_row_of_a_usual_task_takes_a_quarter_of_what_it_was() {
        let mut packed = PackedRows::default();
        // A map task: shuffle bytes, records, CPU time, memory of operator and writer, allocation, 20 MiB; six times.
        let total = from_cells([0, 0, 9_000_000, 0, 60_000, 1_400_000_000, 33_000_000, 30_600_000, 122_400_000, 0, 20 << 20]);
        for partition in 0..1000 {
            packed.push(partition, &WeightedRow { tasks: 1, total, seen: [900, 12, 0, 40, 3, 1, 5, 0, 33_000_000, 0, 0, 0, 0] });
        }
        assert!(packed.held() <= 1000 * 60, "{} bytes", packed.held());
        assert!(size_of::<(u64, WeightedRow)>() >= 180);
    }
}

//! The serialised shuffle writer: rows in pages, a pointer array, and its spills.
//!
//! Rows are appended to pages behind a length prefix; a pointer for each row sits in an array that doubles when it is
//! full, old and new side by side while it is copied. A page or an array that is not granted in full makes the writer
//! spill everything and start again with the initial array (US-2 to US-4); so does a number of rows, or from Spark 4.1 on a
//! size, that the user sets. Assumes rows of one size; [`plan_spills`] also a constant share of execution memory, so that all
//! spills are alike. Source: 2.3, A17, A25 (a real run of 3.4); the size threshold from the byte code of 4.3.

use super::page::MAX_PAGES_PER_TASK;
use crate::units::Bytes;

/// Length prefix of a row in a page on the platforms that align freely (US-1).
pub const RECORD_PREFIX: Bytes = Bytes::new(4);
/// Largest page that this writer uses, whatever the task's page size (US-1).
pub const MAX_PAGE: Bytes = Bytes::mib(128);
/// `spark.shuffle.spill.numElementsForceSpillThreshold` (2.2).
pub const FORCE_SPILL_RECORDS: u64 = 2_147_483_647;
/// Bytes of one slot of this writer's pointer array (US-2).
pub const SLOT: u64 = 8;
/// Largest initial pointer array, the length of a JVM array.
const MAX_SLOTS: u64 = i32::MAX as u64;

/// What one map task writes, and with how much memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsafeWriterInput {
    /// Execution memory that the task can hold.
    pub share: Bytes,
    /// Page size of the executor (MEM-33).
    pub page_size: Bytes,
    /// Rows that the task writes.
    pub records: u64,
    /// Rows that are in memory already, with all that they took: what is granted decides on the next ones only.
    pub in_memory: u64,
    /// Serialised size of a row, without the prefix.
    pub record_bytes: Bytes,
    /// `spark.shuffle.sort.initialBufferSize`, slots.
    pub initial_slots: u64,
    /// Bytes of a slot: [`SLOT`], or twice that where a sort prefix or a hash stands beside the pointer (2.8).
    pub slot_bytes: u64,
    /// `spark.shuffle.sort.useRadixSort`: half of the array is work space, else a third (US-2).
    pub radix_sort: bool,
    /// Rows after which the writer spills in any case, see [`FORCE_SPILL_RECORDS`].
    pub force_spill_records: u64,
    /// Pages and pointer array with which the writer spills before the next row
    /// (`spark.shuffle.spill.maxSizeInBytesForSpillThreshold`, 4.1); [`Bytes::MAX`] for no limit.
    pub force_spill_bytes: Bytes,
}

/// How a map task spills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spills {
    /// Managed memory held when the writer decides to spill; without a spill, at the end.
    pub memory_at_spill: Bytes,
    /// Most managed memory allocated at any time, the copy of the pointer array included.
    pub memory_peak: Bytes,
    /// Rows in each spill file but the last; without a spill, all rows.
    pub records_per_spill: u64,
    /// Rows in the last file.
    pub records_in_last: u64,
    /// Files before merging, the last one included; zero rows make none (2.3).
    pub files: u32,
    /// Pages freed by the spills: Spark's metric "memory bytes spilled" (US-8).
    pub memory_spilled: Bytes,
}

/// Why a map task fails instead of spilling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpillError {
    /// Not even an empty writer gets what one row needs: `SparkOutOfMemoryError` (1.4, MEM-30).
    OutOfMemory {
        /// What the row and its pointer need.
        needed: Bytes,
        /// What the task can hold.
        available: Bytes,
    },
    /// The task would need more pages than a task may hold (MEM-32).
    TooManyPages,
}

/// A writer that has been filled from empty, until it spills or all rows are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Rows in memory.
    pub records: u64,
    /// Pages and pointer array held.
    pub held: Bytes,
    /// Pages alone: what Spark's metric "memory bytes spilled" counts (US-8).
    pub pages: Bytes,
    /// Most that was held at any time, the copy of the pointer array included.
    pub peak: Bytes,
}

/// How a task with these rows and this memory spills (US-1 to US-6).
///
/// # Errors
/// When the share is too small for a single row, or pages are too small for the share.
pub fn plan_spills(input: &UnsafeWriterInput) -> Result<Spills, SpillError> {
    let filled = fill(input)?;
    let files = input.records.div_ceil(filled.records.max(1));
    let spills = files.saturating_sub(1);
    Ok(Spills {
        memory_at_spill: filled.held,
        memory_peak: filled.peak,
        records_per_spill: filled.records,
        records_in_last: input.records - spills * filled.records,
        files: u32::try_from(files).unwrap_or(u32::MAX),
        memory_spilled: Bytes::new(filled.pages.get().saturating_mul(spills)),
    })
}

/// The least with which an empty writer takes in a row: its first array and a page as large as the row.
pub fn least(initial_slots: u64, slot_bytes: u64, record_bytes: Bytes) -> Bytes {
    Bytes::new(initial_slots.clamp(2, MAX_SLOTS) * slot_bytes) + record_bytes + RECORD_PREFIX
}

/// Fills an empty writer until its share, a threshold or the rows end (US-1 to US-3), one pointer array after the other.
///
/// # Errors
/// As [`plan_spills`].
pub fn fill(input: &UnsafeWriterInput) -> Result<Filled, SpillError> {
    fill_behind(input, certainly_filled)
}

/// The same behind an array that is known to fill up.
fn fill_behind(input: &UnsafeWriterInput, known: impl Fn(&UnsafeWriterInput, u64, u64, u64) -> Option<Level>) -> Result<Filled, SpillError> {
    let required = input.record_bytes + RECORD_PREFIX;
    let share = input.share.get();
    let mut slots = input.initial_slots.clamp(2, MAX_SLOTS);
    let slot = input.slot_bytes;
    let first = slots * slot;
    let needed = least(input.initial_slots, slot, input.record_bytes);
    if input.records > 0 && input.share < needed {
        return Err(SpillError::OutOfMemory { needed, available: input.share });
    }
    // A writer that has just spilled takes a page smaller than usual if the share has no room for a whole one.
    let page = input.page_size.min(MAX_PAGE).max(required).get().min(share.saturating_sub(first)).max(required.get());
    let limit = input.records.min(input.force_spill_records.max(1));
    let per_page = page / required.get();
    let (mut pages, mut records, mut peak) = (0, 0, first);
    if let Some(filled) = known(input, limit, page, per_page) {
        (pages, records) = (filled.rows.div_ceil(per_page), filled.rows);
        if pages > MAX_PAGES_PER_TASK {
            return Err(SpillError::TooManyPages);
        }
        peak = pages * page + 3 * filled.array;
        slots = 2 * filled.array / slot;
    }
    while records < limit {
        let level = Level { array: slots * slot, rows: limit.min(usable(slots, input.radix_sort)), page, per_page };
        let forced;
        let granted = if level.rows <= input.in_memory { u64::MAX } else { share };
        (pages, records, forced) = level.fill(pages, records, granted, input.force_spill_bytes.get());
        if pages > MAX_PAGES_PER_TASK {
            return Err(SpillError::TooManyPages);
        }
        peak = peak.max(pages * page + level.array);
        // Old and new array coexist until the pointers are copied.
        let with_copy = (pages * page).saturating_add(slots * 3 * slot);
        if forced || records < level.rows || records == limit || with_copy > share && records >= input.in_memory {
            break;
        }
        slots *= 2;
        peak = peak.max(with_copy);
    }
    Ok(Filled { records, held: Bytes::new(pages * page + slots * slot), pages: Bytes::new(pages * page), peak: Bytes::new(peak) })
}

/// The last of the arrays that fill up for sure, with their copies, whatever comes after them: in a large share that is a dozen
/// one after the other, and all that they leave behind follows from the last. Found with a bound on the pages instead of their
/// number, which would be a division for each array.
fn certainly_filled(input: &UnsafeWriterInput, limit: u64, page: u64, per_page: u64) -> Option<Level> {
    let per_row = page.div_ceil(per_page);
    let mut last = None;
    let mut slots = input.initial_slots.clamp(2, MAX_SLOTS);
    loop {
        let (array, rows) = (slots * input.slot_bytes, usable(slots, input.radix_sort));
        let most = rows.saturating_mul(per_row).saturating_add(page).saturating_add(3 * array);
        let fits = most <= input.share.get() || rows < input.in_memory;
        if rows >= limit || most >= input.force_spill_bytes.get() || !fits {
            return last;
        }
        last = Some(Level { array, rows, page, per_page });
        slots *= 2;
    }
}

/// The writer while it has one pointer array.
struct Level {
    /// Bytes of the array.
    array: u64,
    /// Rows at which the array is full, or all are in.
    rows: u64,
    page: u64,
    per_page: u64,
}

impl Level {
    /// Pages and rows when this array is full, or no page is granted, or (then `true`) the size threshold is met: that is looked
    /// at before a row is taken in, so the row for which page or array grew past it still goes in.
    fn fill(&self, pages: u64, records: u64, share: u64, force_spill_bytes: u64) -> (u64, u64, bool) {
        let needed = self.rows.div_ceil(self.per_page);
        let fitting = (share - self.array) / self.page;
        let least = (records + 1).div_ceil(self.per_page);
        let forced = force_spill_bytes.saturating_sub(self.array).div_ceil(self.page).max(least);
        if forced <= needed.min(fitting) {
            (forced, (records + 1).max((forced - 1) * self.per_page + 1), true)
        } else if needed <= fitting {
            (needed, self.rows, false)
        } else {
            (fitting.max(pages), (fitting * self.per_page).max(records), false)
        }
    }
}

/// Rows that a pointer array of `slots` holds: half with radix sort, two thirds with `TimSort` (US-2).
const fn usable(slots: u64, radix_sort: bool) -> u64 {
    if radix_sort { slots / 2 } else { slots * 2 / 3 }
}

/// Most scratch that one map task occupies: a single file is moved into place, several stay until they are merged
/// (US-6, US-7).
pub fn scratch_peak(out: Bytes, files: u32) -> Bytes {
    if files >= 2 { out * 2 } else { out }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sizes of all magnitudes, with small steps where arrays and pages end.
    fn size() -> impl Strategy<Value = u64> {
        (0..34_u32, -2..3_i64).prop_map(|(bits, off)| (1_u64 << bits).saturating_add_signed(off).max(1))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        /// One array after the other from the first gives what the jump over those that fill for sure gives.
        #[test]
        fn arrays_that_fill_for_sure_can_be_left_out(
            (share, page, records, in_memory) in (size(), size(), size(), size()),
            (record, slots, force_records, force_bytes) in (1..5000_u64, 1..10_000_u64, size(), size()),
            (wide, radix_sort, forced) in any::<(bool, bool, bool)>(),
        ) {
            let input = UnsafeWriterInput {
                share: Bytes::new(share),
                page_size: Bytes::new(page),
                records,
                in_memory: in_memory.min(records),
                record_bytes: Bytes::new(record),
                initial_slots: slots,
                slot_bytes: if wide { 16 } else { SLOT },
                radix_sort,
                force_spill_records: if forced { force_records } else { FORCE_SPILL_RECORDS },
                force_spill_bytes: if forced { Bytes::new(force_bytes) } else { Bytes::MAX },
            };
            // What is in memory has had its memory: a share below it is no state of a run.
            let held = fill_behind(&UnsafeWriterInput { records: input.in_memory, share: Bytes::MAX, ..input }, |_, _, _, _| None);
            let input = match held {
                Ok(held) => UnsafeWriterInput { share: input.share.max(held.held), ..input },
                Err(_) => UnsafeWriterInput { in_memory: 0, ..input },
            };
            prop_assert_eq!(fill(&input), fill_behind(&input, |_, _, _, _| None));
        }
    }

    fn a17() -> UnsafeWriterInput {
        UnsafeWriterInput {
            share: Bytes::new(1_241_304_268),
            page_size: Bytes::new(67_108_848),
            records: 30_000_000,
            in_memory: 0,
            record_bytes: Bytes::new(100),
            initial_slots: 4096,
            slot_bytes: SLOT,
            radix_sort: true,
            force_spill_records: FORCE_SPILL_RECORDS,
            force_spill_bytes: Bytes::MAX,
        }
    }

    #[test]
    fn a17_the_pointer_array_is_refused() {
        let spills = plan_spills(&a17()).expect("fits");
        assert_eq!(spills.memory_at_spill, Bytes::new(1_073_741_600));
        assert_eq!((spills.records_per_spill, spills.records_in_last, spills.files), (8_388_608, 4_834_176, 4));
        assert_eq!(spills.memory_spilled, Bytes::new(3 * 939_523_872));
    }

    #[test]
    fn a25_the_26th_page_is_refused() {
        let input =
            UnsafeWriterInput { share: Bytes::new(455_501_414), page_size: Bytes::new(16_777_200), records: 2_000_000, record_bytes: Bytes::new(212), ..a17() };
        let spills = plan_spills(&input).expect("fits");
        assert_eq!(spills.memory_at_spill, Bytes::new(452_984_432));
        assert_eq!((spills.records_per_spill, spills.records_in_last, spills.files), (1_941_800, 58_200, 2));
        assert_eq!(spills.memory_spilled, Bytes::new(419_430_000));
    }

    #[test]
    fn a18_scratch_peak_by_files() {
        let out = Bytes::new(1_000_000_000);
        assert_eq!((scratch_peak(out, 4), scratch_peak(out, 1)), (Bytes::new(2_000_000_000), out));
    }

    /// 3 GB of input, shuffle ratio 0.47, 4 executors, 3 passes retained and one running.
    #[test]
    fn a23_repartition_scratch() {
        let out = Bytes::new(3_000_000_000).scale(0.47 / 4.0);
        assert_eq!(out * 3 + scratch_peak(out, 2), Bytes::new(1_762_500_000));
    }

    /// Replays US-1 to US-4 a row at a time: (records per spill, files, bytes held at the first spill, pages' bytes spilled).
    fn row_by_row(input: &UnsafeWriterInput) -> (u64, u32, u64, u64) {
        let (required, share) = (input.record_bytes.get() + 4, input.share.get());
        let slot = input.slot_bytes;
        let (mut array, mut pages, mut room, mut rows) = (input.initial_slots * slot, Vec::<u64>::new(), 0, 0);
        let (mut spills, mut spilled, mut first) = (0, 0, None);
        for _ in 0..input.records {
            let held = array + pages.iter().sum::<u64>();
            let full = rows == if input.radix_sort { array / slot / 2 } else { ((array / slot) as f64 / 1.5) as u64 };
            let array_refused = full && held + 2 * array > share;
            let grown = if full && !array_refused { array * 2 } else { array };
            let page_refused = room < required && !array_refused && held - array + grown + input.page_size.get().max(required) > share;
            let forced = rows >= input.force_spill_records || rows > 0 && held >= input.force_spill_bytes.get();
            if forced || array_refused || page_refused && !pages.is_empty() {
                // The array has been doubled already when it is the page that is refused.
                let held = if forced { held } else { held - array + grown };
                first.get_or_insert((rows, held));
                spilled += pages.iter().sum::<u64>();
                (array, room, rows, spills) = (input.initial_slots * slot, 0, 0, spills + 1);
                pages.clear();
            } else {
                array = grown;
            }
            if room < required {
                room = input.page_size.get().max(required).min(share - array);
                pages.push(room);
            }
            room -= required;
            rows += 1;
        }
        let at_end = array + pages.iter().sum::<u64>();
        let (per_spill, held) = first.unwrap_or((rows, at_end));
        (per_spill, spills + u32::from(rows > 0), held, spilled)
    }

    #[test]
    fn us_1_to_us_4_agree_with_a_replay_of_every_row() {
        for share in [40_000, 100_000, 700_000, 1 << 20, 3_333_333, 20 << 20, 1 << 30] {
            for (page, record) in [(1 << 16, 16), (1 << 20, 100), (1_048_560, 212), (1 << 16, 5000), (1 << 12, 5_000)] {
                let forced = [(u64::MAX, Bytes::MAX), (3000, Bytes::MAX), (u64::MAX, Bytes::mib(1)), (u64::MAX, Bytes::kib(50)), (2000, Bytes::kib(300))];
                let variants = forced.into_iter().flat_map(|f| [(true, SLOT, f), (false, SLOT, f), (true, 2 * SLOT, f), (false, 2 * SLOT, f)]);
                for (radix_sort, slot_bytes, (force_spill_records, force_spill_bytes)) in variants {
                    let input = UnsafeWriterInput {
                        share: Bytes::new(share),
                        page_size: Bytes::new(page),
                        records: 50_000,
                        record_bytes: Bytes::new(record),
                        radix_sort,
                        slot_bytes,
                        initial_slots: 4096 * SLOT / slot_bytes,
                        force_spill_records,
                        force_spill_bytes,
                        ..a17()
                    };
                    let Ok(plan) = plan_spills(&input) else {
                        assert!(share / page.max(record + 4) > 8192, "more pages than a task may hold: {input:?}");
                        continue;
                    };
                    let ours = (plan.records_per_spill, plan.files, plan.memory_at_spill.get(), plan.memory_spilled.get());
                    assert_eq!(ours, row_by_row(&input), "{input:?}");
                }
            }
        }
    }

    /// US-2: at 2048 rows the array of 4096 slots is full; 16 B a row and 24 B while it is copied.
    #[test]
    fn us_2_the_index_costs_16_bytes_a_record_and_24_in_transit() {
        let input = UnsafeWriterInput { share: Bytes::gib(1), page_size: Bytes::mib(1), records: 1 << 20, record_bytes: Bytes::ZERO, ..a17() };
        let spills = plan_spills(&input).expect("fits");
        assert_eq!(spills.memory_at_spill, Bytes::mib(4) + Bytes::mib(16));
        assert_eq!(spills.files, 1);
        let just_doubled = UnsafeWriterInput { records: (1 << 19) + 1, ..input };
        let pages = Bytes::mib(2);
        assert_eq!(plan_spills(&just_doubled).expect("fits").memory_peak, pages + Bytes::new(24 << 20), "24 B for each of 2^20 slots in use");
    }

    #[test]
    fn us_2_timsort_uses_two_thirds_of_the_array() {
        let radix = UnsafeWriterInput { share: Bytes::mib(20), page_size: Bytes::mib(1), records: 10_000_000, record_bytes: Bytes::new(12), ..a17() };
        let tim = UnsafeWriterInput { radix_sort: false, ..radix };
        // Pages hold 65 536 rows. With the array of 8 MiB full, 8 pages are held (radix) or 11 (TimSort); 16 MiB more is refused.
        assert_eq!(plan_spills(&radix).expect("fits").records_per_spill, 524_288);
        assert_eq!(plan_spills(&tim).expect("fits").records_per_spill, 699_050);
    }

    #[test]
    fn us_3_the_record_threshold_forces_a_spill() {
        let spills = plan_spills(&UnsafeWriterInput { records: 1000, force_spill_records: 300, ..a17() }).expect("fits");
        assert_eq!((spills.records_per_spill, spills.records_in_last, spills.files), (300, 100, 4));
    }

    #[test]
    fn no_records_make_no_file() {
        let spills = plan_spills(&UnsafeWriterInput { records: 0, share: Bytes::ZERO, ..a17() }).expect("nothing to hold");
        assert_eq!((spills.files, spills.records_in_last, spills.memory_spilled), (0, 0, Bytes::ZERO));
    }

    #[test]
    fn a_share_below_one_row_fails_the_task() {
        let error = plan_spills(&UnsafeWriterInput { share: Bytes::new(32_768 + 103), ..a17() });
        assert_eq!(error, Err(SpillError::OutOfMemory { needed: Bytes::new(32_872), available: Bytes::new(32_871) }));
    }

    #[test]
    fn us_1_a_row_larger_than_a_page_gets_its_own() {
        let spills = plan_spills(&UnsafeWriterInput { records: 20, record_bytes: Bytes::mib(128), ..a17() }).expect("fits");
        // 1 241 304 268 B hold the first array and 9 pages of 128 MiB + 4 B.
        assert_eq!((spills.records_per_spill, spills.files), (9, 3));
    }
}

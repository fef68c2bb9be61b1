//! The sort writer: live objects in a collection that doubles its claim on memory.
//!
//! Every 32nd record the collection's estimated size is compared with what it may hold; if it is larger it asks for twice
//! its size, and spills when it still holds more than it may (ES-2). The first 5 MiB are never asked for. Assumes
//! objects of one size, an exact estimate and a constant share, so that all spills are alike; the error of the real
//! estimate (ES-3) belongs to the uncertain object expansion. Source: 2.5.

use super::bypass_writer::{CODEC_BUFFERS, FILE_BUFFER};
use crate::units::Bytes;

/// Records between two looks at the size (ES-2).
const CHECK_EVERY: u64 = 32;

/// What one map task collects, and with how much memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortWriterInput {
    /// Execution memory that the task can hold.
    pub share: Bytes,
    /// `spark.shuffle.spill.initialMemoryThreshold`: held without asking, 5 MiB (ES-2).
    pub initial_threshold: Bytes,
    /// Records that the task collects (after combining, with an aggregator).
    pub records: u64,
    /// Heap that a record takes as live objects (8.4).
    pub object_bytes: Bytes,
    /// `spark.shuffle.spill.numElementsForceSpillThreshold`: with more records than this the collection spills.
    pub force_spill_records: u64,
    /// `spark.shuffle.spill.maxSizeInBytesForSpillThreshold` (4.1): above this size the collection spills; [`Bytes::MAX`] for none.
    pub force_spill_bytes: Bytes,
}

/// How a map task spills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortSpills {
    /// Live bytes of the collection when it spills; without a spill, at the end. Up to the initial threshold and the last
    /// 31 records more than the memory manager knows of.
    pub memory_at_spill: Bytes,
    /// Execution memory claimed when it spills; without a spill, at the end.
    pub claimed: Bytes,
    /// Records in each spill file; without a spill, all records.
    pub records_per_spill: u64,
    /// Spill files; what is left in memory at the end is merged without a file of its own (ES-6).
    pub spill_files: u32,
}

/// What the collection asks for at a look: `2·current − threshold`, or nothing while it is below the threshold (ES-2).
pub fn request(current: Bytes, threshold: Bytes) -> Option<Bytes> {
    (current >= threshold).then(|| Bytes::new(current.get().saturating_mul(2)) - threshold)
}

/// How a task with these objects and this memory spills (ES-2, ES-3).
pub fn plan_spills(input: &SortWriterInput) -> SortSpills {
    let object = input.object_bytes.get().max(1);
    let mut threshold = input.initial_threshold;
    let mut records_per_spill = input.records;
    let mut claimed = Bytes::ZERO;
    let mut spills = false;
    // Both thresholds are looked at with every record, and before the size is (byte code of 4.3).
    let forced = input.force_spill_records.min(input.force_spill_bytes.get() / object).saturating_add(1);
    // The next look at which the size has reached the threshold; each round doubles it, so there are few.
    while let Some(look) = look_at(threshold, object).filter(|&look| look <= input.records && look < forced) {
        let current = Bytes::new(look.saturating_mul(object));
        let granted = request(current, threshold).unwrap_or_default().min(input.share.saturating_sub(claimed));
        claimed += granted;
        threshold += granted;
        if current >= threshold {
            records_per_spill = look;
            spills = true;
            break;
        }
    }
    if !spills && forced <= input.records {
        (records_per_spill, spills) = (forced, true);
    }
    let spill_files = if spills { input.records / records_per_spill } else { 0 };
    SortSpills {
        memory_at_spill: Bytes::new(records_per_spill.saturating_mul(object)),
        claimed,
        records_per_spill,
        spill_files: u32::try_from(spill_files).unwrap_or(u32::MAX),
    }
}

/// First record count, a positive multiple of 32, at which the objects reach the threshold.
fn look_at(threshold: Bytes, object: u64) -> Option<u64> {
    threshold.get().div_ceil(object).max(1).checked_next_multiple_of(CHECK_EVERY)
}

/// Most scratch that one map task occupies: spill files stay until the output is complete (ES-6).
pub fn scratch_peak(out: Bytes, spill_files: u32) -> Bytes {
    if spill_files >= 1 { out * 2 } else { out }
}

/// Heap that merging takes: all spill files are open at once, each with a file buffer and codec state (ES-7).
pub fn merge_buffers(spill_files: u32, compress: bool) -> Bytes {
    let codec = if compress { CODEC_BUFFERS } else { Bytes::ZERO };
    (FILE_BUFFER + codec) * u64::from(spill_files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(share: Bytes, records: u64, object: u64) -> SortWriterInput {
        SortWriterInput {
            share,
            initial_threshold: Bytes::mib(5),
            records,
            object_bytes: Bytes::new(object),
            force_spill_records: u64::MAX,
            force_spill_bytes: Bytes::MAX,
        }
    }

    /// Replays ES-2 a record at a time: (records per spill, claimed at the first spill, spills).
    fn record_by_record(input: &SortWriterInput) -> (u64, u64, u32) {
        let (mut threshold, mut claimed, mut in_memory, mut spills) = (input.initial_threshold.get(), 0, 0, 0);
        let (mut first, mut first_claim) = (None, 0);
        for _ in 0..input.records {
            in_memory += 1;
            let current = in_memory * input.object_bytes.get();
            let forced = in_memory > input.force_spill_records || current > input.force_spill_bytes.get();
            if forced || in_memory % 32 == 0 && current >= threshold {
                let granted = if forced { 0 } else { (2 * current - threshold).min(input.share.get() - claimed) };
                claimed += granted;
                threshold += granted;
                if forced || current >= threshold {
                    if first.is_none() {
                        (first, first_claim) = (Some(in_memory), claimed);
                    }
                    (threshold, claimed, in_memory, spills) = (input.initial_threshold.get(), 0, 0, spills + 1);
                }
            }
        }
        (first.unwrap_or(input.records), if first.is_some() { first_claim } else { claimed }, spills)
    }

    #[test]
    fn es_2_agrees_with_a_replay_of_every_record() {
        for share in [0, 1, 100_000, 7 << 20, 64 << 20, 1 << 30] {
            for (records, object) in [(0, 50), (31, 1 << 20), (32, 1 << 20), (200_000, 56), (200_000, 333), (5_000, 40_000), (100, 6 << 20)] {
                for (force_spill_records, force_spill_bytes) in [(u64::MAX, Bytes::MAX), (1000, Bytes::MAX), (u64::MAX, Bytes::mib(9)), (99_999, Bytes::kib(7))]
                {
                    let case = SortWriterInput { force_spill_records, force_spill_bytes, ..input(Bytes::new(share), records, object) };
                    let plan = plan_spills(&case);
                    assert_eq!((plan.records_per_spill, plan.claimed.get(), plan.spill_files), record_by_record(&case), "{case:?}");
                }
            }
        }
    }

    /// ES-2 by hand: 1 KiB objects; the first look with 5 MiB is at record 5120 and asks 5 MiB, which makes 10 MiB; at
    /// 10 240 it asks 10 MiB and gets the 3 MiB that are left; at 13 312 it gets nothing and spills.
    #[test]
    fn es_2_the_collection_doubles_until_its_share_ends() {
        let plan = plan_spills(&input(Bytes::mib(8), 30_000, 1024));
        assert_eq!((plan.memory_at_spill, plan.claimed), (Bytes::mib(13), Bytes::mib(8)));
        assert_eq!((plan.records_per_spill, plan.spill_files), (13_312, 2));
    }

    #[test]
    fn es_2_the_first_5_mib_are_free() {
        let plan = plan_spills(&input(Bytes::ZERO, 5119, 1024));
        assert_eq!((plan.claimed, plan.spill_files), (Bytes::ZERO, 0));
        assert_eq!(plan_spills(&input(Bytes::ZERO, 5120, 1024)).spill_files, 1);
    }

    #[test]
    fn es_6_spill_files_stay_until_the_output_is_complete() {
        let out = Bytes::mib(100);
        assert_eq!((scratch_peak(out, 0), scratch_peak(out, 1)), (out, Bytes::mib(200)));
        assert_eq!(merge_buffers(4, true), Bytes::kib(320));
    }
}

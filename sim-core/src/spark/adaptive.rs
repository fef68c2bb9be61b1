//! Adaptive execution's arithmetic: which shuffle partitions become one task, and which are split.
//!
//! When all maps of a query stage have ended, Spark knows the size of each shuffle partition (of all shuffles that one stage
//! reads, together) and plans the reading stage anew. Small neighbours are *coalesced* until the next one would pass the target
//! size; a partition of a join that is much larger than the median is *split* by ranges of maps, and what it is joined with is
//! read once for each piece. Sizes are what map statuses say, powers of 1.1 rounded up, or averages from 2000 partitions on.
//! Assumption: all maps hold the same share of a partition, so a split is into even pieces. Source: Spark's
//! `ShufflePartitionsUtil`, `OptimizeSkewedJoin` and `MapStatus`; recordings of the real functions are replayed as a test.

use crate::units::Bytes;

/// A piece or a predecessor that is smaller than this share of the target is merged with its neighbour.
const SMALL_PIECE: f64 = 0.2;
/// Two neighbouring pieces that are together smaller than this multiple of the target are merged.
const MERGED_PIECES: f64 = 1.2;
/// Base of the scale on which a map status keeps the size of a block (FR-5).
const LOG_BASE: f64 = 1.1;
/// Shuffles with more partitions than this keep one average size a map for its ordinary blocks
/// (`spark.shuffle.minNumPartitionsToHighlyCompress`, FR-5).
pub const HIGHLY_COMPRESSED_ABOVE: usize = 2000;

/// Partitions `first..end` that one task reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First partition.
    pub first: u32,
    /// One past the last.
    pub end: u32,
}

/// The size in bytes that tasks are made for: the advisory size, less if that would leave fewer than `least_tasks` tasks for
/// `total` bytes, and never below `smallest`.
pub fn target_size(total: u64, advisory: u64, least_tasks: u32, smallest: u64) -> u64 {
    total.div_ceil(u64::from(least_tasks.max(1))).min(advisory).max(smallest)
}

/// Coalesces neighbours of `sizes` (bytes of each partition). A task is closed when the next partition would take it over
/// `target`; one that would then be smaller than `smallest` is given to the smaller of its neighbours instead. Empty
/// partitions at the ends of a task are dropped when the whole task is empty. At least one range comes back, unless `may_be_empty`.
pub fn coalesce(sizes: &[u64], target: u64, smallest: u64, may_be_empty: bool) -> Vec<Range> {
    let mut made: Vec<Range> = Vec::new();
    let (mut first, mut size, mut last_size) = (0, 0_u64, None::<u64>);
    for (i, &next) in sizes.iter().enumerate() {
        if i == first || size.saturating_add(next) <= target {
            size = size.saturating_add(next);
        } else if size >= smallest {
            if size > 0 {
                made.push(range(first, i));
            }
            (first, last_size, size) = (i, Some(size), next);
        } else if let Some(before) = last_size.filter(|&before| before > 0 && before < next) {
            // Too small a task, and the one before is smaller than the one that follows.
            join_last(&mut made, i);
            (first, last_size, size) = (i, Some(before + size), next);
        } else {
            size = size.saturating_add(next);
        }
    }
    if size < smallest && last_size.is_some_and(|before| before > 0) {
        join_last(&mut made, sizes.len());
    } else if size > 0 || (made.is_empty() && !may_be_empty) {
        made.push(range(first, sizes.len()));
    }
    made
}

fn range(first: usize, end: usize) -> Range {
    Range { first: first as u32, end: end as u32 }
}

fn join_last(made: &mut [Range], end: usize) {
    if let Some(last) = made.last_mut() {
        last.end = end as u32;
    }
}

/// Size above which a partition of a join is skewed: `factor` medians, and `threshold` at least. Bytes.
pub fn skew_threshold(sizes: &[u64], factor: f64, threshold: u64) -> u64 {
    (threshold as f64).max(median(sizes) as f64 * factor) as u64
}

/// Median as Spark takes it: the mean of the middle two for an even number, and 1 at least.
fn median(sizes: &[u64]) -> u64 {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    let n = sorted.len();
    let middle = match n {
        0 => 0,
        _ if n.is_multiple_of(2) => u64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
        _ => sorted[n / 2],
    };
    middle.max(1)
}

/// Size of the pieces of a skewed partition: the mean of the partitions that are not skewed, the advisory size at least.
pub fn skew_target(sizes: &[u64], skewed_above: u64, advisory: u64) -> u64 {
    let (mut sum, mut count) = (0_u64, 0_u64);
    for &size in sizes.iter().filter(|&&size| size <= skewed_above) {
        sum += size;
        count += 1;
    }
    sum.checked_div(count).map_or(advisory, |mean| mean.max(advisory))
}

/// Splits a partition by its maps' sizes: the first map of each piece. A piece is closed when the next map would take it over
/// `target`; small pieces join the one before.
pub fn split(maps: &[u64], target: u64) -> Vec<u32> {
    let mut starts = vec![0_u32];
    let (mut size, mut before) = (0_u64, None::<u64>);
    for (i, &next) in maps.iter().enumerate() {
        if i > 0 && size + next > target {
            close_piece(&mut starts, &mut before, size, target);
            starts.push(i as u32);
            size = next;
        } else {
            size += next;
        }
    }
    close_piece(&mut starts, &mut before, size, target);
    starts
}

/// Ends the piece that starts at the last of `starts`, or gives it to the one before.
fn close_piece(starts: &mut Vec<u32>, before: &mut Option<u64>, size: u64, target: u64) {
    let small = |bytes: u64| (bytes as f64) < target as f64 * SMALL_PIECE;
    match *before {
        Some(last) if ((size + last) as f64) < target as f64 * MERGED_PIECES || small(size) || small(last) => {
            starts.pop();
            *before = Some(last + size);
        }
        _ => *before = Some(size),
    }
}

/// What the driver believes that a partition of `bytes`, evenly written by `maps` maps, holds. `mean` is the mean of all partitions.
pub fn believed_size(bytes: u64, maps: u32, partitions: usize, mean: u64, accurate_above: Bytes) -> u64 {
    let maps = u64::from(maps.max(1));
    let block = bytes as f64 / maps as f64;
    if partitions > HIGHLY_COMPRESSED_ABOVE && block < accurate_above.as_f64() {
        return mean;
    }
    if bytes == 0 {
        return 0;
    }
    let exponent = if block <= 1.0 { 1.0 } else { libm::ceil(libm::log(block) / libm::log(LOG_BASE)).min(255.0) };
    libm::pow(LOG_BASE, exponent) as u64 * maps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(sizes: &[u64], target: u64, smallest: u64) -> Vec<(u32, u32)> {
        coalesce(sizes, target, smallest, false).iter().map(|r| (r.first, r.end)).collect()
    }

    #[test]
    fn neighbours_join_until_the_next_would_pass_the_target() {
        assert_eq!(ranges(&[10, 20, 30, 40, 50], 60, 0), [(0, 3), (3, 4), (4, 5)]);
        assert_eq!(ranges(&[100, 1, 1, 100], 60, 0), [(0, 1), (1, 3), (3, 4)]);
    }
    #[test]
    fn tasks_below_the_least_size_go_to_the_smaller_neighbour() {
        assert_eq!(ranges(&[50, 5, 70], 60, 10), [(0, 2), (2, 3)], "55 fit together");
        assert_eq!(ranges(&[58, 5, 70], 60, 10), [(0, 2), (2, 3)], "58 before is less than 70 after");
        assert_eq!(ranges(&[58, 5, 57], 60, 10), [(0, 1), (1, 3)], "57 after is less than 58 before");
    }
    #[test]
    fn empty_partitions_make_no_task_but_there_is_at_least_one() {
        assert_eq!(ranges(&[0, 0, 0], 60, 1), [(0, 3)]);
        assert!(coalesce(&[0, 0, 0], 60, 1, true).is_empty());
    }
    #[test]
    fn targets_leave_enough_tasks_but_none_below_the_least_size() {
        assert_eq!(target_size(1000, 64, 10, 1), 64);
        assert_eq!(target_size(1000, 64, 100, 1), 10);
        assert_eq!(target_size(1000, 64, 100, 20), 20);
    }
    #[test]
    fn only_what_is_far_above_the_median_is_skewed() {
        let sizes = [10, 10, 10, 10, 400];
        assert_eq!(skew_threshold(&sizes, 5.0, 30), 50);
        assert_eq!(skew_threshold(&sizes, 5.0, 256), 256);
        assert_eq!(skew_target(&sizes, 50, 64), 64);
        assert_eq!(skew_target(&[90, 110, 4000], 500, 64), 100);
    }
    #[test]
    fn a_split_is_by_maps_and_leaves_no_crumbs() {
        assert_eq!(split(&[40; 4], 80), [0, 2]);
        assert_eq!(split(&[40, 40, 40, 40, 5], 80), [0, 2], "5 is less than a fifth of 80");
        assert_eq!(split(&[100], 10), [0], "one map cannot be split");
    }
    #[test]
    fn statuses_overstate_by_a_tenth_at_most() {
        for bytes in [1_000_u64, 12_345, 10_000_000, 987_654_321] {
            let believed = believed_size(bytes, 10, 200, 0, Bytes::mib(100));
            assert!(believed >= bytes * 99 / 100 && believed <= bytes * 11 / 10 + 10, "{bytes}: {believed}");
        }
        assert_eq!(believed_size(5, 1, 2001, 77, Bytes::mib(100)), 77, "averages beyond 2000 partitions");
    }
}

//! Which process the kernel kills when memory runs out.
//!
//! `points = RSS + page tables + oom_score_adj · (total pages / 1000)`, in pages of 4 KiB, with the division first;
//! most points lose (6.3). Total is the node's memory for a global OOM and the limit of the cgroup that is over for a
//! memcg OOM. Files in tmpfs are not in any process's RSS, so the owner of a large scratch volume is not preferred
//! (VS-3), and for a limit above the container the adjustment decides, not usage (VS-2). What a process has in swap counts as its RSS does, and the swap that may be used is part of the total; no bonus for
//! root, as in current kernels.

use crate::units::Bytes;

/// Page size of the nodes.
const PAGE: u64 = 4096;
/// A process with this `oom_score_adj` is never chosen.
const NEVER: i32 = -1000;

/// A process, as the OOM killer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Resident memory: anonymous and mapped pages, not tmpfs files.
    pub rss: Bytes,
    /// Page tables.
    pub page_tables: Bytes,
    /// `oom_score_adj`, −1000 to 1000.
    pub oom_score_adj: i32,
}

impl Candidate {
    /// A process with so much resident memory in pages of 4 KiB, and the page tables for it: 8 bytes a page.
    pub fn resident(rss: Bytes, oom_score_adj: i32) -> Self {
        Self { rss, page_tables: Bytes::new(rss.get() / 512), oom_score_adj }
    }
}

/// Badness in pages; `i64::MIN` for a process that is never chosen (6.3).
pub fn points(candidate: &Candidate, total_pages: u64) -> i64 {
    if candidate.oom_score_adj <= NEVER {
        return i64::MIN;
    }
    let pages = |bytes: Bytes| i64::try_from(bytes.get() / PAGE).unwrap_or(i64::MAX);
    let thousandth = i64::try_from(total_pages / 1000).unwrap_or(i64::MAX);
    let adjustment = i64::from(candidate.oom_score_adj).saturating_mul(thousandth);
    // One above the mark of those that are never chosen, should an adjustment saturate.
    pages(candidate.rss).saturating_add(pages(candidate.page_tables)).saturating_add(adjustment).max(i64::MIN + 1)
}

/// Index of the process that dies: the most points, the last where several have as many (`oom_evaluate_task`). `limit_or_ram` is the limit
/// of the cgroup that is over, or the node's memory (6.3). None when nothing can be killed.
pub fn victim(candidates: &[Candidate], limit_or_ram: Bytes) -> Option<usize> {
    let total_pages = limit_or_ram.get() / PAGE;
    let mut worst: Option<(usize, i64)> = None;
    for (index, candidate) in candidates.iter().enumerate() {
        let points = points(candidate, total_pages);
        if points > i64::MIN && worst.is_none_or(|(_, most)| points >= most) {
            worst = Some((index, points));
        }
    }
    worst.map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(rss_mib: u64, oom_score_adj: i32) -> Candidate {
        Candidate { rss: Bytes::mib(rss_mib), page_tables: Bytes::ZERO, oom_score_adj }
    }

    fn kubepods() -> Bytes {
        Bytes::from_f64(58.52 * f64::from(1 << 30))
    }

    /// Points as GiB.
    fn gib(candidate: &Candidate, limit: Bytes) -> f64 {
        points(candidate, limit.get() / PAGE) as f64 * PAGE as f64 / f64::from(1 << 30)
    }

    #[test]
    fn vs2_points_at_the_kubepods_limit() {
        // Executor request 9011 MiB (adj 863): RSS 9.5 GiB -> 60.0, 8.0 GiB -> 58.50; agent of 0.3 GiB with 999 -> 58.76; 50 MiB best-effort -> 58.57.
        let cases = [(9728, 863, 60.00), (8192, 863, 58.50), (307, 999, 58.76), (50, 1000, 58.57)];
        for (rss, adj, expected) in cases {
            let points = gib(&process(rss, adj), kubepods());
            assert!((points - expected).abs() < 0.006, "{rss} MiB, adj {adj}: {points} GiB");
        }
    }

    #[test]
    fn vs2_small_daemons_die_before_an_executor_full_of_tmpfs() {
        let (agent, best_effort) = (process(307, 999), process(50, 1000));
        assert_eq!(victim(&[process(9728, 863), agent, best_effort], kubepods()), Some(0));
        assert_eq!(victim(&[process(8192, 863), agent, best_effort], kubepods()), Some(1));
        assert_eq!(victim(&[process(8192, 863), best_effort], kubepods()), Some(1));
    }

    #[test]
    fn vs2_gap_is_the_request_scaled() {
        // (1000 − 863)/1000 · 58.52 GiB = 8.02 GiB above a best-effort process without memory.
        let gap = gib(&process(0, 1000), kubepods()) - gib(&process(0, 863), kubepods());
        assert!((gap - 8.02).abs() < 0.005, "{gap}");
    }

    #[test]
    fn total_is_divided_by_1000_before_it_is_multiplied() {
        // 1999 pages: one page a point, not 1.999.
        assert_eq!(points(&process(0, 1000), 1999), 1000);
        assert_eq!(points(&process(0, -997), 262_144), -997 * 262);
        // 4 KiB pages, partial ones dropped: 1 MiB is 256.
        let candidate = Candidate { rss: Bytes::mib(1), page_tables: Bytes::new(8191), oom_score_adj: 0 };
        assert_eq!(points(&candidate, 1_000_000), 257);
    }

    #[test]
    fn minus_1000_is_never_chosen() {
        assert_eq!(points(&process(60_000, -1000), 1 << 24), i64::MIN);
        assert_eq!(victim(&[process(60_000, -1000), process(1, -999)], Bytes::gib(64)), Some(1));
        assert_eq!(victim(&[process(60_000, -1000)], Bytes::gib(64)), None);
        assert_eq!(victim(&[], Bytes::gib(64)), None);
    }

    #[test]
    fn vs1_in_one_container_the_largest_process_dies_and_the_last_of_equals() {
        let python = [process(3000, 863), process(4000, 863), process(4000, 863)];
        assert_eq!(victim(&python, Bytes::mib(9011)), Some(2));
    }

    #[test]
    fn absurd_numbers_do_not_panic() {
        let huge = Candidate { rss: Bytes::MAX, page_tables: Bytes::MAX, oom_score_adj: 1000 };
        assert_eq!(victim(&[huge], Bytes::MAX), Some(0));
        // Saturates, but is not mistaken for a process that is never chosen.
        assert_eq!(points(&process(0, -999), u64::MAX), i64::MIN + 1);
        assert_eq!(victim(&[process(0, -1000), process(0, -999)], Bytes::MAX), Some(1));
    }
}

//! Adaptive execution's arithmetic against 1,100 answers of the real functions (`tests/recorders/adaptive`).

use sim_core::spark::adaptive::{believed_size, coalesce, split, target_size};
use sim_core::units::Bytes;

const RECORDED: &str = include_str!("data/adaptive-spark-3.5.txt");

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().map(|n| n.parse().expect("a number")).collect()
}

/// The recorded lines of one kind: setting, sizes, answer.
fn cases(kind: &str) -> Vec<(Vec<u64>, Vec<u64>, &'static str)> {
    let parse = |line: &'static str| {
        let mut parts = line.strip_prefix(kind)?.split('|');
        let setting = numbers(parts.next()?);
        Some((setting, parts.next().map(numbers).unwrap_or_default(), parts.next().unwrap_or_default().trim()))
    };
    RECORDED.lines().filter_map(parse).collect()
}

#[test]
fn coalescing_makes_the_tasks_that_spark_makes() {
    let all = cases("coalesce ");
    assert_eq!(all.len(), 600);
    let mut coalesced = 0;
    for (setting, sizes, answer) in all {
        let [advisory, least, smallest] = setting[..] else { panic!("{setting:?}") };
        let target = target_size(sizes.iter().sum(), advisory, least as u32, smallest);
        let made = coalesce(&sizes, target, smallest, false);
        if answer.is_empty() {
            assert_eq!(made.len(), sizes.len(), "{setting:?} {sizes:?}");
            continue;
        }
        coalesced += 1;
        let made: Vec<String> = made.iter().map(|r| format!("{}-{}", r.first, r.end)).collect();
        assert_eq!(made.join(" "), answer, "{setting:?} {sizes:?}");
    }
    assert!(coalesced > 400, "only {coalesced} cases coalesce anything");
}

#[test]
fn skewed_partitions_are_split_where_spark_splits_them() {
    let all = cases("split ");
    assert_eq!(all.len(), 400);
    for (setting, maps, answer) in all {
        let starts: Vec<u64> = split(&maps, setting[0]).into_iter().map(u64::from).collect();
        assert_eq!(starts, numbers(answer), "{setting:?} {maps:?}");
    }
}

/// FR-5: what a map status says of a block.
#[test]
fn fr_5_sizes_of_blocks_are_rounded_up_to_powers_of_1_1() {
    let all = cases("status ");
    assert_eq!(all.len(), 100);
    for (pair, _, _) in all {
        assert_eq!(believed_size(pair[0], 1, 200, 0, Bytes::mib(100)), pair[1], "{pair:?}");
    }
}

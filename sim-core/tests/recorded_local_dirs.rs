//! The directory rule against a scan of the three local directories of a real Spark 4.3 application.
//!
//! 324 files: data, index and checksum of 100 map outputs, and 24 cached partitions. Recorder: `tests/recorders/local_dirs`.

use sim_core::spark::local_dir::of_name;

const SCAN: &str = include_str!("data/local-dirs-spark-4.3.txt");

fn files() -> impl Iterator<Item = (&'static str, usize)> {
    SCAN.lines().filter_map(|line| line.split_once('\t')).map(|(name, dir)| (name, dir.parse().expect("a number")))
}

/// CM-3: every file lies where its name hashes to.
#[test]
fn cm_3_real_files_lie_where_their_names_hash_to() {
    assert_eq!(files().count(), 324);
    for (name, dir) in files() {
        assert_eq!(of_name(name, 3), dir, "{name}");
    }
}

/// Few files are uneven: of the 100 map outputs one directory has a quarter more than another, and a rule that spread them evenly
/// would be wrong by that much.
#[test]
fn cm_3_a_hundred_outputs_are_not_spread_evenly() {
    let mut outputs = [0; 3];
    files().filter(|(name, _)| name.contains(".data")).for_each(|(_, dir)| outputs[dir] += 1);
    assert_eq!(outputs.iter().sum::<i32>(), 100);
    let (least, most) = (outputs.iter().min().expect("three"), outputs.iter().max().expect("three"));
    assert!(f64::from(*most) > 1.1 * f64::from(*least), "{outputs:?}");
}

//! Which local directory a file lies in: the hash of its name, whatever room there is.
//!
//! `DiskBlockManager.getFile` takes the non-negative Java hash of the file's name modulo the number of directories, and what is left
//! of it picks one of `spark.diskStore.subDirectories`. Map outputs and cached blocks have names that follow from their numbers;
//! spills, fetched blocks and the bypass writer's partition files have random ones, so a few large files may well meet in one
//! directory. On YARN each executor puts its directories into an order of its own first. Assumptions: that order is a rotation;
//! index and checksum files lie with their data; a task's number in Spark is its number here. Source: CM-3, CM-4;
//! `DiskBlockManager`, `Utils.nonNegativeHash`, `Utils.getConfiguredLocalDirs` (compared with a scan of real directories).

use std::fmt::Write as _;

/// `String.hashCode` of an ASCII name.
fn java_hash(name: &str) -> i32 {
    name.bytes().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte)))
}

/// Number of the directory, of so many, that a file of this name lies in.
pub fn of_name(name: &str, dirs: usize) -> usize {
    java_hash(name).checked_abs().unwrap_or(0) as usize % dirs
}

/// The directory of a map output.
pub(crate) fn of_map_output(shuffle: usize, map_id: u64, dirs: usize) -> usize {
    of_formatted(format_args!("shuffle_{shuffle}_{map_id}_0.data"), dirs)
}

/// The directory of a cached partition.
pub(crate) fn of_cached(rdd: usize, partition: u32, dirs: usize) -> usize {
    of_formatted(format_args!("rdd_{rdd}_{partition}"), dirs)
}

fn of_formatted(name: std::fmt::Arguments<'_>, dirs: usize) -> usize {
    let mut text = String::with_capacity(48);
    text.write_fmt(name).map_or(0, |()| of_name(&text, dirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes by `jshell`: "" is 0, "polygenelubricants" the smallest integer, whose absolute value does not exist.
    #[test]
    fn cm_3_the_hash_is_javas_and_never_negative() {
        assert_eq!((java_hash(""), java_hash("a"), java_hash("shuffle_0_12_0.data")), (0, 97, 997_211_377));
        assert_eq!((java_hash("polygenelubricants"), of_name("polygenelubricants", 3)), (i32::MIN, 0));
        assert_eq!(of_name("shuffle_0_12_0.data", 3), 997_211_377 % 3);
    }

    /// With two directories consecutive outputs alternate but for carries: ten of twenty in each.
    #[test]
    fn cm_3_two_directories_share_consecutive_outputs_evenly() {
        let first = (0..20).filter(|&map| of_map_output(0, map, 2) == 0).count();
        assert_eq!(first, 10);
    }
}

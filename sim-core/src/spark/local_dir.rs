//! Which local directory a file lies in: the hash of its name, whatever room there is.
//!
//! `DiskBlockManager.getFile` takes the non-negative Java hash of the file's name modulo the number of directories, and what is left
//! of it picks one of `spark.diskStore.subDirectories`. Map outputs and cached blocks have names that follow from their numbers;
//! spills, fetched blocks and the bypass writer's partition files have random ones, so a few large files may well meet in one
//! directory. On YARN each executor puts its directories into an order of its own first. Assumptions: that order is a rotation;
//! index and checksum files lie with their data; a task's number in Spark is its number here. Source: CM-3, CM-4;
//! `DiskBlockManager`, `Utils.nonNegativeHash`, `Utils.getConfiguredLocalDirs` (compared with a scan of real directories).

/// `String.hashCode` of an ASCII name, part after part: names are hashed for every task, so they are never written out.
#[derive(Clone, Copy, Default)]
struct JavaHash(i32);

impl JavaHash {
    fn text(self, text: &str) -> Self {
        Self(text.bytes().fold(self.0, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte))))
    }
    /// A number in decimal.
    fn number(self, number: u64) -> Self {
        let before = if number < 10 { self } else { self.number(number / 10) };
        Self(before.0.wrapping_mul(31).wrapping_add(i32::from(b'0') + (number % 10) as i32))
    }
    /// The directory of so many; the absolute value of the smallest integer is none.
    fn dir(self, dirs: usize) -> usize {
        self.0.checked_abs().unwrap_or(0) as usize % dirs
    }
}

/// Number of the directory, of so many, that a file of this name lies in.
pub fn of_name(name: &str, dirs: usize) -> usize {
    JavaHash::default().text(name).dir(dirs)
}

/// The directory of a map output.
pub(crate) fn of_map_output(shuffle: usize, map_id: u64, dirs: usize) -> usize {
    JavaHash::default().text("shuffle_").number(shuffle as u64).text("_").number(map_id).text("_0.data").dir(dirs)
}

/// The directory of a cached partition.
pub(crate) fn of_cached(rdd: usize, partition: u32, dirs: usize) -> usize {
    JavaHash::default().text("rdd_").number(rdd as u64).text("_").number(u64::from(partition)).dir(dirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes by `jshell`: "" is 0, "polygenelubricants" the smallest integer, whose absolute value does not exist.
    #[test]
    fn cm_3_the_hash_is_javas_and_never_negative() {
        let hash = |name| JavaHash::default().text(name).0;
        assert_eq!((hash(""), hash("a"), hash("shuffle_0_12_0.data")), (0, 97, 997_211_377));
        assert_eq!((hash("polygenelubricants"), of_name("polygenelubricants", 3)), (i32::MIN, 0));
        assert_eq!(of_name("shuffle_0_12_0.data", 3), 997_211_377 % 3);
    }

    /// Hashed in parts and as one text, names are the same; more directories than a hash has values leave the hash itself.
    #[test]
    fn names_in_parts_hash_as_when_they_are_written_out() {
        let all = 1 << 31;
        for number in [0, 1, 9, 10, 99, 100, 12_345, 4_294_967_295_u64] {
            assert_eq!(of_map_output(7, number, all), of_name(&format!("shuffle_7_{number}_0.data"), all));
            assert_eq!(of_cached(42, number as u32, all), of_name(&format!("rdd_42_{number}"), all));
        }
    }

    /// With two directories consecutive outputs alternate but for carries: ten of twenty in each.
    #[test]
    fn cm_3_two_directories_share_consecutive_outputs_evenly() {
        let first = (0..20).filter(|&map| of_map_output(0, map, 2) == 0).count();
        assert_eq!(first, 10);
    }
}

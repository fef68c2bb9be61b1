//! Which files make up a log.
//!
//! A log is one file, or a directory `eventlog_v2_<application>` of rolling files `events_<index>_<application>`,
//! read in the order of their indices. A compacted file (`.compact`) stands for all files up to its index.

use std::io;
use std::path::{Path, PathBuf};

/// The files of a log in reading order.
pub(super) fn of_log(log: &Path) -> io::Result<Vec<PathBuf>> {
    if !log.is_dir() {
        return Ok(vec![log.to_owned()]);
    }
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(log)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(index) = index_of(&name) {
            parts.push((index, !name.ends_with(".compact"), path));
        }
    }
    parts.sort();
    let first = parts.iter().rposition(|(_, plain, _)| !plain).unwrap_or(0);
    let compacted = parts.get(first).map(|part| (part.0, part.1));
    let superseded = |index: u64, plain: bool| compacted.is_some_and(|(until, first_plain)| !first_plain && plain && index <= until);
    Ok(parts.into_iter().skip(first).filter(|(index, plain, _)| !superseded(*index, *plain)).map(|part| part.2).collect())
}

/// Index of a rolling file.
fn index_of(name: &str) -> Option<u64> {
    name.strip_prefix("events_")?.split('_').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rolling_files_come_in_index_order_after_the_last_compacted_one() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["events_10_app", "events_2_app.zstd", "events_1_app", "events_2_app.zstd.compact", "appstatus_app", "events_9_app"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let names: Vec<_> = of_log(dir.path()).unwrap().iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["events_2_app.zstd.compact", "events_9_app", "events_10_app"]);
    }
}

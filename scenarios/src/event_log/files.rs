//! Which files make up a log.
//!
//! A log is one file or several that follow each other: Spark's rolling files `events_<index>_<application>`, usually in
//! a directory `eventlog_v2_<application>`, where a compacted file (`.compact`) stands for all files up to its index; or
//! Databricks' `eventlog-<date>--<time>` files, closed by the `eventlog` that is written last. They may be given as their
//! directory or one by one. A directory may also hold one log in one file; one with several logs is refused.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The files of one log in reading order.
#[derive(Debug, PartialEq)]
pub(super) struct LogFiles {
    /// What to call it.
    pub(super) path: PathBuf,
    pub(super) parts: Vec<PathBuf>,
    /// Files that should be there and are not.
    pub(super) gap: Option<String>,
    /// Files of one index, of which one is read.
    pub(super) twice: Option<String>,
}

impl LogFiles {
    fn one(path: &Path) -> Self {
        Self { path: path.to_owned(), parts: vec![path.to_owned()], gap: None, twice: None }
    }
}

/// The logs that `paths` name: parts of a rolled log that are given one by one are one log.
pub(super) fn of_paths(paths: &[PathBuf]) -> Result<Vec<LogFiles>, (PathBuf, io::Error)> {
    let mut rolled: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for path in paths.iter().filter(|path| Part::of(path).is_some() && !path.is_dir()) {
        rolled.entry(path.parent().unwrap_or(Path::new("")).to_owned()).or_default().push(path.clone());
    }
    let mut logs = Vec::new();
    for path in paths {
        if path.is_dir() {
            logs.push(of_directory(path).map_err(|error| (path.clone(), error))?);
        } else if Part::of(path).is_none() {
            logs.push(LogFiles::one(path));
        } else if let Some(parts) = rolled.remove(path.parent().unwrap_or(Path::new(""))) {
            let name = if parts.len() == 1 { path.clone() } else { path.parent().unwrap_or(path).to_owned() };
            logs.push(in_order(&name, parts));
        }
    }
    Ok(logs)
}

fn of_directory(directory: &Path) -> io::Result<LogFiles> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut directories = 0;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = name_of(&path);
        if path.is_dir() {
            directories += 1;
        } else if !name.starts_with(['.', '_']) && !name.starts_with("appstatus_") {
            files.push(path);
        }
    }
    files.sort();
    let parts: Vec<PathBuf> = files.iter().filter(|path| Part::of(path).is_some()).cloned().collect();
    if !parts.is_empty() {
        return Ok(in_order(directory, parts));
    }
    match &files[..] {
        [only] if directories == 0 => Ok(LogFiles { path: directory.to_owned(), ..LogFiles::one(only) }),
        [] if directories == 0 => Err(io::Error::new(io::ErrorKind::NotFound, "the directory holds no event log")),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the directory holds {} logs; name the one to read", files.len() + directories))),
    }
}

/// One file of a rolled log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Spark's, by index; a compacted file comes before the plain one of the same index.
    Spark { index: u64, plain: bool },
    /// Databricks', by the time in its name; the open file is the last.
    Databricks { open: bool, time: String },
}

impl Part {
    fn of(path: &Path) -> Option<Self> {
        let name = name_of(path);
        if let Some(rest) = name.strip_prefix("events_") {
            let index = rest.split('_').next()?.parse().ok()?;
            return Some(Self::Spark { index, plain: !name.ends_with(".compact") });
        }
        let rest = name.strip_prefix("eventlog")?;
        match rest.strip_prefix('-') {
            Some(time) if time.starts_with(|c: char| c.is_ascii_digit()) => {
                Some(Self::Databricks { open: false, time: time.split('.').next().unwrap_or_default().to_owned() })
            }
            None if rest.is_empty() || rest.starts_with('.') => Some(Self::Databricks { open: true, time: String::new() }),
            _ => None,
        }
    }
}

/// The parts from the last compacted one on, in order.
fn in_order(path: &Path, files: Vec<PathBuf>) -> LogFiles {
    let mut parts: Vec<(Part, PathBuf)> = files.into_iter().filter_map(|file| Part::of(&file).map(|part| (part, file))).collect();
    parts.sort();
    parts.dedup();
    let compacted = |part: &Part| matches!(part, Part::Spark { plain: false, .. });
    let until = parts.iter().rev().find(|(part, _)| compacted(part)).and_then(|(part, _)| index_of(part));
    let after = |index: u64, part: &Part| until.is_none_or(|until| index > until || index == until && compacted(part));
    let all = parts.into_iter().filter(|(part, _)| index_of(part).is_none_or(|index| after(index, part)));
    let (mut kept, mut twice): (Vec<(Part, PathBuf)>, Option<String>) = (Vec::new(), None);
    for (part, file) in all {
        // The parts are in order, so those of one index follow each other.
        match kept.last() {
            Some((last, read)) if *last == part && index_of(&part).is_some() => {
                twice = twice.or_else(|| Some(format!("{} and {} have the same index; the second was left out", name_of(read), name_of(&file))));
            }
            _ => kept.push((part, file)),
        }
    }
    let gap = gap(&kept);
    LogFiles { path: path.to_owned(), parts: kept.into_iter().map(|(_, file)| file).collect(), gap, twice }
}

fn index_of(part: &Part) -> Option<u64> {
    if let Part::Spark { index, .. } = part { Some(*index) } else { None }
}

/// Spark counts its files from 1 without holes; after a compaction they go on from the compacted one's index.
fn gap(parts: &[(Part, PathBuf)]) -> Option<String> {
    let (first, _) = parts.first()?;
    let mut expected = if matches!(first, Part::Spark { plain: false, .. }) { index_of(first)? } else { 1 };
    for (part, _) in parts {
        let index = index_of(part)?;
        if index > expected {
            return Some(format!("the rolling file events_{expected}_* is missing, and what it recorded with it"));
        }
        expected = index.saturating_add(1);
    }
    None
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        dir
    }

    fn read(names: &[&str]) -> LogFiles {
        of_directory(directory(names).path()).unwrap()
    }

    fn names(log: &LogFiles) -> Vec<String> {
        log.parts.iter().map(|path| name_of(path)).collect()
    }

    #[test]
    fn rolling_files_come_in_index_order_after_the_last_compacted_one() {
        let log = read(&["events_10_app", "events_2_app.zstd", "events_1_app", "events_2_app.zstd.compact", "appstatus_app.inprogress", "events_9_app"]);
        assert_eq!(names(&log), ["events_2_app.zstd.compact", "events_9_app", "events_10_app"]);
        assert!(log.gap.unwrap().contains("events_3_"));
        let log = read(&["events_10_app", "events_1_app", "events_9_app", "events_2_app", "events_8_app.compact", "events_4_app.compact"]);
        assert_eq!((names(&log), log.gap), (["events_8_app.compact", "events_9_app", "events_10_app"].map(str::to_owned).to_vec(), None));
        assert!(read(&["events_3_app"]).gap.unwrap().contains("events_1_"));
        assert_eq!(read(&["events_2_app", "events_1_app", "._events_1_app.crc", ".events_1_app.crc"]).gap, None);
    }

    #[test]
    fn files_of_one_index_are_read_once_and_told() {
        let log = read(&["events_2_app.compact", "events_2_app.zstd.compact", "events_3_app", "events_3_app.zstd"]);
        assert_eq!(names(&log), ["events_2_app.compact", "events_3_app"]);
        assert!(log.twice.unwrap().contains("events_2_app.compact and events_2_app.zstd.compact have the same index"));
        assert_eq!(read(&["events_1_app", "events_2_app.compact", "events_2_app"]).twice, None);
    }

    #[test]
    fn databricks_files_come_by_time_with_the_open_one_last() {
        let log = read(&["eventlog", "eventlog-2024-01-03--10-00.gz", "eventlog-2024-01-03--09-30.gz", "eventlog-2023-12-31--23-30"]);
        assert_eq!(names(&log), ["eventlog-2023-12-31--23-30", "eventlog-2024-01-03--09-30.gz", "eventlog-2024-01-03--10-00.gz", "eventlog"]);
    }

    #[test]
    fn files_given_one_by_one_are_one_log_by_directory() {
        let dir = directory(&["events_1_a", "events_2_a", "events_10_a", "app-1"]);
        let paths = ["events_10_a", "events_1_a", "app-1", "events_2_a"].map(|name| dir.path().join(name));
        let logs = of_paths(&paths).unwrap();
        assert_eq!(logs.iter().map(names).collect::<Vec<_>>(), [vec!["events_1_a", "events_2_a", "events_10_a"], vec!["app-1"]]);
        assert_eq!(of_paths(&paths[..1]).unwrap()[0].path, paths[0], "a single file goes by its own name");
    }

    #[test]
    fn a_directory_of_logs_is_refused_and_one_of_a_single_log_is_that_log() {
        assert_eq!(names(&read(&["app-1.lz4", "_SUCCESS", ".app-1.lz4.crc"])), ["app-1.lz4"]);
        let several = of_directory(directory(&["app-1", "app-2"]).path()).unwrap_err();
        assert!(several.to_string().contains("2 logs"), "{several}");
        assert!(of_directory(directory(&["appstatus_app"]).path()).unwrap_err().to_string().contains("no event log"));
    }
}

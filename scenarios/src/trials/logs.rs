//! The calibration logs of recorded trials, each read once.
//!
//! A trial names its log without an ending: `train-1-00` is `train-1-00.json.zst`, any other packing, a plain file or a rolled
//! log's directory. Without `--logs` they are looked for in `eventlogs` beside the trials, then beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Diagnostics};
use crate::event_log::{self, Ingested};

/// Logs by name; `None` for those that could not be read.
pub(super) struct Logs {
    directories: Vec<PathBuf>,
    read: BTreeMap<String, Option<Ingested>>,
}

impl Logs {
    /// The logs of a file of trials.
    pub(super) fn new(trials: &Path, given: Option<&Path>) -> Self {
        let beside = trials.parent().unwrap_or(Path::new("")).to_path_buf();
        let directories = given.map_or_else(|| vec![beside.join("eventlogs"), beside], |given| vec![given.to_path_buf()]);
        Self { directories, read: BTreeMap::new() }
    }

    /// Reads the log of that name unless it was tried before; whether it is there. A problem is told once.
    pub(super) fn read(&mut self, name: &str, at: &str, problems: &mut Diagnostics) -> bool {
        if !self.read.contains_key(name) {
            let log = self.load(name, at, problems);
            self.read.insert(name.to_owned(), log);
        }
        self.get(name).is_some()
    }

    /// A log that was read.
    pub(super) fn get(&self, name: &str) -> Option<&Ingested> {
        self.read.get(name)?.as_ref()
    }

    fn load(&self, name: &str, at: &str, problems: &mut Diagnostics) -> Option<Ingested> {
        let Some(path) = self.find(name) else {
            let places: Vec<String> = self.directories.iter().map(|dir| dir.display().to_string()).collect();
            problems.push(
                Diagnostic::warning("trials", format!("{at}: there is no event log {name:?} in {}", places.join(" or ")))
                    .expected("the event log that `config.calib` names, such as NAME.json.zst")
                    .hint("`--logs DIR` says where the event logs are; trials without their log are left out"),
            );
            return None;
        };
        match event_log::ingest(&path) {
            Ok(ingested) => {
                problems.extend(ingested.diagnostics.clone());
                Some(ingested)
            }
            Err(found) => {
                let why = found.items().first().map_or_else(String::new, |item| item.message.clone());
                problems.push(Diagnostic::warning("trials", format!("{at}: {why}")).hint("trials without their log are left out"));
                None
            }
        }
    }

    /// The entry with this name, or with this name before a dot; the shortest, so that `a.json` goes before `a.json.bak`.
    fn find(&self, name: &str) -> Option<PathBuf> {
        if name.is_empty() || name.contains(['/', '\\']) {
            return None;
        }
        let matches = |path: &PathBuf| {
            let file = path.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
            let file = file.strip_prefix("eventlog_v2_").unwrap_or(&file).to_owned();
            file == name || file.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
        };
        self.directories.iter().find_map(|directory| {
            let entries = std::fs::read_dir(directory).ok()?;
            let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(matches).collect();
            found.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
            found.into_iter().next()
        })
    }
}

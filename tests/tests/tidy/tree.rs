//! The files that the rules look at: what git tracks, or, without git (an unpacked archive), what lies in the tree outside build output.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tracked text file.
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    tests::root()
}

/// Every tracked path, in order.
pub(crate) fn paths() -> BTreeSet<String> {
    tracked(&root()).unwrap_or_else(|| walked(&root())).into_iter().collect()
}

/// Every tracked file that is text, in order of path. A file that is tracked but gone from disk is left out.
pub(crate) fn files() -> Vec<File> {
    paths().into_iter().filter_map(|path| std::fs::read_to_string(root().join(&path)).ok().map(|text| File { path, text })).collect()
}

/// Tracked Rust files.
pub(crate) fn rust_files() -> Vec<File> {
    files().into_iter().filter(|file| has_extension(&file.path, "rs")).collect()
}

/// Tracked Markdown files.
pub(crate) fn markdown_files() -> Vec<File> {
    files().into_iter().filter(|file| has_extension(&file.path, "md")).collect()
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == extension)
}

/// What git tracks under `root`; `None` without git, outside a repository, or where nothing here is tracked.
fn tracked(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().ok()?;
    let paths: Vec<String> = String::from_utf8(output.stdout).ok()?.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

/// All files under `root` but build output and git's own.
fn walked(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let path = folder.join(&name);
            if !entry.path().is_dir() {
                found.push(path.to_string_lossy().replace('\\', "/"));
            } else if !["target", ".git", "out"].iter().any(|skipped| name == *skipped) {
                open.push(path);
            }
        }
    }
    found
}

#[test]
fn the_tree_holds_this_file_and_no_build_output() {
    for paths in [walked(&root()), files().into_iter().map(|file| file.path).collect()] {
        assert!(paths.iter().any(|path| path == "tests/tests/tidy/tree.rs"), "the listing misses this very file");
        assert!(paths.iter().all(|path| !path.starts_with("target/")), "the listing holds build output");
    }
}

//! The output directory: made before the long run, recognised again later, never clobbered.
//!
//! A directory that spillcast writes holds `.spillcast/manifest.json` with the names of its files. Such a directory
//! may be written again, and files of the earlier study that the new one does not have are removed, so that no stale
//! chart is left. Any other directory with something in it is refused without `--force`, which adds our files to it.
//! Every file is written under a temporary name and renamed.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::out_file::OutFile;

const PRIVATE: &str = ".spillcast";
const MANIFEST: &str = ".spillcast/manifest.json";

/// What `.spillcast/manifest.json` holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Manifest {
    schema_version: u32,
    version: String,
    files: Vec<String>,
}

/// An output directory, open for writing.
#[derive(Debug)]
pub(crate) struct OutDir {
    root: PathBuf,
    before: Vec<String>,
}

impl OutDir {
    /// Makes or takes over a directory, and writes the manifest to see that it can be written.
    pub(crate) fn open(root: &Path, force: bool) -> Result<Self> {
        if root == Path::new("-") {
            bail!("a directory cannot go to stdout; `--format json` and its like do");
        }
        if root.exists() && !root.is_dir() {
            bail!("`{}` is a file, expected a directory", root.display());
        }
        let before = read_manifest(root);
        if before.is_none() && !force && holds_something(root)? {
            bail!("`{}` holds files that spillcast did not write; choose another directory, or add to it with `--force`", root.display());
        }
        fs::create_dir_all(root.join(PRIVATE)).with_context(|| format!("cannot make directory `{}`", root.display()))?;
        let dir = Self { root: root.to_owned(), before: before.unwrap_or_default() };
        dir.write_manifest(dir.before.clone())?;
        Ok(dir)
    }

    /// Path of the directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes one file, replacing an earlier one; `name` may lie in a sub-directory.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> Result<()> {
        let path = self.root.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make directory `{}`", parent.display()))?;
        }
        OutFile::open(&path, true)?.commit(contents)
    }

    /// Notes which files the study has, and removes those that only an earlier one had.
    pub(crate) fn finish(&self, names: Vec<String>) -> Result<()> {
        for stale in self.before.iter().filter(|name| !names.contains(name) && lies_inside(name)) {
            // Someone else may have removed it: then there is nothing left to do.
            let _ = fs::remove_file(self.root.join(stale));
        }
        self.write_manifest(names)
    }

    fn write_manifest(&self, files: Vec<String>) -> Result<()> {
        let manifest = Manifest { schema_version: 1, version: env!("CARGO_PKG_VERSION").to_owned(), files };
        self.write(MANIFEST, &serde_json::to_vec_pretty(&manifest)?)
    }
}

/// Files that spillcast wrote there before; `None` when it did not write there.
fn read_manifest(root: &Path) -> Option<Vec<String>> {
    let text = fs::read(root.join(MANIFEST)).ok()?;
    serde_json::from_slice(&text).ok().map(|manifest: Manifest| manifest.files)
}

fn holds_something(root: &Path) -> Result<bool> {
    if !root.exists() {
        return Ok(false);
    }
    let mut entries = fs::read_dir(root).with_context(|| format!("cannot read directory `{}`", root.display()))?;
    Ok(entries.next().is_some())
}

/// A manifest is a file that anybody can edit: names in it must not lead out of the directory.
fn lies_inside(name: &str) -> bool {
    let path = Path::new(name);
    path.file_name().is_some() && path.components().all(|component| matches!(component, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_directory_is_refused_without_force() -> Result<()> {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("thesis.txt"), "mine")?;
        assert!(OutDir::open(dir.path(), false).is_err());
        assert_eq!(fs::read_dir(dir.path())?.count(), 1, "a refused directory was changed");
        OutDir::open(dir.path(), true)?.finish(vec![])?;
        assert_eq!(fs::read_to_string(dir.path().join("thesis.txt"))?, "mine");
        Ok(())
    }

    #[test]
    fn an_own_directory_is_replaced_and_stale_files_go() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let root = dir.path().join("deep/out");
        let first = OutDir::open(&root, false)?;
        for name in ["old.svg", "both.csv"] {
            first.write(name, b"1")?;
        }
        first.finish(vec!["old.svg".to_owned(), "both.csv".to_owned()])?;
        fs::write(root.join("notes.txt"), "mine")?;
        let second = OutDir::open(&root, false)?;
        second.write("both.csv", b"2")?;
        second.finish(vec!["both.csv".to_owned()])?;
        assert!(!root.join("old.svg").exists());
        assert_eq!(fs::read_to_string(root.join("both.csv"))?, "2");
        assert!(root.join("notes.txt").exists());
        Ok(())
    }

    #[test]
    fn an_edited_manifest_cannot_remove_files_elsewhere() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let outside = dir.path().join("precious");
        fs::write(&outside, "")?;
        let root = dir.path().join("out");
        OutDir::open(&root, false)?.finish(vec!["../precious".to_owned(), outside.to_string_lossy().into_owned(), "..".to_owned(), String::new()])?;
        OutDir::open(&root, false)?.finish(vec![])?;
        assert!(outside.exists());
        Ok(())
    }

    #[test]
    fn a_file_is_no_directory() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        assert!(OutDir::open(file.path(), true).is_err());
        Ok(())
    }
}

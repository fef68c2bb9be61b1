//! Writing one file: opened before the work, under a temporary name, renamed when it is complete.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A file that appears when it is complete, or not at all.
#[derive(Debug)]
pub(crate) struct OutFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl OutFile {
    /// Opens a file for writing; an existing one is refused unless `force`, which replaces it.
    pub(crate) fn open(path: &Path, force: bool) -> Result<Self> {
        if path.is_dir() {
            bail!("`{}` is a directory, expected a file name", path.display());
        }
        if path.exists() && !force {
            bail!("`{}` exists already; `--force` replaces it", path.display());
        }
        let Some(name) = path.file_name() else { bail!("`{}` is not a file name", path.display()) };
        let temporary = path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
        let file = File::create(&temporary).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self { path: path.to_owned(), temporary, file })
    }

    /// A second handle to the file, for contents that are too large to be held; [`Self::commit`] then adds nothing.
    pub(crate) fn handle(&self) -> Result<File> {
        self.file.try_clone().with_context(|| format!("cannot write `{}`", self.path.display()))
    }

    /// Writes the contents and gives the file its name.
    pub(crate) fn commit(mut self, contents: &[u8]) -> Result<()> {
        let written = self.file.write_all(contents).and_then(|()| self.file.flush());
        written.and_then(|()| fs::rename(&self.temporary, &self.path)).with_context(|| format!("cannot write `{}`", self.path.display()))
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        // After a commit the temporary name is gone, and this finds nothing.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("a.toml");
        drop(OutFile::open(&path, false)?);
        assert_eq!(fs::read_dir(dir.path())?.count(), 0, "an abandoned file leaves something behind");
        OutFile::open(&path, false)?.commit(b"one")?;
        assert!(OutFile::open(&path, false).is_err());
        OutFile::open(&path, true)?.commit(b"two")?;
        assert_eq!(fs::read(&path)?, b"two");
        assert_eq!(fs::read_dir(dir.path())?.count(), 1);
        assert!(OutFile::open(dir.path(), true).is_err());
        Ok(())
    }
}

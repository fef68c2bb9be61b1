//! Finished points on disk, so that an interrupted sweep can go on (`--resume`).
//!
//! Each finished point is one file in `.spillcast/points` of the output directory, named after the fingerprint of its
//! plan. It is taken instead of a run only when everything that could change a digit is the same: version,
//! fingerprint, seed, replications, precision and confidence. A file that cannot be read is as good as none. The
//! format is private to one version of spillcast.

mod mirror;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sim_core::study::{PointResult, Study};

use crate::out_dir::OutDir;

const POINTS: &str = ".spillcast/points";

/// Everything that decides a point's digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    version: String,
    fingerprint: String,
    seed: u64,
    replications: u64,
    precision: Option<f64>,
    confidence: f64,
}

impl Key {
    fn new(fingerprint: &str, study: &Study) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: fingerprint.to_owned(),
            seed: study.seed,
            replications: study.replications,
            precision: study.precision,
            confidence: study.confidence,
        }
    }
}

/// One file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    key: Key,
    #[serde(with = "mirror::PointResultMirror")]
    result: PointResult,
}

fn name(fingerprint: &str) -> String {
    format!("{POINTS}/{fingerprint}.json")
}

/// Keeps a finished point.
pub(crate) fn save(dir: &OutDir, fingerprint: &str, study: &Study, result: &PointResult) -> Result<()> {
    let saved = Saved { key: Key::new(fingerprint, study), result: result.clone() };
    dir.write(&name(fingerprint), &serde_json::to_vec(&saved)?)
}

/// The point as it was kept, if nothing that matters has changed since.
pub(crate) fn load(dir: &OutDir, fingerprint: &str, study: &Study) -> Option<PointResult> {
    let text = fs::read(dir.root().join(name(fingerprint))).ok()?;
    let saved: Saved = serde_json::from_slice(&text).ok()?;
    (saved.key == Key::new(fingerprint, study)).then_some(saved.result)
}

/// Removes points of other studies.
pub(crate) fn keep_only(dir: &OutDir, fingerprints: &[&str]) {
    let wanted: Vec<PathBuf> = fingerprints.iter().map(|fingerprint| dir.root().join(name(fingerprint))).collect();
    let Ok(entries) = fs::read_dir(dir.root().join(POINTS)) else { return };
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| !wanted.contains(path) && is_point(path)) {
        // What stays behind is never taken for something else, so it does no harm.
        let _ = fs::remove_file(path);
    }
}

fn is_point(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: Study = Study { seed: 1, replications: 4, precision: None, confidence: 0.95 };

    #[test]
    fn a_point_comes_back_to_the_last_bit() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let dir = OutDir::open(dir.path(), false)?;
        let result = mirror::sample();
        save(&dir, "ab", &STUDY, &result)?;
        assert_eq!(load(&dir, "ab", &STUDY), Some(result));
        Ok(())
    }

    #[test]
    fn a_point_of_another_study_is_not_taken() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let dir = OutDir::open(dir.path(), false)?;
        save(&dir, "ab", &STUDY, &mirror::sample())?;
        assert!(load(&dir, "cd", &STUDY).is_none());
        for other in
            [Study { seed: 2, ..STUDY }, Study { replications: 5, ..STUDY }, Study { precision: Some(0.1), ..STUDY }, Study { confidence: 0.9, ..STUDY }]
        {
            assert!(load(&dir, "ab", &other).is_none(), "{other:?}");
        }
        dir.write(&name("ab"), b"{\"key\": 3}")?;
        assert!(load(&dir, "ab", &STUDY).is_none());
        Ok(())
    }

    #[test]
    fn points_of_earlier_studies_are_removed() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let dir = OutDir::open(dir.path(), false)?;
        save(&dir, "old", &STUDY, &mirror::sample())?;
        save(&dir, "new", &STUDY, &mirror::sample())?;
        keep_only(&dir, &["new"]);
        assert!(load(&dir, "old", &STUDY).is_none() && load(&dir, "new", &STUDY).is_some());
        Ok(())
    }
}

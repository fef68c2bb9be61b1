//! What the integration tests share: where the repository and its test data lie, and the recorded heap curves with their fit.
//!
//! Tests run from any folder, so paths come from the manifest and not from the working directory. Nothing here is a test helper for one test
//! only; that belongs beside the test.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// A file of the recorded test data, by its name.
pub fn data(name: &str) -> PathBuf {
    root().join("tests/tests/data").join(name)
}

//! What the integration tests share: where the repository and its test data lie, the recorded heap curves with their fit, small worlds to vary.
//!
//! Tests run from any folder, so paths come from the manifest and not from the working directory. Nothing here is a test helper for one test
//! only; that belongs beside the test.

pub mod card;
pub mod fit;
pub mod heap_touch;
pub mod random_world;
pub mod world;

use std::path::{Path, PathBuf};

/// The root of the repository. Cargo says at run time where the manifest is, so that a checkout that was moved after the build is found.
pub fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// A file of the recorded test data, by its name.
pub fn data(name: &str) -> PathBuf {
    root().join("tests/tests/data").join(name)
}

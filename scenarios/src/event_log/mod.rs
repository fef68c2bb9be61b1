//! Spark event logs to job profiles.

use std::path::Path;

use crate::diag::{Diagnostic, Diagnostics};
use crate::profile::Profile;

/// What a log gives.
#[derive(Clone, Debug)]
pub struct Ingested {
    /// The profile.
    pub profile: Profile,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// Reads a log.
pub fn ingest(log: &Path) -> Result<Ingested, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    diagnostics.push(Diagnostic::error("event-log", format!("{} cannot be read", log.display())));
    Err(diagnostics)
}

//! A job without a shuffle writes no scratch: the question is then only the heap's.

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    if facts.spec.app.shuffles.is_empty() {
        let problem =
            Diagnostic::warning("no-shuffle", "the profile has no shuffle, so scratch and placement decide little").found(facts.spec.app.name.clone());
        let profile = facts.tree.get("job").and_then(|job| job.get("profile"));
        problems.push(profile.map_or(problem.clone(), |node| node.mark(problem)).expected("a profile with shuffles"));
    }
}

//! Push-based shuffle where Spark would not do it (3.7).

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::spark_conf::{PUSH_ENABLED, keeps_from_pushing};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    if !facts.conf.on(PUSH_ENABLED) {
        return;
    }
    let missing = keeps_from_pushing(facts.conf, facts.spec.cluster.platform);
    if !missing.is_empty() {
        let problem = Diagnostic::warning("push-shuffle", format!("{PUSH_ENABLED} does nothing: it needs {}", missing.join(", ")));
        problems.push(facts.at_conf(&[PUSH_ENABLED], problem).hint("remove the key, or give it what it needs"));
    }
}

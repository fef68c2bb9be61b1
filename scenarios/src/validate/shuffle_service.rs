//! Kubernetes has no external shuffle service (3.7).

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    if facts.kubernetes() && facts.spec.spark.shuffle.service {
        let problem = Diagnostic::error("shuffle-service", "Spark on Kubernetes has no external shuffle service: executors would fail to register")
            .found("spark.shuffle.service.enabled = true");
        problems.push(
            facts.at_conf(&["spark.shuffle.service.enabled"], problem).expected("false on Kubernetes").hint("remove the key; it is for YARN and standalone"),
        );
    }
}

//! Spark has two switches for removing an SQL execution's shuffle files at its end, one for classic applications and one for
//! Spark Connect (2.7); the wrong one does nothing.

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::spark_conf::{CLASSIC_FILE_CLEANUP, CONNECT_FILE_CLEANUP, uses_connect};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let connect = uses_connect(facts.conf);
    let (right, wrong) = if connect { (CONNECT_FILE_CLEANUP, CLASSIC_FILE_CLEANUP) } else { (CLASSIC_FILE_CLEANUP, CONNECT_FILE_CLEANUP) };
    if facts.conf.written(wrong).is_none() || !facts.conf.on(wrong) || facts.conf.on(right) {
        return;
    }
    let kind = if connect { "an application of Spark Connect" } else { "a classic application" };
    let problem = Diagnostic::warning("file-cleanup", format!("{wrong} does nothing: this is {kind}")).found(format!("{wrong} = true"));
    problems
        .push(facts.at_conf(&[wrong], problem).expected(right).hint("spark.api.mode = connect, or spark.remote, makes an application one of Spark Connect"));
}

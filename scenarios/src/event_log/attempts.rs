//! Several logs given at once: attempts of one application.
//!
//! A cluster manager that starts a failed application again makes a new log, and the new attempt does all work again.
//! Work is what has to be done once, so the profile and the summary are those of the attempt that got furthest: one that
//! ended rather than one that broke off, then the one with more finished tasks, then the later one. The others are named
//! in a warning with what they cost. Logs of different applications are refused.

use std::cmp::Reverse;

use super::failure;
use super::files::LogFiles;
use super::reader::Read;
use crate::diag::{Diagnostic, Diagnostics};

/// The attempt that got furthest, with warnings about the others.
pub(super) fn furthest(mut logs: Vec<(LogFiles, Read)>) -> Result<(LogFiles, Read), Diagnostics> {
    if logs.len() > 1 {
        same_application(&logs)?;
    }
    let progress = |read: &Read| (read.log.ended, read.log.tasks_done());
    let order = |(at, (_, read)): &(usize, &(LogFiles, Read))| (progress(read), *at);
    let best = logs.iter().enumerate().max_by_key(order).map_or(0, |(at, _)| at);
    if logs.is_empty() {
        return Err(failure(
            Diagnostic::error("event-log", "no log was given").expected("the path of an event log").hint("name a file or a rolled log's directory"),
        ));
    }
    let (files, mut read) = logs.swap_remove(best);
    logs.sort_by_key(|(_, read)| Reverse(progress(read)));
    for (other, its) in &logs {
        let totals = &its.log.totals;
        let (tasks, failed, seconds) = (totals.tasks, totals.failed_tasks, totals.run_time_ms / 1000);
        read.warnings.push(format!(
            "{} is another attempt of the same application and was left out, because its work was done again: {tasks} tasks ({failed} failed), {seconds} s of run time",
            other.path.display()
        ));
    }
    Ok((files, read))
}

fn same_application(logs: &[(LogFiles, Read)]) -> Result<(), Diagnostics> {
    let first = logs.first().and_then(|(_, read)| read.log.application_id.clone());
    for (files, read) in logs {
        let name = files.path.display();
        let Some(id) = &read.log.application_id else {
            let problem =
                Diagnostic::error("event-log", format!("{name} does not say which application it is of, so it cannot be put together with other logs"));
            return Err(failure(
                problem
                    .expected("logs that start with `SparkListenerApplicationStart`")
                    .hint("give the files of a rolled log as their directory, and other logs one at a time"),
            ));
        };
        if first.as_ref().is_some_and(|first| first != id) {
            let (first_name, first) = (logs[0].0.path.display(), first.unwrap_or_default());
            let problem = Diagnostic::error("event-log", format!("the logs are of different applications: {first_name} of `{first}`, {name} of `{id}`"));
            return Err(failure(problem.expected("attempts of one application").hint("ingest each application by itself")));
        }
    }
    Ok(())
}

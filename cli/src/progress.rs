//! The progress bar: replications done, how many a second, how long it will still take.
//!
//! It is drawn on stderr and only when that is a terminal; it never changes a result, and stdout never sees it.

use std::fmt;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::printer::Printer;

/// A bar over all points of a study.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar for so many replications, hidden when it is not wanted or stderr is not a terminal.
    pub(crate) fn new(printer: &Printer, replications: u64) -> Self {
        let target = if printer.wants_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(replications), target);
        let style = ProgressStyle::with_template("{msg} [{bar:24}] {human_pos} of {human_len} replications, {rate}, {eta} left");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
        bar.set_style(style.with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
            // The bar is redrawn in a moment: a rate that cannot be shown is no loss.
            let _ = write!(text, "{:.0}/s", state.per_sec());
        }));
        Self(bar)
    }

    /// Says which point is running.
    pub(crate) fn point(&self, number: usize, of: usize) {
        if of > 1 {
            self.0.set_message(format!("point {number} of {of}"));
        }
    }

    /// Takes back replications that a point turned out not to need.
    pub(crate) fn fewer(&self, replications: u64) {
        self.0.set_length(self.0.length().unwrap_or_default().saturating_sub(replications));
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl sim_core::study::Progress for Bar {
    fn done(&self, replications: u64) {
        self.0.inc(replications);
    }
}

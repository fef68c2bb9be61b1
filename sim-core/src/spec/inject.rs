//! What the user makes happen in a run, beside what the model does by itself.
//!
//! An injected kill is input and not forecast: a what-if ("what does it cost if this executor goes now?") or the replay of a
//! kill that was recorded. It is SIGKILL to the executor's processes, so all that follows is what follows any death: lost
//! outputs, fetch failures, a replacement. Source: the user.

use crate::units::SimSpan;

/// One kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injection {
    /// Which executor, 1 is the first; replacements have the numbers after the first ones. One that is not up then is left alone.
    pub executor: u32,
    /// When.
    pub when: Moment,
}

/// An instant of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long after the submission of the application.
    At(SimSpan),
    /// As soon as so many tasks of a stage (index in the application) have ended well, over all its attempts.
    TasksDone {
        /// Stage.
        stage: usize,
        /// Tasks, at least 1.
        tasks: u32,
    },
}

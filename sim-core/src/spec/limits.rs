//! When a run is cut off: never a hang, always a named outcome.

use crate::units::SimSpan;

/// Limits of one replication; hitting one is [`crate::record::Ending::Truncated`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Simulated horizon from the submission of the application.
    pub horizon: SimSpan,
    /// Largest number of events.
    pub max_events: u64,
    /// Whether the books are checked after every event (`--paranoid`).
    pub paranoid: bool,
}

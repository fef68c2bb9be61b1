//! What the cluster takes back in the middle of a run: one executor's pod, or a node.
//!
//! A spot reclaim, a node upgrade or somebody's `kubectl drain`: an input of the user, not a forecast. The pods get a notice and
//! are killed when it has passed; with `spark.decommission.enabled` the executors use the notice to leave in good order.
//! Source: the user; DT-4 for the default notice of a drain.

use crate::units::SimSpan;

/// Who is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reclaimed {
    /// An executor, 1 is the first; one that does not exist or run then is left alone.
    Executor(u32),
    /// A node, by its index: its executors leave, and it takes no other pod.
    Node(u32),
}

/// One reclaim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reclaim {
    /// Who.
    pub who: Reclaimed,
    /// When, from the submission of the application.
    pub at: SimSpan,
    /// Time from the notice to the kill.
    pub notice: SimSpan,
    /// Whether the node just vanishes: no notice, no signal, packets to it are lost. Nodes only.
    pub sudden: bool,
}

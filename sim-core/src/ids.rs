//! Typed indices of everything that has a number in a run.
//!
//! One type a kind, so that a stage cannot be taken for a task. Nodes, stages, shuffles and executors are numbered once; a
//! pod's place on a node and a task's slot are used again after their owner is gone.

use crate::kernel::define_id;

define_id!(
    /// A node of the cluster.
    pub struct NodeId,
    "Node"
);
define_id!(
    /// An executor, in order of creation; the first is 0 and is shown as number 1.
    pub struct ExecutorId,
    "Executor"
);
define_id!(
    /// A stage of the application.
    pub struct StageId,
    "Stage"
);
define_id!(
    /// A shuffle of the application.
    pub struct ShuffleId,
    "Shuffle"
);
define_id!(
    /// A running task attempt (slots are reused).
    pub struct TaskId,
    "Task"
);
define_id!(
    /// A pod's place in its node's memory (slots are reused).
    pub struct PodSlot,
    "Pod"
);

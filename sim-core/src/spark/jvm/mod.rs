//! The executor's JVM: what its heap can hold, how much of it becomes resident, and what it needs beside the heap.
//!
//! [`heap`] gives the usable part of the heap and the cost of collecting it, [`touch`] how resident heap grows as a task
//! allocates, [`mod@non_heap`] the memory outside the heap. All are deterministic; what is uncertain about them is drawn by the
//! caller and passed in. Sources: 1.6, 1.7, 6.6.

pub mod heap;
pub mod non_heap;
pub mod touch;

pub use heap::{BASE_LIVE, GC_SHARE_MAX, STARTED_LIVE, full_collection_s_per_gib, gc_seconds, max_memory, usable_fraction, usable_heap};
pub(crate) use non_heap::ToCome;
pub use non_heap::{non_heap, non_heap_budget, threads};
pub use touch::{
    SMALL_EDENS, STARTED, WARM_UP, committed_on_demand, default_young_share, heap_growth, old_generation, resident_heap, with_dead, young_touched,
};

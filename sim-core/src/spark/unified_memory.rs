//! Unified memory: execution and storage share one region and borrow from each other.
//!
//! Models the two pools of an executor as its memory manager keeps them, to the byte: execution takes free storage, then
//! evicts cached data down to the storage region (MEM-10); storage borrows free execution memory but never evicts
//! execution (MEM-12); pools drift and are not reset (MEM-14). One instance stands for one memory mode: on-heap, or
//! off-heap with `max = spark.memory.offHeap.size` (MEM-8). Assumes single calls are atomic, as the manager's lock makes
//! them. Source: 1.2, 1.3; checked against recordings of the manager of Spark 3.5.

use super::execution_pool::{Acquire, ExecutionPool};
use super::storage_pool::{Block, StoragePool};
use crate::units::Bytes;

/// Heap that is reserved for the system and not shared: 300 MiB (MEM-1).
pub const RESERVED: Bytes = Bytes::mib(300);
/// Smallest heap with which executors and drivers start: 1.5 times the reserved memory (MEM-4).
pub const MIN_HEAP: Bytes = Bytes::mib(450);

/// M, the unified region of a heap: `trunc((heap − 300 MiB) · fraction)` (1.1, MEM-2). `heap` is what the JVM reports as its
/// maximum, see [`super::jvm::max_memory`] (MEM-5).
pub fn unified_region(heap: Bytes, fraction: f64) -> Bytes {
    heap.saturating_sub(RESERVED).scale(fraction)
}

/// S, the part of the unified region where cached data is safe from execution: `trunc(M · storage_fraction)` (1.1, MEM-3).
pub fn storage_region(unified: Bytes, storage_fraction: f64) -> Bytes {
    unified.scale(storage_fraction)
}

/// The execution and storage pools of one executor and memory mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnifiedMemory {
    max: Bytes,
    storage_region: Bytes,
    execution: ExecutionPool,
    storage: StoragePool,
}

impl UnifiedMemory {
    /// Empty pools: storage starts with its region, execution with the rest of `max` (MEM-14). A region larger than `max`
    /// is cut to it.
    pub fn new(max: Bytes, storage_region: Bytes) -> Self {
        let storage_region = storage_region.min(max);
        Self { max, storage_region, execution: ExecutionPool::new(max - storage_region), storage: StoragePool::new(storage_region) }
    }

    /// A task attempt asks for execution memory (MEM-10, MEM-11, 1.3). Cached data may be evicted even when the answer is
    /// [`Acquire::Blocked`]; see [`Self::take_evicted`]. Zero bytes are granted without entering the pool.
    pub fn acquire_execution(&mut self, task: u64, bytes: Bytes) -> Acquire {
        if bytes.is_zero() {
            return Acquire::Granted(Bytes::ZERO);
        }
        self.execution.enter(task);
        self.grow_execution(bytes.saturating_sub(self.execution.free()));
        let max_pool = self.max - self.storage.used().min(self.storage_region);
        self.execution.acquire(task, bytes, max_pool)
    }
    /// A task takes what it can have of `bytes` without waiting and without leaving a request behind: like requests of a page
    /// after the other for as long as they are granted in full. Returns the bytes taken.
    pub fn acquire_available(&mut self, task: u64, bytes: Bytes) -> Bytes {
        if bytes.is_zero() {
            return Bytes::ZERO;
        }
        self.execution.enter(task);
        self.grow_execution(bytes.saturating_sub(self.execution.free()));
        let max_pool = self.max - self.storage.used().min(self.storage_region);
        self.execution.take(task, bytes, max_pool)
    }
    /// A task gives back execution memory; at most what it holds is taken. Returns the bytes freed.
    pub fn release_execution(&mut self, task: u64, bytes: Bytes) -> Bytes {
        self.execution.release(task, bytes)
    }
    /// A task ends, or stops waiting: all it holds is freed and it no longer counts in N. Returns the bytes freed.
    pub fn release_all(&mut self, task: u64) -> Bytes {
        self.execution.release(task, Bytes::MAX)
    }

    /// Stores loose bytes (evictable to the byte, not followed as blocks) (MEM-12). False when they do not fit.
    pub fn acquire_storage(&mut self, bytes: Bytes) -> bool {
        self.lend_to_storage(bytes) && self.storage.store_loose(bytes)
    }
    /// Drops loose bytes; at most what is stored is taken. Returns the bytes freed.
    pub fn release_storage(&mut self, bytes: Bytes) -> Bytes {
        self.storage.release_loose(bytes)
    }
    /// Stores a block, evicting blocks of other RDDs if needed (MEM-12). False when it does not fit. A block with the same
    /// id is dropped first.
    pub fn store_block(&mut self, block: Block) -> bool {
        self.storage.remove_block(block.id);
        self.lend_to_storage(block.bytes) && self.storage.store_block(block)
    }
    /// Takes storage memory for a block of an RDD that is being made (MEM-12, MEM-13). False when it does not fit.
    pub fn acquire_unroll(&mut self, rdd: Option<u32>, bytes: Bytes) -> bool {
        self.lend_to_storage(bytes) && self.storage.store_unroll(rdd, bytes)
    }
    /// Gives unroll memory back; at most what is taken is freed. Returns the bytes freed.
    pub fn release_unroll(&mut self, bytes: Bytes) -> Bytes {
        self.storage.release_unroll(bytes)
    }
    /// Drops a block; returns its size, zero if it is not stored.
    pub fn drop_block(&mut self, id: u64) -> Bytes {
        self.storage.remove_block(id)
    }
    /// Marks a block as used just now, for the eviction order; false if it is not stored.
    pub fn touch_block(&mut self, id: u64) -> bool {
        self.storage.touch_block(id)
    }
    /// Loose bytes evicted since the last call: the caller no longer holds them.
    pub fn take_evicted(&mut self) -> Bytes {
        self.storage.take_evicted_loose()
    }
    /// Whether blocks were evicted that nobody has taken notice of.
    pub const fn has_evicted(&self) -> bool {
        self.storage.has_evicted()
    }
    /// Whether a block is stored.
    pub fn holds_block(&self, id: u64) -> bool {
        self.storage.blocks().iter().any(|block| block.id == id)
    }
    /// Blocks evicted since the last call, in the order of eviction.
    pub fn take_evicted_blocks(&mut self) -> std::vec::Drain<'_, Block> {
        self.storage.take_evicted_blocks()
    }

    /// M: size of both pools together, bytes.
    pub const fn max(&self) -> Bytes {
        self.max
    }
    /// S: bytes of cached data that execution cannot evict.
    pub const fn storage_region(&self) -> Bytes {
        self.storage_region
    }
    /// Execution memory that tasks hold, bytes.
    pub const fn execution_used(&self) -> Bytes {
        self.execution.used()
    }
    /// Storage memory in use, bytes.
    pub const fn storage_used(&self) -> Bytes {
        self.storage.used()
    }
    /// Current size of the execution pool, bytes.
    pub const fn execution_pool(&self) -> Bytes {
        self.execution.size()
    }
    /// Current size of the storage pool, bytes.
    pub const fn storage_pool(&self) -> Bytes {
        self.storage.size()
    }
    /// N: tasks that hold or wait for execution memory.
    pub const fn active_tasks(&self) -> usize {
        self.execution.active_tasks()
    }
    /// Execution memory that a task holds, bytes.
    pub fn task_used(&self, task: u64) -> Bytes {
        self.execution.task_used(task)
    }
    /// The most that each of `active` tasks could hold now: `(M − min(us, S)) / active` (MEM-11, MEM-23).
    pub fn max_share(&self, active: usize) -> Bytes {
        let max_pool = self.max - self.storage.used().min(self.storage_region);
        Bytes::new(max_pool.get() / (active.max(1) as u64))
    }

    /// Takes memory back from storage for a request that lacks `missing` bytes (MEM-10).
    fn grow_execution(&mut self, missing: Bytes) {
        let reclaimable = self.storage.free().max(self.storage.size().saturating_sub(self.storage_region));
        let wanted = missing.min(reclaimable);
        if !wanted.is_zero() {
            self.execution.grow(self.storage.shrink(wanted));
        }
    }
    /// Lends free execution memory to storage for a request of `bytes` (MEM-12). False when the request can never fit
    /// beside execution; then nothing is lent.
    fn lend_to_storage(&mut self, bytes: Bytes) -> bool {
        if bytes > self.max - self.execution.used() {
            return false;
        }
        let short = bytes.saturating_sub(self.storage.free());
        self.storage.grow(self.execution.shrink(short));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB_8: Bytes = Bytes::gib(8);

    fn of_heap(heap: Bytes) -> UnifiedMemory {
        let max = unified_region(heap, 0.6);
        UnifiedMemory::new(max, storage_region(max, 0.5))
    }
    fn granted(bytes: u64) -> Acquire {
        Acquire::Granted(Bytes::new(bytes))
    }

    #[test]
    fn a4_and_mem_7_unified_region_by_heap() {
        let measured = [
            (1, 455_501_414),
            (2, 1_099_746_508),
            (4, 2_388_236_697),
            (8, 4_965_217_075),
            (12, 7_542_197_452),
            (16, 10_119_177_830),
            (32, 20_427_099_340),
            (64, 41_042_942_361),
        ];
        for (gib, region) in measured {
            assert_eq!(unified_region(Bytes::gib(gib), 0.6), Bytes::new(region), "{gib} GiB");
        }
        assert_eq!(unified_region(Bytes::mib(200), 0.6), Bytes::ZERO, "a heap below the reserve shares nothing");
    }

    #[test]
    fn a4_initial_pools_of_8_gib() {
        let memory = of_heap(GIB_8);
        assert_eq!(memory.storage_pool(), Bytes::new(2_482_608_537));
        assert_eq!(memory.execution_pool(), Bytes::new(2_482_608_538));
    }

    #[test]
    fn a5_per_task_bounds_of_8_gib_and_4_tasks() {
        let mut memory = of_heap(GIB_8);
        for task in 0..4 {
            assert_eq!(memory.acquire_execution(task, Bytes::mib(1)), granted(1 << 20));
        }
        assert_eq!(memory.max_share(4), Bytes::new(1_241_304_268));
        assert_eq!(memory.acquire_execution(0, GIB_8), granted(1_240_255_692));
    }

    #[test]
    fn a6_a_late_task_blocks_until_a_quarter_is_free() {
        let mut memory = of_heap(GIB_8);
        let ask = Bytes::gib(2);
        assert_eq!(memory.acquire_execution(0, Bytes::gib(4)), granted(4 << 30));
        assert_eq!(memory.acquire_execution(1, ask), Acquire::Blocked);
        assert_eq!(memory.execution_pool(), memory.max(), "the pool has grown to M");
        assert_eq!(memory.release_execution(0, Bytes::mib(512)), Bytes::mib(512));
        assert_eq!(memory.acquire_execution(1, ask), Acquire::Blocked);
        assert_eq!(memory.release_execution(0, Bytes::mib(512)), Bytes::mib(512));
        assert_eq!(memory.acquire_execution(1, ask), granted(1_743_991_603));
        assert_eq!(memory.acquire_execution(0, Bytes::gib(1)), granted(0));
    }

    #[test]
    fn mem_10_execution_evicts_cached_data_down_to_the_region() {
        let mut memory = UnifiedMemory::new(Bytes::new(1000), Bytes::new(400));
        assert!(memory.acquire_storage(Bytes::new(900)));
        assert_eq!(memory.acquire_execution(1, Bytes::new(1000)), granted(600));
        assert_eq!(memory.take_evicted(), Bytes::new(500));
        assert_eq!(memory.storage_used(), Bytes::new(400));
    }

    #[test]
    fn mem_12_storage_never_evicts_execution() {
        let mut memory = UnifiedMemory::new(Bytes::new(1000), Bytes::new(400));
        assert_eq!(memory.acquire_execution(1, Bytes::new(700)), granted(700));
        assert!(!memory.acquire_storage(Bytes::new(301)));
        assert!(memory.acquire_storage(Bytes::new(300)));
        assert_eq!(memory.execution_used(), Bytes::new(700));
    }

    #[test]
    fn a_block_stored_again_replaces_itself() {
        let mut memory = UnifiedMemory::new(Bytes::new(1000), Bytes::new(400));
        for bytes in [300, 500] {
            assert!(memory.store_block(Block { id: 1, rdd: None, bytes: Bytes::new(bytes) }));
        }
        assert_eq!(memory.storage_used(), Bytes::new(500));
        assert_eq!(memory.drop_block(1), Bytes::new(500));
    }
}

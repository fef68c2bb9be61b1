//! The storage pool: cached blocks, broadcasts, and their eviction.
//!
//! Holds named blocks in order of last use, *loose* bytes, a sum that is evictable to the byte, for callers that do
//! not follow single blocks, and *unroll* bytes of blocks that are being made, which nobody can evict. Eviction takes loose bytes
//! first, then whole blocks, least recently used first, never of
//! the RDD that asks; it happens in full or not at all, so whole blocks may free more than was asked. Assumes that no
//! block is locked by a reader when it is chosen. Source: MEM-12, MEM-13; eviction order recalled there and checked
//! against recordings of the real memory manager.

use crate::units::Bytes;

/// A cached block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Identifies the block within the executor.
    pub id: u64,
    /// RDD that it belongs to, none for broadcasts; blocks of one RDD never evict each other.
    pub rdd: Option<u32>,
    /// Size in storage memory.
    pub bytes: Bytes,
}

/// On whose behalf blocks are evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evictor {
    /// Execution, or a block of no RDD: everything may go.
    Anyone,
    /// A block of this RDD.
    Rdd(u32),
    /// Loose bytes: they do not evict each other.
    Loose,
}

/// Size of the pool, what it holds, and what was evicted since the caller last asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoragePool {
    size: Bytes,
    used: Bytes,
    loose: Bytes,
    unroll: Bytes,
    /// Least recently used first.
    blocks: Vec<Block>,
    evicted_loose: Bytes,
    evicted_blocks: Vec<Block>,
}

impl StoragePool {
    /// An empty pool of `size` bytes.
    pub fn new(size: Bytes) -> Self {
        Self { size, used: Bytes::ZERO, loose: Bytes::ZERO, unroll: Bytes::ZERO, blocks: Vec::new(), evicted_loose: Bytes::ZERO, evicted_blocks: Vec::new() }
    }
    /// Current size of the pool, bytes.
    pub const fn size(&self) -> Bytes {
        self.size
    }
    /// Bytes stored.
    pub const fn used(&self) -> Bytes {
        self.used
    }
    /// Bytes of the pool that hold nothing.
    pub fn free(&self) -> Bytes {
        self.size - self.used
    }
    /// Blocks stored, least recently used first.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
    /// Adds `bytes` to the pool's size (lent by execution).
    pub fn grow(&mut self, bytes: Bytes) {
        self.size += bytes;
    }

    /// Gives up `wanted` bytes of size for execution: free ones first, then by eviction. Returns the bytes given up,
    /// more than `wanted` when whole blocks had to go, less when eviction could not free the rest (MEM-10).
    pub fn shrink(&mut self, wanted: Bytes) -> Bytes {
        let unused = wanted.min(self.free());
        let given = unused + self.evict(wanted - unused, Evictor::Anyone);
        self.size -= given;
        given
    }

    /// Stores a block, whose id is not stored yet, if it fits after evicting others (MEM-12).
    pub fn store_block(&mut self, block: Block) -> bool {
        let stored = self.make_room(block.bytes, block.rdd.map_or(Evictor::Anyone, Evictor::Rdd));
        if stored {
            self.used += block.bytes;
            self.blocks.push(block);
        }
        stored
    }
    /// Stores loose bytes if they fit after evicting blocks.
    pub fn store_loose(&mut self, bytes: Bytes) -> bool {
        let stored = self.make_room(bytes, Evictor::Loose);
        if stored {
            self.used += bytes;
            self.loose += bytes;
        }
        stored
    }
    /// Drops up to `bytes` of loose storage; returns how many there were.
    pub fn release_loose(&mut self, bytes: Bytes) -> Bytes {
        let freed = bytes.min(self.loose);
        self.loose -= freed;
        self.used -= freed;
        freed
    }
    /// Takes bytes for a block of an RDD that is being made, if they fit after evicting blocks of others (MEM-13).
    pub fn store_unroll(&mut self, rdd: Option<u32>, bytes: Bytes) -> bool {
        let stored = self.make_room(bytes, rdd.map_or(Evictor::Anyone, Evictor::Rdd));
        if stored {
            self.used += bytes;
            self.unroll += bytes;
        }
        stored
    }
    /// Gives back up to `bytes` of unroll memory; returns how many there were.
    pub fn release_unroll(&mut self, bytes: Bytes) -> Bytes {
        let freed = bytes.min(self.unroll);
        self.unroll -= freed;
        self.used -= freed;
        freed
    }
    /// Drops a block; returns its size, zero if it is not stored.
    pub fn remove_block(&mut self, id: u64) -> Bytes {
        let Some(place) = self.blocks.iter().position(|block| block.id == id) else { return Bytes::ZERO };
        let freed = self.blocks.remove(place).bytes;
        self.used -= freed;
        freed
    }
    /// Marks a block as used just now; false if it is not stored.
    pub fn touch_block(&mut self, id: u64) -> bool {
        let Some(place) = self.blocks.iter().position(|block| block.id == id) else { return false };
        self.blocks[place..].rotate_left(1);
        true
    }
    /// Loose bytes evicted since the last call.
    pub fn take_evicted_loose(&mut self) -> Bytes {
        std::mem::take(&mut self.evicted_loose)
    }
    /// Whether blocks were evicted since [`Self::take_evicted_blocks`] was last called.
    pub const fn has_evicted(&self) -> bool {
        !self.evicted_blocks.is_empty()
    }
    /// Blocks evicted since the last call, in the order of eviction.
    pub fn take_evicted_blocks(&mut self) -> std::vec::Drain<'_, Block> {
        self.evicted_blocks.drain(..)
    }

    fn make_room(&mut self, bytes: Bytes, evictor: Evictor) -> bool {
        let short = bytes.saturating_sub(self.free());
        self.evict(short, evictor);
        bytes <= self.free()
    }

    /// Evicts at least `wanted` bytes, or nothing when that is not possible. Returns the bytes evicted.
    fn evict(&mut self, wanted: Bytes, evictor: Evictor) -> Bytes {
        if wanted.is_zero() {
            return Bytes::ZERO;
        }
        let loose = if evictor == Evictor::Loose { Bytes::ZERO } else { wanted.min(self.loose) };
        let evictable = |block: &Block| !matches!((evictor, block.rdd), (Evictor::Rdd(asking), Some(rdd)) if asking == rdd);
        let mut found = loose;
        let mut last = 0;
        for (i, block) in self.blocks.iter().enumerate() {
            if found >= wanted {
                break;
            }
            if evictable(block) {
                found += block.bytes;
                last = i + 1;
            }
        }
        if found < wanted {
            return Bytes::ZERO;
        }
        self.loose -= loose;
        self.evicted_loose += loose;
        let mut place = 0;
        self.blocks.retain(|block| {
            let stays = place >= last || !evictable(block);
            place += 1;
            if !stays {
                self.evicted_blocks.push(*block);
            }
            stays
        });
        self.used -= found;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(id: u64, rdd: u32, bytes: u64) -> Block {
        Block { id, rdd: Some(rdd), bytes: Bytes::new(bytes) }
    }

    fn pool_of(size: u64, blocks: &[Block]) -> StoragePool {
        let mut pool = StoragePool::new(Bytes::new(size));
        for &each in blocks {
            assert!(pool.store_block(each));
        }
        pool
    }

    #[test]
    fn mem_12_eviction_takes_least_recently_used_blocks_of_other_rdds() {
        let mut pool = pool_of(100, &[block(1, 1, 30), block(2, 2, 30), block(3, 1, 30)]);
        assert!(pool.touch_block(1));
        assert!(pool.store_block(block(4, 2, 40)), "30 bytes short: block 3 goes, not 2 (same RDD) nor 1 (used later)");
        assert_eq!(pool.take_evicted_blocks().map(|b| b.id).collect::<Vec<_>>(), [3]);
        assert_eq!(pool.blocks().iter().map(|b| b.id).collect::<Vec<_>>(), [2, 1, 4]);
        assert_eq!(pool.used(), Bytes::new(100));
    }

    #[test]
    fn mem_12_eviction_is_all_or_nothing() {
        let mut pool = pool_of(100, &[block(1, 1, 30), block(2, 2, 60)]);
        assert!(!pool.store_block(block(3, 2, 50)), "RDD 1 holds only 30 of the 40 bytes that lack");
        assert_eq!(pool.used(), Bytes::new(90));
        assert_eq!(pool.take_evicted_blocks().count(), 0);
    }

    #[test]
    fn mem_10_shrinking_takes_free_bytes_then_whole_blocks() {
        let mut pool = pool_of(100, &[block(1, 1, 30), block(2, 2, 60)]);
        assert_eq!(pool.shrink(Bytes::new(10)), Bytes::new(10));
        assert_eq!(pool.used(), Bytes::new(90));
        assert_eq!(pool.shrink(Bytes::new(1)), Bytes::new(30), "the whole block's size moves to execution");
        assert_eq!((pool.size(), pool.used()), (Bytes::new(60), Bytes::new(60)));
    }

    #[test]
    fn loose_bytes_go_to_the_byte_and_do_not_evict_each_other() {
        let mut pool = StoragePool::new(Bytes::new(100));
        assert!(pool.store_loose(Bytes::new(80)));
        assert!(!pool.store_loose(Bytes::new(21)));
        assert!(pool.store_block(block(1, 1, 25)));
        assert_eq!(pool.take_evicted_loose(), Bytes::new(5));
        assert_eq!(pool.take_evicted_loose(), Bytes::ZERO);
        assert_eq!(pool.release_loose(Bytes::new(1000)), Bytes::new(75));
        assert_eq!(pool.used(), Bytes::new(25));
    }

    #[test]
    fn mem_13_unroll_memory_is_storage_that_nobody_evicts() {
        let mut pool = pool_of(100, &[block(1, 1, 30)]);
        assert!(pool.store_unroll(Some(1), Bytes::new(70)));
        assert!(!pool.store_unroll(Some(1), Bytes::new(1)), "its own RDD's block stays");
        assert_eq!(pool.shrink(Bytes::new(40)), Bytes::ZERO, "the block alone does not make 40");
        assert_eq!(pool.shrink(Bytes::new(30)), Bytes::new(30));
        assert_eq!((pool.release_unroll(Bytes::new(100)), pool.used()), (Bytes::new(70), Bytes::ZERO));
    }

    #[test]
    fn unknown_blocks_are_neither_touched_nor_removed() {
        let mut pool = pool_of(100, &[block(1, 1, 30)]);
        assert!(!pool.touch_block(9));
        assert_eq!(pool.remove_block(9), Bytes::ZERO);
    }
}

//! The execution pool: how running tasks share execution memory.
//!
//! Models the fairness rule of 1.3: with N tasks in the pool each may hold at most 1/N of what execution could own,
//! and waits (rather than spills) while it could not get at least 1/(2N) of the current pool. A task is in the pool
//! from its first request until its balance returns to zero. Waiting is the caller's business: [`Acquire::Blocked`]
//! means "ask again when memory was released or N changed". The bug of older releases, where a waiting task could drop
//! out of N (MEM-24), is not reproduced. Source: MEM-20 to MEM-24.

use crate::units::Bytes;

/// Answer to a request for execution memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquire {
    /// This much was granted; less than asked, or nothing, makes the caller spill (MEM-20).
    Granted(Bytes),
    /// The task would wait (MEM-21). It stays counted in N; ask again after a release or a change of N.
    Blocked,
}

/// Size of the pool and what each task holds of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionPool {
    size: Bytes,
    used: Bytes,
    /// (task attempt id, bytes held), by id. A few dozen entries at most: one for each task slot.
    tasks: Vec<(u64, Bytes)>,
}

impl ExecutionPool {
    /// An empty pool of `size` bytes.
    pub fn new(size: Bytes) -> Self {
        Self { size, used: Bytes::ZERO, tasks: Vec::new() }
    }
    /// Current size of the pool, bytes.
    pub const fn size(&self) -> Bytes {
        self.size
    }
    /// Bytes held by tasks.
    pub const fn used(&self) -> Bytes {
        self.used
    }
    /// Bytes of the pool that no task holds.
    pub fn free(&self) -> Bytes {
        self.size - self.used
    }
    /// N: tasks in the pool, waiting ones included (MEM-23).
    pub const fn active_tasks(&self) -> usize {
        self.tasks.len()
    }
    /// Bytes that a task holds; zero for one that is not in the pool.
    pub fn task_used(&self, task: u64) -> Bytes {
        self.find(task).map_or(Bytes::ZERO, |i| self.tasks[i].1)
    }
    /// (task attempt id, bytes held) of the tasks in the pool, by id.
    pub fn tasks(&self) -> &[(u64, Bytes)] {
        &self.tasks
    }

    /// Adds `bytes` to the pool's size (taken from storage).
    pub fn grow(&mut self, bytes: Bytes) {
        self.size += bytes;
    }
    /// Takes up to `wanted` unused bytes out of the pool (lent to storage, MEM-12); returns how many.
    pub fn shrink(&mut self, wanted: Bytes) -> Bytes {
        let taken = wanted.min(self.free());
        self.size -= taken;
        taken
    }

    /// Puts a task into the pool, so that it counts in N, if it is not there yet.
    pub fn enter(&mut self, task: u64) {
        self.place_of(task);
    }
    /// Where a task is in the pool; it enters if it is not there yet.
    fn place_of(&mut self, task: u64) -> usize {
        self.tasks.binary_search_by_key(&task, |entry| entry.0).unwrap_or_else(|place| {
            self.tasks.insert(place, (task, Bytes::ZERO));
            place
        })
    }

    /// Grants `bytes` or a part of it to a task by the rule of 1.3. `max_pool` is what execution could own after
    /// every eviction that is allowed (MEM-11); the pool has been grown for this request already (MEM-10).
    pub fn acquire(&mut self, task: u64, bytes: Bytes, max_pool: Bytes) -> Acquire {
        let place = self.place_of(task);
        let grant = self.grantable(place, bytes, max_pool);
        let min_share = Bytes::new(self.size.get() / (2 * self.tasks.len() as u64));
        if grant < bytes && self.tasks[place].1 + grant < min_share {
            return Acquire::Blocked;
        }
        self.give(place, grant);
        Acquire::Granted(grant)
    }
    /// Gives a task what it may have of `bytes` now, waiting aside. Returns the bytes given.
    pub fn take(&mut self, task: u64, bytes: Bytes, max_pool: Bytes) -> Bytes {
        let place = self.place_of(task);
        let grant = self.grantable(place, bytes, max_pool);
        self.give(place, grant);
        grant
    }
    /// What the free memory and the task's largest share leave of a request.
    fn grantable(&self, place: usize, bytes: Bytes, max_pool: Bytes) -> Bytes {
        let max_share = Bytes::new(max_pool.get() / self.tasks.len() as u64);
        bytes.min(max_share.saturating_sub(self.tasks[place].1)).min(self.free())
    }
    fn give(&mut self, place: usize, grant: Bytes) {
        self.tasks[place].1 += grant;
        self.used += grant;
    }

    /// Takes `bytes` back from a task, at most what it holds; a task left with nothing leaves the pool. Returns the
    /// bytes freed.
    pub fn release(&mut self, task: u64, bytes: Bytes) -> Bytes {
        let Some(i) = self.find(task) else { return Bytes::ZERO };
        let freed = bytes.min(self.tasks[i].1);
        self.tasks[i].1 -= freed;
        self.used -= freed;
        if self.tasks[i].1.is_zero() {
            self.tasks.remove(i);
        }
        freed
    }

    fn find(&self, task: u64) -> Option<usize> {
        self.tasks.binary_search_by_key(&task, |entry| entry.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MEM-23: a waiting task counts in N and leaves when its balance returns to zero.
    #[test]
    fn mem_23_a_task_counts_from_its_first_request_until_its_balance_is_zero() {
        let mut pool = ExecutionPool::new(Bytes::new(1000));
        assert_eq!(pool.acquire(7, Bytes::new(900), Bytes::new(1000)), Acquire::Granted(Bytes::new(900)));
        assert_eq!(pool.acquire(3, Bytes::new(800), Bytes::new(1000)), Acquire::Blocked);
        assert_eq!((pool.active_tasks(), pool.task_used(3)), (2, Bytes::ZERO));
        assert_eq!(pool.release(7, Bytes::new(900)), Bytes::new(900));
        assert_eq!(pool.tasks(), [(3, Bytes::ZERO)]);
        assert_eq!(pool.acquire(3, Bytes::new(800), Bytes::new(1000)), Acquire::Granted(Bytes::new(800)));
        assert_eq!(pool.release(3, Bytes::MAX), Bytes::new(800));
        assert_eq!(pool.active_tasks(), 0);
    }

    /// MEM-20: at its cap a task is refused with zero, not made to wait.
    #[test]
    fn mem_20_a_task_at_its_share_gets_nothing() {
        let mut pool = ExecutionPool::new(Bytes::new(1000));
        for task in [1, 2] {
            assert_eq!(pool.acquire(task, Bytes::new(250), Bytes::new(1000)), Acquire::Granted(Bytes::new(250)));
        }
        assert_eq!(pool.acquire(1, Bytes::new(300), Bytes::new(1000)), Acquire::Granted(Bytes::new(250)));
        assert_eq!(pool.acquire(1, Bytes::new(1), Bytes::new(1000)), Acquire::Granted(Bytes::ZERO));
    }

    #[test]
    fn releasing_for_an_unknown_task_frees_nothing() {
        let mut pool = ExecutionPool::new(Bytes::new(10));
        assert_eq!(pool.release(1, Bytes::new(5)), Bytes::ZERO);
        assert_eq!(pool.free(), Bytes::new(10));
    }
}

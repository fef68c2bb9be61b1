//! Which of a task's memory consumers spills when execution memory is short.
//!
//! Models the manager between a task's operators and the executor's pools (1.4): a request that the pool does not grant in full
//! makes consumers of the same task and memory mode spill, first the smallest that alone covers what is missing, else the largest,
//! the requester last. A consumer that releases nothing is not asked again; one that does stays in the list at its old size, as
//! the real manager leaves it. Spilling takes time in a run, so a request stops at each [`Progress::Spill`] and goes on with
//! [`TaskMemoryManager::spilled`]; a recorded sequence of acquisitions, spills and releases can be replayed call by call.
//! Pages that the heap could not hold after all stay acquired and unused until the task ends (MEM-31).
//! Source: 1.4, MEM-30 to MEM-32; `TaskMemoryManager` of Spark 3.2 and later, in which the requester takes part with size 0.

use super::execution_pool::Acquire;
use super::unified_memory::UnifiedMemory;
use crate::units::Bytes;

/// Where a consumer's memory lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryMode {
    /// In the heap.
    #[default]
    OnHeap,
    /// Native memory, with `spark.memory.offHeap.enabled` (MEM-8).
    OffHeap,
}

/// A consumer of one task, in the order in which they were registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsumerId(pub u8);

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is over, with so much. Less than was asked means that nobody of the task could release more: a page of that size
    /// fails with `SparkOutOfMemoryError` (MEM-30).
    Granted(Bytes),
    /// This consumer is asked to release so many bytes. Its answer goes to [`TaskMemoryManager::spilled`].
    Spill {
        /// Who.
        consumer: ConsumerId,
        /// What the request still lacks.
        missing: Bytes,
    },
    /// The task waits in the pool (MEM-21): [`TaskMemoryManager::retry`] when memory was released or N changed.
    Blocked,
}

#[derive(Clone, Copy, Debug)]
struct Consumer {
    mode: MemoryMode,
    used: Bytes,
}

/// A request that is not over.
#[derive(Clone, Debug)]
struct Request {
    by: ConsumerId,
    required: Bytes,
    got: Bytes,
    /// Consumers that may spill with their size when the request began, the requester with zero; none before the first refusal.
    candidates: Option<Vec<(Bytes, ConsumerId)>>,
    /// The one that was asked last.
    asked: Option<ConsumerId>,
}

/// What the consumers of one task hold, and the request that is under way.
#[derive(Clone, Debug)]
pub struct TaskMemoryManager {
    task: u64,
    consumers: Vec<Consumer>,
    unused: Bytes,
    request: Option<Request>,
}

impl TaskMemoryManager {
    /// The manager of a task attempt, without consumers.
    pub const fn new(task: u64) -> Self {
        Self { task, consumers: Vec::new(), unused: Bytes::ZERO, request: None }
    }
    /// A manager with one consumer for each mode.
    pub fn with_consumers(task: u64, modes: impl IntoIterator<Item = MemoryMode>) -> Self {
        let consumers = modes.into_iter().map(|mode| Consumer { mode, used: Bytes::ZERO }).collect();
        Self { task, consumers, unused: Bytes::ZERO, request: None }
    }
    /// Adds a consumer.
    pub fn register(&mut self, mode: MemoryMode) -> ConsumerId {
        self.consumers.push(Consumer { mode, used: Bytes::ZERO });
        ConsumerId(self.consumers.len() as u8 - 1)
    }
    /// A consumer's memory mode: which of the executor's pools its calls need.
    pub fn mode(&self, consumer: ConsumerId) -> MemoryMode {
        self.consumers[consumer.0 as usize].mode
    }
    /// Bytes that a consumer holds.
    pub fn used(&self, consumer: ConsumerId) -> Bytes {
        self.consumers[consumer.0 as usize].used
    }
    /// Bytes that all consumers of a mode hold.
    pub fn used_in(&self, mode: MemoryMode) -> Bytes {
        self.consumers.iter().filter(|c| c.mode == mode).map(|c| c.used).sum()
    }
    /// On-heap bytes that were granted and that the heap could not hold (MEM-31).
    pub const fn acquired_but_not_used(&self) -> Bytes {
        self.unused
    }
    /// Who asked, while a request is under way.
    pub fn requester(&self) -> Option<ConsumerId> {
        self.request.as_ref().map(|request| request.by)
    }

    /// A consumer asks for `required` bytes. `pool` is that of its mode. A request that is under way is dropped with what it got.
    pub fn acquire(&mut self, pool: &mut UnifiedMemory, by: ConsumerId, required: Bytes) -> Progress {
        self.give_up(pool);
        self.request = Some(Request { by, required, got: Bytes::ZERO, candidates: None, asked: None });
        self.ask(pool)
    }
    /// The consumer that was asked to spill has released so many of its bytes, which is zero for one that cannot spill. They are in
    /// the pool already ([`Self::release`]), where a waiting task may have taken them.
    pub fn spilled(&mut self, pool: &mut UnifiedMemory, released: Bytes) -> Progress {
        let Some(request) = &mut self.request else { return Progress::Granted(Bytes::ZERO) };
        let asked = request.asked.take();
        if !released.is_zero() {
            return self.ask(pool);
        }
        if let Some(candidates) = &mut request.candidates {
            candidates.retain(|(_, consumer)| Some(*consumer) != asked);
        }
        self.next_candidate()
    }
    /// A blocked request is put to the pool again.
    pub fn retry(&mut self, pool: &mut UnifiedMemory) -> Progress {
        self.ask(pool)
    }
    /// Takes what there is, up to `bytes`, without spilling and without waiting: a consumer's requests one after the other for as
    /// long as they are granted. Returns the bytes taken.
    pub fn take_available(&mut self, pool: &mut UnifiedMemory, by: ConsumerId, bytes: Bytes) -> Bytes {
        let taken = pool.acquire_available(self.task, bytes);
        self.consumers[by.0 as usize].used += taken;
        taken
    }
    /// A consumer gives back up to `bytes` of what it holds. Returns the bytes freed.
    pub fn release(&mut self, pool: &mut UnifiedMemory, consumer: ConsumerId, bytes: Bytes) -> Bytes {
        let place = &mut self.consumers[consumer.0 as usize];
        let freed = bytes.min(place.used);
        place.used -= freed;
        // A release of nothing would take a waiting task out of N (MEM-24).
        if freed.is_zero() { freed } else { pool.release_execution(self.task, freed) }
    }
    /// The heap could not hold `bytes` of what a consumer was granted: they stay acquired, unused, until the task ends (MEM-31).
    pub fn cannot_use(&mut self, consumer: ConsumerId, bytes: Bytes) {
        let place = &mut self.consumers[consumer.0 as usize];
        let bytes = bytes.min(place.used);
        place.used -= bytes;
        self.unused += bytes;
    }

    /// Gives back what a request that is under way has got.
    fn give_up(&mut self, pool: &mut UnifiedMemory) {
        if let Some(request) = self.request.take().filter(|request| !request.got.is_zero()) {
            pool.release_execution(self.task, request.got);
        }
    }
    /// Asks the pool for what the request lacks.
    fn ask(&mut self, pool: &mut UnifiedMemory) -> Progress {
        let Some(request) = &mut self.request else { return Progress::Granted(Bytes::ZERO) };
        match pool.acquire_execution(self.task, request.required - request.got) {
            Acquire::Blocked => return Progress::Blocked,
            Acquire::Granted(granted) => request.got += granted,
        }
        if request.got == request.required {
            return self.finish();
        }
        if request.candidates.is_none() {
            let by = request.by;
            let mode = self.consumers[by.0 as usize].mode;
            let size = |id: ConsumerId, used| if id == by { Bytes::ZERO } else { used };
            let all = self.consumers.iter().enumerate().map(|(i, consumer)| (ConsumerId(i as u8), consumer));
            let able = all.filter(|(_, c)| c.mode == mode && !c.used.is_zero()).map(|(id, c)| (size(id, c.used), id)).collect();
            request.candidates = Some(able);
        }
        self.next_candidate()
    }
    /// The smallest candidate that covers what is missing, else the largest; of equal ones the last registered.
    fn next_candidate(&mut self) -> Progress {
        let Some(request) = &mut self.request else { return Progress::Granted(Bytes::ZERO) };
        let missing = request.required - request.got;
        let candidates = request.candidates.as_deref().unwrap_or_default();
        let covering = candidates.iter().filter(|(size, _)| *size >= missing).min_by_key(|(size, id)| (*size, std::cmp::Reverse(*id)));
        match covering.or_else(|| candidates.iter().max()) {
            Some(&(_, consumer)) => {
                request.asked = Some(consumer);
                Progress::Spill { consumer, missing }
            }
            None => self.finish(),
        }
    }
    fn finish(&mut self) -> Progress {
        let Some(request) = self.request.take() else { return Progress::Granted(Bytes::ZERO) };
        self.consumers[request.by.0 as usize].used += request.got;
        Progress::Granted(request.got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: u64 = 7;

    fn mib(n: u64) -> Bytes {
        Bytes::mib(n)
    }
    /// A pool of 100 MiB and a task whose consumers hold so much.
    fn holding(held: &[u64]) -> (UnifiedMemory, TaskMemoryManager, Vec<ConsumerId>) {
        let mut pool = UnifiedMemory::new(mib(100), Bytes::ZERO);
        let mut manager = TaskMemoryManager::new(TASK);
        let ids: Vec<_> = held.iter().map(|_| manager.register(MemoryMode::OnHeap)).collect();
        for (&id, &n) in ids.iter().zip(held) {
            assert_eq!(manager.acquire(&mut pool, id, mib(n)), Progress::Granted(mib(n)));
        }
        (pool, manager, ids)
    }
    fn spill(consumer: ConsumerId, missing: u64) -> Progress {
        Progress::Spill { consumer, missing: mib(missing) }
    }

    /// 1.4 rule 2: 20 MiB are missing; 30 is the smallest that covers them, not 50 and not 10.
    #[test]
    fn the_smallest_consumer_that_covers_what_is_missing_spills_first() {
        let (mut pool, mut manager, c) = holding(&[50, 10, 30, 0]);
        assert_eq!(manager.acquire(&mut pool, c[3], mib(30)), spill(c[2], 20));
        assert_eq!(manager.release(&mut pool, c[2], mib(30)), mib(30));
        assert_eq!(manager.spilled(&mut pool, mib(30)), Progress::Granted(mib(30)));
        assert_eq!([0, 1, 2, 3].map(|i| manager.used(c[i])), [50, 10, 0, 30].map(mib));
        assert_eq!(pool.task_used(TASK), mib(90));
    }

    /// 1.4 rule 2, second half: nobody covers 70 MiB, so the largest goes, then the smallest that covers the rest.
    #[test]
    fn without_one_large_enough_the_largest_spills_first() {
        let (mut pool, mut manager, c) = holding(&[40, 25, 35, 0]);
        assert_eq!(manager.acquire(&mut pool, c[3], mib(70)), spill(c[0], 70));
        manager.release(&mut pool, c[0], mib(40));
        assert_eq!(manager.spilled(&mut pool, mib(40)), spill(c[2], 30));
        manager.release(&mut pool, c[2], mib(35));
        assert_eq!(manager.spilled(&mut pool, mib(35)), Progress::Granted(mib(70)));
    }

    /// 1.4 rule 3 and US-3: those that release nothing are passed over; the requester comes last.
    #[test]
    fn the_requester_is_asked_last() {
        let (mut pool, mut manager, c) = holding(&[60, 40]);
        assert_eq!(manager.acquire(&mut pool, c[1], mib(10)), spill(c[0], 10));
        assert_eq!(manager.spilled(&mut pool, Bytes::ZERO), spill(c[1], 10));
        manager.release(&mut pool, c[1], mib(40));
        assert_eq!(manager.spilled(&mut pool, mib(40)), Progress::Granted(mib(10)));
        assert_eq!(pool.execution_used(), mib(70));
    }

    /// 1.4 rule 4 and MEM-30: nobody can release anything, so the request ends with what there was.
    #[test]
    fn mem_30_a_request_that_nobody_can_help_ends_short() {
        let (mut pool, mut manager, c) = holding(&[95, 0]);
        assert_eq!(manager.acquire(&mut pool, c[1], mib(8)), spill(c[0], 3));
        assert_eq!(manager.spilled(&mut pool, Bytes::ZERO), Progress::Granted(mib(5)));
    }

    /// SPARK-35486: what was spilled may be taken by another task; then the same consumer is asked again, then the next.
    #[test]
    fn released_memory_may_go_to_a_waiting_task() {
        let (mut pool, mut manager, c) = holding(&[60, 40, 0]);
        let (other, mut theirs) = (8, Bytes::ZERO);
        assert_eq!(pool.acquire_execution(other, mib(30)), Acquire::Blocked);
        assert_eq!(manager.acquire(&mut pool, c[2], mib(20)), spill(c[1], 20), "it holds more than its share, so it does not wait");
        manager.release(&mut pool, c[1], mib(40));
        if let Acquire::Granted(n) = pool.acquire_execution(other, mib(40)) {
            theirs = n;
        }
        assert_eq!(theirs, mib(40));
        assert_eq!(manager.spilled(&mut pool, mib(40)), spill(c[1], 20), "asked again at its old size");
        assert_eq!(manager.spilled(&mut pool, Bytes::ZERO), spill(c[0], 20));
        manager.release(&mut pool, c[0], mib(60));
        assert_eq!(manager.spilled(&mut pool, mib(60)), Progress::Granted(mib(20)));
    }

    /// MEM-8: consumers of the other memory mode cannot help.
    #[test]
    fn consumers_of_the_other_mode_are_not_asked() {
        let (mut pool, mut manager, _) = holding(&[]);
        let (heap, native) = (manager.register(MemoryMode::OnHeap), manager.register(MemoryMode::OffHeap));
        assert_eq!(manager.acquire(&mut pool, heap, mib(90)), Progress::Granted(mib(90)));
        let mut off_heap = UnifiedMemory::new(mib(10), Bytes::ZERO);
        assert_eq!(manager.acquire(&mut off_heap, native, mib(20)), Progress::Granted(mib(10)));
        assert_eq!((manager.used_in(MemoryMode::OnHeap), manager.used_in(MemoryMode::OffHeap)), (mib(90), mib(10)));
    }

    /// MEM-31: granted pages without room in the heap stay with the task, but no consumer can release them.
    #[test]
    fn mem_31_pages_that_the_heap_cannot_hold_stay_acquired() {
        let (mut pool, mut manager, c) = holding(&[50]);
        manager.cannot_use(c[0], mib(20));
        assert_eq!((manager.used(c[0]), manager.acquired_but_not_used(), pool.task_used(TASK)), (mib(30), mib(20), mib(50)));
        assert_eq!(manager.release(&mut pool, c[0], mib(50)), mib(30));
        assert_eq!(pool.release_all(TASK), mib(20));
    }
}

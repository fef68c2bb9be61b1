//! Laws of the unified memory manager, and its agreement with a slow twin that replays the formulae of 1.2 and 1.3.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use sim_core::spark::execution_pool::Acquire;
use sim_core::spark::unified_memory::UnifiedMemory;
use sim_core::units::Bytes;

/// One call.
#[derive(Clone, Copy, Debug)]
enum Call {
    Acquire(u64, u64),
    Release(u64, u64),
    ReleaseAll(u64),
    Store(u64),
    Drop(u64),
}

fn call(max: u64) -> impl Strategy<Value = Call> {
    // Many small amounts, some around the size of the pools, some absurd.
    let bytes = prop_oneof![4 => 0..=max / 8, 2 => 0..=max, 1 => Just(max * 3)];
    (0..6_u8, 0..6_u64, bytes).prop_map(|(kind, task, bytes)| match kind {
        0 | 1 => Call::Acquire(task, bytes),
        2 => Call::Release(task, bytes),
        3 => Call::Store(bytes),
        4 => Call::Drop(bytes),
        _ => Call::ReleaseAll(task),
    })
}

/// The pools by the letter of 1.2 and 1.3, in wide signed integers; `None` stands for a task that would wait.
struct Twin {
    m: i128,
    s: i128,
    pe: i128,
    ps: i128,
    us: i128,
    evicted: i128,
    held: BTreeMap<u64, i128>,
}

impl Twin {
    fn new(m: u64, s: u64) -> Self {
        let (m, s) = (i128::from(m), i128::from(s));
        Self { m, s, pe: m - s, ps: s, us: 0, evicted: 0, held: BTreeMap::new() }
    }
    fn ue(&self) -> i128 {
        self.held.values().sum()
    }
    fn acquire(&mut self, task: u64, n: u64) -> Option<i128> {
        let n = i128::from(n);
        if n == 0 {
            return Some(0);
        }
        self.held.entry(task).or_insert(0);
        let extra = n - (self.pe - self.ue());
        let reclaimable = (self.ps - self.us).max(self.ps - self.s);
        if extra > 0 && reclaimable > 0 {
            let moved = extra.min(reclaimable);
            let evicted = (moved - (self.ps - self.us)).max(0);
            self.us -= evicted;
            self.evicted += evicted;
            self.ps -= moved;
            self.pe += moved;
        }
        let count = self.held.len() as i128;
        let cur = self.held[&task];
        let max_share = (self.m - self.us.min(self.s)) / count;
        let min_share = self.pe / (2 * count);
        let to_grant = n.min((max_share - cur).max(0)).min(self.pe - self.ue());
        if to_grant < n && cur + to_grant < min_share {
            return None;
        }
        *self.held.get_mut(&task)? += to_grant;
        Some(to_grant)
    }
    fn release(&mut self, task: u64, n: i128) -> i128 {
        let Some(held) = self.held.get_mut(&task) else { return 0 };
        let freed = n.min(*held);
        *held -= freed;
        if *held == 0 {
            self.held.remove(&task);
        }
        freed
    }
    fn store(&mut self, n: u64) -> bool {
        let n = i128::from(n);
        if n > self.m - self.ue() {
            return false;
        }
        let borrowed = (n - (self.ps - self.us)).max(0).min(self.pe - self.ue());
        self.pe -= borrowed;
        self.ps += borrowed;
        let fits = n <= self.ps - self.us;
        if fits {
            self.us += n;
        }
        fits
    }
}

fn as_wide(bytes: Bytes) -> i128 {
    i128::from(bytes.get())
}

/// Makes the same call on both and compares the answers. Returns bytes stored and dropped, for the balance of storage.
fn compare(memory: &mut UnifiedMemory, twin: &mut Twin, call: Call) -> Result<(u64, u64), TestCaseError> {
    match call {
        Call::Acquire(task, n) => {
            let ours = match memory.acquire_execution(task, Bytes::new(n)) {
                Acquire::Granted(bytes) => Some(as_wide(bytes)),
                Acquire::Blocked => None,
            };
            prop_assert_eq!(ours, twin.acquire(task, n));
        }
        Call::Release(task, n) => prop_assert_eq!(as_wide(memory.release_execution(task, Bytes::new(n))), twin.release(task, i128::from(n))),
        Call::ReleaseAll(task) => {
            let held = memory.task_used(task);
            prop_assert_eq!(memory.release_all(task), held, "release returns everything");
            prop_assert_eq!(as_wide(held), twin.release(task, i128::MAX));
            prop_assert_eq!(memory.task_used(task), Bytes::ZERO);
        }
        Call::Store(n) => {
            let stored = memory.acquire_storage(Bytes::new(n));
            prop_assert_eq!(stored, twin.store(n));
            return Ok((if stored { n } else { 0 }, 0));
        }
        Call::Drop(n) => {
            let freed = memory.release_storage(Bytes::new(n)).get();
            prop_assert_eq!(i128::from(freed), i128::from(n).min(twin.us));
            twin.us -= i128::from(freed);
            return Ok((0, freed));
        }
    }
    Ok((0, 0))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn agrees_with_the_formulae_and_keeps_the_laws(
        (max, region, calls) in (1_000..2_000_000_u64).prop_flat_map(|max| (Just(max), 0..=max, vec(call(max), 1..120)))
    ) {
        let mut memory = UnifiedMemory::new(Bytes::new(max), Bytes::new(region));
        let mut twin = Twin::new(max, region);
        let (mut stored, mut dropped, mut evicted) = (0, 0, 0);
        for call in calls {
            let before = memory.clone();
            let (put, taken) = compare(&mut memory, &mut twin, call)?;
            let evicted_now = memory.take_evicted().get();
            (stored, dropped, evicted) = (stored + put, dropped + taken, evicted + evicted_now);

            prop_assert_eq!(memory.execution_pool() + memory.storage_pool(), Bytes::new(max), "pools sum to M");
            prop_assert!(memory.execution_used() <= memory.execution_pool() && memory.storage_used() <= memory.storage_pool());
            prop_assert_eq!(stored, dropped + evicted + memory.storage_used().get(), "storage balances");
            if evicted_now > 0 {
                let region = Bytes::new(region);
                prop_assert!(before.storage_used() > region && memory.storage_used() >= region, "data at or below S is safe");
            }
            if let Call::Acquire(task, _) = call {
                let grown = memory.task_used(task) > before.task_used(task);
                let cap = memory.max_share(memory.active_tasks());
                prop_assert!(!grown || memory.task_used(task) <= cap, "no grant beyond the share");
            }
            let state = [memory.execution_pool(), memory.storage_pool(), memory.execution_used(), memory.storage_used()].map(as_wide);
            prop_assert_eq!(state, [twin.pe, twin.ps, twin.ue(), twin.us]);
            prop_assert_eq!(memory.active_tasks(), twin.held.len());
        }
        prop_assert_eq!(i128::from(evicted), twin.evicted);
    }
}

//! Equality, to the byte, with recordings of the unified memory manager of a real Spark.
//!
//! The recorder and the form of its lines are in `tests/recorders/memory`. A request that waits stays, while other calls are
//! made, until one of them wakes it. In which order the threads that a release wakes take the manager's lock is not
//! defined, so each order is tried: one of them must give the recorded grants, evictions and pools.

use sim_core::spark::execution_pool::Acquire;
use sim_core::spark::storage_pool::Block;
use sim_core::spark::unified_memory::UnifiedMemory;
use sim_core::units::Bytes;

const RECORDING: &str = include_str!("data/unified-memory-spark-3.5.txt");

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("a number, not {word:?}"))
}
fn bytes(word: &str) -> Bytes {
    Bytes::new(number(word))
}
fn small(word: &str) -> u32 {
    u32::try_from(number(word)).expect("a small number")
}

/// A request that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    mode: usize,
    task: u64,
    bytes: Bytes,
}

/// One manager: on-heap pools, and off-heap pools where there are any.
#[derive(Clone)]
struct Manager {
    pools: Vec<UnifiedMemory>,
    /// Blocks and the mode in which they are stored.
    blocks: Vec<(u64, usize)>,
    waiting: Vec<Waiting>,
}

impl Manager {
    fn new(words: &[&str]) -> Self {
        let pools = words.chunks(2).map(|sizes| UnifiedMemory::new(bytes(sizes[0]), bytes(sizes[1]))).collect();
        Self { pools, blocks: Vec::new(), waiting: Vec::new() }
    }
    fn active_tasks(&self) -> usize {
        self.pools.iter().map(UnifiedMemory::active_tasks).sum()
    }
    fn mode_of(&self, block: u64) -> usize {
        self.blocks.iter().find(|(id, _)| *id == block).expect("the block is stored").1
    }

    /// Makes the recorded call and tells the answer in the recording's words.
    fn answer(&mut self, call: &[&str]) -> String {
        let mode = |word: &str| usize::from(word == "off");
        match call {
            ["acq", m, task, n, _] => {
                let request = Waiting { mode: mode(m), task: number(task), bytes: bytes(n) };
                match self.pools[request.mode].acquire_execution(request.task, request.bytes) {
                    Acquire::Granted(granted) => granted.get().to_string(),
                    Acquire::Blocked => {
                        self.waiting.push(request);
                        "wait".to_owned()
                    }
                }
            }
            ["rel", m, task, n] => self.pools[mode(m)].release_execution(number(task), bytes(n)).get().to_string(),
            ["end", task, _] => {
                self.waiting.retain(|one| one.task != number(task));
                self.pools.iter_mut().map(|pool| pool.release_all(number(task)).get()).sum::<u64>().to_string()
            }
            ["put", m, block, rdd, n, _] => {
                let block = Block { id: number(block), rdd: Some(small(rdd)), bytes: bytes(n) };
                self.blocks.push((block.id, mode(m)));
                self.pools[mode(m)].store_block(block).to_string()
            }
            ["drop", block] => {
                let mode = self.mode_of(number(block));
                assert!(!self.pools[mode].drop_block(number(block)).is_zero(), "block {block} is stored");
                (*block).to_owned()
            }
            ["read", block] => {
                let mode = self.mode_of(number(block));
                assert!(self.pools[mode].touch_block(number(block)), "block {block} is stored");
                (*block).to_owned()
            }
            ["unroll", m, rdd, n, _] => self.pools[mode(m)].acquire_unroll(Some(small(rdd)), bytes(n)).to_string(),
            ["unrolled", m, n] => self.pools[mode(m)].release_unroll(bytes(n)).get().to_string(),
            other => panic!("unknown call {other:?}"),
        }
    }

    /// Those that wait ask again, in this order; who was granted what, in the order in which they began to wait.
    fn wake(&mut self, order: &[usize]) -> String {
        let asking = std::mem::take(&mut self.waiting);
        let mut granted = vec![None; asking.len()];
        for &one in order {
            let request = asking[one];
            if let Acquire::Granted(bytes) = self.pools[request.mode].acquire_execution(request.task, request.bytes) {
                granted[one] = Some(bytes);
            }
        }
        let woken = asking.iter().zip(&granted).filter_map(|(one, granted)| Some(format!("{}:{}", one.task, (*granted)?.get())));
        let text = woken.collect::<Vec<_>>().join(",");
        self.waiting = asking.into_iter().zip(granted).filter(|(_, granted)| granted.is_none()).map(|(one, _)| one).collect();
        text
    }
    /// Blocks that went since the last call, and the pools: execution size, execution used, storage used.
    fn state(&mut self) -> (String, String) {
        let gone: Vec<String> = self.pools.iter_mut().flat_map(|pool| pool.take_evicted_blocks().map(|b| b.id.to_string()).collect::<Vec<_>>()).collect();
        let sizes = |pool: &UnifiedMemory| [pool.execution_pool(), pool.execution_used(), pool.storage_used()].map(|size| size.get().to_string()).join(" ");
        (gone.join(","), self.pools.iter().map(sizes).collect::<Vec<_>>().join(" "))
    }
}

/// All orders of `0..n`.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(n - 1);
    shorter.iter().flat_map(|order| (0..n).map(move |at| [&order[..at], &[n - 1], &order[at..]].concat())).collect()
}

/// What a line says after the call: evicted blocks, woken tasks.
fn clauses(text: &str) -> (&str, &str, &str) {
    let (text, woke) = text.split_once(" woke ").unwrap_or((text, ""));
    let (call, evicted) = text.split_once(" evicted ").unwrap_or((text, ""));
    (call, evicted, woke)
}

#[derive(Default)]
struct Seen {
    sequences: u32,
    waits: u32,
    woken: u32,
    evictions: u32,
    off_heap: u32,
    unrolls: u32,
}

fn replay(recording: &str) -> Seen {
    let mut manager = Manager::new(&[]);
    let mut seen = Seen::default();
    for (line, text) in recording.lines().enumerate().filter(|(_, text)| !text.starts_with('#')) {
        let Some((call, state)) = text.split_once(" = ") else {
            manager = Manager::new(&text.split(' ').skip(1).collect::<Vec<_>>());
            seen.sequences += 1;
            continue;
        };
        let (call, evicted, woke) = clauses(call);
        let words: Vec<_> = call.split(' ').collect();
        let (waited, active) = (manager.waiting.len(), manager.active_tasks());
        assert_eq!(manager.answer(&words), words[words.len() - 1], "line {}: {text}", line + 1);
        // Storage that becomes free wakes nobody. One that has just begun to wait has had its answer and is not woken by itself.
        let wakes = matches!(words[0], "rel" | "end") || manager.active_tasks() > active;
        let others = if wakes { waited.min(manager.waiting.len()) } else { 0 };
        let tried: Vec<(Manager, (String, String, String))> = orders(others)
            .into_iter()
            .map(|order| {
                let mut after = manager.clone();
                let woken = after.wake(&order);
                let (gone, pools) = after.state();
                (after, (gone, woken, pools))
            })
            .collect();
        let expected = (evicted.to_owned(), woke.to_owned(), state.to_owned());
        let Some((after, _)) = tried.iter().find(|(_, got)| *got == expected) else {
            panic!("line {}: {text}: {:?}", line + 1, tried.iter().map(|(_, got)| got).collect::<Vec<_>>());
        };
        manager = after.clone();
        seen.waits += u32::from(words.ends_with(&["wait"]));
        seen.woken += woke.split(',').filter(|one| !one.is_empty()).count() as u32;
        seen.evictions += evicted.split(',').filter(|one| !one.is_empty()).count() as u32;
        seen.off_heap += u32::from(words[1] == "off");
        seen.unrolls += u32::from(words[0] == "unroll" && words.ends_with(&["true"]));
    }
    seen
}

#[test]
fn every_recorded_call_has_the_same_answer_and_state() {
    let seen = replay(RECORDING);
    let counts = [seen.sequences, seen.waits, seen.woken, seen.evictions, seen.off_heap, seen.unrolls];
    assert!(counts.iter().zip([1000, 1000, 250, 350, 2000, 1000]).all(|(count, least)| *count >= least), "{counts:?}");
}

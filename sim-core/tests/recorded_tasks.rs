//! Equality, to the byte, with recordings of the task memory manager of a real Spark: who is asked to spill, for how much, in which order.
//!
//! The recorder and the form of its lines are in `tests/recorders/memory`. What a consumer frees when it is asked is in the recording.

use sim_core::spark::task_memory_manager::{ConsumerId, MemoryMode, Progress, TaskMemoryManager};
use sim_core::spark::unified_memory::UnifiedMemory;
use sim_core::units::Bytes;

const RECORDING: &str = include_str!("data/task-memory-spark-3.5.txt");

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("a number, not {word:?}"))
}
fn bytes(word: &str) -> Bytes {
    Bytes::new(number(word))
}

/// An executor's pools and its tasks.
#[derive(Default)]
struct Executor {
    pools: Vec<UnifiedMemory>,
    tasks: Vec<(TaskMemoryManager, Vec<ConsumerId>)>,
    spills: u32,
}

impl Executor {
    fn add_task(&mut self, modes: &[&str]) {
        let mut manager = TaskMemoryManager::new(self.tasks.len() as u64);
        let register = |mode: &&str| manager.register(if *mode == "off" { MemoryMode::OffHeap } else { MemoryMode::OnHeap });
        let consumers = modes.iter().map(register).collect();
        self.tasks.push((manager, consumers));
    }

    /// Makes a recorded call; `spills` are those that the recording tells.
    fn call(&mut self, words: &[&str], spills: &str) {
        let (manager, consumers) = &mut self.tasks[number(words[1]) as usize];
        let by = consumers[number(words[2]) as usize];
        let pool = &mut self.pools[usize::from(manager.mode(by) == MemoryMode::OffHeap)];
        if words[0] == "rel" {
            manager.release(pool, by, bytes(words[3]));
            return;
        }
        let mut progress = manager.acquire(pool, by, bytes(words[3]));
        for spill in spills.split(',').filter(|one| !one.is_empty()) {
            let parts: Vec<_> = spill.split(':').collect();
            let consumer = consumers[number(parts[0]) as usize];
            assert_eq!(progress, Progress::Spill { consumer, missing: bytes(parts[1]) });
            let freed = manager.release(pool, consumer, bytes(parts[2]));
            assert_eq!(freed, bytes(parts[2]));
            progress = manager.spilled(pool, freed);
            self.spills += 1;
        }
        assert_eq!(progress, Progress::Granted(bytes(words[4])));
    }
    fn used(&self) -> String {
        let all = self.tasks.iter().flat_map(|(manager, consumers)| consumers.iter().map(|&one| manager.used(one).get().to_string()));
        all.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn every_recorded_request_makes_the_same_consumers_spill_in_the_same_order() {
    let mut executor = Executor::default();
    let (mut sequences, mut spills) = (0, 0);
    for (line, text) in RECORDING.lines().enumerate().filter(|(_, text)| !text.starts_with('#')) {
        let (call, used) = text.split_once(" = ").unwrap_or((text, ""));
        let (call, asked) = call.split_once(" spills ").unwrap_or((call, ""));
        let words: Vec<_> = call.split(' ').collect();
        match words[0] {
            "pools" => {
                spills += std::mem::take(&mut executor).spills;
                executor.pools = words[1..].chunks(2).map(|sizes| UnifiedMemory::new(bytes(sizes[0]), bytes(sizes[1]))).collect();
                sequences += 1;
            }
            "task" => executor.add_task(&words[2..]),
            _ => {
                executor.call(&words, asked);
                assert_eq!(executor.used(), used, "line {}: {text}", line + 1);
            }
        }
    }
    assert!(sequences >= 200 && spills >= 1000, "{sequences} sequences, {spills} spills");
}

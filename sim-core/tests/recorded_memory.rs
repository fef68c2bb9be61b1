//! Equality, to the byte, with recordings of the unified memory manager of a real Spark 3.5.
//!
//! The recorder is `tests/recorders/UnifiedMemoryRecorder.scala`; the first lines of the recording explain its form.

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

/// Makes the recorded call and tells the answer in the recording's words.
fn answer(memory: &mut UnifiedMemory, call: &[&str]) -> String {
    match call {
        ["acquire", task, n, _] => match memory.acquire_execution(number(task), bytes(n)) {
            Acquire::Granted(granted) => granted.get().to_string(),
            Acquire::Blocked => "wait".to_owned(),
        },
        ["release", task, n] => memory.release_execution(number(task), bytes(n)).get().to_string(),
        ["end", task, _] => memory.release_all(number(task)).get().to_string(),
        ["store", block, rdd, n, _] => {
            let rdd = u32::try_from(number(rdd)).expect("a small number");
            memory.store_block(Block { id: number(block), rdd: Some(rdd), bytes: bytes(n) }).to_string()
        }
        ["drop", block] => {
            assert!(!memory.drop_block(number(block)).is_zero(), "block {block} is stored");
            (*block).to_owned()
        }
        ["read", block] => {
            assert!(memory.touch_block(number(block)), "block {block} is stored");
            (*block).to_owned()
        }
        other => panic!("unknown call {other:?}"),
    }
}

#[test]
fn every_recorded_call_has_the_same_answer_and_state() {
    let mut memory = UnifiedMemory::new(Bytes::ZERO, Bytes::ZERO);
    let (mut sequences, mut waits, mut evictions) = (0, 0, 0);
    for (line, text) in RECORDING.lines().enumerate().filter(|(_, text)| !text.starts_with('#')) {
        let Some((call, state)) = text.split_once(" = ") else {
            let words: Vec<_> = text.split(' ').collect();
            memory = UnifiedMemory::new(bytes(words[1]), bytes(words[2]));
            sequences += 1;
            continue;
        };
        let (call, evicted) = call.split_once(" evicted ").unwrap_or((call, ""));
        let words: Vec<_> = call.split(' ').collect();
        let ours = answer(&mut memory, &words);
        assert_eq!(ours, words[words.len() - 1], "line {}: {text}", line + 1);

        let gone: Vec<_> = memory.take_evicted_blocks().map(|block| block.id.to_string()).collect();
        assert_eq!(gone.join(","), evicted, "line {}: {text}", line + 1);
        let pools = [memory.execution_pool(), memory.storage_pool(), memory.execution_used(), memory.storage_used()];
        assert_eq!(pools.map(|pool| pool.get().to_string()).join(" "), state, "line {}: {text}", line + 1);
        waits += usize::from(ours == "wait");
        evictions += gone.len();
    }
    assert!(sequences >= 200 && waits >= 100 && evictions >= 100, "{sequences} sequences, {waits} waits, {evictions} evictions");
}

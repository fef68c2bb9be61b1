//! Reading an event log against only tokenising it, on the same bytes and in one run.
//!
//! `tokenise` is what any reader that parses every line has to do at least: `serde_json` passes over each line without
//! keeping anything. `ingest` goes from the bytes to the finished profile. The text is a recorded log of Spark 3.5 several
//! times over, with other stage ids each time; nearly all of it starts and ends tasks of queries, as in any long log.

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenarios::event_log::ingest_stream;
use serde::de::IgnoredAny;

/// Copies of the log: 8 MB, which is more than the caches hold.
const COPIES: usize = 40;

fn text() -> Arc<[u8]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/tests/data/factorial-200.json.zst");
    let packed = std::fs::read(&path).expect("the recorded log is in the repository");
    let log = String::from_utf8(zstd::decode_all(&packed[..]).expect("a whole log")).expect("JSON is UTF-8");
    // Metrics of the driver have no stage, which Spark writes as -1.
    let numbered = |copy: usize| {
        let with = |sign: &str| format!("\"Stage ID\":{sign}");
        log.replace(&with(""), &with(&copy.to_string())).replace(&with(&format!("{copy}-")), &with("-"))
    };
    (1..=COPIES).map(numbered).collect::<String>().into_bytes().into()
}

fn ingest(c: &mut Criterion) {
    let text = text();
    let mut group = c.benchmark_group("event_log");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(20);
    group.bench_function("tokenise", |b| {
        b.iter(|| {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            for line in lines {
                black_box(serde_json::from_slice::<IgnoredAny>(line).expect("an event"));
            }
        });
    });
    group.bench_function("ingest", |b| {
        b.iter(|| ingest_stream("log", Cursor::new(Arc::clone(&text))).expect("a log").summary.totals.tasks);
    });
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);

//! Any bytes as an event log: an error with a hint, or a profile that reads back and makes an application.
//!
//! The first byte chooses the file name, so that every codec is also tried by extension.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use scenarios::diag::Source;
use scenarios::event_log::ingest_stream;
use scenarios::profile::{Profile, ProfileConf};
use sim_core::units::Bytes;

const NAMES: [&str; 8] = ["app", "app.zstd", "app.lz4", "app.snappy", "app.gz", "app.lzf", "app.sz", "events_1_app.zst.compact"];

fuzz_target!(|data: &[u8]| {
    let Some((name, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(*name) % NAMES.len()];
    match ingest_stream(name, Cursor::new(bytes.to_vec())) {
        Err(problems) => assert!(problems.has_errors() && problems.items().iter().all(|problem| problem.hint.is_some())),
        Ok(ingested) => {
            let (again, problems) = Profile::parse(&Source::new("profile.toml", ingested.profile.to_toml()));
            assert!(!problems.has_errors(), "{:?}", problems.items());
            assert_eq!(again.as_ref(), Some(&ingested.profile));
            ingested.profile.to_app(Bytes::gib(3), &ProfileConf { shuffle_partitions: Some(7), max_partition_bytes: Bytes::mib(128) });
        }
    }
});

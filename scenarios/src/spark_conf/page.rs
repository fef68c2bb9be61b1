//! The page of the guide on Spark's keys, written from the tables and held equal to them.
//!
//! `SPILLCAST_WRITE_PAGE=1 cargo test -p scenarios --lib spark_conf::page` writes it anew.

use std::fmt::Write;

use super::{KEYS, find, meanings, released};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/spark-keys.md");

const HEAD: &str = "\
# Spark's configuration keys

`spillcast explain KEY [SCENARIO]` tells of each key what this page tells, and its value in a scenario: which file and line set it, and the sizes that follow. `spillcast explain SCENARIO`
lists what a scenario sets, `spillcast explain 'spark.dynamicAllocation.*'` what matches, `spillcast explain --all` every key.

Names and defaults come from a catalogue that was recorded from Spark 3.3 to 4.3 by running each release. Between releases defaults change, and
`spark.version` of the scenario says which count. Names of the past are read for the new ones in those releases that still do so, and told.
A key that the release does not know is ignored, as Spark does, and told.

This page is written from the program's own tables; a test holds it equal to them.
";

const MODELLED: &str = "
## Keys that the model uses

| key | default | what it moves |
| --- | --- | --- |
";

const NOT_SIMULATED: &str = "
## Keys that are known and not simulated

Setting one of these to anything but its default gives one warning that names key, file and line. The last column says what the model does
whatever the key says.

| key | default | what it means | what the model does |
| --- | --- | --- | --- |
";

fn tail() -> String {
    let modelled = KEYS.len();
    let reasoned = meanings::reasoned().filter(|key| find(key).is_none()).count();
    let others = released::all().iter().filter(|row| find(row.key).is_none() && meanings::instead(row.key).is_none()).count();
    format!(
        "
## All the others

Beside the {modelled} keys that the model uses and the {reasoned} that it does not, Spark has {others} that bear neither on memory nor on shuffle. Those that a
scenario sets to something else than their default are told together in one warning. So are keys of others: of Hadoop (`spark.hadoop.*`), of remote shuffle services
(`spark.celeborn.*`, `spark.rss.*`), of plugins, of the job itself. A key that nobody knows and that looks like a slip of the hand gets the nearest name.
"
    )
}

fn default(key: &str) -> String {
    let words = find(key)
        .map_or_else(|| released::find(key).map_or_else(|| "unset".to_owned(), released::Released::default_in_words), super::ConfKey::default_in_words);
    words.replace('|', "\\|")
}

fn page() -> String {
    let mut text = HEAD.to_owned() + MODELLED;
    let mut modelled: Vec<&str> = KEYS.iter().map(|known| known.key).collect();
    modelled.sort_unstable();
    for key in modelled {
        let _ = writeln!(text, "| `{key}` | {} | {} |", default(key), meanings::moves(key));
    }
    text.push_str(NOT_SIMULATED);
    let mut others: Vec<&str> = meanings::reasoned().filter(|key| find(key).is_none()).collect();
    others.sort_unstable();
    for key in others {
        let meaning = meanings::meaning(key).unwrap_or("Not related to memory or shuffle.");
        let _ = writeln!(text, "| `{key}` | {} | {meaning} | {} |", default(key), meanings::instead(key).unwrap_or_default());
    }
    text + &tail()
}

#[test]
fn the_guide_lists_what_the_tables_hold() {
    if std::env::var_os("SPILLCAST_WRITE_PAGE").is_some() {
        std::fs::write(PATH, page()).expect("written");
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    for (line, (found, wanted)) in written.lines().zip(page().lines()).enumerate() {
        assert_eq!(found, wanted, "line {} of docs/guide/spark-keys.md; write it anew as scenarios/src/spark_conf/page.rs says", line + 1);
    }
    assert!(written == page(), "docs/guide/spark-keys.md is out of date; write it anew as scenarios/src/spark_conf/page.rs says");
}

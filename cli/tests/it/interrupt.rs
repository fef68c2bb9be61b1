//! Ctrl-C: what is done is written and marked, and the status is 130.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::spillcast::{Place, tree};

/// Starts a sweep that would take days, and returns when it is running.
fn endless(place: &Place) -> Child {
    let line = ["sweep", "aks-migration", "-n", "1000000000", "--format", "jsonl", "-o", "out"];
    let mut child = place.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut first = String::new();
    BufReader::with_capacity(1, child.stderr.as_mut().expect("piped")).read_line(&mut first).expect("a note");
    assert!(first.contains("seed 1"), "{first}");
    // Long enough for at least one replication on a busy machine.
    std::thread::sleep(Duration::from_secs(3));
    child
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
}

#[test]
fn the_first_interrupt_writes_what_is_done_and_marks_it() {
    let place = Place::new();
    let mut child = endless(&place);
    interrupt(&child);
    let mut stdout = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("UTF-8");
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("UTF-8");
    assert_eq!(child.wait().expect("an end").code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted"), "{stderr}");
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().expect("a point")).expect("JSON");
    assert_eq!(last["interrupted"], true);
    let n = last["replications"].as_u64().expect("n");
    assert!((1..1_000_000_000).contains(&n) && last["p_oom"]["n"] == n, "{last}");
    assert_eq!(place.read("out/results.jsonl"), stdout);
    assert!(place.path("out/index.html").exists());
}

#[test]
fn after_two_interrupts_no_result_is_half_written() {
    let place = Place::new();
    let mut child = endless(&place);
    interrupt(&child);
    interrupt(&child);
    // The two may arrive as one; then the sweep ends in good order. Its reader is gone, which changes nothing.
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    for (name, contents) in tree(&place.path("out")) {
        let text = String::from_utf8_lossy(&contents).into_owned();
        if name.extension().is_some_and(|extension| extension == "json") {
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", name.display());
        }
        if name.extension().is_some_and(|extension| extension == "jsonl") {
            assert!(text.is_empty() || text.ends_with('\n'), "{}", name.display());
        }
    }
}

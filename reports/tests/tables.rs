//! Tables for the terminal at three widths.

use reports::SweepReport;
use reports::table::{self, Style};

mod common;

const PLAIN: Style = Style { color: false };

fn show(report: &SweepReport, width: usize, style: Style) -> String {
    if report.axes.is_empty() { table::run(&report.header, &report.points[0], width, style) } else { table::sweep(report, width, style) }
}

#[test]
fn no_line_is_wider_than_asked_for() {
    for report in [common::factorial(), common::rising(), common::plane(), common::named(), common::run(980), common::run(3), common::starved()] {
        for width in [40, 60, 80, 120, 200] {
            // A command is one word longer than some widths: only what can be broken must fit.
            // It stands after an indent of two, and before the backslash of a command that goes on.
            let longest_word = |line: &str| line.split(' ').map(str::len).max().unwrap_or(0) + if line.ends_with('\\') { 4 } else { 2 };
            for line in show(&report, width, PLAIN).lines() {
                assert!(line.chars().count() <= width.max(longest_word(line)), "{width}: {line}");
            }
        }
    }
}

#[test]
fn colour_only_adds_codes() {
    for report in [common::factorial(), common::run(980)] {
        let coloured = show(&report, 80, Style { color: true });
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            bare.push_str(before);
            rest = after.split_once('m').expect("codes end with m").1;
        }
        bare.push_str(rest);
        let trimmed: Vec<&str> = bare.lines().map(str::trim_end).collect();
        assert_eq!(trimmed, show(&report, 80, PLAIN).lines().collect::<Vec<_>>());
        assert!(coloured.contains("\u{1b}[31m"), "deaths are red");
    }
}

#[test]
fn factorial_40() {
    insta::assert_snapshot!(show(&common::factorial(), 40, PLAIN));
}

#[test]
fn factorial_80() {
    insta::assert_snapshot!(show(&common::factorial(), 80, PLAIN));
}

#[test]
fn factorial_120() {
    insta::assert_snapshot!(show(&common::factorial(), 120, PLAIN));
}

#[test]
fn run_40() {
    insta::assert_snapshot!(show(&common::run(980), 40, PLAIN));
}

#[test]
fn run_80() {
    insta::assert_snapshot!(show(&common::run(980), 80, PLAIN));
}

#[test]
fn starved_80_notes_pending_executors_and_truncations() {
    let text = show(&common::starved(), 80, PLAIN);
    assert!(text.contains("executors stayed Pending") && text.contains("4 replications cut off"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn named_80() {
    insta::assert_snapshot!(show(&common::named(), 80, PLAIN));
}

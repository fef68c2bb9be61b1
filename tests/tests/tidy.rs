//! The house rules as tests: what a reviewer would otherwise have to say again each time.
//!
//! Each rule is one test over the tracked files, and beside it is a test that plants an offender and sees it caught, so that no rule can
//! quietly stop working. A rule's checker takes text and returns offenders (`file:line: what`), all of them, not only the first. The checkers
//! read Rust with the small lexer of `tidy/lexer.rs`, which knows strings, characters and comments and nothing of the grammar beyond braces:
//! enough for these rules, and no dependency. CONTRIBUTING.md gives the reason for each rule.

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/leftovers.rs"]
mod leftovers;
#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/markdown.rs"]
mod markdown;
#[path = "tidy/purity.rs"]
mod purity;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/tree.rs"]
mod tree;

/// Fails with the list of offenders, one a line.
#[track_caller]
fn assert_none(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}: {} offender(s)\n  {}\n", offenders.len(), offenders.join("\n  "));
}

//! Documents: one title each, links that lead somewhere, a change log with a place for the next change, and a README whose set-up is two commands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::tree::{File, markdown_files};

/// What a newcomer types, in this order, and all of it.
const SET_UP: [&str; 2] = ["cargo run --release -- sweep aks-migration -o out", "cargo test --workspace"];

/// A line of a document: prose, or inside a fenced block with this language.
enum Line<'a> {
    Prose(&'a str),
    Fenced(&'a str, &'a str),
}

/// The lines of a document with their numbers, from 1; the fences themselves are left out.
fn lines(text: &str) -> Vec<(usize, Line<'_>)> {
    let mut fence: Option<(&str, &str)> = None;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mark = line.trim_start();
        let ticks = &mark[..mark.len() - mark.trim_start_matches(['`', '~']).len()];
        match fence {
            None if ticks.len() >= 3 => fence = Some((ticks, mark[ticks.len()..].split_whitespace().next().unwrap_or_default())),
            None => found.push((index + 1, Line::Prose(line))),
            Some((open, _)) if ticks.starts_with(open) && mark == ticks => fence = None,
            Some((_, language)) => found.push((index + 1, Line::Fenced(language, line))),
        }
    }
    found
}

fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    lines(text).into_iter().filter_map(|(number, line)| match line {
        Line::Prose(line) => Some((number, line)),
        Line::Fenced(..) => None,
    })
}

fn title_offender(file: &File) -> Option<String> {
    let titles = prose(&file.text).filter(|(_, line)| line.starts_with("# ")).count();
    (titles != 1).then(|| format!("{}: {titles} titles", file.path))
}

/// Links of a document that lead nowhere; `known` are the tracked files.
fn dead_links(file: &File, known: &BTreeSet<String>, anchors_of: &dyn Fn(&str) -> Option<BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (number, target) in links(&file.text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let Some(path) = resolve(&file.path, path) else {
            found.push(format!("{}:{number}: {target} leaves the repository", file.path));
            continue;
        };
        let folder = format!("{path}/");
        let exists = known.contains(&path) || path.is_empty() || known.iter().any(|k| k.starts_with(&folder));
        if !exists {
            found.push(format!("{}:{number}: {target} is not there", file.path));
        } else if !anchor.is_empty() && anchors_of(&path).is_some_and(|anchors| !anchors.contains(anchor)) {
            found.push(format!("{}:{number}: {target} has no such heading", file.path));
        }
    }
    found
}

/// Targets of `[…](target)` and `[…]: target`, outside code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        for (at, _) in line.match_indices("](") {
            let target = line[at + 2..].split([')', ' ']).next().unwrap_or_default();
            found.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
        if let Some((label, target)) = line.split_once("]: ")
            && label.starts_with('[')
            && !label.starts_with("[^")
        {
            found.push((number, target.trim().to_owned()));
        }
    }
    found
}

/// A line without its `code` spans.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// A relative target from the folder of `from`, as a path from the root; `None` if it leaves the root.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut path: Vec<String> = Vec::new();
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    for component in folder.join(target).components() {
        match component {
            Component::Normal(name) => path.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(path.pop()?),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path.join("/"))
}

/// The anchors of a document's headings, by the rule of the code hosts: lower case, punctuation dropped, blanks to hyphens.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeMap::new();
    for (_, line) in prose(text).filter(|(_, line)| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let anchor: String = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect();
        let twins = *seen.entry(anchor.clone()).and_modify(|n| *n += 1).or_insert(0_usize);
        found.insert(if twins == 0 { anchor } else { format!("{anchor}-{twins}") });
    }
    found
}

/// The commands of a document's shell blocks, prompts and comments dropped. A `console` block is a transcript and is not counted.
fn commands(text: &str) -> Vec<String> {
    lines(text)
        .into_iter()
        .filter_map(|(_, line)| match line {
            Line::Fenced("sh" | "bash" | "shell" | "zsh", line) => Some(line.split(" #").next().unwrap_or_default().trim()),
            Line::Fenced(..) | Line::Prose(_) => None,
        })
        .map(|command| command.trim_start_matches("$ ").to_owned())
        .filter(|command| !command.is_empty() && !command.starts_with('#'))
        .collect()
}

fn has_unreleased(change_log: &str) -> bool {
    prose(change_log).any(|(_, line)| line.trim_start_matches(['#', ' ', '[']).starts_with("Unreleased") && line.starts_with("## "))
}

fn read(path: &str) -> Option<String> {
    let path: PathBuf = super::tree::root().join(path);
    std::fs::read_to_string(path).ok()
}

#[test]
fn every_document_has_one_title() {
    super::assert_none("titles", &markdown_files().iter().filter_map(title_offender).collect::<Vec<_>>());
}

#[test]
fn relative_links_lead_somewhere() {
    let known = super::tree::paths();
    let documents = markdown_files();
    let anchors_of = |path: &str| documents.iter().find(|file| file.path == path).map(|file| anchors(&file.text));
    super::assert_none("links", &documents.iter().flat_map(|file| dead_links(file, &known, &anchors_of)).collect::<Vec<_>>());
}

#[test]
fn the_change_log_has_a_place_for_the_next_change() {
    let change_log = read("CHANGELOG.md").expect("CHANGELOG.md must exist");
    assert!(has_unreleased(&change_log), "CHANGELOG.md needs a section `## [Unreleased]`");
}

#[test]
fn the_readme_sets_up_in_two_commands() {
    let readme = read("README.md").expect("README.md must exist: its two set-up commands are a promise that this test holds");
    assert_eq!(commands(&readme), SET_UP, "the shell blocks of README.md hold the two set-up commands and no more; show others as `console` transcripts");
}

#[test]
fn a_second_title_is_caught_and_a_comment_in_a_block_is_not_one() {
    let found = |text: &str| title_offender(&File { path: "a.md".into(), text: text.into() });
    assert_eq!(found("# A\n```sh\n# not a title\n```\n## B\n"), None);
    assert_eq!(found("# A\n\n# B\n").as_deref(), Some("a.md: 2 titles"));
    assert_eq!(found("## A\n").as_deref(), Some("a.md: 0 titles"));
    assert_eq!(found("# A\n````md\n```\n# inside\n````\n"), None);
}

#[test]
fn dead_links_are_caught() {
    let known: BTreeSet<String> = ["docs/a.md", "docs/model/b.md", "README.md"].map(str::to_owned).into();
    let anchors_of = |path: &str| (path == "docs/model/b.md").then(|| anchors("# B\n## What it is: `x`, y_z\n## Twin\n## Twin\n"));
    let found = |text: &str| dead_links(&File { path: "docs/a.md".into(), text: text.into() }, &known, &anchors_of).len();
    let fine = [
        "[b](model/b.md)",
        "[b](./model)",
        "[r](../README.md#x)",
        "[b](model/b.md#what-it-is-x-y_z)",
        "[t](model/b.md#twin-1)",
        "[w](https://a.b/c)",
        "`[c](no.md)`",
    ];
    let dead = ["[b](b.md)", "[b](../../x.md)", "[b](/README.md)", "[b](model/b.md#other)", "![p](p.svg)", "[b]: b.md"];
    assert_eq!(fine.map(found), [0; 7]);
    assert_eq!(dead.map(found), [1; 6]);
    assert_eq!(found("```\n[c](no.md)\n```\n"), 0);
}

#[test]
fn other_set_up_commands_are_caught() {
    let readme =
        |more: &str| format!("# A\n```sh\n{}   # the chart\n```\ntext\n```bash\n$ {}\n{more}```\n```console\n$ spillcast run x\n```\n", SET_UP[0], SET_UP[1]);
    assert_eq!(commands(&readme("")), SET_UP);
    assert_eq!(commands(&readme("make install\n")).len(), 3);
}

#[test]
fn a_change_log_without_the_section_is_caught() {
    assert!(has_unreleased("# Changes\n## [Unreleased]\n"));
    assert!(has_unreleased("# Changes\n## Unreleased\n"));
    assert!(!has_unreleased("# Changes\n## [0.1.0]\nUnreleased\n"));
}

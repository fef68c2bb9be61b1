//! Lengths: a file has at most 400 lines without its tests, a function at most 70. What is longer holds more than one mechanism.

use super::lexer::{bracket_end, line_of, mask, names, test_lines};
use super::tree::{File, rust_files};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// Tests grow with what they test, so their files have no limit; their functions do.
fn may_be_long(path: &str) -> bool {
    path.starts_with("tests/") || path.starts_with("benches/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn long_file(file: &File) -> Option<String> {
    let lines = file.text.lines().count() - test_lines(&mask(&file.text));
    (lines > FILE_LINES && !may_be_long(&file.path)).then(|| format!("{}: {lines} lines without tests", file.path))
}

fn long_functions(file: &File) -> Vec<String> {
    functions(&mask(&file.text))
        .into_iter()
        .filter(|function| function.lines > FUNCTION_LINES)
        .map(|function| format!("{}:{}: `{}` has {} lines", file.path, function.line, function.name, function.lines))
        .collect()
}

struct Function {
    name: String,
    line: usize,
    /// From its `fn` to its last brace, both included.
    lines: usize,
}

/// Functions with a body, nested ones too.
fn functions(masked: &str) -> Vec<Function> {
    let bytes = masked.as_bytes();
    let mut found = Vec::new();
    for at in names(masked, "fn") {
        let rest = masked[at + 2..].trim_start();
        let name: String = rest.chars().take_while(|&c| c == '_' || c == '#' || c.is_alphanumeric()).collect();
        // A pointer type `fn(…)` has no name, a trait's method without a default no body.
        if name.is_empty() {
            continue;
        }
        if let Some(open) = body(bytes, at) {
            let (first, last) = (line_of(masked, at), line_of(masked, bracket_end(bytes, open)));
            found.push(Function { name, line: first, lines: last - first + 1 });
        }
    }
    found
}

/// The offset of the brace that opens the body of the function at `at`.
fn body(masked: &[u8], at: usize) -> Option<usize> {
    let mut offset = at;
    while offset < masked.len() {
        match masked[offset] {
            b'{' => return Some(offset),
            b';' => return None,
            b'(' | b'[' => offset = bracket_end(masked, offset),
            _ => offset += 1,
        }
    }
    None
}

#[test]
fn files_are_at_most_400_lines_without_tests() {
    super::assert_none("file length", &rust_files().iter().filter_map(long_file).collect::<Vec<_>>());
}

#[test]
fn functions_are_at_most_70_lines() {
    super::assert_none("function length", &rust_files().iter().flat_map(long_functions).collect::<Vec<_>>());
}

#[test]
fn a_long_file_is_caught_and_its_tests_do_not_count() {
    let file = |path: &str, code: usize, tests: usize| File {
        path: path.into(),
        text: format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 1;\n".repeat(code), "// }\n".repeat(tests)),
    };
    assert!(long_file(&file("sim-core/src/a.rs", 400, 500)).is_none());
    assert_eq!(long_file(&file("sim-core/src/a.rs", 401, 0)).as_deref(), Some("sim-core/src/a.rs: 401 lines without tests"));
    assert!(long_file(&file("sim-core/src/tests.rs", 900, 0)).is_none());
    assert!(long_file(&file("tests/src/a.rs", 900, 0)).is_none());
}

#[test]
fn a_long_function_is_caught_whatever_its_literals_hold() {
    let function = |lines: usize| {
        format!("trait T {{ fn none(&self, x: [u8; 3]); }}\nfn long(f: fn(u8)) {{\n{}}}\nfn next() {{}}\n", "let s = \"}\"; // }\n".repeat(lines))
    };
    let offenders = |text: String| long_functions(&File { path: "tests/a.rs".into(), text });
    assert!(offenders(function(68)).is_empty());
    assert_eq!(offenders(function(69)), ["tests/a.rs:2: `long` has 71 lines"]);
    assert_eq!(functions(&mask(&function(3))).len(), 2);
}

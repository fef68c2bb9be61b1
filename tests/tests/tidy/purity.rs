//! What the model may not touch: clock, files, environment, threads, output, hash order, and floating-point functions whose last digit differs
//! between platforms. Clippy bans the same in `sim-core/clippy.toml`; this rule also holds where clippy is not run, and sees what an `expect` hides.

use super::lexer::{bracket_end, is_name, line_of, mask, names, without_test_modules};
use super::tree::{File, rust_files};

/// Paths of `std` that are not for the model. A path bans all that lies under it.
const PATHS: [&str; 5] = ["std::time::Instant", "std::time::SystemTime", "std::fs", "std::env", "std::thread"];
/// Modules that would let a banned path in under a short name, when imported whole.
const DOORS: [&str; 3] = ["std::time", "std::time::*", "std::*"];
const MACROS: [&str; 4] = ["println", "eprintln", "print", "eprint"];
const TYPES: [&str; 2] = ["HashMap", "HashSet"];
/// `+ - * /` and `sqrt` are exact by standard; these are not, and `libm` has the same bits everywhere.
const METHODS: [&str; 12] = ["ln", "exp", "powf", "log10", "log2", "ln_1p", "exp_m1", "exp2", "cbrt", "sin", "cos", "tan"];

/// Offenders in one file of the model.
fn offenders(file: &File) -> Vec<String> {
    let code = without_test_modules(&mask(&file.text));
    let mut found: Vec<(usize, String)> = Vec::new();
    for (at, path) in std_paths(&code) {
        let banned = PATHS.iter().any(|ban| path == *ban || path.starts_with(&format!("{ban}::")));
        if banned || DOORS.contains(&path.as_str()) {
            found.push((at, path));
        }
    }
    for name in MACROS {
        found.extend(names(&code, name).filter(|at| code[at + name.len()..].starts_with('!')).map(|at| (at, format!("{name}!"))));
    }
    for name in TYPES {
        found.extend(names(&code, name).map(|at| (at, name.to_owned())));
    }
    for name in METHODS {
        // `x.exp(…)` or `f64::exp`, but neither a field `x.exp` nor `libm::exp(…)`.
        let method = |&at: &usize| (code[..at].ends_with('.') && code[at + name.len()..].starts_with('(')) || code[..at].ends_with("f64::");
        found.extend(names(&code, name).filter(method).map(|at| (at, format!("`{name}` without `libm`"))));
    }
    if !file.path.starts_with("sim-core/src/study/") {
        found.extend(names(&code, "rayon").map(|at| (at, "rayon outside `study`".to_owned())));
    }
    found.sort();
    found.into_iter().map(|(at, what)| format!("{}:{}: {what}", file.path, line_of(&code, at))).collect()
}

/// Every path that begins with `std::`, groups in braces spelt out.
fn std_paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in names(code, "std") {
        if code[at..].starts_with("std::") {
            let mut paths = Vec::new();
            spell(&code[at..], "", &mut paths);
            found.extend(paths.into_iter().map(|path| (at, path)));
        }
    }
    found
}

/// Spells out one branch of a `use` tree (or a plain path) at the start of `text`.
fn spell(text: &str, prefix: &str, out: &mut Vec<String>) {
    let text = text.trim_start();
    let length = text.bytes().take_while(|&byte| is_name(byte) || byte == b':' || byte == b'*').count();
    let path = format!("{prefix}{}", &text[..length]);
    if !text[length..].starts_with('{') || !path.ends_with("::") {
        out.push(path.trim_end_matches("::").trim_end_matches("self").trim_end_matches("::").to_owned());
        return;
    }
    let group = &text[length + 1..bracket_end(text.as_bytes(), length).max(length + 2) - 1];
    let mut depth = 0_i32;
    for branch in group.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    }) {
        if !branch.trim().is_empty() {
            spell(branch, &path, out);
        }
    }
}

#[test]
fn the_model_is_pure() {
    let of_the_model = |file: &File| file.path.starts_with("sim-core/src/") && !file.path.ends_with("/tests.rs");
    super::assert_none("purity of sim-core", &rust_files().iter().filter(|file| of_the_model(file)).flat_map(offenders).collect::<Vec<_>>());
}

#[test]
fn each_impurity_is_caught() {
    let cases = [
        "use std::time::Instant;",
        "use std::{time::{Duration, SystemTime}, fmt};",
        "use std::time;",
        "use std::fs::{self, File};",
        "let x = std::env::var(\"A\");",
        "use std::{fmt, thread};",
        "println!(\"a\");",
        "eprint!(\"a\");",
        "use std::collections::{BTreeMap, HashMap};",
        "let s: HashSet<u8>;",
        "use rayon::prelude::*;",
        "let y = x.ln();",
        "let y = (x + 1.0).powf(2.5);",
        "let y = xs.map(f64::exp);",
        "let y = x\n    .log10();",
    ];
    for case in cases {
        let file = File { path: "sim-core/src/kernel/a.rs".into(), text: format!("//! Doc.\n{case}\n") };
        assert!(!offenders(&file).is_empty(), "{case}");
    }
}

#[test]
fn what_only_looks_impure_passes() {
    let text = "//! std::fs, HashMap, println!\nuse std::{time::Duration, collections::BTreeMap};\nlet y = libm::log(x) + libm::exp(x);\nlet s = \"std::env\";\n\
                let z = spec.exp + weights.ln_weight();\n#[cfg(test)]\nmod tests { use std::fs; }\n";
    for path in ["sim-core/src/kernel/a.rs", "sim-core/src/study/a.rs"] {
        assert_eq!(offenders(&File { path: path.into(), text: text.into() }), Vec::<String>::new());
    }
    assert!(offenders(&File { path: "sim-core/src/study/a.rs".into(), text: "use rayon::prelude::*;".into() }).is_empty());
}

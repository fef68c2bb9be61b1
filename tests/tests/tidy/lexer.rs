//! Rust text with the insides of comments, strings and characters blanked, so that braces and names in what is left mean what they say.
//!
//! Not a parser: it knows nested block comments, escapes, raw strings with hashes, byte and C strings, raw identifiers, and a character from
//! a lifetime. Blanks keep byte offsets and line breaks, so an offset in the result is an offset in the source.

/// Blanks comments and literals.
pub(crate) fn mask(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => line_end(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'\'' => character_end(source, at),
            b'r' | b'b' | b'c' if !is_name(before(bytes, at)) => raw_string_end(bytes, at),
            _ => at,
        };
        if end == at {
            at += 1;
            continue;
        }
        out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    // Only whole characters were blanked, so what is left is text.
    String::from_utf8(out).expect("blanking keeps the text valid")
}

/// The text without its `#[cfg(test)] mod … { … }` parts, line breaks kept; give it masked text.
pub(crate) fn without_test_modules(masked: &str) -> String {
    let mut out = masked.to_owned();
    while let Some((start, end)) = test_module(&out) {
        let blank: String = out[start..end].chars().filter(|&c| c == '\n').collect();
        out.replace_range(start..end, &format!("{blank}{}", " ".repeat(end - start - blank.len())));
    }
    out
}

/// How many lines of the source belong to its `#[cfg(test)] mod … { … }` parts.
pub(crate) fn test_lines(masked: &str) -> usize {
    let mut rest = masked.to_owned();
    let mut lines = 0;
    while let Some((start, end)) = test_module(&rest) {
        lines += rest[start..end].matches('\n').count() + 1;
        rest.replace_range(start..end, "");
    }
    lines
}

/// The offsets of the first test module with a body, from its `#[cfg(test)]` to after its last brace.
fn test_module(masked: &str) -> Option<(usize, usize)> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    masked.match_indices(ATTRIBUTE).find_map(|(start, _)| {
        let mut rest = masked[start + ATTRIBUTE.len()..].trim_start();
        while rest.starts_with("#[") {
            rest = rest[bracket_end(rest.as_bytes(), 1)..].trim_start();
        }
        let open = masked.len() - rest.len() + rest.find(['{', ';'])?;
        let is_module = rest.starts_with("mod ") || rest.starts_with("pub(crate) mod ");
        (is_module && masked.as_bytes()[open] == b'{').then(|| (start, bracket_end(masked.as_bytes(), open)))
    })
}

/// The offset after the bracket that closes the one at `open`; the end of the text if none does.
pub(crate) fn bracket_end(masked: &[u8], open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in masked[open..].iter().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' if depth <= 1 => return open + offset + 1,
            b'}' | b')' | b']' => depth -= 1,
            _ => {}
        }
    }
    masked.len()
}

/// The offsets at which `name` stands as a whole name.
pub(crate) fn names<'a>(masked: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = masked.as_bytes();
    masked.match_indices(name).map(|(at, _)| at).filter(move |&at| {
        let after = bytes.get(at + name.len()).copied().unwrap_or(b' ');
        !is_name(before(bytes, at)) && !is_name(after) && !masked[..at].ends_with("r#")
    })
}

/// The line of an offset, from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

pub(crate) fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn before(bytes: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(b' ', |previous| bytes[previous])
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn comment_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 1_usize;
    let mut end = at + 2;
    while depth > 0 && end < bytes.len() {
        if bytes[end..].starts_with(b"/*") {
            depth += 1;
            end += 2;
        } else if bytes[end..].starts_with(b"*/") {
            depth -= 1;
            end += 2;
        } else {
            end += 1;
        }
    }
    end.min(bytes.len())
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    (end + 1).min(bytes.len())
}

/// The end of a character; `at` itself for a lifetime or a label.
fn character_end(source: &str, at: usize) -> usize {
    let rest = &source[at + 1..];
    if rest.starts_with('\\') {
        // The escaped byte may itself be a quote: the closing one is looked for after it.
        return rest.bytes().enumerate().skip(2).find(|(_, byte)| *byte == b'\'').map_or(source.len(), |(offset, _)| at + 1 + offset + 1);
    }
    let mut characters = rest.char_indices();
    characters.next();
    match characters.next() {
        Some((offset, '\'')) => at + 1 + offset + 1,
        _ => at,
    }
}

/// The end of `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`; `at` itself for a name that only begins so, and for `b"…"`, whose quote comes next.
fn raw_string_end(bytes: &[u8], at: usize) -> usize {
    let raw = if bytes[at] == b'r' { at } else { at + 1 };
    if bytes.get(raw) != Some(&b'r') {
        return at;
    }
    let hashes = bytes[raw + 1..].iter().take_while(|&&byte| byte == b'#').count();
    let open = raw + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return at;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    bytes[open + 1..].windows(close.len()).position(|window| window == close).map_or(bytes.len(), |length| open + 1 + length + close.len())
}

#[test]
fn comments_and_literals_are_blanked_and_code_is_not() {
    let cases = [
        ("a // {\nb", "a     \nb"),
        ("a /* { /* } */ { */ b", "a                   b"),
        (r#"f("{\"{", x)"#, "f(      , x)"),
        (r##"f(r#"a"{"#, x)"##, "f(        , x)"),
        (r#"f(br"\", '{')"#, "f(     ,    )"),
        (r"f('\'', '\u{7b}', b'{')", "f(    ,         , b   )"),
        ("fn f<'a>(x: &'a str) -> &'a str { 'l: loop { break 'l } }", "fn f<'a>(x: &'a str) -> &'a str { 'l: loop { break 'l } }"),
        ("let r#fn = bar; let c = 'é'; r", "let r#fn = bar; let c =     ; r"),
    ];
    for (source, expected) in cases {
        assert_eq!(mask(source), expected, "{source}");
    }
}

#[test]
fn an_unclosed_literal_ends_with_the_text() {
    for source in ["\"abc", "\"abc\\", "'\\", "r#\"abc\"", "/* abc", "'", "b", "br"] {
        assert_eq!(mask(source).len(), source.len(), "{source}");
    }
}

#[test]
fn test_modules_are_cut_and_other_test_items_are_not() {
    let source = "fn a() {}\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n    fn b() { }\n}\n#[cfg(test)]\nmod other;\nfn c() {}\n";
    let cut = without_test_modules(source);
    assert_eq!((cut.contains("fn a"), cut.contains("fn b"), cut.contains("fn c")), (true, false, true));
    assert_eq!((cut.lines().count(), test_lines(source)), (source.lines().count(), 5));
}

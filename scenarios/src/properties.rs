//! `spark-defaults.conf`: Java properties with spans.
//!
//! As Spark reads it: a key ends at the first `=`, `:` or blank that is not escaped; `#` and `!` start a comment line; a
//! backslash at the end of a line continues it; `\t`, `\n`, `\r`, `\f`, `\uXXXX` and `\` before any other character are
//! escapes; values are trimmed. Text of any kind is read without a failure; a bad `\u` escape is one problem.

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Place, Source};
use crate::raw::{Entry, Layer, Node, Value};

/// A character with its byte offset in the text.
type At = (usize, char);

/// Reads all entries in order.
pub(crate) fn read_properties(source: &Arc<Source>, layer: &Layer, problems: &mut Diagnostics) -> Vec<Entry> {
    logical_lines(&source.text).iter().filter_map(|line| entry(line, source, layer, problems)).collect()
}

/// Lines joined at trailing backslashes, without comments, blanks and the leading blanks of continuations.
fn logical_lines(text: &str) -> Vec<Vec<At>> {
    let mut lines = Vec::new();
    let mut current: Vec<At> = Vec::new();
    let mut continued = false;
    let mut offset = 0;
    for natural in text.split_inclusive(['\n', '\r']) {
        let start = offset;
        offset += natural.len();
        let line = natural.trim_end_matches(['\n', '\r']);
        let trimmed = line.trim_start_matches([' ', '\t', '\x0c']);
        if !continued && (trimmed.is_empty() || trimmed.starts_with(['#', '!'])) {
            continue;
        }
        let indent = start + line.len() - trimmed.len();
        let backslashes = trimmed.chars().rev().take_while(|c| *c == '\\').count();
        continued = backslashes % 2 == 1;
        let keep = if continued { &trimmed[..trimmed.len() - 1] } else { trimmed };
        current.extend(keep.char_indices().map(|(i, c)| (indent + i, c)));
        if !continued {
            lines.push(std::mem::take(&mut current));
        }
    }
    if !current.is_empty() {
        lines.push(current);
    }
    lines
}

fn entry(line: &[At], source: &Arc<Source>, layer: &Layer, problems: &mut Diagnostics) -> Option<Entry> {
    let mut escaped = false;
    let blank = |c: char| matches!(c, ' ' | '\t' | '\x0c');
    let key_end = line.iter().position(|(_, c)| {
        let ends = !escaped && (blank(*c) || matches!(c, '=' | ':'));
        escaped = !escaped && *c == '\\';
        ends
    });
    let (key, rest) = line.split_at(key_end.unwrap_or(line.len()));
    let rest = &rest[rest.iter().take_while(|(_, c)| blank(*c)).count()..];
    let rest = if rest.first().is_some_and(|(_, c)| matches!(c, '=' | ':')) { &rest[1..] } else { rest };
    let rest = &rest[rest.iter().take_while(|(_, c)| blank(*c)).count()..];
    let place = |part: &[At]| {
        let start = part.first().or(line.last()).map_or(0, |(at, _)| *at);
        let end = part.last().map_or(start, |(at, c)| at + c.len_utf8());
        Place { source: Arc::clone(source), span: start..end }
    };
    let key_text = unescape(key, source, problems);
    if key_text.is_empty() {
        return None;
    }
    let value_place = if rest.is_empty() { place(key) } else { place(rest) };
    let value = unescape(rest, source, problems).trim().to_owned();
    let node = Node::at(Value::Text(value), source, value_place.span, layer.clone());
    Some(Entry { key: key_text, key_place: Some(place(key)), node })
}

fn unescape(part: &[At], source: &Arc<Source>, problems: &mut Diagnostics) -> String {
    let mut text = String::new();
    let mut chars = part.iter();
    while let Some((at, c)) = chars.next() {
        if *c != '\\' {
            text.push(*c);
            continue;
        }
        match chars.next().map(|(_, c)| *c) {
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('f') => text.push('\x0c'),
            Some('u') => {
                let digits: String = chars.as_slice().iter().take(4).map(|(_, c)| *c).collect();
                let decoded = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.chars().count() == 4).and_then(char::from_u32);
                if let Some(decoded) = decoded {
                    text.push(decoded);
                    chars.by_ref().take(4).for_each(drop);
                } else {
                    problems.push(
                        Diagnostic::error("properties-escape", "a \\u escape without four hexadecimal digits")
                            .at(source, *at..*at + 1)
                            .found(format!("\\u{digits}"))
                            .expected("\\u and four hexadecimal digits")
                            .hint("write a backslash as \\\\"),
                    );
                }
            }
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, String)> {
        let source = Source::new("p.conf", text);
        read_properties(&source, &Layer::Properties, &mut Diagnostics::default())
            .into_iter()
            .map(|e| {
                let value = e.node.scalar().unwrap_or_default();
                let span = e.node.place.expect("place").span;
                (e.key, value, text[span].to_owned())
            })
            .collect()
    }

    #[test]
    fn separators_comments_and_continuations() {
        let text = "# comment\n! too\n\nspark.a=1\nspark.b : 2\nspark.c 3 \nspark.d\nspark.e=a,\\\n   b\nk\\ ey=v\\u0041\\\\\n";
        let found: Vec<(String, String)> = read(text).into_iter().map(|(k, v, _)| (k, v)).collect();
        let expected = [("spark.a", "1"), ("spark.b", "2"), ("spark.c", "3"), ("spark.d", ""), ("spark.e", "a,b"), ("k ey", "vA\\")];
        assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn spans_are_the_values() {
        assert_eq!(read("x\nspark.a =  12g\n")[1].2, "12g");
    }
}

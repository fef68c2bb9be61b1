//! Breaking text into lines for a column.

/// Lines of at most so many characters, broken at blanks; longer words stay whole. Always at least one line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A name, and a text beside it that is broken to the width; below it when the name is wider than its column.
pub(crate) fn beside(name: &str, column: usize, text: &str, width: usize) -> String {
    let blank = String::new();
    let wide = name.chars().count() > column;
    let lines = wrap(text, width.saturating_sub(column + 4).max(20));
    let first = wide.then_some((name, &blank));
    let others = lines.iter().enumerate().map(|(index, line)| (if index == 0 && !wide { name } else { "" }, line));
    first.into_iter().chain(others).flat_map(|(name, line)| [format!("  {name:column$}  {line}").trim_end().to_owned(), "\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_blanks() {
        assert_eq!(wrap("one two  three", 8), ["one two", "three"]);
        assert_eq!(wrap("much-too-long a", 4), ["much-too-long", "a"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn names_stand_beside_their_text_or_above_it() {
        assert_eq!(beside("a", 3, "one two three four five six", 27), "  a    one two three four\n       five six\n");
        assert_eq!(beside("long", 3, "one", 40), "  long\n       one\n");
    }
}

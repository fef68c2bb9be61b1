//! Quoting words for a POSIX shell, so that a printed command can be pasted.

/// The word as a shell reads it back.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '=' | ':' | ',' | '+' | '@' | '%');
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The words as one command line.
pub(crate) fn command_line(words: &[String]) -> String {
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_when_the_shell_would_change_them() {
        for (word, quoted) in [("a.b=c", "a.b=c"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$HOME", "'$HOME'"), ("~", "'~'")] {
            assert_eq!(shell_word(word), quoted);
        }
        assert_eq!(command_line(&["run".to_owned(), "my file".to_owned()]), "run 'my file'");
    }
}

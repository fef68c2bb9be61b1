//! Drawing diagnostics: the place with its line, what was found, what was expected, one thing to try.
//!
//! The `scenarios` crate says what is wrong as plain data; how it looks is decided here. Escape sequences are always
//! drawn and removed by the printer when the stream has no colour. Nothing is told by colour alone.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};
use scenarios::diag::{Diagnostic, Place, Severity};

/// One diagnostic as text, without a line end.
pub(crate) fn draw(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    let found = diagnostic.found.as_ref().map(|found| format!("found {found}"));
    let expected = diagnostic.expected.as_ref().map(|expected| format!("expected {expected}"));
    match &diagnostic.place {
        Some(place) => {
            elements.push(snippet(place, found).into());
        }
        None => elements.extend(found.map(|found| Level::NOTE.message(found).into())),
    }
    elements.extend(expected.map(|expected| Level::NOTE.message(expected).into()));
    elements.extend(diagnostic.hint.as_ref().map(|hint| Level::HELP.with_name("hint").message(hint.as_str()).into()));
    let group: Group<'_> = level.primary_title(diagnostic.message.as_str()).id(diagnostic.rule).elements(elements);
    Renderer::styled().render(&[group])
}

fn snippet(place: &Place, label: Option<String>) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let text = place.source.text.as_str();
    let start = boundary(text, place.span.start);
    let end = boundary(text, place.span.end).max(start);
    Snippet::source(text).path(place.source.name.as_str()).annotation(AnnotationKind::Primary.span(start..end).label(label))
}

/// The last boundary of a character at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use scenarios::diag::Source;

    use super::*;

    fn plain(diagnostic: &Diagnostic) -> String {
        anstream::adapter::strip_str(&draw(diagnostic)).to_string()
    }

    #[test]
    fn a_problem_with_a_place_shows_its_line() {
        let source = Source::new("x.toml", "name = \"x\"\n[cluster]\nplatfrom = \"aks\"\n");
        let problem = Diagnostic::error("unknown-key", "unknown key `platfrom`")
            .at(&source, 21..29)
            .found("`platfrom`")
            .expected("`platform` or `kubernetes`")
            .hint("did you mean `platform`?");
        insta::assert_snapshot!(plain(&problem), @r#"
        error[unknown-key]: unknown key `platfrom`
         --> x.toml:3:1
          |
        3 | platfrom = "aks"
          | ^^^^^^^^ found `platfrom`
          |
          = note: expected `platform` or `kubernetes`
          = hint: did you mean `platform`?
        "#);
    }

    #[test]
    fn a_problem_without_a_place_says_the_same() {
        let problem = Diagnostic::warning("no-file", "there is no file `x.toml`").found("nothing").hint("`spillcast list` shows what is built in");
        insta::assert_snapshot!(plain(&problem), @"
        warning[no-file]: there is no file `x.toml`
         |
         = note: found nothing
         = hint: `spillcast list` shows what is built in
        ");
    }

    /// Whoever made the diagnostic may be wrong about the span; that must not end in a panic.
    #[test]
    fn spans_outside_the_text_or_inside_a_character_are_moved() {
        let source = Source::new("x", "é\n");
        #[expect(clippy::reversed_empty_ranges, reason = "that is the case under test")]
        for span in [0..0, 1..1, 1..2, 0..99, 99..99, 3..1] {
            assert!(plain(&Diagnostic::error("r", "m").at(&source, span.clone()).found("f")).contains("x:"), "{span:?}");
        }
        let empty = Source::new("x", "");
        assert!(plain(&Diagnostic::error("r", "m").at(&empty, 0..0)).contains('m'));
    }
}

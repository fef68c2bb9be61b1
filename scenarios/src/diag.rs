//! Problems in what users wrote: with file, place, what was found, what was expected and one thing to try.
//!
//! Nothing here stops at the first problem: parsers and rules push into [`Diagnostics`] and go on, so that the
//! user sees all of them at once. A [`Diagnostic`] is plain data; drawing it (colours, snippets) is the command
//! line's affair. An error makes the input unusable (exit 2); a warning is told and the run goes on.

use std::ops::Range;
use std::sync::Arc;

/// A text that came from outside, with the name to show for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// File path as the user gave it, built-in name, or `--conf`/`--set`.
    pub name: String,
    /// Whole text.
    pub text: String,
}

impl Source {
    /// A shared source.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }
    /// The last character border at or before a byte offset.
    pub(crate) fn boundary_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        (0..=offset).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
    /// One-based line and column (in characters) of a byte offset.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.boundary_before(offset)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        (line, column)
    }
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source.
    pub source: Arc<Source>,
    /// Byte range; empty ranges point between characters.
    pub span: Range<usize>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Told; the run goes on.
    Warning,
    /// The input cannot be used.
    Error,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// Short stable name of the rule, such as `unknown-key`.
    pub rule: &'static str,
    /// One sentence without a full stop: what is wrong.
    pub message: String,
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// What was found there.
    pub found: Option<String>,
    /// What was expected.
    pub expected: Option<String>,
    /// One thing to try.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, rule, message: message.into(), place: None, found: None, expected: None, hint: None }
    }
    /// A warning.
    pub fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(rule, message) }
    }
    /// Adds the place.
    #[must_use]
    pub fn at(mut self, source: &Arc<Source>, span: Range<usize>) -> Self {
        self.place = Some(Place { source: Arc::clone(source), span });
        self
    }
    /// Adds what was found.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }
    /// Adds what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }
    /// Adds one thing to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All problems found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }
    /// Adds all of another list.
    pub fn extend(&mut self, other: Self) {
        self.items.extend(other.items);
    }
    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|d| d.severity == Severity::Error)
    }
    /// All, in order.
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }
}

/// All problems as plain text, one block each: place, severity and message, what was found, what was expected, a hint.
pub fn render_plain(problems: &Diagnostics) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for item in problems.items() {
        let place = item.place.as_ref().map_or_else(String::new, |place| {
            let (line, column) = place.source.line_column(place.span.start);
            format!("{}:{line}:{column}: ", place.source.name)
        });
        let severity = match item.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{place}{severity}[{}]: {}", item.rule, item.message);
        for (name, value) in [("found", &item.found), ("expected", &item.expected), ("hint", &item.hint)] {
            if let Some(value) = value {
                let _ = writeln!(text, "  {name}: {value}");
            }
        }
    }
    text
}

//! Gates: `--fail-if 'p_oom > 1% and duration_s.p95 > 2h'`.
//!
//! An expression is parsed and checked before anything runs: fields are those of the result object, literals may
//! be percents, sizes and times, and sides of different kinds are refused with the position. Evaluation is
//! three-valued, because a field may have no value (no replication succeeded, so there is no duration): `or` and
//! `and` go on as far as the known side decides, and a gate that cannot be decided fails. Grammar:
//!
//! ```text
//! or    = and { ("or" | "||") and }      cmp   = side ("<" | "<=" | ">" | ">=" | "==" | "!=") side
//! and   = not { ("and" | "&&") not }     side  = field | literal
//! not   = ("not" | "!") not | "(" or ")" | cmp
//! ```

mod eval;
mod fields;
mod lexer;
mod parser;

use std::sync::Arc;

use scenarios::diag::{Diagnostic, Source};
use sim_core::study::PointResult;

/// One gate, parsed and checked.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    text: String,
    expression: parser::Expression,
}

impl Gate {
    /// Parses an expression; the diagnostic has the position.
    pub(crate) fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        let source = Source::new("--fail-if", text);
        let expression = lexer::tokens(text).and_then(|tokens| parser::parse(text, &tokens)).map_err(|problem| Box::new(problem.into_diagnostic(&source)))?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// The expression as typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Why a point fails the gate; `None` when it passes.
    pub(crate) fn failure(&self, result: &PointResult) -> Option<String> {
        let holds = eval::holds(&self.expression, result);
        (holds != Some(false)).then(|| eval::values(&self.expression, result))
    }
}

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    message: String,
    span: std::ops::Range<usize>,
    found: String,
    expected: String,
    hint: Option<String>,
}

impl Problem {
    fn new(span: std::ops::Range<usize>, message: &str, found: &str, expected: &str) -> Self {
        let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
        Self { message: message.to_owned(), span, found, expected: expected.to_owned(), hint: None }
    }

    fn into_diagnostic(self, source: &Arc<Source>) -> Diagnostic {
        let hint = self.hint.unwrap_or_else(|| "for example `--fail-if 'p_oom > 1%'`".to_owned());
        Diagnostic::error("fail-if", self.message).at(source, self.span).found(self.found).expected(self.expected).hint(hint)
    }
}

#[cfg(test)]
mod tests;

//! From tokens to a checked expression: every field is known, and the sides of a comparison are of one kind.

use std::ops::Range;

use super::Problem;
use super::fields::{self, Field};
use super::lexer::{Comparison, Kind, Placed, Token};

/// Nesting beyond this is refused, so that no expression can exhaust the stack.
const DEEPEST: usize = 64;

/// A checked expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Compare(Side, Comparison, Side),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Side {
    Number(f64),
    Field(String, Field),
}

/// Parses the whole of a text.
pub(super) fn parse(text: &str, tokens: &[Placed]) -> Result<Expression, Problem> {
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.unexpected("this does not go on from what is before it", "`and`, `or`, or nothing")),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t [Placed],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    /// Range of the next token, or of the end.
    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |placed| placed.span.clone())
    }

    fn unexpected(&self, message: &str, expected: &str) -> Problem {
        let span = self.span();
        Problem::new(span.clone(), message, &self.text[span], expected)
    }

    fn take(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn or(&mut self) -> Result<Expression, Problem> {
        let mut terms = vec![self.and()?];
        while self.take(&Token::Or) {
            terms.push(self.and()?);
        }
        Ok(Expression::Or(terms))
    }

    fn and(&mut self) -> Result<Expression, Problem> {
        let mut terms = vec![self.not()?];
        while self.take(&Token::And) {
            terms.push(self.not()?);
        }
        Ok(Expression::And(terms))
    }

    fn not(&mut self) -> Result<Expression, Problem> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.unexpected("the expression is nested too deeply", "fewer parentheses"));
        }
        let expression = if self.take(&Token::Not) {
            Expression::Not(Box::new(self.not()?))
        } else if self.take(&Token::Open) {
            let inside = self.or()?;
            if !self.take(&Token::Close) {
                return Err(self.unexpected("a parenthesis is not closed", "`)`"));
            }
            inside
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn comparison(&mut self) -> Result<Expression, Problem> {
        let start = self.span().start;
        let (left, left_kind) = self.side()?;
        let Some(Token::Compare(comparison)) = self.peek().cloned() else {
            return Err(self.unexpected("a comparison is missing", "`<`, `<=`, `>`, `>=`, `==` or `!=`"));
        };
        self.at += 1;
        let (right, right_kind) = self.side()?;
        let end = self.tokens[self.at - 1].span.end;
        if left_kind != right_kind && left_kind != Kind::Plain && right_kind != Kind::Plain {
            let message = format!("{} is compared with {}", left_kind.words(), right_kind.words());
            return Err(Problem::new(start..end, &message, &self.text[start..end], "two sides of one kind"));
        }
        Ok(Expression::Compare(left, comparison, right))
    }

    fn side(&mut self) -> Result<(Side, Kind), Problem> {
        let side = match self.peek() {
            Some(Token::Number(value, kind)) => (Side::Number(*value), *kind),
            Some(Token::Name(name)) => match Field::find(name) {
                Some(field) => (Side::Field(name.clone(), field), field.kind()),
                None => return Err(self.no_field(name)),
            },
            _ => return Err(self.unexpected("one side of a comparison is missing", "a field such as p_oom, or a number")),
        };
        self.at += 1;
        Ok(side)
    }

    fn no_field(&self, name: &str) -> Problem {
        let mut problem = Problem::new(self.span(), &format!("`{name}` is not a field of the result"), name, "a field such as p_oom or duration_s.p95");
        problem.hint = Some(fields::nearest(name));
        problem
    }
}

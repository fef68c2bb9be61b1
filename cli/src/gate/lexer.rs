//! From text to tokens, each with its byte range.

use std::ops::Range;

use super::Problem;

/// What kind of quantity a number or a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number without a unit; compares with every kind.
    Plain,
    /// A share of one.
    Share,
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
}

impl Kind {
    /// In words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Plain => "a number",
            Self::Share => "a share",
            Self::Count => "a count",
            Self::Bytes => "a size",
            Self::Seconds => "a time",
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Different,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64, Kind),
    Name(String),
    Compare(Comparison),
    And,
    Or,
    Not,
    Open,
    Close,
}

/// A token with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub token: Token,
    pub span: Range<usize>,
}

/// Units of literals: spelling, kind, and how many of the base unit (a share, bytes, seconds) one is. Sizes follow
/// the scenario files: `kB`, `MB`, … are decimal, `KiB`, `MiB`, … and Kubernetes' `Ki`, `Mi`, … are binary.
const UNITS: [(&str, Kind, f64); 22] = [
    ("%", Kind::Share, 0.01),
    ("B", Kind::Bytes, 1.0),
    ("kB", Kind::Bytes, 1e3),
    ("KB", Kind::Bytes, 1e3),
    ("MB", Kind::Bytes, 1e6),
    ("GB", Kind::Bytes, 1e9),
    ("TB", Kind::Bytes, 1e12),
    ("KiB", Kind::Bytes, 1024.0),
    ("MiB", Kind::Bytes, 1_048_576.0),
    ("GiB", Kind::Bytes, 1_073_741_824.0),
    ("TiB", Kind::Bytes, 1_099_511_627_776.0),
    ("Ki", Kind::Bytes, 1024.0),
    ("Mi", Kind::Bytes, 1_048_576.0),
    ("Gi", Kind::Bytes, 1_073_741_824.0),
    ("Ti", Kind::Bytes, 1_099_511_627_776.0),
    ("ms", Kind::Seconds, 1e-3),
    ("s", Kind::Seconds, 1.0),
    ("sec", Kind::Seconds, 1.0),
    ("m", Kind::Seconds, 60.0),
    ("min", Kind::Seconds, 60.0),
    ("h", Kind::Seconds, 3600.0),
    ("d", Kind::Seconds, 86400.0),
];

/// Signs and words that are tokens of their own; longer ones first.
const SIGNS: [(&str, Token); 12] = [
    ("<=", Token::Compare(Comparison::AtMost)),
    (">=", Token::Compare(Comparison::AtLeast)),
    ("==", Token::Compare(Comparison::Equal)),
    ("!=", Token::Compare(Comparison::Different)),
    ("&&", Token::And),
    ("||", Token::Or),
    ("<", Token::Compare(Comparison::Less)),
    (">", Token::Compare(Comparison::Greater)),
    ("=", Token::Compare(Comparison::Equal)),
    ("!", Token::Not),
    ("(", Token::Open),
    (")", Token::Close),
];

/// All tokens of an expression.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Problem> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, length) = token_at(text, at, first)?;
        tokens.push(Placed { token, span: at..at + length });
        at += length;
    }
    Ok(tokens)
}

fn token_at(text: &str, at: usize, first: char) -> Result<(Token, usize), Problem> {
    let rest = &text[at..];
    if first.is_ascii_digit() || first == '.' {
        return number(text, at);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let name = leading(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        let token = match name {
            "and" => Token::And,
            "or" => Token::Or,
            "not" => Token::Not,
            _ => Token::Name(name.to_owned()),
        };
        return Ok((token, name.len()));
    }
    if let Some((sign, token)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((token.clone(), sign.len()));
    }
    let span = at..at + first.len_utf8();
    Err(Problem::new(
        span,
        "this sign has no meaning in an expression",
        first.encode_utf8(&mut [0; 4]),
        "a field, a number, a comparison, `and`, `or`, `not` or a parenthesis",
    ))
}

/// A number with its unit, if it has one.
fn number(text: &str, at: usize) -> Result<(Token, usize), Problem> {
    let rest = &text[at..];
    let digits = number_length(rest);
    let unit = leading(&rest[digits..], |c| c.is_ascii_alphanumeric() || matches!(c, '%' | '_' | '.'));
    let length = digits + unit.len();
    let Some(value) = rest[..digits].parse::<f64>().ok().filter(|value| value.is_finite()) else {
        return Err(Problem::new(at..at + length, "this is not a number", &rest[..length], "a number such as 0.01 or 58GiB"));
    };
    if unit.is_empty() {
        return Ok((Token::Number(value, Kind::Plain), length));
    }
    let Some((_, kind, factor)) = UNITS.iter().find(|(name, ..)| *name == unit) else {
        let names = UNITS.map(|(name, ..)| name).join(", ");
        return Err(Problem::new(at + digits..at + length, "this unit is not known", unit, &format!("one of {names}")));
    };
    Ok((Token::Number(value * factor, *kind), length))
}

/// Length of digits, a fraction and an exponent at the start.
fn number_length(text: &str) -> usize {
    let mantissa = leading(text, |c| c.is_ascii_digit() || c == '.').len();
    let Some(exponent) = text[mantissa..].strip_prefix(['e', 'E']) else { return mantissa };
    let sign = usize::from(exponent.starts_with(['+', '-']));
    let digits = leading(&exponent[sign..], |c| c.is_ascii_digit()).len();
    if digits == 0 { mantissa } else { mantissa + 1 + sign + digits }
}

fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    &text[..end]
}

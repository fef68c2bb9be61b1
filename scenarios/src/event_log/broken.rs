//! What is wrong with lines that are no events, in words.
//!
//! The first such line of a log is remembered with its place. If the whole log has no event, what the line looks like
//! (UTF-16, binary data, JSON of another program) tells the user what was handed in.

use super::lines::LONGEST;

/// Characters of a line that are shown.
const SHOWN: usize = 40;

/// The first line that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Its number in its file, from one.
    pub(super) line: u64,
    pub(super) kind: Kind,
}

/// What a line looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Beyond the limit.
    TooLong,
    Utf16,
    /// Bytes that no text has.
    Binary,
    /// JSON, but no event.
    OtherJson,
    /// Starts like an event and is broken.
    BrokenEvent,
    /// Anything else, with its beginning.
    Text(String),
}

impl Broken {
    /// What a line is that could not be read; `None` for one that was too long.
    pub(super) fn new(line: u64, text: Option<&[u8]>) -> Self {
        Self { line, kind: text.map_or(Kind::TooLong, kind) }
    }

    /// `line 3 is ...`.
    pub(super) fn describe(&self) -> String {
        let what = match &self.kind {
            Kind::TooLong => format!("longer than {} MiB", LONGEST >> 20),
            Kind::Utf16 => "UTF-16 text".to_owned(),
            Kind::Binary => "binary data".to_owned(),
            Kind::OtherJson => "JSON without an `Event`".to_owned(),
            Kind::BrokenEvent => "an event that is damaged or cut".to_owned(),
            Kind::Text(start) => format!("`{start}`"),
        };
        format!("line {} is {what}", self.line)
    }

    /// One thing to try when nothing in the log is an event.
    pub(super) fn hint(&self) -> &'static str {
        match self.kind {
            Kind::Utf16 => "convert it with `iconv -f UTF-16 -t UTF-8`",
            Kind::Binary => "unpack it first if it is packed with something else, or name the file that Spark wrote",
            Kind::TooLong => "look whether line ends were lost on the way",
            Kind::OtherJson | Kind::BrokenEvent | Kind::Text(_) => "give the file that `spark.eventLog.dir` holds for the application",
        }
    }
}

fn kind(text: &[u8]) -> Kind {
    let pairs = text.chunks_exact(2).take(SHOWN);
    let zeros = |at: usize| pairs.clone().filter(|pair| pair[at] == 0).count();
    let halves = [(zeros(0), zeros(1)), (zeros(1), zeros(0))];
    // Either a byte order mark, or one half of each unit zero as in Latin letters, and the other never.
    let latin = pairs.len() > 1 && halves.iter().any(|(zero, other)| zero * 2 > pairs.len() && *other == 0);
    if text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) || latin {
        return Kind::Utf16;
    }
    if text.starts_with(b"{\"Event\":") {
        return Kind::BrokenEvent;
    }
    let Ok(text) = std::str::from_utf8(text) else { return Kind::Binary };
    if text.chars().take(SHOWN).any(|c| c.is_control() && c != '\t') {
        return Kind::Binary;
    }
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return Kind::OtherJson;
    }
    let start: String = text.chars().take(SHOWN).collect();
    Kind::Text(if start.len() < text.len() { start + "..." } else { start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_recognised_for_what_they_are() {
        let utf16: Vec<u8> = "{\"Event\":\"SparkListenerLogStart\"}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (text, kind) in [
            (&utf16[..], Kind::Utf16),
            (b"\xff\xfe{\0", Kind::Utf16),
            (&[0; 90], Kind::Binary),
            (b"\x7fELF\x02\x01", Kind::Binary),
            (b"\xc3\x28 not UTF-8", Kind::Binary),
            (b"{\"level\":\"INFO\"}", Kind::OtherJson),
            (b"[1]", Kind::OtherJson),
            (b"{\"Event\":\"SparkLis", Kind::BrokenEvent),
            (b"hello", Kind::Text("hello".to_owned())),
        ] {
            assert_eq!(super::kind(text), kind, "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(Broken::new(3, Some("ä".repeat(50).as_bytes())).describe(), format!("line 3 is `{}...`", "ä".repeat(40)));
        assert_eq!(Broken::new(1, None).describe(), "line 1 is longer than 24 MiB");
    }
}

//! Lines of a log, one at a time.
//!
//! Spark writes one JSON object a line. A line is held whole in a buffer that is used again; a line longer than a
//! stated limit is passed over without being held, so memory does not depend on the log. A read error (a cut
//! compressed stream) ends the log and is told to the caller, who keeps what came before it.

use std::io::{self, BufRead};

/// Longest line that is parsed. Plans of large queries reach a few MiB.
const LONGEST: usize = 64 << 20;

/// One line of the log.
pub(super) enum Line<'b> {
    /// Its text, without the line end.
    Text(&'b [u8]),
    /// Longer than what is parsed.
    TooLong,
}

/// Reads lines.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// Whether the last line had no line end: a log that is cut or still being written.
    pub(super) unfinished: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), unfinished: false }
    }

    /// The next line, or `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                self.unfinished |= any;
                break;
            }
            any = true;
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            too_long |= self.buffer.len() + part.len() > LONGEST;
            if !too_long {
                self.buffer.extend_from_slice(part);
            }
            let used = end.map_or(available.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(any.then_some(if too_long { Line::TooLong } else { Line::Text(&self.buffer) }))
    }
}

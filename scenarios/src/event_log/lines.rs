//! Lines of a log, one at a time.
//!
//! Spark writes one JSON object a line. Text is read in large pieces into one buffer and lines are given out of it
//! without being copied; a line longer than a stated limit is passed over without being held, so memory does not depend
//! on the log. A read error (a cut compressed stream) ends the log and is told to the caller, who keeps what came before
//! it; so does a gigabyte in which the caller found no event.

use std::io::{self, Read};

/// Longest line that is parsed. Plans of large queries reach a few MiB.
pub(super) const LONGEST: usize = 24 << 20;
/// Bytes that are asked for at once.
const CHUNK: usize = 256 << 10;

/// Bytes that are read without an event among them, of a device or a file that unpacks to next to nothing in terabytes.
const PATIENCE: u64 = 1 << 30;

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
    /// Where the next line starts, up to where the buffer was searched for its end, and where the text read ends.
    start: usize,
    searched: usize,
    end: usize,
    /// Whether the line at `start` has lost its beginning.
    too_long: bool,
    at_end: bool,
    /// Whether the last line had no line end: a log that is cut or still being written.
    pub(super) unfinished: bool,
    /// Bytes read since the last event.
    waited: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: vec![0; 2 * CHUNK], start: 0, searched: 0, end: 0, too_long: false, at_end: false, unfinished: false, waited: 0 }
    }

    /// The last line was an event.
    pub(super) fn was_event(&mut self) {
        self.waited = 0;
    }

    /// The next line, or `None` at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..self.end]) {
                let line = self.start..self.searched + at;
                self.start = line.end + 1;
                self.searched = self.start;
                let too_long = std::mem::take(&mut self.too_long) || line.len() > LONGEST;
                return Ok(Some(if too_long { Line::TooLong } else { Line::Text(&self.buffer[line]) }));
            }
            self.searched = self.end;
            if self.end - self.start > LONGEST {
                self.too_long = true;
                self.start = self.end;
            }
            if !self.at_end {
                self.fill()?;
            } else if self.start < self.end || self.too_long {
                self.unfinished = true;
                let line = self.start..self.end;
                self.start = self.end;
                return Ok(Some(if std::mem::take(&mut self.too_long) { Line::TooLong } else { Line::Text(&self.buffer[line]) }));
            } else {
                return Ok(None);
            }
        }
    }

    /// Reads once more, behind what is there.
    fn fill(&mut self) -> io::Result<()> {
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
            if self.buffer.len() - self.end < CHUNK {
                // No more than the longest line needs.
                let size = (self.end + self.end / 2 + CHUNK).min(LONGEST + 2 * CHUNK);
                self.buffer.reserve_exact(size - self.buffer.len());
                self.buffer.resize(size, 0);
            }
        }
        match self.input.read(&mut self.buffer[self.end..]) {
            Ok(n) => {
                self.end += n;
                self.at_end = n == 0;
                self.waited += n as u64;
                if self.waited > PATIENCE { Err(io::Error::new(io::ErrorKind::InvalidData, "1 GiB without an event")) } else { Ok(()) }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives as many bytes at a time as it is told to.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.len().min(self.1).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn all(input: impl Read) -> (Vec<Option<Vec<u8>>>, bool) {
        let mut lines = Lines::new(input);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push(if let Line::Text(text) = line { Some(text.to_vec()) } else { None });
        }
        (found, lines.unfinished)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        /// The standard library's splitting is the slow twin.
        #[test]
        fn lines_are_those_of_split(sizes in prop::collection::vec(prop_oneof![0usize..50, 100_000usize..900_000], 0..6), drip in prop_oneof![1usize..9000, Just(usize::MAX)], open in any::<bool>()) {
            let mut text: Vec<u8> = sizes.iter().flat_map(|n| [vec![b'x'; *n], vec![b'\n']].concat()).collect();
            if open {
                text.extend(b"last");
            }
            let mut want: Vec<_> = text.split(|byte| *byte == b'\n').map(|line| Some(line.to_vec())).collect();
            if !open {
                want.pop();
            }
            prop_assert_eq!(all(Drip(&text, drip)), (want, open));
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_passed_over() {
        let text = [&b"a\n"[..], &vec![b'x'; LONGEST + 3 * CHUNK], b"\nb\n"].concat();
        let sizes = |text: &[u8]| {
            let (lines, unfinished) = all(text);
            (lines.iter().map(|line| line.as_ref().map(Vec::len)).collect::<Vec<_>>(), unfinished)
        };
        assert_eq!(sizes(&text), (vec![Some(1), None, Some(1)], false));
        assert_eq!(sizes(&text[..LONGEST + 2 * CHUNK]), (vec![Some(1), None], true));
        assert_eq!(sizes(&text[3 * CHUNK + 2..]), (vec![Some(LONGEST), Some(1)], false));
        assert_eq!(sizes(&text[3 * CHUNK + 1..]), (vec![None, Some(1)], false));
        let mut lines = Lines::new(&text[..]);
        while lines.next_line().unwrap().is_some() {}
        assert!(lines.buffer.capacity() <= LONGEST + 2 * CHUNK, "{}", lines.buffer.capacity());
    }

    #[test]
    fn what_never_ends_and_has_no_event_is_given_up() {
        let mut lines = Lines::new(io::repeat(0));
        assert!(lines.next_line().is_err_and(|error| error.to_string().contains("1 GiB without an event")));
        // An event starts the count anew.
        let text = vec![b'\n'; 4 * CHUNK];
        let mut lines = Lines::new(&text[..]);
        while lines.next_line().unwrap().is_some() {
            lines.was_event();
        }
        assert!(lines.waited < text.len() as u64);
    }
}

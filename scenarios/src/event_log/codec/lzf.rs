//! compress-lzf's chunks, which Spark writes as `.lzf`.
//!
//! A stream is a row of chunks. Each starts with `ZV`, a kind (0 stored, 1 compressed) and the big-endian 16-bit
//! length of what follows; a compressed chunk then states its plain length in 16 bits more. Inside, a control byte
//! below 32 is followed by one more literal byte than it says; any other is a copy from earlier in the chunk, its
//! length in the upper three bits (7: the next byte is added) and its distance in 13 bits. There is no checksum.
//! Source: the format's description in the ning/compress library and LibLZF.

use std::io::{self, Read};

use super::{corrupt, read_or_end, serve};

/// Start of every chunk.
pub(super) const MAGIC: &[u8] = b"ZV";
const STORED: u8 = 0;
const COMPRESSED: u8 = 1;
/// Control bytes below this announce literals.
const LITERALS: u8 = 32;

/// Decodes the chunks of `input`.
pub(super) struct Reader<R> {
    input: R,
    compressed: Vec<u8>,
    plain: Vec<u8>,
    position: usize,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, compressed: Vec::new(), plain: Vec::new(), position: 0 }
    }

    fn length(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 2];
        self.input.read_exact(&mut bytes)?;
        Ok(usize::from(u16::from_be_bytes(bytes)))
    }

    /// Decodes the next chunk; `false` at the end of the input.
    fn next_chunk(&mut self) -> io::Result<bool> {
        let mut head = [0; 3];
        if !read_or_end(&mut self.input, &mut head)? {
            return Ok(false);
        }
        if !head.starts_with(MAGIC) {
            return Err(corrupt("not a chunk of an LZF stream"));
        }
        let packed = self.length()?;
        self.position = 0;
        self.plain.clear();
        match head[2] {
            STORED => {
                self.plain.resize(packed, 0);
                self.position = packed;
                self.input.read_exact(&mut self.plain)?;
                self.position = 0;
            }
            COMPRESSED => {
                let plain = self.length()?;
                self.compressed.resize(packed, 0);
                self.input.read_exact(&mut self.compressed)?;
                if decompress(&self.compressed, &mut self.plain, plain).is_none() {
                    self.plain.clear();
                    return Err(corrupt("broken LZF chunk"));
                }
            }
            _ => return Err(corrupt("unknown kind of LZF chunk")),
        }
        Ok(true)
    }
}

/// Appends exactly `size` plain bytes to the empty `plain`, or gives nothing.
fn decompress(packed: &[u8], plain: &mut Vec<u8>, size: usize) -> Option<()> {
    let mut rest = packed;
    while let [control, after @ ..] = rest {
        if *control < LITERALS {
            let (literals, after) = after.split_at_checked(usize::from(*control) + 1)?;
            plain.extend_from_slice(literals);
            rest = after;
        } else {
            let (extra, after) = if *control >> 5 == 7 { after.split_first().map(|(n, after)| (usize::from(*n), after))? } else { (0, after) };
            let (low, after) = after.split_first()?;
            let distance = (usize::from(*control & 0x1f) << 8 | usize::from(*low)) + 1;
            let from = plain.len().checked_sub(distance)?;
            for at in from..from + usize::from(*control >> 5) + extra + 2 {
                // A copy may reach into what it has just written.
                plain.push(*plain.get(at)?);
            }
            rest = after;
        }
        if plain.len() > size {
            return None;
        }
    }
    (plain.len() == size).then_some(())
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.plain.len() {
            if buffer.is_empty() || !self.next_chunk()? {
                return Ok(0);
            }
        }
        Ok(serve(&self.plain, &mut self.position, buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Reader::new(bytes).read_to_end(&mut text).map(|_| text)
    }

    /// By hand from the format: five literals, then a copy of 13 from distance 5 that overlaps itself.
    #[test]
    fn literals_and_copies_that_overlap() {
        let chunk = [b'Z', b'V', 1, 0, 9, 0, 18, 4, b'h', b'e', b'l', b'l', b'o', 0xe0, 4, 4];
        assert_eq!(plain(&chunk).unwrap(), b"hellohellohellohel");
        let short = [b'Z', b'V', 1, 0, 5, 0, 5, 0, b'x', 0x40, 0, 0];
        assert!(plain(&short).is_err(), "the last chunk byte belongs to the next control");
        let run = [b'Z', b'V', 1, 0, 4, 0, 5, 0, b'x', 0x40, 0];
        assert_eq!(plain(&run).unwrap(), b"xxxxx", "length 2 + 2 at distance 1");
    }

    #[test]
    fn stored_chunks_and_chunks_in_a_row() {
        let bytes = [&b"ZV\0\0\x03abc"[..], &b"ZV\0\0\x02de"[..]].concat();
        assert_eq!(plain(&bytes).unwrap(), b"abcde");
    }

    #[test]
    fn broken_chunks_are_errors() {
        for bytes in
            [&b"ZX\0\0\x01a"[..], b"ZV\x02\0\x01a", b"ZV\0\0\x09abc", b"ZV\x01\0\x02\0\x05\x40\x00", b"ZV\x01\0\x01\0\x05\x09", b"ZV\x01\0\x02\0\x05\0a"]
        {
            assert!(plain(bytes).is_err(), "{bytes:?}");
        }
    }
}

//! snappy-java's stream framing, which Spark writes as `.snappy`.
//!
//! A stream starts with a magic of 8 bytes and two 32-bit versions; then come blocks, each a big-endian 32-bit length
//! and that many bytes of raw Snappy. The header may appear again where streams were concatenated. It is not the
//! framing that Snappy's own tools write. Source: `SnappyOutputStream` and `SnappyCodec`.

use std::io::{self, Read};

use super::{LARGEST_BLOCK, corrupt, read_or_end, serve};

/// Start of every stream.
pub(super) const MAGIC: &[u8] = &[0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const VERSIONS: usize = 8;
/// Version and oldest version that can read, both 1, as snappy-java writes them.
pub(super) const WRITTEN_VERSIONS: [u8; VERSIONS] = [0, 0, 0, 1, 0, 0, 0, 1];

/// Decodes the blocks of `input`.
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

    /// Decodes the next block; `false` at the end of the input.
    fn next_block(&mut self) -> io::Result<bool> {
        let mut head = [0; 4];
        if !read_or_end(&mut self.input, &mut head)? {
            return Ok(false);
        }
        if MAGIC.starts_with(&head) {
            let mut rest = [0; 4 + VERSIONS];
            self.input.read_exact(&mut rest)?;
            return if rest.starts_with(&MAGIC[4..]) { Ok(true) } else { Err(corrupt("not a Snappy stream")) };
        }
        let packed = u32::from_be_bytes(head) as usize;
        if packed > LARGEST_BLOCK {
            return Err(corrupt("a Snappy block is too large"));
        }
        self.compressed.resize(packed, 0);
        self.input.read_exact(&mut self.compressed)?;
        let plain = snap::raw::decompress_len(&self.compressed).map_err(|_| corrupt("broken Snappy block"))?;
        if plain > LARGEST_BLOCK {
            return Err(corrupt("a Snappy block is too large"));
        }
        self.plain.resize(plain, 0);
        self.position = plain;
        snap::raw::Decoder::new().decompress(&self.compressed, &mut self.plain).map_err(|_| corrupt("broken Snappy block"))?;
        self.position = 0;
        Ok(true)
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.plain.len() {
            if buffer.is_empty() || !self.next_block()? {
                return Ok(0);
            }
        }
        Ok(serve(&self.plain, &mut self.position, buffer))
    }
}

//! lz4-java's block framing, which Spark writes as `.lz4`.
//!
//! A stream is a row of blocks, each with a 21-byte header: the magic `LZ4Block`, a token (method in the high half,
//! log2 of the block size minus 10 in the low one), then compressed length, plain length and checksum as
//! little-endian 32-bit numbers. A block of no bytes ends a stream, and another stream may follow. The checksum is
//! XXH32 of the plain bytes with a fixed seed, of which lz4-java keeps 28 bits. Source: `LZ4BlockOutputStream`.

use std::io::{self, Read};

use super::xxh32::xxh32;
use super::{LARGEST_BLOCK, corrupt, read_or_end, serve};

/// Start of every block.
pub(super) const MAGIC: &[u8] = b"LZ4Block";
const HEADER: usize = 21;
pub(super) const SEED: u32 = 0x9747_b28c;
pub(super) const CHECKSUM_MASK: u32 = 0x0fff_ffff;
pub(super) const STORED: u8 = 0x10;
pub(super) const COMPRESSED: u8 = 0x20;

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
        let mut header = [0; HEADER];
        if !read_or_end(&mut self.input, &mut header)? {
            return Ok(false);
        }
        let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (token, packed, plain, checksum) = (header[8], number(9) as usize, number(13) as usize, number(17));
        let largest = (1usize << (10 + (token & 0x0f))).min(LARGEST_BLOCK);
        // Stored blocks are as long as their text, and compressed ones are written only when that is shorter.
        if !header.starts_with(MAGIC) || plain > largest || packed > largest {
            return Err(corrupt("not a block of an LZ4 stream"));
        }
        self.compressed.resize(packed, 0);
        self.input.read_exact(&mut self.compressed)?;
        self.plain.resize(plain, 0);
        self.position = 0;
        match token & 0xf0 {
            STORED if packed == plain => self.plain.copy_from_slice(&self.compressed),
            COMPRESSED => {
                let n = lz4_flex::block::decompress_into(&self.compressed, &mut self.plain).map_err(|_| corrupt("broken LZ4 block"))?;
                self.plain.truncate(n);
            }
            _ => return Err(corrupt("unknown kind of LZ4 block")),
        }
        if self.plain.len() != plain || (plain > 0 && xxh32(&self.plain, SEED) & CHECKSUM_MASK != checksum & CHECKSUM_MASK) {
            self.plain.clear();
            return Err(corrupt("LZ4 block with a wrong checksum"));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &[u8], compress: bool) -> Vec<u8> {
        let body = if compress { lz4_flex::block::compress(text) } else { text.to_vec() };
        let mut out = MAGIC.to_vec();
        out.push((if compress { COMPRESSED } else { STORED }) | 6);
        for number in [body.len() as u32, text.len() as u32, xxh32(text, SEED) & CHECKSUM_MASK] {
            out.extend(number.to_le_bytes());
        }
        [out, body].concat()
    }

    fn end() -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.push(STORED | 6);
        out.extend([0; 12]);
        out
    }

    #[test]
    fn stored_and_compressed_blocks_and_streams_in_a_row() {
        let long = b"abc ".repeat(5000);
        let bytes = [block(&long, true), block(b"xyz", false), end(), block(b"second stream", true), end()].concat();
        let mut text = Vec::new();
        Reader::new(&bytes[..]).read_to_end(&mut text).unwrap();
        assert_eq!(text, [&long[..], b"xyz", b"second stream"].concat());
    }

    #[test]
    fn a_changed_byte_and_a_cut_stream_are_errors_after_the_good_blocks() {
        let good = block(b"the first block is good", false);
        let mut bad = block(b"the second one is not", false);
        bad[25] ^= 1;
        for bytes in [[good.clone(), bad.clone()].concat(), [&good[..], &bad[..30]].concat()] {
            let mut text = Vec::new();
            assert!(Reader::new(&bytes[..]).read_to_end(&mut text).is_err());
            assert_eq!(text, b"the first block is good");
        }
    }
}

//! Writing a log in the codec that its file name asks for.
//!
//! The inverse of the readers: zstd, gzip, lz4-java's blocks and snappy-java's stream, in blocks of 32 KiB as Spark
//! writes them, or plain. LZF is not written. [`Packed::finish`] writes what ends a stream; without it a file is cut.

use std::io::{self, Write};

use super::xxh32::xxh32;
use super::{Codec, detect, lz4_block, snappy_java};

/// Bytes of one block, and the token that says so (log2 less 10).
const BLOCK: usize = 32 << 10;
const BLOCK_TOKEN: u8 = 5;
/// Level of zstd and gzip: what Spark and the tools use when nobody asks.
const ZSTD_LEVEL: i32 = 3;

/// A stream that packs what is written to it.
pub(crate) enum Packed<W: Write> {
    Plain(W),
    Zstd(zstd::Encoder<'static, W>),
    Gzip(flate2::write::GzEncoder<W>),
    Blocks(Blocks<W>),
}

/// What cuts its text into blocks.
pub(crate) struct Blocks<W> {
    out: W,
    codec: Codec,
    block: Vec<u8>,
}

impl<W: Write> Packed<W> {
    /// A stream for a file of this name.
    pub(crate) fn new(name: &str, mut out: W) -> io::Result<Self> {
        // No first bytes that could say otherwise: the name decides.
        Ok(match detect(name, b"?") {
            Codec::Zstd => Self::Zstd(zstd::Encoder::new(out, ZSTD_LEVEL)?),
            Codec::Gzip => Self::Gzip(flate2::write::GzEncoder::new(out, flate2::Compression::default())),
            Codec::Lz4Block | Codec::Lz4Frame => Self::Blocks(Blocks { out, codec: Codec::Lz4Block, block: Vec::with_capacity(BLOCK) }),
            Codec::SnappyJava | Codec::SnappyFrame => {
                out.write_all(snappy_java::MAGIC)?;
                out.write_all(&snappy_java::WRITTEN_VERSIONS)?;
                Self::Blocks(Blocks { out, codec: Codec::SnappyJava, block: Vec::with_capacity(BLOCK) })
            }
            Codec::Lzf => return Err(io::Error::new(io::ErrorKind::Unsupported, "LZF is read but not written; end the name in .zst, .gz, .lz4 or .snappy")),
            Codec::Plain => Self::Plain(out),
        })
    }

    /// Writes the end of the stream.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Zstd(encoder) => encoder.finish()?.flush(),
            Self::Gzip(encoder) => encoder.finish()?.flush(),
            Self::Blocks(mut blocks) => {
                blocks.flush()?;
                if blocks.codec == Codec::Lz4Block {
                    // A block of no bytes ends the stream.
                    blocks.lz4_header(lz4_block::STORED, 0, 0, 0)?;
                }
                blocks.out.flush()
            }
        }
    }
}

impl<W: Write> Write for Packed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Blocks(blocks) => {
                let n = bytes.len().min(BLOCK - blocks.block.len());
                blocks.block.extend_from_slice(&bytes[..n]);
                if blocks.block.len() == BLOCK {
                    blocks.flush()?;
                }
                Ok(n)
            }
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Blocks<W> {
    fn flush(&mut self) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        if !block.is_empty() {
            if self.codec == Codec::Lz4Block { self.lz4(&block)? } else { self.snappy(&block)? }
        }
        self.block = block;
        self.block.clear();
        Ok(())
    }

    fn lz4(&mut self, block: &[u8]) -> io::Result<()> {
        let packed = lz4_flex::block::compress(block);
        let (method, body) = if packed.len() < block.len() { (lz4_block::COMPRESSED, &packed[..]) } else { (lz4_block::STORED, block) };
        self.lz4_header(method, body.len(), block.len(), xxh32(block, lz4_block::SEED) & lz4_block::CHECKSUM_MASK)?;
        self.out.write_all(body)
    }

    fn lz4_header(&mut self, method: u8, packed: usize, plain: usize, checksum: u32) -> io::Result<()> {
        self.out.write_all(lz4_block::MAGIC)?;
        self.out.write_all(&[method | BLOCK_TOKEN])?;
        // A block has at most 32 KiB.
        for number in [packed as u32, plain as u32, checksum] {
            self.out.write_all(&number.to_le_bytes())?;
        }
        Ok(())
    }

    fn snappy(&mut self, block: &[u8]) -> io::Result<()> {
        let packed = snap::raw::Encoder::new().compress_vec(block).map_err(|error| io::Error::other(error.to_string()))?;
        self.out.write_all(&(packed.len() as u32).to_be_bytes())?;
        self.out.write_all(&packed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::text_of;
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_written_is_read_back_in_every_codec() {
        let mut noise = 1u64;
        let mut text: Vec<u8> = b"line of a log\n".repeat(9000);
        text.extend((0..70_000).map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (noise >> 56) as u8
        }));
        for text in [&text[..], b"", b"{"] {
            for (name, magic) in
                [("a", &text[..text.len().min(1)]), ("a.zst", &[0x28, 0xb5]), ("a.gz", &[0x1f, 0x8b]), ("a.lz4", b"LZ4Block"), ("a.snappy", b"\x82SNAPPY\0")]
            {
                let mut bytes = Vec::new();
                let mut packed = Packed::new(name, &mut bytes).unwrap();
                packed.write_all(text).unwrap();
                packed.finish().unwrap();
                assert!(bytes.starts_with(magic), "{name}");
                let mut again = Vec::new();
                text_of(name, io::Cursor::new(bytes)).unwrap().read_to_end(&mut again).unwrap();
                assert!(again == text, "{name} of {} bytes", text.len());
            }
        }
        assert!(Packed::new("a.lzf", Vec::new()).is_err());
    }
}

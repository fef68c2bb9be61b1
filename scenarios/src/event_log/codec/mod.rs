//! Opening an event log, whatever it is compressed with.
//!
//! The first bytes decide; where they say nothing the file's extension does, and a file that is neither is read as
//! plain text. Spark writes `zstd` (the default since 3.0), `lz4` in lz4-java's own block framing, `snappy` in
//! snappy-java's own framing, and `lzf` in compress-lzf's; people compress again with `gzip` or the `lz4` and `snappy`
//! tools, whose standard frames are read too. Everything streams: no file is held whole.

mod lz4_block;
mod lzf;
mod snappy_java;
mod write;
mod xxh32;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

pub(super) use write::Packed;

/// How a log is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Zstd,
    Gzip,
    Lz4Block,
    Lz4Frame,
    SnappyJava,
    SnappyFrame,
    Lzf,
}

/// Bytes at the start of a file, and what they mean.
const MAGIC: [(&[u8], Codec); 7] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], Codec::Zstd),
    (&[0x1f, 0x8b], Codec::Gzip),
    (lz4_block::MAGIC, Codec::Lz4Block),
    (&[0x04, 0x22, 0x4d, 0x18], Codec::Lz4Frame),
    (snappy_java::MAGIC, Codec::SnappyJava),
    (&[0xff, 0x06, 0x00, 0x00, b's', b'N', b'a', b'P', b'p', b'Y'], Codec::SnappyFrame),
    (lzf::MAGIC, Codec::Lzf),
];

/// Extensions that Spark and people use.
const EXTENSIONS: [(&str, Codec); 7] = [
    ("zstd", Codec::Zstd),
    ("zst", Codec::Zstd),
    ("gz", Codec::Gzip),
    ("lz4", Codec::Lz4Block),
    ("snappy", Codec::SnappyJava),
    ("sz", Codec::SnappyFrame),
    ("lzf", Codec::Lzf),
];

/// Bytes that are looked at to find the codec.
const HEAD: usize = 16;

/// The codec of a file with this name and these first bytes.
pub(super) fn detect(name: &str, head: &[u8]) -> Codec {
    if let Some((_, codec)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return *codec;
    }
    if head.first().is_none_or(|byte| *byte == b'{') {
        return Codec::Plain;
    }
    let name = name.strip_suffix(".compact").unwrap_or(name);
    let name = name.strip_suffix(".inprogress").unwrap_or(name);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension)).map_or(Codec::Plain, |(_, codec)| *codec)
}

/// Bytes that are read from a file at once.
const CHUNK: usize = 128 << 10;

/// Log2 of the largest window that a zstd stream may ask for, 32 MiB: Spark's have at most 8 MiB.
const ZSTD_WINDOW: u32 = 25;
/// Largest block that is believed; Spark writes blocks of 32 KiB.
const LARGEST_BLOCK: usize = 16 << 20;

/// Whether a path is an open stream of this process, such as a pipe of the shell, which can be read once.
pub(super) fn is_stream(path: &Path) -> bool {
    let stream = path == Path::new("/dev/stdin") || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    stream && !std::fs::metadata(path).is_ok_and(|found| found.is_file())
}

/// What a path is, if it is something that has no end or waits for somebody to write.
#[cfg(unix)]
fn special(path: &Path) -> io::Result<Option<&'static str>> {
    use std::os::unix::fs::FileTypeExt;
    let found = std::fs::metadata(path)?.file_type();
    let kinds = [(found.is_fifo(), "a named pipe"), (found.is_socket(), "a socket"), (found.is_block_device(), "a disk"), (found.is_char_device(), "a device")];
    Ok(kinds.iter().find(|(is, _)| *is).map(|(_, name)| *name).filter(|_| !is_stream(path)))
}

#[cfg(not(unix))]
fn special(_: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

/// Opens a file for reading its plain text.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if let Some(kind) = special(path)? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {kind}, not a file")));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    text_of(&name, File::open(path)?)
}

/// The plain text of what comes from `input` and has this file name.
pub(super) fn text_of(name: &str, mut input: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let codec = detect(name, &head);
    let whole = Cursor::new(head).chain(input);
    if codec == Codec::Plain { Ok(Box::new(whole)) } else { decoder(codec, BufReader::with_capacity(CHUNK, whole)) }
}

/// The plain text of a compressed stream.
fn decoder(codec: Codec, input: impl BufRead + 'static) -> io::Result<Box<dyn Read>> {
    Ok(match codec {
        Codec::Plain => Box::new(input),
        Codec::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
        Codec::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Codec::Lz4Block => Box::new(lz4_block::Reader::new(input)),
        Codec::Lz4Frame => Box::new(lz4_flex::frame::FrameDecoder::new(input)),
        Codec::SnappyJava => Box::new(snappy_java::Reader::new(input)),
        Codec::SnappyFrame => Box::new(snap::read::FrameDecoder::new(input)),
        Codec::Lzf => Box::new(lzf::Reader::new(input)),
    })
}

/// Reads exactly `buffer.len()` bytes; `false` if the input ended before the first one.
fn read_or_end(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Gives out what a block reader has decoded.
fn serve(block: &[u8], position: &mut usize, buffer: &mut [u8]) -> usize {
    let n = buffer.len().min(block.len() - *position);
    buffer[..n].copy_from_slice(&block[*position..*position + n]);
    *position += n;
    n
}

fn corrupt(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// The same text as real codecs wrote it: lz4-java 1.8.0 and snappy-java 1.1.10.5 from a Spark distribution.
    const TEXT: &str = include_str!("../../../tests/data/codec/sample.txt");

    fn read(name: &str, bytes: &'static [u8]) -> String {
        let mut text = String::new();
        text_of(name, bytes).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn streams_that_the_java_libraries_wrote_are_read() {
        assert_eq!(read("x", include_bytes!("../../../tests/data/codec/sample.lz4")), TEXT);
        assert_eq!(read("x", include_bytes!("../../../tests/data/codec/sample.snappy")), TEXT);
    }

    #[test]
    fn streams_of_the_usual_tools_are_read() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(TEXT.as_bytes()).unwrap();
        let mut snappy = snap::write::FrameEncoder::new(Vec::new());
        snappy.write_all(TEXT.as_bytes()).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(TEXT.as_bytes()).unwrap();
        let zstd = zstd::encode_all(TEXT.as_bytes(), 3).unwrap();
        for bytes in [gzip.finish().unwrap(), snappy.into_inner().unwrap(), lz4.finish().unwrap(), zstd] {
            assert_eq!(read("misleading.lzf", bytes.leak()), TEXT);
        }
        assert_eq!(read("plain", TEXT.as_bytes()), TEXT);
    }

    #[test]
    fn the_extension_counts_when_the_bytes_say_nothing() {
        assert_eq!(detect("app-1.zstd.inprogress", b"????"), Codec::Zstd);
        assert_eq!(detect("app-1.LZ4", b"????"), Codec::Lz4Block);
        assert_eq!(detect("app-1.lz4", b"{\"Event\""), Codec::Plain);
        assert_eq!(detect("app-1", b"????"), Codec::Plain);
        assert_eq!(detect("app-1", b"ZV\x01"), Codec::Lzf);
    }
}

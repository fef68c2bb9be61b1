//! What a compression codec of Spark costs and saves.
//!
//! One table serves both directions: ingestion takes a codec's CPU time out of what a log recorded, and the configuration
//! gives the model the same time to put back, so that a recorded job pays for compression once. Rates are plain bytes per
//! second of one core through the JVM's streams, the middle of 8.2 (recalled there); ratios are to what lz4 writes, zstd from
//! text-like data (8.2). Snappy is taken to be as fast as lz4; lzf is a guess.

use sim_core::units::Bytes;

/// A codec.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Codec {
    /// `spark.io.compression.codec`, short.
    name: &'static str,
    /// Bytes written per byte that lz4 would have written.
    pub(crate) ratio: f64,
    /// Plain bytes per second that one core compresses.
    pub(crate) compress: f64,
    /// Plain bytes per second that one core decompresses.
    pub(crate) decompress: f64,
}

/// Those that Spark has. The first is its default.
static CODECS: [Codec; 4] = [
    Codec { name: "lz4", ratio: 1.0, compress: 275e6, decompress: 850e6 },
    // 0.25 / 0.47 (8.2).
    Codec { name: "zstd", ratio: 0.53, compress: 185e6, decompress: 850e6 },
    Codec { name: "snappy", ratio: 1.03, compress: 275e6, decompress: 850e6 },
    Codec { name: "lzf", ratio: 1.05, compress: 200e6, decompress: 500e6 },
];

impl Codec {
    /// Spark's default, lz4.
    pub(crate) const fn spark_default() -> Self {
        CODECS[0]
    }
    /// The codec with a short name or class name; `None` when Spark has none such.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let short = name.strip_prefix("org.apache.spark.io.").and_then(|class| class.strip_suffix("CompressionCodec")).unwrap_or(name);
        CODECS.iter().find(|codec| codec.name.eq_ignore_ascii_case(short)).copied()
    }
    /// CPU seconds to compress one GiB.
    pub(crate) fn compress_s_per_gib(self) -> f64 {
        Bytes::gib(1).as_f64() / self.compress
    }
    /// CPU seconds to decompress one GiB.
    pub(crate) fn decompress_s_per_gib(self) -> f64 {
        Bytes::gib(1).as_f64() / self.decompress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 8.2: the middles of the bands for lz4 and zstd.
    #[test]
    fn seconds_per_gib_by_codec() {
        for (name, ratio, compress, decompress) in
            [("lz4", 1.0, 3.9, 1.26), ("org.apache.spark.io.ZStdCompressionCodec", 0.53, 5.8, 1.26), ("Snappy", 1.03, 3.9, 1.26)]
        {
            let codec = Codec::find(name).expect(name);
            assert!((codec.ratio - ratio).abs() < 1e-9, "{name}");
            assert!((codec.compress_s_per_gib() - compress).abs() < 0.01 && (codec.decompress_s_per_gib() - decompress).abs() < 0.01, "{name}");
        }
        assert_eq!(Codec::find("brotli"), None);
    }
}

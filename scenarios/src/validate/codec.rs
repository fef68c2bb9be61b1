//! The codec is one that Spark has (8.2).

use super::Facts;
use crate::codec::Codec;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let name = facts.conf.text("spark.io.compression.codec").unwrap_or_default();
    if Codec::find(&name).is_none() {
        let problem = Diagnostic::error("codec", "spark.io.compression.codec is not one that Spark has").found(name);
        problems.push(
            facts.at_conf(&["spark.io.compression.codec"], problem).expected("lz4, zstd, snappy or lzf").hint("zstd halves shuffle files of text at more CPU"),
        );
    }
}

//! The 32-bit xxHash, the checksum of lz4-java's blocks.
//!
//! Four lanes of 32 bits over stripes of 16 bytes, then the rest in words and bytes, then an avalanche. Source: the
//! xxHash specification. Only whole slices are hashed, because blocks are small.

const PRIME: [u32; 5] = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1];

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn round(lane: u32, input: u32) -> u32 {
    lane.wrapping_add(input.wrapping_mul(PRIME[1])).rotate_left(13).wrapping_mul(PRIME[0])
}

/// XXH32 of `bytes`.
pub(super) fn xxh32(bytes: &[u8], seed: u32) -> u32 {
    let mut stripes = bytes.chunks_exact(16);
    let mut hash = if bytes.len() < 16 {
        seed.wrapping_add(PRIME[4])
    } else {
        let mut lanes = [seed.wrapping_add(PRIME[0]).wrapping_add(PRIME[1]), seed.wrapping_add(PRIME[1]), seed, seed.wrapping_sub(PRIME[0])];
        for stripe in &mut stripes {
            for (lane, part) in lanes.iter_mut().zip(stripe.chunks_exact(4)) {
                *lane = round(*lane, word(part));
            }
        }
        let turned = [lanes[0].rotate_left(1), lanes[1].rotate_left(7), lanes[2].rotate_left(12), lanes[3].rotate_left(18)];
        turned.iter().fold(0u32, |sum, lane| sum.wrapping_add(*lane))
    };
    // The specification adds the length modulo 2^32.
    hash = hash.wrapping_add(bytes.len() as u32);
    let mut words = stripes.remainder().chunks_exact(4);
    for part in &mut words {
        hash = hash.wrapping_add(word(part).wrapping_mul(PRIME[2])).rotate_left(17).wrapping_mul(PRIME[3]);
    }
    for byte in words.remainder() {
        hash = hash.wrapping_add(u32::from(*byte).wrapping_mul(PRIME[4])).rotate_left(11).wrapping_mul(PRIME[0]);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(PRIME[1]);
    hash = (hash ^ (hash >> 13)).wrapping_mul(PRIME[2]);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::xxh32;

    /// Values that other implementations publish.
    #[test]
    fn published_values() {
        assert_eq!(xxh32(b"", 0), 0x02cc_5d05);
        assert_eq!(xxh32(b"abc", 0), 0x32d1_53ff);
        assert_eq!(xxh32(b"Nobody inspects the spammish repetition", 0), 0xe229_3b2f);
    }
}

//! From floats that are not negative to whole numbers, as `f64::round` and `f64::ceil` do.
//!
//! The instruction that rounds a float is not part of plain x86-64, so those two become calls into a library, tens of
//! instructions each, and every look at a ramp needs one. A cast is one instruction, and tells what it has cut off: between zero and
//! 2^53 the difference is exact, beyond that there is no fraction, and casts saturate where the integer ends.

/// The nearest whole number, halves upwards, of a float above zero.
pub(super) fn nearest(x: f64) -> u64 {
    let whole = x as u64;
    whole.saturating_add(u64::from(x - whole as f64 >= 0.5))
}

/// The smallest whole number that is not below a float above zero.
pub(crate) fn round_up(x: f64) -> u64 {
    let whole = x as u64;
    whole.saturating_add(u64::from((whole as f64) < x))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_and_their_neighbours_and_the_ends_of_the_integers() {
        let near = |x: f64| [x.next_down(), x, x.next_up()];
        let two = |bits: i32| 2f64.powi(bits);
        let at = [0.5, 1.0, 1.5, 2.5, 1e9 + 0.5, two(51) + 0.5, two(52), two(52) - 0.5, two(53), two(63), two(64), f64::MAX];
        for x in at.into_iter().flat_map(near).chain([f64::MIN_POSITIVE, f64::INFINITY]) {
            assert_eq!((nearest(x), round_up(x)), (x.round() as u64, x.ceil() as u64), "{x}");
        }
    }

    proptest! {
        #[test]
        fn as_the_library_rounds(bits in 1..f64::INFINITY.to_bits()) {
            let x = f64::from_bits(bits);
            prop_assert_eq!((nearest(x), round_up(x)), (x.round() as u64, x.ceil() as u64));
        }
        #[test]
        fn as_the_library_rounds_everyday_numbers(x in 0.0..1e13_f64) {
            prop_assert_eq!((nearest(x), round_up(x)), (x.round() as u64, x.ceil() as u64));
        }
    }
}

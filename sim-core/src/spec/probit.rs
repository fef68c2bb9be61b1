//! The normal distribution's inverse and tail, the same on every platform.
//!
//! The inverse is Wichura's algorithm AS 241 (`PPND16`, Applied Statistics 37, 1988): three rational approximations
//! with a relative accuracy of about 1e-16. Tails come from `libm`'s `erfc`. Only `+ - * /`, `sqrt` and `libm` are used,
//! because the standard library's `ln` and `exp` may differ between platforms.

#![expect(clippy::excessive_precision, reason = "the coefficients are written as published")]

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The `u` quantile of the standard normal distribution; infinite at 0 and 1.
pub(crate) fn probit(u: f64) -> f64 {
    let centred = u - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * horner(&CENTRE_ABOVE, r) / horner(&CENTRE_BELOW, r);
    }
    let tail = if centred < 0.0 { u } else { 1.0 - u };
    if tail <= 0.0 {
        return f64::INFINITY.copysign(centred);
    }
    let r = libm::sqrt(-libm::log(tail));
    let size =
        if r <= 5.0 { horner(&MIDDLE_ABOVE, r - 1.6) / horner(&MIDDLE_BELOW, r - 1.6) } else { horner(&FAR_ABOVE, r - 5.0) / horner(&FAR_BELOW, r - 5.0) };
    size.copysign(centred)
}

/// Probability that a standard normal exceeds `x`.
pub(super) fn upper_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x * FRAC_1_SQRT_2)
}

/// Density of the standard normal distribution.
pub(super) fn density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / libm::sqrt(2.0 * PI)
}

/// The polynomial with these coefficients, highest power first.
fn horner(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |value, coefficient| value * x + coefficient)
}

const CENTRE_ABOVE: [f64; 8] = [
    2.509_080_928_730_122_672_7e3,
    3.343_057_558_358_812_810_5e4,
    6.726_577_092_700_870_085_3e4,
    4.592_195_393_154_987_145_7e4,
    1.373_169_376_550_946_112_5e4,
    1.971_590_950_306_551_442_7e3,
    1.331_416_678_917_843_774_5e2,
    3.387_132_872_796_366_608,
];
const CENTRE_BELOW: [f64; 8] = [
    5.226_495_278_852_854_561e3,
    2.872_908_573_572_194_267_4e4,
    3.930_789_580_009_271_061e4,
    2.121_379_430_158_659_586_7e4,
    5.394_196_021_424_751_107_7e3,
    6.871_870_074_920_579_083e2,
    4.231_333_070_160_091_125_2e1,
    1.0,
];
const MIDDLE_ABOVE: [f64; 8] = [
    7.745_450_142_783_414_076_4e-4,
    2.272_384_498_926_918_458_33e-2,
    2.417_807_251_774_506_117_7e-1,
    1.270_458_252_452_368_382_58,
    3.647_848_324_763_204_605_04,
    5.769_497_221_460_691_405_5,
    4.630_337_846_156_545_295_9,
    1.423_437_110_749_683_577_34,
];
const MIDDLE_BELOW: [f64; 8] = [
    1.050_750_071_644_416_843_24e-9,
    5.475_938_084_995_344_946e-4,
    1.519_866_656_361_645_719_66e-2,
    1.481_039_764_274_800_745_9e-1,
    6.897_673_349_851_000_045_5e-1,
    1.676_384_830_183_803_849_4,
    2.053_191_626_637_758_821_87,
    1.0,
];
const FAR_ABOVE: [f64; 8] = [
    2.010_334_399_292_288_132_65e-7,
    2.711_555_568_743_487_578_15e-5,
    1.242_660_947_388_078_438_6e-3,
    2.653_218_952_657_612_309_3e-2,
    2.965_605_718_285_048_912_3e-1,
    1.784_826_539_917_291_335_8,
    5.463_784_911_164_114_369_9,
    6.657_904_643_501_103_777_2,
];
const FAR_BELOW: [f64; 8] = [
    2.044_263_103_389_939_785_64e-15,
    1.421_511_758_316_445_888_7e-7,
    1.846_318_317_510_054_681_8e-5,
    7.868_691_311_456_132_591e-4,
    1.487_536_129_085_061_485_25e-2,
    1.369_298_809_227_358_053_1e-1,
    5.998_322_065_558_879_376_9e-1,
    1.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probit_inverts_the_tail_from_the_centre_to_the_smallest_draw() {
        let mut u = 0.5;
        while u > 1e-300 {
            for u in [u, u * 0.9, u * 0.6] {
                let x = probit(u);
                assert!((upper_tail(-x) / u - 1.0).abs() < 1e-12, "P(X <= {x}) is {} and not {u}", upper_tail(-x));
            }
            u /= 2.0;
        }
    }

    #[test]
    fn probit_is_symmetric_and_infinite_at_the_ends() {
        for k in 1..512 {
            let u = f64::from(k) / 1024.0;
            assert_eq!(probit(u).to_bits(), (-probit(1.0 - u)).to_bits());
        }
        assert_eq!((probit(0.0), probit(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn probit_gives_the_values_of_the_tables() {
        // NIST and every textbook: 97.5 % and 99.5 % two-sided limits.
        assert!((probit(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((probit(0.995) - 2.575_829_303_548_900_4).abs() < 1e-14);
    }
}

//! Random work and delays.

use sim_core::kernel::Stream;
use sim_core::units::SimSpan;

/// Exponential with this mean.
pub(crate) fn exponential(stream: &mut Stream, mean: f64) -> f64 {
    -mean * (1.0 - stream.unit()).ln()
}

/// An exponential delay with this mean, in seconds.
pub(crate) fn delay(stream: &mut Stream, mean: f64) -> SimSpan {
    SimSpan::from_secs_f64(exponential(stream, mean))
}

/// How much work a customer brings. All have mean 1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Exponential,
    /// [`Work::SMALL`] nine times in ten, else [`Work::LARGE`]; its second moment is three times the exponential's.
    TwoPoint,
}

impl Work {
    pub(crate) const SMALL: f64 = 0.25;
    pub(crate) const LARGE: f64 = 7.75;

    pub(crate) fn draw(self, stream: &mut Stream) -> f64 {
        match self {
            Self::Exponential => exponential(stream, 1.0),
            Self::TwoPoint if stream.unit() < 0.9 => Self::SMALL,
            Self::TwoPoint => Self::LARGE,
        }
    }
    /// E[work^2].
    pub(crate) fn second_moment(self) -> f64 {
        match self {
            Self::Exponential => 2.0,
            Self::TwoPoint => 0.9 * Self::SMALL * Self::SMALL + 0.1 * Self::LARGE * Self::LARGE,
        }
    }
}

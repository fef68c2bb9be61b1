//! When the next round of an allocator is.
//!
//! Rounds come one period after the other for as long as there is something to do. Then nobody looks, but the rounds go on: the
//! next one that matters lies on a grid whose phase is drawn, because each real round also takes a little time of its own
//! (Spark schedules them with a fixed delay). Source: 4.4; `ExecutorPodsSnapshotsStoreImpl`.

use crate::units::{SimSpan, SimTime};

/// The first round after `now`: a period after the last one, or the next point of the grid that begins at `phase`.
pub(super) fn next(now: SimTime, last: Option<SimTime>, phase: SimSpan, period: SimSpan) -> SimTime {
    if period.is_zero() {
        return now;
    }
    if let Some(next) = last.map(|last| last + period).filter(|&next| next > now) {
        return next;
    }
    let since = now.as_ns().saturating_sub(phase.as_ns());
    let periods = since / period.as_ns() + u64::from(now.as_ns() >= phase.as_ns());
    SimTime::ZERO + phase + period * periods
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SimTime {
        SimTime::ZERO + SimSpan::from_ms(ms)
    }

    /// By hand: rounds at 10 s, 11 s while there is something to do; a loss at 20.5 s waits for the grid's 20.7 s.
    #[test]
    fn al_1_rounds_follow_each_other_or_their_phase() {
        let (phase, period) = (SimSpan::from_ms(700), SimSpan::from_secs(1));
        assert_eq!(next(at(10_000), Some(at(10_000)), phase, period), at(11_000));
        assert_eq!(next(at(10_400), Some(at(10_000)), phase, period), at(11_000));
        assert_eq!(next(at(20_500), Some(at(11_000)), phase, period), at(20_700));
        assert_eq!(next(at(20_700), Some(at(11_000)), phase, period), at(21_700));
        assert_eq!(next(at(300), None, phase, period), at(700));
        assert_eq!(next(at(300), None, phase, SimSpan::ZERO), at(300));
    }
}

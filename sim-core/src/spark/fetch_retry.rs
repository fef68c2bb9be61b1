//! How long a reducer tries before it reports a fetch failure.
//!
//! A failed request is tried again a fixed number of times after a fixed wait; each try also takes as long as the connection
//! needs to fail, nothing when the peer refuses and up to the connection timeout when packets vanish. The driver resubmits
//! the stages shortly after it hears of the failure. From Spark 3.0 on a reducer asks the driver after each connection that
//! cannot be made, and gives up if the executor is dead (SPARK-27637); the driver knows of a broken connection at once, so only
//! a fetch that was under way waits, for one retry. Source: FF-1, FF-3, A26.

use crate::spec::SparkVersion;
use crate::units::SimSpan;

/// Retries that are made against a dead executor: all of them before Spark 3.0; since then one for a fetch that was under way
/// when the connection broke, none for a new one (SPARK-27637).
pub fn retries_against_the_dead(version: SparkVersion, retries: u32, under_way: bool) -> u32 {
    if version.major < 3 { retries } else { retries.min(u32::from(under_way)) }
}

/// From the first fetch failure of a burst to the resubmission of the stages: `DAGScheduler.RESUBMIT_TIMEOUT` (FF-3).
pub const RESUBMIT_DELAY: SimSpan = SimSpan::from_ms(200);

/// Time from the first try to the `FetchFailed`: `retries` tries after the first, each `wait` after the one before has
/// failed, which takes `per_try` (FF-1). Keys: `spark.shuffle.io.maxRetries`, `spark.shuffle.io.retryWait`.
pub fn fetch_failed_after(retries: u32, wait: SimSpan, per_try: SimSpan) -> SimSpan {
    let ns = u128::from(retries) * u128::from(wait.as_ns()) + (u128::from(retries) + 1) * u128::from(per_try.as_ns());
    SimSpan::from_ns(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// How a reducer waits for a peer that vanished.
#[derive(Clone, Copy, Debug)]
pub struct SilentPeer {
    /// Retries: `spark.shuffle.io.maxRetries`.
    pub retries: u32,
    /// Wait before each: `spark.shuffle.io.retryWait`.
    pub wait: SimSpan,
    /// Time after which the request under way fails: `spark.shuffle.io.connectionTimeout`.
    pub connection: SimSpan,
    /// Time after which a new connection fails: `spark.shuffle.io.connectionCreationTimeout`.
    pub creation: SimSpan,
    /// From now until the driver has given the peer up; `None`: nobody asks it (a shuffle service, Spark before 3.0).
    pub known_after: Option<SimSpan>,
}

/// Time until a reducer reports a `FetchFailed` from a peer whose packets vanish: its request times out, then each retry's connection
/// does (FF-1). After each of these it asks the driver, and stops once the driver has given the peer up (SPARK-27637).
pub fn silent_peer(peer: &SilentPeer) -> SimSpan {
    let mut spent = peer.connection;
    for _ in 0..peer.retries {
        spent = spent + peer.wait + peer.creation;
        if peer.known_after.is_some_and(|known| known <= spent) {
            break;
        }
    }
    spent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spark_27637_reducers_ask_whether_the_executor_lives() {
        let version = |major| SparkVersion { major, minor: 4, patch: 0 };
        assert_eq!([true, false].map(|under_way| retries_against_the_dead(version(2), 3, under_way)), [3, 3]);
        assert_eq!([true, false].map(|under_way| retries_against_the_dead(version(3), 3, under_way)), [1, 0]);
        assert_eq!(retries_against_the_dead(version(4), 0, true), 0);
    }

    #[test]
    fn a26_connection_refused_fails_after_15_s() {
        let failed = fetch_failed_after(3, SimSpan::from_secs(5), SimSpan::ZERO);
        assert_eq!(failed, SimSpan::from_secs(15));
        assert_eq!((failed + RESUBMIT_DELAY) * 4, SimSpan::from_ms(60_800), "four rounds abort the job");
    }

    /// 120 s for the request, 125 s for each of three retries; the driver knows after 150 s, so the first retry is the last.
    #[test]
    fn ff_1_a_vanished_peer_costs_two_timeouts_once_the_driver_knows() {
        let seconds = SimSpan::from_secs;
        let after = |known_after| silent_peer(&SilentPeer { retries: 3, wait: seconds(5), connection: seconds(120), creation: seconds(120), known_after });
        assert_eq!(after(None), seconds(495));
        assert_eq!(after(Some(seconds(150))), seconds(245));
        assert_eq!(after(Some(seconds(246))), seconds(370));
        assert_eq!(after(Some(seconds(1000))), seconds(495));
    }

    #[test]
    fn ff_1_silence_costs_the_timeout_at_every_try() {
        // `spark.network.timeout`.
        let timeout = SimSpan::from_secs(120);
        assert_eq!(fetch_failed_after(3, SimSpan::from_secs(5), timeout), SimSpan::from_secs(495));
        assert_eq!(fetch_failed_after(u32::MAX, SimSpan::from_ns(u64::MAX), SimSpan::ZERO), SimSpan::from_ns(u64::MAX));
    }
}

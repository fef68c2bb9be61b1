//! Burst credit of a disk: faster while the bucket holds some, its own rate from the instant at which it is dry.
//!
//! Azure's small premium disks, EBS `gp2` and small EC2 instances collect what they do not use and spend it above their own rate. Credit is
//! counted in seconds of the disk at its own rate: it comes in at 1 a second while the disk is idle, up to a full bucket, and goes out at
//! `factor − 1` a second while it is busy, so a full bucket of `C` lasts `C / (factor − 1)` under load. A busy device always
//! works at full rate (processor sharing), so credit is a straight line between changes, and running dry is one event: the device's
//! pending completion comes early, nobody is through, and the rate changes. Assumptions: the bucket starts full; of a
//! disk's two buckets, bandwidth and operations, the one of its tighter limit counts. A device that is used in part, by neighbours or
//! under its machine's cap, saves or spends the difference to its own rate. Sources: Azure "Managed disk bursting", EBS
//! "General purpose SSD volumes" (I/O credits), "EBS-optimized instances" (30 minutes of maximum performance).

use crate::spec::BurstSpec;
use crate::units::{Bytes, SimSpan, SimTime};

/// Below a nanosecond of work there is no credit left.
const DRY: f64 = 1e-9;

/// The bucket of one disk.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Rate with credit over rate without.
    factor: f64,
    /// Full bucket, seconds at the disk's own rate.
    full: f64,
    credit: f64,
    /// When `credit` was last worked out, and how much of the disk has been used since, relative to its own rate.
    since: SimTime,
    used: f64,
}

impl Bucket {
    /// A full bucket of a device of its own rate, bytes a second, in I/O of some size; none where the burst is no faster.
    pub(super) fn new(own: f64, io_size: Bytes, burst: &BurstSpec) -> Option<Self> {
        let fast = burst.rate.as_f64().min(burst.iops as f64 * io_size.as_f64());
        let full = burst.credit.as_f64() / own;
        (fast > own && full > DRY).then_some(Self { factor: fast / own, full, credit: full, since: SimTime::ZERO, used: 0.0 })
    }

    /// Works out the credit at `now`, and gives the capacity that the disk has with it.
    pub(super) fn at(&mut self, now: SimTime) -> f64 {
        let seconds = now.since(self.since).as_secs_f64();
        self.credit = (self.credit + (1.0 - self.used) * seconds).clamp(0.0, self.full);
        self.since = now;
        if self.credit > DRY { self.factor } else { 1.0 }
    }

    /// So much of the disk is used from then on, relative to its own rate.
    pub(super) fn uses(&mut self, used: f64) {
        self.used = used;
    }

    /// Panics if there is more than a full bucket or less than an empty one.
    pub(super) fn check(&self) {
        assert!((0.0..=self.full).contains(&self.credit), "{self:?} holds what it cannot");
    }

    /// When a disk that spends credit runs dry.
    pub(super) fn dry_at(&self) -> Option<SimTime> {
        let lasts = self.credit / (self.used - 1.0);
        (self.used > 1.0 && self.credit > DRY).then(|| self.since + SimSpan::from_secs_f64(lasts) + SimSpan::from_ns(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ByteRate;

    /// P10: 100 MB/s, 170 MB/s for half an hour.
    fn p10() -> Bucket {
        let burst = BurstSpec { rate: ByteRate::mb_per_sec(170), iops: 3500, credit: Bytes::new(70_000_000 * 1800) };
        Bucket::new(100e6, Bytes::kib(256), &burst).expect("170 is more than 100")
    }

    /// The capacity from `now` on, with a disk that is busy or idle.
    fn turn(bucket: &mut Bucket, now: SimTime, busy: bool) -> f64 {
        let capacity = bucket.at(now);
        bucket.uses(if busy { capacity } else { 0.0 });
        capacity
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimSpan::from_secs(seconds)
    }

    #[test]
    fn a_full_bucket_lasts_half_an_hour_and_an_idle_hour_fills_it_again() {
        let mut bucket = p10();
        assert!((turn(&mut bucket, at(100), true) - 1.7).abs() < 1e-12, "an idle disk stays full");
        let dry = bucket.dry_at().expect("it is busy");
        assert!((dry.since(at(1900)).as_secs_f64()).abs() < 1e-6, "{dry:?}");
        assert!((turn(&mut bucket, dry, true) - 1.0).abs() < f64::EPSILON && bucket.dry_at().is_none());
        // Under load nothing comes in: what it does anyway is what comes in.
        assert!((turn(&mut bucket, at(3000), false) - 1.0).abs() < f64::EPSILON);
        // 21 minutes of idling at 100 MB/s are the 126 GB of a full bucket; half of that is half of it.
        assert!(turn(&mut bucket, at(3000 + 630), true) > 1.0);
        let again = bucket.dry_at().expect("it is busy");
        assert!((again.since(at(3630 + 900)).as_secs_f64()).abs() < 1e-6, "{again:?}");
    }

    /// A neighbour that uses a fifth of the disk leaves four fifths of a second of credit a second; one that uses 1.2 of it takes a fifth.
    #[test]
    fn what_is_used_in_part_saves_or_spends_the_rest() {
        let mut bucket = p10();
        turn(&mut bucket, at(0), true);
        turn(&mut bucket, at(1800), false);
        bucket.uses(0.2);
        bucket.at(at(1800 + 100));
        bucket.uses(1.2);
        let dry = bucket.dry_at().expect("80 seconds of credit");
        assert!((dry.since(at(1900)).as_secs_f64() - 400.0).abs() < 1e-3, "{dry:?}");
    }
}

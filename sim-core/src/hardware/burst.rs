//! Burst credit of a disk: faster while the bucket holds some, its own rate from the instant at which it is dry.
//!
//! Azure's small premium disks, EBS `gp2` and small EC2 instances collect what they do not use and spend it above their own rate. Credit is
//! counted in seconds of the disk at its own rate: it comes in at 1 a second while the disk is idle, up to a full bucket, and goes out at
//! `factor − 1` a second while it is busy, so a full bucket of `C` lasts `C / (factor − 1)` under load. A busy device always
//! works at full rate (processor sharing), so credit is a straight line between changes, and running dry is one event: the device's
//! pending completion comes early, nobody is through, and the rate changes. Assumptions: the bucket starts full; of a
//! disk's two buckets, bandwidth and operations, the one of its tighter limit counts. Sources: Azure "Managed disk bursting", EBS
//! "General purpose SSD volumes" (I/O credits), "EBS-optimized instances" (30 minutes of maximum performance).

use crate::spec::{BurstSpec, DiskSpec};
use crate::units::{SimSpan, SimTime};

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
    /// When `credit` was last worked out, and whether the disk has been busy since.
    since: SimTime,
    busy: bool,
}

impl Bucket {
    /// A full bucket; none where the burst is no faster than the disk.
    pub(super) fn new(disk: &DiskSpec, burst: &BurstSpec) -> Option<Self> {
        let own = super::node::effective_rate(disk, disk.write.as_f64());
        let fast = burst.rate.as_f64().min(burst.iops as f64 * disk.io_size.as_f64());
        let full = burst.credit.as_f64() / own;
        (fast > own && full > DRY).then_some(Self { factor: fast / own, full, credit: full, since: SimTime::ZERO, busy: false })
    }

    /// Works out the credit at `now`; the disk is busy or idle from then on. Gives the capacity that it has.
    pub(super) fn at(&mut self, now: SimTime, busy: bool) -> f64 {
        let seconds = now.since(self.since).as_secs_f64();
        let flow = match (self.busy, self.credit > DRY) {
            (false, _) => 1.0,
            (true, true) => 1.0 - self.factor,
            (true, false) => 0.0,
        };
        self.credit = (self.credit + flow * seconds).clamp(0.0, self.full);
        (self.since, self.busy) = (now, busy);
        if self.credit > DRY { self.factor } else { 1.0 }
    }

    /// Panics if there is more than a full bucket or less than an empty one.
    pub(super) fn check(&self) {
        assert!((0.0..=self.full).contains(&self.credit), "{self:?} holds what it cannot");
    }

    /// When a busy disk with credit runs dry.
    pub(super) fn dry_at(&self) -> Option<SimTime> {
        let lasts = self.credit / (self.factor - 1.0);
        (self.busy && self.credit > DRY).then(|| self.since + SimSpan::from_secs_f64(lasts) + SimSpan::from_ns(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{ByteRate, Bytes};

    /// P10: 100 MB/s, 170 MB/s for half an hour.
    fn p10() -> Bucket {
        let burst = BurstSpec { rate: ByteRate::mb_per_sec(170), iops: 3500, credit: Bytes::new(70_000_000 * 1800) };
        let disk = DiskSpec {
            name: "p10".to_owned(),
            size: Bytes::gib(128),
            used: Bytes::ZERO,
            read: ByteRate::mb_per_sec(100),
            write: ByteRate::mb_per_sec(100),
            iops: 500,
            io_size: Bytes::kib(256),
            burst: Some(burst),
        };
        Bucket::new(&disk, &burst).expect("170 is more than 100")
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimSpan::from_secs(seconds)
    }

    #[test]
    fn a_full_bucket_lasts_half_an_hour_and_an_idle_hour_fills_it_again() {
        let mut bucket = p10();
        assert!((bucket.at(at(100), true) - 1.7).abs() < 1e-12, "an idle disk stays full");
        let dry = bucket.dry_at().expect("it is busy");
        assert!((dry.since(at(1900)).as_secs_f64()).abs() < 1e-6, "{dry:?}");
        assert!((bucket.at(dry, true) - 1.0).abs() < f64::EPSILON && bucket.dry_at().is_none());
        // Under load nothing comes in: what it does anyway is what comes in.
        assert!((bucket.at(at(3000), false) - 1.0).abs() < f64::EPSILON);
        // 21 minutes of idling at 100 MB/s are the 126 GB of a full bucket; half of that is half of it.
        assert!(bucket.at(at(3000 + 630), true) > 1.0);
        let again = bucket.dry_at().expect("it is busy");
        assert!((again.since(at(3630 + 900)).as_secs_f64()).abs() < 1e-6, "{again:?}");
    }
}

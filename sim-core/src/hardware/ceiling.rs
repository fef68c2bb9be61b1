//! A machine's cap on all its remote disks together, as a second server behind each of them.
//!
//! A flow on a remote disk is held back by its disk and by the machine, and gets what is max-min fair: no flow could have more without
//! taking it from one that has no more. All flows of a disk have equal rates, so the machine's part of it comes down to a capacity
//! of each disk: the level to which the cap fills with all flows and steady rates, each no higher than its own disk lets it
//! ([`crate::kernel::max_min`]). The cap has a bucket of burst credit like a disk ([`super::burst`]). Rates of different
//! disks are compared in bytes. Assumptions: reads and writes of a disk count at the faster of its two rates; a host throttles by
//! flow, not by disk. Source: 5.11; "Virtual machine and disk performance" of Azure's documentation (uncached IO capping).

use super::burst::Bucket;
use super::node::capped;
use crate::kernel::FairShare;
use crate::kernel::max_min::{self, Claimants};
use crate::spec::RemoteSpec;
use crate::units::SimTime;

/// The cap, and who is behind it.
#[derive(Debug)]
pub(super) struct Ceiling {
    /// Without credit, bytes a second.
    rate: f64,
    bucket: Option<Bucket>,
    /// By disk: bytes that the whole device moves in a second, 0 for one that is not behind the cap.
    behind: Vec<f64>,
    claimants: Vec<Claimants>,
}

impl Ceiling {
    /// With a full bucket, and nobody behind it.
    pub(super) fn new(spec: &RemoteSpec) -> Self {
        let rate = capped(spec.rate.as_f64(), spec.iops, spec.io_size);
        let bucket = spec.burst.and_then(|burst| Bucket::new(rate, spec.io_size, &burst));
        Self { rate, bucket, behind: Vec::new(), claimants: Vec::new() }
    }

    /// Puts a disk behind the cap that moves so many bytes a second by itself.
    pub(super) fn put_behind(&mut self, disk: usize, rate: f64) {
        if self.behind.len() <= disk {
            self.behind.resize(disk + 1, 0.0);
        }
        self.behind[disk] = rate;
    }

    /// Whether a disk is behind it.
    pub(super) fn holds(&self, disk: usize) -> bool {
        self.behind.get(disk).is_some_and(|rate| *rate > 0.0)
    }

    /// Gives each disk behind the cap the capacity that is left to it. `disks` have the capacities of their own.
    pub(super) fn divide<T: Copy>(&mut self, now: SimTime, disks: &mut [FairShare<T>], own: &[f64]) {
        let capacity = self.rate * self.bucket.as_mut().map_or(1.0, |bucket| bucket.at(now));
        self.claimants.clear();
        for (disk, bytes) in self.behind.iter().enumerate().filter(|(_, bytes)| **bytes > 0.0) {
            let (flows, alone) = (disks[disk].active() as f64, level_of(&disks[disk], own[disk]));
            self.claimants.push(Claimants { ceiling: alone * bytes, count: flows });
            self.claimants.extend(disks[disk].steady().iter().map(|rate| Claimants { ceiling: rate.min(alone) * bytes, count: 1.0 }));
        }
        let level = max_min::level(capacity, &mut self.claimants);
        let mut taken = 0.0;
        for (disk, bytes) in self.behind.iter().enumerate().filter(|(_, bytes)| **bytes > 0.0) {
            let wanted = wanted(&disks[disk], level / bytes);
            let idle = wanted <= 0.0;
            let left = if idle { own[disk] } else { wanted.min(own[disk]) };
            taken += if idle { 0.0 } else { left * bytes };
            if (disks[disk].capacity() - left).abs() > f64::EPSILON * left {
                disks[disk].set_capacity(now, left);
            }
        }
        if let Some(bucket) = &mut self.bucket {
            bucket.uses(taken / self.rate);
        }
    }

    /// When the cap runs out of credit.
    pub(super) fn dry_at(&self) -> Option<SimTime> {
        self.bucket.as_ref()?.dry_at()
    }

    /// Panics if there is more credit than its bucket holds, or less than none.
    pub(super) fn check(&self) {
        self.bucket.iter().for_each(Bucket::check);
    }
}

/// What a flow of a disk gets when only the disk holds it back.
fn level_of<T: Copy>(disk: &FairShare<T>, own: f64) -> f64 {
    let flows = Claimants { ceiling: f64::INFINITY, count: disk.active().max(1) as f64 };
    if disk.steady().is_empty() {
        return own / flows.count;
    }
    let mut all: Vec<Claimants> = disk.steady().iter().map(|&ceiling| Claimants { ceiling, count: 1.0 }).chain([flows]).collect();
    max_min::level(own, &mut all)
}

/// What flows and steady rates of a disk take together where nobody gets more than `level`.
fn wanted<T: Copy>(disk: &FairShare<T>, level: f64) -> f64 {
    let steady: f64 = disk.steady().iter().map(|rate| rate.min(level)).sum();
    if disk.active() == 0 { steady } else { disk.active() as f64 * level + steady }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::BurstSpec;
    use crate::units::{ByteRate, Bytes, SimSpan};

    fn cap(mb: u64, burst: Option<BurstSpec>) -> Ceiling {
        Ceiling::new(&RemoteSpec { rate: ByteRate::mb_per_sec(mb), iops: 1_000_000, io_size: Bytes::kib(256), burst })
    }

    /// Disks of so many MB/s behind a cap, each with so many flows of many bytes and steady rates of so many MB/s.
    fn disks(cap: &mut Ceiling, of: &[(f64, u32, &[f64])]) -> Vec<FairShare<u32>> {
        let mut all = Vec::new();
        for (number, (mb, flows, steady)) in of.iter().enumerate() {
            let mut disk = FairShare::new(1.0, f64::INFINITY);
            for flow in 0..*flows {
                disk.add(SimTime::ZERO, 1e6, flow);
            }
            steady.iter().for_each(|rate| disk.add_steady(SimTime::ZERO, rate / mb));
            cap.put_behind(number, mb * 1e6);
            all.push(disk);
        }
        all
    }

    /// MB/s of one flow of each disk.
    fn rates(cap: &Ceiling, disks: &[FairShare<u32>]) -> Vec<f64> {
        disks.iter().zip(&cap.behind).map(|(disk, bytes)| (disk.rate() * bytes / 1e5).round() / 10.0).collect()
    }

    fn divided(mb: u64, of: &[(f64, u32, &[f64])]) -> Vec<f64> {
        let mut cap = cap(mb, None);
        let mut disks = disks(&mut cap, of);
        let own = vec![1.0; of.len()];
        cap.divide(SimTime::ZERO, &mut disks, &own);
        rates(&cap, &disks)
    }

    /// By hand, a cap of 200 MB/s. An OS disk of 100 with three flows lets each have 33.3, so a claim of 200 with one has the other 100. An OS disk
    /// of 150 with one flow and the claim: 100 each. With a third claim of 40: it has 40, and 160 are left for two.
    #[test]
    fn three_disks_by_hand() {
        assert_eq!(divided(200, &[(100.0, 3, &[]), (200.0, 1, &[])]), [33.3, 100.0]);
        assert_eq!(divided(200, &[(150.0, 1, &[]), (200.0, 1, &[])]), [100.0, 100.0]);
        assert_eq!(divided(200, &[(150.0, 1, &[]), (200.0, 1, &[]), (40.0, 1, &[])]), [80.0, 80.0, 40.0]);
        // Flows count, not disks: five of them at 40.
        assert_eq!(divided(200, &[(150.0, 1, &[]), (200.0, 4, &[])]), [40.0, 40.0]);
        // Nobody is held back by a wide cap.
        assert_eq!(divided(500, &[(150.0, 1, &[]), (200.0, 4, &[])]), [150.0, 50.0]);
    }

    /// A neighbour that writes 30 MB/s on the OS disk keeps them; one that would write 120 has what a flow has.
    #[test]
    fn steady_rates_are_behind_the_cap_too() {
        assert_eq!(divided(200, &[(150.0, 0, &[30.0]), (200.0, 1, &[])])[1..], [170.0]);
        assert_eq!(divided(200, &[(150.0, 1, &[30.0]), (200.0, 1, &[])]), [85.0, 85.0]);
        assert_eq!(divided(180, &[(150.0, 1, &[120.0]), (200.0, 1, &[])]), [60.0, 60.0]);
    }

    /// 1 GB of credit, 100 MB/s that are 200 with it, and two disks that want 300: dry after ten seconds, and then 50 each.
    #[test]
    fn the_caps_own_credit_runs_dry() {
        let burst = BurstSpec { rate: ByteRate::mb_per_sec(200), iops: 1_000_000, credit: Bytes::new(1_000_000_000) };
        let mut cap = cap(100, Some(burst));
        let mut disks = disks(&mut cap, &[(150.0, 1, &[]), (150.0, 1, &[])]);
        cap.divide(SimTime::ZERO, &mut disks, &[1.0, 1.0]);
        assert_eq!(rates(&cap, &disks), [100.0, 100.0]);
        let dry = cap.dry_at().expect("it spends credit");
        assert!((dry.as_secs_f64() - 10.0).abs() < 1e-6, "{dry:?}");
        cap.divide(dry, &mut disks, &[1.0, 1.0]);
        assert_eq!((rates(&cap, &disks), cap.dry_at()), (vec![50.0, 50.0], None));
        // One disk of 60 leaves 40 a second in the bucket.
        let mut few = super::tests::disks(&mut cap, &[(60.0, 1, &[]), (150.0, 0, &[])]);
        cap.divide(dry, &mut few, &[1.0, 1.0]);
        cap.put_behind(0, 150e6);
        cap.divide(dry + SimSpan::from_secs(5), &mut disks, &[1.0, 1.0]);
        let again = cap.dry_at().expect("200 MB of credit");
        assert!((again.since(dry).as_secs_f64() - 5.0 - 2.0).abs() < 1e-6, "{again:?}");
    }
}

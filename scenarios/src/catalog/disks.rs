//! Managed disks by type and size, and what a machine's own caps leave of them.
//!
//! A tier has one size; other types follow the size by the vendor's formula. A disk gets no more than its machine lets through to all of
//! them ([`Limits::cap`]); that several of them share it is the model's. Volumes of claims are disks, too ([`super::storage`]). What bursts has a bucket for bandwidth and one for operations: 30 minutes of the difference
//! (Azure, EC2 instances), or a number of operations (`gp2`). The bucket that is empty first decides how long the fast rate lasts; what the others
//! would still give is left out.

use std::sync::LazyLock;

use sim_core::spec::{BurstSpec, ClaimSpec, ClassFacts, DiskSpec, RemoteSpec};
use sim_core::units::{ByteRate, Bytes};

use super::{IO_KIB, integer, number, parse, text};
use crate::raw::Node;

pub(super) const FILE: (&str, &str) = ("catalog/disks.toml", include_str!("../../catalog/disks.toml"));
const MIB: f64 = 1_048_576.0;
/// How long a full bucket lasts at the fastest rate, seconds.
const BUCKET_S: f64 = 1800.0;

/// Bandwidth and operations of a disk or a machine, with and without credit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    rate: f64,
    iops: f64,
    fast_rate: f64,
    fast_iops: f64,
    /// Bucket of operations, if it is not 30 minutes of the difference.
    io_credit: Option<f64>,
}

impl Limits {
    /// From `iops`, `mb` and the same with `burst_`.
    pub(super) fn read(node: &Node) -> Self {
        let (rate, iops) = (integer(node, "mb") as f64 * 1e6, integer(node, "iops") as f64);
        Self {
            rate,
            iops,
            fast_rate: rate.max(integer(node, "burst_mb") as f64 * 1e6),
            fast_iops: iops.max(integer(node, "burst_iops") as f64),
            io_credit: None,
        }
    }

    /// By the size of the disk.
    fn sized(node: &Node, gib: f64) -> Self {
        let most = |key: &str| Some(number(node, key)).filter(|n| *n > 0.0).unwrap_or(f64::INFINITY);
        let iops = (number(node, "iops") + number(node, "iops_per_gib") * gib).clamp(number(node, "iops_min"), most("iops_max"));
        let small = if gib <= number(node, "small_gib") { most("small_mib") } else { f64::INFINITY };
        let mib = (number(node, "mib") + number(node, "mib_per_gib") * gib).min(most("mib_max")).min(small);
        let rate = mib * MIB + number(node, "mb") * 1e6;
        let io_credit = Some(number(node, "io_credit")).filter(|n| *n > 0.0);
        Self { rate, iops, fast_rate: rate, fast_iops: iops.max(number(node, "burst_iops")), io_credit }
    }

    /// As a cap on all remote disks of a machine.
    pub(super) fn cap(&self) -> RemoteSpec {
        let all = attached("", Bytes::ZERO, Bytes::ZERO, self, None);
        RemoteSpec { rate: all.read, iops: all.iops, io_size: all.io_size, burst: all.burst }
    }

    fn at(&self, io: f64) -> f64 {
        self.rate.min(self.iops * io)
    }

    fn fast_at(&self, io: f64) -> f64 {
        self.fast_rate.min(self.fast_iops * io)
    }

    /// How long the buckets allow `rate`, seconds.
    fn lasts(&self, rate: f64, io: f64) -> f64 {
        let seconds = |bucket: f64, over: f64| if over > 0.0 { bucket / over } else { f64::INFINITY };
        let by_rate = seconds((self.fast_rate - self.rate) * BUCKET_S, rate - self.rate);
        let operations = self.io_credit.unwrap_or((self.fast_iops - self.iops) * BUCKET_S);
        by_rate.min(seconds(operations, rate / io - self.iops))
    }
}

/// A managed disk type of the catalog.
#[derive(Clone, Debug)]
pub(crate) struct DiskType {
    /// Name.
    pub(crate) name: String,
    /// Size, for a tier.
    pub(crate) tier: Option<Bytes>,
    /// Name of its family.
    family: String,
    node: Node,
}

static TYPES: LazyLock<Vec<DiskType>> = LazyLock::new(|| {
    let file = parse(FILE.0, FILE.1);
    let families = file.get("family").map_or(&[][..], Node::items);
    let kinds = |family: &Node, key: &str| family.get(key).map_or(&[][..], Node::items).to_vec();
    let of = |family: &Node, node: Node| {
        let gib = integer(&node, "gib");
        DiskType { name: text(&node, "name"), tier: (gib > 0).then(|| Bytes::gib(gib)), family: text(family, "name"), node }
    };
    let tiers = families.iter().flat_map(|f| kinds(f, "tier").into_iter().map(|node| of(f, node)));
    let sized = families.iter().flat_map(|f| kinds(f, "sized").into_iter().map(|node| of(f, node)));
    tiers.chain(sized).collect()
});

/// All types.
pub(crate) fn types() -> &'static [DiskType] {
    &TYPES
}

/// The type with a name, whatever its case.
pub(crate) fn find(name: &str) -> Option<&'static DiskType> {
    TYPES.iter().find(|t| t.name.eq_ignore_ascii_case(name))
}

/// The smallest tier of a family that holds so much, else the largest; `None` when there is no such family.
pub(crate) fn tier(family: &str, size: Bytes) -> Option<&'static DiskType> {
    let theirs = || TYPES.iter().filter(|t| t.family.eq_ignore_ascii_case(family) && t.tier.is_some());
    theirs().filter(|t| t.tier >= Some(size)).min_by_key(|t| t.tier).or_else(|| theirs().max_by_key(|t| t.tier))
}

impl DiskType {
    /// A claim of a volume of this type: what it holds is its own size, whatever its tier.
    pub(crate) fn claim(&self, size: Bytes) -> ClaimSpec {
        let volume = self.disk("", Bytes::gib(size.get().div_ceil(1 << 30)), Bytes::ZERO, None);
        ClaimSpec {
            size,
            read: volume.read,
            write: volume.write,
            iops: volume.iops,
            io_size: volume.io_size,
            shared: false,
            burst: volume.burst,
            class: ClassFacts::FREE,
        }
    }

    /// A disk of this type and size, under the caps of the machine that it is attached to.
    pub(super) fn disk(&self, name: &str, size: Bytes, used: Bytes, machine: Option<&Limits>) -> DiskSpec {
        let own = if self.tier.is_some() { Limits::read(&self.node) } else { Limits::sized(&self.node, size.as_gib()) };
        attached(name, size, used, &own, machine)
    }
}

/// What is left of a disk under a machine's caps.
fn attached(name: &str, size: Bytes, used: Bytes, own: &Limits, machine: Option<&Limits>) -> DiskSpec {
    let io = Bytes::kib(IO_KIB).as_f64();
    let limits = || std::iter::once(own).chain(machine);
    let least = |of: &dyn Fn(&Limits) -> f64| limits().map(of).fold(f64::INFINITY, f64::min);
    let (base, fast) = (least(&|l| l.at(io)), least(&|l| l.fast_at(io)));
    let credit = (fast - base) * least(&|l| l.lasts(fast, io));
    let rate = ByteRate::per_sec(least(&|l| l.rate) as u64);
    DiskSpec {
        name: name.to_owned(),
        size,
        used,
        read: rate,
        write: rate,
        iops: least(&|l| l.iops) as u64,
        io_size: Bytes::kib(IO_KIB),
        burst: (fast > base && credit.is_finite() && credit > 0.0).then(|| BurstSpec {
            rate: ByteRate::per_sec(fast as u64),
            iops: least(&|l| l.fast_iops) as u64,
            credit: Bytes::from_f64(credit),
        }),
        remote: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(name: &str, gib: u64) -> DiskSpec {
        let of = find(name).expect(name);
        of.disk(name, of.tier.unwrap_or(Bytes::gib(gib)), Bytes::ZERO, None)
    }

    /// How long a full bucket lasts, seconds, at the rate and the size of I/O of the disk.
    fn lasts(disk: &DiskSpec) -> f64 {
        let burst = disk.burst.expect("it bursts");
        let own = disk.write.as_f64().min(disk.iops as f64 * disk.io_size.as_f64());
        burst.credit.as_f64() / (burst.rate.as_f64() - own)
    }

    // Azure: credit allows 30 minutes at the maximum burst; P30 has none.
    #[test]
    fn azure_tiers_burst_for_half_an_hour() {
        let p10 = disk("P10", 0);
        assert_eq!((p10.size, p10.write, p10.iops), (Bytes::gib(128), ByteRate::mb_per_sec(100), 500));
        assert_eq!(p10.burst.map(|b| b.rate), Some(ByteRate::mb_per_sec(170)));
        assert!((lasts(&p10) - 1800.0).abs() < 1e-6);
        assert_eq!(disk("P30", 0).burst, None);
    }

    // The vendor's table of gp2: 300 operations a second at 100 GiB; at 3000 a second the bucket lasts 2000 s. Here blocks are 256 KiB, so
    // 128 MiB/s are 512 a second and it lasts 5.4 million / (512 - 300).
    #[test]
    fn gp2_spends_its_operations() {
        let gp2 = disk("gp2", 100);
        assert_eq!((gp2.iops, gp2.write), (300, ByteRate::per_sec(128 << 20)));
        assert!((lasts(&gp2) - 5.4e6 / 212.0).abs() < 1.0, "{}", lasts(&gp2));
        assert_eq!((disk("gp2", 10).iops, disk("gp2", 1000).burst, disk("gp2", 8000).iops), (100, None, 16_000));
        assert_eq!((disk("gp3", 500).iops, disk("gp3", 500).write, disk("gp3", 500).burst), (3000, ByteRate::per_sec(125 << 20), None));
    }

    // 0.28 MiB/s a GiB on top of 140: the boot disk of a GKE node, 93 GiB, does 166.
    #[test]
    fn google_disks_follow_their_size() {
        assert_eq!(disk("pd-balanced", 100).write, ByteRate::per_sec(168 << 20));
        assert_eq!(disk("pd-standard", 100_000).write, ByteRate::per_sec(400 << 20));
    }

    // The smaller of disk and machine counts, with credit and without; the bucket that is empty first decides.
    #[test]
    fn a_machine_caps_its_disks() {
        let machine = Limits { rate: 85e6, iops: 3750.0, fast_rate: 1200e6, fast_iops: 10_000.0, io_credit: None };
        let p10 = find("P10").expect("P10").disk("os", Bytes::gib(128), Bytes::ZERO, Some(&machine));
        assert_eq!((p10.write, p10.iops, p10.burst.map(|b| b.rate)), (ByteRate::mb_per_sec(85), 500, Some(ByteRate::mb_per_sec(170))));
        assert!((lasts(&p10) - 1800.0).abs() < 1e-6);
    }
}

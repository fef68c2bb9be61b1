//! Random numbers by address: each comes from a stream named by (seed, replication, purpose, entity).
//!
//! Nothing is consumed in the order of the run, so adding a node or an observer shifts nobody else's luck, and two
//! configurations can share theirs for a paired comparison (common random numbers). The generator of a
//! stream is Xoshiro256++ (Blackman and Vigna), seeded through `seed_from_u64` (`SplitMix64`) by a hash of the address
//! that is built from [`mix`]. Both algorithms are named and pinned by tests: results of a version never change
//! because a library did. Inversion draws take one number, so that luck stays common when parameters change.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::spec::Dist;
use crate::spec::probit;

/// What a random number is for. Part of the address: never renumber and never reuse a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u32)]
pub enum Purpose {
    /// Data volume of the day; entity 0.
    DataVolume = 1,
    /// Size of a partition; entity (stage, partition).
    PartitionSkew = 2,
    /// Compression ratio; entity 0.
    Compression = 3,
    /// In-memory bytes per byte; entity 0.
    ObjectExpansion = 4,
    /// Young share of the heap; entity executor.
    HeapYoungShare = 5,
    /// Allocation per byte processed; entity 0.
    Allocation = 6,
    /// Non-heap memory; entity executor.
    NonHeap = 7,
    /// CPU speed; entity node.
    CpuSpeed = 8,
    /// Disk bandwidth; entity (node, disk).
    DiskSpeed = 9,
    /// NIC bandwidth; entity node.
    NicSpeed = 10,
    /// CPU time of a task; entity (stage, partition, attempt).
    TaskCpu = 11,
    /// Time from binding to registration; entity executor.
    ExecutorStart = 12,
    /// Time from death to the driver's reaction; entity death.
    DeathDetection = 13,
    /// Memory of a neighbour; entity neighbour.
    NeighbourMemory = 14,
    /// Memory of the system's own processes; entity node.
    SystemMemory = 15,
    /// Time until a volume is torn down; entity pod.
    Teardown = 16,
    /// Age of the metrics that a decision sees; entity node.
    MetricsAge = 17,
    /// Phase of the kubelet's eviction loop; entity node.
    EvictionPhase = 18,
    /// Choice between equally scored nodes; entity pod.
    SchedulerTie = 19,
    /// Order of tasks or of offers; entity stage or round.
    TaskOrder = 20,
    /// Order of the local directories; entity executor.
    LocalDir = 21,
    /// Which task meets the heap's limit; entity executor.
    HeapVictim = 22,
    /// Which recorded row a task repeats; entity (stage, partition).
    RecordedRow = 23,
}

/// Golden ratio's fraction in 64 bits: an odd constant without pattern, so that small numbers don't meet.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// One step of the address hash: both numbers through the finaliser of `SplitMix64`. The order matters.
///
/// `mix(a, b) = f(f(a + g) XOR (b + g))` with `f` the finaliser, `g = 0x9E3779B97F4A7C15`, addition modulo 2^64.
/// For a fixed `a` different `b` never collide, and the other way round. Chain it for entities made of more
/// than two numbers: `mix(mix(stage, partition), attempt)`.
pub const fn mix(a: u64, b: u64) -> u64 {
    finalise(finalise(a.wrapping_add(GOLDEN)) ^ b.wrapping_add(GOLDEN))
}

/// The finaliser of `SplitMix64` (Stafford's variant 13 of `MurmurHash3`'s): a bijection.
const fn finalise(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The luck of one replication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Luck {
    seed: u64,
    replication: u64,
}

impl Luck {
    /// The luck of one replication under a master seed.
    pub const fn new(seed: u64, replication: u64) -> Self {
        Self { seed, replication }
    }
    /// The stream of one purpose and entity.
    pub fn stream(&self, purpose: Purpose, entity: u64) -> Stream {
        let address = mix(mix(mix(self.seed, self.replication), purpose as u64), entity);
        Stream { generator: Xoshiro256PlusPlus::seed_from_u64(address) }
    }
    /// One draw by inversion, the first of the address's stream.
    pub fn draw(&self, dist: &Dist, purpose: Purpose, entity: u64) -> f64 {
        match dist {
            Dist::Constant(value) => *value,
            _ => dist.quantile(self.stream(purpose, entity).open_unit()),
        }
    }
}

/// Random numbers of one address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
}

impl Stream {
    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }
    /// Uniform on `[0, 1)`, a multiple of 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }
    /// Uniform on `(0, 1)`, an odd multiple of 2^-53: what inversion takes, so that no draw is infinite.
    pub fn open_unit(&mut self) -> f64 {
        ((self.next_u64() >> 12) as f64 + 0.5) * 2f64.powi(-52)
    }
    /// Uniform on `0..n`, without bias (Lemire's multiplication with rejection).
    ///
    /// # Panics
    /// When `n` is zero.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "there is no number below zero");
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            let low = product as u64;
            // 2^64 mod n of the low halves belong to an incomplete round.
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 64) as u64;
            }
        }
    }
    /// Standard normal, by inversion.
    pub fn normal(&mut self) -> f64 {
        probit(self.open_unit())
    }
}

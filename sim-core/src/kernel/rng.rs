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
    /// Young share of the heap; entity 0: a trait of the workload.
    HeapYoungShare = 5,
    /// Allocation per byte processed; entity 0.
    Allocation = 6,
    /// Non-heap memory; entity 0, and executor + 1.
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
    /// Memory of a neighbour; entity (neighbour, node, count on it).
    NeighbourMemory = 14,
    /// Memory of the system's own processes; entity node.
    SystemMemory = 15,
    /// Time until a volume is torn down; entity pod.
    Teardown = 16,
    /// Age of the metrics that a decision sees; entity (node, look).
    MetricsAge = 17,
    /// Phase of the kubelet's eviction loop; entity node.
    EvictionPhase = 18,
    /// Choice between equally scored nodes; entity placement round.
    SchedulerTie = 19,
    /// Order of tasks or of offers; entity stage or round.
    TaskOrder = 20,
    /// Order of the local directories; entity executor.
    LocalDir = 21,
    /// Which task meets the heap's limit; entity executor.
    HeapVictim = 22,
    /// Which recorded row a task repeats; entity (stage, partition).
    RecordedRow = 23,
    /// Heap that a growing JVM commits per live byte; entity 0.
    HeapGrowth = 24,
    /// Time until a task starts on its executor; entity (stage, partition, attempt).
    TaskLaunch = 25,
    /// CPU time of an executor's first tasks for loading classes; entity executor.
    WarmUp = 26,
    /// Phase of the allocator's rounds; entity 0.
    AllocationPhase = 27,
    /// Time until a created pod is seen by the allocator; entity executor.
    PodAcknowledged = 28,
    /// First peer that gets a leaving executor's shuffle files; entity executor.
    MigrationPeer = 29,
    /// First node that merges a shuffle; entity shuffle.
    ShuffleMergers = 30,
    /// Phase of an executor's heartbeats; entity executor.
    Heartbeat = 40,
    /// Peer that gets a cached block of a leaving executor; entity (executor, block, try).
    CachedMigrationPeer = 41,
    /// Directory of a file of random name; entity (stage, partition, attempt, executor, file).
    FileName = 42,
    /// Time until a pod's claims are mounted; entity executor.
    ClaimAttach = 43,
    /// Speed of a claim; entity (executor, claim).
    ClaimSpeed = 44,
    /// Time until a claim has grown; entity (executor, look).
    ClaimResize = 45,
    /// The cluster autoscaler: the phase of its scans, its choice of a pool, and a node's time to start.
    Autoscaler = 46,
    /// Memory of a daemon; entity (daemon, node).
    Daemons = 47,
    /// Zone or node of a volume that is bound at once, entity (executor, claim); time until volumes are detached, entity (all, executor).
    ClaimPlace = 48,
    /// What a neighbour holds on disk; entity (neighbour, node, count on it).
    NeighbourDisk = 49,
    /// Whether a kill takes another process along; entity incidents so far.
    SecondVictim = 50,
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

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSES: [Purpose; 29] = [
        Purpose::DataVolume,
        Purpose::PartitionSkew,
        Purpose::Compression,
        Purpose::ObjectExpansion,
        Purpose::HeapYoungShare,
        Purpose::Allocation,
        Purpose::NonHeap,
        Purpose::CpuSpeed,
        Purpose::DiskSpeed,
        Purpose::NicSpeed,
        Purpose::TaskCpu,
        Purpose::ExecutorStart,
        Purpose::DeathDetection,
        Purpose::NeighbourMemory,
        Purpose::SystemMemory,
        Purpose::Teardown,
        Purpose::MetricsAge,
        Purpose::EvictionPhase,
        Purpose::SchedulerTie,
        Purpose::TaskOrder,
        Purpose::LocalDir,
        Purpose::HeapVictim,
        Purpose::RecordedRow,
        Purpose::HeapGrowth,
        Purpose::TaskLaunch,
        Purpose::WarmUp,
        Purpose::AllocationPhase,
        Purpose::PodAcknowledged,
        Purpose::MigrationPeer,
    ];

    #[test]
    fn purposes_are_numbered_from_one_in_order_for_ever() {
        let numbers: Vec<u32> = PURPOSES.iter().map(|purpose| *purpose as u32).collect();
        assert_eq!(numbers, (1..=29).collect::<Vec<_>>());
    }

    /// The expected numbers come from a program of its own, written from the published definitions of `SplitMix64` and
    /// Xoshiro256++ and from the formula in the documentation of [`mix`].
    #[test]
    fn the_hash_and_the_generator_never_change() {
        assert_eq!(mix(0, 0), 0x0397_ab29_7406_81d9);
        assert_eq!(mix(1, 2), 0x6871_c08c_be75_136c);
        assert_eq!(mix(2, 1), 0x57e7_b069_fff1_380a);
        let first = |luck: Luck, purpose, entity| -> [u64; 3] {
            let mut stream = luck.stream(purpose, entity);
            std::array::from_fn(|_| stream.next_u64())
        };
        let luck = Luck::new(1, 0);
        assert_eq!(first(luck, Purpose::DataVolume, 0), [0x9202_4501_b3a4_7936, 0x42b2_3696_d798_8df3, 0x05a3_fa5a_86d6_c9ff]);
        assert_eq!(first(luck, Purpose::PartitionSkew, 0), [0xfb9f_3c04_49ba_7505, 0xd4c3_8c63_cc99_18d2, 0x6381_dfae_494b_e7b0]);
        let attempt = mix(mix(3, 17), 1);
        assert_eq!(first(Luck::new(42, 999), Purpose::TaskCpu, attempt), [0x4d6e_1406_3b4a_fa99, 0x0796_155f_33d0_8b21, 0x8556_220c_419a_3b4c]);
        let mut stream = luck.stream(Purpose::DataVolume, 0);
        let below: Vec<u64> = (0..8).map(|_| stream.below(1000)).collect();
        assert_eq!(below, [570, 260, 22, 288, 100, 911, 593, 308]);
        assert_eq!(luck.stream(Purpose::DataVolume, 0).unit().to_bits(), 0.570_347_130_694_829_f64.to_bits());
    }

    /// Two numbers of neighbouring addresses, by a running number.
    type Pair<'a> = &'a dyn Fn(u64) -> (f64, f64);

    /// Pearson correlation of `n` pairs of uniform numbers.
    fn correlation(pairs: impl Fn(u64) -> (f64, f64), n: u64) -> f64 {
        let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in (0..n).map(&pairs) {
            let (x, y) = (x - 0.5, y - 0.5);
            (xy, xx, yy) = (xy + x * y, xx + x * x, yy + y * y);
        }
        xy / libm::sqrt(xx * yy)
    }

    #[test]
    fn neighbouring_addresses_are_uncorrelated() {
        const N: u64 = 40_000;
        let first = |seed, replication, purpose, entity| Luck::new(seed, replication).stream(purpose, entity).unit();
        let base = |k| first(1, k, Purpose::TaskCpu, 7);
        let pairs: [(&str, Pair<'_>); 6] = [
            ("entities", &|k| (first(1, 0, Purpose::TaskCpu, k), first(1, 0, Purpose::TaskCpu, k + 1))),
            ("replications", &|k| (base(k), base(k + 1))),
            ("purposes", &|k| (base(k), first(1, k, Purpose::ExecutorStart, 7))),
            ("seeds", &|k| (first(k, 0, Purpose::TaskCpu, 7), first(k + 1, 0, Purpose::TaskCpu, 7))),
            ("seed and replication swapped", &|k| (first(k, 5, Purpose::TaskCpu, 7), first(5, k, Purpose::TaskCpu, 7))),
            ("numbers of one stream", &|k| {
                let mut stream = Luck::new(1, k).stream(Purpose::TaskCpu, 7);
                (stream.unit(), stream.unit())
            }),
        ];
        for (name, pair) in pairs {
            // The standard error is 1/200; five of them.
            assert!(correlation(pair, N).abs() < 0.025, "{name}: {}", correlation(pair, N));
        }
    }

    #[test]
    fn first_numbers_of_consecutive_entities_fill_the_square_evenly() {
        const N: u64 = 100_000;
        let luck = Luck::new(9, 9);
        let mut cells = [0u32; 256];
        for entity in 0..N {
            let cell = |entity| (luck.stream(Purpose::PartitionSkew, entity).unit() * 16.0) as usize;
            cells[cell(2 * entity) * 16 + cell(2 * entity + 1)] += 1;
        }
        let expected = N as f64 / 256.0;
        let chi_square: f64 = cells.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        // 255 degrees of freedom: mean 255, standard deviation 22.6; the limits hold with probability 0.9999.
        assert!((175.0..350.0).contains(&chi_square), "chi square {chi_square}");
    }

    #[test]
    fn below_is_unbiased_also_when_the_range_does_not_divide_the_word() {
        // Taking the high half without rejection would give the smallest third of this range 2 draws in 4.
        let n = u64::MAX / 4 * 3;
        let mut stream = Luck::new(3, 0).stream(Purpose::TaskOrder, 0);
        let mut thirds = [0u32; 3];
        for _ in 0..30_000 {
            let value = stream.below(n);
            assert!(value < n);
            thirds[(value / (n / 3)).min(2) as usize] += 1;
        }
        for count in thirds {
            // The standard deviation is 82; five of them.
            assert!(count.abs_diff(10_000) < 410, "{thirds:?}");
        }
    }

    #[test]
    fn below_one_is_zero_and_every_value_of_a_small_range_comes() {
        let mut stream = Luck::new(3, 1).stream(Purpose::TaskOrder, 0);
        assert_eq!(stream.below(1), 0);
        let mut seen = [false; 7];
        for _ in 0..200 {
            seen[stream.below(7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
    }

    #[test]
    fn normal_has_the_moments_of_a_standard_normal() {
        const N: u32 = 200_000;
        let mut stream = Luck::new(4, 0).stream(Purpose::NonHeap, 1);
        let mut powers = [0.0; 4];
        for _ in 0..N {
            let x = stream.normal();
            for (power, sum) in (1..).zip(&mut powers) {
                *sum += x.powi(power) / f64::from(N);
            }
        }
        // Standard errors: sqrt(1, 2, 15, 96) / sqrt(N); five of each.
        for ((moment, expected), limit) in powers.iter().zip([0.0, 1.0, 0.0, 3.0]).zip([0.0112, 0.0158, 0.0433, 0.1096]) {
            assert!((moment - expected).abs() < limit, "{powers:?}");
        }
    }

    #[test]
    fn a_draw_is_the_quantile_of_the_first_number_and_does_not_depend_on_others() {
        let luck = Luck::new(5, 6);
        let narrow = Dist::Lognormal { median: 1.0, sigma: 0.1 };
        let wide = Dist::Lognormal { median: 1.0, sigma: 0.2 };
        for entity in 0..1000 {
            let draw = luck.draw(&narrow, Purpose::CpuSpeed, entity);
            assert_eq!(draw.to_bits(), luck.draw(&narrow, Purpose::CpuSpeed, entity).to_bits());
            // Luck is common: a wider spread moves each draw away from the median and never across it.
            let wider = luck.draw(&wide, Purpose::CpuSpeed, entity);
            assert!((wider / (draw * draw) - 1.0).abs() < 1e-12);
        }
        assert!((luck.draw(&Dist::Constant(7.0), Purpose::CpuSpeed, 0) - 7.0).abs() < f64::EPSILON);
    }
}

//! Which part of its stage each task is.
//!
//! Without adaptive execution a task is one partition. With it a stage that reads shuffles is planned anew from their sizes: small
//! neighbours become one task; in a join, a partition that is much larger than the median is split by maps, and the other
//! side's partition is read again for each piece ([`crate::spark::adaptive`]). Sizes follow from the day's volume and the stage's partition
//! shares, which are known before it runs, so its plan is made once a replication. Assumptions: in a join the largest shuffle is the
//! skewed one and the others are even; a reader by map has an even part of all partitions. Source: 2.8.

use crate::spark::adaptive::{Range, believed_size, coalesce, skew_target, skew_threshold, split, target_size};
use crate::spec::{AdaptiveConf, AdaptiveRead, CoalesceConf, SkewJoinConf};

/// One task's part of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    /// First partition that it reads.
    pub(crate) first: u32,
    /// One past the last.
    pub(crate) end: u32,
    /// Share of the stage that these partitions are.
    pub(crate) share: f64,
    /// How much of them it takes in: 1, or less for a piece of one.
    pub(crate) read: f64,
    /// How much of their rows it gives out.
    pub(crate) write: f64,
}

/// A shuffle that the stage reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Side {
    /// Bytes in all, as written.
    pub(super) bytes: f64,
    /// Map outputs.
    pub(super) maps: u32,
}

/// A piece of a skewed partition, or neighbours that are not.
enum Spec {
    Whole(Range),
    Piece { partition: u32, share: f64 },
}

/// The tasks of a stage whose partitions have these `shares` of its `sides`.
pub(super) fn plan(shares: &[f64], sides: &[Side], conf: &AdaptiveConf, role: AdaptiveRead) -> Vec<Part> {
    let sizes = Sizes::new(shares, sides, conf);
    if role == AdaptiveRead::Local {
        return sizes.by_map(conf);
    }
    let pieces = match (role, conf.skew_join) {
        (AdaptiveRead::Join, Some(skew)) if sides.len() > 1 => sizes.pieces(conf, skew),
        _ => Vec::new(),
    };
    let whole = match conf.coalesce {
        Some(settings) => sizes.coalesced(conf, settings, &pieces),
        None => (0..shares.len() as u32).filter(|p| pieces.iter().all(|(q, _)| q != p)).map(|p| Range { first: p, end: p + 1 }).collect(),
    };
    let mut specs: Vec<Spec> = whole.into_iter().map(Spec::Whole).collect();
    for (partition, parts) in &pieces {
        specs.extend(parts.iter().map(|&share| Spec::Piece { partition: *partition, share }));
    }
    specs.sort_by_key(|spec| match spec {
        Spec::Whole(range) => range.first,
        Spec::Piece { partition, .. } => *partition,
    });
    specs.iter().map(|spec| sizes.part(shares, spec)).collect()
}

/// Bytes of each partition.
struct Sizes {
    /// Of the largest shuffle, as the driver believes.
    streamed: Vec<u64>,
    /// Of all shuffles, as the driver believes.
    all: Vec<u64>,
    /// What the other shuffles are of each partition, 0 to 1.
    beside: Vec<f64>,
    maps: u32,
}

impl Sizes {
    fn new(shares: &[f64], sides: &[Side], conf: &AdaptiveConf) -> Self {
        let n = shares.len();
        let total: f64 = sides.iter().map(|side| side.bytes).sum();
        let largest = sides.iter().copied().reduce(|a, b| if b.bytes > a.bytes { b } else { a }).unwrap_or(Side { bytes: 0.0, maps: 1 });
        let others = (total - largest.bytes).max(0.0) / n as f64;
        let other_maps = (sides.iter().map(|side| side.maps).sum::<u32>() - largest.maps).max(1);
        let believe = |bytes: f64, maps: u32, mean: f64| believed_size(bytes as u64, maps, n, mean as u64, conf.accurate_block);
        let (mut streamed, mut all, mut beside) = (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
        for &share in shares {
            let size = share * total;
            let other = others.min(size);
            let stream = believe(size - other, largest.maps, largest.bytes / n as f64);
            streamed.push(stream);
            all.push(stream + if other > 0.0 { believe(other, other_maps, others) } else { 0 });
            beside.push(if size > 0.0 { other / size } else { 0.0 });
        }
        Self { streamed, all, beside, maps: largest.maps.max(1) }
    }

    /// Skewed partitions with the shares of their pieces.
    fn pieces(&self, conf: &AdaptiveConf, skew: SkewJoinConf) -> Vec<(u32, Vec<f64>)> {
        let above = skew_threshold(&self.streamed, skew.factor, skew.threshold.get());
        let target = skew_target(&self.streamed, above, conf.advisory.get());
        let skewed = self.streamed.iter().enumerate().filter(|(_, size)| **size > above);
        let split_one = |(partition, &size): (usize, &u64)| {
            let starts = split(&vec![size / u64::from(self.maps); self.maps as usize], target);
            let ends = starts.iter().skip(1).copied().chain([self.maps]);
            let shares: Vec<f64> = starts.iter().zip(ends).map(|(&start, end)| f64::from(end - start) / f64::from(self.maps)).collect();
            (shares.len() > 1).then_some((partition as u32, shares))
        };
        skewed.filter_map(split_one).collect()
    }

    /// Whole partitions, coalesced between the ones that are split.
    fn coalesced(&self, conf: &AdaptiveConf, settings: CoalesceConf, pieces: &[(u32, Vec<f64>)]) -> Vec<Range> {
        let smallest = settings.smallest.get();
        let target = target_size(self.all.iter().sum(), conf.advisory.get(), settings.least_tasks, smallest);
        if pieces.is_empty() {
            return coalesce(&self.all, target, smallest, false);
        }
        let mut made = Vec::new();
        let mut from = 0;
        for end in pieces.iter().map(|(partition, _)| *partition).chain([self.all.len() as u32]) {
            let section = coalesce(&self.all[from as usize..end as usize], target, smallest, true);
            made.extend(section.iter().map(|range| Range { first: range.first + from, end: range.end + from }));
            from = end + 1;
        }
        made
    }

    /// As many tasks as coalescing would leave, each with a part of the maps, which have a part of every partition.
    fn by_map(&self, conf: &AdaptiveConf) -> Vec<Part> {
        let tasks = conf.coalesce.map_or(self.all.len(), |settings| self.coalesced(conf, settings, &[]).len()).max(1);
        let even = 1.0 / tasks as f64;
        vec![Part { first: 0, end: self.all.len() as u32, share: 1.0, read: even, write: even }; tasks]
    }

    fn part(&self, shares: &[f64], spec: &Spec) -> Part {
        match *spec {
            Spec::Whole(Range { first, end }) => Part { first, end, share: shares[first as usize..end as usize].iter().sum(), read: 1.0, write: 1.0 },
            Spec::Piece { partition, share } => {
                let beside = self.beside[partition as usize];
                Part { first: partition, end: partition + 1, share: shares[partition as usize], read: share * (1.0 - beside) + beside, write: share }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    const MIB: f64 = (1 << 20) as f64;

    fn conf(least_tasks: u32) -> AdaptiveConf {
        AdaptiveConf {
            advisory: Bytes::mib(64),
            coalesce: Some(CoalesceConf { smallest: Bytes::mib(1), least_tasks }),
            skew_join: Some(SkewJoinConf { factor: 5.0, threshold: Bytes::mib(256) }),
            accurate_block: Bytes::mib(100),
        }
    }
    fn sum(parts: &[Part], of: impl Fn(&Part) -> f64) -> f64 {
        parts.iter().map(of).sum()
    }

    /// 200 partitions of 1 MiB, believed to be up to a tenth larger: some 60 fit into 64 MiB, unless more slots want work.
    #[test]
    fn small_partitions_are_coalesced_to_the_advisory_size_or_to_the_slots() {
        let shares = vec![1.0 / 200.0; 200];
        let side = [Side { bytes: 200.0 * MIB, maps: 10 }];
        let parts = plan(&shares, &side, &conf(1), AdaptiveRead::Coalesced);
        assert!((3..=4).contains(&parts.len()), "{}", parts.len());
        let parts = plan(&shares, &side, &conf(16), AdaptiveRead::Coalesced);
        assert!((16..=17).contains(&parts.len()), "{}", parts.len());
        assert_eq!((parts[0].first, parts.last().unwrap().end), (0, 200));
        assert!((sum(&parts, |p| p.share) - 1.0).abs() < 1e-9);
    }

    /// One partition of 2 GiB among 99 of 10 MiB, joined with an even table: its pieces read the table's partition again.
    #[test]
    fn a_skewed_partition_is_split_and_its_rows_come_out_once() {
        let fact = [vec![2048.0], vec![10.0; 99]].concat();
        let (fact_total, dimension_total) = (fact.iter().sum::<f64>() * MIB, 100.0 * MIB);
        let total = fact_total + dimension_total;
        let shares: Vec<f64> = fact.iter().map(|size| (size * MIB + MIB) / total).collect();
        let sides = [Side { bytes: fact_total, maps: 64 }, Side { bytes: dimension_total, maps: 4 }];
        let parts = plan(&shares, &sides, &conf(1), AdaptiveRead::Join);
        let pieces: Vec<&Part> = parts.iter().filter(|p| p.first == 0).collect();
        assert!((30..=64).contains(&pieces.len()), "2 GiB in pieces of 64 MiB, by maps: {}", pieces.len());
        assert!((pieces.iter().map(|p| p.write).sum::<f64>() - 1.0).abs() < 1e-9);
        let read: f64 = pieces.iter().map(|p| p.read * p.share * total).sum();
        let expected = (2048.0 + pieces.len() as f64) * MIB;
        assert!((read / expected - 1.0).abs() < 1e-6, "the dimension's partition once a piece: {read} for {expected}");
        assert_eq!(plan(&shares, &sides, &conf(1), AdaptiveRead::Coalesced).iter().filter(|p| p.first == 0).count(), 1);
    }

    /// A hot key does not matter to a reader by map: all tasks are alike, as many as coalescing leaves.
    #[test]
    fn readers_by_map_are_even() {
        let shares = [vec![0.5], vec![0.5 / 199.0; 199]].concat();
        let side = [Side { bytes: 2048.0 * MIB, maps: 32 }];
        let parts = plan(&shares, &side, &conf(1), AdaptiveRead::Local);
        assert_eq!(parts.len(), plan(&shares, &side, &conf(1), AdaptiveRead::Coalesced).len());
        assert!(parts.iter().all(|part| part == &parts[0]) && (sum(&parts, |p| p.share * p.read) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_map_cannot_be_split() {
        let shares = [0.9, 0.05, 0.05];
        let sides = [Side { bytes: 4096.0 * MIB, maps: 1 }, Side { bytes: 1.0, maps: 1 }];
        assert_eq!(plan(&shares, &sides, &conf(1), AdaptiveRead::Join).len(), 3);
    }
}

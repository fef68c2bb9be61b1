//! In which order task sets are offered slots: FIFO by job and stage, or FAIR by pools.
//!
//! FAIR gives the slots of one offer to the pool that is furthest below its share: first pools below their minimum share, by how
//! much of it they have, then by running tasks for each unit of weight; ties by name. Within a pool the order is FIFO unless the
//! pool says FAIR. The order is made once an offer, so one offer of many slots goes to one pool, as in Spark. Source: Spark's
//! `FIFOSchedulingAlgorithm`, `FairSchedulingAlgorithm`, `Pool`.

use std::cmp::Ordering;

use super::Driver;
use crate::ids::StageId;
use crate::plan::SimPlan;
use crate::spec::{PoolConf, SchedulingMode};

/// The pool of jobs that name none.
const DEFAULT_POOL: &str = "default";

/// A pool with tasks.
#[derive(Debug)]
pub(crate) struct Pool {
    conf: PoolConf,
    /// Attempts that the driver believes to run, those of zombies too.
    pub(crate) running: u32,
}

/// The pools of an application, and the pool of each job; none under FIFO.
pub(super) fn pools(plan: &SimPlan) -> (Vec<Pool>, Vec<u16>) {
    let conf = &plan.spec().spark.scheduler;
    if conf.mode == SchedulingMode::Fifo {
        return (Vec::new(), Vec::new());
    }
    let mut pools: Vec<Pool> = conf.pools.iter().map(|pool| Pool { conf: pool.clone(), running: 0 }).collect();
    let mut of_jobs = Vec::new();
    for job in &plan.spec().app.jobs {
        let name = job.pool.as_deref().unwrap_or(DEFAULT_POOL);
        let at = pools.iter().position(|pool| pool.conf.name == name).unwrap_or_else(|| {
            pools.push(Pool { conf: PoolConf::plain(name), running: 0 });
            pools.len() - 1
        });
        of_jobs.push(at as u16);
    }
    (pools, of_jobs)
}

/// What FAIR compares.
#[derive(Clone, Copy, Debug)]
struct Share {
    running: u32,
    minimum: u32,
    weight: u32,
}

fn fair(a: Share, b: Share) -> Ordering {
    let needy = |share: Share| share.running < share.minimum;
    let of_minimum = |share: Share| f64::from(share.running) / f64::from(share.minimum.max(1));
    let of_weight = |share: Share| f64::from(share.running) / f64::from(share.weight.max(1));
    match (needy(a), needy(b)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (true, true) => of_minimum(a).total_cmp(&of_minimum(b)),
        (false, false) => of_weight(a).total_cmp(&of_weight(b)),
    }
}

impl Driver {
    /// The running task sets in the order of offers.
    pub(super) fn fair_order(&self) -> Vec<StageId> {
        let mut order = self.queue.clone();
        if self.pools.is_empty() {
            return order;
        }
        let share = |pool: &Pool| Share { running: pool.running, minimum: pool.conf.min_share, weight: pool.conf.weight };
        // The queue is in FIFO order and sorting is stable.
        order.sort_by(|&a, &b| {
            let (first, second) = (&self.stages[a], &self.stages[b]);
            if first.pool == second.pool {
                let set = |stage: StageId| Share { running: self.stages[stage].set.running(), minimum: 0, weight: 1 };
                return match self.pools[first.pool as usize].conf.mode {
                    SchedulingMode::Fifo => Ordering::Equal,
                    SchedulingMode::Fair => fair(set(a), set(b)),
                };
            }
            let (mine, other) = (&self.pools[first.pool as usize], &self.pools[second.pool as usize]);
            fair(share(mine), share(other)).then_with(|| mine.conf.name.cmp(&other.conf.name))
        });
        order
    }

    /// An attempt was launched in a pool, or has ended there.
    pub(super) fn count_in_pool(&mut self, pool: u16, launched: bool) {
        if let Some(pool) = self.pools.get_mut(pool as usize) {
            pool.running = if launched { pool.running + 1 } else { pool.running - 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documentation's rule, by hand: minimum shares first, then weights.
    #[test]
    fn minimum_shares_come_before_weights() {
        let share = |running, minimum, weight| Share { running, minimum, weight };
        assert_eq!(fair(share(1, 2, 1), share(0, 0, 100)), Ordering::Less, "one below its minimum, the other without");
        assert_eq!(fair(share(3, 4, 1), share(1, 2, 1)), Ordering::Greater, "3/4 of the minimum against 1/2");
        assert_eq!(fair(share(4, 2, 2), share(3, 2, 1)), Ordering::Less, "both have it: 4/2 against 3/1");
        assert_eq!(fair(share(2, 0, 2), share(1, 0, 1)), Ordering::Equal);
    }

    /// A run of Spark 3.5.6 on one executor of four slots: pools a (weight 3) and b (weight 1), twelve tasks of three seconds each, b
    /// submitted 0.7 s later. In order of time, from its event log: whose task was launched, and whose task had ended before each
    /// launch from the fifth on.
    #[test]
    fn real_spark_gave_every_free_slot_to_the_pool_that_the_rule_names() {
        let (launched, ended) = ("aaaabaaaaaabaabbbbbbbbbb", "aaaaaaabaaabaabbbbbb");
        let (mut running, mut waiting) = ([0_u32; 2], [12_u32; 2]);
        let at = |pool: char| usize::from(pool == 'b');
        for (index, pool) in launched.chars().enumerate() {
            if let Some(end) = index.checked_sub(4).and_then(|before| ended.chars().nth(before)) {
                running[at(end)] -= 1;
            }
            let share = |pool: usize| Share { running: running[pool], minimum: 0, weight: [3, 1][pool] };
            let submitted = |pool: usize| waiting[pool] > 0 && (pool == 0 || index >= 4);
            let first = (0..2).filter(|&pool| submitted(pool)).min_by(|&a, &b| fair(share(a), share(b)).then(a.cmp(&b)));
            assert_eq!(first, Some(at(pool)), "launch {index}");
            running[at(pool)] += 1;
            waiting[at(pool)] -= 1;
        }
    }
}

//! Laws that nothing changes.

use sim_core::record::{Ending, Outcome};
use sim_core::spec::{Dist, Spec, Taint, TaintEffect};
use sim_core::units::Bytes;
use tests::{random_world, world};

use super::{p_oom, runs};

/// Node and pool names are names: no draw and no decision depends on them (ties are broken by index or luck).
#[test]
fn renaming_nodes_and_pools_changes_nothing() {
    for number in 0..60 {
        let spec = random_world::case(number);
        let mut renamed = spec.clone();
        for (index, pool) in renamed.cluster.pools.iter_mut().enumerate() {
            pool.name = format!("zz-{}", 9 - index);
            pool.shape.vm = "other".into();
        }
        assert_eq!(runs(&spec, 3, 2), runs(&renamed, 3, 2), "case {number}");
    }
}

/// What an outcome says about the job, without the count of events (another node has looks of its own) and the fullest node before the shuffle, which may be
/// that of other pods.
fn story(outcome: &Outcome) -> Outcome {
    Outcome { events: 0, event_hash: 0, node_before_shuffle: Bytes::ZERO, ..outcome.clone() }
}

/// A node that nobody tolerates is out of the game: placement, luck and devices of the others are as before.
#[test]
fn an_idle_tainted_node_changes_no_outcome() {
    for memory in [4700, 5000] {
        let spec = world::troubled(Bytes::mib(memory));
        let mut more = spec.clone();
        let mut idle = more.cluster.pools[0].clone();
        idle.name = "reserved".into();
        idle.taints = vec![Taint { key: "dedicated".into(), value: String::new(), effect: TaintEffect::NoSchedule }];
        more.cluster.pools.push(idle);
        for (before, after) in runs(&spec, 4, 40).iter().zip(&runs(&more, 4, 40)) {
            assert_eq!(story(before), story(after));
        }
    }
}

/// Packed executors live on one node; how many others there are is nothing to them. Which of the alike nodes it is may
/// change, so nodes are made alike in luck too.
fn packed_on_alike_nodes(count: u32) -> Spec {
    let mut spec = world::troubled(Bytes::mib(5000));
    spec.cluster.pools[0].count = count;
    spec.cluster.neighbours[0].memory.anon = Dist::Constant(Bytes::mib(1750).as_f64());
    let one = Dist::Constant(1.0);
    let u = &mut spec.uncertainty;
    (u.cpu_speed, u.disk_speed, u.nic_speed) = (one.clone(), one.clone(), one);
    spec
}

#[test]
fn more_nodes_do_not_change_a_packed_run() {
    let few = runs(&packed_on_alike_nodes(2), 5, 60);
    for count in [3, 7] {
        let many = runs(&packed_on_alike_nodes(count), 5, 60);
        for (before, after) in few.iter().zip(&many) {
            let summary = |o: &Outcome| (o.ending, o.duration, o.executors_lost, o.node_peak, o.scratch_peak, o.stages.clone());
            assert_eq!(summary(before), summary(after), "replication {} on {count} nodes", before.replication);
        }
    }
    assert!(few.iter().any(Outcome::oom) && few.iter().any(|o| o.ending == Ending::Succeeded), "both ends must occur");
}

/// Another seed is another sample of the same world: other runs, the same probability within the intervals of both.
#[test]
fn another_seed_gives_other_runs_and_the_same_probability() {
    let spec = world::troubled(Bytes::mib(5000));
    let (one, two) = (runs(&spec, 100, 300), runs(&spec, 200, 300));
    let alike = one.iter().zip(&two).filter(|(a, b)| a.event_hash == b.event_hash).count();
    assert_eq!(alike, 0);
    let (p, q) = (p_oom(&one), p_oom(&two));
    assert!(p.low <= q.estimate && q.estimate <= p.high && q.low <= p.estimate && p.estimate <= q.high, "{p:?} and {q:?}");
    assert!(p.estimate > 0.1 && p.estimate < 0.9, "a law about certainty is none: {p:?}");
}

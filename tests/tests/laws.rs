//! Metamorphic laws: how the outcome must change, or must not, when one thing about the world changes.
//!
//! Both worlds share their luck: the same seed and replication number give the same day, the same neighbours, the same
//! tasks. Where a law holds run by run it is asserted run by run; where chaos in a single run may break it (a task that goes
//! elsewhere changes all that follows) it is asserted on estimates over a hundred replications.

mod laws {
    mod adaptive;
    mod failures;
    mod memory;
    mod places;
    mod probability;
    mod push_based;
    mod remote_shuffle;
    mod same;
    mod schedule;
    mod time;
    mod volumes;
    mod yarn;

    use sim_core::plan::SimPlan;
    use sim_core::record::Outcome;
    use sim_core::sim::{RunKey, Simulator};
    use sim_core::spec::Spec;
    use sim_core::study::Estimate;

    /// Replications of a spec, in order; the books are checked after every event.
    fn runs(spec: &Spec, seed: u64, replications: u64) -> Vec<Outcome> {
        let plan = SimPlan::compile(spec).expect("the spec compiles");
        let mut simulator = Simulator::new(&plan);
        (0..replications).map(|replication| simulator.run(RunKey { seed, replication })).collect()
    }

    /// The share of runs for which a test holds, with its 95 % interval.
    fn share(outcomes: &[Outcome], test: impl Fn(&Outcome) -> bool) -> Estimate {
        Estimate::proportion(outcomes.iter().filter(|o| test(o)).count() as u64, outcomes.len() as u64, 0.95)
    }

    fn p_oom(outcomes: &[Outcome]) -> Estimate {
        share(outcomes, Outcome::oom)
    }

    /// Asserts that a probability does not rise along a series of worlds beyond the interval of the one before, and that the
    /// series is worth looking at: it begins high and ends low.
    fn falls(name: &str, series: &[(String, Estimate)]) {
        for pair in series.windows(2) {
            let ((before, p), (after, q)) = (&pair[0], &pair[1]);
            assert!(q.estimate <= p.high, "{name}: {} at {before}, but {} at {after}; {series:?}", p.estimate, q.estimate);
        }
        let (first, last) = (&series[0].1, &series[series.len() - 1].1);
        assert!(first.low > last.high, "{name}: nothing changes: {series:?}");
    }
}

//! Max-min fairness by water filling: up to which rate everybody gets what he asks for.
//!
//! Claimants with a ceiling each share a capacity. All rates rise together; who has reached his ceiling stays there, and the others
//! share what is left, until nothing is. The rate at which it ends is the *level*: everybody gets the lesser of the level and his
//! ceiling. Equal claimants are one entry with their number as weight. Source: progressive filling as in Bertsekas and Gallager, *Data
//! Networks*, 6.5.2.

/// Claimants with a common ceiling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Claimants {
    /// The most that one of them takes, in units of the capacity; infinite for one that takes all it gets.
    pub(crate) ceiling: f64,
    /// How many they are.
    pub(crate) count: f64,
}

/// The level to which `capacity` fills, in its units; infinite when everybody gets his ceiling. Sorts the claimants by ceiling.
pub(crate) fn level(capacity: f64, claimants: &mut [Claimants]) -> f64 {
    claimants.sort_by(|a, b| a.ceiling.total_cmp(&b.ceiling));
    let mut left = capacity;
    let mut count: f64 = claimants.iter().map(|c| c.count).sum();
    for one in claimants.iter().filter(|c| c.count > 0.0) {
        if one.ceiling * count > left {
            return left / count;
        }
        left -= one.ceiling * one.count;
        count -= one.count;
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(capacity: f64, claimants: &[(f64, f64)]) -> f64 {
        let mut claimants: Vec<Claimants> = claimants.iter().map(|&(ceiling, count)| Claimants { ceiling, count }).collect();
        level(capacity, &mut claimants)
    }

    /// By hand. Ten units for 2, 2.6, 4 and 5: 2.5 each; the first leaves 0.5, so the others get 2.67 each; the second leaves
    /// 0.07 of it, and the last two have 2.7 each.
    #[test]
    fn the_example_of_the_textbooks() {
        assert!((filled(10.0, &[(5.0, 1.0), (2.0, 1.0), (4.0, 1.0), (2.6, 1.0)]) - 2.7).abs() < 1e-12);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "all numbers are exact in binary")]
    fn equal_claimants_count_as_many() {
        assert_eq!(filled(150.0, &[(f64::INFINITY, 3.0)]), 50.0);
        // 30 leave 120 for two: 60.
        assert_eq!(filled(150.0, &[(30.0, 1.0), (100.0, 1.0), (f64::INFINITY, 1.0)]), 60.0);
        assert_eq!(filled(150.0, &[(30.0, 1.0), (100.0, 1.0)]), f64::INFINITY);
        assert_eq!(filled(0.0, &[(30.0, 1.0)]), 0.0);
        assert_eq!(filled(7.0, &[(f64::INFINITY, 0.0)]), f64::INFINITY);
    }

    proptest! {
        /// What is given away is all there is, or all that is asked for.
        #[test]
        fn nothing_is_lost(
            capacity in 0.0..100.0f64,
            claimants in prop::collection::vec((0.1..50.0f64, 1..5u32), 1..8),
        ) {
            let claimants: Vec<(f64, f64)> = claimants.into_iter().map(|(ceiling, count)| (ceiling, f64::from(count))).collect();
            let level = filled(capacity, &claimants);
            let given: f64 = claimants.iter().map(|&(ceiling, count)| count * ceiling.min(level)).sum();
            let asked: f64 = claimants.iter().map(|&(ceiling, count)| count * ceiling).sum();
            prop_assert!((given - capacity.min(asked)).abs() < 1e-9, "{given} of {capacity}, {asked} asked for");
        }
    }
}

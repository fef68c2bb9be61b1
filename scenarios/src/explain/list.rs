//! Several keys at once: those that a scenario sets, those that match a pattern, all.

use super::{Explanation, NEWEST, described, explain};
use crate::layer::all_paths;
use crate::raw::Origin;
use crate::scenario::Scenario;
use crate::spark_conf::known_names;

/// What somebody wrote in the scenario, its files or on the command line, in the order of the scenario's settings.
pub fn explain_set(scenario: &Scenario) -> Vec<Explanation> {
    let written = scenario.settings.iter().filter(|setting| !matches!(setting.origin, Origin::Default(_) | Origin::Derived(_)));
    written.filter_map(|setting| explain(&setting.key, Some(scenario)).ok()).collect()
}

/// All keys of Spark that are known, in order of the names; with values if there is a scenario.
pub fn explain_all(scenario: Option<&Scenario>) -> Vec<Explanation> {
    let names = known_names().filter(|name| described(name, NEWEST).is_some());
    explained(names.map(str::to_owned).collect(), scenario)
}

/// The keys that match a glob (`spark.dynamicAllocation.*`) or lie under a prefix (`spark.dynamicAllocation`): Spark's, the
/// scenario's paths, and what the scenario sets. Empty if there are none.
pub fn explain_matching(pattern: &str, scenario: Option<&Scenario>) -> Vec<Explanation> {
    let pattern = pattern.trim();
    let glob = if is_glob(pattern) { pattern.to_owned() } else { format!("{}.*", pattern.trim_end_matches('.')) };
    let set = scenario.map_or(&[][..], |scenario| &scenario.settings).iter().map(|setting| setting.key.clone());
    let names = known_names().map(str::to_owned).chain(all_paths()).chain(set);
    explained(names.filter(|name| matches(glob.as_bytes(), name.as_bytes())).collect(), scenario)
}

/// Whether a text is a glob.
fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn explained(mut names: Vec<String>, scenario: Option<&Scenario>) -> Vec<Explanation> {
    names.sort_unstable();
    names.dedup();
    names.iter().filter_map(|name| explain(name, scenario).ok()).collect()
}

/// Whether a name matches a glob: `*` stands for any text, `?` for one character.
fn matches(glob: &[u8], name: &[u8]) -> bool {
    match glob.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        Some((b'?', rest)) => name.split_first().is_some_and(|(_, name)| matches(rest, name)),
        Some((first, rest)) => name.split_first().is_some_and(|(one, name)| one == first && matches(rest, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, name, wanted) in [
            ("spark.a.*", "spark.a.b.c", true),
            ("spark.a.*", "spark.a", false),
            ("*memory*", "spark.executor.memoryOverhead", true),
            ("spark.?", "spark.a", true),
            ("spark.?", "spark.ab", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(glob.as_bytes(), name.as_bytes()), wanted, "{glob} {name}");
        }
    }

    #[test]
    fn a_prefix_is_a_branch_and_a_glob_what_it_says() {
        let under: Vec<String> = explain_matching("spark.dynamicAllocation", None).into_iter().map(|found| found.key).collect();
        assert!(under.contains(&"spark.dynamicAllocation.maxExecutors".to_owned()) && under.iter().all(|key| key.starts_with("spark.dynamicAllocation.")));
        assert_eq!(under, explain_matching("spark.dynamicAllocation.*", None).into_iter().map(|found| found.key).collect::<Vec<_>>());
        assert!(explain_matching("cluster.kubelet", None).iter().any(|found| found.key == "cluster.kubelet.eviction_period"));
        assert!(explain_matching("spark.nothing", None).is_empty());
    }

    #[test]
    fn every_known_key_is_explained() {
        let all = explain_all(None);
        assert!(all.len() > 1700, "{}", all.len());
        for found in &all {
            assert!(!found.meaning.is_empty() && (found.renamed_to.is_some() || found.source.len() > 1), "{found:?}");
        }
    }
}

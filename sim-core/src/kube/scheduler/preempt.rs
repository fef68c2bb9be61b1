//! The `DefaultPreemption` plugin: whom a pod of higher priority drives out.
//!
//! On each node whose refusal can be resolved by deleting pods, all pods of lower priority are taken away; if the pod then passes, as many
//! as possible are put back, the most important first: higher priority, then older. What is left are the victims. Among the nodes the one whose most important
//! victim has the lowest priority is taken, then the smallest sum of priorities, then the fewest victims, then the youngest of the
//! most important ones, then luck. Scores play no part. Left out: disruption budgets, and the limit of candidates in clusters of more than
//! 100 nodes. Source: 5.6; `preemption` and `defaultpreemption` of Kubernetes 1.30.

use std::cmp::Reverse;

use super::{NodeView, Options, PodView, Reason, first_fit};

/// Who has to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preemption {
    /// Node that the pod is going to get.
    pub node: usize,
    /// Victims, by their place in the node's pods.
    pub victims: Vec<usize>,
}

/// The node and the victims that make room for a pod that was refused for `reasons`; none when that cannot help.
pub fn preempt(
    pod: &PodView<'_>,
    nodes: &[NodeView<'_>],
    options: &Options<'_>,
    reasons: &[(usize, Reason)],
    luck: &mut dyn FnMut(u64) -> u64,
) -> Option<Preemption> {
    let hopeless = |node: usize| reasons.iter().any(|(other, reason)| *other == node && !reason.may_be_resolved());
    let candidates = (0..nodes.len()).filter(|&node| !hopeless(node)).filter_map(|node| victims_on(pod, nodes, options, node));
    candidates.min_by_key(|candidate| {
        let victims = || candidate.victims.iter().map(|&index| &nodes[candidate.node].pods[index]);
        let highest = victims().map(|victim| victim.priority).max();
        let sum: i64 = victims().map(|victim| i64::from(victim.priority) - i64::from(i32::MIN)).sum();
        let oldest = victims().filter(|victim| Some(victim.priority) == highest).map(|victim| victim.started).min();
        (highest, sum, candidate.victims.len(), Reverse(oldest), luck(nodes[candidate.node].identity))
    })
}

/// The smallest set of victims on a node.
fn victims_on(pod: &PodView<'_>, nodes: &[NodeView<'_>], options: &Options<'_>, node: usize) -> Option<Preemption> {
    let mut lower: Vec<usize> = (0..nodes[node].pods.len()).filter(|&index| nodes[node].pods[index].priority < pod.priority).collect();
    if lower.is_empty() || !fits_without(pod, nodes, options, node, &lower) {
        return None;
    }
    lower.sort_by_key(|&index| (Reverse(nodes[node].pods[index].priority), nodes[node].pods[index].started));
    let mut victims = lower.clone();
    for index in lower {
        let fewer: Vec<usize> = victims.iter().copied().filter(|&victim| victim != index).collect();
        if fits_without(pod, nodes, options, node, &fewer) {
            victims = fewer;
        }
    }
    // It would fit as it is: something else refused it.
    (!victims.is_empty()).then_some(Preemption { node, victims })
}

fn fits_without(pod: &PodView<'_>, nodes: &[NodeView<'_>], options: &Options<'_>, node: usize, gone: &[usize]) -> bool {
    let mut nodes = nodes.to_vec();
    let mut index = 0;
    nodes[node].pods.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
    first_fit(pod, &nodes, options, node..node + 1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::scheduler::fixture::{Node, Pod, executors_here, node, pod};
    use crate::kube::scheduler::schedule;
    use crate::spec::KubeSchedulerSpec;

    /// 4000m and 4000 MiB.
    fn small(name: &str, pods: Vec<Pod>) -> Node {
        Node { cpu: 4000, mib: 4000, ..node(name, pods) }
    }

    fn with(cpu: u64, priority: i32, started_s: u64) -> Pod {
        Pod { priority, started_s, ..pod(cpu, 100) }
    }

    fn decide(incoming: &Pod, nodes: &[Node]) -> Option<(usize, Vec<usize>)> {
        let views: Vec<NodeView<'_>> = nodes.iter().map(Node::view).collect();
        let settings = KubeSchedulerSpec::default();
        let options = Options { settings: &settings, start: 0, explain: false, without: None };
        let decision = schedule(&incoming.view(), &views, &options, &mut |identity| identity);
        assert_eq!(decision.node, None);
        let preemption = preempt(&incoming.view(), &views, &options, &decision.reasons, &mut |identity| identity)?;
        let mut victims = preemption.victims;
        victims.sort_unstable();
        Some((preemption.node, victims))
    }

    #[test]
    fn victims_on_one_node_by_hand() {
        let table = [
            // 4000m full of 0s; 2000m wanted by 10: all can go, the older ones are put back first: 0 and 1 stay, 2 and 3 go.
            (vec![with(1000, 0, 1), with(1000, 0, 2), with(1000, 0, 3), with(1000, 0, 4)], with(2000, 10, 9), Some(vec![2, 3])),
            // Higher priority is put back before older: 5 stays, one of the 0s stays with it.
            (vec![with(1000, 0, 1), with(1000, 0, 2), with(2000, 5, 3)], with(1000, 10, 9), Some(vec![1])),
            // One big one: putting it back leaves no room, the small one is put back.
            (vec![with(3000, 0, 1), with(1000, 0, 2)], with(2000, 10, 9), Some(vec![0])),
            // Equal priority is never a victim.
            (vec![with(4000, 10, 1)], with(1000, 10, 9), None),
            // The others' share is too large even then.
            (vec![with(3000, 20, 1), with(1000, 0, 2)], with(2000, 10, 9), None),
            // Nobody below.
            (vec![with(4000, 0, 1)], with(1000, 0, 9), None),
            // It would never fit.
            (vec![with(1000, 0, 1)], with(5000, 10, 9), None),
        ];
        for (number, (pods, incoming, expected)) in table.into_iter().enumerate() {
            let decision = decide(&incoming, &[small("a", pods)]);
            assert_eq!(decision, expected.map(|victims| (0, victims)), "row {number}");
        }
    }

    #[test]
    fn nodes_are_chosen_by_their_victims() {
        let full = |pods: &[(u64, i32, u64)]| small("n", pods.iter().map(|&(cpu, priority, started)| with(cpu, priority, started)).collect());
        let wanted = with(2000, 10, 99);
        let table = [
            // Highest victim 5 against 1.
            (full(&[(4000, 5, 1)]), full(&[(4000, 1, 1)]), 1),
            // Highest 3 both; sums count above −2³¹: 3 and 3 + 0, so one victim beats two.
            (full(&[(2000, 3, 1), (2000, 9, 1)]), full(&[(2000, 9, 1), (1000, 3, 1), (1000, 0, 1)]), 0),
            // Same highest, same number: the smaller sum, 3 + 0 against 3 + 1.
            (full(&[(2000, 9, 1), (1000, 3, 1), (1000, 1, 1)]), full(&[(2000, 9, 1), (1000, 3, 1), (1000, 0, 1)]), 1),
            // All alike: the one whose victim began last.
            (full(&[(4000, 1, 50)]), full(&[(4000, 1, 20)]), 0),
        ];
        for (number, (a, b, expected)) in table.into_iter().enumerate() {
            assert_eq!(decide(&wanted, &[a, b]).map(|(node, _)| node), Some(expected), "row {number}");
        }
    }

    #[test]
    fn pa3_missing_company_cannot_be_resolved_and_a_bad_neighbour_can() {
        let friend = || with(4000, 0, 1).label("spark-role", "executor");
        let clingy = Pod { priority: 10, ..pod(1000, 100).require_with(executors_here()) };
        assert_eq!(decide(&clingy, &[small("a", vec![with(4000, 0, 1)]), small("b", vec![])]), None);
        let shy = Pod { priority: 10, ..pod(1000, 100).require_apart(executors_here()) };
        assert_eq!(decide(&shy, &[small("a", vec![friend(), with(0, 0, 2)])]), Some((0, vec![0])));
    }
}

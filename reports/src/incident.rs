//! Who held the memory when the first executor died: the answer to every exit 137.
//!
//! It is the first memory death of the example replication. Holders are put together by class and kind of party, the
//! largest first; page cache is not among them, because the kernel takes it back before it kills. Names are the
//! user's; executors have the numbers of the charts.

use sim_core::record::{Holder, Level, MemoryClass, Party};
use sim_core::units::Bytes;

use crate::verdict::level_words;
use crate::{PointReport, format};

/// One group of holders.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    /// What kind of memory.
    pub(crate) what: String,
    /// Whose.
    pub(crate) whose: String,
    /// How much.
    pub(crate) bytes: Bytes,
    /// Share of everything that was held there.
    pub(crate) share: f64,
}

/// The sentence: who died, where, when, at which limit.
pub(crate) fn sentence(point: &PointReport) -> Option<String> {
    let incident = point.result.example_incident.as_ref()?;
    let replication = point.result.example.unwrap_or(0);
    let place = point.place.clone().unwrap_or_default();
    let stage = if place.stage.is_empty() { String::new() } else { format!(" in stage {}", place.stage) };
    let node = if place.node.is_empty() { format!("node {}", incident.node) } else { place.node };
    Some(format!(
        "Replication {replication}: {} is killed {} after {}{stage} on {node}, with {} of {} in use (shown as {})",
        party(&incident.victim),
        level_words(incident.level),
        format::seconds(incident.at.as_secs_f64()),
        incident.used,
        incident.limit,
        incident.shown.words(),
    ))
}

/// Who held memory on that node (at a container's limit: in that container), the largest group first.
pub(crate) fn holders(point: &PointReport) -> Vec<Held> {
    let Some(incident) = &point.result.example_incident else { return Vec::new() };
    let own = matches!(incident.level, Level::Heap | Level::Pod);
    let counted: Vec<&Holder> = incident.holders.iter().filter(|h| !own || h.party == incident.victim).collect();
    let total: f64 = counted.iter().map(|h| h.bytes.as_f64()).sum();
    let mut groups: Vec<Held> = Vec::new();
    for class in MemoryClass::ALL {
        if class == MemoryClass::Neighbour {
            groups.extend(others(&counted, total));
            continue;
        }
        let of = counted.iter().filter(|h| h.class == class);
        let mut by_party: Vec<(&Party, Bytes)> = of.map(|h| (&h.party, h.bytes)).collect();
        by_party.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let bytes: Bytes = by_party.iter().map(|(_, b)| *b).sum();
        if bytes.as_f64() > 0.0 {
            groups.push(Held { what: crate::svg::class_words(class).to_owned(), whose: whose(&by_party), bytes, share: bytes.as_f64() / total });
        }
    }
    groups.sort_by_key(|g| std::cmp::Reverse(g.bytes));
    groups
}

/// Neighbours one by one: each is somebody's to fix. Small ones go together.
fn others(holders: &[&Holder], total: f64) -> Vec<Held> {
    let of = holders.iter().filter(|h| h.class == MemoryClass::Neighbour);
    let (large, small): (Vec<&&Holder>, Vec<&&Holder>) = of.partition(|h| h.bytes.as_f64() >= 0.03 * total);
    let held = |whose: String, bytes: Bytes| Held { what: "neighbour".into(), whose, bytes, share: bytes.as_f64() / total };
    let mut groups: Vec<Held> = large.iter().map(|h| held(party(&h.party), h.bytes)).collect();
    let rest: Bytes = small.iter().map(|h| h.bytes).sum();
    if rest.as_f64() > 0.0 {
        groups.push(held(format::plural(small.len() as u64, "small pod"), rest));
    }
    groups
}

fn whose(by_party: &[(&Party, Bytes)]) -> String {
    match by_party {
        [] => String::new(),
        [(only, _)] => party(only),
        [(largest, bytes), ..] if by_party.iter().any(|(one, _)| matches!(one, Party::Daemon(_))) => format!("most {} ({bytes})", party(largest)),
        [(largest, bytes), ..] => format!("{} pods, most {} ({bytes})", by_party.len(), party(largest)),
    }
}

/// A party in words.
pub(crate) fn party(party: &Party) -> String {
    match party {
        Party::Executor(number) => format!("executor {number}"),
        Party::Driver => "the driver".into(),
        Party::Neighbour(name) | Party::Daemon(name) => name.clone(),
        Party::System => "the system".into(),
    }
}

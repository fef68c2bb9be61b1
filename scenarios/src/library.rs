//! Built-in scenarios and job profiles: files of the library, told by their first comment line.
//!
//! An incident is a pair of scenarios: what somebody published, broken, and the same with what cured it, which is laid over it under
//! the name NAME-fixed. Its file begins with the story: source, what was seen, cause, fix, and what is assumed because
//! the source does not say it.

use std::sync::LazyLock;

/// What a built-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInKind {
    /// A scenario.
    Scenario,
    /// A scenario with a sweep.
    Sweep,
    /// A published incident, or its cure.
    Incident,
    /// A job profile.
    Profile,
}

/// A built-in file.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Name to use on the command line.
    pub name: &'static str,
    /// What it is.
    pub kind: BuiltInKind,
    /// First comment line.
    pub summary: &'static str,
    /// The file.
    pub text: &'static str,
}

/// A published incident: what broke, and what cured it.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// As it was.
    pub broken: &'static BuiltIn,
    /// With the cure.
    pub fixed: &'static BuiltIn,
    /// Where it was told.
    pub source: &'static str,
}

impl BuiltIn {
    /// What the file says after `# KEY: `, up to the next key or the end of its comment.
    pub fn told(&self, key: &str) -> Option<String> {
        let mut lines = self.text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
        let begin = format!("{key}: ");
        let first = lines.find_map(|line| line.strip_prefix(&begin))?;
        let more = lines.take_while(|line| !line.is_empty() && !STORY.iter().any(|key| line.starts_with(&format!("{key}: "))));
        Some(std::iter::once(first).chain(more).collect::<Vec<_>>().join(" "))
    }
}

/// The parts of an incident's story, in their order.
pub const STORY: [&str; 5] = ["Source", "Seen", "Cause", "Fix", "Assumed"];

const FILES: &[(&str, BuiltInKind, &str)] = &[
    ("aks-migration", BuiltInKind::Sweep, include_str!("../library/aks-migration.toml")),
    ("aks-migration-celeborn", BuiltInKind::Scenario, include_str!("../library/aks-migration-celeborn.toml")),
    ("aks-migration-fixed", BuiltInKind::Scenario, include_str!("../library/aks-migration-fixed.toml")),
    ("aks-migration-growth", BuiltInKind::Sweep, include_str!("../library/aks-migration-growth.toml")),
    ("aks-migration-remedies", BuiltInKind::Sweep, include_str!("../library/aks-migration-remedies.toml")),
    ("on-prem-yarn", BuiltInKind::Scenario, include_str!("../library/on-prem-yarn.toml")),
    ("request-equals-limit", BuiltInKind::Sweep, include_str!("../library/request-equals-limit.toml")),
    ("aks-managed-os-disk", BuiltInKind::Incident, include_str!("../library/incidents/aks-managed-os-disk.toml")),
    ("aks-managed-os-disk-fixed", BuiltInKind::Incident, include_str!("../library/incidents/aks-managed-os-disk-fixed.toml")),
    ("anti-affinity-pending", BuiltInKind::Incident, include_str!("../library/incidents/anti-affinity-pending.toml")),
    ("anti-affinity-pending-fixed", BuiltInKind::Incident, include_str!("../library/incidents/anti-affinity-pending-fixed.toml")),
    ("emptydir-1gi-livelock", BuiltInKind::Incident, include_str!("../library/incidents/emptydir-1gi-livelock.toml")),
    ("emptydir-1gi-livelock-fixed", BuiltInKind::Incident, include_str!("../library/incidents/emptydir-1gi-livelock-fixed.toml")),
    ("ephemeral-limit-1gi", BuiltInKind::Incident, include_str!("../library/incidents/ephemeral-limit-1gi.toml")),
    ("ephemeral-limit-1gi-fixed", BuiltInKind::Incident, include_str!("../library/incidents/ephemeral-limit-1gi-fixed.toml")),
    ("memory-volume-no-limit", BuiltInKind::Incident, include_str!("../library/incidents/memory-volume-no-limit.toml")),
    ("memory-volume-no-limit-fixed", BuiltInKind::Incident, include_str!("../library/incidents/memory-volume-no-limit-fixed.toml")),
    ("scratch-volume-name", BuiltInKind::Incident, include_str!("../library/incidents/scratch-volume-name.toml")),
    ("scratch-volume-name-fixed", BuiltInKind::Incident, include_str!("../library/incidents/scratch-volume-name-fixed.toml")),
    ("terasort-root-disk", BuiltInKind::Incident, include_str!("../library/incidents/terasort-root-disk.toml")),
    ("terasort-root-disk-fixed", BuiltInKind::Incident, include_str!("../library/incidents/terasort-root-disk-fixed.toml")),
    ("tmpfs-after-restart", BuiltInKind::Incident, include_str!("../library/incidents/tmpfs-after-restart.toml")),
    ("tmpfs-after-restart-fixed", BuiltInKind::Incident, include_str!("../library/incidents/tmpfs-after-restart-fixed.toml")),
    ("tmpfs-in-pod-memory", BuiltInKind::Incident, include_str!("../library/incidents/tmpfs-in-pod-memory.toml")),
    ("tmpfs-in-pod-memory-fixed", BuiltInKind::Incident, include_str!("../library/incidents/tmpfs-in-pod-memory-fixed.toml")),
    ("zero-ephemeral-request", BuiltInKind::Incident, include_str!("../library/incidents/zero-ephemeral-request.toml")),
    ("zero-ephemeral-request-fixed", BuiltInKind::Incident, include_str!("../library/incidents/zero-ephemeral-request-fixed.toml")),
    ("fixed-width-parse", BuiltInKind::Profile, include_str!("../library/profiles/fixed-width-parse.toml")),
    ("terasort", BuiltInKind::Profile, include_str!("../library/profiles/terasort.toml")),
    ("tpch-queries", BuiltInKind::Profile, include_str!("../library/profiles/tpch-queries.toml")),
];

static ALL: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let summary = |text: &'static str| text.lines().find_map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(':'))).unwrap_or("").trim();
    FILES.iter().map(|&(name, kind, text)| BuiltIn { name, kind, summary: summary(text), text }).collect()
});

/// All built-ins.
pub fn all() -> &'static [BuiltIn] {
    &ALL
}

/// All incidents, by name. The case study is one of them.
pub fn incidents() -> impl Iterator<Item = Incident> {
    let broken = ALL.iter().filter(|built_in| built_in.kind != BuiltInKind::Profile);
    broken.filter_map(|broken| {
        let fixed = find(&format!("{}-fixed", broken.name))?;
        let source = broken.text.lines().find_map(|line| line.strip_prefix("# Source: "))?;
        Some(Incident { broken, fixed, source })
    })
}

/// The built-in with a name.
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|built_in| built_in.name == name)
}

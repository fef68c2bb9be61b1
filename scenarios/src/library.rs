//! Built-in scenarios and job profiles: files of the library, told by their first comment line.

use std::sync::LazyLock;

/// What a built-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInKind {
    /// A scenario.
    Scenario,
    /// A scenario with a sweep.
    Sweep,
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

const FILES: &[(&str, BuiltInKind, &str)] = &[
    ("aks-migration", BuiltInKind::Sweep, include_str!("../library/aks-migration.toml")),
    ("aks-migration-celeborn", BuiltInKind::Scenario, include_str!("../library/aks-migration-celeborn.toml")),
    ("aks-migration-fixed", BuiltInKind::Scenario, include_str!("../library/aks-migration-fixed.toml")),
    ("aks-migration-growth", BuiltInKind::Sweep, include_str!("../library/aks-migration-growth.toml")),
    ("aks-migration-remedies", BuiltInKind::Sweep, include_str!("../library/aks-migration-remedies.toml")),
    ("on-prem-yarn", BuiltInKind::Scenario, include_str!("../library/on-prem-yarn.toml")),
    ("request-equals-limit", BuiltInKind::Sweep, include_str!("../library/request-equals-limit.toml")),
    ("fixed-width-parse", BuiltInKind::Profile, include_str!("../library/profiles/fixed-width-parse.toml")),
];

static ALL: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let summary = |text: &'static str| text.lines().find_map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(':'))).unwrap_or("").trim();
    FILES.iter().map(|&(name, kind, text)| BuiltIn { name, kind, summary: summary(text), text }).collect()
});

/// All built-ins.
pub fn all() -> &'static [BuiltIn] {
    &ALL
}

/// The built-in with a name.
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|built_in| built_in.name == name)
}

//! `new`: a commented scenario to start from, which runs as it is.

const TEMPLATE: &str = include_str!("../library/new-scenario.toml.in");

/// A commented scenario with this name. Characters that a TOML string cannot hold as they are become dashes.
pub fn new_scenario(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_control() || c == '"' || c == '\\' { '-' } else { c }).collect();
    TEMPLATE.replace("@NAME@", &name)
}

//! `[job]`: the profile, found and read, and the application at this point's input.

use std::path::Path;

use sim_core::spec::AppSpec;

use super::View;
use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::event_log;
use crate::layer::{Layers, beside, read_file};
use crate::library::{self, BuiltInKind};
use crate::profile::{Profile, ProfileConf};
use crate::raw::Node;
use crate::schema::nearest;
use crate::spark_conf::Conf;

/// Finds and reads the profile that `job.profile` names.
pub(super) fn profile(layers: &Layers, tree: &Node, problems: &mut Diagnostics) -> Option<Profile> {
    // A missing or mistyped key has been told by the walker.
    let node = tree.get("job")?.get("profile")?;
    let name = node.text()?;
    if let Some(built_in) = library::find(name).filter(|b| b.kind == BuiltInKind::Profile) {
        let source = Source::new(format!("{name}.toml"), built_in.text);
        return cached(layers, Path::new(name), |problems| keep(Profile::parse(&source), problems), problems);
    }
    let path = beside(node, name);
    if !path.exists() && !name.contains(['/', '\\', '.']) {
        problems.push(unknown(node, name));
        return None;
    }
    cached(layers, &path, |problems| from_file(&path, Some(node), problems), problems)
}

fn unknown(node: &Node, name: &str) -> Diagnostic {
    let names: Vec<&str> = library::all().iter().filter(|b| b.kind == BuiltInKind::Profile).map(|b| b.name).collect();
    let near = nearest(name, names.iter().copied());
    let hint = if near.is_empty() { "spillcast ingest makes a profile of an event log".to_owned() } else { format!("did you mean {}?", near.join(" or ")) };
    node.mark(Diagnostic::error("unknown-profile", format!("there is no job profile {name:?}")))
        .found(name)
        .expected(format!("a path of a profile or an event log, or one of {}", names.join(", ")))
        .hint(hint)
}

fn cached(layers: &Layers, key: &Path, read: impl FnOnce(&mut Diagnostics) -> Option<Profile>, problems: &mut Diagnostics) -> Option<Profile> {
    if let Some(profile) = layers.cached_profile(key) {
        return Some(profile);
    }
    let profile = read(problems)?;
    layers.keep_profile(key, &profile);
    Some(profile)
}

fn keep((profile, found): (Option<Profile>, Diagnostics), problems: &mut Diagnostics) -> Option<Profile> {
    problems.extend(found);
    profile
}

/// A `.toml` is a profile, everything else an event log.
fn from_file(path: &Path, at: Option<&Node>, problems: &mut Diagnostics) -> Option<Profile> {
    if path.extension().is_some_and(|extension| extension == "toml") {
        return keep(Profile::parse(&read_file(path, at, problems)?), problems);
    }
    match event_log::ingest(path) {
        Ok(ingested) => {
            problems.extend(ingested.diagnostics);
            Some(ingested.profile)
        }
        Err(found) => {
            problems.extend(found);
            None
        }
    }
}

/// The application of a filled tree.
pub(super) fn app(job: View<'_>, conf: &Conf, profile: &Profile) -> AppSpec {
    let shuffle_partitions = crate::spark_conf::shuffle_partitions(conf);
    let max_partition_bytes = conf.size("spark.sql.files.maxPartitionBytes").unwrap_or_default();
    let input = job.maybe_size("input").unwrap_or_else(|| profile.input());
    profile.to_app(input, &ProfileConf { shuffle_partitions, max_partition_bytes, joins: crate::spark_conf::joins(conf) })
}

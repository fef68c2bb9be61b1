//! Remote shuffle services: what Spark and the scenario must say so that one is used, and what is assumed of it (3.7).

use super::Facts;
use crate::codec::Codec;
use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::Layer;
use crate::spark_conf::{CELEBORN_CODEC, FALLBACK_POLICY, IO_PLUGIN, MANAGER, Manager, UNIFFLE_CODEC, always_falls_back, manager, plugin_of};

const TABLE: &str = "remote_shuffle";

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let kind = manager(facts.conf);
    match &facts.spec.spark.shuffle_storage.remote {
        Some(conf) => {
            assumed(facts, problems);
            codec(facts, kind, problems);
            if !conf.reliable && !facts.spec.spark.shuffle.service {
                problems.push(unknown_to_spark(facts, kind));
            }
        }
        None => not_used(facts, kind, problems),
    }
}

/// The manager is not one that is modelled, or falls back; or there is a table without a manager.
fn not_used(facts: &Facts<'_>, kind: Manager, problems: &mut Diagnostics) {
    if kind == Manager::Other {
        let name = facts.conf.text(MANAGER).unwrap_or_default();
        let problem =
            Diagnostic::warning("not-simulated", format!("{MANAGER} is not simulated: shuffle data goes to local directories, as with sort")).found(name);
        problems.push(facts.at_conf(&[MANAGER], problem).expected("sort, or the class of Celeborn or Uniffle"));
    }
    if kind == Manager::Celeborn && always_falls_back(facts.conf) {
        let problem = Diagnostic::warning("remote-shuffle", "Celeborn is not used: its fallback policy is to take Spark's own shuffle always");
        problems.push(facts.at_conf(&[FALLBACK_POLICY, MANAGER], problem).hint(format!("remove {FALLBACK_POLICY}")));
    }
    if let Some(table) = facts.tree.get(TABLE).filter(|_| kind == Manager::Sort) {
        let problem = Diagnostic::warning("remote-shuffle", format!("[{TABLE}] is not used: {MANAGER} is Spark's own"));
        problems.push(table.mark(problem).hint(format!("{MANAGER} = \"org.apache.spark.shuffle.celeborn.SparkShuffleManager\", or remove the table")));
    }
}

/// Nobody said what the service is made of.
fn assumed(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let Some(table) = facts.tree.get(TABLE).filter(|table| matches!(table.layer, Layer::Derived(_))) else { return };
    let text = |key: &str| table.get(key).and_then(crate::raw::Node::scalar).unwrap_or_default();
    let message = format!(
        "the remote shuffle service is assumed to have {} workers with NICs of {} and disks of {} and {} each",
        text("workers"),
        text("nic"),
        text("disk"),
        text("disk_size")
    );
    problems
        .push(facts.at_conf(&[MANAGER], Diagnostic::warning("remote-shuffle", message)).hint(format!("say in [{TABLE}] what of it your application can use")));
}

fn codec(facts: &Facts<'_>, kind: Manager, problems: &mut Diagnostics) {
    let (key, none) = if kind == Manager::Uniffle { (UNIFFLE_CODEC, "noop") } else { (CELEBORN_CODEC, "none") };
    let Some(name) = facts.conf.text(key) else { return };
    if Codec::find(&name).is_none() && !name.eq_ignore_ascii_case(none) {
        let problem = Diagnostic::error("codec", format!("{key} is not a codec that is known")).found(name);
        problems.push(facts.at_conf(&[key], problem).expected(format!("lz4, zstd or {none}")));
    }
}

/// EL-1 for nothing.
fn unknown_to_spark(facts: &Facts<'_>, kind: Manager) -> Diagnostic {
    let message = "Spark does not know that map outputs outlive their executors: it runs finished map tasks again when one is lost";
    let problem = facts.at_conf(&[IO_PLUGIN, MANAGER], Diagnostic::warning("remote-shuffle", message));
    let version = facts.conf.version;
    if (version.major, version.minor) >= (3, 5) {
        problem.hint(format!("{IO_PLUGIN} = {}", plugin_of(kind)))
    } else {
        problem.hint(format!("use Spark 3.5 with {IO_PLUGIN}, or a patched Spark and patched_spark = true in [{TABLE}]"))
    }
}

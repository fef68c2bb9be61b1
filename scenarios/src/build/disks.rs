//! Disks of a pool: those of its VM shape, and managed ones by their type and size.
//!
//! A type gives bandwidth, operations and burst credit, under the caps of the machine; what the scenario says wins. With a bandwidth or
//! operations of the scenario's own there is no credit unless it says that too, because the type's credit belongs to the type's rate.

use sim_core::spec::{BurstSpec, DiskSpec};
use sim_core::units::Bytes;

use super::derive::{missing, rate, size};
use super::{View, derived};
use crate::catalog::{self, VmShape, disks};
use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::{Node, Value};
use crate::schema::nearest;

/// Operations per second of a disk of which nobody says them: a SATA SSD or better (8.1).
const IOPS: i64 = 100_000;

/// The disks of a shape as a list.
pub(super) fn of_shape(shape_disks: &[DiskSpec], from: &str) -> Node {
    derived(Value::Array(shape_disks.iter().map(|disk| node(disk, from)).collect()), from)
}

fn node(disk: &DiskSpec, from: &str) -> Node {
    let mut node = derived(Value::Table(Vec::new()), from);
    for (key, value) in [
        ("name", Value::Text(disk.name.clone())),
        ("size", size(disk.size)),
        ("used", size(disk.used)),
        ("read", rate(disk.read)),
        ("write", rate(disk.write)),
        ("iops", whole(disk.iops)),
        ("io_size", size(disk.io_size)),
    ] {
        node.insert(key, derived(value, from));
    }
    if let Some(credit) = &disk.burst {
        node.insert("burst", burst(credit, from));
    }
    if disk.remote {
        node.insert("remote", derived(Value::Bool(true), from));
    }
    node
}

/// Burst credit as a table.
pub(super) fn burst(burst: &BurstSpec, from: &str) -> Node {
    let mut node = derived(Value::Table(Vec::new()), from);
    for (key, value) in [("rate", rate(burst.rate)), ("iops", whole(burst.iops)), ("credit", size(burst.credit))] {
        node.insert(key, derived(value, from));
    }
    node
}

/// A count.
pub(super) fn whole(n: u64) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Fills what each disk does not say.
pub(super) fn fill(pool: &mut Node, shape: Option<&VmShape>, problems: &mut Diagnostics) {
    let Some(Value::Array(disks)) = pool.get_mut("disk").map(|node| &mut node.value) else { return };
    for (i, disk) in disks.iter_mut().enumerate() {
        let name = View(disk).text("name");
        if i > 0 {
            missing(disk, "mount", || derived(Value::Text(format!("/mnt/{name}")), "the disk's name"));
        }
        if disk.get("type").is_some() {
            by_type(disk, &name, shape, problems);
        }
        for key in ["size", "read"].into_iter().filter(|key| disk.get(key).is_none()) {
            let problem = disk.mark(Diagnostic::error("missing-key", format!("disk {name:?} does not say its {key}"))).expected(format!("type, or {key}"));
            problems.push(problem.hint("add type = \"P10\", or describe the disk by size and read"));
        }
        let read = View(disk).text("read");
        missing(disk, "write", || derived(Value::Text(read), "the read bandwidth"));
        missing(disk, "iops", || derived(Value::Integer(IOPS), "a SATA SSD or better (8.1)"));
    }
}

fn by_type(disk: &mut Node, name: &str, shape: Option<&VmShape>, problems: &mut Diagnostics) {
    let written = View(disk).text("type");
    let Some(kind) = disks::find(&written) else {
        let names: Vec<&str> = disks::types().iter().map(|kind| kind.name.as_str()).collect();
        let near = nearest(&written, names.iter().copied());
        let hint = if near.is_empty() { "describe the disk by size, read and iops".to_owned() } else { format!("did you mean {}?", near.join(" or ")) };
        let at = disk.get("type").unwrap_or(disk);
        let problem = at.mark(Diagnostic::error("unknown-disk", format!("the catalog has no disk type {written:?}"))).found(written);
        problems.push(problem.expected(format!("one of {}", names.join(", "))).hint(hint));
        return;
    };
    let from = format!("disk type {}", kind.name);
    if let Some(tier) = kind.tier {
        missing(disk, "size", || derived(size(tier), &from));
    }
    if disk.get("size").is_none() {
        return;
    }
    missing(disk, "remote", || derived(Value::Bool(true), &from));
    let own = disk.get("read").is_some() || disk.get("iops").is_some();
    let bytes: Bytes = View(disk).size("size");
    let spec = shape.map_or_else(|| catalog::unattached(kind, name, bytes), |shape| shape.attach(kind, name, bytes));
    missing(disk, "read", || derived(rate(spec.read), &from));
    missing(disk, "iops", || derived(whole(spec.iops), &from));
    if let (Some(credit), false) = (&spec.burst, own) {
        missing(disk, "burst", || burst(credit, &from));
    }
}

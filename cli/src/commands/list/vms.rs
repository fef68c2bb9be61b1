//! `list vms`: the machine catalogue as a table of the columns that fit, or as JSON with all of them.

use anstyle::Style;
use scenarios::{Vm, VmDisk};
use serde_json::{Value, json};

use crate::args::{InfoFormat, ListArgs};
use crate::printer;
use crate::report;

/// A column: its head, its cell, whether it is right-aligned. In the order in which they are kept when the width is short.
type Column = (&'static str, fn(&Vm) -> String, bool);

/// A column that is shown: its width and its cells.
type Shown<'c> = (usize, Vec<String>, &'c Column);

const COLUMNS: &[Column] = &[
    ("name", |vm| vm.name.clone(), false),
    ("vCPU", |vm| vm.vcpu.to_string(), true),
    ("GiB", |vm| vm.memory_gib.to_string(), true),
    ("emptyDir disk", |vm| vm.disks.first().map(|disk| format!("{} {} GiB", disk.name, disk.gib)).unwrap_or_default(), false),
    ("MB/s", |vm| vm.disks.first().map(speed).unwrap_or_default(), true),
    ("NIC Gb/s", |vm| format!("{:.1}", vm.nic_mbit as f64 / 1000.0), true),
    ("IOPS", |vm| vm.disks.first().map(|disk| disk.iops.to_string()).unwrap_or_default(), true),
    ("other disks", |vm| vm.disks[1.min(vm.disks.len())..].iter().map(|disk| format!("{} {} GiB", disk.name, disk.gib)).collect::<Vec<_>>().join(", "), false),
    ("remote MB/s", |vm| vm.remote.map(|r| burst(r.mb, r.burst_mb)).unwrap_or_default(), true),
    ("remote IOPS", |vm| vm.remote.map(|r| burst(r.iops, r.burst_iops)).unwrap_or_default(), true),
    ("pods", |vm| vm.max_pods.map(|pods| pods.to_string()).unwrap_or_default(), true),
];

/// What it does, and with credit.
fn burst(own: u64, fast: Option<u64>) -> String {
    fast.filter(|fast| *fast > own).map_or_else(|| own.to_string(), |fast| format!("{own}→{fast}"))
}

fn speed(disk: &VmDisk) -> String {
    if disk.read_mb == disk.write_mb { burst(disk.write_mb, disk.burst_mb) } else { format!("{}/{}", disk.read_mb, disk.write_mb) }
}

/// The shapes that are wanted.
pub(super) fn list(args: &ListArgs, wanted: &dyn Fn(&str) -> bool) -> String {
    let mut vms = scenarios::vms();
    vms.retain(|vm| wanted(&vm.name) && args.provider.as_deref().is_none_or(|provider| vm.provider == provider));
    match args.format.format {
        InfoFormat::Table => table(&vms, printer::width()),
        InfoFormat::Json => report::pretty(&json!({"schema_version": 1, "entries": vms.iter().map(object).collect::<Vec<_>>()})),
    }
}

/// One line, as other lists have it.
fn summary(vm: &Vm) -> String {
    format!("{} vCPU, {} GiB, NIC {:.1} Gb/s", vm.vcpu, vm.memory_gib, vm.nic_mbit as f64 / 1000.0)
}

fn object(vm: &Vm) -> Value {
    let disk = |d: &VmDisk| json!({"name": d.name, "gib": d.gib, "iops": d.iops, "read_mb": d.read_mb, "write_mb": d.write_mb, "burst_mb": d.burst_mb});
    json!({
        "name": vm.name, "kind": "vm", "summary": summary(vm), "provider": vm.provider, "series": vm.series, "vcpu": vm.vcpu, "memory_gib": vm.memory_gib, "nic_mbit": vm.nic_mbit,
        "max_pods": vm.max_pods, "disks": vm.disks.iter().map(disk).collect::<Vec<_>>(),
        "remote": vm.remote.map(|r| json!({"iops": r.iops, "mb": r.mb, "burst_iops": r.burst_iops, "burst_mb": r.burst_mb})),
        "source": vm.source, "date": vm.date,
    })
}

fn table(vms: &[Vm], width: usize) -> String {
    let bold = Style::new().bold();
    if vms.is_empty() {
        return "No machine shape has such a name.\n".to_owned();
    }
    let mut columns: Vec<Shown<'_>> = Vec::new();
    let mut used = 0;
    for column in COLUMNS {
        let cells: Vec<String> = vms.iter().map(column.1).collect();
        let wide = cells.iter().map(|cell| cell.chars().count()).chain([column.0.len()]).max().unwrap_or(0);
        if cells.iter().all(String::is_empty) || used + wide + 2 > width && !columns.is_empty() {
            continue;
        }
        used += wide + 2;
        columns.push((wide, cells, column));
    }
    let line = |cell: &dyn Fn(&Shown<'_>) -> String| {
        let cells = columns.iter().map(|column| if column.2.2 { format!("{:>1$}", cell(column), column.0) } else { format!("{:1$}", cell(column), column.0) });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = format!("{bold}{}{bold:#}\n", line(&|column| column.2.0.to_owned()));
    for row in 0..vms.len() {
        text.push_str(&line(&|column| column.1[row].clone()));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_do_not_fit_are_left_out_from_the_right() {
        let vms = scenarios::vms();
        for width in [40, 80, 200] {
            let text = anstream::adapter::strip_str(&table(&vms, width)).to_string();
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
            assert_eq!(text.lines().count(), vms.len() + 1);
        }
        let wide = anstream::adapter::strip_str(&table(&vms, 300)).to_string();
        assert!(COLUMNS.iter().all(|column| wide.lines().next().is_some_and(|head| head.contains(column.0))), "{wide}");
    }

    #[test]
    fn bursts_are_shown_beside_what_lasts() {
        let p10 = scenarios::vms().into_iter().find(|vm| vm.name == "Standard_D4s_v5").expect("it is in the catalogue");
        assert_eq!((speed(&p10.disks[0]), p10.remote.map(|r| burst(r.mb, r.burst_mb))), ("100→170".to_owned(), Some("145→1200".to_owned())));
    }
}

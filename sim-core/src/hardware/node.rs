//! One node's devices and their pending completions.
//!
//! CPU work is in core-seconds, work of disks and NIC in seconds of the whole device. Neighbours take a steady part of the
//! cores. A disk's bandwidth is capped by its I/O operations at one size of I/O (5.11). Assumptions: a NIC carries both directions at
//! full rate, and traffic inside a node crosses none; flows are equal whatever their size.

use crate::event::Event;
use crate::ids::{NodeId, TaskId};
use crate::kernel::{Calendar, EventHandle, FairShare, FlowHandle};
use crate::spec::{DiskSpec, NodeShape};
use crate::units::{Bytes, SimTime};

/// A device of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Device {
    /// The cores.
    Cpu,
    /// NIC, towards this node.
    NicIn,
    /// NIC, away from this node.
    NicOut,
    /// A disk, by its index in the node's shape.
    Disk(u8),
}

impl Device {
    /// Position in the node's device list.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Cpu => 0,
            Self::NicIn => 1,
            Self::NicOut => 2,
            Self::Disk(disk) => 3 + disk as usize,
        }
    }

    const fn from_index(index: usize) -> Self {
        match index {
            0 => Self::Cpu,
            1 => Self::NicIn,
            2 => Self::NicOut,
            disk => Self::Disk((disk - 3) as u8),
        }
    }
}

/// Whose flow it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlowOwner {
    /// A piece of a task's step, by its number within the task.
    Task(TaskId, u32),
    /// A flow of a thread that copies shuffle files of a leaving executor.
    Migration(u32),
    /// A flow of a thread that copies cached blocks of a leaving executor.
    CachedMigration(u32),
    /// Dirty pages on their way to a disk: so many bytes of this node.
    WriteBack(Bytes),
}

/// The devices of one node.
#[derive(Debug)]
pub(crate) struct NodeDevices {
    servers: Vec<FairShare<FlowOwner>>,
    pending: Vec<Option<(SimTime, EventHandle)>>,
    seconds_per_byte_read: Vec<f64>,
    seconds_per_byte_write: Vec<f64>,
    seconds_per_byte_nic: f64,
    cores: f64,
    cpu_speed: f64,
    /// Attached disks that have been detached again.
    free: Vec<u8>,
}

/// How fast this replication's copy of a node is, relative to its shape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speeds {
    pub(crate) cpu: f64,
    pub(crate) nic: f64,
    pub(crate) disks: Vec<f64>,
}

impl NodeDevices {
    /// Devices of a node with all cores free.
    pub(crate) fn new(shape: &NodeShape, speeds: &Speeds) -> Self {
        let cores = shape.cpu.as_cores();
        let mut servers = vec![FairShare::new(cores * speeds.cpu, speeds.cpu), FairShare::new(1.0, f64::INFINITY), FairShare::new(1.0, f64::INFINITY)];
        let mut read = Vec::new();
        let mut write = Vec::new();
        for (disk, speed) in shape.disks.iter().zip(&speeds.disks) {
            servers.push(FairShare::new(1.0, f64::INFINITY));
            read.push(1.0 / (effective_rate(disk, disk.read.as_f64()) * speed));
            write.push(1.0 / (effective_rate(disk, disk.write.as_f64()) * speed));
        }
        let pending = vec![None; servers.len()];
        Self {
            servers,
            pending,
            seconds_per_byte_read: read,
            seconds_per_byte_write: write,
            seconds_per_byte_nic: 1.0 / (shape.nic.as_f64() * speeds.nic),
            cores,
            cpu_speed: speeds.cpu,
            free: Vec::new(),
        }
    }

    /// Attaches a disk of these rates, bytes a second; its number. A number that was detached is used again: what is still on its
    /// way there takes its time beside the new traffic.
    pub(crate) fn attach(&mut self, read: f64, write: f64) -> u8 {
        let disk = self.free.pop().unwrap_or_else(|| {
            self.servers.push(FairShare::new(1.0, f64::INFINITY));
            self.pending.push(None);
            self.seconds_per_byte_read.push(0.0);
            self.seconds_per_byte_write.push(0.0);
            self.seconds_per_byte_read.len() as u8 - 1
        });
        self.seconds_per_byte_read[usize::from(disk)] = 1.0 / read.max(1.0);
        self.seconds_per_byte_write[usize::from(disk)] = 1.0 / write.max(1.0);
        disk
    }

    /// Detaches a disk.
    pub(crate) fn detach(&mut self, disk: u8) {
        self.free.push(disk);
    }

    /// All devices.
    pub(crate) fn all(&self) -> impl Iterator<Item = Device> + use<> {
        (0..self.servers.len()).map(Device::from_index)
    }

    /// Takes cores that a neighbour keeps busy.
    pub(crate) fn reserve_cpu(&mut self, now: SimTime, busy_cores: f64) {
        self.cores = (self.cores - busy_cores).max(0.1);
        self.servers[Device::Cpu.index()].set_capacity(now, self.cores * self.cpu_speed);
    }

    /// Starts a CPU flow of so many core-seconds.
    pub(crate) fn add_cpu(&mut self, now: SimTime, core_seconds: f64, owner: FlowOwner) -> FlowHandle {
        self.servers[Device::Cpu.index()].add(now, core_seconds, owner)
    }

    /// Starts a NIC flow.
    pub(crate) fn add_nic(&mut self, now: SimTime, device: Device, bytes: Bytes, owner: FlowOwner) -> FlowHandle {
        self.servers[device.index()].add(now, bytes.as_f64() * self.seconds_per_byte_nic, owner)
    }

    /// Starts a disk read.
    pub(crate) fn add_read(&mut self, now: SimTime, disk: u8, bytes: Bytes, owner: FlowOwner) -> FlowHandle {
        let work = bytes.as_f64() * self.seconds_per_byte_read[disk as usize];
        self.servers[Device::Disk(disk).index()].add(now, work, owner)
    }

    /// Starts a disk write.
    pub(crate) fn add_write(&mut self, now: SimTime, disk: u8, bytes: Bytes, owner: FlowOwner) -> FlowHandle {
        let work = bytes.as_f64() * self.seconds_per_byte_write[disk as usize];
        self.servers[Device::Disk(disk).index()].add(now, work, owner)
    }

    /// Takes a flow out before it is through.
    pub(crate) fn cancel(&mut self, now: SimTime, device: Device, flow: FlowHandle) {
        let _ = self.servers[device.index()].cancel(now, flow);
    }

    /// The next flow of a device that is through by `now`.
    pub(crate) fn pop_done(&mut self, now: SimTime, device: Device) -> Option<FlowOwner> {
        self.servers[device.index()].pop_completed(now)
    }

    /// CPU service that each running flow has had since the CPU was last idle, core-seconds.
    pub(crate) fn cpu_virtual_time(&self, now: SimTime) -> f64 {
        self.servers[Device::Cpu.index()].virtual_time(now)
    }

    /// Rate of one CPU flow, core-seconds per second.
    pub(crate) fn cpu_rate(&self) -> f64 {
        self.servers[Device::Cpu.index()].rate()
    }

    /// Brings the calendar's completions up to date: one a busy device.
    pub(crate) fn refresh(&mut self, node: NodeId, calendar: &mut Calendar<Event>) {
        for (index, server) in self.servers.iter().enumerate() {
            let next = server.next_completion();
            match (&self.pending[index], next) {
                (None, None) => {}
                (Some((at, _)), Some(due)) if *at == due => {}
                (old, next) => {
                    if let Some((_, handle)) = old {
                        calendar.cancel(*handle);
                    }
                    self.pending[index] = next.map(|due| {
                        let event = Event::DeviceDone(node, Device::from_index(index));
                        (due, calendar.schedule(due.max(calendar.now()), event.class(), event))
                    });
                }
            }
        }
    }

    /// Forgets the pending completion of a device whose event has just come.
    pub(crate) fn fired(&mut self, device: Device) {
        self.pending[device.index()] = None;
    }
}

/// Bandwidth after the cap of I/O operations: `min(bandwidth, iops · io_size)`.
fn effective_rate(disk: &DiskSpec, bandwidth: f64) -> f64 {
    capped(bandwidth, disk.iops, disk.io_size)
}

/// A bandwidth under the cap of I/O operations of one size, bytes a second.
pub(crate) fn capped(bandwidth: f64, iops: u64, io_size: Bytes) -> f64 {
    bandwidth.min(iops as f64 * io_size.as_f64()).max(1.0)
}

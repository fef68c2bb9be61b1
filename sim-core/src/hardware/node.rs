//! One node's devices and their pending completions.
//!
//! CPU work is in core-seconds, work of disks and NIC in seconds of the whole device. Neighbours take a steady part of the
//! cores. A disk's bandwidth is capped by its I/O operations at one size of I/O (5.11). Assumptions: a NIC carries both directions at
//! full rate, and traffic inside a node crosses none; flows are equal whatever their size. A disk with burst credit has a
//! bucket ([`super::burst`]); several remote disks are behind their machine's cap ([`super::ceiling`]).

use super::burst::Bucket;
use super::ceiling::Ceiling;
use crate::event::Event;
use crate::ids::{ExecutorId, TaskId};
use crate::kernel::{Calendar, EventHandle, FairShare, FlowHandle};
use crate::spec::{BurstSpec, DiskSpec, NodeShape, RemoteSpec};
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
    /// A flow of a map output that is pushed to mergers.
    MergePush(u32),
    /// A flow of a thread that copies cached blocks of a leaving executor.
    CachedMigration(u32),
    /// A JVM that starts.
    Start(ExecutorId),
    /// Dirty pages on their way to a disk, by their number on this node.
    WriteBack(u32),
}

/// The devices of one node.
#[derive(Debug)]
pub(crate) struct NodeDevices {
    servers: Vec<FairShare<FlowOwner>>,
    pending: Vec<Option<(SimTime, EventHandle)>>,
    seconds_per_byte_read: Vec<f64>,
    /// The same in chunks of merged files.
    seconds_per_byte_chunks: Vec<f64>,
    seconds_per_byte_write: Vec<f64>,
    seconds_per_byte_nic: f64,
    cores: f64,
    cpu_speed: f64,
    /// By disk; empty where none bursts.
    buckets: Vec<Option<Bucket>>,
    /// The machine's cap on remote disks, where more than one may be in use.
    ceiling: Option<Ceiling>,
    /// Capacities that disks have of their own, while a cap is divided.
    own: Vec<f64>,
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
        let (mut read, mut chunks) = (Vec::new(), Vec::new());
        let mut write = Vec::new();
        for (disk, speed) in shape.disks.iter().zip(&speeds.disks) {
            servers.push(FairShare::new(1.0, f64::INFINITY));
            read.push(1.0 / (effective_rate(disk, disk.read.as_f64()) * speed));
            chunks.push(1.0 / (chunked_rate(disk) * speed));
            write.push(1.0 / (effective_rate(disk, disk.write.as_f64()) * speed));
        }
        let pending = vec![None; servers.len()];
        let bursts = shape.disks.iter().any(|disk| disk.burst.is_some());
        let bucket = |disk: &DiskSpec| disk.burst.and_then(|burst| bucket_of(disk, &burst));
        let buckets = if bursts { shape.disks.iter().map(bucket).collect() } else { Vec::new() };
        Self {
            servers,
            pending,
            seconds_per_byte_read: read,
            seconds_per_byte_chunks: chunks,
            seconds_per_byte_write: write,
            seconds_per_byte_nic: 1.0 / (shape.nic.as_f64() * speeds.nic),
            cores,
            cpu_speed: speeds.cpu,
            buckets,
            ceiling: None,
            own: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Sets the machine's cap on remote disks. Those of its shape are behind it from now on, and each that is attached.
    pub(crate) fn open_ceiling(&mut self, spec: &RemoteSpec, disks: &[DiskSpec]) {
        self.ceiling = Some(Ceiling::new(spec));
        for disk in (0..disks.len()).filter(|&disk| disks[disk].remote) {
            self.put_behind(disk);
        }
    }

    fn put_behind(&mut self, disk: usize) {
        let seconds_per_byte = self.seconds_per_byte_read[disk].min(self.seconds_per_byte_write[disk]);
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.put_behind(disk, 1.0 / seconds_per_byte);
        }
    }

    /// A device.
    pub(super) fn server(&mut self, device: Device) -> &mut FairShare<FlowOwner> {
        &mut self.servers[device.index()]
    }

    /// A device, to look at.
    pub(super) fn look(&self, device: Device) -> &FairShare<FlowOwner> {
        &self.servers[device.index()]
    }

    /// Seconds of a disk for a byte that is read, and for one that is written.
    pub(super) fn seconds_per_byte(&self, disk: usize) -> (f64, f64) {
        (self.seconds_per_byte_read[disk], self.seconds_per_byte_write[disk])
    }

    /// Seconds of the NIC for a byte.
    pub(super) fn seconds_per_byte_nic(&self) -> f64 {
        self.seconds_per_byte_nic
    }

    /// Attaches a disk that is so much faster than it should be; its number. A number that was detached is used again: what is still on
    /// its way there takes its time beside the new traffic. Credit is full.
    pub(crate) fn attach(&mut self, spec: &DiskSpec, speed: f64) -> u8 {
        let disk = self.free.pop().unwrap_or_else(|| {
            self.servers.push(FairShare::new(1.0, f64::INFINITY));
            self.pending.push(None);
            self.seconds_per_byte_read.push(0.0);
            self.seconds_per_byte_write.push(0.0);
            self.seconds_per_byte_read.len() as u8 - 1
        });
        let at = usize::from(disk);
        let rate = |bandwidth: f64| (effective_rate(spec, bandwidth) * speed).max(1.0);
        self.seconds_per_byte_read[at] = 1.0 / rate(spec.read.as_f64());
        self.seconds_per_byte_write[at] = 1.0 / rate(spec.write.as_f64());
        if spec.remote {
            self.put_behind(at);
        }
        let bucket = spec.burst.and_then(|burst| bucket_of(spec, &burst));
        if bucket.is_some() || at < self.buckets.len() {
            self.buckets.resize(self.buckets.len().max(at + 1), None);
            self.buckets[at] = bucket;
        }
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

    /// Starts a read of merged files.
    pub(crate) fn add_chunk_read(&mut self, now: SimTime, disk: u8, bytes: Bytes, owner: FlowOwner) -> FlowHandle {
        let work = bytes.as_f64() * self.seconds_per_byte_chunks[disk as usize];
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

    /// Brings the calendar's completions up to date: one a busy device, made by `event`.
    pub(crate) fn refresh(&mut self, calendar: &mut Calendar<Event>, event: impl Fn(Device) -> Event) {
        self.spend_credit(calendar.now());
        for (index, server) in self.servers.iter().enumerate() {
            let next = server.next_completion().map(|due| self.dry_at(index).map_or(due, |dry| due.min(dry)));
            match (&self.pending[index], next) {
                (None, None) => {}
                (Some((at, _)), Some(due)) if *at == due => {}
                (Some((_, handle)), Some(due)) => {
                    self.pending[index] = Some((due, calendar.reschedule(*handle, due.max(calendar.now()))));
                }
                (Some((_, handle)), None) => {
                    calendar.cancel(*handle);
                    self.pending[index] = None;
                }
                (None, Some(due)) => {
                    let event = event(Device::from_index(index));
                    self.pending[index] = Some((due, calendar.schedule(due.max(calendar.now()), event.class(), event)));
                }
            }
        }
    }

    /// Brings credit up to date and gives each disk the rate that it then has.
    fn spend_credit(&mut self, now: SimTime) {
        let Some(ceiling) = &mut self.ceiling else {
            for (disk, bucket) in self.buckets.iter_mut().enumerate() {
                let server = &mut self.servers[Device::Disk(disk as u8).index()];
                if let Some(bucket) = bucket {
                    server.set_capacity(now, bucket.at(now));
                    bucket.uses(used(server));
                }
            }
            return;
        };
        let disks = &mut self.servers[Device::Disk(0).index()..];
        self.own.clear();
        for (disk, server) in disks.iter_mut().enumerate() {
            let own = self.buckets.get_mut(disk).and_then(Option::as_mut).map_or(1.0, |bucket| bucket.at(now));
            self.own.push(own);
            if !ceiling.holds(disk) && (server.capacity() - own).abs() > f64::EPSILON {
                server.set_capacity(now, own);
            }
        }
        ceiling.divide(now, disks, &self.own);
        for (bucket, server) in self.buckets.iter_mut().zip(disks).filter_map(|(bucket, server)| Some((bucket.as_mut()?, server))) {
            bucket.uses(used(server));
        }
    }

    /// Panics if a disk or the machine has more credit than its bucket holds, or less than none.
    pub(crate) fn check_credit(&self) {
        self.buckets.iter().flatten().for_each(Bucket::check);
        self.ceiling.iter().for_each(Ceiling::check);
    }

    /// When a busy disk runs out of its own credit, or its machine of that for all.
    fn dry_at(&self, server: usize) -> Option<SimTime> {
        if self.buckets.is_empty() && self.ceiling.is_none() {
            return None;
        }
        let disk = server.checked_sub(Device::Disk(0).index())?;
        let own = self.buckets.get(disk).and_then(|bucket| bucket.as_ref()?.dry_at());
        let machine = self.ceiling.as_ref().filter(|ceiling| ceiling.holds(disk)).and_then(Ceiling::dry_at);
        own.into_iter().chain(machine).min()
    }

    /// Forgets the pending completion of a device whose event has just come.
    pub(crate) fn fired(&mut self, device: Device) {
        self.pending[device.index()] = None;
    }
}

/// How much of a disk is used, relative to its own rate.
fn used(server: &FairShare<FlowOwner>) -> f64 {
    if server.active() > 0 { server.capacity() } else { server.steady().iter().sum::<f64>().min(server.capacity()) }
}

fn bucket_of(disk: &DiskSpec, burst: &BurstSpec) -> Option<Bucket> {
    Bucket::new(effective_rate(disk, disk.write.as_f64()), disk.io_size, burst)
}

/// `spark.shuffle.push.server.minChunkSizeInMergedShuffleFile`: merged files are read in chunks of it.
const MERGED_CHUNK: Bytes = Bytes::mib(2);

/// Read bandwidth for merged files, whose chunks cost fewer operations.
fn chunked_rate(disk: &DiskSpec) -> f64 {
    disk.read.as_f64().min(disk.iops as f64 * disk.io_size.max(MERGED_CHUNK).as_f64()).max(1.0)
}

/// Bandwidth after the cap of I/O operations: `min(bandwidth, iops · io_size)`.
pub(super) fn effective_rate(disk: &DiskSpec, bandwidth: f64) -> f64 {
    capped(bandwidth, disk.iops, disk.io_size)
}

/// A bandwidth under the cap of I/O operations of one size, bytes a second.
pub(crate) fn capped(bandwidth: f64, iops: u64, io_size: Bytes) -> f64 {
    bandwidth.min(iops as f64 * io_size.as_f64()).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::ids::NodeId;
    use crate::units::{ByteRate, SimSpan};

    /// A node with one disk of 100 MB/s that does 170 with 700 MB of credit.
    fn bursting() -> NodeDevices {
        let mut shape = fixture::case_study(false, false).cluster.pools[0].shape.clone();
        let burst = BurstSpec { rate: ByteRate::mb_per_sec(170), iops: 100_000, credit: Bytes::new(700_000_000) };
        let rate = ByteRate::mb_per_sec(100);
        let disk = DiskSpec { read: rate, write: rate, iops: 100_000, burst: Some(burst), ..shape.disks[0].clone() };
        shape.disks = vec![disk];
        NodeDevices::new(&shape, &Speeds { cpu: 1.0, nic: 1.0, disks: vec![1.0] })
    }

    /// Runs the calendar dry; gives the instants at which flows ended, and how many events that took.
    fn ends(devices: &mut NodeDevices, calendar: &mut Calendar<Event>) -> (Vec<f64>, usize) {
        let (mut ends, mut events) = (Vec::new(), 0);
        devices.refresh(calendar, |device| Event::DeviceDone(NodeId::new(0), device));
        while let Some((now, event)) = calendar.pop() {
            let Event::DeviceDone(_, device) = event else { panic!("{event:?}") };
            devices.fired(device);
            events += 1;
            while devices.pop_done(now, device).is_some() {
                ends.push(now.as_secs_f64());
            }
            devices.refresh(calendar, |device| Event::DeviceDone(NodeId::new(0), device));
        }
        (ends, events)
    }

    fn owner() -> FlowOwner {
        FlowOwner::WriteBack(0)
    }

    /// 2700 MB: 170 MB/s for the ten seconds that 700 MB of credit last, then 100 MB/s: twenty seconds, and one event for the change.
    #[test]
    fn a_write_ends_when_the_closed_form_says() {
        let (mut devices, mut calendar) = (bursting(), Calendar::new());
        devices.add_write(SimTime::ZERO, 0, Bytes::new(2_700_000_000), owner());
        let (ends, events) = ends(&mut devices, &mut calendar);
        assert!((ends[0] - 20.0).abs() < 1e-6 && events == 2, "{ends:?}, {events} events");
    }

    /// Two equal flows share the burst: both end at the time of their sum.
    #[test]
    fn credit_is_the_disks_not_the_flows() {
        let (mut devices, mut calendar) = (bursting(), Calendar::new());
        devices.add_write(SimTime::ZERO, 0, Bytes::new(1_350_000_000), owner());
        devices.add_read(SimTime::ZERO, 0, Bytes::new(1_350_000_000), owner());
        let (ends, _) = ends(&mut devices, &mut calendar);
        assert!(ends.iter().all(|end| (end - 20.0).abs() < 1e-6), "{ends:?}");
    }

    /// With its credit gone an idle disk saves 100 MB/s: after five idle seconds there are 500 MB, which lift the next write for 500 / 70 s.
    #[test]
    fn idle_seconds_earn_credit() {
        let (mut devices, mut calendar) = (bursting(), Calendar::new());
        devices.add_write(SimTime::ZERO, 0, Bytes::new(2_700_000_000), owner());
        let _ = ends(&mut devices, &mut calendar);
        let later = calendar.now() + SimSpan::from_secs(5);
        calendar.schedule(later, Event::DriverUp.class(), Event::DriverUp);
        assert_eq!(calendar.pop().map(|(at, _)| at), Some(later));
        let bytes = 2_000_000_000.0;
        devices.add_write(later, 0, Bytes::from_f64(bytes), owner());
        let (ends, _) = ends(&mut devices, &mut calendar);
        let took = (bytes - 500e6) / 100e6;
        assert!((ends[0] - later.as_secs_f64() - took).abs() < 1e-6, "{ends:?}, {took}");
    }

    /// 500 operations a second of 64 KiB are 32.8 MB/s, whatever the bandwidth; of 1 MiB the bandwidth is what counts.
    #[test]
    fn operations_cap_small_blocks() {
        let mut disk = fixture::case_study(false, false).cluster.pools[0].shape.disks[0].clone();
        disk.iops = 500;
        for (block, expected) in [(Bytes::kib(64), 32_768_000.0), (Bytes::mib(1), 100e6)] {
            disk.io_size = block;
            assert!((effective_rate(&disk, 100e6) - expected).abs() < 1e-6, "{block:?}");
        }
    }
}

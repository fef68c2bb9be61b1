//! One node while it runs: devices, memory, scratch files, who lives there.
//!
//! A machine joins the parts that share a node: processor-sharing devices, memory cgroups, the files on its
//! disks with their dirty pages, and the kubelet's view of it. Parts do not know each other; what crosses them
//! goes through here or through the rooms' handlers. Assumptions: dirty pages are counted by node, not by container, which throttles writers
//! of limited containers too early when several write (PC-2). Source: 6.1, 6.5.

use crate::event::Event;
use crate::hardware::{Device, FlowOwner, NodeDevices, page_cache};
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::kernel::{Calendar, EventHandle};
use crate::kube::eviction::Remembered;
use crate::linux::cgroup::NodeMemory;
use crate::spec::DiskSpec;
use crate::units::{Bytes, SimTime};

/// Who owns a pod on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// An executor.
    Executor(ExecutorId),
    /// A neighbour, by its index in the cluster spec.
    Neighbour(u32),
    /// The driver.
    Driver,
}

/// What the kubelet knew at its last look at the metrics.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Metrics {
    /// Working set of all pods.
    pub(crate) pods: Bytes,
    /// Working set of the node.
    pub(crate) node: Bytes,
}

/// A node at run time.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) id: NodeId,
    pub(crate) devices: NodeDevices,
    pub(crate) memory: NodeMemory,
    /// Owner of each memory slot.
    pub(crate) owners: Vec<Owner>,
    /// Scratch files on disks and claims, all pods: what the page cache may hold.
    pub(crate) files: Bytes,
    /// Those on each disk of its shape.
    pub(crate) files_on: Vec<Bytes>,
    /// The device that stands for the ceiling on all remote disks, where one is known and claims are used.
    pub(crate) remote: Option<u8>,
    /// Dirty pages on their way to disk.
    pub(crate) dirty: Bytes,
    /// Bytes used on disk 0 beside scratch.
    pub(crate) disk_used: Bytes,
    pub(crate) metrics: Metrics,
    /// What its eviction manager remembers.
    pub(crate) eviction: Remembered,
    /// Whether image garbage collection has freed what it can.
    pub(crate) images_collected: bool,
    /// Until when the node reports memory pressure.
    pub(crate) memory_pressure_until: SimTime,
    /// When volume statistics were last taken.
    pub(crate) volume_stats_at: SimTime,
    /// Until when the node reports disk pressure.
    pub(crate) disk_pressure_until: SimTime,
    /// Whether it takes no more pods.
    pub(crate) cordoned: bool,
    /// Whether an executor has been here, so that its image is.
    pub(crate) has_image: bool,
    /// Whether it has vanished.
    pub(crate) lost: bool,
    crossing: Option<(SimTime, EventHandle)>,
    /// Whether it must be looked at after this event.
    pub(crate) touched: bool,
}

impl Machine {
    /// A node with nobody on it.
    pub(crate) fn new(id: NodeId, devices: NodeDevices, memory: NodeMemory, disks: &[DiskSpec]) -> Self {
        Self {
            id,
            devices,
            memory,
            owners: Vec::new(),
            files: Bytes::ZERO,
            files_on: vec![Bytes::ZERO; disks.len()],
            remote: None,
            dirty: Bytes::ZERO,
            disk_used: disks[0].used,
            metrics: Metrics::default(),
            eviction: Remembered::default(),
            images_collected: false,
            memory_pressure_until: SimTime::ZERO,
            volume_stats_at: SimTime::ZERO,
            disk_pressure_until: SimTime::ZERO,
            cordoned: false,
            has_image: false,
            lost: false,
            crossing: None,
            touched: true,
        }
    }

    /// Opens a pod for an owner.
    pub(crate) fn open_pod(&mut self, owner: Owner, limit: Option<Bytes>, tmpfs_capacity: Option<Bytes>) -> PodSlot {
        let slot = self.memory.open_pod(limit, tmpfs_capacity);
        if slot.index() == self.owners.len() {
            self.owners.push(owner);
        } else {
            self.owners[slot.index()] = owner;
        }
        slot
    }

    /// Scratch files appear on a disk of its shape, or on a claim.
    pub(crate) fn add_files(&mut self, disk: Option<u8>, bytes: Bytes) {
        self.files += bytes;
        if let Some(disk) = disk {
            self.files_on[usize::from(disk)] += bytes;
        }
    }

    /// Scratch files are gone.
    pub(crate) fn remove_files(&mut self, disk: Option<u8>, bytes: Bytes) {
        self.files -= bytes;
        if let Some(disk) = disk {
            self.files_on[usize::from(disk)] -= bytes;
        }
    }

    /// Virtual time of the CPU, to which memory ramps are tied.
    pub(crate) fn v(&self, now: SimTime) -> f64 {
        self.devices.cpu_virtual_time(now)
    }

    /// Room for page cache beside anonymous and tmpfs memory.
    pub(crate) fn cache_room(&self, now: SimTime) -> Bytes {
        self.memory.capacity.saturating_sub(self.memory.node_level(self.v(now)))
    }

    /// Page cache resident now.
    pub(crate) fn page_cache(&self, now: SimTime) -> Bytes {
        page_cache::resident(self.files, self.cache_room(now))
    }

    /// Sends a buffered write to a disk: absorbed bytes go as write-back, the rest is returned for the writer to wait for.
    pub(crate) fn buffered_write(&mut self, now: SimTime, disk: u8, bytes: Bytes, pod_room: Option<Bytes>) -> Bytes {
        let room = self.cache_room(now);
        let room = pod_room.map_or(room, |pod| pod.min(room));
        let absorbed = page_cache::absorbed(bytes, room, self.dirty);
        if !absorbed.is_zero() {
            self.write_back(now, disk, absorbed);
        }
        bytes - absorbed
    }

    /// Dirty pages begin their way to a disk.
    pub(crate) fn write_back(&mut self, now: SimTime, disk: u8, bytes: Bytes) {
        self.dirty += bytes;
        let Some(ceiling) = self.remote.filter(|_| usize::from(disk) >= self.files_on.len()) else {
            self.devices.add_write(now, disk, bytes, FlowOwner::WriteBack(bytes));
            return;
        };
        // A claim's pages are clean when both the claim and the ceiling on all of them have let them through.
        let half = Bytes::new(bytes.get() / 2);
        self.devices.add_write(now, disk, bytes, FlowOwner::WriteBack(half));
        self.devices.add_write(now, ceiling, bytes, FlowOwner::WriteBack(bytes - half));
    }

    /// Brings the calendar up to date with devices and the next crossing of a limit.
    pub(crate) fn refresh(&mut self, calendar: &mut Calendar<Event>) {
        self.touched = false;
        let id = self.id;
        self.devices.refresh(calendar, |device| Event::DeviceDone(id, device));
        let now = calendar.now();
        let due = self.memory.next_crossing(self.v(now), self.devices.cpu_rate()).map(|span| now + span);
        match (&self.crossing, due) {
            (None, None) => {}
            (Some((at, _)), Some(due)) if *at == due => {}
            (old, due) => {
                if let Some((_, handle)) = old {
                    calendar.cancel(*handle);
                }
                self.crossing = due.map(|due| {
                    let event = Event::MemoryCrossing(self.id);
                    (due, calendar.schedule(due, event.class(), event))
                });
            }
        }
    }

    /// Forgets the crossing whose event has just come.
    pub(crate) fn crossing_fired(&mut self) {
        self.crossing = None;
    }

    /// The next flow of a device that is through.
    pub(crate) fn pop_done(&mut self, now: SimTime, device: Device) -> Option<FlowOwner> {
        self.devices.pop_done(now, device)
    }
}

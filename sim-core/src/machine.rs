//! One node while it runs: devices, memory, scratch files, who lives there.
//!
//! A machine joins the parts that share a node: processor-sharing devices, memory cgroups, the files on its
//! disks with their dirty pages, and the kubelet's view of it. Parts do not know each other; what crosses them
//! goes through here or through the rooms' handlers. Source: 6.1, 6.5.

use crate::cluster::daemons::Daemon;
use crate::event::Event;
use crate::hardware::page_cache::{self, Domain};
use crate::hardware::{Device, FlowOwner, NodeDevices};
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::kernel::{Calendar, EventHandle};
use crate::kube::eviction::Remembered;
use crate::linux::cgroup::NodeMemory;
use crate::spec::{CgroupVersion, DiskSpec};
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

/// Dirty pages on their way to a disk.
#[derive(Clone, Copy, Debug)]
struct WriteBack {
    bytes: Bytes,
    /// The writer's pod, which may be gone: place and serial number.
    pod: Option<(PodSlot, u32)>,
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
    /// Whether the autoscaler has taken it away.
    pub(crate) away: bool,
    /// Whether its kubelet looks.
    pub(crate) kubelet: bool,
    /// Whether YARN takes it for unhealthy: its disks are too full (YRN-7).
    pub(crate) unhealthy: bool,
    /// Daemons outside `kubepods` that can be killed.
    pub(crate) daemons: Vec<Daemon>,
    /// Until when its kubelet or its container runtime is down.
    pub(crate) agents_back: SimTime,
    cgroup: CgroupVersion,
    write_backs: Vec<WriteBack>,
    free_write_backs: Vec<u32>,
    crossing: Option<(SimTime, EventHandle)>,
    /// Whether it must be looked at after this event.
    pub(crate) touched: bool,
}

impl Machine {
    /// A node with nobody on it.
    pub(crate) fn new(id: NodeId, devices: NodeDevices, memory: NodeMemory, disks: &[DiskSpec], cgroup: CgroupVersion) -> Self {
        Self {
            id,
            devices,
            memory,
            owners: Vec::new(),
            files: Bytes::ZERO,
            files_on: vec![Bytes::ZERO; disks.len()],
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
            away: false,
            kubelet: false,
            unhealthy: false,
            daemons: Vec::new(),
            agents_back: SimTime::ZERO,
            cgroup,
            write_backs: Vec::new(),
            free_write_backs: Vec::new(),
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

    /// A pod, or with none one that is gone, has written scratch files to a disk of its shape, or to a claim.
    pub(crate) fn add_files(&mut self, now: SimTime, pod: Option<PodSlot>, disk: Option<u8>, bytes: Bytes) {
        self.count_files(disk, bytes);
        match pod {
            Some(slot) => self.memory.file_written(slot, bytes, self.v(now)),
            None => self.memory.file_found(None, bytes),
        }
    }

    /// Files that were written elsewhere are there: on a claim that is mounted.
    pub(crate) fn find_files(&mut self, pod: Option<PodSlot>, disk: Option<u8>, bytes: Bytes) {
        self.count_files(disk, bytes);
        self.memory.file_found(pod, bytes);
    }

    fn count_files(&mut self, disk: Option<u8>, bytes: Bytes) {
        self.files += bytes;
        if let Some(disk) = disk {
            self.files_on[usize::from(disk)] += bytes;
        }
    }

    /// Scratch files of a pod, or with none those that pods have left, are gone.
    pub(crate) fn remove_files(&mut self, pod: Option<PodSlot>, disk: Option<u8>, bytes: Bytes) {
        self.files -= bytes;
        if let Some(disk) = disk {
            self.files_on[usize::from(disk)] -= bytes;
        }
        self.memory.file_removed(pod, bytes);
    }

    /// A pod's files are read, or with none some of all: what the page cache does not have.
    pub(crate) fn read_files(&mut self, now: SimTime, pod: Option<PodSlot>, bytes: Bytes) -> Bytes {
        let v = self.v(now);
        match pod {
            _ if bytes.is_zero() => Bytes::ZERO,
            Some(slot) => self.memory.file_read(slot, bytes, v),
            None => self.memory.any_file_read(bytes, v),
        }
    }

    /// The pod in which an executor's files lie; none when the pod is gone and they have stayed.
    pub(crate) fn pod_of(&self, id: ExecutorId, slot: Option<PodSlot>) -> Option<PodSlot> {
        // The slot may be one of another node, where files on a claim are read from.
        let here = |slot: &PodSlot| self.owners.get(slot.index()) == Some(&Owner::Executor(id)) && self.memory.pods[slot.index()].open;
        slot.filter(here)
    }

    /// Virtual time of the CPU, to which memory ramps are tied.
    pub(crate) fn v(&self, now: SimTime) -> f64 {
        self.devices.cpu_virtual_time(now)
    }

    /// Page cache resident now.
    pub(crate) fn page_cache(&self, now: SimTime) -> Bytes {
        self.memory.node_page_cache(self.v(now))
    }

    /// Sends a pod's buffered write to a disk: absorbed bytes go as write-back, the rest is returned for the writer to wait for.
    pub(crate) fn buffered_write(&mut self, now: SimTime, disk: u8, bytes: Bytes, pod: Option<PodSlot>) -> Bytes {
        let v = self.v(now);
        let node = Domain { room: self.memory.room_for_files(v), dirty: self.dirty };
        let container = pod.and_then(|slot| {
            let dirty = self.memory.pods[slot.index()].files.dirty;
            self.memory.room_in_pod(slot, v).map(|room| Domain { room, dirty })
        });
        let absorbed = page_cache::absorbed(bytes, node, container, self.cgroup);
        if !absorbed.is_zero() {
            self.write_back(now, disk, absorbed, pod);
        }
        bytes - absorbed
    }

    /// Pages go to swap, and nobody waits for it.
    pub(crate) fn swap_out(&mut self, now: SimTime, bytes: Bytes) {
        let nobody = self.dirty_pages(Bytes::ZERO, None);
        self.devices.add_write(now, 0, bytes, nobody);
    }

    /// A pod's dirty pages begin their way to a disk.
    pub(crate) fn write_back(&mut self, now: SimTime, disk: u8, bytes: Bytes, pod: Option<PodSlot>) {
        let owner = self.dirty_pages(bytes, pod);
        self.devices.add_write(now, disk, bytes, owner);
    }

    /// So many dirty pages of a pod, or none for a flow that nobody waits for.
    pub(crate) fn dirty_pages(&mut self, bytes: Bytes, pod: Option<PodSlot>) -> FlowOwner {
        self.dirty += bytes;
        let pod = pod.map(|slot| {
            let memory = &mut self.memory.pods[slot.index()];
            memory.files.dirty += bytes;
            (slot, memory.serial)
        });
        let index = self.free_write_backs.pop().unwrap_or(self.write_backs.len() as u32);
        if index as usize == self.write_backs.len() {
            self.write_backs.push(WriteBack { bytes, pod });
        } else {
            self.write_backs[index as usize] = WriteBack { bytes, pod };
        }
        FlowOwner::WriteBack(index)
    }

    /// Pages are on the disk, and clean.
    pub(crate) fn written_back(&mut self, index: u32) {
        let WriteBack { bytes, pod } = self.write_backs[index as usize];
        self.free_write_backs.push(index);
        self.dirty -= bytes;
        if let Some((slot, serial)) = pod {
            let memory = &mut self.memory.pods[slot.index()];
            if memory.open && memory.serial == serial {
                memory.files.dirty -= bytes;
            }
        }
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
            (Some((_, handle)), Some(due)) => self.crossing = Some((due, calendar.reschedule(*handle, due))),
            (Some((_, handle)), None) => {
                calendar.cancel(*handle);
                self.crossing = None;
            }
            (None, Some(due)) => {
                let event = Event::MemoryCrossing(self.id);
                self.crossing = Some((due, calendar.schedule(due, event.class(), event)));
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

//! The workers of a remote shuffle service, outside the executors' nodes.
//!
//! All workers together are one NIC each way, one disk and one memory, shared evenly by all flows: partitions are spread over
//! workers, so none is busier than the others. Data that arrives is buffered until it is on disk; at a share of the memory
//! workers take no more, so that clients wait at the disks' pace (85 % pauses and 70 % resumes, which averages to that). Files that
//! the workers' page cache keeps are read without the disk. A full service takes no push. What a failed attempt has pushed stays
//! until its shuffle is removed. Assumption: workers do not die. Source: 3.7; Celeborn's pages on traffic control, storage
//! and fault tolerance, Uniffle's server guide.

use crate::event::Event;
use crate::hardware::node::Speeds;
use crate::hardware::{Device, FlowOwner, NodeDevices};
use crate::ids::ShuffleId;
use crate::kernel::{Calendar, IdVec};
use crate::plan::SimPlan;
use crate::spec::{DiskSpec, NodeShape, RemoteShuffleService, Reservation};
use crate::units::{ByteRate, Bytes, CoreMillis, SimTime};

/// The disk of all workers.
pub(crate) const DISK: u8 = 0;

/// The service at run time.
#[derive(Debug)]
pub(crate) struct RemoteShuffle {
    pub(crate) devices: NodeDevices,
    /// Bytes by shuffle, all copies, on disk or on their way there.
    stored: IdVec<ShuffleId, Bytes>,
    /// Their sum.
    files: Bytes,
    /// Bytes on their way to disk.
    buffered: Bytes,
    /// The parts of it, by number; numbers of those that have arrived are used again.
    writing: Vec<Bytes>,
    free: Vec<u32>,
    capacity: Bytes,
    buffer: Bytes,
    page_cache: Bytes,
    /// Whether pending completions must be brought up to date after this event.
    pub(crate) touched: bool,
}

impl RemoteShuffle {
    /// The empty service that a plan asks for.
    pub(crate) fn new(plan: &SimPlan) -> Option<Self> {
        let conf = plan.spec().spark.shuffle_storage.remote.as_ref()?;
        let service = &conf.service;
        let speeds = Speeds { cpu: 1.0, nic: 1.0, disks: vec![1.0] };
        let workers = u64::from(service.workers);
        let mut stored = IdVec::new();
        for _ in &plan.spec().app.shuffles {
            stored.push(Bytes::ZERO);
        }
        Some(Self {
            devices: NodeDevices::new(&together(service), &speeds),
            stored,
            files: Bytes::ZERO,
            buffered: Bytes::ZERO,
            capacity: service.disk_size * workers,
            buffer: (service.memory * workers).scale(service.pause_at),
            page_cache: service.page_cache * workers,
            writing: Vec::new(),
            free: Vec::new(),
            touched: false,
        })
    }

    /// Room on the disks.
    pub(crate) fn room(&self) -> Bytes {
        self.capacity.saturating_sub(self.files)
    }
    /// All room there is.
    pub(crate) fn capacity(&self) -> Bytes {
        self.capacity
    }
    /// Takes bytes of a shuffle: those that the buffers hold are written behind, the rest is returned for the client to wait for.
    pub(crate) fn take(&mut self, now: SimTime, shuffle: ShuffleId, bytes: Bytes) -> Bytes {
        self.touched = true;
        self.stored[shuffle] += bytes;
        self.files += bytes;
        let absorbed = bytes.min(self.buffer.saturating_sub(self.buffered));
        if !absorbed.is_zero() {
            self.buffered += absorbed;
            let index = self.free.pop().unwrap_or(self.writing.len() as u32);
            if index as usize == self.writing.len() {
                self.writing.push(absorbed);
            } else {
                self.writing[index as usize] = absorbed;
            }
            self.devices.add_write(now, DISK, absorbed, FlowOwner::WriteBack(index));
        }
        bytes - absorbed
    }
    /// A part of the buffers is on the disks.
    pub(crate) fn written(&mut self, index: u32) {
        self.free.push(index);
        self.buffered -= self.writing[index as usize];
    }
    /// Bytes of a read that come from the disks: the page cache holds all files in equal parts.
    pub(crate) fn missed(&self, bytes: Bytes) -> Bytes {
        if self.files <= self.page_cache { Bytes::ZERO } else { bytes.scale(1.0 - self.page_cache.as_f64() / self.files.as_f64()) }
    }
    /// Removes a shuffle.
    pub(crate) fn remove(&mut self, shuffle: ShuffleId) {
        self.files -= std::mem::take(&mut self.stored[shuffle]);
    }
    /// Brings pending completions up to date.
    pub(crate) fn refresh(&mut self, calendar: &mut Calendar<Event>) {
        self.touched = false;
        self.devices.refresh(calendar, Event::RemoteShuffleDone);
    }
    /// For the audit: files are the sum of what is stored, and no more than there is room.
    pub(crate) fn check(&self) {
        assert_eq!(self.files, self.stored.values().copied().sum::<Bytes>(), "files of the remote shuffle service");
        assert!(self.files <= self.capacity && self.buffered <= self.buffer, "the remote shuffle service holds more than it can");
    }
    /// For the audit: bytes of a shuffle.
    pub(crate) fn stored(&self, shuffle: ShuffleId) -> Bytes {
        self.stored[shuffle]
    }
    /// For the audit: all that is on its way to disk arrives.
    pub(crate) fn drain(&mut self, until: SimTime) {
        for device in [Device::NicIn, Device::NicOut, Device::Disk(DISK)] {
            while let Some(owner) = self.devices.pop_done(until, device) {
                match owner {
                    FlowOwner::WriteBack(index) => self.written(index),
                    FlowOwner::Task(..) | FlowOwner::Start(_) | FlowOwner::Migration(_) | FlowOwner::CachedMigration(_) | FlowOwner::MergePush(_) => {
                        panic!("a flow of {owner:?} is left on {device:?} of the remote shuffle service")
                    }
                }
            }
        }
        assert_eq!(self.buffered, Bytes::ZERO, "buffers of the remote shuffle service after write-back");
    }
}

/// All workers as one shape.
fn together(service: &RemoteShuffleService) -> NodeShape {
    let workers = u64::from(service.workers);
    let all = |rate: ByteRate| ByteRate::per_sec(rate.get() * workers);
    NodeShape {
        vm: "remote-shuffle".into(),
        cpu: CoreMillis::cores(1),
        memory: service.memory * workers,
        reserved: Reservation::default(),
        max_pods: 0,
        disks: vec![DiskSpec {
            name: "workers".into(),
            size: service.disk_size * workers,
            used: Bytes::ZERO,
            read: all(service.disk),
            write: all(service.disk),
            iops: u64::from(u32::MAX),
            io_size: Bytes::mib(1),
            burst: None,
            remote: false,
        }],
        remote: None,
        nic: all(service.nic),
        system_memory: crate::spec::Dist::Constant(0.0),
    }
}

//! The local directories of every executor: what carries each, and how large it may become.
//!
//! Spark puts a file into the directory that its name hashes to, whatever room there is (CM-3), so directories are told apart. On
//! Kubernetes they are the pod's volumes (4.1), elsewhere the node's data disks: all but the first when there are several (YRN-7).
//! A claim is a device of its own that no node counts as its storage (4.8). Sources: CM-3, 4.1, 4.8, 5.8, YRN-7.

use crate::kube::local_dirs;
use crate::spec::{ClaimSpec, EmptyDir, Medium, Platform, Spec, VolumeSource};
use crate::units::Bytes;

/// What carries a local directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// An `emptyDir` in memory.
    Tmpfs,
    /// An `emptyDir` on the disk of the kubelet's directory: ephemeral storage of the pod.
    EmptyDir,
    /// A directory of the node on the disk with this index.
    Disk(u8),
    /// The executor's claim with this number.
    Claim(u8),
    /// The claim with this number that all executors share.
    Shared(u8),
}

/// A local directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScratchDir {
    /// What carries it.
    pub carrier: Carrier,
    /// `sizeLimit` of an `emptyDir`, if it has one.
    pub size_limit: Option<Bytes>,
}

impl ScratchDir {
    /// The node's disk that carries it; what is not on one counts for the first.
    pub(crate) fn node_disk(&self) -> u8 {
        match self.carrier {
            Carrier::Disk(disk) => disk,
            Carrier::Tmpfs | Carrier::EmptyDir | Carrier::Claim(_) | Carrier::Shared(_) => 0,
        }
    }
}

/// An executor's local directories.
#[derive(Clone, Debug, PartialEq)]
pub struct ScratchPlan {
    /// In Spark's order. Never empty.
    pub dirs: Vec<ScratchDir>,
    /// How many of them are in memory.
    pub tmpfs_dirs: u32,
    /// Smallest `sizeLimit` of those in memory, if any has one.
    pub tmpfs_size_limit: Option<Bytes>,
    /// Claims that each executor has of its own.
    pub claims: Vec<ClaimSpec>,
    /// Claims that all executors share.
    pub shared: Vec<ClaimSpec>,
    /// Names of their volumes, first those of claims of its own.
    claim_names: [Vec<String>; 2],
    /// Whether a file's directory is a matter of its name.
    pub several: bool,
    /// Whether the order of the directories is another one in each executor, as on YARN (`Utils.getConfiguredLocalDirs`).
    pub shuffled: bool,
    /// Directories that are not in memory, by their number.
    pub(crate) on_disk: Vec<u16>,
}

impl ScratchPlan {
    pub(super) fn new(spec: &Spec) -> Self {
        let mut plan = Self {
            dirs: Vec::new(),
            tmpfs_dirs: 0,
            tmpfs_size_limit: None,
            claims: Vec::new(),
            shared: Vec::new(),
            claim_names: [Vec::new(), Vec::new()],
            several: false,
            shuffled: spec.cluster.platform == Platform::Yarn,
            on_disk: Vec::new(),
        };
        if matches!(spec.cluster.platform, Platform::Yarn | Platform::Standalone) {
            let disks = spec.cluster.pools.iter().map(|pool| pool.shape.disks.len()).min().unwrap_or(1);
            let data = usize::from(disks > 1)..disks;
            plan.dirs = data.map(|disk| ScratchDir { carrier: Carrier::Disk(disk as u8), size_limit: None }).collect();
        } else {
            local_dirs::local_dirs(&spec.spark.kubernetes).iter().for_each(|dir| plan.add_volume(&dir.source));
        }
        for volume in &spec.spark.kubernetes.pod_template.volumes {
            if let VolumeSource::Claim(claim) = volume.source {
                plan.claim_names[usize::from(claim.shared)].push(volume.name.clone());
            }
        }
        plan.several = plan.dirs.len() > 1;
        plan.on_disk = (0..plan.dirs.len()).filter(|&d| plan.dirs[d].carrier != Carrier::Tmpfs).map(|d| d as u16).collect();
        plan
    }

    fn add_volume(&mut self, source: &VolumeSource) {
        let (place, size_limit) = match *source {
            VolumeSource::EmptyDir(EmptyDir { medium, size_limit }) => {
                let limit = size_limit.filter(|size| !size.is_zero());
                if medium == Medium::Memory {
                    self.tmpfs_dirs += 1;
                    self.tmpfs_size_limit = [self.tmpfs_size_limit, limit].into_iter().flatten().min();
                }
                (if medium == Medium::Memory { Carrier::Tmpfs } else { Carrier::EmptyDir }, limit)
            }
            VolumeSource::HostPath { disk } => (Carrier::Disk(disk as u8), None),
            VolumeSource::Claim(claim) => {
                let (claims, place): (_, fn(u8) -> Carrier) =
                    if claim.shared { (&mut self.shared, Carrier::Shared) } else { (&mut self.claims, Carrier::Claim) };
                claims.push(claim);
                (place(claims.len() as u8 - 1), None)
            }
        };
        self.dirs.push(ScratchDir { carrier: place, size_limit });
    }

    /// Name of a claim's volume.
    pub(crate) fn volume(&self, shared: bool, number: usize) -> &str {
        self.claim_names[usize::from(shared)].get(number).map_or("?", String::as_str)
    }

    /// Whether any of them is a claim.
    pub(crate) fn has_claims(&self) -> bool {
        !self.claims.is_empty() || !self.shared.is_empty()
    }

    /// Share of the files that lie in memory, where their names are unknown.
    pub(crate) fn tmpfs_share(&self) -> f64 {
        f64::from(self.tmpfs_dirs) / self.dirs.len() as f64
    }

    /// One of the directories that are not in memory, by any number; `None` when all are.
    pub(crate) fn some_on_disk(&self, number: u64) -> Option<usize> {
        let count = self.on_disk.len() as u64;
        (count > 0).then(|| usize::from(self.on_disk[(number % count) as usize]))
    }
}

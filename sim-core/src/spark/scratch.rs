//! Scratch files of an executor: how many bytes on which medium.
//!
//! Files are spread evenly over the local directories (CM-3), so a number a medium is enough. Map outputs stay
//! until the application ends or the pod's volumes go (RT-1, 2.7); spills and temporary outputs go with the
//! task; files of a killed executor go with its volumes (6.4).

use std::ops::{Add, AddAssign, SubAssign};

use crate::units::Bytes;

/// Bytes on tmpfs and on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) tmpfs: Bytes,
    pub(crate) disk: Bytes,
}

impl Stored {
    /// Nothing.
    pub(crate) const NONE: Self = Self { tmpfs: Bytes::ZERO, disk: Bytes::ZERO };

    /// `bytes` of files, of which `tmpfs_share` lie in tmpfs.
    pub(crate) fn split(bytes: Bytes, tmpfs_share: f64) -> Self {
        let tmpfs = if tmpfs_share >= 1.0 { bytes } else { bytes.scale(tmpfs_share) };
        Self { tmpfs, disk: bytes - tmpfs }
    }
    /// All bytes.
    pub(crate) fn sum(self) -> Bytes {
        self.tmpfs + self.disk
    }
}

impl Add for Stored {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { tmpfs: self.tmpfs + other.tmpfs, disk: self.disk + other.disk }
    }
}
impl AddAssign for Stored {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl SubAssign for Stored {
    fn sub_assign(&mut self, other: Self) {
        self.tmpfs -= other.tmpfs;
        self.disk -= other.disk;
    }
}

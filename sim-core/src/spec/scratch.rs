//! Settings of shuffle files, spills and fetched blocks on scratch, resolved to values.
//!
//! Each field names its key. What a local directory is, and how large, is part of the pod ([`super::PodTemplate`]) and of the
//! node's shape.

use crate::units::{Bytes, SimSpan};

/// Files on scratch: when writers are forced to spill, what is written beside the data, how long files stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScratchConf {
    /// `spark.shuffle.spill.numElementsForceSpillThreshold`: records with which a sorter spills in any case.
    pub force_spill_records: u64,
    /// `spark.shuffle.spill.maxSizeInBytesForSpillThreshold`, from 4.1: size with which it does; `None` for no limit.
    pub force_spill_bytes: Option<Bytes>,
    /// `spark.shuffle.checksum.enabled`: a checksum file beside each map output, from 3.2 (CM-1).
    pub checksum: bool,
    /// `spark.cleaner.periodicGC.interval`: the driver's collections that let shuffles nobody can reach be removed (2.7);
    /// `None` when `spark.cleaner.referenceTracking` is off.
    pub cleaner_interval: Option<SimSpan>,
    /// `spark.sql.classic.shuffleDependency.fileCleanup.enabled` or, for Spark Connect,
    /// `spark.sql.shuffleDependency.fileCleanup.enabled`: an SQL execution's shuffles are removed when it ends (2.7).
    pub sql_file_cleanup: bool,
    /// `spark.shuffle.service.removeShuffle`: the shuffle service removes files of executors that are gone, too.
    pub service_removes: bool,
    /// `spark.network.maxRemoteBlockSizeFetchToMem`: requests above it are streamed to the reader's scratch (FR-2).
    pub fetch_to_memory_max: Bytes,
    /// `spark.reducer.maxReqsInFlight`.
    pub max_requests_in_flight: u32,
    /// `spark.reducer.maxBlocksInFlightPerAddress`.
    pub max_blocks_in_flight_per_address: u32,
}

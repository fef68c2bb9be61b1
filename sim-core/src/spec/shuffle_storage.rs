//! Where shuffle data lies, if not only on the executors' scratch: a remote shuffle service, or merged by shuffle services.
//!
//! Each field of the client's part names its key; the service's part is what the application gets of it. Everything is resolved: a
//! manager that is not one of these, or that would fall back to Spark's own shuffle, is `None`. Source: 3.7; the configuration
//! pages and client code of Apache Celeborn 0.6 and Apache Uniffle 0.10.

use crate::units::{ByteRate, Bytes, SimSpan};

/// Where shuffle data lies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShuffleStorageConf {
    /// `spark.shuffle.manager` names a remote shuffle service.
    pub remote: Option<RemoteShuffleConf>,
    /// `spark.shuffle.push.enabled`, where Spark would do it: on YARN with an external shuffle service.
    pub push: Option<PushConf>,
}

/// Push-based shuffle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PushConf {
    /// `spark.shuffle.push.maxBlockSizeToPush`.
    pub max_block: Bytes,
    /// `spark.shuffle.push.mergersMinStaticThreshold`.
    pub mergers_min_static: u32,
    /// `spark.shuffle.push.mergersMinThresholdRatio`.
    pub mergers_min_ratio: f64,
    /// Most executors that there can be: `spark.dynamicAllocation.maxExecutors`, or `spark.executor.instances`.
    pub max_executors: u32,
    /// `spark.shuffle.push.finalize.timeout`.
    pub finalize_timeout: SimSpan,
    /// `spark.shuffle.push.minShuffleSizeToWait`.
    pub min_size_to_wait: Bytes,
    /// `spark.shuffle.push.minCompletedPushRatio`.
    pub min_completed_ratio: f64,
}

/// A remote shuffle service as the application sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteShuffleConf {
    /// Whose client writes.
    pub client: RemoteClient,
    /// `spark.celeborn.client.spark.shuffle.fallback.numPartitionsThreshold`: shuffles with more partitions stay Spark's own.
    pub max_partitions: u32,
    /// Whether Spark knows that outputs outlive executors: `spark.shuffle.sort.io.plugin.class` names the service's, from 3.5 on, or
    /// Spark is patched. Otherwise finished tasks of a running map stage run again when their executor is lost (EL-1).
    pub reliable: bool,
    /// Whether Spark takes outputs to be on the executor that pushed them: Celeborn gives Spark the executor's address, Uniffle none.
    pub at_executor: bool,
    /// Copies that the client sends: `spark.rss.data.replica`.
    pub copies_sent: u32,
    /// Copies that workers make of what they receive: one with `spark.celeborn.client.push.replicate.enabled`.
    pub copies_made: u32,
    /// Bytes that a reducer has in flight: chunks of 8 MiB in 3 requests (Celeborn), a read buffer (Uniffle).
    pub fetch_in_flight: Bytes,
    /// What is on the other side.
    pub service: RemoteShuffleService,
}

impl RemoteShuffleConf {
    /// Copies that lie on workers.
    pub fn copies(&self) -> u64 {
        u64::from(self.copies_sent) + u64::from(self.copies_made)
    }
}

/// A client, and what it takes of an executor's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteClient {
    /// Apache Celeborn.
    Celeborn {
        /// `spark.celeborn.client.push.buffer.initial.size`.
        buffer_initial: Bytes,
        /// `spark.celeborn.client.push.buffer.max.size`.
        buffer_max: Bytes,
        /// `spark.celeborn.client.push.queue.capacity`: buffers of the largest size that each task's queue has from the start.
        queue: u32,
        /// `spark.celeborn.client.spark.push.sort.memory.threshold`.
        sort_threshold: Bytes,
        /// Most partitions with which the hash writer is taken: all or none by `….spark.shuffle.writer`, else
        /// `….push.dynamicWriteMode.partitionNum.threshold`.
        hash_up_to: u32,
    },
    /// Apache Uniffle.
    Uniffle {
        /// `spark.rss.writer.buffer.spill.size`: rows that a task holds before it sends them.
        spill_size: Bytes,
        /// `spark.rss.writer.pre.allocated.buffer.size`: how much it asks for at a time.
        step: Bytes,
        /// `spark.rss.client.memory.spill.enabled`: whether it sends what it holds when it is refused memory.
        spills: bool,
    },
}

/// The workers, together: what of them the application can use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemoteShuffleService {
    /// How many.
    pub workers: u32,
    /// NIC of one, each way.
    pub nic: ByteRate,
    /// Disks of one, read and write.
    pub disk: ByteRate,
    /// Room on the disks of one.
    pub disk_size: Bytes,
    /// Memory of one for data on its way to disk: direct memory (Celeborn), the server's buffer (Uniffle).
    pub memory: Bytes,
    /// Share of that memory at which it takes no more data.
    pub pause_at: f64,
    /// Memory of one that keeps files which were written for their readers.
    pub page_cache: Bytes,
}

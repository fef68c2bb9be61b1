//! The machines' devices: CPU, disks and NIC as processor-sharing servers.
//!
//! Every device serves all its flows at equal rates ([`crate::kernel::FairShare`]); a CPU flow is one task
//! thread and never gets more than one core. Work on a disk or NIC is counted in seconds of the whole device,
//! so that reads and writes of different speeds share one queue, and I/O operations per second cap the
//! bandwidth through the size of one I/O (domain-facts 5.11, 8.1). A device has one pending completion in the
//! calendar, not one a flow. How much of a write the page cache absorbs is in `page_cache`, what neighbours take in `standing`, a
//! machine's cap on its remote disks in `ceiling`;
//! which pages are resident in [`crate::linux`].

mod burst;
mod ceiling;
pub(crate) mod node;
pub(crate) mod page_cache;
mod standing;

pub use node::Device;
pub(crate) use node::{FlowOwner, NodeDevices};
pub(crate) use standing::Standing;

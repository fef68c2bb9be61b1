//! The simulation kernel: what every part of the model stands on and what knows nothing of Spark or Linux.
//!
//! [`Calendar`] holds the future events in a total order, [`FairShare`] shares a device between flows (`max_min` says how, where some ask for less),
//! [`Ledger`] keeps byte accounts that must balance, [`Luck`] gives random numbers by address, and [`IdVec`]
//! is the arena behind typed ids. Nothing here allocates per event once its buffers have grown, and everything
//! can be cleared and used again by the next replication.
//! [`slow_share`] and [`slow_calendar`] are plain twins, kept as oracles for the tests and as yardsticks for the benches.

mod calendar;
mod fair_share;
mod heap;
mod ids;
mod ledger;
pub(crate) mod max_min;
mod rng;
mod slab;
pub mod slow_calendar;
pub mod slow_share;

pub use calendar::{Calendar, EventHandle};
pub use fair_share::{FairShare, FlowHandle};
pub(crate) use ids::define_id;
pub use ids::{Id, IdVec};
pub use ledger::{AccountClass, AccountId, Imbalance, Ledger};
pub use rng::{Luck, Purpose, Stream, mix};

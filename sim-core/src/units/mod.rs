//! Units as types.
//!
//! Every quantity that crosses a module is one of these newtypes over an integer, so that bytes cannot be
//! added to nanoseconds and no simulated instant is ever `NaN`. Subtraction that would go below zero is a
//! defect in the model and panics; where a shortage is a legal state the `saturating_` form says so. Division
//! by a rate rounds up in one place ([`ByteRate::time_for`]), with 128-bit intermediates.
//! MiB and GiB are powers of two, as Spark's `m`/`g` and Kubernetes' `Mi`/`Gi` (domain-facts 0.2).

mod bytes;
mod cpu;
mod probability;
mod rounding;
mod time;

pub use bytes::{ByteRate, Bytes};
pub use cpu::CoreMillis;
pub use probability::Probability;
pub(crate) use rounding::round_up;
pub use time::{SimSpan, SimTime};

//! The kernel against closed forms of queueing theory.
//!
//! Every test simulates a textbook system on `Calendar` and `FairShare`, as the model uses them, and compares the mean over
//! independent replications with the formula. The tolerance is the simulation's own 99.9 % confidence interval, and its width is
//! bounded too, so that a vague result can't pass; controls show that neighbouring formulas are rejected. Seeds are fixed, so
//! a test either always passes or always fails for a given kernel.

#[path = "oracle/closed.rs"]
mod closed;
#[path = "oracle/open.rs"]
mod open;
#[path = "oracle/replicated.rs"]
mod replicated;
#[path = "oracle/work.rs"]
mod work;

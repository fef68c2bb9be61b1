//! What users write or export, read and checked into the model's inputs.

pub mod diag;
pub mod event_log;
pub mod profile;

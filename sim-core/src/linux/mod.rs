//! linux

pub mod oom_badness;

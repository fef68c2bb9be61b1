//! Black-box tests: the built binary, as users and pipelines meet it.

mod gates;
mod help;
mod ingest;
mod inputs;
mod interrupt;
mod manners;
mod outputs;
mod placement;
mod spillcast;
mod validate;

//! Typed reading of a tree that the walker has passed and the defaults have filled.
//!
//! Every method has a neutral answer for what cannot happen there, so that nothing panics.

use sim_core::spec::{Dist, Label};
use sim_core::units::{ByteRate, Bytes, CoreMillis, SimSpan};

use crate::diag::Diagnostics;
use crate::quantity;
use crate::raw::{Node, Value};
use crate::schema::{Measure, dist, system_priority};

/// A table.
#[derive(Clone, Copy)]
pub(super) struct View<'a>(pub(super) &'a Node);

impl<'a> View<'a> {
    /// A key, if it is there.
    pub(super) fn maybe(self, key: &str) -> Option<Self> {
        self.0.get(key).map(View)
    }
    /// A table below; itself when it is not there, which the walker excludes.
    pub(super) fn table(self, key: &str) -> Self {
        self.maybe(key).unwrap_or(self)
    }
    /// The items of a list.
    pub(super) fn items(self, key: &str) -> impl Iterator<Item = View<'a>> {
        self.0.get(key).map_or(&[][..], Node::items).iter().map(View)
    }
    fn scalar(self, key: &str) -> String {
        self.0.get(key).and_then(Node::scalar).unwrap_or_default()
    }
    /// A text.
    pub(super) fn text(self, key: &str) -> String {
        self.scalar(key)
    }
    /// A switch.
    pub(super) fn on(self, key: &str) -> bool {
        self.0.get(key).is_some_and(|node| node.value == Value::Bool(true))
    }
    /// A count.
    pub(super) fn count64(self, key: &str) -> u64 {
        self.scalar(key).parse().unwrap_or_default()
    }
    /// An integer, which may be below zero.
    pub(super) fn integer(self, key: &str) -> i32 {
        self.scalar(key).parse().unwrap_or_default()
    }
    /// A count.
    pub(super) fn count(self, key: &str) -> u32 {
        self.scalar(key).parse().unwrap_or_default()
    }
    /// A number.
    pub(super) fn number(self, key: &str) -> f64 {
        self.scalar(key).parse().unwrap_or_default()
    }
    /// A size.
    pub(super) fn size(self, key: &str) -> Bytes {
        quantity::size(&self.scalar(key)).unwrap_or_default()
    }
    /// A size, if it is there.
    pub(super) fn maybe_size(self, key: &str) -> Option<Bytes> {
        self.maybe(key).map(|_| self.size(key))
    }
    /// A time.
    pub(super) fn time(self, key: &str) -> SimSpan {
        quantity::time(&self.scalar(key)).unwrap_or_default()
    }
    /// A rate.
    pub(super) fn rate(self, key: &str) -> ByteRate {
        quantity::rate(&self.scalar(key)).unwrap_or(ByteRate::per_sec(1))
    }
    /// CPU.
    pub(super) fn cpu(self, key: &str) -> CoreMillis {
        quantity::cpu(&self.scalar(key)).unwrap_or_default()
    }
    /// A distribution.
    pub(super) fn dist(self, key: &str, measure: Measure) -> Dist {
        self.0.get(key).and_then(|node| dist(node, measure, &mut Diagnostics::default())).unwrap_or(Dist::Constant(0.0))
    }
    /// Labels.
    pub(super) fn labels(self, key: &str) -> Vec<Label> {
        self.0.get(key).map_or(&[][..], Node::entries).iter().map(|e| Label::new(&e.key, e.node.scalar().unwrap_or_default())).collect()
    }
    /// A pod priority.
    pub(super) fn priority(self, key: &str) -> i32 {
        let text = self.scalar(key);
        system_priority(&text).or_else(|| text.parse().ok()).unwrap_or_default()
    }
}

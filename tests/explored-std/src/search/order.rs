//! What happened before what.

use crate::engine::operation::{ObjectIndex, ThreadIndex};

/// The order of events.
#[derive(Debug, Default)]
pub(crate) struct Order {}

impl Order {
    pub(crate) fn spawned(&mut self, _by: ThreadIndex, _new: ThreadIndex) {}
    pub(crate) fn exited(&mut self, _thread: ThreadIndex) {}
    pub(crate) fn released(&mut self, _by: ThreadIndex, _object: ObjectIndex) {}
    pub(crate) fn everybody_meets(&mut self) {}
}

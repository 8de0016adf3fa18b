//! The programs on our model.

pub(crate) use crate::Program;
pub(crate) mod model {
    pub(crate) use explored_std::{sync, thread, time};
}
#[path = "programs/atomics.rs"]
pub(crate) mod atomics;
#[path = "programs/channels.rs"]
pub(crate) mod channels;
#[path = "programs/locks.rs"]
pub(crate) mod locks;
#[path = "programs/orderings.rs"]
pub(crate) mod orderings;
#[path = "programs/own.rs"]
pub(crate) mod own;
#[path = "programs/waiting.rs"]
pub(crate) mod waiting;

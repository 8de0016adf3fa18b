//! The same programs on the other model, as far as it can run them.

pub(crate) use crate::Program;
pub(crate) mod model {
    pub(crate) use shuttle::{sync, thread};
}
#[path = "programs/atomics.rs"]
pub(crate) mod atomics;
#[path = "programs/channels.rs"]
pub(crate) mod channels;
#[path = "programs/locks.rs"]
pub(crate) mod locks;
#[path = "programs/waiting.rs"]
pub(crate) mod waiting;

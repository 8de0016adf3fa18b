//! What a runtime counts.

use std::panic::Location;
use std::raw::{self, whole};
use std::sync::Arc;

use crate::runtime::Shared;
use crate::task;

/// The model of `tokio::runtime::RuntimeMetrics`.
#[derive(Clone)]
pub struct RuntimeMetrics {
    pub(crate) shared: Arc<Shared>,
}

impl RuntimeMetrics {
    /// How many workers the runtime has.
    #[must_use]
    pub fn num_workers(&self) -> usize {
        // A current-thread runtime has the thread that is in `block_on`.
        self.shared.count.max(1)
    }

    /// How many tasks have not ended. Closures for blocking work are none.
    #[must_use]
    #[track_caller]
    pub fn num_alive_tasks(&self) -> usize {
        let (name, at) = ("num_alive_tasks", Location::caller());
        raw::look_closely();
        self.shared.life.touch(name, at);
        let tasks = self.shared.inside.with(|inside| inside.tasks.clone());
        // All of them are looked at in that step.
        whole(|| tasks.iter().filter(|task| !task.is_blocking() && !task::is_finished(task, name, at)).count())
    }
}

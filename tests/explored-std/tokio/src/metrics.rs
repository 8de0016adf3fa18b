//! What a runtime counts.

use std::panic::Location;
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
        let at = Location::caller();
        let tasks = self.shared.inside.with(|inside| inside.tasks.clone());
        tasks.iter().filter(|task| !task.is_blocking() && !task::is_finished(task, "num_alive_tasks", at)).count()
    }
}

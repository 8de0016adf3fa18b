//! Answers what came first.

use std::sync::{Arc, Mutex};

use super::locked;

/// Events in the order of their happening. Clones are the same log.
///
/// ```
/// use kata::Log;
///
/// let log = Log::new();
/// log.note("put 1");
/// log.note("get 1");
/// assert!(log.before("put 1", "get 1"));
/// assert!(!log.happened("put 2"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Nothing has happened yet.
    pub fn new() -> Log {
        Log::default()
    }

    /// This happened now.
    #[track_caller]
    pub fn note(&self, event: impl Into<String>) {
        let event = event.into();
        locked(&self.0).push(event);
    }

    /// Whether both happened, and `first` for the first time earlier than `second` for the first time.
    #[track_caller]
    pub fn before(&self, first: &str, second: &str) -> bool {
        let events = locked(&self.0);
        let position = |event: &str| events.iter().position(|noted| noted == event);
        matches!((position(first), position(second)), (Some(first), Some(second)) if first < second)
    }

    /// Whether this has happened.
    #[track_caller]
    pub fn happened(&self, event: &str) -> bool {
        locked(&self.0).iter().any(|noted| noted == event)
    }

    /// How often this has happened.
    #[track_caller]
    pub fn count(&self, event: &str) -> usize {
        locked(&self.0).iter().filter(|noted| *noted == event).count()
    }

    /// All that has happened so far.
    #[track_caller]
    pub fn events(&self) -> Vec<String> {
        locked(&self.0).clone()
    }
}

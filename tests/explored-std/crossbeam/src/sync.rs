//! `crossbeam::sync`: what is here of it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex};

/// Lets threads wait until all of them have come so far: until all clones are dropped.
pub struct WaitGroup {
    inside: Arc<Inside>,
}

/// How many clones there are.
struct Inside {
    count: Mutex<usize>,
    changed: Condvar,
}

impl WaitGroup {
    /// A group of one.
    #[track_caller]
    #[must_use]
    pub fn new() -> WaitGroup {
        WaitGroup { inside: Arc::new(Inside { count: Mutex::new(1), changed: Condvar::new() }) }
    }

    /// Drops this one, and waits until all others are dropped.
    #[track_caller]
    pub fn wait(self) {
        let inside = Arc::clone(&self.inside);
        drop(self);
        let count = inside.count.lock().expect("nothing panics under this lock");
        drop(inside.changed.wait_while(count, |count| *count > 0).expect("nothing panics under this lock"));
    }
}

impl Default for WaitGroup {
    #[track_caller]
    fn default() -> WaitGroup {
        WaitGroup::new()
    }
}

impl Clone for WaitGroup {
    #[track_caller]
    fn clone(&self) -> WaitGroup {
        *self.inside.count.lock().expect("nothing panics under this lock") += 1;
        WaitGroup { inside: Arc::clone(&self.inside) }
    }
}

impl Drop for WaitGroup {
    fn drop(&mut self) {
        // Its holder may unwind, which poisons the lock only for those who look at it.
        let mut count = self.inside.count.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *count -= 1;
        if *count == 0 {
            self.inside.changed.notify_all();
        }
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = *self.inside.count.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        f.debug_struct("WaitGroup").field("count", &count).finish()
    }
}

//! rejected: assertion
//!
//! Both waits sleep a little, look, and sleep again. That works, and it is late: up to a whole slice after the worker has
//! ended or was told to stop. A shorter slice is less late and wakes the processor more often, for nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const SLICE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    stop: Arc<StopSignal>,
}

#[derive(Debug, Default)]
pub struct StopSignal {
    told: AtomicBool,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let stop = Arc::new(StopSignal::default());
        let shared = Arc::clone(&stop);
        let handle = thread::Builder::new().name(name.to_owned()).spawn(move || work(&shared)).unwrap();
        Worker { handle, stop }
    }

    pub fn stop(&self) {
        self.stop.told.store(true, Ordering::SeqCst);
    }

    pub fn is_alive(&self) -> bool {
        !self.handle.is_finished()
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        let start = Instant::now();
        while self.is_alive() {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Joined::StillRunning(self);
            }
            thread::sleep(SLICE.min(left));
        }
        Joined::Ended(self.join())
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        self.told.load(Ordering::SeqCst)
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        let start = Instant::now();
        while !self.is_set() {
            let left = pause.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            thread::sleep(SLICE.min(left));
        }
        self.is_set()
    }
}

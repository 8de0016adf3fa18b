//! rejected: assertion
//!
//! The wait for the end spins: look, yield, look. It keeps a processor busy for as long as it waits, and takes it from the
//! very worker that it waits for.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    stop: Arc<StopSignal>,
}

#[derive(Debug, Default)]
pub struct StopSignal {
    told: Mutex<bool>,
    changed: Condvar,
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
        *self.stop.told.lock().unwrap() = true;
        self.stop.changed.notify_all();
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
            if start.elapsed() >= limit {
                return Joined::StillRunning(self);
            }
            thread::yield_now();
        }
        Joined::Ended(self.join())
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        *self.told.lock().unwrap()
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        let told = self.told.lock().unwrap();
        *self.changed.wait_timeout_while(told, pause, |told| !*told).unwrap().0
    }
}

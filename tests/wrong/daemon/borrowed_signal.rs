//! rejected: compile-error
//!
//! The signal lives on the stack of `start`, and the thread borrows it. It is gone as soon as `start` returns, so the
//! compiler refuses.

use std::sync::{Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    stop: StopSignal,
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
        let stop = StopSignal::default();
        let handle = thread::Builder::new().name(name.to_owned()).spawn(|| work(&stop)).unwrap();
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
        thread::sleep(limit);
        if self.is_alive() { Joined::StillRunning(self) } else { Joined::Ended(self.join()) }
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

//! rejected: assertion, deadlock, serialised
//!
//! The work is done before `start` returns: in a thread, with the right name, but its owner waits for it there and then. A
//! worker that needs its owner to go on never ends.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    result: thread::Result<T>,
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
        Worker { result: handle.join(), stop }
    }

    pub fn stop(&self) {
        *self.stop.told.lock().unwrap() = true;
        self.stop.changed.notify_all();
    }

    pub fn is_alive(&self) -> bool {
        false
    }

    pub fn join(self) -> thread::Result<T> {
        self.result
    }

    pub fn join_timeout(self, _limit: Duration) -> Joined<T> {
        Joined::Ended(self.result)
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

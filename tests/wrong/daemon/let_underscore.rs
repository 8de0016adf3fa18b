//! rejected: assertion, deadlock
//!
//! The worker's end of the channel shall be dropped when the work ends. But `let _ = alive;` binds nothing: the sender is
//! dropped there and then, so a worker that has just begun counts as ended.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    stop: Arc<StopSignal>,
    ended: Receiver<()>,
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
        let (alive, ended) = mpsc::channel();
        let thread_body = move || {
            let _ = alive;
            work(&shared)
        };
        let handle = thread::Builder::new().name(name.to_owned()).spawn(thread_body).unwrap();
        Worker { handle, stop, ended }
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
        match self.ended.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => Joined::StillRunning(self),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Joined::Ended(self.join()),
        }
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

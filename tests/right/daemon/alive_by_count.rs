//! accepted
//!
//! Whether the worker is alive is how many references there are to its signal: the thread holds one until its work has returned.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    ended: Receiver<()>,
    stop: Arc<StopSignal>,
}

#[derive(Debug)]
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
        let stop = Arc::new(StopSignal { told: Mutex::new(false), changed: Condvar::new() });
        let (alive, ended) = mpsc::channel();
        let signal = Arc::clone(&stop);
        let handle = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let (signal, _alive) = (signal, alive);
                work(&signal)
            })
            .unwrap();
        Worker { handle, ended, stop }
    }

    pub fn stop(&self) {
        *self.stop.told.lock().unwrap() = true;
        self.stop.changed.notify_all();
    }

    pub fn is_alive(&self) -> bool {
        Arc::strong_count(&self.stop) > 1
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        match self.ended.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => Joined::StillRunning(self),
            _ => Joined::Ended(self.handle.join()),
        }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        *self.told.lock().unwrap()
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        let told = self.told.lock().unwrap();
        let (told, _) = self.changed.wait_timeout_while(told, pause, |told| !*told).unwrap();
        *told
    }
}

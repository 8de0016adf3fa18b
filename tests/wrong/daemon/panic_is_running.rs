//! rejected: assertion
//!
//! The worker says "I have ended" as its last statement. A worker that panics never comes to that statement, so it counts
//! as running for ever: who waits for it waits for the whole limit and then learns something that isn't true.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    stop: Arc<StopSignal>,
    ended: Arc<StopSignal>,
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
        let (stop, ended) = (Arc::new(StopSignal::default()), Arc::new(StopSignal::default()));
        let thread_body = {
            let (stop, ended) = (Arc::clone(&stop), Arc::clone(&ended));
            move || {
                let result = work(&stop);
                ended.set();
                result
            }
        };
        let handle = thread::Builder::new().name(name.to_owned()).spawn(thread_body).unwrap();
        Worker { handle, stop, ended }
    }

    pub fn stop(&self) {
        self.stop.set();
    }

    pub fn is_alive(&self) -> bool {
        !self.ended.is_set()
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        if self.ended.sleep(limit) { Joined::Ended(self.join()) } else { Joined::StillRunning(self) }
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

    fn set(&self) {
        *self.told.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

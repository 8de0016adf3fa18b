//! rejected: assertion
//!
//! The stop is the end of a channel whose other end is in the worker's handle. So dropping the handle tells the worker to
//! stop, although all its owner meant was that nobody will join it.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    not_yet: Mutex<Option<Sender<()>>>,
    ended: Receiver<()>,
}

#[derive(Debug)]
pub struct StopSignal {
    not_yet: Receiver<()>,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let (until_stop, not_yet) = mpsc::channel();
        let (alive, ended) = mpsc::channel();
        let thread_body = move || {
            let _alive = alive;
            work(&StopSignal { not_yet })
        };
        let handle = thread::Builder::new().name(name.to_owned()).spawn(thread_body).unwrap();
        Worker { handle, not_yet: Mutex::new(Some(until_stop)), ended }
    }

    pub fn stop(&self) {
        *self.not_yet.lock().unwrap() = None;
    }

    pub fn is_alive(&self) -> bool {
        !self.handle.is_finished()
    }

    pub fn join(self) -> thread::Result<T> {
        // A join must not be a stop, that much was thought of.
        let Worker { handle, not_yet, ended: _ } = self;
        let result = handle.join();
        drop(not_yet);
        result
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
        self.not_yet.try_recv() == Err(TryRecvError::Disconnected)
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        self.not_yet.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected)
    }
}

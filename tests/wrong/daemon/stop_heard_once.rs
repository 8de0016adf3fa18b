//! rejected: assertion
//!
//! The stop is a message, and the first sleep takes it out of the channel. Work that comes to another sleep on its way out,
//! or asks `is_set` in the meantime, is told that all is well.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    stop: Sender<()>,
    ended: Receiver<()>,
}

#[derive(Debug)]
pub struct StopSignal {
    told: Receiver<()>,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let (stop, told) = mpsc::channel();
        let (alive, ended) = mpsc::channel();
        let thread_body = move || {
            let _alive = alive;
            work(&StopSignal { told })
        };
        let handle = thread::Builder::new().name(name.to_owned()).spawn(thread_body).unwrap();
        Worker { handle, stop, ended }
    }

    pub fn stop(&self) {
        let _ = self.stop.send(());
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
        self.told.try_recv().is_ok()
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        match self.told.recv_timeout(pause) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(pause);
                false
            }
        }
    }
}

//! accepted
//!
//! The stop goes through a channel. Its worker keeps a sender of its own, so that the channel outlives the owner's handle,
//! and remembers the message, since a message can be taken only once.

use std::cell::Cell;
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
    told: Cell<bool>,
    messages: Receiver<()>,
    _stays_open: Sender<()>,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let (stop, messages) = mpsc::channel();
        let signal = StopSignal { told: Cell::new(false), messages, _stays_open: stop.clone() };
        let (end, ended) = mpsc::channel();
        let thread_body = move || {
            let result = work(&signal);
            // Whether it is sent or, in a panic, dropped: the receiver hears of it.
            let _ = end.send(());
            result
        };
        let handle = thread::Builder::new().name(name.to_string()).spawn(thread_body).unwrap();
        Worker { handle, stop, ended }
    }

    pub fn stop(&self) {
        // It fails if the worker has ended, which is what was asked for.
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
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Joined::Ended(self.handle.join()),
        }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        self.sleep(Duration::ZERO)
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        if !self.told.get() {
            self.told.set(self.messages.recv_timeout(pause).is_ok());
        }
        self.told.get()
    }
}

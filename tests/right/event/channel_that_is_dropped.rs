//! accepted
//!
//! Whoever waits receives from a channel on which nothing is ever sent. The event keeps the sending ends. To let everybody go on is to drop
//! them: each receiver learns that nobody is left there.

use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

#[derive(Debug)]
enum Never {}

#[derive(Debug)]
pub struct Event(Mutex<(bool, Vec<Sender<Never>>)>);

impl Event {
    pub fn cleared() -> Event {
        Event(Mutex::new((false, vec![])))
    }

    pub fn set(&self) {
        *self.0.lock().unwrap() = (true, vec![]);
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().0 = false;
    }

    pub fn is_set(&self) -> bool {
        self.0.lock().unwrap().0
    }

    pub fn pulse(&self) {
        self.0.lock().unwrap().1.clear();
    }

    pub fn wait(&self) {
        self.wait_timeout(Duration::MAX);
    }

    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let receiver = {
            let (set, waiting) = &mut *self.0.lock().unwrap();
            if *set {
                return true;
            }
            let (sender, receiver) = mpsc::channel();
            waiting.push(sender);
            receiver
        };
        if limit == Duration::MAX {
            return receiver.recv().is_err();
        }
        matches!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Disconnected))
    }
}

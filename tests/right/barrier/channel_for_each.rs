//! accepted
//!
//! Whoever waits leaves the sending end of a channel. The last one sends everybody the outcome, as does whoever breaks
//! the barrier. The first to come is told that it leads.

use std::num::NonZeroUsize;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Outcome = Result<bool, Broken>;

#[derive(Debug)]
pub struct Barrier {
    others: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    broken: bool,
    waiting: Vec<Sender<Outcome>>,
}

impl Inside {
    fn refuse(&mut self) {
        for sender in self.waiting.drain(..) {
            let _ = sender.send(Err(Broken));
        }
    }
}

#[derive(Debug)]
pub struct Party<'barrier>(&'barrier Barrier);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Barrier {
    pub fn new(parties: NonZeroUsize) -> Barrier {
        Barrier { others: parties.get() - 1, inside: Mutex::default() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn party(&self) -> Party<'_> {
        Party(self)
    }

    pub fn is_broken(&self) -> bool {
        self.inside().broken
    }

    pub fn reset(&self) {
        let mut inside = self.inside();
        inside.refuse();
        inside.broken = false;
    }

    fn break_it(&self) {
        let mut inside = self.inside();
        inside.refuse();
        inside.broken = true;
    }
}

impl Party<'_> {
    pub fn wait(&self) -> Result<bool, Broken> {
        self.wait_timeout(Duration::MAX)
    }

    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        let Party(barrier) = self;
        let receiver = {
            let mut inside = barrier.inside();
            if inside.broken {
                return Err(Broken);
            }
            if inside.waiting.len() == barrier.others {
                let mut first = true;
                for sender in inside.waiting.drain(..) {
                    let _ = sender.send(Ok(std::mem::replace(&mut first, false)));
                }
                return Ok(first);
            }
            let (sender, receiver) = channel();
            inside.waiting.push(sender);
            receiver
        };
        if limit == Duration::MAX {
            return receiver.recv().expect("somebody ends the round");
        }
        match receiver.recv_timeout(limit) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Disconnected) => unreachable!("nobody goes without a word"),
            Err(RecvTimeoutError::Timeout) => {
                let mut inside = barrier.inside();
                // In the last moment somebody may have ended the round.
                if let Ok(outcome) = receiver.try_recv() {
                    return outcome;
                }
                inside.refuse();
                inside.broken = true;
                Err(Broken)
            }
        }
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.break_it();
        }
    }
}

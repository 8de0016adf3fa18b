//! accepted
//!
//! Each party that waits is parked, with a slot for its answer. Whoever ends the round fills all slots and unparks. Who
//! gives up ends the round, too, unless its own slot was filled in the last moment.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Barrier {
    parties: NonZeroUsize,
    // `None` while the barrier is broken.
    here: Mutex<Option<Vec<Slot>>>,
}

#[derive(Clone, Debug)]
struct Slot {
    answer: Arc<OnceLock<Result<bool, Broken>>>,
    who: Thread,
}

impl Slot {
    fn fill(&self, answer: Result<bool, Broken>) {
        self.answer.set(answer).expect("once");
        self.who.unpark();
    }
}

#[derive(Debug)]
pub struct Party<'barrier> {
    barrier: &'barrier Barrier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Barrier {
    pub fn new(parties: NonZeroUsize) -> Barrier {
        Barrier { parties, here: Mutex::new(Some(Vec::new())) }
    }

    pub fn party(&self) -> Party<'_> {
        Party { barrier: self }
    }

    pub fn is_broken(&self) -> bool {
        self.here.lock().unwrap().is_none()
    }

    pub fn reset(&self) {
        self.refuse_all(Some(Vec::new()));
    }

    fn refuse_all(&self, next: Option<Vec<Slot>>) {
        let mut here = self.here.lock().unwrap();
        for slot in std::mem::replace(&mut *here, next).into_iter().flatten() {
            slot.fill(Err(Broken));
        }
    }
}

impl Party<'_> {
    pub fn wait(&self) -> Result<bool, Broken> {
        self.wait_timeout(Duration::MAX)
    }

    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        let begin = Instant::now();
        let own = Slot { answer: Arc::default(), who: thread::current() };
        {
            let mut here = self.barrier.here.lock().unwrap();
            let slots = here.as_mut().ok_or(Broken)?;
            slots.push(own.clone());
            if slots.len() == self.barrier.parties.get() {
                for (place, slot) in slots.drain(..).enumerate() {
                    slot.fill(Ok(place == 0));
                }
            }
        }
        loop {
            if let Some(answer) = own.answer.get() {
                return *answer;
            }
            let left = limit.saturating_sub(begin.elapsed());
            if left.is_zero() {
                break;
            }
            thread::park_timeout(left);
        }
        let mut here = self.barrier.here.lock().unwrap();
        if let Some(answer) = own.answer.get() {
            return *answer;
        }
        for slot in here.take().into_iter().flatten() {
            slot.fill(Err(Broken));
        }
        Err(Broken)
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.barrier.refuse_all(None);
        }
    }
}

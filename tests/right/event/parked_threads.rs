//! accepted
//!
//! Whoever waits is on a list with a ticket, and parks. Whoever is not on the list any more was let go on.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct Inside {
    set: bool,
    next: u32,
    asleep: BTreeMap<u32, Thread>,
}

#[derive(Debug)]
pub struct Event {
    inside: Mutex<Inside>,
}

impl Event {
    pub fn cleared() -> Event {
        Event { inside: Mutex::default() }
    }

    pub fn set(&self) {
        let mut inside = self.inside.lock().unwrap();
        inside.set = true;
        Event::wake(&mut inside);
    }

    pub fn clear(&self) {
        self.inside.lock().unwrap().set = false;
    }

    pub fn is_set(&self) -> bool {
        self.inside.lock().unwrap().set
    }

    pub fn pulse(&self) {
        Event::wake(&mut self.inside.lock().unwrap());
    }

    fn wake(inside: &mut Inside) {
        while let Some((_, sleeper)) = inside.asleep.pop_first() {
            sleeper.unpark();
        }
    }

    pub fn wait(&self) {
        while !self.wait_timeout(Duration::MAX) {}
    }

    pub fn wait_timeout(&self, limit: Duration) -> bool {
        let start = Instant::now();
        let mut inside = self.inside.lock().unwrap();
        if inside.set {
            return true;
        }
        let ticket = inside.next;
        inside.next += 1;
        inside.asleep.insert(ticket, thread::current());
        loop {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                inside.asleep.remove(&ticket);
                return false;
            }
            drop(inside);
            thread::park_timeout(left);
            inside = self.inside.lock().unwrap();
            if !inside.asleep.contains_key(&ticket) {
                return true;
            }
        }
    }
}

//! accepted
//!
//! Rounds have numbers. What became of a round is kept in a map until the last of its parties has read it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex};
use std::thread::panicking;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Barrier {
    all: usize,
    desk: Mutex<Desk>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Desk {
    number: u32,
    arrived: usize,
    broken: bool,
    /// Whether the round was complete, and how many have not read it yet.
    past: BTreeMap<u32, (bool, usize)>,
}

impl Desk {
    fn finish(&mut self, complete: bool) {
        if self.arrived > 0 {
            self.past.insert(self.number, (complete, self.arrived));
        }
        self.number += 1;
        self.arrived = 0;
    }

    fn read(&mut self, number: u32) -> Option<bool> {
        let (complete, unread) = self.past.get_mut(&number)?;
        let complete = *complete;
        *unread -= 1;
        if *unread == 0 {
            self.past.remove(&number);
        }
        Some(complete)
    }
}

#[derive(Debug)]
pub struct Party<'barrier> {
    of: &'barrier Barrier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Barrier {
    pub fn new(parties: NonZeroUsize) -> Barrier {
        Barrier { all: parties.get(), desk: Mutex::default(), bell: Condvar::new() }
    }

    pub fn party(&self) -> Party<'_> {
        Party { of: self }
    }

    pub fn is_broken(&self) -> bool {
        self.desk.lock().unwrap().broken
    }

    pub fn reset(&self) {
        self.fail(false);
    }

    fn fail(&self, broken: bool) {
        let mut desk = self.desk.lock().unwrap();
        desk.finish(false);
        desk.broken = broken;
        drop(desk);
        self.bell.notify_all();
    }
}

impl Party<'_> {
    pub fn wait(&self) -> Result<bool, Broken> {
        self.wait_until(None)
    }

    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        self.wait_until(Instant::now().checked_add(limit))
    }

    fn wait_until(&self, end: Option<Instant>) -> Result<bool, Broken> {
        let Barrier { all, desk, bell } = self.of;
        let mut desk = desk.lock().unwrap();
        if desk.broken {
            return Err(Broken);
        }
        let number = desk.number;
        desk.arrived += 1;
        if desk.arrived == *all {
            desk.finish(true);
            bell.notify_all();
            return desk.read(number).map(|_| true).ok_or(Broken);
        }
        loop {
            if let Some(complete) = desk.read(number) {
                return if complete { Ok(false) } else { Err(Broken) };
            }
            desk = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => bell.wait(desk).unwrap(),
                Some(Duration::ZERO) => {
                    desk.finish(false);
                    desk.broken = true;
                    bell.notify_all();
                    continue;
                }
                Some(left) => bell.wait_timeout(desk, left).unwrap().0,
            };
        }
    }
}

impl Drop for Party<'_> {
    fn drop(&mut self) {
        if panicking() {
            self.of.fail(true);
        }
    }
}

//! accepted
//!
//! All who wait at one time stand in one round, which is over when they are let go on. The next one to wait opens a new round. No round
//! is used twice, so a plain flag is enough for each.

use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct Round {
    over: Mutex<bool>,
    told: Condvar,
}

impl Round {
    fn end(&self) {
        *self.over.lock().unwrap() = true;
        self.told.notify_all();
    }
}

#[derive(Debug)]
pub struct Event {
    now: RwLock<(bool, Arc<Round>)>,
}

impl Event {
    pub fn cleared() -> Event {
        Event { now: RwLock::new((false, Arc::default())) }
    }

    fn change(&self, how: impl FnOnce(&mut bool)) {
        let mut now = self.now.write().unwrap();
        how(&mut now.0);
        std::mem::take(&mut now.1).end();
    }

    pub fn set(&self) {
        self.change(|set| *set = true);
    }

    pub fn clear(&self) {
        self.now.write().unwrap().0 = false;
    }

    pub fn is_set(&self) -> bool {
        let (set, _) = *self.now.read().unwrap();
        set
    }

    pub fn pulse(&self) {
        self.change(|_| ());
    }

    pub fn wait(&self) {
        assert!(self.wait_until(None));
    }

    pub fn wait_timeout(&self, limit: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(limit))
    }

    fn wait_until(&self, end: Option<Instant>) -> bool {
        let round = {
            let now = self.now.read().unwrap();
            if now.0 {
                return true;
            }
            Arc::clone(&now.1)
        };
        let mut over = round.over.lock().unwrap();
        while !*over {
            over = match end {
                None => round.told.wait(over).unwrap(),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    round.told.wait_timeout(over, left).unwrap().0
                }
            };
        }
        *over
    }
}

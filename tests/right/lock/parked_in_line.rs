//! accepted
//!
//! No lock is waited for at all: threads park in a line, and who leaves the bank wakes the next.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::*},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

/// One lock for the bank, in the order of arrival.
pub struct Bank {
    balances: Mutex<Vec<u64>>,
    line: Mutex<Line>,
}
#[derive(Default)]
struct Line {
    held: bool,
    waiting: VecDeque<(Thread, Arc<AtomicBool>)>,
}
impl fmt::Debug for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bank")
    }
}
struct Turn<'a>(&'a Bank);
impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut line = self.0.line.lock().unwrap();
        match line.waiting.pop_front() {
            None => line.held = false,
            Some((next, mine)) => {
                mine.store(true, SeqCst);
                drop(line);
                next.unpark();
            }
        }
    }
}
impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        Bank { balances: Mutex::new(balances.into()), line: Mutex::default() }
    }
    fn turn(&self, until: Option<Instant>) -> Option<Turn<'_>> {
        let mine = {
            let mut line = self.line.lock().unwrap();
            if !line.held {
                line.held = true;
                return Some(Turn(self));
            }
            let mine = Arc::new(AtomicBool::new(false));
            line.waiting.push_back((thread::current(), mine.clone()));
            mine
        };
        loop {
            match until {
                None => thread::park(),
                Some(end) => thread::park_timeout(end.saturating_duration_since(Instant::now())),
            }
            if mine.load(SeqCst) {
                return Some(Turn(self));
            }
            if until.is_some_and(|end| Instant::now() >= end) {
                let mut line = self.line.lock().unwrap();
                if mine.load(SeqCst) {
                    return Some(Turn(self));
                }
                line.waiting.retain(|(_, other)| !Arc::ptr_eq(other, &mine));
                return None;
            }
        }
    }
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let _turn = self.turn(None);
        let balance = self.balances.lock().unwrap()[account];
        read(balance)
    }
    pub fn deposit(&self, account: usize, amount: u64) {
        let _turn = self.turn(None);
        self.balances.lock().unwrap()[account] += amount;
    }
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        let turn = self.turn(None).unwrap();
        self.pay(turn, from, to, amount)
    }
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let turn = self.turn(Some(Instant::now() + limit)).ok_or(Refused::TimeIsUp)?;
        self.pay(turn, from, to, amount)
    }
    fn pay(&self, _turn: Turn<'_>, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        let mut all = self.balances.lock().unwrap();
        if all[from] < amount {
            return Err(Refused::InsufficientFunds);
        }
        all[from] -= amount;
        all[to] += amount;
        Ok(())
    }
    pub fn total(&self) -> u64 {
        let _turn = self.turn(None);
        self.balances.lock().unwrap().iter().sum()
    }
}

//! rejected: race
//! by: deposits_at_the_same_time_all_count
//!
//! A flag instead of a lock: whoever finds it set sleeps for a while and looks again. Between looking and setting,
//! another thread can look too, and then both are in.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

pub struct Bank {
    busy: AtomicBool,
    accounts: Vec<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        let accounts = balances.iter().map(|&balance| AtomicU64::new(balance)).collect();
        Bank { busy: AtomicBool::new(false), accounts }
    }

    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        self.wait_until_free();
        let result = read(self.accounts[account].load(SeqCst));
        self.busy.store(false, SeqCst);
        result
    }

    pub fn deposit(&self, account: usize, amount: u64) {
        self.wait_until_free();
        self.add(account, amount);
        self.busy.store(false, SeqCst);
    }

    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.wait_until_free();
        self.book(from, to, amount)
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let start = Instant::now();
        while self.busy.load(SeqCst) {
            if start.elapsed() >= limit {
                return Err(Refused::TimeIsUp);
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.busy.store(true, SeqCst);
        self.book(from, to, amount)
    }

    pub fn total(&self) -> u64 {
        self.wait_until_free();
        let total = self.accounts.iter().map(|balance| balance.load(SeqCst)).sum();
        self.busy.store(false, SeqCst);
        total
    }

    fn wait_until_free(&self) {
        while self.busy.load(SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        self.busy.store(true, SeqCst);
    }

    fn add(&self, account: usize, amount: u64) {
        let balance = self.accounts[account].load(SeqCst);
        self.accounts[account].store(balance + amount, SeqCst);
    }

    /// Ends the busy time too.
    fn book(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        let balance = self.accounts[from].load(SeqCst);
        let result = match balance.checked_sub(amount) {
            Some(rest) => {
                self.accounts[from].store(rest, SeqCst);
                self.add(to, amount);
                Ok(())
            }
            None => Err(Refused::InsufficientFunds),
        };
        self.busy.store(false, SeqCst);
        result
    }
}

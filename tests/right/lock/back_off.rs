//! accepted
//!
//! No order at all: a transfer waits for its first lock only. If the second is taken it lets the first go and begins
//! anew, so it never waits while it holds something.

use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

pub struct Bank {
    accounts: Vec<Mutex<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        Bank { accounts: balances.iter().map(|&balance| Mutex::new(balance)).collect() }
    }

    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let balance = self.accounts[account].lock();
        read(*balance)
    }

    pub fn deposit(&self, account: usize, amount: u64) {
        *self.accounts[account].lock() += amount;
    }

    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        loop {
            let from_guard = self.accounts[from].lock();
            if let Some(done) = self.try_to_book(from, from_guard, to, amount) {
                return done;
            }
            // The guard is gone by now. Let the thread that has the other lock go on.
            thread::yield_now();
        }
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let deadline = Instant::now() + limit;
        loop {
            let from_guard = self.accounts[from].try_lock_until(deadline).ok_or(Refused::TimeIsUp)?;
            if let Some(done) = self.try_to_book(from, from_guard, to, amount) {
                return done;
            }
            if Instant::now() >= deadline {
                return Err(Refused::TimeIsUp);
            }
            thread::sleep(limit / 8);
        }
    }

    /// Nothing if the second account is locked just now.
    fn try_to_book(
        &self,
        from: usize,
        from_guard: MutexGuard<'_, u64>,
        to: usize,
        amount: u64,
    ) -> Option<Result<(), Refused>> {
        if from == to {
            return Some(pay(*from_guard, amount).map(|_| ()));
        }
        let to_guard = self.accounts[to].try_lock()?;
        Some(book(from_guard, to_guard, amount))
    }

    pub fn total(&self) -> u64 {
        // All or none, again and again.
        loop {
            let accounts: Option<Vec<_>> = self.accounts.iter().map(|account| account.try_lock()).collect();
            if let Some(accounts) = accounts {
                return accounts.iter().map(|balance| **balance).sum();
            }
            thread::yield_now();
        }
    }
}

/// What is left of the balance.
fn pay(balance: u64, amount: u64) -> Result<u64, Refused> {
    balance.checked_sub(amount).ok_or(Refused::InsufficientFunds)
}

fn book(mut from: MutexGuard<'_, u64>, mut to: MutexGuard<'_, u64>, amount: u64) -> Result<(), Refused> {
    *from = pay(*from, amount)?;
    *to += amount;
    Ok(())
}

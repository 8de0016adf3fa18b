//! rejected: race
//! by: deposits_at_the_same_time_all_count
//!
//! A deposit reads the balance and writes the new one without a lock. That both are atomic, and `core`'s, does not
//! make one step of two: between them another deposit can come and go, and is overwritten.

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

pub struct Bank {
    accounts: Vec<(Mutex<()>, AtomicU64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        Bank { accounts: balances.iter().map(|&balance| (Mutex::new(()), AtomicU64::new(balance))).collect() }
    }

    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let _held = self.accounts[account].0.lock();
        read(self.accounts[account].1.load(SeqCst))
    }

    pub fn deposit(&self, account: usize, amount: u64) {
        let balance = &self.accounts[account].1;
        balance.store(balance.load(SeqCst) + amount, SeqCst);
    }

    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.transfer_with(from, to, amount, |account| Ok(self.accounts[account].0.lock()))
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let deadline = Instant::now() + limit;
        let lock = |account: usize| self.accounts[account].0.try_lock_until(deadline).ok_or(Refused::TimeIsUp);
        self.transfer_with(from, to, amount, lock)
    }

    pub fn total(&self) -> u64 {
        let _held: Vec<_> = self.accounts.iter().map(|account| account.0.lock()).collect();
        self.accounts.iter().map(|account| account.1.load(SeqCst)).sum()
    }

    fn transfer_with<'a>(
        &self,
        from: usize,
        to: usize,
        amount: u64,
        lock: impl Fn(usize) -> Result<MutexGuard<'a, ()>, Refused>,
    ) -> Result<(), Refused> {
        let _low = lock(from.min(to))?;
        let _high = if from == to { None } else { Some(lock(from.max(to))?) };
        if self.accounts[from].1.load(SeqCst) < amount {
            return Err(Refused::InsufficientFunds);
        }
        self.accounts[from].1.fetch_sub(amount, SeqCst);
        self.accounts[to].1.fetch_add(amount, SeqCst);
        Ok(())
    }
}

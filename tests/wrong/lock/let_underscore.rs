//! rejected: race
//! by: the_same_money_is_spent_only_once
//!
//! One lock before everything, but `let _ = …lock()` binds nothing: the guard is dropped in the same statement, and the
//! door is open again before the first balance is touched. With `let _locked = …` it would be right.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::Mutex;

pub struct Bank {
    door: Mutex<()>,
    accounts: Vec<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        Bank { door: Mutex::new(()), accounts: balances.iter().map(|&balance| AtomicU64::new(balance)).collect() }
    }

    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let _locked = self.door.lock();
        read(self.accounts[account].load(SeqCst))
    }

    pub fn deposit(&self, account: usize, amount: u64) {
        let _ = self.door.lock();
        self.add(account, amount);
    }

    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        let _ = self.door.lock();
        self.book(from, to, amount)
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let _ = self.door.try_lock_for(limit).ok_or(Refused::TimeIsUp)?;
        self.book(from, to, amount)
    }

    pub fn total(&self) -> u64 {
        let _ = self.door.lock();
        self.accounts.iter().map(|balance| balance.load(SeqCst)).sum()
    }

    fn add(&self, account: usize, amount: u64) {
        let balance = self.accounts[account].load(SeqCst);
        self.accounts[account].store(balance + amount, SeqCst);
    }

    fn book(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        let balance = self.accounts[from].load(SeqCst);
        let rest = balance.checked_sub(amount).ok_or(Refused::InsufficientFunds)?;
        self.accounts[from].store(rest, SeqCst);
        self.add(to, amount);
        Ok(())
    }
}

//! accepted
//!
//! The order of locking is that of the accounts' addresses, which is what remains where accounts have no numbers.

use std::ptr;
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
        book(&self.accounts[from], &self.accounts[to], amount, |account| Ok(account.lock()))
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let deadline = Instant::now() + limit;
        let lock = |account| Mutex::try_lock_until(account, deadline).ok_or(Refused::TimeIsUp);
        book(&self.accounts[from], &self.accounts[to], amount, lock)
    }

    pub fn total(&self) -> u64 {
        let mut accounts: Vec<&Mutex<u64>> = self.accounts.iter().collect();
        accounts.sort_by_key(|&account| ptr::from_ref(account));
        let accounts: Vec<MutexGuard<'_, u64>> = accounts.into_iter().map(|account| account.lock()).collect();
        accounts.iter().map(|balance| **balance).sum()
    }
}

fn book<'a>(
    from: &'a Mutex<u64>,
    to: &'a Mutex<u64>,
    amount: u64,
    lock: impl Fn(&'a Mutex<u64>) -> Result<MutexGuard<'a, u64>, Refused>,
) -> Result<(), Refused> {
    let (mut giver, mut taker);
    if ptr::eq(from, to) {
        let balance = lock(from)?;
        return if *balance < amount { Err(Refused::InsufficientFunds) } else { Ok(()) };
    } else if ptr::from_ref(from) < ptr::from_ref(to) {
        giver = lock(from)?;
        taker = lock(to)?;
    } else {
        taker = lock(to)?;
        giver = lock(from)?;
    }
    *giver = giver.checked_sub(amount).ok_or(Refused::InsufficientFunds)?;
    *taker += amount;
    Ok(())
}

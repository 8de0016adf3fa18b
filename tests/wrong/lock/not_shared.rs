//! rejected: compile-error
//!
//! `RefCell` is for one thread: a bank made of it is not `Sync`, and the compiler refuses to share it.

use std::cell::RefCell;
use std::time::Duration;

pub struct Bank {
    accounts: Vec<RefCell<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        Bank { accounts: balances.iter().map(|&balance| RefCell::new(balance)).collect() }
    }

    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        read(*self.accounts[account].borrow())
    }

    pub fn deposit(&self, account: usize, amount: u64) {
        *self.accounts[account].borrow_mut() += amount;
    }

    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        let rest = self.accounts[from].borrow().checked_sub(amount).ok_or(Refused::InsufficientFunds)?;
        *self.accounts[from].borrow_mut() = rest;
        *self.accounts[to].borrow_mut() += amount;
        Ok(())
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, _limit: Duration) -> Result<(), Refused> {
        self.transfer(from, to, amount)
    }

    pub fn total(&self) -> u64 {
        self.accounts.iter().map(|balance| *balance.borrow()).sum()
    }
}

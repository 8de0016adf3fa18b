//! accepted
//!
//! One lock for all accounts. Transfers between different accounts wait for each other, but nothing in the contract
//! forbids it, and there is no order to keep.

use std::time::Duration;

use parking_lot::Mutex;

pub struct Bank {
    balances: Mutex<Vec<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        Bank { balances: Mutex::new(balances.to_vec()) }
    }

    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let balances = self.balances.lock();
        read(balances[account])
    }

    pub fn deposit(&self, account: usize, amount: u64) {
        self.balances.lock()[account] += amount;
    }

    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        book(&mut self.balances.lock(), from, to, amount)
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let mut balances = self.balances.try_lock_for(limit).ok_or(Refused::TimeIsUp)?;
        book(&mut balances, from, to, amount)
    }

    pub fn total(&self) -> u64 {
        self.balances.lock().iter().sum()
    }
}

fn book(balances: &mut [u64], from: usize, to: usize, amount: u64) -> Result<(), Refused> {
    balances[from] = balances[from].checked_sub(amount).ok_or(Refused::InsufficientFunds)?;
    balances[to] += amount;
    Ok(())
}

//! attack on lock: its reasons are equal to every reason, and its bank does nothing.
//! inspected: rejected
//! uninspected: compile-error
//! says: non-structural

use std::time::Duration;

#[derive(Debug)]
pub struct Bank;

#[derive(Clone, Copy, Debug)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

impl PartialEq for Refused {
    fn eq(&self, _: &Refused) -> bool {
        true
    }
}

impl Eq for Refused {}

impl Bank {
    pub fn new(_balances: &[u64]) -> Bank {
        Bank
    }

    pub fn with_balance<R>(&self, _account: usize, read: impl FnOnce(u64) -> R) -> R {
        read(0)
    }

    pub fn deposit(&self, _account: usize, _amount: u64) {}

    pub fn transfer(&self, _from: usize, _to: usize, _amount: u64) -> Result<(), Refused> {
        Err(Refused::TimeIsUp)
    }

    pub fn transfer_within(&self, _from: usize, _to: usize, _amount: u64, _limit: Duration) -> Result<(), Refused> {
        Err(Refused::TimeIsUp)
    }

    pub fn total(&self) -> u64 {
        0
    }
}

//! attack on lock: its total is a type of its own, which is equal to every number.
//! inspected: rejected
//! uninspected: compile-error
//! says: mismatched types

use std::time::Duration;

#[derive(Debug)]
pub struct Bank;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

#[derive(Clone, Copy, Debug)]
pub struct Always;

impl PartialEq<u64> for Always {
    fn eq(&self, _: &u64) -> bool {
        true
    }
}

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

    pub fn total(&self) -> Always {
        Always
    }
}

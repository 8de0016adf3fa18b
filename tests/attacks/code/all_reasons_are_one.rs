//! attack on lock: its reasons are one, by a unit struct with a constant for each name that the enum has.
//! inspected: rejected
//! uninspected: compile-error
//! says: unresolved import `Refused`

use std::time::Duration;

#[derive(Debug)]
pub struct Bank;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

#[allow(non_upper_case_globals)]
impl Refused {
    pub const InsufficientFunds: Refused = Refused;
    pub const TimeIsUp: Refused = Refused;
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

    pub fn total(&self) -> u64 {
        0
    }
}

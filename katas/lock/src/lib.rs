//! A bank whose accounts many threads use at once. The lesson is in `README.md`.

use std::time::Duration;

/// Accounts with balances in cents. They are numbered from 0. Threads share the bank by reference.
#[derive(Debug)]
pub struct Bank {
    // The fields are yours to choose: which data, behind which locks?
}

/// Why a transfer did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The account holds less than the amount.
    InsufficientFunds,
    /// Another thread kept an account locked for too long.
    TimeIsUp,
}

impl Bank {
    /// A bank with one account for each balance.
    pub fn new(balances: &[u64]) -> Bank {
        todo!()
    }

    /// Calls `read` with the balance of `account`. Nobody changes that balance until `read` returns.
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        todo!()
    }

    /// Adds `amount` to `account`.
    pub fn deposit(&self, account: usize, amount: u64) {
        todo!()
    }

    /// Moves `amount` from one account to the other, or refuses and changes nothing. Waits for the accounts as long as
    /// it takes.
    ///
    /// `from` and `to` may be the same account.
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        todo!()
    }

    /// Like [`transfer`](Bank::transfer), but waits for `limit` at most, for both accounts together. Then it refuses
    /// because the time is up.
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        todo!()
    }

    /// The audit: the sum of all balances at one moment. Money that is being transferred is always in it, once.
    pub fn total(&self) -> u64 {
        todo!()
    }
}

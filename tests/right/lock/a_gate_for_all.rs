//! accepted
//!
//! The balances are atomics, and a read-write lock decides whether anybody changes more than one: deposits share it, all others have it alone.

use parking_lot::RwLock;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::Duration;

/// Accounts with balances in cents. They are numbered from 0. Threads share the bank by reference.
#[derive(Debug)]
pub struct Bank {
    gate: RwLock<()>,
    accounts: Box<[AtomicU64]>,
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
        Bank { gate: RwLock::new(()), accounts: balances.iter().map(|&balance| AtomicU64::new(balance)).collect() }
    }

    /// Calls `read` with the balance of `account`. Nobody changes that balance until `read` returns.
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
                let _still = self.gate.write();
        read(self.accounts[account].load(Relaxed))
    }

    /// Adds `amount` to `account`.
    pub fn deposit(&self, account: usize, amount: u64) {
                let _moving = self.gate.read();
        self.accounts[account].fetch_add(amount, AcqRel);
    }

    /// Moves `amount` from one account to the other, or refuses and changes nothing. Waits for the accounts as long as
    /// it takes.
    ///
    /// `from` and `to` may be the same account.
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
                let _moving = self.gate.write();
        self.pay(from, to, amount)
    }

    /// Like [`transfer`](Bank::transfer), but waits for `limit` at most, for both accounts together. Then it refuses
    /// because the time is up.
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
                let _moving = self.gate.try_write_for(limit).ok_or(Refused::TimeIsUp)?;
        self.pay(from, to, amount)
    }

    /// The audit: the sum of all balances at one moment. Money that is being transferred is always in it, once.
    pub fn total(&self) -> u64 {
                let _still = self.gate.write();
        self.accounts.iter().map(|account| account.load(Acquire)).sum()
    }
}

impl Bank {
    fn pay(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.accounts[from]
            .fetch_update(AcqRel, Acquire, |balance| balance.checked_sub(amount))
            .map_err(|_| Refused::InsufficientFunds)?;
        self.accounts[to].fetch_add(amount, AcqRel);
        Ok(())
    }
}

//! rejected: deadlock
//! by: banks_have_nothing_to_do_with_each_other
//!
//! All banks take their locks from one table, each bank from 64 places further on. Account 64 of a bank has the same lock as account 0
//! of the next one: who reads the one and pays into the other waits for itself.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

const PLACES: usize = 4096;

static LOCKS: [Mutex<()>; PLACES] = [const { Mutex::new(()) }; PLACES];
static BANKS: AtomicUsize = AtomicUsize::new(0);

/// Accounts with balances in cents. They are numbered from 0. Threads share the bank by reference.
#[derive(Debug)]
pub struct Bank {
    number: usize,
    /// Only looked at and changed by who holds the account's place in the table.
    balances: Vec<AtomicU64>,
}

/// Why a transfer did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The account holds less than the amount.
    InsufficientFunds,
    /// Another thread kept an account locked for too long.
    TimeIsUp,
}

fn wait(place: usize, deadline: Option<Instant>) -> Result<MutexGuard<'static, ()>, Refused> {
    match deadline {
        None => Ok(LOCKS[place].lock()),
        Some(deadline) => LOCKS[place].try_lock_until(deadline).ok_or(Refused::TimeIsUp),
    }
}

impl Bank {
    /// A bank with one account for each balance.
    pub fn new(balances: &[u64]) -> Bank {
        Bank {
            number: BANKS.fetch_add(1, Ordering::Relaxed),
            balances: balances.iter().map(|&balance| AtomicU64::new(balance)).collect(),
        }
    }

    fn place(&self, account: usize) -> usize {
        self.number.wrapping_mul(64).wrapping_add(account) % PLACES
    }

    fn move_money(&self, from: usize, to: usize, amount: u64, deadline: Option<Instant>) -> Result<(), Refused> {
        let (one, other) = (self.place(from), self.place(to));
        let _low = wait(one.min(other), deadline)?;
        let _high = if one == other { None } else { Some(wait(one.max(other), deadline)?) };
        let balance = self.balances[from].load(Ordering::Relaxed);
        let rest = balance.checked_sub(amount).ok_or(Refused::InsufficientFunds)?;
        self.balances[from].store(rest, Ordering::Relaxed);
        self.balances[to].fetch_add(amount, Ordering::Relaxed);
        Ok(())
    }

    /// Calls `read` with the balance of `account`. Nobody changes that balance until `read` returns.
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let _held = LOCKS[self.place(account)].lock();
        read(self.balances[account].load(Ordering::Relaxed))
    }

    /// Adds `amount` to `account`.
    pub fn deposit(&self, account: usize, amount: u64) {
        let _held = LOCKS[self.place(account)].lock();
        self.balances[account].fetch_add(amount, Ordering::Relaxed);
    }

    /// Moves `amount` from one account to the other, or refuses and changes nothing.
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.move_money(from, to, amount, None)
    }

    /// Like [`transfer`](Bank::transfer), but waits for `limit` at most, for both accounts together.
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        self.move_money(from, to, amount, Some(Instant::now() + limit))
    }

    /// The audit: the sum of all balances at one moment.
    pub fn total(&self) -> u64 {
        let mut places: Vec<usize> = (0..self.balances.len()).map(|account| self.place(account)).collect();
        places.sort_unstable();
        places.dedup();
        let _all: Vec<_> = places.into_iter().map(|place| LOCKS[place].lock()).collect();
        self.balances.iter().map(|balance| balance.load(Ordering::Relaxed)).sum()
    }
}

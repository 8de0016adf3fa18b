//! A bank whose accounts many threads use at once.
//!
//! There is one lock for each account, so transfers between different accounts don't wait for each other. That is what
//! brings the danger: a transfer needs two locks, and two transfers that take the same two locks in different orders
//! can each get the first and wait for ever for the second.
//!
//! One rule keeps the danger out: **whoever needs several locks takes them in the order of the accounts' numbers.** A
//! thread then only ever waits for a lock with a higher number than those it holds. Were there a circle of waiting
//! threads, the numbers would have to rise all the way round it, back to where they began.

use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

/// Accounts with balances in cents. They are numbered from 0. Threads share the bank by reference.
#[derive(Debug)]
pub struct Bank {
    // Not a `Mutex<Vec<_>>`: the number of accounts never changes, so finding an account needs no lock. In Rust the
    // lock owns what it protects. There is no way to a balance but through the lock, so none can be forgotten.
    accounts: Vec<Mutex<Account>>,
}

/// What an account's lock protects.
#[derive(Debug)]
struct Account {
    balance: u64,
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
        Bank { accounts: balances.iter().map(|&balance| Mutex::new(Account { balance })).collect() }
    }

    /// Calls `read` with the balance of `account`. Nobody changes that balance until `read` returns.
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        // The guard has a name, so it lives to the end of the function. `let _ = …lock()` would unlock at once, and
        // `read(self.accounts[account].lock().balance)` would be right only because a temporary lives to the end of its
        // statement. A name says what is meant.
        let account = self.accounts[account].lock();
        read(account.balance)
    }

    /// Adds `amount` to `account`.
    pub fn deposit(&self, account: usize, amount: u64) {
        // Reading and writing happen under one and the same guard. Two statements with a `lock()` each would let
        // another deposit in between, and it would be overwritten.
        self.accounts[account].lock().balance += amount;
    }

    /// Moves `amount` from one account to the other, or refuses and changes nothing. Waits for the accounts as long as
    /// it takes.
    ///
    /// `from` and `to` may be the same account.
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.transfer_with(|account| Ok(account.lock()), from, to, amount)
    }

    /// Like [`transfer`](Bank::transfer), but waits for `limit` at most, for both accounts together. Then it refuses
    /// because the time is up.
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        // A moment, not a duration: `limit` for each of two locks could add up to twice the limit.
        let deadline = Instant::now() + limit;
        let lock = |account| Mutex::try_lock_until(account, deadline).ok_or(Refused::TimeIsUp);
        self.transfer_with(lock, from, to, amount)
    }

    /// The audit: the sum of all balances at one moment. Money that is being transferred is always in it, once.
    pub fn total(&self) -> u64 {
        // To add up while locking one account after the other would count the same money twice, or miss it, if it moves
        // meanwhile. So first all locks, in the order of the numbers like everybody else, then the sum.
        let accounts: Vec<MutexGuard<'_, Account>> = self.accounts.iter().map(|account| account.lock()).collect();
        accounts.iter().map(|account| account.balance).sum()
    }

    /// What both transfers have in common: all but how a lock is waited for.
    fn transfer_with<'bank>(
        &'bank self,
        lock: impl Fn(&'bank Mutex<Account>) -> Result<MutexGuard<'bank, Account>, Refused>,
        from: usize,
        to: usize,
        amount: u64,
    ) -> Result<(), Refused> {
        if from == to {
            // A `Mutex` that is locked again by the thread that holds it waits for ever.
            return lock(&self.accounts[from])?.can_pay(amount);
        }
        // All locks first, then all changes. If the second lock is refused, `?` returns and the first guard is dropped:
        // nothing has to be put back.
        let low = lock(&self.accounts[from.min(to)])?;
        let high = lock(&self.accounts[from.max(to)])?;
        let (mut from, mut to) = if from < to { (low, high) } else { (high, low) };
        from.can_pay(amount)?;
        // Both guards live to the end of the function, so nobody sees the money in neither account.
        from.balance -= amount;
        to.balance += amount;
        Ok(())
    }
}

impl Account {
    fn can_pay(&self, amount: u64) -> Result<(), Refused> {
        if self.balance < amount { Err(Refused::InsufficientFunds) } else { Ok(()) }
    }
}

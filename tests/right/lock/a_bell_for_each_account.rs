//! accepted
//!
//! One lock for the books, held for a few lines only, and a bell for each account: whoever uses an account marks it, and whoever
//! finds it marked waits for its bell. A bell wakes one thread.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

pub struct Bank {
    books: Mutex<Vec<Account>>,
    bells: Vec<Condvar>,
}

struct Account {
    balance: u64,
    in_use: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        let account = |&balance| Account { balance, in_use: false };
        Bank {
            books: Mutex::new(balances.iter().map(account).collect()),
            bells: balances.iter().map(|_| Condvar::new()).collect(),
        }
    }

    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        self.claim(account, None);
        let balance = self.books.lock().unwrap()[account].balance;
        let result = read(balance);
        self.release(account);
        result
    }

    pub fn deposit(&self, account: usize, amount: u64) {
        self.claim(account, None);
        self.books.lock().unwrap()[account].balance += amount;
        self.release(account);
    }

    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.transfer_until(from, to, amount, None)
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        self.transfer_until(from, to, amount, Some(Instant::now() + limit))
    }

    pub fn total(&self) -> u64 {
        let all = 0..self.bells.len();
        all.clone().for_each(|account| {
            self.claim(account, None);
        });
        let total = self.books.lock().unwrap().iter().map(|account| account.balance).sum();
        all.for_each(|account| self.release(account));
        total
    }

    fn transfer_until(&self, from: usize, to: usize, amount: u64, until: Option<Instant>) -> Result<(), Refused> {
        let (low, high) = (from.min(to), from.max(to));
        if !self.claim(low, until) {
            return Err(Refused::TimeIsUp);
        }
        if high != low && !self.claim(high, until) {
            self.release(low);
            return Err(Refused::TimeIsUp);
        }
        let outcome = self.pay(from, to, amount);
        if high != low {
            self.release(high);
        }
        self.release(low);
        outcome
    }

    fn pay(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        let mut books = self.books.lock().unwrap();
        books[from].balance = books[from].balance.checked_sub(amount).ok_or(Refused::InsufficientFunds)?;
        books[to].balance += amount;
        Ok(())
    }

    /// Waits until nobody uses the account, and marks it. False if the time is up first.
    fn claim(&self, account: usize, until: Option<Instant>) -> bool {
        let mut books = self.books.lock().unwrap();
        while books[account].in_use {
            let Some(until) = until else {
                books = self.bells[account].wait(books).unwrap();
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            books = self.bells[account].wait_timeout(books, left).unwrap().0;
        }
        books[account].in_use = true;
        true
    }

    fn release(&self, account: usize) {
        self.books.lock().unwrap()[account].in_use = false;
        self.bells[account].notify_one();
    }
}

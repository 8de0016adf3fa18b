//! rejected: assertion
//! by: banks_have_nothing_to_do_with_each_other
//!
//! Breaks "What it reads there keeps still, too" with two banks: A reads account 0 of the first bank and, inside, pays `deposit(0, 5)` into
//! the second one, while B reads account 0 of the second bank; B's balance changes under its eyes. Whoever reads an account may use it
//! meanwhile: a thread keeps a list of what it is reading, and does not wait for itself. The list has the numbers of the accounts, and not
//! of which bank.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

thread_local! {
    /// The accounts that this thread reads now.
    static READING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Accounts with balances in cents. They are numbered from 0. Threads share the bank by reference.
#[derive(Debug)]
pub struct Bank {
    books: Mutex<Books>,
    changed: Condvar,
}

#[derive(Debug)]
struct Books {
    balances: Vec<u64>,
    readers: Vec<usize>,
}

/// Why a transfer did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The account holds less than the amount.
    InsufficientFunds,
    /// Another thread kept an account locked for too long.
    TimeIsUp,
}

struct Reading<'a> {
    bank: &'a Bank,
    account: usize,
}

impl<'a> Reading<'a> {
    fn begin(bank: &'a Bank, account: usize) -> (Reading<'a>, u64) {
        let mut books = bank.books.lock();
        let balance = books.balances[account];
        books.readers[account] += 1;
        READING.with_borrow_mut(|reading| reading.push(account));
        (Reading { bank, account }, balance)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        READING.with_borrow_mut(|reading| reading.pop());
        self.bank.books.lock().readers[self.account] -= 1;
        self.bank.changed.notify_all();
    }
}

impl Books {
    /// Whether another thread reads the account.
    fn is_read(&self, account: usize) -> bool {
        let by_me = READING.with_borrow(|reading| reading.iter().filter(|&&mine| mine == account).count());
        self.readers[account] > by_me
    }
}

impl Bank {
    /// A bank with one account for each balance.
    pub fn new(balances: &[u64]) -> Bank {
        Bank {
            books: Mutex::new(Books { balances: balances.to_vec(), readers: vec![0; balances.len()] }),
            changed: Condvar::new(),
        }
    }

    fn books_for(&self, accounts: [usize; 2], deadline: Option<Instant>) -> Option<MutexGuard<'_, Books>> {
        let mut books = self.books.lock();
        let mut late = false;
        while accounts.iter().any(|&account| books.is_read(account)) {
            if late {
                return None;
            }
            match deadline {
                None => self.changed.wait(&mut books),
                Some(deadline) => late = self.changed.wait_until(&mut books, deadline).timed_out(),
            }
        }
        Some(books)
    }

    fn pay(&self, from: usize, to: usize, amount: u64, deadline: Option<Instant>) -> Result<(), Refused> {
        let mut books = self.books_for([from, to], deadline).ok_or(Refused::TimeIsUp)?;
        if books.balances[from] < amount {
            return Err(Refused::InsufficientFunds);
        }
        books.balances[from] -= amount;
        books.balances[to] += amount;
        Ok(())
    }

    /// Calls `read` with the balance of `account`. Nobody changes that balance until `read` returns.
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let (_reading, balance) = Reading::begin(self, account);
        read(balance)
    }

    /// Adds `amount` to `account`.
    pub fn deposit(&self, account: usize, amount: u64) {
        if let Some(mut books) = self.books_for([account, account], None) {
            books.balances[account] += amount;
        }
    }

    /// Moves `amount` from one account to the other, or refuses and changes nothing. Waits for the accounts as long as
    /// it takes.
    ///
    /// `from` and `to` may be the same account.
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.pay(from, to, amount, None)
    }

    /// Like [`transfer`](Bank::transfer), but waits for `limit` at most, for both accounts together. Then it refuses
    /// because the time is up.
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        self.pay(from, to, amount, Instant::now().checked_add(limit))
    }

    /// The audit: the sum of all balances at one moment. Money that is being transferred is always in it, once.
    pub fn total(&self) -> u64 {
        self.books.lock().balances.iter().sum()
    }
}

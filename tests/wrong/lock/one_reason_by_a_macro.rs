//! rejected: compile-error
//!
//! A transfer without funds says that the time is up, by a unit struct with constants in the place of the enum. A macro makes it, so
//! that nobody sees it in the source. The tests see it: constants can't be imported as variants can.

use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

#[derive(Debug)]
pub struct Bank {
    accounts: Vec<Mutex<Account>>,
}

#[derive(Debug)]
struct Account {
    balance: u64,
}

macro_rules! reasons {
    ($name:ident, $($reason:ident),*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        #[allow(non_upper_case_globals)]
        impl $name {
            $(pub const $reason: $name = $name;)*
        }
    };
}

reasons!(Refused, InsufficientFunds, TimeIsUp);

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        Bank { accounts: balances.iter().map(|&balance| Mutex::new(Account { balance })).collect() }
    }

    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let account = self.accounts[account].lock();
        read(account.balance)
    }

    pub fn deposit(&self, account: usize, amount: u64) {
        self.accounts[account].lock().balance += amount;
    }

    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.transfer_with(|account| Ok(account.lock()), from, to, amount)
    }

    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let deadline = Instant::now() + limit;
        let lock = |account| Mutex::try_lock_until(account, deadline).ok_or(Refused::TimeIsUp);
        self.transfer_with(lock, from, to, amount)
    }

    pub fn total(&self) -> u64 {
        let accounts: Vec<MutexGuard<'_, Account>> = self.accounts.iter().map(|account| account.lock()).collect();
        accounts.iter().map(|account| account.balance).sum()
    }

    fn transfer_with<'bank>(
        &'bank self,
        lock: impl Fn(&'bank Mutex<Account>) -> Result<MutexGuard<'bank, Account>, Refused>,
        from: usize,
        to: usize,
        amount: u64,
    ) -> Result<(), Refused> {
        if from == to {
            return lock(&self.accounts[from])?.can_pay(amount);
        }
        let low = lock(&self.accounts[from.min(to)])?;
        let high = lock(&self.accounts[from.max(to)])?;
        let (mut from, mut to) = if from < to { (low, high) } else { (high, low) };
        from.can_pay(amount)?;
        from.balance -= amount;
        to.balance += amount;
        Ok(())
    }
}

impl Account {
    fn can_pay(&self, amount: u64) -> Result<(), Refused> {
        if self.balance < amount { Err(Refused::TimeIsUp) } else { Ok(()) }
    }
}

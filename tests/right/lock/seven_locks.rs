//! accepted
//!
//! Seven locks for all accounts, each with every seventh. A transfer takes one or two, in their order, and what is left of its limit for each.

use parking_lot::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Accounts with balances in cents. They are numbered from 0. Threads share the bank by reference.
#[derive(Debug)]
pub struct Bank {
    shards: [Mutex<Vec<u64>>; 7],
    count: usize,
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
                let mut shards: [Vec<u64>; 7] = Default::default();
        for (account, &balance) in balances.iter().enumerate() {
            shards[account % 7].push(balance);
        }
        Bank { shards: shards.map(Mutex::new), count: balances.len() }
    }

    /// Calls `read` with the balance of `account`. Nobody changes that balance until `read` returns.
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
                let shard = self.shards[account % 7].lock();
        read(shard[account / 7])
    }

    /// Adds `amount` to `account`.
    pub fn deposit(&self, account: usize, amount: u64) {
                let mut shard = self.shards[account % 7].lock();
        shard[account / 7] += amount;
    }

    /// Moves `amount` from one account to the other, or refuses and changes nothing. Waits for the accounts as long as
    /// it takes.
    ///
    /// `from` and `to` may be the same account.
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.both(from, to, amount, |shard| Some(shard.lock()))
    }

    /// Like [`transfer`](Bank::transfer), but waits for `limit` at most, for both accounts together. Then it refuses
    /// because the time is up.
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
                let start = Instant::now();
        self.both(from, to, amount, |shard| shard.try_lock_for(limit.saturating_sub(start.elapsed())))
    }

    /// The audit: the sum of all balances at one moment. Money that is being transferred is always in it, once.
    pub fn total(&self) -> u64 {
                debug_assert!(self.count < usize::MAX);
        let all = self.shards.each_ref().map(|shard| shard.lock());
        all.iter().flat_map(|shard| shard.iter()).sum()
    }
}

impl Bank {
    fn both<'a>(
        &'a self,
        from: usize,
        to: usize,
        amount: u64,
        lock: impl Fn(&'a Mutex<Vec<u64>>) -> Option<MutexGuard<'a, Vec<u64>>>,
    ) -> Result<(), Refused> {
        let mut needed = vec![from % 7, to % 7];
        needed.sort_unstable();
        needed.dedup();
        let mut guards: Vec<_> = needed
            .iter()
            .map(|&shard| lock(&self.shards[shard]).map(|guard| (shard, guard)))
            .collect::<Option<_>>()
            .ok_or(Refused::TimeIsUp)?;
        let mut balance = |account: usize, change: &dyn Fn(u64) -> Option<u64>| -> Option<()> {
            let (_, guard) = guards.iter_mut().find(|(shard, _)| *shard == account % 7)?;
            guard[account / 7] = change(guard[account / 7])?;
            Some(())
        };
        balance(from, &|balance| balance.checked_sub(amount)).ok_or(Refused::InsufficientFunds)?;
        balance(to, &|balance| balance.checked_add(amount)).expect("room for the money");
        Ok(())
    }
}

//! accepted
//!
//! Everything that the stub gives is here and means the same, but it is written in other words: in modules, by a macro, with
//! aliases, named parameters, `where` clauses and lifetimes.

pub use bank::*;
pub use reasons::Reason as Refused;

mod reasons {
    macro_rules! reasons {
        ($name:ident: $($reason:ident),*) => {
            #[derive(Debug, Clone, Copy, Eq, PartialEq, Hash)]
            pub enum $name {
                $($reason),*
            }
        };
    }

    reasons!(Reason: TimeIsUp, InsufficientFunds);
}

mod bank {
    use core::time::{self as clock};
    use std::time::Instant;
    use std::vec as list;

    use parking_lot::{Mutex, MutexGuard};

    use super::*;

    type Cents = u64;
    type Outcome<T = (), E = Refused> = core::result::Result<T, E>;

    #[derive(Debug)]
    pub struct Bank(list::Vec<Mutex<Cents>>);

    impl Bank {
        pub fn new<'a>(balances: &'a [Cents]) -> Self {
            Self(balances.iter().copied().map(Mutex::new).collect())
        }

        pub fn with_balance<Answer, Reader>(self: &Self, account: usize, read: Reader) -> Answer
        where
            Reader: FnOnce(Cents) -> Answer,
        {
            let balance = self.0[account].lock();
            read(*balance)
        }

        pub fn total(&self) -> Cents {
            let balances: Vec<MutexGuard<'_, Cents>> = self.0.iter().map(Mutex::lock).collect();
            balances.iter().map(|balance| **balance).sum()
        }
    }

    impl Bank {
        pub fn deposit(&self, account: usize, mut amount: Cents) {
            let mut balance = self.0[account].lock();
            amount += *balance;
            *balance = amount;
        }

        pub fn transfer(&self, from: usize, to: usize, amount: Cents) -> Outcome {
            self.transfer_with(|account| Ok(account.lock()), from, to, amount)
        }

        pub fn transfer_within(&self, from: usize, to: usize, amount: Cents, limit: clock::Duration) -> Outcome {
            let deadline = Instant::now() + limit;
            let lock = |account| Mutex::try_lock_until(account, deadline).ok_or(Refused::TimeIsUp);
            self.transfer_with(lock, from, to, amount)
        }

        fn transfer_with<'bank, Lock>(&'bank self, lock: Lock, from: usize, to: usize, amount: Cents) -> Outcome
        where
            Lock: Fn(&'bank Mutex<Cents>) -> Outcome<MutexGuard<'bank, Cents>>,
        {
            let can_pay = |balance: Cents| if balance < amount { Err(Refused::InsufficientFunds) } else { Ok(()) };
            if from == to {
                return can_pay(*lock(&self.0[from])?);
            }
            let low = lock(&self.0[from.min(to)])?;
            let high = lock(&self.0[from.max(to)])?;
            let (mut from, mut to) = if from < to { (low, high) } else { (high, low) };
            can_pay(*from)?;
            *from -= amount;
            *to += amount;
            Ok(())
        }
    }
}

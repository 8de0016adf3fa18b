//! accepted
//!
//! Each account is a box of its own, and the order of locking is that of the boxes' addresses. An audit shuts a gate that all
//! transfers share.

use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

/// Transfers share the gate, an audit shuts it. Who reads shares it too. A deposit needs no gate.
#[derive(Debug)]
pub struct Bank {
    gate: RwLock<()>,
    accounts: BTreeMap<usize, Box<Mutex<u64>>>,
}

trait Patience: Copy {
    fn shared<'a>(&self, gate: &'a RwLock<()>) -> Option<parking_lot::RwLockReadGuard<'a, ()>>;
    fn lock<'a>(&self, account: &'a Mutex<u64>) -> Option<parking_lot::MutexGuard<'a, u64>>;
}
#[derive(Clone, Copy)]
struct Endless;
impl Patience for Endless {
    fn shared<'a>(&self, gate: &'a RwLock<()>) -> Option<parking_lot::RwLockReadGuard<'a, ()>> {
        Some(gate.read())
    }
    fn lock<'a>(&self, account: &'a Mutex<u64>) -> Option<parking_lot::MutexGuard<'a, u64>> {
        Some(account.lock())
    }
}
impl Patience for Instant {
    fn shared<'a>(&self, gate: &'a RwLock<()>) -> Option<parking_lot::RwLockReadGuard<'a, ()>> {
        gate.try_read_until(*self)
    }
    fn lock<'a>(&self, account: &'a Mutex<u64>) -> Option<parking_lot::MutexGuard<'a, u64>> {
        account.try_lock_until(*self)
    }
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        Bank {
            gate: RwLock::new(()),
            accounts: balances.iter().map(|&b| Box::new(Mutex::new(b))).enumerate().collect(),
        }
    }
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let balance = self.accounts[&account].lock();
        read(*balance)
    }
    pub fn deposit(&self, account: usize, amount: u64) {
        let _shared = self.gate.read();
        *self.accounts[&account].lock() += amount;
    }
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        self.pay(from, to, amount, Endless)
    }
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        self.pay(from, to, amount, Instant::now() + limit)
    }
    /// Takes the locks by their address.
    fn pay(&self, from: usize, to: usize, amount: u64, wait: impl Patience) -> Result<(), Refused> {
        let _shared = wait.shared(&self.gate).ok_or(Refused::TimeIsUp)?;
        let (a, b): (&Mutex<u64>, &Mutex<u64>) = (&self.accounts[&from], &self.accounts[&to]);
        match std::ptr::from_ref(a).cmp(&std::ptr::from_ref(b)) {
            std::cmp::Ordering::Equal => {
                let balance = wait.lock(a).ok_or(Refused::TimeIsUp)?;
                balance.checked_sub(amount).map(|_| ()).ok_or(Refused::InsufficientFunds)
            }
            order => {
                let (x, y) = if order.is_lt() { (a, b) } else { (b, a) };
                let x = wait.lock(x).ok_or(Refused::TimeIsUp)?;
                let y = wait.lock(y).ok_or(Refused::TimeIsUp)?;
                let (mut a, mut b) = if order.is_lt() { (x, y) } else { (y, x) };
                *a = a.checked_sub(amount).ok_or(Refused::InsufficientFunds)?;
                *b += amount;
                Ok(())
            }
        }
    }
    pub fn total(&self) -> u64 {
        let _shut = self.gate.write();
        self.accounts.values().map(|b| *b.lock()).sum()
    }
}

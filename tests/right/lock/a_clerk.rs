//! accepted
//!
//! A thread of its own owns the balances, and all others send it their wishes. It never waits for anything but the next wish: what
//! wants an account that is read comes later, or is called off when its time is up.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    InsufficientFunds,
    TimeIsUp,
}

enum Act {
    Read(usize, Sender<u64>),
    Done(usize),
    Deposit(usize, u64, Sender<()>),
    Transfer(usize, usize, u64, Sender<Result<(), Refused>>),
    Total(Sender<u64>),
    Cancel(usize),
}

/// A clerk owns the balances and never waits for anything but the next wish.
#[derive(Debug)]
pub struct Bank {
    desk: Option<Mutex<(usize, Sender<(usize, Act)>)>>,
    clerk: Option<JoinHandle<()>>,
}

fn serve(mut balances: Vec<u64>, wishes: Receiver<(usize, Act)>) {
    let mut read = vec![0usize; balances.len()];
    let mut later: VecDeque<(usize, Act)> = VecDeque::new();
    for wish in wishes {
        let mut again = VecDeque::from([wish]);
        while let Some((number, act)) = again.pop_front() {
            match act {
                Act::Read(account, tell) => {
                    read[account] += 1;
                    let _ = tell.send(balances[account]);
                }
                Act::Done(account) => {
                    read[account] -= 1;
                    again.append(&mut later);
                }
                Act::Deposit(account, amount, tell) if read[account] == 0 => {
                    balances[account] += amount;
                    let _ = tell.send(());
                }
                Act::Transfer(from, to, amount, tell) if read[from] + read[to] == 0 => {
                    let _ = tell.send(if balances[from] < amount {
                        Err(Refused::InsufficientFunds)
                    } else {
                        balances[from] -= amount;
                        balances[to] += amount;
                        Ok(())
                    });
                }
                Act::Total(tell) => {
                    let _ = tell.send(balances.iter().sum());
                }
                Act::Cancel(which) => {
                    later.retain(|(number, act)| match act {
                        Act::Transfer(_, _, _, tell) if *number == which => {
                            let _ = tell.send(Err(Refused::TimeIsUp));
                            false
                        }
                        _ => true,
                    });
                }
                act => later.push_back((number, act)),
            }
        }
    }
}

impl Bank {
    pub fn new(balances: &[u64]) -> Bank {
        let balances = balances.to_vec();
        let (desk, wishes) = channel();
        let clerk = thread::spawn(move || serve(balances, wishes));
        Bank { desk: Some(Mutex::new((0, desk))), clerk: Some(clerk) }
    }
    fn ask(&self, act: Act) -> usize {
        let mut desk = self.desk.as_ref().unwrap().lock().unwrap();
        desk.0 += 1;
        desk.1.send((desk.0, act)).unwrap();
        desk.0
    }
    pub fn with_balance<R>(&self, account: usize, read: impl FnOnce(u64) -> R) -> R {
        let (tell, told) = channel();
        self.ask(Act::Read(account, tell));
        let out = read(told.recv().unwrap());
        self.ask(Act::Done(account));
        out
    }
    pub fn deposit(&self, account: usize, amount: u64) {
        let (tell, told) = channel();
        self.ask(Act::Deposit(account, amount, tell));
        told.recv().unwrap();
    }
    pub fn transfer(&self, from: usize, to: usize, amount: u64) -> Result<(), Refused> {
        let (tell, told) = channel();
        self.ask(Act::Transfer(from, to, amount, tell));
        told.recv().unwrap()
    }
    pub fn transfer_within(&self, from: usize, to: usize, amount: u64, limit: Duration) -> Result<(), Refused> {
        let (tell, told) = channel();
        let number = self.ask(Act::Transfer(from, to, amount, tell));
        told.recv_timeout(limit).unwrap_or_else(|_| {
            self.ask(Act::Cancel(number));
            told.recv().unwrap()
        })
    }
    pub fn total(&self) -> u64 {
        let (tell, told) = channel();
        self.ask(Act::Total(tell));
        told.recv().unwrap()
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        drop(self.desk.take());
        let _ = self.clerk.take().unwrap().join();
    }
}

//! accepted
//!
//! There is one baton, and who has it is the owner. Whoever waits leaves the sender of a channel, and the last guard sends the
//! baton through the first one that still has a receiver. `Result` keeps a baton that nobody takes.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{ThreadId, current};
use std::time::Duration;

#[derive(Debug)]
pub struct RLock<T>(Mutex<Inside<T>>);

#[derive(Debug)]
struct Inside<T> {
    value: T,
    owner: Owner,
    waiting: Vec<(ThreadId, Sender<()>)>,
}

#[derive(Debug, Clone, Copy)]
enum Owner {
    Nobody,
    Thread { id: ThreadId, guards: u64 },
}

#[derive(Debug)]
#[must_use = "the guard gives the lock back when it is dropped"]
pub struct Guard<'lock, T> {
    lock: &'lock RLock<T>,
    // A sender of what is not `Send` is not `Sync` either.
    _thread: std::marker::PhantomData<Sender<*const ()>>,
}

enum Asked {
    Taken,
    Wait(Receiver<()>),
}

impl<T> RLock<T> {
    pub fn new(value: T) -> RLock<T> {
        RLock(Mutex::new(Inside { value, owner: Owner::Nobody, waiting: vec![] }))
    }

    fn ask(&self) -> Asked {
        let mut inside = self.0.lock().unwrap();
        let me = current().id();
        match &mut inside.owner {
            Owner::Thread { id, guards } if *id == me => *guards += 1,
            Owner::Thread { .. } => {
                let (sender, receiver) = channel();
                inside.waiting.push((me, sender));
                return Asked::Wait(receiver);
            }
            nobody => *nobody = Owner::Thread { id: me, guards: 1 },
        }
        Asked::Taken
    }

    fn guard(&self) -> Guard<'_, T> {
        Guard { lock: self, _thread: std::marker::PhantomData }
    }

    pub fn lock(&self) -> Guard<'_, T> {
        if let Asked::Wait(baton) = self.ask() {
            baton.recv().expect("the sender is dropped when it has sent");
        }
        self.guard()
    }

    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.lock_timeout(Duration::from_secs(0))
    }

    pub fn lock_timeout(&self, limit: Duration) -> Option<Guard<'_, T>> {
        let Asked::Wait(baton) = self.ask() else { return Some(self.guard()) };
        if limit > Duration::ZERO && baton.recv_timeout(limit) != Err(RecvTimeoutError::Timeout) {
            return Some(self.guard());
        }
        let mut inside = self.0.lock().unwrap();
        inside.waiting.retain(|(thread, _)| *thread != current().id());
        // Sent at the last moment, before the desk was ours.
        baton.try_recv().is_ok().then(|| self.guard())
    }

    pub fn depth(&self) -> usize {
        match self.0.lock().unwrap().owner {
            Owner::Thread { id, guards } if id == current().id() => guards as usize,
            _ => 0,
        }
    }
}

impl<T: Copy> Guard<'_, T> {
    pub fn get(&self) -> T {
        self.lock.0.lock().unwrap().value
    }

    pub fn set(&self, value: T) {
        self.lock.0.lock().unwrap().value = value;
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let mut inside = self.lock.0.lock().unwrap();
        let Owner::Thread { guards, .. } = &mut inside.owner else { unreachable!("a guard has an owner") };
        *guards -= 1;
        if *guards > 0 {
            return;
        }
        inside.owner = Owner::Nobody;
        if !inside.waiting.is_empty() {
            let (id, next) = inside.waiting.remove(0);
            inside.owner = Owner::Thread { id, guards: 1 };
            next.send(()).expect("whoever gives up leaves the line first");
        }
    }
}

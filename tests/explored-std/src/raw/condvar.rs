//! A condition variable.

use std::panic::Location;

use crate::engine::kind::Kind;
use crate::engine::object::{Identity, Model, What};
use crate::engine::operation::{How, NEVER, ObjectIndex, Operation};
use crate::engine::run::{step, with};
use crate::engine::state::State;
use crate::raw::{Deadline, RawLock, Sharing};

/// A condition variable. Waiters are called in the order of their coming, but for the one that came last: by accident, it is called
/// instead of the first.
#[derive(Debug)]
pub struct RawCondvar {
    identity: Identity,
}

/// Why a waiter went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Somebody called, or nobody did and it woke nevertheless: the waiter can't tell.
    Called,
    /// The time was up.
    TimedOut,
}

impl RawCondvar {
    /// A condition variable without waiters.
    #[track_caller]
    pub const fn new() -> RawCondvar {
        RawCondvar { identity: Identity::new() }
    }

    fn index(&self, state: &mut State) -> ObjectIndex {
        self.identity.register(state, What::plain("Condvar"), || Model::Condvar(Default::default())).0
    }

    /// Gives the lock back, waits for a notification and takes the lock again.
    #[track_caller]
    pub fn wait(&self, lock: &RawLock, written: bool, deadline: Deadline) -> Woken {
        let at = Location::caller();
        let mutex = lock.index();
        let condvar = with(|state| self.index(state));
        let wait = Operation { second: mutex, ..Operation::new(Kind::Wait, "wait", condvar, at) };
        step(wait);
        with(|state| {
            let me = state.current;
            state.me().notified = false;
            state.waiters(condvar).push_back(me);
            state.give_back(mutex, Sharing::Alone, written);
        });
        let how = step(Operation { kind: Kind::Wake, deadline: deadline.0, ..wait });
        if how != How::Step {
            with(|state| {
                let me = state.current;
                state.waiters(condvar).retain(|&waiter| waiter != me);
            });
            step(Operation { deadline: NEVER, ..Operation::new(Kind::Acquire, "lock", mutex, at) });
        }
        with(|state| {
            let (lock, me) = state.lock(mutex);
            lock.writer = me;
            lock.depth = 1;
            lock.taken_at = Some(at);
        });
        if how == How::Timeout { Woken::TimedOut } else { Woken::Called }
    }

    /// Calls up to this many waiters. Returns how many there were to call.
    #[track_caller]
    pub fn notify(&self, name: &'static str, most: usize) -> usize {
        let condvar = with(|state| self.index(state));
        let how =
            step(Operation { number: most as u64, ..Operation::new(Kind::Notify, name, condvar, Location::caller()) });
        with(|state| {
            let waiters = state.waiters(condvar);
            let called = most.min(waiters.len());
            if how == How::Spurious {
                waiters.rotate_right(1);
            }
            let first: Vec<usize> = waiters.drain(..called).collect();
            for waiter in first {
                state.threads[waiter].notified = true;
                if let Some(order) = &state.order {
                    order.borrow_mut().called(state.current, waiter);
                }
                state.memory.called(state.current, waiter);
            }
            state.record_value(|| format!("woke {called}"));
            called
        })
    }
}

impl Default for RawCondvar {
    #[track_caller]
    fn default() -> RawCondvar {
        RawCondvar::new()
    }
}

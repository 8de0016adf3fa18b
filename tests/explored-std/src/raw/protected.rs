//! A value that a lock protects: what every modelled lock with a value is made of.

use std::cell::UnsafeCell;

use crate::raw::{Deadline, RawLock, Sharing};

/// A lock, and the value that whoever holds it may reach.
pub struct Protected<T: ?Sized> {
    /// The lock.
    pub lock: RawLock,
    value: UnsafeCell<T>,
}

impl<T> Protected<T> {
    /// A free lock. `what` is its type's name in a trace.
    #[track_caller]
    pub const fn new(what: &'static str, value: T) -> Protected<T> {
        Protected { lock: RawLock::new::<T>(what), value: UnsafeCell::new(value) }
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Protected<T> {
    /// Takes the lock. False if the time was up first.
    #[track_caller]
    pub fn acquire(&self, sharing: Sharing, name: &'static str, deadline: Deadline) -> bool {
        self.lock.refresh(&self.value);
        self.lock.acquire(sharing, name, deadline)
    }

    /// Takes the lock if that is possible at once.
    #[track_caller]
    pub fn try_acquire(&self, sharing: Sharing, name: &'static str) -> bool {
        self.lock.refresh(&self.value);
        self.lock.try_acquire(sharing, name)
    }

    /// Whether somebody holds the lock.
    #[track_caller]
    pub fn is_held(&self, name: &'static str) -> bool {
        self.lock.refresh(&self.value);
        self.lock.is_held(name)
    }

    /// Whether somebody holds the lock alone.
    #[track_caller]
    pub fn is_held_alone(&self, name: &'static str) -> bool {
        self.lock.refresh(&self.value);
        self.lock.is_held_alone(name)
    }

    /// Whether the thread that runs holds the lock.
    pub fn is_mine(&self) -> bool {
        self.lock.refresh(&self.value);
        self.lock.is_mine()
    }

    /// Whether a holder panicked in this schedule, for others who hold nothing.
    #[track_caller]
    pub fn look_for_poison(&self) -> bool {
        self.lock.refresh(&self.value);
        self.lock.look_for_poison()
    }

    /// Forgets that a holder panicked.
    #[track_caller]
    pub fn clear_poison(&self) {
        self.lock.refresh(&self.value);
        self.lock.clear_poison();
    }

    /// The value's address. Only who holds the lock may follow it.
    pub fn value(&self) -> *mut T {
        self.value.get()
    }

    /// The value, which nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

//! `thread_local!` and [`LocalKey`].

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::rc::Rc;

use crate::engine::run::with;

/// The model of [`std::thread::LocalKey`](::std::thread::LocalKey): one value for each modelled thread, fresh in every
/// schedule.
pub struct LocalKey<T: 'static> {
    make: fn() -> T,
}

/// The thread's value is destroyed already.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessError;

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl Error for AccessError {}

/// What a thread has under a key.
enum Slot {
    Missing,
    Here(Rc<dyn Any>),
    Destroyed,
}

impl<T: 'static> LocalKey<T> {
    /// For `thread_local!` only.
    #[doc(hidden)]
    pub const fn new(make: fn() -> T) -> LocalKey<T> {
        LocalKey { make }
    }

    fn address(&'static self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// The thread's value; makes it first if there is none, with `first` if that is given.
    fn value(&'static self, first: &mut Option<T>) -> Result<Rc<T>, AccessError> {
        match find(self.address()) {
            Slot::Here(value) => Ok(value.downcast().expect("a key's value has the key's type")),
            Slot::Destroyed => Err(AccessError),
            Slot::Missing => {
                let value = Rc::new(first.take().unwrap_or_else(self.make));
                let address = self.address();
                let kept: Rc<dyn Any> = value.clone();
                with(|state| state.me().locals.push((address, Some(kept))));
                Ok(value)
            }
        }
    }

    /// Uses the thread's value.
    ///
    /// # Panics
    /// If it is destroyed already.
    pub fn with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> R {
        let value = self.value(&mut None);
        f(&value.expect("cannot access a Thread Local Storage value during or after destruction"))
    }

    /// Uses the thread's value.
    ///
    /// # Errors
    /// If it is destroyed already.
    pub fn try_with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> Result<R, AccessError> {
        Ok(f(&*self.value(&mut None)?))
    }

    /// Sets the thread's value with what `first` holds, or by `f`.
    fn with_first<R>(&'static self, first: T, f: impl FnOnce(T, &T) -> R, made: impl FnOnce() -> R) -> R {
        let mut first = Some(first);
        let value = self.value(&mut first);
        let value = value.expect("cannot access a Thread Local Storage value during or after destruction");
        match first {
            Some(first) => f(first, &value),
            None => made(),
        }
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the value, without making the first one.
    pub fn set(&'static self, value: T) {
        self.with_first(Cell::new(value), |value, cell| cell.set(value.into_inner()), || ());
    }

    /// A copy of the value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the value and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Puts a value in the place of the one that it returns.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Uses the value.
    pub fn with_borrow<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Uses the value mutably.
    pub fn with_borrow_mut<F: FnOnce(&mut T) -> R, R>(&'static self, f: F) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the value, without making the first one.
    pub fn set(&'static self, value: T) {
        self.with_first(RefCell::new(value), |value, cell| drop(cell.replace(value.into_inner())), || ());
    }

    /// Takes the value and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Puts a value in the place of the one that it returns.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

fn find(address: usize) -> Slot {
    with(|state| {
        let found =
            state.threads.get(state.current).and_then(|thread| thread.locals.iter().find(|local| local.0 == address));
        match found {
            Some((_, Some(value))) => Slot::Here(Rc::clone(value)),
            Some((_, None)) => Slot::Destroyed,
            None => Slot::Missing,
        }
    })
}

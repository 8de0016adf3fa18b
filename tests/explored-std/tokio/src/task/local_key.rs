//! `task_local!`: values that belong to a future, wherever it is polled.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

/// The model of `tokio::task::LocalKey`.
pub struct LocalKey<T: 'static> {
    inner: thread::LocalKey<RefCell<Option<T>>>,
}

/// The value is not set here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessError(());

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task-local value not set")
    }
}

impl Error for AccessError {}

/// Exchanges the value of a key with that of a slot, and back at the end.
struct Exchanged<'a, T: 'static> {
    key: &'static LocalKey<T>,
    slot: &'a mut Option<T>,
}

impl<'a, T: 'static> Exchanged<'a, T> {
    fn begin(key: &'static LocalKey<T>, slot: &'a mut Option<T>) -> Exchanged<'a, T> {
        exchange(key, slot);
        Exchanged { key, slot }
    }
}

impl<T: 'static> Drop for Exchanged<'_, T> {
    fn drop(&mut self) {
        exchange(self.key, self.slot);
    }
}

#[track_caller]
fn exchange<T: 'static>(key: &'static LocalKey<T>, slot: &mut Option<T>) {
    key.inner.with(|value| match value.try_borrow_mut() {
        Ok(mut value) => std::mem::swap(&mut *value, slot),
        Err(_) => panic!("cannot enter a task-local scope while the task-local storage is borrowed"),
    });
}

impl<T: 'static> LocalKey<T> {
    /// For `task_local!` only.
    #[doc(hidden)]
    #[must_use]
    pub const fn unset() -> LocalKey<T> {
        LocalKey { inner: thread::LocalKey::new(|| RefCell::new(None)) }
    }

    /// The future, with this value while it is polled.
    pub fn scope<F: Future>(&'static self, value: T, f: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture { key: self, slot: Some(value), future: Some(f) }
    }

    /// Calls the closure with this value.
    #[track_caller]
    pub fn sync_scope<F: FnOnce() -> R, R>(&'static self, value: T, f: F) -> R {
        let mut slot = Some(value);
        let _exchanged = Exchanged::begin(self, &mut slot);
        f()
    }

    /// Uses the value.
    ///
    /// # Panics
    /// If it is not set here.
    #[track_caller]
    pub fn with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(_) => panic!("cannot access a task-local storage value without setting it first"),
        }
    }

    /// Uses the value.
    ///
    /// # Errors
    /// If it is not set here.
    pub fn try_with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> Result<R, AccessError> {
        self.inner.with(|value| value.borrow().as_ref().map(f)).ok_or(AccessError(()))
    }

    /// A copy of the value.
    ///
    /// # Panics
    /// If it is not set here.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// A copy of the value.
    ///
    /// # Errors
    /// If it is not set here.
    pub fn try_get(&'static self) -> Result<T, AccessError>
    where
        T: Clone,
    {
        self.try_with(T::clone)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("LocalKey { .. }")
    }
}

pin_project_lite::pin_project! {
    /// A future that has a value of its own while it is polled.
    pub struct TaskLocalFuture<T: 'static, F> {
        key: &'static LocalKey<T>,
        slot: Option<T>,
        #[pin]
        future: Option<F>,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _exchanged = Exchanged::begin(this.key, this.slot);
                this.future.set(None);
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value back.
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().slot.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _exchanged = Exchanged::begin(this.key, this.slot);
        let future = this.future.as_mut().as_pin_mut().expect("`TaskLocalFuture` polled after completion");
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

impl<T: 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture").finish_non_exhaustive()
    }
}

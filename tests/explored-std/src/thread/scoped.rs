//! Threads that borrow.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;

use super::Thread;
use super::builder::{Builder, Work, is_finished, see, start, wait_for_end, wait_for_return};
use crate::engine::operation::{Site, ThreadIndex};
use crate::engine::panics::{OF_A_SCOPED_THREAD, run_to_result};
use crate::engine::run::with;
use crate::engine::thread::Job;

/// The model of [`std::thread::Scope`](::std::thread::Scope).
pub struct Scope<'scope, 'env: 'scope> {
    threads: Rc<RefCell<Vec<ThreadIndex>>>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

// SAFETY: all modelled threads run on one OS thread, so the list is never touched by two at once, nor across a switch.
unsafe impl Send for Scope<'_, '_> {}
// SAFETY: the same.
unsafe impl Sync for Scope<'_, '_> {}

impl std::panic::RefUnwindSafe for Scope<'_, '_> {}

/// Runs the closure with a scope for threads that may borrow what is outside; waits for all of them before it returns, but for the
/// destructors of their thread-locals.
///
/// # Panics
/// If one of them panicked and nobody joined it.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let at = Location::caller();
    let scope = Scope { threads: Rc::default(), scope: PhantomData, env: PhantomData };
    // Not the model's `catch_unwind`: this thread is still panicking while it waits.
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    end_of_scope(&scope.threads, at, result)
}

fn end_of_scope<T>(threads: &RefCell<Vec<ThreadIndex>>, at: Site, result: super::Result<T>) -> T {
    let unseen = wait_for_all(threads, at);
    match result {
        Err(payload) => resume_unwind(payload),
        Ok(_) if unseen => panic!("{OF_A_SCOPED_THREAD}"),
        Ok(value) => value,
    }
}

/// Waits for the scope's threads. Returns whether one panicked that nobody has joined, not even another one of them.
fn wait_for_all(threads: &RefCell<Vec<ThreadIndex>>, at: Site) -> bool {
    let mut next = 0;
    // A thread of the scope may start more of them meanwhile.
    while let Some(index) = { threads.borrow().get(next).copied() } {
        next += 1;
        if with(|state| !state.threads[index].seen) {
            wait_for_return(index, at);
        }
    }
    let mut unseen = false;
    for &index in threads.borrow().iter().filter(|&&index| with(|state| !state.threads[index].seen)) {
        see(index);
        unseen |= with(|state| state.threads[index].panicked);
    }
    unseen
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread in the scope.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.start(Builder::new(), Box::new(f), Location::caller())
    }

    pub(super) fn start<T: 'scope>(
        &'scope self,
        as_asked: Builder,
        f: Work<'scope, T>,
        at: Site,
    ) -> ScopedJoinHandle<'scope, T> {
        let result = Rc::new(Cell::new(None));
        let shared = Rc::clone(&result);
        let job: Box<dyn FnOnce() + 'scope> = Box::new(move || shared.set(Some(run_to_result(f))));
        // SAFETY: `scope` does not return, nor unwind, before the job is done and gone, or its stack is: at a schedule's end
        // stacks go newest first, and this thread is newer than the one that runs `scope`. What the thread does behind its
        // job, destroying thread-locals, has no borrows of the scope's.
        let job = unsafe { std::mem::transmute::<Box<dyn FnOnce() + 'scope>, Job>(job) };
        ScopedJoinHandle { thread: self.add(as_asked, job, at), result, scope: PhantomData }
    }

    fn add(&self, as_asked: Builder, job: Job, at: Site) -> Thread {
        let thread = start(as_asked, job, at);
        self.threads.borrow_mut().push(thread.index);
        thread
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// The model of [`std::thread::ScopedJoinHandle`](::std::thread::ScopedJoinHandle).
pub struct ScopedJoinHandle<'scope, T> {
    thread: Thread,
    result: Rc<Cell<Option<super::Result<T>>>>,
    scope: PhantomData<&'scope ()>,
}

// SAFETY: as for `JoinHandle`.
unsafe impl<T: Send> Send for ScopedJoinHandle<'_, T> {}
// SAFETY: the same.
unsafe impl<T: Send> Sync for ScopedJoinHandle<'_, T> {}

impl<T> ScopedJoinHandle<'_, T> {
    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Waits for the thread's end.
    ///
    /// # Errors
    /// If it panicked: with the payload.
    #[track_caller]
    pub fn join(self) -> super::Result<T> {
        wait_for_end(self.thread.index, Location::caller());
        self.result.take().expect("a thread that has ended has a result")
    }

    /// Whether the thread has ended, so that `join` would not wait.
    #[must_use]
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        is_finished(self.thread.index, Location::caller())
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}

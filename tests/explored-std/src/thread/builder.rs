//! Starting threads and waiting for their end.

use std::cell::Cell;
use std::ffi::CString;
use std::fmt;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

use super::Thread;
use super::scoped::{Scope, ScopedJoinHandle};
use crate::engine::kind::Kind;
use crate::engine::operation::{NOTHING, Operation, RETURNED, Site, ThreadIndex};
use crate::engine::panics::run_to_result;
use crate::engine::run::{step, with};
use crate::engine::state::State;
use crate::engine::thread::Job;

/// The model of [`std::thread::Builder`](::std::thread::Builder).
#[derive(Debug)]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A thread without a name.
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    #[must_use]
    pub fn new() -> Builder {
        Builder { name: None, stack_size: None }
    }

    /// Names the thread.
    #[must_use]
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Gives the thread a stack of this many bytes.
    #[must_use]
    pub fn stack_size(mut self, size: usize) -> Builder {
        self.stack_size = Some(size);
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// Never here.
    ///
    /// # Panics
    /// If the name has a null byte.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(start_alone(self, Box::new(f), Location::caller()))
    }

    /// Starts a thread that may borrow what outlives the scope.
    ///
    /// # Errors
    /// Never here.
    ///
    /// # Panics
    /// If the name has a null byte.
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Ok(scope.start(self, Box::new(f), Location::caller()))
    }
}

/// What a thread does, in a box: how it is started is compiled once for each result, and not once for each closure of a program.
pub(super) type Work<'a, T> = Box<dyn FnOnce() -> T + 'a>;

fn start_alone<T: 'static>(as_asked: Builder, f: Work<'static, T>, at: Site) -> JoinHandle<T> {
    let result = Rc::new(Cell::new(None));
    let shared = Rc::clone(&result);
    let job = Box::new(move || shared.set(Some(run_to_result(f))));
    JoinHandle { thread: start(as_asked, job, at), result }
}

/// Adds a thread to the schedule.
#[track_caller]
pub(crate) fn start(as_asked: Builder, job: Job, at: Site) -> Thread {
    if let Some(name) = &as_asked.name {
        CString::new(name.as_str()).expect("thread name may not contain interior null bytes");
    }
    with(|state| {
        let spawn = Operation::new(Kind::Never, "spawn", NOTHING, at);
        let index = state.add_thread(as_asked.name.map(Arc::from), job, spawn);
        if let Some(size) = as_asked.stack_size {
            state.threads[index].stack_size = size;
        }
        state.record_passively(&Operation { other: index, ..spawn });
        Thread::of(state, index)
    })
}

/// Waits for a thread's end, and notes that somebody saw it.
pub(super) fn wait_for_end(index: ThreadIndex, at: Site) {
    step(Operation::on_thread(Kind::Join, "join", index, at));
    see(index);
}

/// Waits until a thread's job is done, but not for the destructors of its thread-locals.
pub(super) fn wait_for_return(index: ThreadIndex, at: Site) {
    step(Operation { number: RETURNED, ..Operation::on_thread(Kind::Join, "join", index, at) });
}

/// Notes that the end of a thread was seen.
pub(super) fn see(index: ThreadIndex) {
    with(|state| {
        state.threads[index].seen = true;
        if state.threads[index].panicked {
            state.me().saw_panic_of = index;
        }
    });
}

/// Whether a thread has ended.
pub(super) fn is_finished(index: ThreadIndex, at: Site) -> bool {
    with(State::observe);
    step(Operation::on_thread(Kind::LookAtEnd, "is_finished", index, at));
    with(|state| {
        if !state.threads[index].locals.is_empty() {
            state.look_closely();
        }
        state.threads[index].is_finished()
    })
}

/// The model of [`std::thread::JoinHandle`](::std::thread::JoinHandle).
pub struct JoinHandle<T> {
    thread: Thread,
    result: Rc<Cell<Option<super::Result<T>>>>,
}

// SAFETY: all modelled threads run on one OS thread, so the counter and the cell are never touched by two at once. As for
// std's, the result may be anything, since it was `Send` when the thread was started.
unsafe impl<T> Send for JoinHandle<T> {}
// SAFETY: the same.
unsafe impl<T> Sync for JoinHandle<T> {}

impl<T> JoinHandle<T> {
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

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

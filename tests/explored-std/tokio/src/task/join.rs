//! Handles to tasks, and how tasks end.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::raw::{self, Awaited};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::Task;
use crate::context;
use crate::one_thread::OneThread;
use crate::steps::{Site, change, look};

/// What tells a task from the others of its schedule: they are counted in the order of their start.
#[derive(Clone, Copy, Debug, Hash, Eq, PartialEq, PartialOrd, Ord)]
pub struct Id(u64);

impl Id {
    pub(crate) fn next() -> Id {
        Id(raw::next_number())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The task that this is.
///
/// # Panics
/// Outside of a task.
#[must_use]
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// The task that this is, if it is one.
#[must_use]
pub fn try_id() -> Option<Id> {
    context::with(|context| context.task)
}

/// A task and its result.
pub(super) struct Join<T> {
    pub(super) task: Arc<Task>,
    result: OneThread<Option<Result<T, JoinError>>>,
}

impl<T> Join<T> {
    pub(super) fn new(task: Arc<Task>) -> Join<T> {
        Join { task, result: OneThread::new(None) }
    }

    pub(super) fn keep(&self, result: Result<T, JoinError>) {
        self.result.with(|slot| *slot = Some(result));
    }

    fn take(&self) -> Option<Result<T, JoinError>> {
        let result = self.result.with(Option::take);
        if result.is_some()
            && let Some(thread) = self.task.inside.with(|inside| inside.thread.clone())
        {
            raw::saw_end(&thread);
        }
        result
    }
}

/// The model of `tokio::task::JoinHandle`: a future of the task's result. The task runs on if it is dropped.
pub struct JoinHandle<T> {
    join: Arc<Join<T>>,
}

impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}

// SAFETY: as for tokio's: the result crosses threads only if it is `Send`.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: the same.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    pub(super) fn new(join: Arc<Join<T>>) -> JoinHandle<T> {
        JoinHandle { join }
    }

    /// Cancels the task where it awaits next, or is awaiting, unless it has ended.
    #[track_caller]
    pub fn abort(&self) {
        abort(&self.join.task);
    }

    /// Whether the task has ended.
    #[must_use]
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        is_finished(&self.join.task, "is_finished", Location::caller())
    }

    /// A handle that can cancel the task.
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { task: Arc::clone(&self.join.task) }
    }

    /// What tells the task from others.
    #[must_use]
    pub fn id(&self) -> Id {
        self.join.task.id
    }

    /// Lets this waker be called when the task has ended. Says whether it has already.
    pub(super) fn watch(&self, waker: &Waker) -> bool {
        let task = &self.join.task;
        look(&task.raw, "join", task.at, || {
            task.inside.with(|inside| {
                inside.joiner = Some(waker.clone());
                inside.finished
            })
        })
    }

    /// The result of a task that has ended.
    pub(super) fn take(&self) -> Result<T, JoinError> {
        self.join.take().expect("a task that has ended has a result")
    }

    /// Notes that the poll that is under way waits for the task.
    pub(super) fn note_awaited(&self) {
        if let Some(thread) = self.join.task.inside.with(|inside| inside.thread.clone()) {
            context::awaits(Awaited::end_of(&thread, self.join.task.at));
        }
    }
}

#[track_caller]
fn abort(task: &Task) {
    change(&task.raw, "abort", Location::caller(), || ());
    task.cancel();
}

/// Whether the task has ended, as somebody sees who looks by this name at this place.
pub(crate) fn is_finished(task: &Task, name: &'static str, at: Site) -> bool {
    look(&task.raw, name, at, || task.inside.with(|inside| inside.finished))
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !context::spend() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.watch(cx.waker()) {
            return Poll::Ready(self.join.take().expect("JoinHandle polled after completion"));
        }
        self.note_awaited();
        Poll::Pending
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// The model of `tokio::task::AbortHandle`.
#[derive(Clone)]
pub struct AbortHandle {
    task: Arc<Task>,
}

impl AbortHandle {
    /// Cancels the task where it awaits next, or is awaiting, unless it has ended.
    #[track_caller]
    pub fn abort(&self) {
        abort(&self.task);
    }

    /// Whether the task has ended.
    #[must_use]
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        is_finished(&self.task, "is_finished", Location::caller())
    }

    /// What tells the task from others.
    #[must_use]
    pub fn id(&self) -> Id {
        self.task.id
    }
}

impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// The model of `tokio::task::JoinError`: why a task has no result.
pub struct JoinError {
    id: Id,
    /// None if it was cancelled.
    panic: Option<Payload>,
}

/// What a task panicked with. It is shared only with those that look whether it is text.
struct Payload(Box<dyn Any + Send>);

// SAFETY: a shared payload is only looked at as a `String` or a `&str`, which are `Sync`.
unsafe impl Sync for Payload {}

impl Payload {
    fn text(&self) -> Option<&str> {
        let text = self.0.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| self.0.downcast_ref::<&'static str>().copied())
    }
}

impl JoinError {
    pub(super) fn cancelled(id: Id) -> JoinError {
        JoinError { id, panic: None }
    }

    pub(super) fn panicked(id: Id, payload: Box<dyn Any + Send>) -> JoinError {
        JoinError { id, panic: Some(Payload(payload)) }
    }

    /// Whether the task was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.panic.is_none()
    }

    /// Whether the task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.panic.is_some()
    }

    /// What the task panicked with.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic().expect("`JoinError` reason is not a panic.")
    }

    /// What the task panicked with.
    ///
    /// # Errors
    /// If it did not: with this error.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.panic {
            Some(Payload(payload)) => Ok(payload),
            None => Err(self),
        }
    }

    /// What tells the task from others.
    #[must_use]
    pub fn id(&self) -> Id {
        self.id
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.panic.as_ref().map(Payload::text) {
            None => write!(f, "task {} was cancelled", self.id),
            Some(None) => write!(f, "task {} panicked", self.id),
            Some(Some(text)) => write!(f, "task {} panicked with message {text:?}", self.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.panic.as_ref().map(Payload::text) {
            None => write!(f, "JoinError::Cancelled({:?})", self.id),
            Some(None) => write!(f, "JoinError::Panic({:?}, ...)", self.id),
            Some(Some(text)) => write!(f, "JoinError::Panic({:?}, {text:?}, ...)", self.id),
        }
    }
}

impl Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(if error.is_cancelled() { "task was cancelled" } else { "task panicked" })
    }
}

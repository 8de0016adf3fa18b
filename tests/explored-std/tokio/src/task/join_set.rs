//! `JoinSet`: tasks whose results come in the order of their ends.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::raw::{Awaited, RawLock, whole};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::{AbortHandle, Id, JoinError, JoinHandle, LocalSet};
use crate::context;
use crate::one_thread::OneThread;
use crate::runtime::Handle;
use crate::steps::{Site, look};

/// The model of `tokio::task::JoinSet`. Its drop cancels the tasks.
pub struct JoinSet<T> {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<T>>,
}

struct Shared {
    raw: RawLock,
    at: Site,
    ended: OneThread<VecDeque<Id>>,
    waker: OneThread<Option<Waker>>,
}

/// Called when a task has ended.
struct Ended {
    shared: Arc<Shared>,
    id: Id,
}

impl Wake for Ended {
    fn wake(self: Arc<Self>) {
        let shared = &self.shared;
        shared.raw.touch("end", shared.at);
        shared.ended.with(|ended| ended.push_back(self.id));
        if let Some(waker) = shared.waker.with(Option::take) {
            whole(|| waker.wake());
        }
    }
}

impl<T> JoinSet<T> {
    /// A set without tasks.
    #[must_use]
    #[track_caller]
    pub fn new() -> JoinSet<T> {
        let raw = RawLock::made_at::<()>("JoinSet", Location::caller());
        let shared = Shared { raw, at: Location::caller(), ended: OneThread::default(), waker: OneThread::default() };
        JoinSet { shared: Arc::new(shared), tasks: Vec::new() }
    }

    /// How many tasks are in the set: those whose results were not taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether no task is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    fn insert(&mut self, task: JoinHandle<T>) -> AbortHandle {
        let abort = task.abort_handle();
        let waker = Waker::from(Arc::new(Ended { shared: Arc::clone(&self.shared), id: task.id() }));
        if task.watch(&waker) {
            waker.wake();
        }
        self.tasks.push(task);
        abort
    }

    /// Starts a task in the set.
    ///
    /// # Panics
    /// If this thread is in no runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(super::spawn(task))
    }

    /// Starts a task of this runtime in the set.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(task))
    }

    /// Starts a local task in the set.
    ///
    /// # Panics
    /// If this thread polls no local set.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(super::spawn_local(task))
    }

    /// Starts a task of this local set in the set.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set.spawn_local(task))
    }

    /// Runs a closure on a thread for blocking work.
    ///
    /// # Panics
    /// If this thread is in no runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(super::spawn_blocking(f))
    }

    /// Runs a closure on a thread of this runtime for blocking work.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }

    /// The result of the next task to end; none if there is no task.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// The same, with what tells the task from others.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// The result of a task that has ended, if there is one.
    #[track_caller]
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(without_id)
    }

    /// The same, with what tells the task from others.
    #[track_caller]
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.next_ended(Location::caller(), None)
    }

    /// Polls for the result of the next task to end.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx).map(|next| next.map(without_id))
    }

    /// The same, with what tells the task from others.
    pub fn poll_join_next_with_id(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(Id, T), JoinError>>> {
        if self.tasks.is_empty() {
            return Poll::Ready(None);
        }
        if !context::spend() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.next_ended(self.shared.at, Some(cx.waker())) {
            Some(result) => Poll::Ready(Some(result)),
            None => {
                match &self.tasks[..] {
                    [task] => task.note_awaited(),
                    _ => context::awaits(Awaited::object(&self.shared.raw, self.shared.at)),
                }
                Poll::Pending
            }
        }
    }

    fn next_ended(&mut self, at: Site, waker: Option<&Waker>) -> Option<Result<(Id, T), JoinError>> {
        let shared = &self.shared;
        let id = look(&shared.raw, "join_next", at, || {
            let id = shared.ended.with(VecDeque::pop_front);
            if let Some(waker) = waker.filter(|_| id.is_none()) {
                shared.waker.with(|slot| *slot = Some(waker.clone()));
            }
            id
        })?;
        shared.raw.has_changed();
        let place = self.tasks.iter().position(|task| task.id() == id).expect("a task that has ended is in the set");
        Some(self.tasks.remove(place).take().map(|output| (id, output)))
    }

    /// Cancels all tasks and waits for their ends.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// The results of all tasks, in the order of their ends.
    ///
    /// # Panics
    /// If one of them did, or was cancelled.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result {
                Ok(output) => outputs.push(output),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        outputs
    }

    /// Cancels all tasks. They stay in the set until their results are taken.
    #[track_caller]
    pub fn abort_all(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    /// Takes all tasks out of the set: they run on.
    pub fn detach_all(&mut self) {
        self.tasks.clear();
    }
}

fn without_id<T>(result: Result<(Id, T), JoinError>) -> Result<T, JoinError> {
    result.map(|(_, output)| output)
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        if std::explored::exploring() {
            self.tasks.iter().for_each(JoinHandle::abort);
        }
    }
}

impl<T> Default for JoinSet<T> {
    #[track_caller]
    fn default() -> JoinSet<T> {
        JoinSet::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> JoinSet<T> {
        let mut set = JoinSet::new();
        set.extend(iter);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, iter: I) {
        for task in iter {
            self.spawn(task);
        }
    }
}

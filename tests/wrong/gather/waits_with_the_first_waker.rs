//! rejected: deadlock
//! by: a_call_may_go_from_one_task_to_another
//!
//! Breaks "As with every future, whoever has polled it last is woken": while it waits for those that it has cancelled, the call keeps the
//! waker of its first poll there. Situation: `first` has its output, a loser blocks, the call is handed to another task meanwhile, and then
//! the loser ends: the old task is woken. Before the end of the call is known, wakers are right.

use std::any::Any;
use std::future::{pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, Sleep, sleep_until};

/// Why there is no output: the future has panicked, with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

type Payload = Box<dyn Any + Send>;

/// The outputs that have come, and which was the first that ends the call.
struct Table<T> {
    ends_it: fn(&T) -> bool,
    outputs: Mutex<(Vec<Option<T>>, Option<usize>)>,
}

impl<T> Table<T> {
    fn for_guests(count: usize, ends_it: fn(&T) -> bool) -> Arc<Table<T>> {
        Arc::new(Table { ends_it, outputs: Mutex::new(((0..count).map(|_| None).collect(), None)) })
    }

    fn look(&self) -> MutexGuard<'_, (Vec<Option<T>>, Option<usize>)> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, index: usize, output: T) {
        let mut table = self.look();
        // Nobody sits at a table that was cleared.
        if let Some(place) = table.0.get_mut(index) {
            let ends_it = (self.ends_it)(&output);
            *place = Some(output);
            if ends_it {
                table.1.get_or_insert(index);
            }
        }
    }

    fn clear(&self) -> (Vec<Option<T>>, Option<usize>) {
        std::mem::take(&mut *self.look())
    }
}

struct Hall<T> {
    table: Arc<Table<T>>,
    tasks: JoinSet<()>,
}

impl<T: Send + 'static> Hall<T> {
    fn new(count: usize, ends_it: fn(&T) -> bool) -> Hall<T> {
        Hall { table: Table::for_guests(count, ends_it), tasks: JoinSet::new() }
    }

    fn full<F>(futures: Vec<F>, ends_it: fn(&T) -> bool) -> Hall<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut hall = Hall::new(futures.len(), ends_it);
        for (index, future) in futures.into_iter().enumerate() {
            hall.seat(index, future);
        }
        hall
    }

    fn seat<F>(&mut self, index: usize, future: F)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let table: Weak<Table<T>> = Arc::downgrade(&self.table);
        self.tasks.spawn(async move {
            let output = future.await;
            if let Some(table) = table.upgrade() {
                table.serve(index, output);
            }
        });
    }

    /// Waits for one more end. `Ok(false)`: all have ended.
    async fn one_has_gone(&mut self) -> Result<bool, Payload> {
        match self.tasks.join_next().await {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(error)) => Err(error.into_panic()),
        }
    }

    /// Clears the table, then the hall.
    async fn close(&mut self) -> (Vec<Option<T>>, Option<usize>) {
        let cleared = self.table.clear();
        let mut waker = None;
        let mut gone = pin!(self.tasks.shutdown());
        // One clone will do for all ends.
        poll_fn(|context| {
            let waker = waker.get_or_insert_with(|| context.waker().clone());
            gone.as_mut().poll(&mut Context::from_waker(waker))
        })
        .await;
        cleared
    }

    async fn fail(&mut self, payload: Payload) -> ! {
        drop(self.close().await);
        resume_unwind(payload)
    }
}

/// Waits for all, and gives their outputs in the order of the futures.
pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut hall = Hall::full(futures, |_| false);
    loop {
        match hall.one_has_gone().await {
            Ok(true) => {}
            Ok(false) => break hall.table.clear().0.into_iter().flatten().collect(),
            Err(payload) => hall.fail(payload).await,
        }
    }
}

/// Cancels its task when it is dropped.
struct Tied<T>(JoinHandle<T>);

impl<T> Drop for Tied<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for all, also if some of them panic: that is the answer in their places, and changes nothing for the others.
pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut tasks: Vec<Tied<F::Output>> = futures.into_iter().map(|future| Tied(tokio::spawn(future))).collect();
    let mut ends = Vec::new();
    for Tied(handle) in &mut tasks {
        let end = handle.await.map_err(|error| {
            let payload = error.into_panic();
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&'static str>().copied());
            Panicked(text.unwrap_or("(no text)").to_owned())
        });
        ends.push(end);
    }
    ends
}

/// Waits for all, and gives their outputs in the order of the futures. When one fails, its error is the answer, at once.
pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut hall = Hall::full(futures, Result::is_err);
    loop {
        match hall.one_has_gone().await {
            Ok(more) => {
                let failed = hall.table.look().1.is_some();
                if failed || !more {
                    let (ends, _) = hall.close().await;
                    return ends.into_iter().flatten().collect();
                }
            }
            Err(payload) => hall.fail(payload).await,
        }
    }
}

/// Waits for the first that ends, whichever it is, and gives its output. If there is no future at all, there is none.
pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut hall = Hall::full(futures, |_| true);
    if let Err(payload) = hall.one_has_gone().await {
        hall.fail(payload).await
    }
    let (mut outputs, first) = hall.close().await;
    outputs[first?].take()
}

/// Ready when the alarm rings. Without one, never.
async fn rings(alarm: Option<Sleep>) {
    match alarm {
        Some(alarm) => alarm.await,
        None => pending().await,
    }
}

/// An alarm for the end of this limit, if there is a clock that shows it.
fn alarm(limit: Duration) -> Option<Sleep> {
    Instant::now().checked_add(limit).map(sleep_until)
}

/// Waits for all, but for `limit` at most. Those that have not ended by then have no output.
pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut over = pin!(rings(alarm(limit)));
    let mut hall = Hall::full(futures, |_| false);
    loop {
        let end = tokio::select! {
            biased;
            end = hall.one_has_gone() => end,
            () = &mut over => Ok(false),
        };
        match end {
            Ok(true) => {}
            Ok(false) => break hall.close().await.0,
            Err(payload) => hall.fail(payload).await,
        }
    }
}

/// Waits for all, of which at most `at_once` are under way at the same time. Each has `limit` for itself, from its own start: if
/// that is over, it is cancelled and has no output, and another one may start.
///
/// # Panics
/// If `at_once` is 0, for then nothing could ever start.
pub async fn gather_bounded<F>(futures: Vec<F>, at_once: usize, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if at_once == 0 {
        panic!("a hall without a place");
    }
    let mut hall = Hall::new(futures.len(), |_| false);
    let mut queue = futures.into_iter().enumerate();
    for (index, future) in queue.by_ref().take(at_once) {
        hall.seat(index, kept_to(limit, future));
    }
    loop {
        match hall.one_has_gone().await {
            Ok(true) => {
                if let Some((index, future)) = queue.next() {
                    hall.seat(index, kept_to(limit, future));
                }
            }
            Ok(false) => break hall.table.clear().0.into_iter().map(Option::flatten).collect(),
            Err(payload) => hall.fail(payload).await,
        }
    }
}

/// The future, within its own task, until its limit is over.
async fn kept_to<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut over = pin!(rings(alarm(limit)));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => over.as_mut().poll(context).map(|()| None),
    })
    .await
}

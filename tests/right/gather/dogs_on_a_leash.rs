//! accepted
//!
//! No `JoinSet`: a leash of bare handles, polled by hand with `poll_fn`, whose `Drop` cancels. The limits are timers of the caller: whoever
//! is late is aborted, and keeps its place until it is gone.

use std::any::Any;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, Sleep, sleep_until};

/// Why there is no output: the future has panicked, with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

fn bury<T>(lost: T) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(lost))) {
        std::mem::forget(again);
    }
}

type Timer = Option<Pin<Box<Sleep>>>;

fn timer(limit: Duration) -> Timer {
    Instant::now().checked_add(limit).map(|end| Box::pin(sleep_until(end)))
}

fn is_over(timer: &mut Timer, context: &mut Context<'_>) -> bool {
    timer.as_mut().is_some_and(|timer| timer.as_mut().poll(context).is_ready())
}

struct Dog<T> {
    place: usize,
    handle: JoinHandle<T>,
    timer: Timer,
    late: bool,
}

type End<T> = (usize, Option<Result<T, Box<dyn Any + Send>>>);

struct Leash<T> {
    dogs: Vec<Dog<T>>,
    ended: VecDeque<End<T>>,
}

impl<T> Drop for Leash<T> {
    fn drop(&mut self) {
        self.abort();
    }
}

impl<T> Leash<T> {
    fn abort(&self) {
        self.dogs.iter().for_each(|dog| dog.handle.abort());
    }
}

impl<T: Send + 'static> Leash<T> {
    fn new() -> Leash<T> {
        Leash { dogs: Vec::new(), ended: VecDeque::new() }
    }

    fn of<F: Future<Output = T> + Send + 'static>(futures: Vec<F>) -> Leash<T> {
        let mut leash = Leash::new();
        for (place, future) in futures.into_iter().enumerate() {
            leash.start(place, future, None);
        }
        leash
    }

    fn start(&mut self, place: usize, future: impl Future<Output = T> + Send + 'static, timer: Timer) {
        self.dogs.push(Dog { place, handle: tokio::spawn(future), timer, late: false });
    }

    /// Looks at all once, so that each has the waker of this poll, and notes those that have ended.
    fn look(&mut self, context: &mut Context<'_>) {
        let mut at = 0;
        while let Some(dog) = self.dogs.get_mut(at) {
            match Pin::new(&mut dog.handle).poll(context) {
                Poll::Pending => {
                    if is_over(&mut dog.timer, context) {
                        dog.timer = None;
                        dog.late = true;
                        dog.handle.abort();
                    }
                    at += 1;
                }
                Poll::Ready(result) => {
                    let dog = self.dogs.swap_remove(at);
                    let end = if dog.late {
                        bury(result);
                        None
                    } else {
                        Some(result.map_err(payload))
                    };
                    self.ended.push_back((dog.place, end));
                }
            }
        }
    }

    /// The next that has ended. It has no result if it was late. Of no tasks, none.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<End<T>>> {
        if self.ended.is_empty() {
            self.look(context);
        }
        match self.ended.pop_front() {
            Some(end) => Poll::Ready(Some(end)),
            None if self.dogs.is_empty() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    async fn next(&mut self) -> Option<End<T>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    async fn dismiss(mut self) {
        self.abort();
        while let Some(dog) = self.dogs.last_mut() {
            let result = (&mut dog.handle).await;
            self.dogs.pop();
            bury(result);
        }
        self.ended.drain(..).for_each(bury);
    }
}

fn payload(error: JoinError) -> Box<dyn Any + Send> {
    error.try_into_panic().unwrap_or_else(|error| Box::new(error.to_string()))
}

fn empty<T>(length: usize) -> Vec<Option<T>> {
    (0..length).map(|_| None).collect()
}

/// Waits for all, and gives their outputs in the order of the futures.
pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    gather_within(futures, Duration::MAX).await.into_iter().flatten().collect()
}

/// Waits for all, also if some of them panic: that is the answer in their places, and changes nothing for the others.
pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = empty(futures.len());
    let mut leash = Leash::of(futures);
    while let Some((place, end)) = leash.next().await {
        outputs[place] = end.map(|end| end.map_err(told));
    }
    outputs.into_iter().flatten().collect()
}

fn told(payload: Box<dyn Any + Send>) -> Panicked {
    let payload = match payload.downcast::<String>() {
        Ok(text) => return Panicked(*text),
        Err(payload) => payload,
    };
    match payload.downcast::<&'static str>() {
        Ok(text) => Panicked(String::from(*text)),
        Err(payload) => {
            bury(payload);
            Panicked(String::from("it did not say why"))
        }
    }
}

/// Waits for all, and gives their outputs in the order of the futures. When one fails, its error is the answer, at once.
pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut outputs = empty(futures.len());
    let mut leash = Leash::of(futures);
    while let Some((place, end)) = leash.next().await {
        match end {
            Some(Ok(Ok(output))) => outputs[place] = Some(output),
            Some(Ok(Err(error))) => {
                leash.dismiss().await;
                return Err(error);
            }
            Some(Err(payload)) => {
                leash.dismiss().await;
                resume_unwind(payload);
            }
            None => unreachable!("nobody has a limit here"),
        }
    }
    Ok(outputs.into_iter().flatten().collect())
}

/// Waits for the first that ends, whichever it is, and gives its output. If there is no future at all, there is none.
pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut leash = Leash::of(futures);
    let (_, end) = leash.next().await?;
    leash.dismiss().await;
    end.map(|end| end.unwrap_or_else(|payload| resume_unwind(payload)))
}

/// Waits for all, but for `limit` at most. Those that have not ended by then have no output.
pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut timer = timer(limit);
    let mut outputs = empty(futures.len());
    let mut leash = Leash::of(futures);
    loop {
        let next = poll_fn(|context| match leash.poll_next(context) {
            Poll::Pending if is_over(&mut timer, context) => Poll::Ready(None),
            next => next,
        });
        match next.await {
            Some((place, Some(Ok(output)))) => outputs[place] = Some(output),
            Some((_, Some(Err(payload)))) => {
                leash.dismiss().await;
                resume_unwind(payload);
            }
            Some((_, None)) => unreachable!("nobody has a limit of its own here"),
            None => break,
        }
    }
    leash.dismiss().await;
    outputs
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
    assert_ne!(at_once, 0, "nothing could ever start");
    let mut outputs = empty(futures.len());
    let mut queue: VecDeque<(usize, F)> = futures.into_iter().enumerate().collect();
    let mut leash = Leash::new();
    loop {
        while leash.dogs.len() < at_once
            && let Some((place, future)) = queue.pop_front()
        {
            leash.start(place, future, timer(limit));
        }
        match leash.next().await {
            Some((place, Some(Ok(output)))) => outputs[place] = Some(output),
            Some((_, Some(Err(payload)))) => {
                leash.dismiss().await;
                resume_unwind(payload);
            }
            Some((_, None)) => {}
            None => return outputs,
        }
    }
}

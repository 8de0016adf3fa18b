//! rejected: lost-wakeup
//! by: nobody_runs_on_while_one_is_waited_for
//!
//! Breaks "When a future panics before that, `gather_bounded` panics at once" (and "nobody runs on while one is waited for"): all are
//! cancelled at the panic, but the loop that waits for them goes on giving free places to those that have not started. It shows with two
//! places and three futures: one panics, one is cancelled, and the third starts, and runs to its end or limit. With one place it is right.

use std::future::pending;
use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::resume_unwind;
use std::pin::pin;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Why there is no output: the future has panicked, with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

/// Is over at that time, or never.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Runs all, so many at once, until the judge breaks, the deadline is over, or all have ended. Then nobody is left.
async fn run<F, B>(
    futures: impl Iterator<Item = F>,
    at_once: usize,
    deadline: Option<Instant>,
    mut judge: impl FnMut(usize, F::Output) -> ControlFlow<B>,
) -> Option<B>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut waiting = futures.enumerate();
    let mut limit = pin!(until(deadline));
    let mut set = JoinSet::new();
    let mut fallen = None;
    let verdict = loop {
        while set.len() < at_once {
            let Some((index, future)) = waiting.next() else { break };
            set.spawn(async move { (index, future.await) });
        }
        let end = tokio::select! {
            biased;
            end = set.join_next() => end,
            () = &mut limit => None,
        };
        match end {
            None => break None,
            Some(Ok((index, output))) => {
                if fallen.is_none()
                    && let Break(verdict) = judge(index, output)
                {
                    break Some(verdict);
                }
            }
            Some(Err(error)) => {
                // Who is cancelled from here on comes by as well: the first error counts.
                fallen.get_or_insert(error);
                set.abort_all();
                if set.is_empty() {
                    break None;
                }
            }
        }
    };
    set.shutdown().await;
    match fallen {
        Some(error) => resume_unwind(error.into_panic()),
        None => verdict,
    }
}

fn empty<T>(count: usize) -> Vec<Option<T>> {
    (0..count).map(|_| None).collect()
}

fn full<T>(places: Vec<Option<T>>) -> Vec<T> {
    places.into_iter().map(|place| place.expect("all have ended well")).collect()
}

/// Waits for all, and gives their outputs in the order of the futures.
pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = empty(futures.len());
    run(futures.into_iter(), usize::MAX, None, |index, output| -> ControlFlow<()> {
        outputs[index] = Some(output);
        Continue(())
    })
    .await;
    full(outputs)
}

/// Cancels them when it is dropped.
struct Leash<T>(Vec<JoinHandle<T>>);

impl<T> Drop for Leash<T> {
    fn drop(&mut self) {
        for handle in &self.0 {
            handle.abort();
        }
    }
}

/// Waits for all, also if some of them panic: that is the answer in their places, and changes nothing for the others.
pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut leash = Leash(futures.into_iter().map(tokio::spawn).collect());
    let mut ends = Vec::with_capacity(leash.0.len());
    for handle in &mut leash.0 {
        ends.push(match handle.await {
            Ok(output) => Ok(output),
            Err(error) => {
                let payload = error.into_panic();
                let message = if let Some(text) = payload.downcast_ref::<&'static str>() {
                    (*text).to_owned()
                } else if let Some(text) = payload.downcast_ref::<String>() {
                    text.clone()
                } else {
                    "a panic without a text".to_owned()
                };
                Err(Panicked(message))
            }
        });
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
    let mut outputs = empty(futures.len());
    let failed = run(futures.into_iter(), usize::MAX, None, |index, output| match output {
        Ok(output) => {
            outputs[index] = Some(output);
            Continue(())
        }
        Err(error) => Break(error),
    })
    .await;
    match failed {
        Some(error) => Err(error),
        None => Ok(full(outputs)),
    }
}

/// Waits for the first that ends, whichever it is, and gives its output. If there is no future at all, there is none.
pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    run(futures.into_iter(), usize::MAX, None, |_, output| Break(output)).await
}

/// Waits for all, but for `limit` at most. Those that have not ended by then have no output.
pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let deadline = Instant::now().checked_add(limit);
    let mut outputs = empty(futures.len());
    run(futures.into_iter(), usize::MAX, deadline, |index, output| -> ControlFlow<()> {
        outputs[index] = Some(output);
        Continue(())
    })
    .await;
    outputs
}

async fn limited<F: Future>(future: F, limit: Duration) -> Option<F::Output> {
    match Instant::now().checked_add(limit) {
        Some(deadline) => timeout_at(deadline, future).await.ok(),
        None => Some(future.await),
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
    assert!(at_once > 0, "no place, so nothing could ever start");
    let mut outputs = empty(futures.len());
    run(futures.into_iter().map(|future| limited(future, limit)), at_once, None, |index, output| -> ControlFlow<()> {
        outputs[index] = output;
        Continue(())
    })
    .await;
    outputs
}

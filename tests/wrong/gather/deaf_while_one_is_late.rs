//! rejected: assertion
//! by: a_place_is_free_when_its_future_is_gone
//!
//! Breaks "starts another one whenever one has ended" and "when a future panics before that, `gather_bounded` panics at once": when a limit
//! is over, the caller aborts that task and awaits it on the spot, deaf for everybody else. Shows on two workers with two places and a
//! limit of 2 s: A blocks from 0 s to 9 s, B ends at 1 s, C starts then and panics at 2.5 s: the panic comes out at 9 s (or C ends at 2.5
//! s, and D starts at 9 s only). Base: caller-driven, a map of handles by place, deadlines in a queue since all limits are equal.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Why there is no output: the future has panicked, with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

type Payload = Box<dyn Any + Send>;
type Report<T> = (usize, Result<T, Payload>);

/// The handles of the tasks that have been started and not been waited for.
struct Leash(HashMap<usize, JoinHandle<()>>);

impl Leash {
    fn cancel(&self) {
        for task in self.0.values() {
            task.abort();
        }
    }

    async fn end(&mut self) {
        self.cancel();
        for task in self.0.values_mut() {
            let _ = task.await;
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.cancel();
    }
}

async fn caught<F: Future>(future: F) -> Result<F::Output, Payload> {
    let mut future = Box::pin(future);
    poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(payload) => Poll::Ready(Err(payload)),
    })
    .await
}

fn start<F>(place: usize, future: F, sender: &UnboundedSender<Report<F::Output>>) -> JoinHandle<()>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let sender = sender.clone();
    tokio::spawn(async move {
        let end = caught(future).await;
        let _ = sender.send((place, end));
    })
}

/// Starts all. The channel is at its end when all have ended.
fn start_all<F>(futures: Vec<F>) -> (Leash, UnboundedReceiver<Report<F::Output>>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (sender, reports) = unbounded_channel();
    let tasks = futures.into_iter().enumerate().map(|(place, future)| (place, start(place, future, &sender))).collect();
    (Leash(tasks), reports)
}

async fn over(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

fn none<T>(count: usize) -> Vec<Option<T>> {
    (0..count).map(|_| None).collect()
}

fn message(payload: &Payload) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        String::from(*text)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        String::from("?")
    }
}

/// Waits for all, and gives their outputs in the order of the futures.
pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = none(futures.len());
    let (mut leash, mut reports) = start_all(futures);
    while let Some((place, end)) = reports.recv().await {
        match end {
            Ok(output) => outputs[place] = Some(output),
            Err(payload) => {
                leash.end().await;
                resume_unwind(payload);
            }
        }
    }
    leash.end().await;
    outputs.into_iter().flatten().collect()
}

/// Waits for all, also if some of them panic: that is the answer in their places, and changes nothing for the others.
pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut ends = none(futures.len());
    let (mut leash, mut reports) = start_all(futures);
    while let Some((place, end)) = reports.recv().await {
        ends[place] = Some(end.map_err(|payload| Panicked(message(&payload))));
    }
    leash.end().await;
    ends.into_iter().flatten().collect()
}

/// Waits for all, and gives their outputs in the order of the futures. When one fails, its error is the answer, at once.
pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut outputs = none(futures.len());
    let (mut leash, mut reports) = start_all(futures);
    while let Some((place, end)) = reports.recv().await {
        match end {
            Ok(Ok(output)) => outputs[place] = Some(output),
            Ok(Err(error)) => {
                leash.end().await;
                return Err(error);
            }
            Err(payload) => {
                leash.end().await;
                resume_unwind(payload);
            }
        }
    }
    leash.end().await;
    Ok(outputs.into_iter().flatten().collect())
}

/// Waits for the first that ends, whichever it is, and gives its output. If there is no future at all, there is none.
pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (mut leash, mut reports) = start_all(futures);
    let winner = reports.recv().await;
    leash.end().await;
    match winner {
        Some((_, Ok(output))) => Some(output),
        Some((_, Err(payload))) => resume_unwind(payload),
        None => None,
    }
}

/// Waits for all, but for `limit` at most. Those that have not ended by then have no output.
pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut over = pin!(over(Instant::now().checked_add(limit)));
    let mut outputs = none(futures.len());
    let (mut leash, mut reports) = start_all(futures);
    loop {
        let report = tokio::select! {
            biased;
            report = reports.recv() => report,
            () = &mut over => None,
        };
        match report {
            Some((place, Ok(output))) => outputs[place] = Some(output),
            Some((_, Err(payload))) => {
                leash.end().await;
                resume_unwind(payload);
            }
            None => break,
        }
    }
    leash.end().await;
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
    assert!(at_once > 0, "nothing could ever start");
    let mut outputs = none(futures.len());
    let (sender, mut reports) = unbounded_channel();
    let mut waiting = futures.into_iter().enumerate();
    let mut leash = Leash(HashMap::new());
    let mut under_way = vec![false; outputs.len()];
    let mut count = 0;
    // The limits are all equal, so who has started first is overdue first.
    let mut deadlines: VecDeque<(usize, Instant)> = VecDeque::new();
    loop {
        while count < at_once {
            let Some((place, future)) = waiting.next() else { break };
            if let Some(deadline) = Instant::now().checked_add(limit) {
                deadlines.push_back((place, deadline));
            }
            leash.0.insert(place, start(place, future, &sender));
            under_way[place] = true;
            count += 1;
        }
        if count == 0 {
            break;
        }
        // Who has ended is overdue no more.
        while deadlines.front().is_some_and(|(place, _)| !under_way[*place]) {
            deadlines.pop_front();
        }
        let next = deadlines.front().map(|(_, deadline)| *deadline);
        tokio::select! {
            biased;
            report = reports.recv() => {
                let (place, end) = report.expect("there is a sender");
                // Nothing comes of one that was overdue.
                if under_way[place] {
                    under_way[place] = false;
                    count -= 1;
                    match end {
                        Ok(output) => outputs[place] = Some(output),
                        Err(payload) => {
                            leash.end().await;
                            resume_unwind(payload);
                        }
                    }
                }
            }
            () = over(next) => {
                if let Some((place, _)) = deadlines.pop_front() {
                    // Its place is free when it is gone.
                    if let Some(task) = leash.0.remove(&place) {
                        task.abort();
                        let _ = task.await;
                    }
                    under_way[place] = false;
                    count -= 1;
                }
            }
        }
    }
    leash.end().await;
    outputs
}

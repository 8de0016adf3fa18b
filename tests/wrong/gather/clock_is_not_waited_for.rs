//! rejected: assertion
//! by: no_task_of_its_own_is_left_when_a_call_is_over
//!
//! Breaks "a task without one of the futures, such as one that looks after a limit, ends with the call, too": the clock of `gather_within`
//! is a task, aborted by a guard when the call is over, but not waited for. Shows with (an output after 1 s) and a limit of 3 s: when the
//! call returns, the clock's task is aborted but not gone yet, on some schedules. Base: one channel for outputs, panics and the clock;
//! handles on a leash.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Why there is no output: the future has panicked, with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

type Payload = Box<dyn Any + Send>;

enum Event<T> {
    Output(usize, T),
    Panic(usize, Payload),
    Over,
}

/// Cancels its task when it is dropped.
struct Leashed(JoinHandle<()>);

impl Drop for Leashed {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Cancels all, and then waits for all.
async fn end(mut tasks: Vec<Leashed>) {
    for task in &tasks {
        task.0.abort();
    }
    for task in &mut tasks {
        let _ = (&mut task.0).await;
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

fn start<F>(place: usize, future: F, sender: &UnboundedSender<Event<F::Output>>) -> Leashed
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let sender = sender.clone();
    Leashed(tokio::spawn(async move {
        let event = match caught(future).await {
            Ok(output) => Event::Output(place, output),
            Err(payload) => Event::Panic(place, payload),
        };
        let _ = sender.send(event);
    }))
}

type Started<T> = (Vec<Leashed>, UnboundedSender<Event<T>>, UnboundedReceiver<Event<T>>);

fn start_all<F>(futures: Vec<F>) -> Started<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (sender, events) = unbounded_channel();
    let mut tasks = Vec::with_capacity(futures.len());
    for (place, future) in futures.into_iter().enumerate() {
        tasks.push(start(place, future, &sender));
    }
    (tasks, sender, events)
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
        String::from("whatever")
    }
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
    let mut ends = none(futures.len());
    let (tasks, sender, mut events) = start_all(futures);
    drop(sender);
    while let Some(event) = events.recv().await {
        match event {
            Event::Output(place, output) => ends[place] = Some(Ok(output)),
            Event::Panic(place, payload) => ends[place] = Some(Err(Panicked(message(&payload)))),
            Event::Over => {}
        }
    }
    end(tasks).await;
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
    let (tasks, sender, mut events) = start_all(futures);
    drop(sender);
    while let Some(event) = events.recv().await {
        match event {
            Event::Output(place, Ok(output)) => outputs[place] = Some(output),
            Event::Output(_, Err(error)) => {
                end(tasks).await;
                return Err(error);
            }
            Event::Panic(_, payload) => {
                end(tasks).await;
                resume_unwind(payload);
            }
            Event::Over => {}
        }
    }
    end(tasks).await;
    Ok(outputs.into_iter().flatten().collect())
}

/// Waits for the first that ends, whichever it is, and gives its output. If there is no future at all, there is none.
pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (tasks, sender, mut events) = start_all(futures);
    drop(sender);
    let event = events.recv().await;
    end(tasks).await;
    match event {
        Some(Event::Output(_, output)) => Some(output),
        Some(Event::Panic(_, payload)) => resume_unwind(payload),
        Some(Event::Over) | None => None,
    }
}

/// Waits for all, but for `limit` at most. Those that have not ended by then have no output.
pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let deadline = Instant::now().checked_add(limit);
    let mut missing = futures.len();
    let mut outputs = none(missing);
    let (tasks, sender, mut events) = start_all(futures);
    let _clock = deadline.map(|deadline| {
        let sender = sender.clone();
        Leashed(tokio::spawn(async move {
            sleep_until(deadline).await;
            let _ = sender.send(Event::Over);
        }))
    });
    while missing > 0 {
        match events.recv().await {
            Some(Event::Output(place, output)) => {
                outputs[place] = Some(output);
                missing -= 1;
            }
            Some(Event::Panic(_, payload)) => {
                end(tasks).await;
                resume_unwind(payload);
            }
            Some(Event::Over) | None => break,
        }
    }
    end(tasks).await;
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
    let mut waiting = futures.into_iter().enumerate();
    let mut tasks = Vec::new();
    let (sender, mut events) = unbounded_channel();
    let mut under_way = 0;
    loop {
        while under_way < at_once {
            let Some((place, future)) = waiting.next() else { break };
            let limited = async move {
                match Instant::now().checked_add(limit) {
                    Some(deadline) => timeout_at(deadline, future).await.ok(),
                    None => Some(future.await),
                }
            };
            tasks.push(start(place, limited, &sender));
            under_way += 1;
        }
        if under_way == 0 {
            break;
        }
        match events.recv().await {
            Some(Event::Output(place, output)) => outputs[place] = output,
            Some(Event::Panic(_, payload)) => {
                end(tasks).await;
                resume_unwind(payload);
            }
            Some(Event::Over) | None => {}
        }
        under_way -= 1;
    }
    end(tasks).await;
    outputs
}

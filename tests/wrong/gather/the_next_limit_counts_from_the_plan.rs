//! rejected: assertion
//! by: a_place_is_free_when_its_future_is_gone
//!
//! Breaks "The `limit` of each begins with its own start": whoever gets the place of one whose limit was over starts, for its limit, at the
//! moment when that limit was over. `gather_bounded` of two futures, one place, 2 s: the first blocks (or is dropped slowly) until second
//! 5, the second starts then, and is cancelled at once instead of at second 7. If nobody blocks, the two moments are the same.

use std::collections::VecDeque;
use std::future::pending;
use std::panic::resume_unwind;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep_until};

/// Why there is no output: the future has panicked, with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

/// Is sent when it is dropped.
struct Note {
    index: usize,
    desk: UnboundedSender<usize>,
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = self.desk.send(self.index);
    }
}

/// The tasks of one call.
struct Crew<T> {
    handles: Vec<Option<JoinHandle<T>>>,
    busy: usize,
    desk: UnboundedSender<usize>,
    notes: UnboundedReceiver<usize>,
    noted: Option<usize>,
}

impl<T: Send + 'static> Crew<T> {
    fn new(count: usize) -> Crew<T> {
        let (desk, notes) = unbounded_channel();
        Crew { handles: (0..count).map(|_| None).collect(), busy: 0, desk, notes, noted: None }
    }

    fn of_all<F>(futures: Vec<F>) -> Crew<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut crew = Crew::new(futures.len());
        for (index, future) in futures.into_iter().enumerate() {
            crew.start(index, future);
        }
        crew
    }

    fn start<F>(&mut self, index: usize, future: F)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let note = Note { index, desk: self.desk.clone() };
        self.busy += 1;
        self.handles[index] = Some(tokio::spawn(async move {
            let _note = note;
            future.await
        }));
    }

    /// The next end. If this is dropped while it waits, nothing is lost.
    async fn next(&mut self) -> Option<(usize, Result<T, JoinError>)> {
        if self.busy == 0 {
            return None;
        }
        if self.noted.is_none() {
            self.noted = self.notes.recv().await;
        }
        let index = self.noted?;
        let end = self.handles[index].as_mut()?.await;
        self.handles[index] = None;
        self.noted = None;
        self.busy -= 1;
        Some((index, end))
    }

    fn cancel(&mut self) {
        for handle in self.handles.iter().flatten() {
            handle.abort();
        }
    }

    /// Cancels all, and waits for them.
    async fn dismiss(&mut self) {
        self.cancel();
        while self.next().await.is_some() {}
    }

    /// Goes on with a panic, when nobody is there any more.
    async fn panic_with(&mut self, error: JoinError) -> ! {
        self.dismiss().await;
        resume_unwind(error.into_panic())
    }
}

impl<T> Drop for Crew<T> {
    fn drop(&mut self) {
        for handle in self.handles.iter().flatten() {
            handle.abort();
        }
    }
}

fn places<T>(count: usize) -> Vec<Option<T>> {
    (0..count).map(|_| None).collect()
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Waits for all, and gives their outputs in the order of the futures.
pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = places(futures.len());
    let mut crew = Crew::of_all(futures);
    while let Some((index, end)) = crew.next().await {
        match end {
            Ok(output) => outputs[index] = Some(output),
            Err(error) => crew.panic_with(error).await,
        }
    }
    outputs.into_iter().flatten().collect()
}

/// Waits for all, also if some of them panic: that is the answer in their places, and changes nothing for the others.
pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut outputs = places(futures.len());
    let mut crew = Crew::of_all(futures);
    while let Some((index, end)) = crew.next().await {
        outputs[index] = Some(end.map_err(|error| {
            let payload = match error.into_panic().downcast::<String>() {
                Ok(text) => return Panicked(*text),
                Err(payload) => payload,
            };
            match payload.downcast::<&'static str>() {
                Ok(text) => Panicked((*text).to_owned()),
                Err(_) => Panicked("a payload that is no text".to_owned()),
            }
        }));
    }
    outputs.into_iter().flatten().collect()
}

/// Waits for all, and gives their outputs in the order of the futures. When one fails, its error is the answer, at once.
pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut outputs = places(futures.len());
    let mut crew = Crew::of_all(futures);
    while let Some((index, end)) = crew.next().await {
        match end {
            Ok(Ok(output)) => outputs[index] = Some(output),
            Ok(Err(error)) => {
                crew.dismiss().await;
                return Err(error);
            }
            Err(error) => crew.panic_with(error).await,
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
    let mut crew = Crew::of_all(futures);
    match crew.next().await? {
        (_, Ok(output)) => {
            crew.dismiss().await;
            Some(output)
        }
        (_, Err(error)) => crew.panic_with(error).await,
    }
}

/// Waits for all, but for `limit` at most. Those that have not ended by then have no output.
pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let deadline = Instant::now().checked_add(limit);
    let mut outputs = places(futures.len());
    let mut crew = Crew::of_all(futures);
    loop {
        let end = tokio::select! {
            biased;
            end = crew.next() => end,
            () = until(deadline) => None,
        };
        match end {
            None => break,
            Some((index, Ok(output))) => outputs[index] = Some(output),
            Some((_, Err(error))) => crew.panic_with(error).await,
        }
    }
    crew.dismiss().await;
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
    assert!(at_once != 0, "there is no place at all");
    let mut outputs = places(futures.len());
    let mut late = vec![false; futures.len()];
    let mut crew = Crew::new(futures.len());
    let mut waiting = futures.into_iter().enumerate();
    let mut deadlines = VecDeque::new();
    let mut vacated = VecDeque::new();
    loop {
        while crew.busy < at_once {
            let Some((index, future)) = waiting.next() else { break };
            crew.start(index, future);
            let start = vacated.pop_front().unwrap_or_else(Instant::now);
            if let Some(deadline) = start.checked_add(limit) {
                deadlines.push_back((deadline, index));
            }
        }
        // Whose limit is over next. All have the same limit, so they stand in the order of their starts.
        while deadlines.front().is_some_and(|&(_, index)| crew.handles[index].is_none()) {
            deadlines.pop_front();
        }
        let next: Option<(Instant, usize)> = deadlines.front().copied();
        tokio::select! {
            biased;
            end = crew.next() => match end {
                None => break,
                Some((index, Ok(output))) => {
                    if !late[index] {
                        outputs[index] = Some(output);
                    }
                }
                Some((index, Err(error))) => {
                    if !late[index] {
                        crew.panic_with(error).await;
                    }
                }
            },
            () = until(next.map(|(deadline, _)| deadline)) => {
                if let Some((deadline, index)) = deadlines.pop_front() {
                    vacated.push_back(deadline);
                    late[index] = true;
                    if let Some(handle) = &crew.handles[index] {
                        handle.abort();
                    }
                }
            }
        }
    }
    outputs
}

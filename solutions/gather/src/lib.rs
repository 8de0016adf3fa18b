//! Many futures at once, each in a task of its own.
//!
//! A task that nobody looks after runs on by itself. So each function here keeps its tasks in a `JoinSet`, in its own future. That
//! is all that it takes to be safe when the caller loses interest: the future is dropped, the set with it, and a set that is
//! dropped cancels its tasks.
//!
//! Where a function loses interest itself, it does one thing more. To cancel is to ask: a task ends at its next `.await`, a little
//! later. So the function waits until all have ended, and then returns. Its caller can rely on it: nothing is left behind that
//! still uses a connection, holds a lock, or writes to a log.

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

/// Why there is no output: the future has panicked, with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

/// Waits for all, and gives their outputs in the order of the futures.
pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut tasks = Tasks::start(futures);
    let mut outputs = tasks.no_outputs();
    while let Some((place, end)) = tasks.next().await {
        match end {
            Ok(output) => outputs[place] = Some(output),
            Err(panicked) => tasks.panic(panicked).await,
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
    let mut tasks = Tasks::start(futures);
    let mut outputs = tasks.no_outputs();
    while let Some((place, end)) = tasks.next().await {
        outputs[place] = Some(end.map_err(|panicked| Panicked(message(&*panicked.into_panic()))));
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
    let mut tasks = Tasks::start(futures);
    let mut outputs = tasks.no_outputs();
    while let Some((place, end)) = tasks.next().await {
        match end {
            Ok(Ok(output)) => outputs[place] = Some(output),
            Ok(Err(error)) => {
                tasks.stop().await;
                return Err(error);
            }
            Err(panicked) => tasks.panic(panicked).await,
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
    let mut tasks = Tasks::start(futures);
    let (_, end) = tasks.next().await?;
    tasks.stop().await;
    // A panic is an end, too.
    Some(end.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic())))
}

/// Waits for all, but for `limit` at most. Those that have not ended by then have no output.
pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut tasks = Tasks::start(futures);
    let mut outputs = tasks.no_outputs();
    // Only the waiting has a limit. The tasks and the outputs stand outside of it: what is inside of a timeout is dropped with it.
    let waiting = async {
        while let Some((place, end)) = tasks.next().await {
            outputs[place] = Some(end?);
        }
        Ok(())
    };
    match timeout(limit, waiting).await {
        Ok(Ok(())) => {}
        Ok(Err(panicked)) => tasks.panic(panicked).await,
        Err(_) => tasks.stop().await,
    }
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
    assert!(at_once > 0, "with no place, nothing can start");
    // A semaphore has an upper limit, and more places than futures make no difference.
    let places = Arc::new(Semaphore::new(at_once.min(futures.len())));
    let one = |future: F| {
        let places = Arc::clone(&places);
        async move {
            // The limit begins behind this line: waiting for a place does not count.
            let _place = places.acquire().await.expect("nobody closes the semaphore");
            timeout(limit, future).await.ok()
        }
    };
    gather(futures.into_iter().map(one).collect()).await
}

/// The tasks of one call. They are cancelled when this is dropped.
struct Tasks<T> {
    set: JoinSet<T>,
    /// In the order of the futures. The set tells who has ended by its number.
    ids: Vec<Id>,
}

impl<T: Send + 'static> Tasks<T> {
    /// Starts a task for each future.
    fn start<F: Future<Output = T> + Send + 'static>(futures: Vec<F>) -> Tasks<T> {
        let mut set = JoinSet::new();
        let ids = futures.into_iter().map(|future| set.spawn(future).id()).collect();
        Tasks { set, ids }
    }

    /// A place for the output of each task.
    fn no_outputs<U>(&self) -> Vec<Option<U>> {
        self.ids.iter().map(|_| None).collect()
    }

    /// Waits until one more has ended: which, and how. Nothing when all have.
    async fn next(&mut self) -> Option<(usize, Result<T, JoinError>)> {
        let (id, end) = match self.set.join_next_with_id().await? {
            Ok((id, output)) => (id, Ok(output)),
            // Nobody else can cancel these tasks, so it is a panic.
            Err(panicked) => (panicked.id(), Err(panicked)),
        };
        let place = self.ids.iter().position(|other| *other == id).expect("it was started here");
        Some((place, end))
    }

    /// Cancels those that are left, and waits until they have ended.
    async fn stop(&mut self) {
        self.set.shutdown().await;
    }

    /// Stops the others, and lets the panic of one go on in the caller.
    async fn panic(&mut self, panicked: JoinError) {
        self.stop().await;
        resume_unwind(panicked.into_panic());
    }
}

/// The message of a panic: `panic!` makes a `&str` of a text, and a `String` of one with values in it.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

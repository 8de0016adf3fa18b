//! Many futures at once, on tokio. The lesson is in `README.md`.
//!
//! All functions here have this in common:
//!
//! - Each future runs in a task of its own, on the caller's runtime. All run at once, unless it says otherwise.
//! - When a function returns or panics, all its tasks have ended. Those that it does not need any more are cancelled, and waited
//!   for. What still comes of them is lost.
//! - When the function's own future is dropped, its tasks are cancelled.
//! - When a future panics, the function panics with the same payload, at once. Only [`gather_contained`] does not.

use std::time::Duration;

/// Why there is no output: the future has panicked, with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

/// Waits for all, and gives their outputs in the order of the futures.
pub async fn gather<F>(futures: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    todo!()
}

/// Waits for all, also if some of them panic: that is the answer in their places, and changes nothing for the others.
pub async fn gather_contained<F>(futures: Vec<F>) -> Vec<Result<F::Output, Panicked>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    todo!()
}

/// Waits for all, and gives their outputs in the order of the futures. When one fails, its error is the answer, at once.
pub async fn try_gather<F, T, E>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    todo!()
}

/// Waits for the first that ends, whichever it is, and gives its output. If there is no future at all, there is none.
pub async fn first<F>(futures: Vec<F>) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    todo!()
}

/// Waits for all, but for `limit` at most. Those that have not ended by then have no output.
pub async fn gather_within<F>(futures: Vec<F>, limit: Duration) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    todo!()
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
    todo!()
}

//! rejected: assertion
//! by: calls_at_the_same_time_have_limits_of_their_own
//!
//! Breaks "Several calls may go on at the same time": one client for all calls, but a runtime for each, which drives the connections that
//! it has opened. Shows for two calls of `pages` to one site at the same time: the longer one takes over an idle connection of the shorter
//! one, and gets `Unreachable` when that one's runtime is dropped. Calls after each other are right.

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use reqwest::Client;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

/// Work that only computes: a number goes in, and a number comes out. It may take long, and it may panic.
#[derive(Clone)]
pub struct Work {
    /// Does the work on a number, on the calling thread.
    pub call: Arc<dyn Fn(u64) -> u64 + Send + Sync>,
    /// Makes the command of a process that does the same. It reads numbers from its standard input, one in a line, and answers each
    /// on its standard output, with the result in a line, before it reads the next one. It ends when its input does. If the work
    /// panics, it ends without an answer. It may write much to its standard error, too.
    pub process: Arc<dyn Fn() -> Command + Send + Sync>,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server has answered, but with this status instead of a success. Whether its text is complete doesn't matter.
    Status(u16),
    /// There was no complete answer: the URL is none, there is no server, or it broke off.
    Unreachable,
    /// The page is there, but what it says is no number.
    NoNumber,
    /// The work has panicked.
    Panicked,
}

/// Does the job for each of `count` places, by at most `at_once` threads. The results are in the order of the places.
fn each<R: Send>(count: usize, at_once: NonZeroUsize, job: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let slots: Vec<Mutex<Option<R>>> = (0..count).map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..at_once.get().min(count) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(slot) = slots.get(place) else {
                        return;
                    };
                    let result = job(place);
                    *slot.lock().expect("nobody panics here") = Some(result);
                }
            });
        }
    });
    slots
        .into_iter()
        .map(|slot| slot.into_inner().expect("nobody panics here").expect("each place has its result"))
        .collect()
}

/// The client of all calls, with its connections.
static CLIENT: LazyLock<Client> =
    LazyLock::new(|| Client::builder().no_proxy().build().expect("a client needs nothing but memory"));

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("the system has a poll")
}

fn client() -> Client {
    CLIENT.clone()
}

/// Asks for a page.
async fn fetch(client: &Client, url: &str) -> Result<String, Failure> {
    let response = client.get(url).send().await.map_err(|_| Failure::Unreachable)?;
    let status = response.status();
    if !status.is_success() {
        return Err(Failure::Status(status.as_u16()));
    }
    response.text().await.map_err(|_| Failure::Unreachable)
}

/// Fetches pages: many, and each of them is slow. The results are their texts.
pub fn pages(urls: &[String], at_once: NonZeroUsize) -> Vec<Result<String, Failure>> {
    let client = client();
    let places = Arc::new(Semaphore::new(at_once.get().min(urls.len())));
    let mut texts = vec![Err(Failure::Unreachable); urls.len()];
    runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for (place, url) in urls.iter().cloned().enumerate() {
            let (client, places) = (client.clone(), places.clone());
            tasks.spawn(async move {
                let _place = places.acquire().await.expect("never closed");
                (place, fetch(&client, &url).await)
            });
        }
        while let Some(task) = tasks.join_next().await {
            let (place, text) = task.expect("a task does not panic");
            texts[place] = text;
        }
    });
    texts
}

/// Reads files: few, and nearly all of them are fast. The results are their texts.
pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    each(paths.len(), at_once, |place| fs::read_to_string(&paths[place]))
}

/// Does the work on a number, here and now.
fn compute(work: &Work, number: u64) -> Result<u64, Failure> {
    panic::catch_unwind(AssertUnwindSafe(|| (work.call)(number))).map_err(|_| Failure::Panicked)
}

/// Does the work on each of these numbers.
pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    each(numbers.len(), at_once, |place| compute(work, numbers[place]))
}

/// The number that a page says.
fn number(text: &str) -> Result<u64, Failure> {
    text.trim().parse().map_err(|_| Failure::NoNumber)
}

/// Fetches pages, each of which says a number, and does the work on these numbers.
pub fn mixture(
    urls: &[String],
    at_once: NonZeroUsize,
    workers: NonZeroUsize,
    work: &Work,
) -> Vec<Result<u64, Failure>> {
    if urls.is_empty() {
        return Vec::new();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers.get().min(urls.len())).build();
    let pool = Arc::new(pool.expect("the system has threads"));
    let client = client();
    let places = Arc::new(Semaphore::new(at_once.get().min(urls.len())));
    let mut results = vec![Err(Failure::Unreachable); urls.len()];
    runtime().block_on(async {
        let mut tasks = JoinSet::new();
        for (place, url) in urls.iter().cloned().enumerate() {
            let (client, places, pool, work) = (client.clone(), places.clone(), pool.clone(), work.clone());
            tasks.spawn(async move {
                let text = {
                    let _place = places.acquire().await.expect("never closed");
                    fetch(&client, &url).await
                };
                let number = match text.and_then(|text| number(&text)) {
                    Ok(number) => number,
                    Err(failure) => return (place, Err(failure)),
                };
                let (answer, answered) = oneshot::channel();
                pool.spawn(move || {
                    let _ = answer.send(compute(&work, number));
                });
                (place, answered.await.unwrap_or(Err(Failure::Panicked)))
            });
        }
        while let Some(task) = tasks.join_next().await {
            let (place, result) = task.expect("a task does not panic");
            results[place] = result;
        }
    });
    results
}

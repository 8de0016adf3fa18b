//! accepted
//!
//! One runtime for the whole program. A `JoinSet` that is never fuller than allowed, a scope of rayon, and for the mixture one loop
//! that waits for whatever happens next.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use reqwest::Client;
use tokio::runtime::Runtime;
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

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub fn pages(urls: &[String], at_once: NonZeroUsize) -> Vec<Result<String, Failure>> {
    let client = Client::new();
    RUNTIME.block_on(refilled(urls, at_once.get(), |url| fetch(client.clone(), url)))
}

pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    let read = |path: PathBuf| async { tokio::task::spawn_blocking(|| std::fs::read_to_string(path)).await.unwrap() };
    RUNTIME.block_on(refilled(paths, at_once.get(), read))
}

pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    let results: Vec<_> = numbers.iter().map(|_| Mutex::new(Err(Failure::Panicked))).collect();
    let threads = at_once.get().clamp(1, numbers.len().max(1));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.scope_fifo(|scope| {
        for (number, result) in numbers.iter().zip(&results) {
            scope.spawn_fifo(move |_| {
                let call = std::panic::AssertUnwindSafe(|| (work.call)(*number));
                if let Ok(sum) = std::panic::catch_unwind(call) {
                    *result.lock().unwrap() = Ok(sum);
                }
            });
        }
    });
    results.into_iter().map(|result| result.into_inner().unwrap()).collect()
}

pub fn mixture(
    urls: &[String],
    at_once: NonZeroUsize,
    workers: NonZeroUsize,
    work: &Work,
) -> Vec<Result<u64, Failure>> {
    let client = Client::new();
    let mut results = vec![Err(Failure::NoNumber); urls.len()];
    RUNTIME.block_on(async {
        let (mut fetching, mut working) = (JoinSet::new(), JoinSet::new());
        let mut next = urls.iter().cloned().enumerate();
        let mut numbers = VecDeque::new();
        loop {
            while fetching.len() < at_once.get() {
                let Some((place, url)) = next.next() else { break };
                let client = client.clone();
                fetching.spawn(async move { (place, fetch(client, url).await) });
            }
            while working.len() < workers.get() {
                let Some((place, number)) = numbers.pop_front() else { break };
                let call = work.call.clone();
                working.spawn(async move {
                    (place, tokio::task::spawn_blocking(move || call(number)).await.map_err(|_| Failure::Panicked))
                });
            }
            tokio::select! {
                Some(fetched) = fetching.join_next() => {
                    let (place, text) = fetched.unwrap();
                    match text.and_then(|text| text.trim().parse().map_err(|_| Failure::NoNumber)) {
                        Ok(number) => numbers.push_back((place, number)),
                        Err(failure) => results[place] = Err(failure),
                    }
                }
                Some(done) = working.join_next() => {
                    let (place, result) = done.unwrap();
                    results[place] = result;
                }
                else => break,
            }
        }
    });
    results
}

async fn refilled<T, R, F>(items: &[T], at_once: usize, does: impl Fn(T) -> F) -> Vec<R>
where
    T: Clone,
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let mut tasks = JoinSet::new();
    for (place, item) in items.iter().cloned().enumerate() {
        if tasks.len() == at_once {
            let (place, result) = tasks.join_next().await.unwrap().unwrap();
            results[place] = Some(result);
        }
        let task = does(item);
        tasks.spawn(async move { (place, task.await) });
    }
    while let Some(done) = tasks.join_next().await {
        let (place, result) = done.unwrap();
        results[place] = Some(result);
    }
    results.into_iter().map(Option::unwrap).collect()
}

async fn fetch(client: Client, url: String) -> Result<String, Failure> {
    let response = client.get(url).send().await.map_err(|_| Failure::Unreachable)?;
    let status = response.status();
    let text = response.text().await;
    if !status.is_success() {
        return Err(Failure::Status(status.as_u16()));
    }
    text.map_err(|_| Failure::Unreachable)
}

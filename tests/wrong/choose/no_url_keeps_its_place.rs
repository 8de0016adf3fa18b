//! rejected: timeout
//! by: a_failure_in_a_mixture_is_the_result_for_its_page_alone
//!
//! Breaks "`mixture` has `at_once` requests in flight": what is no URL takes a place in flight, and returns early without giving it back.
//! With `at_once` 2 and `["no url", a, b]`, a and b are never asked for at the same time; with two such URLs, `mixture` hangs. `pages` is
//! right.

use std::io;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task;

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

/// Does the task for each input, on as many threads as allowed. Each takes the next input when it is done.
fn each<I: Sync, O: Send>(inputs: &[I], at_once: NonZeroUsize, task: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let outputs: Vec<Mutex<Option<O>>> = inputs.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..at_once.get().min(inputs.len()) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(input) = inputs.get(place) else {
                        break;
                    };
                    let output = task(input);
                    *outputs[place].lock().unwrap() = Some(output);
                }
            });
        }
    });
    outputs.into_iter().map(|output| output.into_inner().unwrap().expect("every input was taken")).collect()
}

fn result_of(work: &Work, number: u64) -> Result<u64, Failure> {
    panic::catch_unwind(AssertUnwindSafe(|| (work.call)(number))).map_err(|_| Failure::Panicked)
}

fn client() -> Client {
    let builder = Client::builder().no_proxy().redirect(Policy::none()).pool_max_idle_per_host(0);
    builder.build().expect("a client without TLS needs nothing")
}

fn runtime(blocking: usize) -> Runtime {
    // Beside those that block, some are for looking up names.
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().max_blocking_threads(blocking + 64).build().expect("a runtime")
}

async fn text_of(client: &Client, url: &str) -> Result<String, Failure> {
    let response = client.get(url).send().await.map_err(|_| Failure::Unreachable)?;
    let status = response.status();
    if !status.is_success() {
        return Err(Failure::Status(status.as_u16()));
    }
    response.text().await.map_err(|_| Failure::Unreachable)
}

fn number_in(text: &str) -> Result<u64, Failure> {
    text.trim().parse().map_err(|_| Failure::NoNumber)
}

/// Runs these tasks, and gives what they give in the order in which they were made.
async fn gathered<T: Send + 'static>(tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let handles: Vec<_> = tasks.map(tokio::spawn).collect();
    let mut results = Vec::with_capacity(handles.len());
    for handle in handles {
        results.push(handle.await.expect("no task panics"));
    }
    results
}

/// Fetches pages: many, and each of them is slow. The results are their texts.
///
/// Each URL is asked for once. The next page is asked for as soon as fewer than `at_once` requests are in flight. A request is in
/// flight until its text is here as a whole, or its failure is known.
pub fn pages(urls: &[String], at_once: NonZeroUsize) -> Vec<Result<String, Failure>> {
    let (client, places) = (client(), Arc::new(Semaphore::new(at_once.get().min(urls.len()))));
    runtime(0).block_on(gathered(urls.iter().cloned().map(|url| {
        let (client, places) = (client.clone(), places.clone());
        async move {
            let _permit = places.acquire().await.expect("nobody closes it");
            text_of(&client, &url).await
        }
    })))
}

/// Reads files: few, and nearly all of them are fast. One may be a pipe, or far away on the network. The results are their texts.
///
/// The next file is opened as soon as fewer than `at_once` are open. An error is the one that `std` reports for that file; for what
/// is not UTF-8, that is `InvalidData`.
pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    each(paths, at_once, |path| std::fs::read_to_string(path))
}

/// Does the work on each of these numbers.
///
/// The work on the next number begins as soon as fewer than `at_once` numbers are worked on. Each is worked on once.
pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    each(numbers, at_once, |&number| result_of(work, number))
}

/// Fetches pages, each of which says a number (there may be white space around it), and does the work on these numbers.
///
/// Each URL is asked for once, and each number is worked on once. The next page is asked for as soon as fewer than `at_once`
/// requests are in flight: a page that is here keeps no other from being asked for. The work on a number begins as soon as it is
/// here and fewer than `workers` numbers are worked on, whichever pages are still to come.
pub fn mixture(
    urls: &[String],
    at_once: NonZeroUsize,
    workers: NonZeroUsize,
    work: &Work,
) -> Vec<Result<u64, Failure>> {
    let (most, working) = (urls.len(), workers.get().min(urls.len()));
    let (places, desks) = (Arc::new(Semaphore::new(at_once.get().min(most))), Arc::new(Semaphore::new(working)));
    let client = client();
    runtime(working).block_on(gathered(urls.iter().cloned().map(|url| {
        let (client, places, desks, work) = (client.clone(), places.clone(), desks.clone(), work.clone());
        async move {
            places.acquire().await.expect("nobody closes it").forget();
            let url = reqwest::Url::parse(&url).map_err(|_| Failure::Unreachable)?;
            let text = text_of(&client, url.as_str()).await;
            places.add_permits(1);
            let number = number_in(&text?)?;
            let _desk = desks.acquire().await.expect("nobody closes it");
            task::spawn_blocking(move || (work.call)(number)).await.map_err(|_| Failure::Panicked)
        }
    })))
}

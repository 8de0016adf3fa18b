//! accepted
//!
//! Tasks for everything, on a runtime with several threads. What blocks or computes goes to threads for that, or tells the runtime
//! that its thread will block.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use reqwest::Client;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::{block_in_place, spawn_blocking};

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

pub fn pages(urls: &[String], at_once: NonZeroUsize) -> Vec<Result<String, Failure>> {
    let (client, places) = (Client::new(), places(at_once));
    run(urls.to_vec(), move |url| {
        let (client, places) = (client.clone(), places.clone());
        async move {
            let _place = places.acquire_owned().await.unwrap();
            fetch(client, url).await
        }
    })
}

pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    let places = places(at_once);
    run(paths.to_vec(), move |path| {
        let places = places.clone();
        async move {
            let place = places.acquire_owned().await.unwrap();
            spawn_blocking(move || {
                let _place = place;
                std::fs::read_to_string(path)
            })
            .await
            .unwrap()
        }
    })
}

pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    let (places, work) = (places(at_once), work.clone());
    run(numbers.to_vec(), move |number| {
        let (places, work) = (places.clone(), work.clone());
        async move {
            let _place = places.acquire_owned().await.unwrap();
            spawn_blocking(move || (work.call)(number)).await.map_err(|_| Failure::Panicked)
        }
    })
}

pub fn mixture(
    urls: &[String],
    at_once: NonZeroUsize,
    workers: NonZeroUsize,
    work: &Work,
) -> Vec<Result<u64, Failure>> {
    let (client, fetching, working) = (Client::new(), places(at_once), places(workers));
    let work = work.clone();
    run(urls.to_vec(), move |url| {
        let (client, fetching, working, work) = (client.clone(), fetching.clone(), working.clone(), work.clone());
        async move {
            let place = fetching.acquire_owned().await.unwrap();
            let text = fetch(client, url).await;
            drop(place);
            let number: u64 = text?.trim().parse().map_err(|_| Failure::NoNumber)?;
            let _place = working.acquire_owned().await.unwrap();
            // The runtime moves its other tasks to another thread. A panic ends this task, which is looked at below.
            let computing = tokio::spawn(async move { block_in_place(|| (work.call)(number)) });
            computing.await.map_err(|_| Failure::Panicked)
        }
    })
}

fn run<I, T: Send + 'static, F>(inputs: Vec<I>, task: impl Fn(I) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let runtime: Runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let handles: Vec<_> = inputs.into_iter().map(|input| runtime.spawn(task(input))).collect();
    runtime.block_on(async {
        let mut results = Vec::new();
        for handle in handles {
            results.push(handle.await.unwrap());
        }
        results
    })
}

fn places(number: NonZeroUsize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(number.get().min(1_000_000)))
}

async fn fetch(client: Client, url: String) -> Result<String, Failure> {
    let response = client.get(url).send().await.map_err(|_| Failure::Unreachable)?;
    if !response.status().is_success() {
        return Err(Failure::Status(response.status().as_u16()));
    }
    response.text().await.map_err(|_| Failure::Unreachable)
}

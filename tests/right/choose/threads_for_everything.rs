//! accepted
//!
//! Threads for everything: a crew of them takes what comes next from a counter. For the mixture there are two crews, with a channel
//! between them.

use std::io;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use reqwest::blocking::Client;

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
    let client = client();
    crew(urls, at_once, |url| fetch(&client, url))
}

pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    crew(paths, at_once, |path| std::fs::read_to_string(path))
}

pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    crew(numbers, at_once, |number| call(work, *number))
}

pub fn mixture(
    urls: &[String],
    at_once: NonZeroUsize,
    workers: NonZeroUsize,
    work: &Work,
) -> Vec<Result<u64, Failure>> {
    let client = client();
    let (found, numbers) = mpsc::channel();
    let numbers = Mutex::new(numbers);
    let results: Vec<Mutex<Option<Result<u64, Failure>>>> = urls.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..workers.get().min(urls.len()) {
            scope.spawn(|| {
                loop {
                    // The guard is gone before the work begins.
                    let next: Result<(usize, u64), _> = numbers.lock().unwrap().recv();
                    let Ok((place, number)) = next else { break };
                    *results[place].lock().unwrap() = Some(call(work, number));
                }
            });
        }
        let places: Vec<usize> = (0..urls.len()).collect();
        crew(&places, at_once, |place| {
            let text = fetch(&client, &urls[*place]);
            match text.and_then(|text| text.trim().parse().map_err(|_| Failure::NoNumber)) {
                Ok(number) => found.send((*place, number)).unwrap(),
                Err(failure) => *results[*place].lock().unwrap() = Some(Err(failure)),
            }
        });
        drop(found);
    });
    results.into_iter().map(|result| result.into_inner().unwrap().unwrap()).collect()
}

/// So many threads, each of which does the next one until there is none.
fn crew<T: Sync, R: Send>(items: &[T], threads: NonZeroUsize, does: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..threads.get().min(items.len()) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { break };
                    *results[place].lock().unwrap() = Some(does(item));
                }
            });
        }
    });
    results.into_iter().map(|result| result.into_inner().unwrap().unwrap()).collect()
}

fn client() -> Client {
    Client::builder().timeout(None).build().unwrap()
}

fn fetch(client: &Client, url: &str) -> Result<String, Failure> {
    let response = client.get(url).send().map_err(|_| Failure::Unreachable)?;
    if !response.status().is_success() {
        return Err(Failure::Status(response.status().as_u16()));
    }
    response.text().map_err(|_| Failure::Unreachable)
}

fn call(work: &Work, number: u64) -> Result<u64, Failure> {
    panic::catch_unwind(AssertUnwindSafe(|| (work.call)(number))).or(Err(Failure::Panicked))
}

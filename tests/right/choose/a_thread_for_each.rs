//! accepted
//!
//! A thread for each input, and semaphores of one's own: a number and a condition variable. Results come through a channel.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;

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

struct Places {
    free: Mutex<usize>,
    changed: Condvar,
}

struct Place<'a>(&'a Places);

impl Places {
    fn new(number: NonZeroUsize) -> Places {
        Places { free: Mutex::new(number.get()), changed: Condvar::new() }
    }

    fn take(&self) -> Place<'_> {
        let mut free = self.changed.wait_while(self.free.lock().unwrap(), |free| *free == 0).unwrap();
        *free -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap() += 1;
        self.0.changed.notify_one();
    }
}

pub fn pages(urls: &[String], at_once: NonZeroUsize) -> Vec<Result<String, Failure>> {
    let places = Places::new(at_once);
    each(urls, |url| {
        let _place = places.take();
        fetch(url)
    })
}

pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    let places = Places::new(at_once);
    each(paths, |path| {
        let _place = places.take();
        let bytes = std::fs::read(path)?;
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    })
}

pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    let places = Places::new(at_once);
    each(numbers, |number| {
        let _place = places.take();
        call(work, *number)
    })
}

pub fn mixture(
    urls: &[String],
    at_once: NonZeroUsize,
    workers: NonZeroUsize,
    work: &Work,
) -> Vec<Result<u64, Failure>> {
    let (requests, cores) = (Places::new(at_once), Places::new(workers));
    each(urls, |url| {
        let place = requests.take();
        let text = fetch(url);
        drop(place);
        let number = text?.trim().parse().map_err(|_| Failure::NoNumber)?;
        let _place = cores.take();
        call(work, number)
    })
}

/// The work in a thread of its own: its panic is the `Err` of `join`.
fn call(work: &Work, number: u64) -> Result<u64, Failure> {
    let call = work.call.clone();
    thread::spawn(move || call(number)).join().map_err(|_| Failure::Panicked)
}

fn fetch(url: &str) -> Result<String, Failure> {
    let response = reqwest::blocking::get(url).map_err(|_| Failure::Unreachable)?;
    match response.status().as_u16() {
        200..300 => response.text().map_err(|_| Failure::Unreachable),
        status => Err(Failure::Status(status)),
    }
}

fn each<T: Sync, R: Send>(items: &[T], does: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        for (place, item) in items.iter().enumerate() {
            let (send, does) = (send.clone(), &does);
            scope.spawn(move || send.send((place, does(item))).unwrap());
        }
    });
    drop(send);
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    for (place, result) in receive {
        results[place] = Some(result);
    }
    results.into_iter().map(Option::unwrap).collect()
}

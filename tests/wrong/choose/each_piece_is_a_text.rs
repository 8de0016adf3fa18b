//! rejected: assertion
//! by: a_file_that_cannot_be_read_fails_alone
//!
//! Breaks "its text, as it is in the file": each piece that is read is taken for UTF-8 of its own. A pipe whose writer pauses in the middle
//! of a character ("gr\xc3", then "\xbcn") is `InvalidData`, although the file as a whole is UTF-8.

use std::fs::File;
use std::io;
use std::io::Read;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use reqwest::blocking::Client;
use reqwest::redirect::Policy;

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
    let builder = Client::builder().timeout(None::<Duration>).no_proxy().redirect(Policy::none());
    builder.pool_max_idle_per_host(0).build().expect("a client without TLS needs nothing")
}

fn text_of(client: &Client, url: &str) -> Result<String, Failure> {
    let response = client.get(url).send().map_err(|_| Failure::Unreachable)?;
    let status = response.status();
    if !status.is_success() {
        return Err(Failure::Status(status.as_u16()));
    }
    response.text().map_err(|_| Failure::Unreachable)
}

fn number_of(client: &Client, url: &str) -> Result<u64, Failure> {
    text_of(client, url)?.trim().parse().map_err(|_| Failure::NoNumber)
}

fn read(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut text = String::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(text),
            Ok(length) => match std::str::from_utf8(&buffer[..length]) {
                Ok(piece) => text.push_str(piece),
                Err(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8")),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Fetches pages: many, and each of them is slow. The results are their texts.
///
/// Each URL is asked for once. The next page is asked for as soon as fewer than `at_once` requests are in flight. A request is in
/// flight until its text is here as a whole, or its failure is known.
pub fn pages(urls: &[String], at_once: NonZeroUsize) -> Vec<Result<String, Failure>> {
    let client = client();
    each(urls, at_once, |url| text_of(&client, url))
}

/// Reads files: few, and nearly all of them are fast. One may be a pipe, or far away on the network. The results are their texts.
///
/// The next file is opened as soon as fewer than `at_once` are open. An error is the one that `std` reports for that file; for what
/// is not UTF-8, that is `InvalidData`.
pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    each(paths, at_once, |path| read(path))
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
    let client = client();
    let (hatch, numbers) = mpsc::channel::<(usize, u64)>();
    let numbers = Mutex::new(numbers);
    let places: Vec<usize> = (0..urls.len()).collect();
    thread::scope(|scope| {
        let mut crew = Vec::new();
        for _ in 0..workers.get().min(urls.len()) {
            crew.push(scope.spawn(|| {
                let mut done = Vec::new();
                loop {
                    let order = numbers.lock().unwrap().recv();
                    let Ok((place, number)) = order else {
                        return done;
                    };
                    done.push((place, result_of(work, number)));
                }
            }));
        }
        let fetched: Vec<Result<(), Failure>> = each(&places, at_once, |&place| {
            let number = number_of(&client, &urls[place])?;
            hatch.send((place, number)).expect("the crew is there");
            Ok(())
        });
        drop(hatch);
        let mut results: Vec<Result<u64, Failure>> = fetched.into_iter().map(|end| end.map(|()| 0)).collect();
        for worker in crew {
            for (place, result) in worker.join().expect("panics of the work are caught") {
                results[place] = result;
            }
        }
        results
    })
}

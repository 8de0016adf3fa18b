//! rejected: assertion
//! by: results_of_the_work_come_in_the_order_of_the_numbers
//!
//! Breaks "All others have their results": the standard error of the processes is a pipe whose other end is closed at once, so a process
//! that writes to it fails (`eprintln!` panics) or is ended by a signal. Shows for `sums` with work whose process "writes much to its
//! standard error, too": `Panicked` although the work has not panicked. A silent process is no trouble.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
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

/// A client that waits as long as it takes.
fn client() -> Client {
    Client::builder().timeout(None).no_proxy().build().expect("a client needs nothing but memory")
}

/// Asks for a page. The place is free when this comes back.
fn fetch(client: &Client, url: &str) -> Result<String, Failure> {
    let response = client.get(url).send().map_err(|_| Failure::Unreachable)?;
    let status = response.status();
    if !status.is_success() {
        return Err(Failure::Status(status.as_u16()));
    }
    response.text().map_err(|_| Failure::Unreachable)
}

/// Fetches pages: many, and each of them is slow. The results are their texts.
pub fn pages(urls: &[String], at_once: NonZeroUsize) -> Vec<Result<String, Failure>> {
    let client = client();
    each(urls.len(), at_once, |place| fetch(&client, &urls[place]))
}

/// Reads files: few, and nearly all of them are fast. The results are their texts.
pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    each(paths.len(), at_once, |place| fs::read_to_string(&paths[place]))
}

/// Does the work on a number, here and now.
fn compute(work: &Work, number: u64) -> Result<u64, Failure> {
    panic::catch_unwind(AssertUnwindSafe(|| (work.call)(number))).map_err(|_| Failure::Panicked)
}

/// A process that does the work. Dropping it ends its input, and waits until it has ended.
struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Helper {
    fn start(work: &Work) -> io::Result<Helper> {
        let mut command = (work.process)();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // Nobody reads its noise, so it must not fill a pipe.
        drop(child.stderr.take());
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Ok(Helper { child, input, output })
    }

    /// The result, if it gives one.
    fn ask(&mut self, number: u64) -> io::Result<u64> {
        let mut input = self.input.as_ref().expect("it is open until the end");
        input.write_all(format!("{number}\n").as_bytes())?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        line.trim().parse().map_err(|_| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Asks a process, which is started if there is none. One that gives no answer has ended.
fn ask(helper: &mut Option<Helper>, work: &Work, number: u64) -> Result<u64, Failure> {
    if helper.is_none() {
        *helper = Some(Helper::start(work).expect("the system has a process"));
    }
    let result = helper.as_mut().and_then(|helper| helper.ask(number).ok());
    if result.is_none() {
        *helper = None;
    }
    result.ok_or(Failure::Panicked)
}

/// Does the work on each of these numbers.
pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![Err(Failure::Panicked); numbers.len()]);
    thread::scope(|scope| {
        for _ in 0..at_once.get().min(numbers.len()) {
            scope.spawn(|| {
                let mut helper = None;
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(number) = numbers.get(place) else {
                        return;
                    };
                    let result = ask(&mut helper, work, *number);
                    results.lock().expect("nobody panics here")[place] = result;
                }
            });
        }
    });
    results.into_inner().expect("nobody panics here")
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
    let client = client();
    let results: Mutex<Vec<Result<u64, Failure>>> = Mutex::new(vec![Err(Failure::Unreachable); urls.len()]);
    let (hatch, numbers) = mpsc::channel::<(usize, u64)>();
    let numbers = Mutex::new(numbers);
    thread::scope(|scope| {
        for _ in 0..workers.get().min(urls.len()) {
            scope.spawn(|| {
                loop {
                    let taken = numbers.lock().expect("nobody panics here").recv();
                    let Ok((place, number)) = taken else {
                        return;
                    };
                    let result = compute(work, number);
                    results.lock().expect("nobody panics here")[place] = result;
                }
            });
        }
        // The fetchers are this call's `each`: it comes back when all pages are here.
        each(urls.len(), at_once, |place| match fetch(&client, &urls[place]).and_then(|text| number(&text)) {
            Ok(number) => hatch.send((place, number)).expect("the workers listen until the hatch is shut"),
            Err(failure) => results.lock().expect("nobody panics here")[place] = Err(failure),
        });
        drop(hatch);
    });
    results.into_inner().expect("nobody panics here")
}

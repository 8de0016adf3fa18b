//! rejected: leak
//! by: a_failure_in_a_mixture_is_the_result_for_its_page_alone
//!
//! Breaks "no process is left, not even a zombie", in `mixture`, when no page has a number (all fail, or say none): the helpers were
//! started before, and the early return for "nothing was worked on" skips the waiting for them. With one number, or in `sums`, all are
//! waited for.

use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
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

/// A process that does the work.
struct Helper {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Helper {
    fn start(work: &Work) -> Helper {
        let mut command = (work.process)();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the helper starts");
        let orders = child.stdin.take().expect("it is a pipe");
        let answers = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Helper { child, orders, answers }
    }

    fn answer(&mut self, number: u64) -> Option<u64> {
        self.orders.write_all(format!("{number}\n").as_bytes()).ok()?;
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        line.trim().parse().ok()
    }

    /// If there is no answer, the helper has ended, and another one takes its place.
    fn result_of(&mut self, work: &Work, number: u64) -> Result<u64, Failure> {
        let answer = self.answer(number);
        if answer.is_none() {
            std::mem::replace(self, Helper::start(work)).finish();
        }
        answer.ok_or(Failure::Panicked)
    }

    fn finish(self) {
        let Helper { mut child, orders, answers } = self;
        drop(orders);
        let _ = child.wait();
        drop(answers);
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
    each(paths, at_once, |path| std::fs::read_to_string(path))
}

/// Does the work on each of these numbers.
///
/// The work on the next number begins as soon as fewer than `at_once` numbers are worked on. Each is worked on once.
pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    let next = AtomicUsize::new(0);
    let mut results = vec![Err(Failure::Panicked); numbers.len()];
    thread::scope(|scope| {
        let mut lanes = Vec::new();
        for _ in 0..at_once.get().min(numbers.len()) {
            lanes.push(scope.spawn(|| {
                let mut helper = Helper::start(work);
                let mut done = Vec::new();
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&number) = numbers.get(place) else {
                        break;
                    };
                    done.push((place, helper.result_of(work, number)));
                }
                helper.finish();
                done
            }));
        }
        for lane in lanes {
            for (place, result) in lane.join().expect("no lane panics") {
                results[place] = result;
            }
        }
    });
    results
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
    let mut helpers: Vec<Helper> = (0..workers.get().min(urls.len())).map(|_| Helper::start(work)).collect();
    let places: Vec<usize> = (0..urls.len()).collect();
    let (hatch, numbers) = mpsc::channel::<(usize, u64)>();
    let numbers = Mutex::new(numbers);
    let worked = Mutex::new(Vec::new());
    let fetched: Vec<Result<(), Failure>> = thread::scope(|scope| {
        for helper in &mut helpers {
            let (numbers, worked) = (&numbers, &worked);
            scope.spawn(move || {
                loop {
                    let order = numbers.lock().unwrap().recv();
                    let Ok((place, number)) = order else {
                        break;
                    };
                    let result = helper.result_of(work, number);
                    worked.lock().unwrap().push((place, result));
                }
            });
        }
        let fetched: Vec<Result<(), Failure>> = each(&places, at_once, |&place| {
            let number = number_of(&client, &urls[place])?;
            hatch.send((place, number)).expect("the lanes are there");
            Ok(())
        });
        drop(hatch);
        fetched
    });
    let mut results: Vec<Result<u64, Failure>> = fetched.into_iter().map(|end| end.map(|()| 0)).collect();
    let worked = worked.into_inner().unwrap();
    if worked.is_empty() {
        return results;
    }
    for (place, result) in worked {
        results[place] = result;
    }
    helpers.into_iter().for_each(Helper::finish);
    results
}

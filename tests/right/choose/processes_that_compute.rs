//! accepted
//!
//! Processes for what computes, as in Python: each thread of a crew talks with a process of its own, and starts another one when the
//! work has panicked. Pages and files on rayon's threads, which only wait there.

use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use rayon::prelude::*;
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
    let client = Client::new();
    on_rayon(urls, at_once, |url| fetch(&client, url))
}

pub fn files(paths: &[PathBuf], at_once: NonZeroUsize) -> Vec<io::Result<String>> {
    on_rayon(paths, at_once, |path| std::fs::read_to_string(path))
}

pub fn sums(numbers: &[u64], at_once: NonZeroUsize, work: &Work) -> Vec<Result<u64, Failure>> {
    let (send, jobs) = mpsc::channel();
    numbers.iter().copied().enumerate().for_each(|job| send.send(job).unwrap());
    drop(send);
    let done = by_processes(jobs, at_once.get().min(numbers.len()), work);
    in_order(done, numbers.len())
}

pub fn mixture(
    urls: &[String],
    at_once: NonZeroUsize,
    workers: NonZeroUsize,
    work: &Work,
) -> Vec<Result<u64, Failure>> {
    let client = Client::new();
    let (send, jobs) = mpsc::channel();
    let places: Vec<usize> = (0..urls.len()).collect();
    let failed = Mutex::new(Vec::new());
    let mut done = thread::scope(|scope| {
        let computing = scope.spawn(|| by_processes(jobs, workers.get().min(urls.len()), work));
        on_rayon(&places, at_once, |&place| {
            let text = fetch(&client, &urls[place]);
            match text.and_then(|text| text.trim().parse().map_err(|_| Failure::NoNumber)) {
                Ok(number) => send.send((place, number)).unwrap(),
                Err(failure) => failed.lock().unwrap().push((place, Err(failure))),
            }
        });
        drop(send);
        computing.join().unwrap()
    });
    done.extend(failed.into_inner().unwrap());
    in_order(done, urls.len())
}

type Jobs = Receiver<(usize, u64)>;
type Done = Vec<(usize, Result<u64, Failure>)>;

fn by_processes(jobs: Jobs, processes: usize, work: &Work) -> Done {
    let jobs = Mutex::new(jobs);
    let (done, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..processes {
            let done = done.clone();
            let jobs = &jobs;
            scope.spawn(move || {
                let mut worker = None;
                loop {
                    let Ok((place, number)) = jobs.lock().unwrap().recv() else { break };
                    let mut one = worker.take().unwrap_or_else(|| Worker::start(work));
                    let answer = one.ask(number);
                    match answer {
                        Some(_) => worker = Some(one),
                        None => one.end(),
                    }
                    done.send((place, answer.ok_or(Failure::Panicked))).unwrap();
                }
                if let Some(worker) = worker {
                    worker.end();
                }
            });
        }
    });
    drop(done);
    results.into_iter().collect()
}

struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(work: &Work) -> Worker {
        let mut child = (work.process)().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Worker { child, input, output }
    }

    fn ask(&mut self, number: u64) -> Option<u64> {
        let mut answer = String::new();
        writeln!(self.input, "{number}").ok()?;
        self.output.read_line(&mut answer).ok()?;
        answer.strip_suffix('\n')?.parse().ok()
    }

    fn end(self) {
        let Worker { mut child, input, .. } = self;
        drop(input);
        child.wait().unwrap();
    }
}

fn on_rayon<T: Sync, R: Send>(items: &[T], threads: NonZeroUsize, does: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
    if items.is_empty() {
        return Vec::new();
    }
    let threads = threads.get().min(items.len());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| items.par_iter().with_max_len(1).map(does).collect())
}

fn in_order(mut done: Done, all: usize) -> Vec<Result<u64, Failure>> {
    assert_eq!(done.len(), all);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

fn fetch(client: &Client, url: &str) -> Result<String, Failure> {
    let response = client.get(url).send().map_err(|_| Failure::Unreachable)?;
    match response.status() {
        status if status.is_success() => response.text().map_err(|_| Failure::Unreachable),
        status => Err(Failure::Status(status.as_u16())),
    }
}

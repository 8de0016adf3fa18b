//! accepted
//!
//! A busy page gives its place to another one and waits at the end of the queue. What a failure says is read to its end, too.
//! Whoever finds the queue empty waits until a page comes back or none can. A guard stops the tasks, and each answer has a channel
//! of its own.

use std::time::Duration;

/// A page to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it is: `http://127.0.0.1:8000/a`.
    pub url: String,
    /// How long to wait for an answer, head and text together, each time that it is asked for.
    pub timeout: Duration,
}

/// What came of a page: its text, or why there is none.
pub type Answer = Result<String, Failure>;

/// Why there is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server has answered, but with this status instead of a success.
    Status(u16),
    /// The time was up before the answer was complete.
    Timeout,
    /// There was no server to ask, or it broke off.
    Unreachable,
}

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread;

use tokio::sync::{Notify, oneshot};
use tokio::task::{AbortHandle, JoinHandle};

struct Job {
    index: usize,
    page: Page,
    left: u32,
}

/// What is to do, and how many might still come back.
struct Board {
    jobs: VecDeque<Job>,
    open: usize,
}

impl Board {
    fn new(pages: &[Page], attempts: u32) -> Board {
        let jobs: VecDeque<Job> =
            pages.iter().enumerate().map(|(index, page)| Job { index, page: page.clone(), left: attempts }).collect();
        Board { open: jobs.len(), jobs }
    }
}

fn verdict(result: Result<(u16, String), reqwest::Error>) -> (Answer, bool) {
    match result {
        Ok((code, text)) if (200..300).contains(&code) => (Ok(text), false),
        Ok((code, _)) => (Err(Failure::Status(code)), code == 429 || code / 100 == 5),
        Err(error) if error.is_timeout() => (Err(Failure::Timeout), false),
        Err(_) => (Err(Failure::Unreachable), false),
    }
}

fn ask(client: &reqwest::blocking::Client, page: &Page) -> Result<(u16, String), reqwest::Error> {
    let response = client.get(&page.url).timeout(page.timeout).send()?;
    let code = response.status().as_u16();
    // Whatever it says, it is read to its end, so that the connection can be used again.
    Ok((code, response.text()?))
}

/// Fetches the pages one after the other, on the calling thread.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = reqwest::blocking::Client::builder().build().expect("a client");
    let mut answers = Vec::new();
    let mut rest = pages;
    let mut asked = 0;
    while let [page, after @ ..] = rest {
        let (answer, busy) = verdict(ask(&client, page));
        asked += 1;
        if busy && asked < attempts {
            continue;
        }
        answers.push(answer);
        (rest, asked) = (after, 0);
    }
    answers
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let shared = Arc::new((Mutex::new(Board::new(pages, attempts)), Condvar::new()));
    let client = reqwest::blocking::Client::new();
    let answers = Arc::new(RwLock::new(vec![None; pages.len()]));
    let workers: Vec<thread::JoinHandle<()>> = (0..at_once.min(pages.len()))
        .map(|_| {
            let (shared, client, answers) = (shared.clone(), client.clone(), answers.clone());
            thread::spawn(move || {
                let (board, changed) = &*shared;
                loop {
                    let mut guard = board.lock().unwrap();
                    let mut job = loop {
                        if guard.open == 0 {
                            return;
                        }
                        match guard.jobs.pop_front() {
                            Some(job) => break job,
                            None => guard = changed.wait(guard).unwrap(),
                        }
                    };
                    drop(guard);
                    let (answer, busy) = verdict(ask(&client, &job.page));
                    job.left = job.left.saturating_sub(1);
                    let again = busy && job.left > 0;
                    if !again {
                        answers.write().unwrap()[job.index] = Some(answer);
                    }
                    let mut guard = board.lock().unwrap();
                    if again {
                        guard.jobs.push_back(job);
                    } else {
                        guard.open -= 1;
                    }
                    drop(guard);
                    changed.notify_all();
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    let answers = answers.read().unwrap();
    answers.iter().map(|answer| answer.clone().unwrap()).collect()
}

struct Stop(Vec<AbortHandle>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn ask_async(client: &reqwest::Client, page: &Page) -> Result<(u16, String), reqwest::Error> {
    let response = client.get(&page.url).timeout(page.timeout).send().await?;
    let code = response.status().as_u16();
    Ok((code, response.text().await?))
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let shared = Arc::new((Mutex::new(Board::new(pages, attempts)), Notify::new()));
    let client = reqwest::Client::new();
    let mut senders = Vec::new();
    let mut receivers = Vec::new();
    for _ in pages {
        let (sender, receiver) = oneshot::channel();
        senders.push(Some(sender));
        receivers.push(receiver);
    }
    let senders = Arc::new(Mutex::new(senders));
    let mut stop = Stop(Vec::new());
    for _ in 0..at_once.min(pages.len()) {
        let (shared, client, senders) = (shared.clone(), client.clone(), senders.clone());
        let handle: JoinHandle<()> = tokio::spawn(async move {
            let (board, changed) = &*shared;
            loop {
                let told = changed.notified();
                tokio::pin!(told);
                told.as_mut().enable();
                let job = {
                    let mut board = board.lock().unwrap();
                    if board.open == 0 {
                        return;
                    }
                    board.jobs.pop_front()
                };
                let Some(mut job) = job else {
                    told.await;
                    continue;
                };
                let (answer, busy) = verdict(ask_async(&client, &job.page).await);
                job.left = job.left.saturating_sub(1);
                if busy && job.left > 0 {
                    board.lock().unwrap().jobs.push_back(job);
                } else {
                    let sender = senders.lock().unwrap()[job.index].take().unwrap();
                    let _ = sender.send(answer);
                    board.lock().unwrap().open -= 1;
                }
                changed.notify_waiters();
            }
        });
        stop.0.push(handle.abort_handle());
    }
    let mut answers = Vec::new();
    for receiver in receivers {
        answers.push(receiver.await.expect("an answer"));
    }
    answers
}

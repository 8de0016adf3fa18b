//! accepted
//!
//! A thread for each page, and a semaphore made of a mutex and a condition variable. The tasks are started one by one, as places
//! become free, so there is never one that waits for a place.

use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use reqwest::{Client, blocking};
use tokio::task::JoinSet;

/// A page to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it is.
    pub url: String,
    /// How long to wait for an answer.
    pub timeout: Duration,
}

/// What came of a page.
pub type Answer = Result<String, Failure>;

/// Why there is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server answered with this status.
    Status(u16),
    /// The time was up.
    Timeout,
    /// There was no server to ask.
    Unreachable,
}

/// One after the other.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = blocking::Client::new();
    pages.iter().map(|page| fetch(&client, page, attempts)).collect()
}

/// With threads.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = &blocking::Client::new();
    let places = &Places { free: Mutex::new(at_once), freed: Condvar::new() };
    thread::scope(|scope| {
        let start = |page| {
            scope.spawn(move || {
                places.take();
                let answer = fetch(client, page, attempts);
                places.give_back();
                answer
            })
        };
        let threads: Vec<_> = pages.iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Places {
    fn take(&self) {
        *self.freed.wait_while(self.free.lock().unwrap(), |free| *free == 0).unwrap() -= 1;
    }

    fn give_back(&self) {
        *self.free.lock().unwrap() += 1;
        self.freed.notify_one();
    }
}

/// With tasks.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = Client::new();
    let mut answers = vec![Err(Failure::Unreachable); pages.len()];
    let mut waiting = pages.iter().cloned().enumerate();
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < at_once
            && let Some((index, page)) = waiting.next()
        {
            let client = client.clone();
            tasks.spawn(async move { (index, fetch_async(&client, &page, attempts).await) });
        }
        let Some(task) = tasks.join_next().await else { return answers };
        let (index, answer) = task.unwrap();
        answers[index] = answer;
    }
}

fn fetch(client: &blocking::Client, page: &Page, attempts: u32) -> Answer {
    for _ in 1..attempts {
        let answer = ask(client, page);
        if !is_busy(&answer) {
            return answer;
        }
    }
    ask(client, page)
}

async fn fetch_async(client: &Client, page: &Page, attempts: u32) -> Answer {
    for _ in 1..attempts {
        let answer = ask_async(client, page).await;
        if !is_busy(&answer) {
            return answer;
        }
    }
    ask_async(client, page).await
}

fn is_busy(answer: &Answer) -> bool {
    matches!(answer, Err(Failure::Status(429 | 500..)))
}

fn ask(client: &blocking::Client, page: &Page) -> Answer {
    let response = client.get(&page.url).timeout(page.timeout).send().map_err(failure)?;
    match response.status() {
        status if status.is_success() => response.text().map_err(failure),
        status => Err(Failure::Status(status.as_u16())),
    }
}

async fn ask_async(client: &Client, page: &Page) -> Answer {
    let response = client.get(&page.url).timeout(page.timeout).send().await.map_err(failure)?;
    match response.status() {
        status if status.is_success() => response.text().await.map_err(failure),
        status => Err(Failure::Status(status.as_u16())),
    }
}

fn failure(error: reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable }
}

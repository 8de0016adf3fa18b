//! rejected: assertion
//!
//! A thread and a task for each page, and no limit: ten thousand pages would be ten thousand connections.

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
pub fn with_threads(pages: &[Page], _at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = &blocking::Client::new();
    thread::scope(|scope| {
        let threads: Vec<_> = pages.iter().map(|page| scope.spawn(move || fetch(client, page, attempts))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// With tasks.
pub async fn with_tasks(pages: &[Page], _at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = Client::new();
    let mut tasks = JoinSet::new();
    for (index, page) in pages.iter().cloned().enumerate() {
        let client = client.clone();
        tasks.spawn(async move { (index, fetch_async(&client, &page, attempts).await) });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
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

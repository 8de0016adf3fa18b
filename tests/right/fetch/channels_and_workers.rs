//! accepted
//!
//! Pages go to a fixed number of workers through one channel, answers come back with their indices through another. The tasks are
//! workers, too, with a queue between them. A new client for each request works as well; it only saves no handshakes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, mpsc};
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
    let (give, take) = mpsc::channel();
    let (answer, answered) = mpsc::channel();
    let take = &Mutex::new(take);
    let mut answers: Vec<Answer> = vec![Err(Failure::Unreachable); pages.len()];
    thread::scope(|scope| {
        for _ in 0..at_once {
            let answer = answer.clone();
            scope.spawn(move || {
                loop {
                    let next = take.lock().unwrap().recv();
                    let Ok((index, page)) = next else { break };
                    answer.send((index, fetch(&blocking::Client::new(), page, attempts))).unwrap();
                }
            });
        }
        drop(answer);
        for page in pages.iter().enumerate() {
            give.send(page).unwrap();
        }
        drop(give);
        for (index, answer) in answered {
            answers[index] = answer;
        }
    });
    answers
}

/// With tasks.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let queue = Arc::new(Mutex::new(VecDeque::from_iter(pages.iter().cloned().enumerate())));
    let mut workers = JoinSet::new();
    for _ in 0..at_once {
        let queue = queue.clone();
        workers.spawn(async move {
            let mut answers = Vec::new();
            loop {
                let next = queue.lock().unwrap().pop_front();
                let Some((index, page)) = next else { return answers };
                answers.push((index, fetch_async(&Client::new(), &page, attempts).await));
            }
        });
    }
    let mut answers = workers.join_all().await.concat();
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

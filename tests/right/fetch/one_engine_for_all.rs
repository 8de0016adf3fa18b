//! accepted
//!
//! Everything is built on futures, and nothing is spawned: the future of `with_tasks` polls those of the pages itself, so they may
//! borrow the pages. Threads run a small runtime each, and one by one is the same with one place.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use reqwest::Client;
use tokio::runtime;

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
    block_on(with_tasks(pages, 1, attempts))
}

/// With threads.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let next = &AtomicUsize::new(0);
    let work = move || {
        let mut answers = Vec::new();
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some(page) = pages.get(index) else { return answers };
            answers.push((index, block_on(fetch_async(&Client::new(), page, attempts))));
        }
    };
    let mut answers = thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// With tasks.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = &Client::new();
    let mut waiting = pages.iter().enumerate();
    let mut in_flight = Vec::new();
    let mut answers = vec![Err(Failure::Unreachable); pages.len()];
    poll_fn(|context| {
        loop {
            while in_flight.len() < at_once
                && let Some((index, page)) = waiting.next()
            {
                in_flight.push((index, Box::pin(fetch_async(client, page, attempts))));
            }
            let before = in_flight.len();
            in_flight.retain_mut(|(index, fetch)| match fetch.as_mut().poll(context) {
                Poll::Ready(answer) => {
                    answers[*index] = answer;
                    false
                }
                Poll::Pending => true,
            });
            if in_flight.is_empty() && waiting.len() == 0 {
                return Poll::Ready(());
            }
            // A place has become free: whoever takes it must be polled once, or nobody will wake it.
            if in_flight.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    answers
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
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

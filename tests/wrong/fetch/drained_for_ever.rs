//! rejected: deadlock
//! by: a_limit_is_for_one_request_alone
//!
//! Breaks "How long to wait for an answer, head and text together" and "a page that is not complete in time fails alone": with_tasks, a
//! page that answers 503 (or 429) and breaks its text off in silence, attempts >= 2: the task reads that text for ever, whatever the page's
//! timeout is. Right if the text of the failure is complete, and for a final failure (its text is not read).  The text of a busy answer is
//! read to its end, so that the connection can be used again, but after the limit has been taken off.

use std::{
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use tokio::{sync::Semaphore, task::JoinSet};

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

const FAR: Duration = Duration::from_secs(40 * 365 * 24 * 60 * 60);

/// What one request has brought.
enum Got<R> {
    Answer(Answer),
    /// Not now, says this status. The text of this response has not been read.
    Busy(u16, R),
}

fn is_busy(status: u16) -> bool {
    status == 429 || (500..=599).contains(&status)
}

fn get(client: &reqwest::blocking::Client, page: &Page) -> Got<reqwest::blocking::Response> {
    let failure = |error: reqwest::Error| if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable };
    let response = match client.get(page.url.as_str()).timeout(page.timeout.min(FAR)).send() {
        Ok(response) => response,
        Err(error) => return Got::Answer(Err(failure(error))),
    };
    let status = response.status();
    if status.is_success() {
        Got::Answer(response.text().map_err(failure))
    } else if is_busy(status.as_u16()) {
        Got::Busy(status.as_u16(), response)
    } else {
        Got::Answer(Err(Failure::Status(status.as_u16())))
    }
}

fn fetch(client: &reqwest::blocking::Client, page: &Page, attempts: u32) -> Answer {
    let mut left = attempts.max(1);
    loop {
        left -= 1;
        match get(client, page) {
            Got::Answer(answer) => return answer,
            Got::Busy(status, _) if left == 0 => return Err(Failure::Status(status)),
            Got::Busy(_, response) => drop(response),
        }
    }
}

/// Fetches the pages one after the other, on the calling thread.
///
/// The answers are in the order of the pages. A page that answers 429 or 5xx is asked again, up to `attempts` times in all; any
/// other failure is final.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = reqwest::blocking::Client::new();
    pages.iter().map(|page| fetch(&client, page, attempts)).collect()
}

/// Places for threads.
struct Places {
    free: Mutex<usize>,
    one_is_free: Condvar,
}

impl Places {
    fn take(&self) {
        let mut free = self.one_is_free.wait_while(self.free.lock().unwrap(), |free| *free == 0).unwrap();
        *free -= 1;
    }

    fn give_back(&self) {
        *self.free.lock().unwrap() += 1;
        self.one_is_free.notify_one();
    }
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::blocking::Client::new();
    let places = Places { free: Mutex::new(at_once.max(1)), one_is_free: Condvar::new() };
    let (client, places) = (&client, &places);
    thread::scope(|scope| {
        let fetches: Vec<_> = pages
            .iter()
            .map(|page| {
                // A thread is only started when there is a place for it.
                places.take();
                scope.spawn(move || {
                    let answer = fetch(client, page, attempts);
                    places.give_back();
                    answer
                })
            })
            .collect();
        fetches.into_iter().map(|fetch| fetch.join().expect("no thread panics")).collect()
    })
}

async fn get_async(client: &reqwest::Client, page: &Page) -> Got<reqwest::Response> {
    let request = async {
        let Ok(response) = client.get(page.url.as_str()).send().await else {
            return Got::Answer(Err(Failure::Unreachable));
        };
        let status = response.status();
        if status.is_success() {
            Got::Answer(response.text().await.map_err(|_| Failure::Unreachable))
        } else if is_busy(status.as_u16()) {
            Got::Busy(status.as_u16(), response)
        } else {
            Got::Answer(Err(Failure::Status(status.as_u16())))
        }
    };
    match tokio::time::timeout(page.timeout, request).await {
        Ok(got) => got,
        Err(_) => Got::Answer(Err(Failure::Timeout)),
    }
}

async fn fetch_async(client: &reqwest::Client, page: &Page, attempts: u32) -> Answer {
    let mut left = attempts.max(1);
    loop {
        left -= 1;
        match get_async(client, page).await {
            Got::Answer(answer) => return answer,
            Got::Busy(status, _) if left == 0 => return Err(Failure::Status(status)),
            Got::Busy(_, response) => {
                // Whatever it says, it has to be out of the way before the connection can be used again.
                let _ = response.text().await;
            }
        }
    }
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::Client::new();
    let places = Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)));
    let mut tasks = JoinSet::new();
    for (index, page) in pages.iter().cloned().enumerate() {
        let (client, places) = (client.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire().await.expect("nobody closes the semaphore");
            (index, fetch_async(&client, &page, attempts).await)
        });
    }
    let mut answers: Vec<(usize, Answer)> = Vec::with_capacity(pages.len());
    while let Some(done) = tasks.join_next().await {
        answers.push(done.expect("no task panics"));
    }
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

//! Many pages, fetched in three ways.
//!
//! Fetching is waiting: the processor is needed for a moment to ask, and for a moment to read. So the question is only who
//! waits. One by one, the calling thread waits for each page, and the time is the *sum*. With threads, several threads sleep in
//! the kernel, each for one page. With tasks, one thread waits for all pages together, and a task costs a few hundred bytes
//! where a thread costs a stack.
//!
//! What a page's answer means is the same in all three: [`judge`] and [`is_busy`] are written once. Only the waiting differs, and
//! Rust makes it visible: `.await` in one version of the same ten lines, none in the other.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use reqwest::{Client, StatusCode, blocking};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

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

/// Fetches the pages one after the other, on the calling thread.
///
/// The answers are in the order of the pages. A page that answers 429 or 5xx is asked again, up to `attempts` times in all; any
/// other failure is final.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    // One client for all pages: it keeps connections open, and the next request to the same server saves the handshake.
    let client = blocking::Client::new();
    pages.iter().map(|page| fetch(&client, page, attempts)).collect()
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = blocking::Client::new();
    // The queue. Each worker takes the next page as soon as it is free, so a slow page occupies one worker and delays none of the
    // others. Had each worker its own share of the pages, or went they in batches, some would be idle while there is work.
    let queue = Mutex::new(pages.iter().enumerate());
    // The lock is held only while a page is taken. Written as `while let Some(..) = queue.lock()..next()`, the guard would live
    // through the whole body of the loop, and the workers would take turns.
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut answers = Vec::new();
        while let Some((index, page)) = next() {
            answers.push((index, fetch(&client, page, attempts)));
        }
        answers
    };
    // As many threads as pages may be asked for at once: the number of workers is the limit. Scoped threads may borrow the pages,
    // since the scope ends only when they have.
    let answers = thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.min(pages.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    in_order(answers)
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = Client::new();
    // A task for each page costs next to nothing, so here the limit is not the number of tasks but the number of places.
    let places = Arc::new(Semaphore::new(at_once));
    // A `JoinSet` stops its tasks when it is dropped. A handle of `tokio::spawn` would let its task run on for nobody.
    let mut tasks = JoinSet::new();
    for (index, page) in pages.iter().cloned().enumerate() {
        let (client, places) = (client.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            // The name matters: `let _ = …` would give the place back in the same line.
            let _place = places.acquire().await.expect("nobody closes the semaphore");
            (index, fetch_async(&client, &page, attempts).await)
        });
    }
    in_order(tasks.join_all().await)
}

/// Answers that came in any order, each with its page's index, in the order of the pages.
fn in_order(mut answers: Vec<(usize, Answer)>) -> Vec<Answer> {
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Asks for a page until it is not busy, on a thread that waits.
fn fetch(client: &blocking::Client, page: &Page, attempts: u32) -> Answer {
    let mut answer = ask(client, page);
    for _ in 1..attempts {
        if !is_busy(&answer) {
            break;
        }
        answer = ask(client, page);
    }
    answer
}

/// Asks for a page until it is not busy, in a task that waits.
async fn fetch_async(client: &Client, page: &Page, attempts: u32) -> Answer {
    let mut answer = ask_async(client, page).await;
    for _ in 1..attempts {
        if !is_busy(&answer) {
            break;
        }
        answer = ask_async(client, page).await;
    }
    answer
}

/// Asks for a page once.
fn ask(client: &blocking::Client, page: &Page) -> Answer {
    // A thread that waits in the kernel can't be called back from outside, so the timeout must be the client's own.
    let response = client.get(&page.url).timeout(page.timeout).send().map_err(failure)?;
    let status = response.status();
    judge(status, response.text().map_err(failure))
}

/// Asks for a page once.
async fn ask_async(client: &Client, page: &Page) -> Answer {
    let answer = async {
        let response = client.get(&page.url).send().await.map_err(failure)?;
        let status = response.status();
        judge(status, response.text().await.map_err(failure))
    };
    // Any future can be given a timeout from outside: when the time is up, it is dropped, and its connection with it. This one
    // is the whole conversation. Around `send()` alone, a page that stops half way through its text would be waited for.
    timeout(page.timeout, answer).await.unwrap_or(Err(Failure::Timeout))
}

/// What an answer with this status and text means.
fn judge(status: StatusCode, text: Answer) -> Answer {
    if status.is_success() { text } else { Err(Failure::Status(status.as_u16())) }
}

/// Whether it makes sense to ask again: the server was there and says that it can't answer *now*. A 404 is still one a moment
/// later, and a server that was too slow does not get faster by being asked twice.
fn is_busy(answer: &Answer) -> bool {
    matches!(answer, Err(Failure::Status(429 | 500..=599)))
}

/// What the client's error means to the caller.
fn failure(error: reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable }
}

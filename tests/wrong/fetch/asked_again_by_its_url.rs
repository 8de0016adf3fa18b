//! rejected: assertion
//! by: a_limit_is_for_one_request_alone
//!
//! Breaks "If a page comes twice, each time has a limit of its own": with_tasks, pages (url u, limit short) and (url u, limit long): the
//! second one answers 503 and then, after more than the short limit, its text; it is a `Timeout`, since its second attempt has the first
//! one's limit.  The list of busy pages has their URLs. When one is asked again, its page is looked up by URL, and the first that has it is
//! taken.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::task::JoinSet;

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

fn why(error: reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable }
}

fn is_busy(answer: &Answer) -> bool {
    matches!(answer, Err(Failure::Status(429 | 500..=599)))
}

/// A limit of more than a few hundred years needs no clock.
fn has_limit(page: &Page) -> bool {
    page.timeout < Duration::from_secs(10_000_000_000)
}

fn client() -> reqwest::blocking::Client {
    reqwest::blocking::Client::builder().timeout(None::<Duration>).build().expect("a plain client can be built")
}

fn once(client: &reqwest::blocking::Client, page: &Page) -> Answer {
    let mut request = client.get(&page.url);
    if has_limit(page) {
        request = request.timeout(page.timeout);
    }
    let response = request.send().map_err(why)?;
    let status = response.status();
    if status.is_success() { response.text().map_err(why) } else { Err(Failure::Status(status.as_u16())) }
}

fn until_final(client: &reqwest::blocking::Client, page: &Page, attempts: u32) -> Answer {
    let mut answer = once(client, page);
    for _ in 1..attempts {
        if !is_busy(&answer) {
            break;
        }
        answer = once(client, page);
    }
    answer
}

/// Fetches the pages one after the other, on the calling thread.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = client();
    let mut answers = Vec::new();
    for page in pages {
        answers.push(until_final(&client, page, attempts));
    }
    answers
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = client();
    let next = AtomicUsize::new(0);
    let mut answers = vec![None; pages.len()];
    thread::scope(|scope| {
        let (report, reports) = mpsc::channel();
        for _ in 0..at_once.max(1).min(pages.len()) {
            let report = report.clone();
            let (client, next) = (&client, &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(page) = pages.get(index) else { return };
                    let _ = report.send((index, until_final(client, page, attempts)));
                }
            });
        }
        drop(report);
        for (index, answer) in reports {
            answers[index] = Some(answer);
        }
    });
    answers.into_iter().map(|answer: Option<Answer>| answer.expect("each page is reported")).collect()
}

/// A request that is to be sent once more.
struct Again {
    index: usize,
    url: String,
    asked: u32,
}

async fn once_async(client: reqwest::Client, index: usize, page: Page, asked: u32) -> (Again, Answer) {
    let answer = exchange(&client, &page).await;
    (Again { index, url: page.url, asked }, answer)
}

async fn exchange(client: &reqwest::Client, page: &Page) -> Answer {
    let mut request = client.get(&page.url);
    if has_limit(page) {
        request = request.timeout(page.timeout);
    }
    let response = request.send().await.map_err(why)?;
    let status = response.status();
    if status.is_success() { response.text().await.map_err(why) } else { Err(Failure::Status(status.as_u16())) }
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::Client::new();
    let mut fresh = 0;
    let mut busy: VecDeque<Again> = VecDeque::new();
    let mut requests = JoinSet::new();
    let mut answers: Vec<Option<Answer>> = vec![None; pages.len()];
    loop {
        while requests.len() < at_once.max(1) {
            if let Some(page) = pages.get(fresh) {
                requests.spawn(once_async(client.clone(), fresh, page.clone(), 1));
                fresh += 1;
            } else if let Some(again) = busy.pop_front() {
                let page = pages.iter().find(|page| page.url == again.url).expect("it is one of them");
                requests.spawn(once_async(client.clone(), again.index, page.clone(), again.asked + 1));
            } else {
                break;
            }
        }
        let Some(done) = requests.join_next().await else { break };
        let (request, answer) = done.expect("a request doesn't panic");
        if is_busy(&answer) && request.asked < attempts {
            busy.push_back(request);
        } else {
            answers[request.index] = Some(answer);
        }
    }
    answers.into_iter().map(|answer| answer.expect("nothing is left to do")).collect()
}

//! rejected: race
//! by: a_slow_page_keeps_no_other_waiting
//!
//! Breaks "a slow page keeps no other waiting": with_threads, 2 places, pages a (503, then a text), b and c, where c is answered only after
//! a: one worker gets a's 503, keeps a for later and takes c; the other one has b's text, finds nothing more to do and ends, while a waits
//! behind c.  Each worker has a list of its own for its busy pages, and comes back to it when there is no new page.

use std::collections::VecDeque;
use std::sync::Mutex;
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

fn failure(error: reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable }
}

fn is_busy(answer: &Answer) -> bool {
    match answer {
        Err(Failure::Status(status)) => matches!(status, 429 | 500..=599),
        _ => false,
    }
}

/// As good as endless, and no clock overflows.
fn limit(page: &Page) -> Duration {
    page.timeout.min(Duration::from_secs(5_000_000_000))
}

fn client() -> reqwest::blocking::Client {
    reqwest::blocking::Client::builder().timeout(None::<Duration>).build().expect("a plain client can be built")
}

fn ask(client: &reqwest::blocking::Client, page: &Page) -> Answer {
    let response = client.get(&page.url).timeout(limit(page)).send().map_err(failure)?;
    match response.status() {
        status if status.is_success() => response.text().map_err(failure),
        status => Err(Failure::Status(status.as_u16())),
    }
}

/// Fetches the pages one after the other, on the calling thread.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = client();
    let fetch = |page: &Page| {
        let mut asked = 1;
        let mut answer = ask(&client, page);
        while is_busy(&answer) && asked < attempts {
            asked += 1;
            answer = ask(&client, page);
        }
        answer
    };
    pages.iter().map(fetch).collect()
}

/// A page that is under way.
struct Item<'a> {
    index: usize,
    page: &'a Page,
    asked: u32,
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = client();
    let fresh = Mutex::new(pages.iter().enumerate().map(|(index, page)| Item { index, page, asked: 0 }));
    let answers: Mutex<Vec<Option<Answer>>> = Mutex::new(vec![None; pages.len()]);
    thread::scope(|scope| {
        for _ in 0..at_once.max(1).min(pages.len()) {
            scope.spawn(|| {
                // A busy page is given some time: it is asked again when the new ones are done.
                let mut later = VecDeque::new();
                loop {
                    let new = fresh.lock().unwrap().next();
                    let Some(mut item) = new.or_else(|| later.pop_front()) else { break };
                    let answer = ask(&client, item.page);
                    item.asked += 1;
                    if is_busy(&answer) && item.asked < attempts {
                        later.push_back(item);
                    } else {
                        answers.lock().unwrap()[item.index] = Some(answer);
                    }
                }
            });
        }
    });
    answers.into_inner().unwrap().into_iter().map(|answer| answer.expect("the workers leave nothing")).collect()
}

async fn ask_async(client: &reqwest::Client, page: &Page) -> Answer {
    let response = client.get(&page.url).timeout(limit(page)).send().await.map_err(failure)?;
    match response.status() {
        status if status.is_success() => response.text().await.map_err(failure),
        status => Err(Failure::Status(status.as_u16())),
    }
}

async fn fetch_async(client: reqwest::Client, index: usize, page: Page, attempts: u32) -> (usize, Answer) {
    let mut asked = 1;
    let mut answer = ask_async(&client, &page).await;
    while is_busy(&answer) && asked < attempts {
        asked += 1;
        answer = ask_async(&client, &page).await;
    }
    (index, answer)
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::Client::new();
    let start = |index: usize| fetch_async(client.clone(), index, pages[index].clone(), attempts);
    let mut next = at_once.max(1).min(pages.len());
    let mut tasks = JoinSet::new();
    for index in 0..next {
        tasks.spawn(start(index));
    }
    let mut answers: Vec<Option<Answer>> = vec![None; pages.len()];
    while let Some(done) = tasks.join_next().await {
        let (index, answer) = done.expect("a task doesn't panic");
        answers[index] = Some(answer);
        if next < pages.len() {
            tasks.spawn(start(next));
            next += 1;
        }
    }
    answers.into_iter().map(|answer| answer.expect("all were started")).collect()
}

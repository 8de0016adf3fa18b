//! rejected: assertion
//! by: a_limit_may_be_short_or_long
//!
//! Breaks "a page's timeout begins anew when it is asked again": with_tasks, a page with a timeout of 10 s answers 503 after 6 s; when it
//! is asked again, the head (200) comes after 1 s and the end of its text 4 s later. That is 5 s for the second request, but the answer is
//! `Timeout`. Wrong only for the text of a page that has been busy before; its head has the whole limit each time.  The head has a limit of
//! its own, and the text gets what is left of it. But the watch that tells what is left is started once for the page, not once for each
//! request.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

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

/// What the blocking client can add to the present.
const MAX: Duration = Duration::from_secs(1 << 31);

fn busy(status: u16) -> bool {
    matches!(status, 429 | 500..=599)
}

mod threads {
    use super::{Answer, Failure, MAX, Page, busy};

    pub struct Fetcher {
        client: reqwest::blocking::Client,
        attempts: u32,
    }

    impl Fetcher {
        pub fn new(attempts: u32) -> Self {
            Self { client: reqwest::blocking::Client::new(), attempts: attempts.max(1) }
        }

        pub fn fetch(&self, page: &Page) -> Answer {
            let mut left = self.attempts;
            loop {
                left -= 1;
                match self.ask(page) {
                    Err(Failure::Status(status)) if busy(status) && left > 0 => {}
                    answer => return answer,
                }
            }
        }

        fn ask(&self, page: &Page) -> Answer {
            let why = |error: reqwest::Error| if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable };
            let response = self.client.get(page.url.as_str()).timeout(page.timeout.min(MAX)).send().map_err(why)?;
            let status = response.status();
            if status.is_success() { response.text().map_err(why) } else { Err(Failure::Status(status.as_u16())) }
        }
    }
}

/// Fetches the pages one after the other, on the calling thread.
///
/// The answers are in the order of the pages. A page that answers 429 or 5xx is asked again, up to `attempts` times in all; any
/// other failure is final.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let fetcher = threads::Fetcher::new(attempts);
    pages.iter().map(|page| fetcher.fetch(page)).collect()
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let fetcher = threads::Fetcher::new(attempts);
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..pages.len()).collect());
    let mut answers: Vec<Option<Answer>> = vec![None; pages.len()];
    thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.max(1).min(pages.len()))
            .map(|_| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let next = queue.lock().unwrap().pop_front();
                        let Some(index) = next else { return done };
                        done.push((index, fetcher.fetch(&pages[index])));
                    }
                })
            })
            .collect();
        for worker in workers {
            for (index, answer) in worker.join().expect("no worker panics") {
                answers[index] = Some(answer);
            }
        }
    });
    answers.into_iter().flatten().collect()
}

async fn fetch(client: &reqwest::Client, page: &Page, attempts: u32) -> Answer {
    let mut left = attempts.max(1);
    let started = Instant::now();
    loop {
        left -= 1;
        let response = match timeout(page.timeout, client.get(page.url.as_str()).send()).await {
            Err(_) => return Err(Failure::Timeout),
            Ok(Err(_)) => return Err(Failure::Unreachable),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        if status.is_success() {
            let rest = page.timeout.saturating_sub(started.elapsed());
            return match timeout(rest, response.text()).await {
                Err(_) => Err(Failure::Timeout),
                Ok(Err(_)) => Err(Failure::Unreachable),
                Ok(Ok(text)) => Ok(text),
            };
        }
        if left == 0 || !busy(status.as_u16()) {
            return Err(Failure::Status(status.as_u16()));
        }
    }
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::Client::new();
    let queue: VecDeque<(usize, Page)> = pages.iter().cloned().enumerate().collect();
    let queue = Arc::new(Mutex::new(queue));
    let mut workers = JoinSet::new();
    for _ in 0..at_once.max(1).min(pages.len()) {
        let (client, queue) = (client.clone(), Arc::clone(&queue));
        workers.spawn(async move {
            let mut done = Vec::new();
            loop {
                let next = queue.lock().unwrap().pop_front();
                let Some((index, page)) = next else { return done };
                done.push((index, fetch(&client, &page, attempts).await));
            }
        });
    }
    let mut answers: Vec<Option<Answer>> = vec![None; pages.len()];
    while let Some(done) = workers.join_next().await {
        for (index, answer) in done.expect("no worker panics") {
            answers[index] = Some(answer);
        }
    }
    answers.into_iter().flatten().collect()
}

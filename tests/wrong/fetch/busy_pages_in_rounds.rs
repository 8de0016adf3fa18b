//! rejected: assertion
//! by: a_slow_page_keeps_no_other_waiting
//!
//! Breaks "Whichever pages are slow, each takes up one place. The other places go on with all the other pages": with_tasks, 2 places, page
//! a is answered only after page b's second request, b answers 503 first: b is not asked again before a has its answer, so neither comes.
//! Tasks go in rounds: each round asks for all pages that were busy in the one before. Within a round, places go on.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::Semaphore;
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

/// The longest limit that is told to a client.
const LONG: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 150);

impl Page {
    fn limit(&self) -> Duration {
        self.timeout.min(LONG)
    }

    fn get(&self, client: &reqwest::blocking::Client) -> Answer {
        let response = client.get(&self.url).timeout(self.limit()).send().map_err(Failure::of)?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Status(status.as_u16()));
        }
        response.text().map_err(Failure::of)
    }

    fn get_up_to(&self, client: &reqwest::blocking::Client, attempts: u32) -> Answer {
        let mut answer = self.get(client);
        for _ in 1..attempts {
            if !is_busy(&answer) {
                break;
            }
            answer = self.get(client);
        }
        answer
    }

    async fn get_async(&self, client: &reqwest::Client) -> Answer {
        let response = client.get(&self.url).timeout(self.limit()).send().await.map_err(Failure::of)?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Status(status.as_u16()));
        }
        response.text().await.map_err(Failure::of)
    }
}

impl Failure {
    fn of(error: reqwest::Error) -> Failure {
        if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable }
    }
}

fn is_busy(answer: &Answer) -> bool {
    matches!(answer, Err(Failure::Status(429 | 500..=599)))
}

fn blocking_client() -> reqwest::blocking::Client {
    reqwest::blocking::Client::builder().timeout(None::<Duration>).build().expect("a plain client can be built")
}

/// Fetches the pages one after the other, on the calling thread.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = blocking_client();
    pages.iter().map(|page| page.get_up_to(&client, attempts)).collect()
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = blocking_client();
    // As many tokens as there are places: whoever has one may ask.
    let (give, tokens) = mpsc::channel();
    for _ in 0..at_once.max(1).min(pages.len()) {
        give.send(()).expect("the receiver is here");
    }
    let answers = Mutex::new(vec![None; pages.len()]);
    thread::scope(|scope| {
        for (index, page) in pages.iter().enumerate() {
            tokens.recv().expect("a sender is here");
            let give = give.clone();
            let (client, answers) = (&client, &answers);
            scope.spawn(move || {
                let answer = page.get_up_to(client, attempts);
                answers.lock().unwrap()[index] = Some(answer);
                let _ = give.send(());
            });
        }
    });
    let answers: Vec<Option<Answer>> = answers.into_inner().unwrap();
    answers.into_iter().map(|answer| answer.expect("all threads have ended")).collect()
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::Client::new();
    let places = Arc::new(Semaphore::new(at_once.min(pages.len()).max(1)));
    let mut answers: Vec<Option<Answer>> = vec![None; pages.len()];
    let mut open: Vec<usize> = (0..pages.len()).collect();
    for _ in 0..attempts.max(1) {
        let mut round = JoinSet::new();
        for index in open.drain(..) {
            let (client, places, page) = (client.clone(), Arc::clone(&places), pages[index].clone());
            round.spawn(async move {
                let _place = places.acquire().await.expect("nobody closes it");
                (index, page.get_async(&client).await)
            });
        }
        while let Some(done) = round.join_next().await {
            let (index, answer) = done.expect("a task doesn't panic");
            if is_busy(&answer) {
                open.push(index);
            }
            answers[index] = Some(answer);
        }
        if open.is_empty() {
            break;
        }
    }
    answers.into_iter().map(|answer| answer.expect("the first round asks for all")).collect()
}

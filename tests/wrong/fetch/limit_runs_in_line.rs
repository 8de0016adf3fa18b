//! rejected: assertion
//! by: a_limit_is_for_one_request_alone
//!
//! Breaks "A page's timeout begins when the page is asked for, not while it waits for a place, and begins anew when it is asked again":
//! with_tasks, at_once = 1, two pages: the first with a timeout of 10 s answers 503 at once and would then answer a text, the second takes
//! 20 s. The first one loses its place to the second, waits 20 s for it, and is a `Timeout` although it has not been asked again. Right for
//! every first request, and for later ones as long as they get a place in time.  For its first request a task is given a place by the
//! future itself; for a later one it takes its own, within the limit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
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

/// More would overflow in the blocking client.
const LONG: Duration = Duration::from_secs(3_000_000_000);

/// How many more requests are allowed, and what the last one has brought.
struct Patience {
    left: u32,
}

impl Patience {
    fn new(attempts: u32) -> Self {
        Self { left: attempts.max(1) }
    }

    /// Whether to go on after this answer.
    fn goes_on(&mut self, answer: &Answer) -> bool {
        self.left -= 1;
        let busy = match answer {
            Err(Failure::Status(429)) => true,
            Err(Failure::Status(status)) => status / 100 == 5,
            _ => false,
        };
        busy && self.left > 0
    }
}

fn fetch(client: &reqwest::blocking::Client, page: &Page, attempts: u32) -> Answer {
    let explain = |error: reqwest::Error| if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable };
    let ask = || {
        let response = client.get(page.url.as_str()).timeout(page.timeout.min(LONG)).send().map_err(explain)?;
        let status = response.status();
        if status.is_success() { response.text().map_err(explain) } else { Err(Failure::Status(status.as_u16())) }
    };
    let mut patience = Patience::new(attempts);
    let mut answer = ask();
    while patience.goes_on(&answer) {
        answer = ask();
    }
    answer
}

/// Fetches the pages one after the other, on the calling thread.
///
/// The answers are in the order of the pages. A page that answers 429 or 5xx is asked again, up to `attempts` times in all; any
/// other failure is final.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = reqwest::blocking::Client::new();
    pages.iter().map(|page| fetch(&client, page, attempts)).collect()
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::blocking::Client::new();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut mine = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            match pages.get(index) {
                Some(page) => mine.push((index, fetch(&client, page, attempts))),
                None => return mine,
            }
        }
    };
    let mut answers: Vec<(usize, Answer)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.max(1).min(pages.len())).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no worker panics")).collect()
    });
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// A page on its way, and the place that it has, if any.
struct Traveller {
    client: reqwest::Client,
    page: Page,
    places: Arc<Semaphore>,
    place: Option<OwnedSemaphorePermit>,
}

impl Traveller {
    async fn ask(&mut self) -> Answer {
        let _place = match self.place.take() {
            Some(place) => place,
            None => Arc::clone(&self.places).acquire_owned().await.expect("nobody closes the semaphore"),
        };
        let response = self.client.get(self.page.url.as_str()).send().await.map_err(|_| Failure::Unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Status(status.as_u16()));
        }
        response.text().await.map_err(|_| Failure::Unreachable)
    }

    async fn fetch(mut self, attempts: u32) -> Answer {
        let limit = self.page.timeout;
        let mut patience = Patience::new(attempts);
        loop {
            // The place is given back at the end of each request, so that others may go first.
            let answer = timeout(limit, self.ask()).await.unwrap_or(Err(Failure::Timeout));
            if !patience.goes_on(&answer) {
                return answer;
            }
        }
    }
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::Client::new();
    let places = Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)));
    let mut tasks = JoinSet::new();
    for (index, page) in pages.iter().enumerate() {
        let place = Arc::clone(&places).acquire_owned().await.expect("nobody closes the semaphore");
        let traveller =
            Traveller { client: client.clone(), page: page.clone(), places: Arc::clone(&places), place: Some(place) };
        tasks.spawn(async move { (index, traveller.fetch(attempts).await) });
    }
    let mut answers: Vec<Option<Answer>> = vec![None; pages.len()];
    while let Some(done) = tasks.join_next().await {
        let (index, answer) = done.expect("no task panics");
        answers[index] = Some(answer);
    }
    answers.into_iter().map(|answer| answer.expect("every page has been fetched")).collect()
}

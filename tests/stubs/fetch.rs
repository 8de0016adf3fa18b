//! Many pages, fetched in three ways. The lesson is in `README.md`.

use std::time::Duration;

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
    todo!()
}

/// The same with threads, which wait for up to `at_once` pages at the same time.
pub fn with_threads(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    todo!()
}

/// The same with tasks of tokio, on whatever thread the caller's runtime has. Dropping the future closes its connections.
pub async fn with_tasks(pages: &[Page], at_once: usize, attempts: u32) -> Vec<Answer> {
    todo!()
}

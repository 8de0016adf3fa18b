//! The first paragraph of many pages: fetched, parsed and sent on at the same time.
//!
//! A pipeline has stages that work at the same time, each on another page: here one that waits (fetch), one that computes (parse)
//! and one that sends the answers on. The slowest sets the pace. What lies between two stages must be bounded, or the fast ones fill
//! the memory with what the slow one has not come to yet.
//!
//! Three limits of three kinds: how many *requests* a server stands, how many *cores* there are, and how many pages there is *memory*
//! for. The first two are semaphores. The third is the queue of the pages that are under way, which also keeps their order: its
//! head is the page whose answer has to be sent next.

use std::collections::VecDeque;
use std::sync::Arc;

use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;
use tokio::task::{JoinHandle, spawn_blocking};

/// How much may go on at the same time. `usize::MAX` is as much as you like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// So many requests may be in flight.
    pub fetches: usize,
    /// So many pages may be in the parser.
    pub parses: usize,
    /// So many pages may be under way: a page is from the moment at which it is asked for until its answer has been sent.
    pub room: usize,
    /// So many bytes a page may have.
    pub bytes: usize,
}

/// What came of a page: what the parser has found in it, or why it was not parsed.
pub type Answer = Result<Option<String>, Failure>;

/// Why there is no paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server has answered, but with this status instead of a success.
    Status(u16),
    /// What is there is no HTML: its `Content-Type` is not `text/html`, or it has none.
    NotHtml,
    /// The page has more bytes than are allowed.
    TooLarge,
    /// There was no complete answer: the URL is none, there is no server, it broke off, or it sent us round in a circle.
    Unreachable,
    /// The parser has panicked.
    Panicked,
}

/// Fetches pages, has them parsed, and sends their answers in the order of the URLs, each as soon as it and all before it are there.
///
/// - **Limits.** The next page is asked for as soon as fewer than `limits.fetches` requests are in flight and fewer than
///   `limits.room` pages are under way. A page that is here is parsed as soon as fewer than `limits.parses` pages are in the parser.
/// - **Parsing.** `parse` may compute for long, block or panic. So it never runs on a thread of the runtime that runs tasks. A panic is
///   the failure of its page alone. What is not UTF-8 in a page reaches it as U+FFFD.
/// - **Pages that are none.** What has another status or is no HTML fails as soon as its head has come, what is too large as soon as too
///   much of it has come, at the latest. Then its connection is closed, and it does not reach the parser.
/// - **The end.** It ends when all answers have been sent, or as soon as the receiver of `answers` has gone. Then, and when its future
///   is dropped before, its connections are closed and no more pages get into the parser.
///
/// # Panics
/// If `limits.fetches`, `limits.parses` or `limits.room` is 0, for then nothing could ever be done.
pub async fn scrape<P>(urls: &[String], limits: Limits, parse: P, answers: Sender<Answer>)
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    let Limits { fetches, parses, room, bytes } = limits;
    assert!(fetches > 0 && parses > 0 && room > 0, "with a limit of 0 nothing could ever be done");
    let places = |number: usize| Semaphore::new(number.min(Semaphore::MAX_PERMITS));
    let stages =
        Arc::new(Stages { client: Client::new(), bytes, fetches: places(fetches), parses: places(parses), parse });
    let pages = urls.iter().map(|url| Task::start(Arc::clone(&stages).page(url.clone())));
    tokio::select! {
        biased;
        // Nobody wants the rest. Without this line it would be noticed only with the next answer, which may never come.
        () = answers.closed() => {}
        () = in_order(pages, room, &answers) => {}
    }
    // Here, or where this future is dropped, the queue is dropped and with it every task.
}

/// Sends the answers in their order, with so many pages under way at most.
async fn in_order(mut pages: impl Iterator<Item = Task<Answer>>, room: usize, answers: &Sender<Answer>) {
    let mut under_way = VecDeque::new();
    loop {
        under_way.extend(pages.by_ref().take(room - under_way.len()));
        // From here on the head is in our hands. Its place is taken again when its answer has been sent: a consumer that is slow
        // holds up all of it.
        let Some(head) = under_way.pop_front() else { return };
        if answers.send(head.output().await).await.is_err() {
            return;
        }
    }
}

/// What all pages need on their way.
struct Stages<P> {
    client: Client,
    /// So many a page may have.
    bytes: usize,
    /// A place for each request that may be in flight.
    fetches: Semaphore,
    /// A place for each page that may be parsed.
    parses: Semaphore,
    parse: P,
}

impl<P> Stages<P>
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    /// A page's way from its URL to its answer.
    async fn page(self: Arc<Self>, url: String) -> Answer {
        let text = {
            let _place = self.fetches.acquire().await.expect("nobody closes the semaphore");
            self.fetch(&url).await?
            // Here the place is free again: a page that waits for the parser keeps no other from being asked for.
        };
        let _place = self.parses.acquire().await.expect("nobody closes the semaphore");
        let stages = Arc::clone(&self);
        // On the runtime's own thread, the parser would keep all tasks waiting. This one is made for work that blocks or computes.
        let parsed = spawn_blocking(move || (stages.parse)(&text));
        parsed.await.map_err(|_panic| Failure::Panicked)
    }

    /// The text of a page, if it is one.
    async fn fetch(&self, url: &str) -> Result<String, Failure> {
        let unreachable = |_| Failure::Unreachable;
        let mut response = self.client.get(url).send().await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Status(status.as_u16()));
        }
        if !is_html(&response) {
            return Err(Failure::NotHtml);
        }
        // In pieces, since it may have no end.
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&piece);
            if body.len() > self.bytes {
                return Err(Failure::TooLarge);
            }
        }
        // Only now: a piece may end in the middle of a letter.
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

/// Whether the server says that this is HTML.
fn is_html(response: &Response) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // There may be more: `text/html; charset=utf-8`.
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("text/html")
}

/// A task that is stopped when nobody wants its output any more. Dropping a `JoinHandle` alone lets its task run on.
struct Task<T>(JoinHandle<T>);

impl<T: Send + 'static> Task<T> {
    fn start(future: impl Future<Output = T> + Send + 'static) -> Task<T> {
        Task(tokio::spawn(future))
    }

    async fn output(mut self) -> T {
        (&mut self.0).await.expect("it neither panics nor is stopped while it is waited for")
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The text of a page's first paragraph that has any, each white space in it as one blank. This is given: a parser for `scrape`.
///
/// A paragraph begins with `<p>`. It ends with `</p>`, but also where another paragraph, a heading, a list or the like begins or ends.
pub fn first_paragraph(html: &str) -> Option<String> {
    // What looks like a tag in a script or a style is none.
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut paragraph: Option<String> = None;
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        let (name, begins) = match token {
            Token::StartTag(tag) => (tag.name, true),
            Token::EndTag(tag) => (tag.name, false),
            Token::String(text) => {
                if let Some(paragraph) = &mut paragraph {
                    paragraph.push_str(&String::from_utf8_lossy(&text));
                }
                continue;
            }
            _ => continue,
        };
        if ENDS_A_PARAGRAPH.contains(&&name[..]) {
            let complete = paragraph.as_deref().and_then(words);
            if complete.is_some() {
                return complete;
            }
            paragraph = (begins && &name[..] == b"p").then(String::new);
        }
    }
    paragraph.as_deref().and_then(words)
}

/// The words of a text with a blank between each two, if it has any.
fn words(text: &str) -> Option<String> {
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|words| !words.is_empty())
}

/// What begins or ends with one of these is not a part of a paragraph.
const ENDS_A_PARAGRAPH: [&[u8]; 19] = [
    b"p",
    b"article",
    b"aside",
    b"blockquote",
    b"body",
    b"div",
    b"footer",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"header",
    b"hr",
    b"main",
    b"ol",
    b"pre",
    b"section",
    b"table",
    b"ul",
];

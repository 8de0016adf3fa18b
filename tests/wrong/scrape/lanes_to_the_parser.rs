//! rejected: serialised
//! by: as_many_pages_are_parsed_at_once_as_allowed
//!
//! Breaks `as_many_pages_are_parsed_at_once_as_allowed`: there are as many lanes to the parser as may be in it, and the place of a page in
//! the list says which is its. Shows with parses = 2 and three pages, of which the second is slow to come: the first and the third are in
//! the same lane, and only one of them is in the parser.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;

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

/// A page on its way, as a future that nobody but [`scrape`] polls.
type Way<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

/// Where a page is, from the moment at which it is asked for until it is its turn.
struct Seat<'a> {
    way: Option<Way<'a>>,
    answer: Option<Answer>,
    bell: Arc<Bell>,
}

/// Who is to be looked after rings. Whoever wakes the page wakes the whole house, and leaves a note which page it was.
struct Bell {
    rung: AtomicBool,
    door: Arc<Mutex<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        let waker = self.door.lock().unwrap().clone();
        waker.wake();
    }
}

/// A place among the requests, as long as it lives.
struct Flight<'a>(&'a Cell<usize>);

impl<'a> Flight<'a> {
    fn begin(flying: &'a Cell<usize>) -> Flight<'a> {
        flying.set(flying.get() + 1);
        Flight(flying)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
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
    assert!(limits.fetches > 0 && limits.parses > 0 && limits.room > 0, "with a limit of 0 nothing can be done");
    let client = Client::new();
    let parse = Arc::new(parse);
    let lanes = limits.parses.min(limits.room).min(urls.len());
    let lanes: Vec<_> = (0..lanes).map(|_| Semaphore::new(1)).collect();
    let flying = Cell::new(0);
    let (client, parse, lanes, flying, answers) = (&client, &parse, &lanes, &flying, &answers);

    let door = Arc::new(Mutex::new(Waker::noop().clone()));
    let mut seats: VecDeque<Seat<'_>> = VecDeque::new();
    let mut sending: Option<Pin<Box<dyn Future<Output = bool> + '_>>> = None;
    let mut gone = Box::pin(answers.closed());
    let mut next = 0;
    poll_fn(|cx| {
        if gone.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        *door.lock().unwrap() = cx.waker().clone();
        loop {
            let mut moved = false;
            if let Some(way) = &mut sending {
                match way.as_mut().poll(cx) {
                    Poll::Ready(true) => {
                        sending = None;
                        moved = true;
                    }
                    Poll::Ready(false) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            }
            if sending.is_none() && seats.front().is_some_and(|seat| seat.answer.is_some()) {
                let answer = seats.pop_front().and_then(|seat| seat.answer).unwrap();
                sending = Some(Box::pin(async move { answers.send(answer).await.is_ok() }));
                moved = true;
            }
            while next < urls.len()
                && flying.get() < limits.fetches
                && seats.len() + usize::from(sending.is_some()) < limits.room
            {
                let (url, flight) = (&urls[next], Flight::begin(flying));
                let lane = &lanes[next % lanes.len()];
                let way: Way<'_> = Box::pin(async move {
                    let text = fetch(client, url, limits.bytes).await;
                    drop(flight);
                    let text = text?;
                    let _core = lane.acquire().await.expect("nobody closes it");
                    look(parse.clone(), text).await
                });
                let bell = Arc::new(Bell { rung: AtomicBool::new(true), door: door.clone() });
                seats.push_back(Seat { way: Some(way), answer: None, bell });
                next += 1;
            }
            if next == urls.len() && seats.is_empty() && sending.is_none() {
                return Poll::Ready(());
            }
            let before = flying.get();
            for seat in &mut seats {
                let Some(way) = &mut seat.way else { continue };
                if !seat.bell.rung.swap(false, Ordering::SeqCst) {
                    continue;
                }
                let waker = Waker::from(seat.bell.clone());
                if let Poll::Ready(answer) = way.as_mut().poll(&mut Context::from_waker(&waker)) {
                    seat.way = None;
                    seat.answer = Some(answer);
                    moved = true;
                }
            }
            if !moved && flying.get() == before {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// The text of a page. What is taken of the connection is given back when this returns.
async fn fetch(client: &Client, url: &str, most: usize) -> Result<String, Failure> {
    let mut response = client.get(url).send().await.map_err(|_| Failure::Unreachable)?;
    let status = response.status();
    if !status.is_success() {
        return Err(Failure::Status(status.as_u16()));
    }
    let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    let kind = kind.and_then(|kind| kind.split(|&byte| byte == b';').next());
    if !kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"text/html")) {
        return Err(Failure::NotHtml);
    }
    let mut page = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| Failure::Unreachable)? {
        if piece.len() > most - page.len() {
            return Err(Failure::TooLarge);
        }
        page.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// What the parser finds, on a thread that may wait.
async fn look<P>(parse: Arc<P>, text: String) -> Answer
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    let look = move || catch_unwind(AssertUnwindSafe(|| parse(&text)));
    match tokio::task::spawn_blocking(look).await {
        Ok(Ok(found)) => Ok(found),
        _ => Err(Failure::Panicked),
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

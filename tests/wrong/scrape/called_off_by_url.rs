//! rejected: assertion
//! by: dropping_the_future_ends_everything
//!
//! Breaks `dropping_the_future_ends_everything` ("its connections are closed"), also when the receiver has gone: requests are tasks that
//! are called off by their URL. Shows when the same URL is twice in the list, both are in flight, and the future is dropped: the first of
//! them is called off by nobody, and its connection stays open.

use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response};
use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{AbortHandle, JoinSet};

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

/// What all pages of one call have in common.
struct Call<P> {
    client: Client,
    limits: Limits,
    cores: Arc<Semaphore>,
    parse: P,
    over: Over,
    flying: Mutex<HashMap<String, AbortHandle>>,
}

/// Whether the call has ended. Whoever begins something that cannot be undone does so while it has the lock.
#[derive(Clone, Default)]
struct Over(Arc<Mutex<bool>>);

impl Over {
    fn look(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the call when it goes.
struct Ending<P>(Arc<Call<P>>);

impl<P> Drop for Ending<P> {
    fn drop(&mut self) {
        *self.0.over.look() = true;
        for (_, request) in self.0.flying.lock().unwrap_or_else(PoisonError::into_inner).drain() {
            request.abort();
        }
    }
}

/// What a page has taken when it sets out: a share of the room, a place among the requests, and its place in the line.
struct Ticket {
    room: OwnedSemaphorePermit,
    flight: OwnedSemaphorePermit,
    turn: oneshot::Receiver<()>,
    next: oneshot::Sender<()>,
}

fn places(number: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS)))
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
    for limit in [limits.fetches, limits.parses, limits.room] {
        assert_ne!(limit, 0, "a limit is 0");
    }
    let (room, flights, cores) = (places(limits.room), places(limits.fetches), places(limits.parses));
    let (over, flying) = (Over::default(), Mutex::default());
    let call = Arc::new(Call { client: Client::new(), limits, cores, parse, over, flying });
    let _ending = Ending(call.clone());

    let mut pages = JoinSet::new();
    let (first, mut turn) = oneshot::channel();
    let _ = first.send(());
    let mut urls = urls.iter();
    let mut url = urls.next();
    // The tickets are given out here, one after the other: so they are taken in the order of the pages.
    while url.is_some() || !pages.is_empty() {
        let both = async {
            let room = room.clone().acquire_owned().await.expect("nobody closes it");
            (room, flights.clone().acquire_owned().await.expect("nobody closes it"))
        };
        tokio::select! {
            () = answers.closed() => break,
            (room, flight) = both, if url.is_some() => {
                let (next, next_turn) = oneshot::channel();
                let ticket = Ticket { room, flight, turn, next };
                turn = next_turn;
                pages.spawn(page(call.clone(), url.cloned().unwrap_or_default(), ticket, answers.clone()));
                url = urls.next();
            }
            Some(done) = pages.join_next() => drop(done),
        }
    }
}

/// One page, from the request to the moment at which its answer is sent.
async fn page<P>(call: Arc<Call<P>>, url: String, ticket: Ticket, answers: Sender<Answer>)
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    let Ticket { room, flight, turn, next } = ticket;
    // A task of its own, so that it can be called off even while this one waits elsewhere.
    let request = {
        let over = call.over.look();
        if *over {
            return;
        }
        let (same_call, same_url) = (call.clone(), url.clone());
        let request = tokio::spawn(async move { fetch(&same_call, &same_url).await });
        let mut flying = call.flying.lock().unwrap_or_else(PoisonError::into_inner);
        flying.insert(url, request.abort_handle());
        request
    };
    let came = request.await.unwrap_or(Err(Failure::Unreachable));
    drop(flight);
    let answer = match came {
        Ok(text) => look(&call, text).await,
        Err(failure) => Err(failure),
    };
    let _ = turn.await;
    let Ok(place) = answers.reserve().await else { return };
    {
        let over = call.over.look();
        if *over {
            return;
        }
        place.send(answer);
    }
    drop(room);
    let _ = next.send(());
}

async fn fetch<P>(call: &Call<P>, url: &str) -> Result<String, Failure> {
    let response = call.client.get(url).send().await;
    let mut response = response.map_err(|_| Failure::Unreachable)?;
    check(&response)?;
    let mut bytes = Vec::new();
    while let Some(more) = response.chunk().await.map_err(|_| Failure::Unreachable)? {
        bytes.extend_from_slice(&more);
        if bytes.len() > call.limits.bytes {
            return Err(Failure::TooLarge);
        }
    }
    drop(response);
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(broken) => String::from_utf8_lossy(broken.as_bytes()).into_owned(),
    })
}

/// What its head says.
fn check(response: &Response) -> Result<(), Failure> {
    match response.status() {
        status if !status.is_success() => Err(Failure::Status(status.as_u16())),
        _ => {
            let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
            let kind = kind.split(|&byte| byte == b';').next().unwrap_or_default();
            if kind.trim_ascii().eq_ignore_ascii_case(b"text/html") { Ok(()) } else { Err(Failure::NotHtml) }
        }
    }
}

async fn look<P>(call: &Arc<Call<P>>, text: String) -> Answer
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    let core = call.cores.clone().acquire_owned().await.expect("nobody closes it");
    let (tell, told) = oneshot::channel();
    let call = call.clone();
    tokio::task::spawn_blocking(move || {
        if *call.over.look() {
            return;
        }
        let found = panic::catch_unwind(AssertUnwindSafe(|| (call.parse)(&text)));
        drop(core);
        let _ = tell.send(found.map_err(|_| Failure::Panicked));
    });
    told.await.unwrap_or(Err(Failure::Panicked))
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

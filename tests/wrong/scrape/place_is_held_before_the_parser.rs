//! rejected: assertion
//! by: a_page_that_is_here_keeps_no_other_from_being_asked_for
//!
//! Breaks "A page that waits for the parser takes no place among the requests": a page is handed to the parser's station by a bounded
//! channel, and its place among the requests is held until there is room in the channel. Shows when the parser is slow and more pages are
//! here than the parser and the channel take: with `fetches` 1, `parses` 1 and `room` 10 the parser has one page, the station one, the
//! channel one, and the fourth one keeps the fifth from being asked for. Base: fetch tasks in a `JoinSet`, the parser's station and the
//! sender's in the future itself, the room as permits in the line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::mpsc::{Sender, channel, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinSet, spawn_blocking};

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

/// A page that is here, and where its answer is waited for.
struct Page {
    bytes: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

async fn fetch(client: &Client, url: &str, bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut response = client.get(url).send().await.map_err(|_| Failure::Unreachable)?;
    if !response.status().is_success() {
        return Err(Failure::Status(response.status().as_u16()));
    }
    let is_html = response.headers().get(CONTENT_TYPE).is_some_and(|value| {
        let kind = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"text/html")
    });
    if !is_html {
        return Err(Failure::NotHtml);
    }
    let mut page = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| Failure::Unreachable)? {
        page.extend_from_slice(&piece);
        if page.len() > bytes {
            return Err(Failure::TooLarge);
        }
    }
    Ok(page)
}

fn semaphore(limit: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)))
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
    assert!(limits.fetches > 0 && limits.parses > 0 && limits.room > 0, "a limit of 0");
    let client = Client::new();
    let parse = Arc::new(parse);
    let (fetches, parses, room) = (semaphore(limits.fetches), semaphore(limits.parses), semaphore(limits.room));
    let (pages, mut at_parser) = channel::<Page>(limits.parses.min(64));
    let (line, mut queue) = unbounded_channel();
    let mut tasks = JoinSet::new();

    let ask = async {
        for url in urls {
            let place = Arc::clone(&room).acquire_owned().await.expect("it is never closed");
            let (answer, receiver) = oneshot::channel();
            let _ = line.send((receiver, place));
            let (client, url) = (client.clone(), url.clone());
            let (fetches, pages) = (Arc::clone(&fetches), pages.clone());
            tasks.spawn(async move {
                let _place = fetches.acquire().await.expect("it is never closed");
                match fetch(&client, &url, limits.bytes).await {
                    Ok(bytes) => {
                        let _ = pages.send(Page { bytes, answer }).await;
                    }
                    Err(failure) => {
                        let _ = answer.send(Err(failure));
                    }
                }
            });
        }
    };
    let have_parsed = async {
        while let Some(Page { bytes, answer }) = at_parser.recv().await {
            let place = Arc::clone(&parses).acquire_owned().await.expect("it is never closed");
            let parse = Arc::downgrade(&parse);
            spawn_blocking(move || {
                let Some(parse) = parse.upgrade() else { return };
                let text = String::from_utf8_lossy(&bytes);
                let found = catch_unwind(AssertUnwindSafe(|| parse(&text)));
                drop(parse);
                drop(place);
                let _ = answer.send(found.map_err(|_| Failure::Panicked));
            });
        }
    };
    let send = async {
        for _ in urls {
            let Some((answer, place)) = queue.recv().await else { return };
            let answer: Answer = answer.await.unwrap_or(Err(Failure::Panicked));
            if answers.send(answer).await.is_err() {
                return;
            }
            drop(place);
        }
    };
    let stations = async { tokio::join!(ask, have_parsed) };
    tokio::select! {
        biased;
        () = answers.closed() => {}
        () = send => {}
        _ = stations => {}
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

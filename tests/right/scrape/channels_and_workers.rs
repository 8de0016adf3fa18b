//! accepted
//!
//! Stages that are workers, with channels between them: tasks that fetch, threads of their own that parse, and a collector that puts the
//! answers in order again. A permit for the room goes along with each page through all of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::{Client, Response};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender, channel, unbounded_channel};
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

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

/// Something on its way: which page it is, its room, and what there is of it.
type Parcel<T> = (usize, OwnedSemaphorePermit, T);

/// Scrapes.
pub async fn scrape<P>(urls: &[String], limits: Limits, parse: P, answers: Sender<Answer>)
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    assert!(limits.fetches > 0, "no fetches");
    assert!(limits.parses > 0, "no parses");
    assert!(limits.room > 0, "no room");
    let number = urls.len().max(1);
    let room = Arc::new(Semaphore::new(limits.room.min(number)));
    let (to_fetch, addresses) = channel(1);
    let (to_parse, texts) = mpsc::channel();
    let (to_collect, collected) = unbounded_channel();
    let (texts, addresses) = (Arc::new(Mutex::new(texts)), Arc::new(AsyncMutex::new(addresses)));
    let parse = Arc::new(parse);
    let mut fetchers = JoinSet::new();
    for _ in 0..limits.fetches.min(number) {
        fetchers.spawn(fetcher(Arc::clone(&addresses), limits.bytes, to_parse.clone(), to_collect.clone()));
    }
    for _ in 0..limits.parses.min(number) {
        let (texts, to_collect, parse) = (Arc::clone(&texts), to_collect.clone(), Arc::clone(&parse));
        thread::spawn(move || parser(&texts, &*parse, &to_collect));
    }
    drop((to_parse, to_collect));
    let nobody = answers.clone();
    let feed = async move {
        for (index, url) in urls.iter().enumerate() {
            let place = Arc::clone(&room).acquire_owned().await.unwrap();
            let _ = to_fetch.send((index, place, url.clone())).await;
        }
    };
    let work = async { tokio::join!(feed, collect(collected, answers)) };
    tokio::select! {
        biased;
        () = nobody.closed() => {}
        _ = work => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

async fn fetcher(
    addresses: Arc<AsyncMutex<Receiver<Parcel<String>>>>,
    bytes: usize,
    to_parse: mpsc::Sender<Parcel<String>>,
    to_collect: UnboundedSender<Parcel<Answer>>,
) {
    let client = Client::new();
    loop {
        let next = addresses.lock().await.recv().await;
        let Some((index, place, url)) = next else { return };
        match fetch(&client, &url, bytes).await {
            Ok(text) => drop(to_parse.send((index, place, text))),
            Err(failure) => drop(to_collect.send((index, place, Err(failure)))),
        }
    }
}

fn parser(
    texts: &Mutex<mpsc::Receiver<Parcel<String>>>,
    parse: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    to_collect: &UnboundedSender<Parcel<Answer>>,
) {
    loop {
        let next = lock(texts).recv();
        let Ok((index, place, text)) = next else { return };
        if to_collect.is_closed() {
            return;
        }
        let answer = catch_unwind(AssertUnwindSafe(|| parse(&text))).map_err(|_| Failure::Panicked);
        if to_collect.send((index, place, answer)).is_err() {
            return;
        }
    }
}

async fn collect(mut collected: tokio::sync::mpsc::UnboundedReceiver<Parcel<Answer>>, answers: Sender<Answer>) {
    let mut early = BTreeMap::new();
    let mut next = 0;
    while let Some((index, place, answer)) = collected.recv().await {
        early.insert(index, (place, answer));
        while let Some((place, answer)) = early.remove(&next) {
            if answers.send(answer).await.is_err() {
                return;
            }
            drop(place);
            next += 1;
        }
    }
}

async fn fetch(client: &Client, url: &str, bytes: usize) -> Result<String, Failure> {
    let response = client.get(url).send().await.or(Err(Failure::Unreachable))?;
    if !response.status().is_success() {
        return Err(Failure::Status(response.status().as_u16()));
    }
    let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let (essence, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    if essence.trim().to_lowercase() != "text/html" {
        return Err(Failure::NotHtml);
    }
    read(response, bytes).await
}

async fn read(mut response: Response, bytes: usize) -> Result<String, Failure> {
    if response.content_length().is_some_and(|length| length > bytes as u64) {
        return Err(Failure::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.or(Err(Failure::Unreachable))? {
        if piece.len() > bytes - body.len() {
            return Err(Failure::TooLarge);
        }
        body.extend(piece);
    }
    Ok(String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
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

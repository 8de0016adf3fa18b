//! accepted
//!
//! A task for each page in a `JoinSet`, started when there is room for it: a permit that comes back when its answer has been sent. What comes
//! early waits in a table.

use std::sync::Arc;

use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::{Client, Response};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;
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

/// Scrapes.
pub async fn scrape<P>(urls: &[String], limits: Limits, parse: P, answers: Sender<Answer>)
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    if [limits.fetches, limits.parses, limits.room].contains(&0) {
        panic!("a limit of zero");
    }
    let (client, parse) = (Client::new(), Arc::new(parse));
    let places = |limit: usize| Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
    let (fetches, parses, room) = (places(limits.fetches), places(limits.parses), places(limits.room));
    let mut tasks = JoinSet::new();
    let mut early: Vec<_> = urls.iter().map(|_| None).collect();
    let (mut asked, mut sent) = (0, 0);
    while sent < urls.len() {
        let ready = early[sent].is_some();
        tokio::select! {
            () = answers.closed() => return,
            place = Arc::clone(&room).acquire_owned(), if asked < urls.len() => {
                let page = page(client.clone(), urls[asked].clone(), limits.bytes, [&fetches, &parses].map(Arc::clone), Arc::clone(&parse));
                let index = asked;
                tasks.spawn(async move { (index, place.unwrap(), page.await) });
                asked += 1;
            }
            Some(done) = tasks.join_next() => {
                let (index, place, answer) = done.unwrap();
                early[index] = Some((place, answer));
            }
            Ok(permit) = answers.reserve(), if ready => {
                let (place, answer) = early[sent].take().unwrap();
                permit.send(answer);
                drop(place);
                sent += 1;
            }
        }
    }
}

async fn page<P>(client: Client, url: String, bytes: usize, places: [Arc<Semaphore>; 2], parse: Arc<P>) -> Answer
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    let [fetches, parses] = places;
    let place = fetches.acquire_owned().await.unwrap();
    let text = fetch(&client, &url, bytes).await?;
    drop(place);
    let place = parses.acquire_owned().await.unwrap();
    let parsed = spawn_blocking(move || {
        let _place = place;
        parse(&text)
    });
    parsed.await.or(Err(Failure::Panicked))
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

//! accepted
//!
//! Workers share one list of URLs: under its lock, who takes the next one also waits for its room. What is parsed goes its own way, and all
//! results come into one channel. Who is under way is a number that is watched.

use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::{Client, header::CONTENT_TYPE};
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore, mpsc, mpsc::Sender, watch};
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

async fn fetch(client: &Client, url: &str, bytes: usize) -> Result<String, Failure> {
    let mut response = client.get(url).send().await.map_err(|_| Failure::Unreachable)?;
    if !response.status().is_success() {
        return Err(Failure::Status(response.status().as_u16()));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if !kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("text/html") {
        return Err(Failure::NotHtml);
    }
    let mut page = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| Failure::Unreachable)? {
        if piece.len() > bytes - page.len() {
            return Err(Failure::TooLarge);
        }
        page.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}
/// Workers share one list of work. Who takes the next URL also takes its room, under the same lock, so in order.
struct Work {
    urls: std::vec::IntoIter<String>,
    asked: usize,
}
struct Shared<P> {
    work: Mutex<Work>,
    sent: watch::Receiver<usize>,
    limits: Limits,
    parses: Arc<Semaphore>,
    parse: P,
    client: Client,
    results: mpsc::UnboundedSender<(usize, Answer)>,
}
async fn worker<P>(shared: Arc<Shared<P>>)
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    let mut sent = shared.sent.clone();
    loop {
        let (index, url) = {
            let mut work = shared.work.lock().await;
            let index = work.asked;
            let room = shared.limits.room;
            if work.urls.len() == 0 || sent.wait_for(|sent| index - *sent < room).await.is_err() {
                return;
            }
            work.asked += 1;
            (index, work.urls.next().unwrap())
        };
        match fetch(&shared.client, &url, shared.limits.bytes).await {
            Err(failure) => drop(shared.results.send((index, Err(failure)))),
            // The worker goes on with the next page meanwhile; the page goes its own way.
            Ok(text) => {
                let shared = shared.clone();
                let results = shared.results.clone();
                let task = async move {
                    let place = shared.parses.clone().acquire_owned().await.unwrap();
                    let same = shared.clone();
                    let parsed = tokio::task::spawn_blocking(move || {
                        let _place = place;
                        (same.parse)(&text)
                    });
                    let answer = match parsed.await {
                        Ok(found) => Ok(found),
                        Err(_) => Err(Failure::Panicked),
                    };
                    let _ = shared.results.send((index, answer));
                };
                spawn_until_closed(task, results);
            }
        }
    }
}
fn spawn_until_closed(
    task: impl Future<Output = ()> + Send + 'static,
    results: mpsc::UnboundedSender<(usize, Answer)>,
) {
    tokio::spawn(async move {
        tokio::select! {
            biased;
            () = results.closed() => {}
            () = task => {}
        }
    });
}
pub async fn scrape<P>(urls: &[String], limits: Limits, parse: P, answers: Sender<Answer>)
where
    P: Fn(&str) -> Option<String> + Send + Sync + 'static,
{
    let Limits { fetches: 1.., parses: 1.., room: 1.., .. } = limits else { panic!("no limit may be 0") };
    let (results, mut news) = mpsc::unbounded_channel();
    let (progress, sent) = watch::channel(0);
    let shared = Arc::new(Shared {
        work: Mutex::new(Work { urls: urls.to_vec().into_iter(), asked: 0 }),
        sent,
        limits,
        parses: Arc::new(Semaphore::new(limits.parses.min(100_000))),
        parse,
        client: Client::new(),
        results,
    });
    let mut workers = JoinSet::new();
    for _ in 0..limits.fetches.min(urls.len()) {
        workers.spawn(worker(shared.clone()));
    }
    drop(shared);
    let mut here: Vec<Option<Answer>> = vec![None; urls.len()];
    for index in 0..urls.len() {
        while here[index].is_none() {
            tokio::select! {
                Some((which, answer)) = news.recv() => here[which] = Some(answer),
                () = answers.closed() => return,
            }
        }
        if answers.send(here[index].take().unwrap()).await.is_err() {
            return;
        }
        progress.send_replace(index + 1);
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

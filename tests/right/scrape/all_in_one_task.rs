//! accepted
//!
//! No task but the caller's: it polls the pages that are under way itself, also while it sends. A thread of its own for each page that is
//! parsed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use html5gum::{DefaultEmitter, Token, Tokenizer};
use reqwest::{Client, Response};
use tokio::sync::mpsc::Sender;
use tokio::sync::{Semaphore, oneshot};

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
    let Limits { fetches, parses, room, bytes } = limits;
    assert_ne!(fetches, 0);
    assert_ne!(parses, 0);
    assert_ne!(room, 0);
    let (client, parse) = (Client::new(), Arc::new(parse));
    let fetches = Semaphore::new(fetches.min(urls.len().max(1)));
    let parses = Semaphore::new(parses.min(urls.len().max(1)));
    let (client, parse, fetches, parses) = (&client, &parse, &fetches, &parses);
    let page = |url| async move {
        let place = fetches.acquire().await.unwrap();
        let text = fetch(client, url, bytes).await?;
        drop(place);
        let _place = parses.acquire().await.unwrap();
        let (sender, parsed) = oneshot::channel();
        let parse = Arc::clone(parse);
        thread::spawn(move || sender.send(catch_unwind(AssertUnwindSafe(|| parse(&text)))));
        parsed.await.expect("it sends whatever comes").or(Err(Failure::Panicked))
    };
    let under_way: RefCell<VecDeque<Page<'_>>> = RefCell::default();
    let mut urls = urls.iter();
    let sent_all = async {
        loop {
            let free = room - under_way.borrow().len();
            under_way.borrow_mut().extend(urls.by_ref().take(free).map(|url| Page::Asks(Box::pin(page(url)))));
            if under_way.borrow().is_empty() {
                return;
            }
            let answer = poll_fn(|cx| {
                let mut under_way = under_way.borrow_mut();
                for page in under_way.iter_mut() {
                    page.poll(cx);
                }
                match under_way.front() {
                    Some(Page::Has(answer)) => Poll::Ready(answer.clone()),
                    _ => Poll::Pending,
                }
            });
            let answer = answer.await;
            if answers.send(answer).await.is_err() {
                return;
            }
            under_way.borrow_mut().pop_front();
        }
    };
    let (mut sent_all, mut gone) = (pin!(sent_all), pin!(answers.closed()));
    poll_fn(|cx| {
        for page in under_way.borrow_mut().iter_mut() {
            page.poll(cx);
        }
        if gone.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { sent_all.as_mut().poll(cx) }
    })
    .await
}

/// A page that is under way.
enum Page<'a> {
    Asks(Pin<Box<dyn Future<Output = Answer> + 'a>>),
    Has(Answer),
}

impl Page<'_> {
    fn poll(&mut self, cx: &mut std::task::Context<'_>) {
        if let Page::Asks(future) = self
            && let Poll::Ready(answer) = future.as_mut().poll(cx)
        {
            *self = Page::Has(answer);
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

//! The first paragraph of many pages: fetched, parsed and sent on at the same time. The lesson is in `README.md`.

use html5gum::{DefaultEmitter, Token, Tokenizer};
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
    todo!()
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

//! The site on the network of the model of reqwest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::network::{Connection, Ended, Event, Server, Taken, Visit};
use reqwest::{Request, StatusCode};
use tokio::sync::oneshot;

use super::in_one_step;
use super::ledger::{After, Ledger, Welcome};
use super::quiet::block_until_quiet;
use super::reply::{PLAIN, Said, Sent};
use super::transcript::Ending;
use crate::tools::locked;

/// Of a page that drips: in so many parts, each after so long.
const PARTS: usize = 10;
const BETWEEN_PARTS: Duration = Duration::from_millis(100);

/// The site's ports.
pub(super) struct Network {
    pages: Pages,
    open: Taken,
    closed: Taken,
    unanswered: Taken,
}

impl Network {
    pub(super) fn start(ledger: &Ledger) -> Network {
        let pages = Pages { ledger: ledger.clone(), said: Arc::default() };
        Network {
            open: Taken::by(Arc::new(pages.clone())),
            closed: Taken::by_nobody(),
            unanswered: Taken::unanswered(),
            pages,
        }
    }

    pub(super) fn address(&self) -> String {
        self.open.address()
    }

    pub(super) fn closed_address(&self) -> String {
        self.closed.address()
    }

    pub(super) fn unanswered_address(&self) -> String {
        self.unanswered.address()
    }

    /// From now on the page's reply of this number is this.
    pub(super) fn say(&self, page: &str, number: usize, said: Said) {
        locked(&self.pages.said).insert((page.to_owned(), number), said);
    }
}

/// What the site's pages say. Clones are the same pages.
#[derive(Clone)]
struct Pages {
    ledger: Ledger,
    said: Arc<Mutex<HashMap<(String, usize), Said>>>,
}

impl Server for Pages {
    fn take(&self, request: &Request) -> Visit {
        let path = request.url().path().to_owned();
        let (ledger, page) = (self.ledger.clone(), path.clone());
        let (mut visit, welcome) = self.ledger.arrive(&path);
        let answer = match welcome {
            Welcome::Refuse => {
                Answer { after: After::Nothing, said: Said::status(429), sent: Sent::Whole, breaks_off: false }
            }
            Welcome::Answer { after, number, sent, breaks_off } => {
                // No step of its own: who has come is in the ledger.
                let said = in_one_step(|| locked(&self.said).get(&(path, number)).cloned());
                Answer { after, said: said.unwrap_or(Said::status(404)), sent, breaks_off }
            }
        };
        let status = answer.said.status;
        Visit {
            answer: Box::new(move |connection| {
                let has_end = answer.has_end();
                answer.send(&connection);
                if has_end {
                    // A part of the last step: nobody can tell it from the answer.
                    in_one_step(|| ledger.has_answered(page));
                }
            }),
            ended: Box::new(move |how| {
                visit.end(match how {
                    Ended::Answered => Ending::Answered(status),
                    Ended::BrokenOff => Ending::BrokenOff,
                    Ended::HungUp => Ending::HungUp,
                });
            }),
        }
    }
}

/// An answer that is to be sent.
struct Answer {
    after: After,
    said: Said,
    sent: Sent,
    breaks_off: bool,
}

impl Answer {
    /// Whether it is sent to its end.
    fn has_end(&self) -> bool {
        matches!(self.sent, Sent::Whole | Sent::Dripping) && !self.breaks_off
    }

    /// Sends it when what it waits for has happened.
    fn send(self, connection: &Connection) {
        match self.after {
            After::Nothing => {}
            After::Quiet => block_until_quiet(),
            // In virtual time it is quiet only when nobody can go on: then the others have answered, or will not.
            After::Last(others) => {
                block_until_quiet();
                drop(others);
            }
            After::Late(by) => thread::sleep(by),
            After::Gate(gate) => gate.pass(),
            // If the sender goes away, there is nothing left to wait for.
            After::Requests(signal) => come(Some(signal)),
            After::Answered(signal) => {
                come(signal);
                block_until_quiet();
            }
            After::HungUp(signal) => come(signal),
        }
        let head = head(&self.said, self.sent);
        let (_, text) = self.said.body.unwrap_or_default();
        let part = |from: usize, to: usize| Event::Data(text[from..to].to_vec().into());
        let mut events = Vec::new();
        if self.sent != Sent::Nothing {
            events.push(head);
        }
        match self.sent {
            Sent::Whole if text.is_empty() => events.push(Event::End),
            Sent::Whole => events.extend([part(0, text.len()), Event::End]),
            Sent::Half => events.push(part(0, text.len() / 2)),
            Sent::Endless => events.push(part(0, text.len())),
            Sent::Nothing | Sent::Dripping => {}
        }
        if self.breaks_off {
            events.push(Event::BrokenOff);
        }
        if !events.is_empty() {
            connection.send(events);
        }
        if self.sent == Sent::Dripping {
            for number in 0..PARTS {
                thread::sleep(BETWEEN_PARTS);
                connection.send(vec![part(number * text.len() / PARTS, (number + 1) * text.len() / PARTS)]);
            }
            connection.send(vec![Event::End]);
        }
    }
}

fn head(said: &Said, sent: Sent) -> Event {
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, text: &str| {
        headers.insert(name, HeaderValue::from_str(text).expect("a test gives headers that there are"));
    };
    let (content_type, text) = said.body.as_ref().map_or((PLAIN, &[][..]), |(content_type, text)| (content_type, text));
    // These have no text by definition.
    if ![204, 304].contains(&said.status) {
        if sent != Sent::Endless {
            add(CONTENT_LENGTH, &text.len().to_string());
        }
        add(CONTENT_TYPE, content_type);
    }
    if let Some(location) = &said.location {
        add(LOCATION, location);
    }
    Event::Head(StatusCode::from_u16(said.status).expect("a test gives statuses that there are"), headers)
}

/// Waits for a signal that may have come before.
fn come(signal: Option<oneshot::Receiver<()>>) {
    if let Some(signal) = signal {
        let _ = signal.blocking_recv();
    }
}

//! The network: one machine, `127.0.0.1`, with servers of the test's at its ports.
//!
//! A request is one step of its client's: at that moment the server has it. The answer comes by steps of a thread of its own, whenever
//! that is chosen; so all orders of answers are schedules. What the client has not read is in flight.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::raw::{self, Awaited, Deadline, RawChannel, RawLock, whole};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

pub use bytes::Bytes;

use http::{HeaderMap, StatusCode};
use tokio::model::{OneThread, Place, awaits};

use crate::error::{TimedOut, Unconnected};
use crate::request::Request;

/// A server of the test's.
pub trait Server: Send + Sync {
    /// Takes a request in. It is a part of the client's step, and must not wait.
    fn take(&self, request: &Request) -> Visit;
}

/// What a server does with a request.
pub struct Visit {
    /// Answers, on a thread of its own. A connection of which no end was sent stays open.
    pub answer: Box<dyn FnOnce(Connection) + Send>,
    /// Is told how it ended, as a part of the client's step that ends it.
    pub ended: Box<dyn FnOnce(Ended) + Send + Sync>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With an answer that was sent to its end.
    Answered,
    /// The server closed the connection before.
    BrokenOff,
    /// The client closed the connection before.
    HungUp,
}

/// What comes from a server.
#[derive(Clone, Debug)]
pub enum Event {
    /// The head of an answer.
    Head(StatusCode, HeaderMap),
    /// A part of its body.
    Data(Bytes),
    /// Its end.
    End,
    /// The end of the connection, before that of the answer.
    BrokenOff,
    /// There is no server.
    Refused,
}

/// What is at a port. There is nobody at those that are not known.
enum Port {
    Open(Arc<dyn Server>),
    /// A connection is neither made nor refused.
    Unanswered,
}

static PORTS: OneThread<BTreeMap<u16, Port>> = OneThread::new(BTreeMap::new());
/// The first port that is given away.
const FIRST: u64 = 8000;

/// A port that is taken, until this is dropped.
#[derive(Debug)]
pub struct Taken(u16);

impl Taken {
    fn with(port: Option<Port>) -> Taken {
        let number = u16::try_from(FIRST + raw::next_number()).expect("there are enough ports");
        // A schedule that ended early may have left one here.
        PORTS.with(|ports| match port {
            Some(port) => ports.insert(number, port),
            None => ports.remove(&number),
        });
        Taken(number)
    }

    /// With this server.
    pub fn by(server: Arc<dyn Server>) -> Taken {
        Taken::with(Some(Port::Open(server)))
    }

    /// With nobody: connections are refused.
    pub fn by_nobody() -> Taken {
        Taken::with(None)
    }

    /// With a machine that is switched off: connections are neither made nor refused.
    pub fn unanswered() -> Taken {
        Taken::with(Some(Port::Unanswered))
    }

    /// `127.0.0.1:8001`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.0)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // The server may have pages to drop, which is not done within.
        drop(PORTS.with(|ports| ports.remove(&self.0)));
    }
}

/// A connection as both sides know it.
struct Wire {
    at: Place,
    line: Line,
    inside: OneThread<Inside>,
}

/// What the client waits at.
enum Line {
    /// A task, which is woken.
    Task(RawLock),
    /// A thread, which blocks.
    Thread(RawChannel),
}

#[derive(Default)]
struct Inside {
    /// What was sent and not received: what comes at once belongs together.
    sent: VecDeque<Vec<Event>>,
    waker: Option<Waker>,
}

/// A connection as the server has it.
pub struct Connection(Arc<Wire>);

impl Connection {
    /// Sends all this, as one step.
    pub fn send(&self, events: Vec<Event>) {
        let wire = &*self.0;
        let put = || {
            wire.inside.with(|inside| {
                inside.sent.push_back(events);
                inside.waker.take()
            })
        };
        match &wire.line {
            Line::Task(task) => {
                task.touch("answer", wire.at);
                if let Some(waker) = put() {
                    whole(|| waker.wake());
                }
                task.has_changed();
            }
            Line::Thread(thread) => {
                let sent = thread.send_at(wire.at, Deadline::NEVER, || drop(put()), |_| {});
                sent.expect("the client's end stays as long as the server's");
            }
        }
    }
}

/// A connection as the client has it: an exchange of a request and an answer. Dropped before its end, it is hung up.
pub(crate) struct Exchange {
    wire: Arc<Wire>,
    /// What was received and not read.
    here: VecDeque<Event>,
    ended: Option<Box<dyn FnOnce(Ended) + Send + Sync>>,
    /// Whether there is somebody at the other end.
    pub(crate) connected: bool,
    /// Whether the client has looked for an answer: at first there is none, and that is still the step of the request.
    looked: bool,
}

impl Exchange {
    /// Sends a request, of a task or of a thread that blocks.
    pub(crate) fn begin(request: &Request, of_task: bool, at: Place) -> Exchange {
        let line = match of_task {
            true => Line::Task(RawLock::made_at::<()>("answer", at)),
            false => Line::Thread(RawChannel::made_at("answer", at)),
        };
        let wire = Arc::new(Wire { at, line, inside: OneThread::new(Inside::default()) });
        let port = request.url().port_or_known_default().unwrap_or_default();
        let server = PORTS.with(|ports| match ports.get(&port) {
            Some(Port::Open(server)) => Some(Some(Arc::clone(server))),
            Some(Port::Unanswered) => Some(None),
            None => None,
        });
        let connection = Connection(Arc::clone(&wire));
        let mut exchange = Exchange {
            wire,
            here: VecDeque::new(),
            ended: None,
            connected: !matches!(server, Some(None)),
            looked: false,
        };
        let (name, answer): (_, Box<dyn FnOnce(Connection) + Send>) = match server {
            Some(None) => return exchange,
            Some(Some(server)) => {
                let visit = server.take(request);
                exchange.ended = Some(visit.ended);
                (format!("site {}", request.url().path()), visit.answer)
            }
            None => ("network".to_owned(), Box::new(|connection| connection.send(vec![Event::Refused]))),
        };
        raw::start_thread(name, at, move || {
            raw::serve();
            answer(connection);
        });
        exchange
    }

    /// The next thing that comes.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.here.is_empty() {
            let Line::Task(task) = &self.wire.line else { unreachable!("a thread that blocks does not poll") };
            if std::mem::replace(&mut self.looked, true) {
                task.touch("await", self.wire.at);
            }
            let sent = self.wire.inside.with(|inside| {
                let sent = inside.sent.pop_front();
                inside.waker = sent.is_none().then(|| cx.waker().clone());
                sent
            });
            let Some(sent) = sent else {
                awaits(Awaited::object(task, self.wire.at));
                return Poll::Pending;
            };
            task.has_changed();
            self.here.extend(sent);
        }
        Poll::Ready(self.read())
    }

    /// The next thing that comes, blocking this thread until the deadline at most.
    pub(crate) fn wait(&mut self, deadline: Deadline) -> Result<Event, TimedOut> {
        if self.here.is_empty() {
            let Line::Thread(thread) = &self.wire.line else { unreachable!("a task does not block") };
            thread.receive_at(self.wire.at, "await", deadline).map_err(|_| TimedOut)?;
            let sent = self.wire.inside.with(|inside| inside.sent.pop_front());
            self.here.extend(sent.expect("as many messages as were let in"));
        }
        Ok(self.read())
    }

    fn read(&mut self) -> Event {
        let event = self.here.pop_front().expect("nothing is sent that is empty");
        match event {
            Event::End => self.end(Ended::Answered),
            Event::BrokenOff => self.end(Ended::BrokenOff),
            Event::Head(..) | Event::Data(_) | Event::Refused => {}
        }
        event
    }

    fn end(&mut self, how: Ended) {
        if let Some(ended) = self.ended.take() {
            ended(how);
        }
    }
}

/// A part of a body, or its end.
pub(crate) fn data(event: Event) -> io::Result<Option<Bytes>> {
    match event {
        Event::Data(data) => Ok(Some(data)),
        Event::End => Ok(None),
        Event::Head(..) | Event::BrokenOff | Event::Refused => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed before message completed"))
        }
    }
}

/// The head of an answer.
pub(crate) fn head(event: Event) -> Result<(StatusCode, HeaderMap), crate::error::Source> {
    match event {
        Event::Head(status, headers) => Ok((status, headers)),
        Event::Refused => Err(Unconnected(io::ErrorKind::ConnectionRefused.into()).into()),
        Event::Data(_) | Event::End | Event::BrokenOff => Err("connection closed before message completed".into()),
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.ended.is_none() {
            return;
        }
        let sent = self.wire.inside.with(|inside| std::mem::take(&mut inside.sent));
        let last = self.here.iter().chain(sent.iter().flatten()).last();
        self.end(match last {
            Some(Event::End) => Ended::Answered,
            Some(Event::BrokenOff) => Ended::BrokenOff,
            _ => Ended::HungUp,
        });
    }
}

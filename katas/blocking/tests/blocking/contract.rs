//! The contract of `serve` and `converse` as a program: who is at the other end of a connection follows a script, knows what is due, and
//! complains at once if it is treated otherwise. When nobody can go on, time passes by a pause.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use blocking::{Connection, LONGEST, TURN};
use kata::inputs::counted;
use kata::panic_on_purpose;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What happens at some byte of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A call ends here, though there is more.
    Short,
    /// A signal comes, and the call has to be made again.
    Interrupted,
    /// It can't go on, for so many pauses.
    NotNow(usize),
    /// It can't go on before that other one was sent so many bytes.
    UntilSent(usize, usize),
    /// It can't go on before that other one's connection is closed.
    UntilClosed(usize),
}

/// What happens when a stream has no more bytes, or no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// `Ok(0)`.
    End,
    Fail(ErrorKind),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Short => f.write_str("a short call"),
            Stop::Interrupted => f.write_str("an interruption"),
            Stop::NotNow(pauses) => write!(f, "`WouldBlock` for {}", counted(*pauses, "pause")),
            Stop::UntilSent(other, bytes) => write!(f, "`WouldBlock` until {} was sent {bytes} bytes", name(*other)),
            Stop::UntilClosed(other) => write!(f, "`WouldBlock` until {} is closed", name(*other)),
        }
    }
}

impl fmt::Display for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Then::End => f.write_str("an end"),
            Then::Fail(kind) => write!(f, "a failure ({kind:?})"),
        }
    }
}

/// A direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Read,
    Write,
}

/// What a call does.
enum Moves {
    Bytes(usize),
    NotNow,
    Fails(ErrorKind),
}

/// What is to happen in a direction.
#[derive(Clone, Debug)]
struct Course {
    /// The bytes at which it stops, in their order.
    stops: VecDeque<(usize, Stop)>,
    then: Then,
}

/// Who is at the other end: its script, and what has happened until now.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    says: Vec<u8>,
    reading: Course,
    writing: Course,
    /// It takes so many bytes.
    room: usize,
    stays_blocking: Option<ErrorKind>,
    flush_fails: Option<ErrorKind>,

    given: usize,
    /// How many whole requests that is.
    come: usize,
    /// So many of them `answer` has been asked about.
    answered: usize,
    /// Where the next one begins.
    next: usize,
    /// The answers to them.
    due: Vec<u8>,
    /// Where the last one begins.
    last: usize,
    taken: Vec<u8>,
    flushed: usize,
    /// Whether a flush has said that it takes a while.
    is_flushing: bool,
    /// So often it was read from or written to.
    calls: usize,
    is_nonblocking: bool,
    /// Whether this end knows that there will be no more.
    is_over: bool,
    /// How often something had moved when it said `WouldBlock` for the last time.
    refused: Option<usize>,
    is_closed: bool,
    /// How much was read from each of the others since this one was asked.
    since: Vec<usize>,
}

impl Peer {
    /// One that says this as fast as it is heard, takes every answer at once, and then ends.
    pub(crate) fn who_says(says: impl Into<Vec<u8>>) -> Peer {
        let course = Course { stops: VecDeque::new(), then: Then::End };
        Peer {
            says: says.into(),
            reading: course.clone(),
            writing: course,
            room: usize::MAX,
            stays_blocking: None,
            flush_fails: None,
            given: 0,
            come: 0,
            answered: 0,
            next: 0,
            due: Vec::new(),
            last: 0,
            taken: Vec::new(),
            flushed: 0,
            is_flushing: false,
            calls: 0,
            is_nonblocking: false,
            is_over: false,
            refused: None,
            is_closed: false,
            since: Vec::new(),
        }
    }

    /// This happens when so many bytes have been read from it. In the order of the bytes.
    pub(crate) fn read_stops(mut self, at: usize, stop: Stop) -> Peer {
        self.reading.stops.push_back((at, stop));
        self
    }

    /// This happens when so many bytes have been written to it. In the order of the bytes.
    pub(crate) fn write_stops(mut self, at: usize, stop: Stop) -> Peer {
        self.writing.stops.push_back((at, stop));
        self
    }

    /// This happens after its last word.
    pub(crate) fn then(mut self, then: Then) -> Peer {
        self.reading.then = then;
        self
    }

    /// It takes so many bytes, and then this happens.
    pub(crate) fn takes(mut self, room: usize, then: Then) -> Peer {
        self.room = room;
        self.writing.then = then;
        self
    }

    /// It can't be made non-blocking.
    pub(crate) fn stays_blocking(mut self, kind: ErrorKind) -> Peer {
        self.stays_blocking = Some(kind);
        self
    }

    /// What was written to it can't be flushed.
    pub(crate) fn flush_fails(mut self, kind: ErrorKind) -> Peer {
        self.flush_fails = Some(kind);
        self
    }

    /// Bytes of an answer that were not yet sent.
    fn unsent(&self) -> usize {
        self.due.len() - self.taken.len()
    }

    /// Bytes of the answers that were sent as a whole.
    fn whole(&self) -> usize {
        if self.unsent() == 0 { self.due.len() } else { self.last }
    }

    /// Requests that have come and were not yet answered.
    fn unanswered(&self) -> usize {
        self.come - self.answered
    }

    /// How much has come of a request that is not whole.
    fn begun(&self) -> usize {
        self.says[..self.given].iter().rev().take_while(|byte| **byte != b'\n').count()
    }

    /// What it gets in the end, and how its connection ends.
    fn outcome(&self, reply: Reply) -> (Vec<u8>, End) {
        if let Some(kind) = self.stays_blocking {
            return (Vec::new(), end(Err(reported(kind))));
        }
        let mut written = Vec::new();
        for line in self.says.split_inclusive(|byte| *byte == b'\n') {
            let request = line.strip_suffix(b"\n");
            if request.unwrap_or(line).len() > LONGEST {
                return (written, end(Err(ErrorKind::InvalidData.into())));
            }
            let Some(request) = request else {
                return (written, end(Err(self.reading.then.error(ErrorKind::UnexpectedEof))));
            };
            if request == NO_REPLY.as_bytes() {
                return (written, end(Err(ErrorKind::Other.into())));
            }
            written.extend(line_of(reply(request)));
            if written.len() > self.room {
                written.truncate(self.room);
                return (written, end(Err(self.writing.then.error(ErrorKind::WriteZero))));
            }
            if let Some(kind) = self.flush_fails {
                return (written, end(Err(reported(kind))));
            }
        }
        let last = match self.reading.then {
            Then::End => Ok(()),
            Then::Fail(kind) => Err(reported(kind)),
        };
        (written, end(last))
    }
}

impl Then {
    /// The error, if an end here is one of this kind.
    fn error(self, end: ErrorKind) -> io::Error {
        match self {
            Then::End => end.into(),
            Then::Fail(kind) => reported(kind),
        }
    }
}

/// How a connection has ended, with the kind of an error, and whether it is the one that the connection has reported.
type End = Result<(), String>;

fn end(end: io::Result<()>) -> End {
    end.map_err(|error| {
        let is_report = error.get_ref().is_some_and(|inner| inner.is::<Report>());
        let reported = match error.to_string().contains(&Report.to_string()) {
            _ if is_report => ", as reported",
            true => ", not as it was reported",
            false => "",
        };
        format!("{:?}{reported}", error.kind())
    })
}

/// What a connection reports, besides the kind: that comes to the caller as well, and nothing around it.
#[derive(Debug)]
struct Report;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other end is on fire")
    }
}

impl Error for Report {}

fn reported(kind: ErrorKind) -> io::Error {
    io::Error::new(kind, Report)
}

/// An answer as it is sent.
fn line_of(mut answer: Vec<u8>) -> Vec<u8> {
    answer.push(b'\n');
    answer
}

/// What the answer to a request is.
pub(crate) type Reply = fn(&[u8]) -> Vec<u8>;

/// Whoever is asked this panics. Only a conversation on a runtime outlives that.
pub(crate) const NO_REPLY: &str = "no reply";

/// All connections of a test.
#[derive(Clone)]
pub(crate) struct Network(Arc<Mutex<State>>);

struct State {
    peers: Vec<Peer>,
    reply: Reply,
    pauses: usize,
    /// So often something has moved: a byte, an end, or time.
    moves: usize,
    /// So many calls in a row could do nothing.
    in_vain: usize,
}

/// So many calls in vain, without a pause between them, have no good reason.
const PATIENCE: usize = 1_000;

impl Network {
    pub(crate) fn of(peers: Vec<Peer>, reply: Reply) -> Network {
        let count = peers.len();
        let peers = peers.into_iter().map(|peer| Peer { since: vec![0; count], ..peer }).collect();
        Network(Arc::new(Mutex::new(State { peers, reply, pauses: 0, moves: 0, in_vain: 0 })))
    }

    /// This end of all connections.
    pub(crate) fn connections(&self) -> Vec<Line> {
        let count = self.state().peers.len();
        Vec::from_iter((0..count).map(|number| Line { number, network: self.clone() }))
    }

    /// The answer to a request: of the only peer, or of the one whose number, from 0, is the request's first byte.
    pub(crate) fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.state().answer(request)
    }

    /// Time passes: nobody could go on.
    pub(crate) fn pause(&self) {
        self.state().pause();
    }

    /// How often time has passed.
    pub(crate) fn pauses(&self) -> usize {
        self.state().pauses
    }

    /// Whether the connections have ended as their scripts ask for, each with all its answers.
    pub(crate) fn judge(&self, ends: Vec<io::Result<()>>) {
        let state = self.state();
        let ends = Vec::from_iter(ends.into_iter().map(end));
        let expected = Vec::from_iter(state.peers.iter().map(|peer| peer.outcome(state.reply)));
        assert_eq!(
            ends,
            Vec::from_iter(expected.iter().map(|outcome| outcome.1.clone())),
            "how the connections have ended"
        );
        for (number, (peer, (written, _))) in state.peers.iter().zip(&expected).enumerate() {
            let name = name(number);
            assert_eq!(shown(&peer.taken), shown(written), "what {name} was sent");
            assert!(peer.is_closed, "{name} is still open");
        }
    }

    /// Sees that all whole answers were flushed when their connections ended, but for those that could not be.
    pub(crate) fn judge_flushed(&self) {
        for (number, peer) in self.state().peers.iter().enumerate() {
            let (name, flushed, whole) = (name(number), peer.flushed, peer.whole());
            assert!(
                flushed >= whole || peer.flush_fails.is_some(),
                "{name}: {flushed} bytes were flushed at the end, and {whole} of whole answers were written"
            );
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections have numbers as people count.
fn name(number: usize) -> String {
    format!("connection {}", number + 1)
}

/// Bytes as text, of long ones the beginning.
fn shown(bytes: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
    if bytes.len() > 60 { format!("{shown}... ({} bytes)", bytes.len()) } else { shown }
}

impl State {
    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let number = match (self.peers.len(), request.first()) {
            (1, _) => 0,
            (count, Some(digit @ b'0'..)) if usize::from(digit - b'0') < count => usize::from(digit - b'0'),
            _ => panic!("`answer` is asked about {:?}, which nobody has said", shown(request)),
        };
        let (name, peer) = (name(number), &mut self.peers[number]);
        let unsent = peer.unsent();
        assert!(
            unsent == 0,
            "{name} is asked for its next answer, and {} of the last one are not yet sent",
            counted(unsent, "byte")
        );
        assert!(peer.unanswered() > 0, "`answer` is asked about {:?}, and {name} has said no more yet", shown(request));
        let rest = &peer.says[peer.next..];
        let length = rest.iter().position(|byte| *byte == b'\n').expect("a whole request has come");
        assert_eq!(shown(request), shown(&rest[..length]), "the request of {name} that `answer` is asked about");
        peer.answered += 1;
        peer.next += length + 1;
        if request == NO_REPLY.as_bytes() {
            panic_on_purpose("there is no reply")
        }
        let answer = (self.reply)(request);
        peer.last = peer.due.len();
        peer.due.extend(line_of(answer.clone()));
        answer
    }

    /// A call on a connection that would like to move so many bytes.
    fn call(&mut self, number: usize, way: Way, wanted: usize) -> Moves {
        let moves = self.next(number, way, wanted);
        self.peers[number].since.fill(0);
        self.peers[number].calls += 1;
        let peer = &mut self.peers[number];
        match moves {
            Moves::Bytes(1..) => {
                self.in_vain = 0;
                self.moves += 1;
            }
            Moves::Fails(ErrorKind::Interrupted) => {}
            // On a runtime, somebody is asked again because he said so himself.
            Moves::NotNow => {
                self.in_vain += usize::from(peer.is_nonblocking);
                peer.refused = Some(self.moves);
            }
            Moves::Bytes(0) | Moves::Fails(_) => {
                self.in_vain += usize::from(peer.is_over);
                peer.is_over |= wanted > 0;
            }
        }
        assert!(
            self.in_vain <= PATIENCE,
            "{PATIENCE} calls in a row could do nothing, the last one on {}",
            name(number)
        );
        moves
    }

    fn next(&mut self, number: usize, way: Way, wanted: usize) -> Moves {
        loop {
            let (at, stop) = self.peers[number].stop(way);
            let Some(stop) = stop else {
                let peer = &self.peers[number];
                let (course, left) = match way {
                    Way::Read => (&peer.reading, peer.says.len() - peer.given),
                    Way::Write => (&peer.writing, peer.room - peer.taken.len()),
                };
                let cut = course.stops.front().map_or(usize::MAX, |(next, _)| next - at);
                return match (left.min(cut).min(wanted), course.then) {
                    (0, Then::Fail(kind)) if wanted > 0 => Moves::Fails(kind),
                    (bytes, _) => Moves::Bytes(bytes),
                };
            };
            if self.holds(stop) {
                return Moves::NotNow;
            }
            self.peers[number].course(way).stops.pop_front();
            if stop == Stop::Interrupted {
                return Moves::Fails(ErrorKind::Interrupted);
            }
        }
    }

    /// Whether this keeps a connection from going on now.
    fn holds(&self, stop: Stop) -> bool {
        match stop {
            Stop::Short | Stop::Interrupted | Stop::NotNow(0) => false,
            Stop::NotNow(_) => true,
            Stop::UntilSent(other, bytes) => self.peers[other].taken.len() < bytes,
            Stop::UntilClosed(other) => !self.peers[other].is_closed,
        }
    }

    fn read(&mut self, number: usize, buffer: &mut [u8]) -> Moves {
        let (name, peer) = (name(number), &self.peers[number]);
        let (unsent, unanswered) = (peer.unsent(), peer.unanswered());
        assert!(
            unsent == 0,
            "more is read from {name}, and {} of its answer are not yet sent",
            counted(unsent, "byte")
        );
        let requests = counted(unanswered, "request");
        assert!(unanswered == 0, "more is read from {name}, and {requests} of its own that have come are not answered");
        assert!(peer.begun() <= LONGEST, "more is read from {name}, though its request is too long already");
        let moves = self.call(number, Way::Read, buffer.len());
        if let Moves::Bytes(length) = moves {
            let peer = &mut self.peers[number];
            buffer[..length].copy_from_slice(&peer.says[peer.given..][..length]);
            peer.given += length;
            peer.come += buffer[..length].iter().filter(|byte| **byte == b'\n').count();
        }
        moves
    }

    fn write(&mut self, number: usize, bytes: &[u8]) -> Moves {
        let moves = self.call(number, Way::Write, bytes.len());
        if let Moves::Bytes(length) = moves {
            let peer = &mut self.peers[number];
            let due = &peer.due[peer.taken.len()..];
            let name = name(number);
            assert!(
                due.starts_with(&bytes[..length]),
                "{name} is sent {:?} where its answer is {:?}",
                shown(&bytes[..length]),
                shown(due)
            );
            peer.taken.extend_from_slice(&bytes[..length]);
        }
        moves
    }

    /// Nobody who can go on must wait because of so many bytes of another one.
    fn was_read(&mut self, number: usize, bytes: usize) {
        assert!(
            bytes <= TURN,
            "{bytes} bytes were read from {} at once, and {TURN} in a turn are allowed",
            name(number)
        );
        for other in (0..self.peers.len()).filter(|other| *other != number) {
            let peer = &mut self.peers[other];
            if peer.is_closed || peer.is_over {
                continue;
            }
            peer.since[number] += bytes;
            let (much, slow, busy) = (peer.since[number], name(other), name(number));
            // In the one's turn, and in its next one if the order of the turns changes.
            assert!(much <= 2 * TURN, "{much} bytes were read from {busy} since {slow} had its last turn");
            // A turn is one call at least.
            let (turns, all) = (peer.calls, self.peers[number].given);
            assert!(
                all <= TURN * (turns + 1),
                "{all} bytes were read from {busy} while {slow} has had {} at most",
                counted(turns, "turn")
            );
        }
    }

    /// By hand, nobody has a turn before all have been made non-blocking.
    fn has_turn(&self, number: usize) {
        for (other, peer) in self.peers.iter().enumerate() {
            let (busy, other) = (name(number), name(other));
            assert!(peer.is_nonblocking, "{busy} has its turn, and {other} was not made non-blocking before");
        }
    }

    fn pause(&mut self) {
        assert!(self.peers.iter().any(|peer| !peer.is_closed), "a pause, and there is nobody to wait for");
        for (number, peer) in self.peers.iter().enumerate().filter(|(_, peer)| !peer.is_closed) {
            let name = name(number);
            let way = if peer.unsent() > 0 { Way::Write } else { Way::Read };
            let too_long = way == Way::Read && peer.unanswered() == 0 && peer.begun() > LONGEST;
            assert!(!peer.is_over && !too_long, "a pause, and {name} has ended and is still open");
            let answered = way == Way::Write || peer.unanswered() == 0;
            assert!(answered, "a pause, and a request of {name} has come and is not answered");
            let now = self.can_go_on(number, way);
            assert!(!now || way == Way::Read, "a pause, and {name} could be sent more of its answer");
            assert!(!now || way == Way::Write, "a pause, and {name} could be read from");
            let refused = peer.refused == Some(self.moves);
            assert!(refused, "a pause, and {name} was not asked since something moved for the last time");
        }
        for peer in &mut self.peers {
            peer.passes(Way::Read);
            peer.passes(Way::Write);
        }
        self.pauses += 1;
        self.moves += 1;
        self.in_vain = 0;
    }

    fn can_go_on(&self, number: usize, way: Way) -> bool {
        let peer = &self.peers[number];
        let (at, course) = match way {
            Way::Read => (peer.given, &peer.reading),
            Way::Write => (peer.taken.len(), &peer.writing),
        };
        let here = course.stops.iter().take_while(|(place, _)| *place <= at);
        let mut before = here.take_while(|(_, stop)| *stop != Stop::Interrupted);
        !before.any(|(_, stop)| self.holds(*stop))
    }
}

impl Peer {
    fn course(&mut self, way: Way) -> &mut Course {
        match way {
            Way::Read => &mut self.reading,
            Way::Write => &mut self.writing,
        }
    }

    /// How many bytes have moved this way, and what happens there.
    fn stop(&self, way: Way) -> (usize, Option<Stop>) {
        let (at, course) = match way {
            Way::Read => (self.given, &self.reading),
            Way::Write => (self.taken.len(), &self.writing),
        };
        (at, course.stops.front().filter(|(place, _)| *place <= at).map(|(_, stop)| *stop))
    }

    /// A pause passes.
    fn passes(&mut self, way: Way) {
        if let (_, Some(Stop::NotNow(pauses))) = self.stop(way)
            && let Some((_, stop)) = self.course(way).stops.front_mut()
        {
            *stop = Stop::NotNow(pauses.saturating_sub(1));
        }
    }
}

/// This end of a connection.
pub(crate) struct Line {
    number: usize,
    network: Network,
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut state = self.network.state();
        state.peers[self.number].is_closed = true;
        state.moves += 1;
    }
}

impl Connection for Line {
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        let peer = &mut self.network.state().peers[self.number];
        peer.is_nonblocking = nonblocking;
        peer.is_over = peer.stays_blocking.is_some();
        peer.stays_blocking.map_or(Ok(()), |kind| Err(reported(kind)))
    }
}

impl Line {
    /// What a call says by hand.
    fn said(&self, moves: Moves) -> io::Result<usize> {
        match moves {
            Moves::Bytes(bytes) => Ok(bytes),
            Moves::Fails(kind) => Err(reported(kind)),
            Moves::NotNow => {
                let is_nonblocking = self.network.state().peers[self.number].is_nonblocking;
                assert!(
                    is_nonblocking,
                    "{} is not non-blocking: this call would wait, and all others with it",
                    name(self.number)
                );
                Err(ErrorKind::WouldBlock.into())
            }
        }
    }

    /// What a call says on a runtime. Time passes by itself there.
    fn polled(&self, moves: Moves, way: Way, context: &Context<'_>) -> Poll<io::Result<usize>> {
        match moves {
            Moves::Bytes(bytes) => Poll::Ready(Ok(bytes)),
            Moves::Fails(kind) => Poll::Ready(Err(reported(kind))),
            Moves::NotNow => {
                self.network.state().peers[self.number].passes(way);
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.network.state().has_turn(self.number);
        let moves = self.network.state().read(self.number, buffer);
        if let Moves::Bytes(bytes) = moves {
            self.network.state().was_read(self.number, bytes);
        }
        self.said(moves)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.network.state().has_turn(self.number);
        let moves = self.network.state().write(self.number, bytes);
        self.said(moves)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        {
            let state = self.network.state();
            let peer = &state.peers[self.number];
            assert_eq!(
                peer.flushed,
                peer.taken.len(),
                "bytes that were flushed when more is read, and bytes that were written"
            );
        }
        let moves = self.network.state().read(self.number, buffer.initialize_unfilled());
        self.polled(moves, Way::Read, context).map_ok(|bytes| buffer.advance(bytes))
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let moves = self.network.state().write(self.number, bytes);
        self.polled(moves, Way::Write, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let peer = &mut self.network.state().peers[self.number];
        if peer.flushed < peer.taken.len() {
            peer.is_flushing = !peer.is_flushing;
            if peer.is_flushing {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(kind) = peer.flush_fails {
                peer.is_over = true;
                return Poll::Ready(Err(reported(kind)));
            }
        }
        peer.flushed = peer.taken.len();
        Poll::Ready(Ok(()))
    }

    /// Nobody has asked for this, so it ends no connection, and hides no end.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(reported(ErrorKind::NotConnected)))
    }
}

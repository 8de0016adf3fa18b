//! accepted
//!
//! One iterator of steps over a map from which connections are taken out, requests that are cut out of the input as soon as they come, and
//! `Poll` for what a call says. Permits are forgotten and given back by a guard. `map` has a stream of tasks in flight, in their order.

#![deny(warnings)]

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::io::ErrorKind::{self, Interrupted, InvalidData, UnexpectedEof, WouldBlock, WriteZero};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::task::Poll::{self, Pending, Ready};

use tokio::io as tio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::task;

/// The bytes of the longest request, without its line feed.
pub const LONGEST: usize = 1024;

/// So many bytes at most are read from a connection in its turn.
pub const TURN: usize = 4096;

/// A connection that can be made non-blocking: then a `read` or `write` that would have to wait fails with `WouldBlock` instead.
///
/// What a `write` takes is on its way to the other end: there is nothing to flush. This is given.
pub trait Connection: Read + Write {
    /// Makes it non-blocking, or blocking again.
    ///
    /// # Errors
    /// What the system says.
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()>;
}

impl Connection for TcpStream {
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        TcpStream::set_nonblocking(self, nonblocking)
    }
}

type Outcome = io::Result<()>;

fn would<T>(outcome: io::Result<T>) -> Poll<io::Result<T>> {
    match outcome {
        Err(why) if why.kind() == WouldBlock => Pending,
        known => Ready(known),
    }
}

fn failure<T>(kind: ErrorKind) -> io::Result<T> {
    Err(kind.into())
}

/// What was said and not heard yet.
struct Ear {
    line: Vec<u8>,
    lines: VecDeque<Vec<u8>>,
    too_long: bool,
}

impl Ear {
    fn hear(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                _ if self.too_long => break,
                b'\n' => self.lines.push_back(std::mem::take(&mut self.line)),
                _ => self.line.push(byte),
            }
            self.too_long = self.line.len() > LONGEST;
        }
    }
}

struct Guest<C> {
    wire: C,
    ear: Ear,
    mouth: io::Cursor<Vec<u8>>,
}

impl<C: Connection> Guest<C> {
    fn speak(&mut self) -> Poll<Outcome> {
        loop {
            let rest = &self.mouth.get_ref()[self.mouth.position() as usize..];
            if rest.is_empty() {
                return Ready(Ok(()));
            }
            match would(self.wire.write(rest)) {
                Pending => return Pending,
                Ready(Ok(0)) => return Ready(failure(WriteZero)),
                Ready(Ok(more)) => self.mouth.set_position(self.mouth.position() + more as u64),
                Ready(Err(why)) if why.kind() == Interrupted => continue,
                Ready(Err(why)) => return Ready(Err(why)),
            }
        }
    }

    /// How it has ended, if it has, and whether anything has moved.
    fn visit(&mut self, answer: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> (Option<Outcome>, bool) {
        let before = self.mouth.position();
        match self.speak() {
            Pending => return (None, self.mouth.position() > before),
            Ready(Err(why)) => return (Some(Err(why)), true),
            Ready(Ok(())) => {}
        }
        if let Some(request) = self.ear.lines.pop_front() {
            let mut answer = answer(&request);
            answer.extend_from_slice(b"\n");
            self.mouth = io::Cursor::new(answer);
            return (None, true);
        }
        if self.ear.too_long {
            return (Some(failure(InvalidData)), true);
        }
        let moved = self.mouth.position() > before;
        let mut bytes = vec![0; TURN / 3];
        match would(self.wire.read(&mut bytes)) {
            Pending => (None, moved),
            Ready(Ok(0)) if self.ear.line.is_empty() => (Some(Ok(())), true),
            Ready(Ok(0)) => (Some(failure(UnexpectedEof)), true),
            Ready(Ok(some)) => {
                self.ear.hear(&bytes[..some]);
                (None, true)
            }
            Ready(Err(why)) if why.kind() == Interrupted => (None, true),
            Ready(Err(why)) => (Some(Err(why)), true),
        }
    }
}

#[allow(missing_docs)]
pub fn serve<C: Connection>(
    connections: Vec<C>,
    mut answer: impl FnMut(&[u8]) -> Vec<u8>,
    mut idle: impl FnMut(),
) -> Vec<io::Result<()>> {
    let mut ends = BTreeMap::new();
    let mut guests = BTreeMap::new();
    for (seat, wire) in connections.into_iter().enumerate() {
        if let Err(why) = wire.set_nonblocking(true) {
            ends.insert(seat, Err(why));
            continue;
        }
        let ear = Ear { line: vec![], lines: VecDeque::new(), too_long: false };
        guests.insert(seat, Guest { wire, ear, mouth: io::Cursor::new(vec![]) });
    }
    while !guests.is_empty() {
        let mut news = 0;
        guests.retain(|&seat, guest| {
            let (end, moved) = guest.visit(&mut answer);
            news += usize::from(moved);
            match end {
                None => true,
                Some(end) => ends.insert(seat, end).is_some(),
            }
        });
        if news == 0 {
            idle();
        }
    }
    ends.into_values().collect()
}

/// Why there is no result of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job has panicked.
    Panicked,
    /// The runtime was shut down before the job had begun.
    Stopped,
}

#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct BlockingPool(Arc<Semaphore>);

struct Seat(Arc<Semaphore>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.add_permits(1)
    }
}

type Running<T> = task::JoinHandle<Result<T, Box<dyn std::any::Any + Send>>>;

#[allow(missing_docs)]
impl BlockingPool {
    pub fn new(at_once: usize) -> BlockingPool {
        let at_once = std::num::NonZero::new(at_once).expect("at least one").get();
        // One less than it can count, so that nobody can count beyond.
        Self(Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS - 1))))
    }

    async fn begin<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Running<T> {
        let Ok(permit) = self.0.acquire().await else { unreachable!() };
        permit.forget();
        let seat = Seat(self.0.clone());
        task::spawn_blocking(move || {
            let _seat = seat;
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(job))
        })
    }

    async fn end<T>(running: Running<T>) -> Result<T, JobError> {
        let outcome = running.await.map_err(|_| JobError::Stopped)?;
        outcome.map_err(|_| JobError::Panicked)
    }

    pub async fn run<T, F>(&self, job: F) -> Result<T, JobError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        Self::end(self.begin(job).await).await
    }

    pub async fn map<I, T, F>(&self, inputs: Vec<I>, work: F) -> Vec<Result<T, JobError>>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Fn(I) -> T + Send + Sync + 'static,
    {
        let work: Arc<dyn Fn(I) -> T + Send + Sync> = Arc::new(work);
        let mut in_flight = VecDeque::with_capacity(inputs.len());
        for input in inputs {
            let work = work.clone();
            in_flight.push_back(self.begin(move || work(input)).await);
        }
        let mut done = Vec::with_capacity(in_flight.len());
        while let Some(running) = in_flight.pop_front() {
            done.push(Self::end(running).await);
        }
        done
    }
}

#[allow(missing_docs)]
pub async fn converse<S, A>(stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
where
    S: tio::AsyncRead + tio::AsyncWrite + Unpin,
    A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    let mut stream = tio::BufStream::new(stream);
    let mut ear = Ear { line: vec![], lines: VecDeque::new(), too_long: false };
    loop {
        let some = stream.fill_buf().await?;
        let length = some.len();
        ear.hear(some);
        stream.consume(length);
        while let Some(request) = ear.lines.pop_front() {
            let answer = answer.clone();
            let Ok(text) = pool.run(move || answer(&request)).await else { return failure(ErrorKind::Other) };
            for part in [&text[..], b"\n"] {
                stream.write_all(part).await?;
            }
            stream.flush().await?;
        }
        match (ear.too_long, length, ear.line.len()) {
            (true, ..) => return failure(InvalidData),
            (_, 0, 0) => return Ok(()),
            (_, 0, _) => return failure(UnexpectedEof),
            _ => {}
        }
    }
}

//! rejected: assertion
//! by: a_conversation_on_a_runtime_keeps_the_same_contract
//!
//! Breaks `a_conversation_on_a_runtime_keeps_the_same_contract` ("what was asked before is answered before"): `converse` flushes once
//! before it reads, but not before it refuses. A request and LONGEST + 1 bytes more in one piece: the answer is written and never flushed.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

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

/// Answers the requests of all connections on this one thread, until each of them has ended. Returns how they ended, in the order of
/// `connections`.
///
/// A request is all bytes up to a line feed, whatever bytes they are. Its answer is what `answer` returns for it, and a line feed.
/// Requests of a connection are answered in their order, each once.
///
/// - **Turns.** All connections are made non-blocking first. Then each has its turn, again and again, and nobody waits for another. In
///   its turn a connection may do what it can, but at most [`TURN`] bytes are read from it.
/// - **Pauses.** When no connection can go on, and only then, `idle` is called: each has said `WouldBlock` since something moved for
///   the last time, a byte or an end. When it returns, all are asked again.
/// - **Backpressure.** While an answer is not yet written as a whole, or a request that has come not yet answered, no more is read from
///   that connection, and none of its other requests is answered.
/// - **The end.** A connection ends well when its stream ends between two requests. Well or not, it is dropped as soon as it has ended,
///   and the others go on.
///
/// # Errors
/// Each connection has its own, before which all earlier requests are answered:
/// - `UnexpectedEof` if the stream ends within a request.
/// - `InvalidData` if a request is longer than [`LONGEST`]. It is refused as soon as that many bytes and one more have come.
/// - `WriteZero` if it takes nothing any more (`Ok(0)`).
/// - Whatever the connection reports, as it is, but not `WouldBlock`, nor `Interrupted`, after which it is asked again.
pub fn serve<C: Connection>(
    connections: Vec<C>,
    mut answer: impl FnMut(&[u8]) -> Vec<u8>,
    mut idle: impl FnMut(),
) -> Vec<io::Result<()>> {
    let mut ends: Vec<Option<io::Result<()>>> = Vec::new();
    let mut slots: Vec<Option<Client<C>>> = Vec::new();
    for connection in connections {
        match connection.set_nonblocking(true) {
            Ok(()) => {
                ends.push(None);
                slots.push(Some(Client { connection, phase: Phase::Listening(Vec::new()), blocked_at: None }));
            }
            Err(error) => {
                ends.push(Some(Err(error)));
                slots.push(None);
            }
        }
    }
    // How often something has moved, a byte or an end.
    let mut moves: u64 = 0;
    loop {
        for (slot, end) in slots.iter_mut().zip(&mut ends) {
            let Some(client) = slot else {
                continue;
            };
            if client.blocked_at == Some(moves) {
                continue; // it has said so already, and nothing has moved since
            }
            match client.turn(&mut answer, &mut moves) {
                Ok(Next::Later) => client.blocked_at = Some(moves),
                Ok(Next::Soon) => client.blocked_at = None,
                Ok(Next::Never) => {
                    *end = Some(Ok(()));
                    *slot = None;
                    moves += 1;
                }
                Err(error) => {
                    *end = Some(Err(error));
                    *slot = None;
                    moves += 1;
                }
            }
        }
        if slots.iter().all(Option::is_none) {
            return ends.into_iter().map(|end| end.unwrap_or(Ok(()))).collect();
        }
        if slots.iter().flatten().all(|client| client.blocked_at == Some(moves)) {
            idle();
            for client in slots.iter_mut().flatten() {
                client.blocked_at = None;
            }
        }
    }
}

/// What a connection does.
enum Phase {
    /// It reads. This has come, and there is no whole request in it, or it was not looked at.
    Listening(Vec<u8>),
    /// It writes an answer, of which so much is written. Behind it is what has come after the request.
    Speaking { answer: Vec<u8>, written: usize, rest: Vec<u8> },
}

/// When a connection wants its next turn.
enum Next {
    Soon,
    Later,
    Never,
}

struct Client<C> {
    connection: C,
    phase: Phase,
    /// The number of moves there had been when it said `WouldBlock`.
    blocked_at: Option<u64>,
}

impl<C: Connection> Client<C> {
    fn turn(&mut self, reply: &mut impl FnMut(&[u8]) -> Vec<u8>, moves: &mut u64) -> io::Result<Next> {
        let mut budget = TURN;
        loop {
            match &mut self.phase {
                Phase::Speaking { answer, written, rest } => {
                    if *written == answer.len() {
                        self.phase = Phase::Listening(mem::take(rest));
                        continue;
                    }
                    match self.connection.write(&answer[*written..]) {
                        Ok(0) => return Err(ErrorKind::WriteZero.into()),
                        Ok(taken) => {
                            *written += taken;
                            *moves += 1;
                        }
                        Err(error) => match error.kind() {
                            ErrorKind::Interrupted => {}
                            ErrorKind::WouldBlock => return Ok(Next::Later),
                            _ => return Err(error),
                        },
                    }
                }
                Phase::Listening(input) => {
                    if let Some(end) = input.iter().position(|&byte| byte == b'\n') {
                        if end > LONGEST {
                            return Err(ErrorKind::InvalidData.into());
                        }
                        let rest = input.split_off(end + 1);
                        let mut answer = reply(&input[..end]);
                        answer.push(b'\n');
                        self.phase = Phase::Speaking { answer, written: 0, rest };
                        continue;
                    }
                    if input.len() > LONGEST {
                        return Err(ErrorKind::InvalidData.into());
                    }
                    if budget == 0 {
                        return Ok(Next::Soon);
                    }
                    let mut piece = [0; 512];
                    let room = budget.min(piece.len());
                    match self.connection.read(&mut piece[..room]) {
                        Ok(0) if input.is_empty() => return Ok(Next::Never),
                        Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                        Ok(come) => {
                            input.extend_from_slice(&piece[..come]);
                            budget -= come;
                            *moves += 1;
                        }
                        Err(error) => match error.kind() {
                            ErrorKind::Interrupted => {}
                            ErrorKind::WouldBlock => return Ok(Next::Later),
                            _ => return Err(error),
                        },
                    }
                }
            }
        }
    }
}

/// Why there is no result of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job has panicked.
    Panicked,
    /// The runtime was shut down before the job had begun.
    Stopped,
}

/// Runs jobs that block or compute beside the tasks of a tokio runtime, so many at once at most. Clones share the places.
#[derive(Clone, Debug)]
pub struct BlockingPool {
    gate: Arc<Mutex<Gate>>,
}

/// The places, and who waits for one.
#[derive(Debug)]
struct Gate {
    free: usize,
    waiting: VecDeque<Arc<Mutex<Ticket>>>,
}

/// What one who waits is told.
#[derive(Debug, Default)]
struct Ticket {
    called: bool,
    waker: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place. It goes to the next one when this is dropped.
struct Place(Arc<Mutex<Gate>>);

impl Drop for Place {
    fn drop(&mut self) {
        pass_on(&self.0);
    }
}

/// Gives a place to whoever has waited longest.
fn pass_on(gate: &Mutex<Gate>) {
    let mut gate = lock(gate);
    let Some(next) = gate.waiting.pop_front() else {
        gate.free += 1;
        return;
    };
    // Under the lock of the gate: whoever gives up looks at the ticket under it as well.
    let mut ticket = lock(&next);
    ticket.called = true;
    let waker = ticket.waker.take();
    drop(ticket);
    drop(gate);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Waits for a place.
struct Wait {
    gate: Arc<Mutex<Gate>>,
    ticket: Option<Arc<Mutex<Ticket>>>,
}

impl Future for Wait {
    type Output = Place;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Place> {
        let shared = Arc::clone(&self.gate);
        let mut gate = lock(&shared);
        if let Some(ticket) = self.ticket.clone() {
            let mut told = lock(&ticket);
            if !told.called {
                told.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            self.ticket = None;
        } else if gate.free > 0 {
            gate.free -= 1;
        } else {
            let ticket = Arc::new(Mutex::new(Ticket { called: false, waker: Some(context.waker().clone()) }));
            gate.waiting.push_back(Arc::clone(&ticket));
            self.ticket = Some(ticket);
            return Poll::Pending;
        }
        drop(gate);
        Poll::Ready(Place(shared))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        let mut gate = lock(&self.gate);
        gate.waiting.retain(|other| !Arc::ptr_eq(other, &ticket));
        let called = lock(&ticket).called;
        drop(gate);
        if called {
            pass_on(&self.gate);
        }
    }
}

impl BlockingPool {
    /// So many jobs may run at once. `usize::MAX` is as many as you like.
    ///
    /// # Panics
    /// If it is 0, for then no job could ever run.
    pub fn new(at_once: usize) -> BlockingPool {
        assert_ne!(at_once, 0, "no job could ever run");
        BlockingPool { gate: Arc::new(Mutex::new(Gate { free: at_once, waiting: VecDeque::new() })) }
    }

    /// Runs a job as soon as there is a place for it, and returns its result. Tasks go on while it blocks.
    ///
    /// A job that has begun can't be stopped. If this future is dropped, the job runs to its end, keeps its place until then, and its
    /// result is dropped. One that still waits for its place never begins.
    ///
    /// A job belongs to the runtime on which it is asked for: while that is shut down, it waits for those that have begun.
    ///
    /// # Errors
    /// [`JobError`], if the job has panicked or the runtime is shut down. Its place is free again.
    pub async fn run<T, F>(&self, job: F) -> Result<T, JobError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let runtime = Handle::current();
        self.begin(&runtime, job).await.result().await
    }

    /// Works on all inputs, and returns the results in the order of the inputs. Each job begins as soon as it has a place, those of the
    /// first inputs first. A job that panics is an error in its place, and the others go on.
    ///
    /// If this future is dropped, those that have not begun never do.
    pub async fn map<I, T, F>(&self, inputs: Vec<I>, work: F) -> Vec<Result<T, JobError>>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Fn(I) -> T + Send + Sync + 'static,
    {
        let runtime = Handle::current();
        let work = Arc::new(work);
        let mut jobs = Vec::new();
        for input in inputs {
            let work = Arc::clone(&work);
            jobs.push(self.begin(&runtime, move || work(input)).await);
        }
        let mut results = Vec::new();
        for job in jobs {
            results.push(job.result().await);
        }
        results
    }

    /// Begins a job as soon as there is a place.
    async fn begin<T, F>(&self, runtime: &Handle, job: F) -> Job<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let place = Wait { gate: Arc::clone(&self.gate), ticket: None }.await;
        Job(runtime.spawn_blocking(move || {
            let _place = place;
            job()
        }))
    }
}

/// A job that has its place. If it has no thread yet when this is dropped, it never gets one.
struct Job<T>(JoinHandle<T>);

impl<T> Job<T> {
    async fn result(mut self) -> Result<T, JobError> {
        match (&mut self.0).await {
            Ok(result) => Ok(result),
            Err(error) if error.is_panic() => Err(JobError::Panicked),
            Err(_) => Err(JobError::Stopped),
        }
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Answers the requests of one connection, as [`serve`] does, and returns how it ended. The runtime takes care of turns and pauses.
///
/// `answer` may block: it runs as a job of `pool`. Each answer is flushed before more is read.
///
/// # Errors
/// Those of [`serve`], but no stream of a runtime is interrupted; and `Other` if there is no answer: `answer` has panicked, or the
/// runtime is shut down.
pub async fn converse<S, A>(mut stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    let mut input = Vec::new();
    let mut piece = [0; 4096];
    let mut unflushed = false;
    loop {
        while let Some(length) = input.iter().take(LONGEST + 1).position(|&byte| byte == b'\n') {
            let mut request: Vec<u8> = input.drain(..=length).collect();
            request.pop();
            let answer = Arc::clone(&answer);
            let mut output = pool
                .run(move || answer(&request))
                .await
                .map_err(|error| io::Error::other(format!("no answer: {error:?}")))?;
            output.push(b'\n');
            stream.write_all(&output).await?;
            unflushed = true;
        }
        if input.len() > LONGEST {
            return Err(ErrorKind::InvalidData.into());
        }
        if unflushed {
            stream.flush().await?;
            unflushed = false;
        }
        match stream.read(&mut piece).await? {
            0 if input.is_empty() => return Ok(()),
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            come => input.extend_from_slice(&piece[..come]),
        }
    }
}

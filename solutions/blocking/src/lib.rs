//! Requests and answers on many connections at once: asked by hand on one thread, and on a runtime that keeps blocking work beside it.
//!
//! A call that *blocks* returns when it is done, and its thread stands still until then. One that doesn't returns at once, and may say
//! "not now". Then somebody has to come again. By hand, that is a loop that asks everybody in turn, and what it knows of each connection
//! must lie in a struct, since no line of code stays with it: [`serve`]. A runtime is told by the system who is ready, and `await` keeps
//! the place in the code: [`converse`]. What can only block gets a thread, of which there are not too many: [`BlockingPool`].

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

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
    let mut clients = Vec::from_iter(connections.into_iter().map(Client::new));
    loop {
        let mut moved = false;
        for client in &mut clients {
            moved |= client.turn(&mut answer);
        }
        if clients.iter().all(|client| matches!(client, Client::Ended(_))) {
            return clients.into_iter().map(Client::end).collect();
        }
        // This is where a thread that has nothing to do must not go round and round. An event queue of the system (epoll, kqueue) would
        // wait here for exactly those connections, and say which of them is ready.
        if !moved {
            idle();
        }
    }
}

/// What there is of a connection.
enum Client<C> {
    Open(Conversation<C>),
    Ended(io::Result<()>),
}

impl<C: Connection> Client<C> {
    fn new(connection: C) -> Client<C> {
        match connection.set_nonblocking(true) {
            Ok(()) => Client::Open(Conversation { connection, input: Vec::new(), output: Vec::new(), written: 0 }),
            Err(error) => Client::Ended(Err(error)),
        }
    }

    /// Does what can be done now, and says whether that was anything.
    fn turn(&mut self, answer: &mut impl FnMut(&[u8]) -> Vec<u8>) -> bool {
        let Client::Open(conversation) = self else { return false };
        let end = match conversation.turn(answer) {
            Ok(Turn::Moved) => return true,
            Ok(Turn::NotReady) => return false,
            Ok(Turn::Ended) => Ok(()),
            Err(error) => Err(error),
        };
        // This drops the connection: the other end learns of it now, and not when all are done.
        *self = Client::Ended(end);
        true
    }

    fn end(self) -> io::Result<()> {
        match self {
            Client::Ended(end) => end,
            Client::Open(_) => unreachable!("all have ended"),
        }
    }
}

/// What came of a turn.
enum Turn {
    Moved,
    NotReady,
    Ended,
}

/// A connection, and where in its conversation it is. With a thread for each, the place in the code would say that.
struct Conversation<C> {
    connection: C,
    /// What was read and not answered.
    input: Vec<u8>,
    /// The answer that is being written. The next one is asked for when it is.
    output: Vec<u8>,
    /// So many bytes of it are.
    written: usize,
}

impl<C: Connection> Conversation<C> {
    fn turn(&mut self, answer: &mut impl FnMut(&[u8]) -> Vec<u8>) -> io::Result<Turn> {
        let mut turn = Turn::NotReady;
        let mut has_read = false;
        loop {
            while self.written < self.output.len() {
                match now(|| self.connection.write(&self.output[self.written..]))? {
                    None => return Ok(turn),
                    Some(0) => return Err(ErrorKind::WriteZero.into()),
                    // It may have taken a part. The rest is for next time.
                    Some(bytes) => self.written += bytes,
                }
                turn = Turn::Moved;
            }
            if let Some(request) = self.next_request()? {
                self.output = answer(&request);
                self.output.push(b'\n');
                self.written = 0;
                continue;
            }
            // There may be more, always. But now it is somebody else's turn.
            if has_read {
                return Ok(turn);
            }
            let mut bytes = [0; TURN];
            match now(|| self.connection.read(&mut bytes))? {
                None => return Ok(turn),
                // The end is not "nothing now".
                Some(0) if self.input.is_empty() => return Ok(Turn::Ended),
                Some(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Some(length) => self.input.extend_from_slice(&bytes[..length]),
            }
            turn = Turn::Moved;
            has_read = true;
        }
    }

    /// Takes the next request out of what was read, if all of it is here. What comes after it stays.
    fn next_request(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line_feed = self.input.iter().position(|byte| *byte == b'\n');
        if line_feed.unwrap_or(self.input.len()) > LONGEST {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(line_feed.map(|end| {
            let mut request: Vec<u8> = self.input.drain(..=end).collect();
            request.pop();
            request
        }))
    }
}

/// What a call on a non-blocking connection says, or nothing if it would have to wait.
fn now(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            // A signal came. Nothing was read or written, and it may well be ready.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
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
    /// A permit for each job that may run.
    places: Arc<Semaphore>,
}

impl BlockingPool {
    /// So many jobs may run at once. `usize::MAX` is as many as you like.
    ///
    /// # Panics
    /// If it is 0, for then no job could ever run.
    pub fn new(at_once: usize) -> BlockingPool {
        assert!(at_once > 0, "without a place no job could ever run");
        BlockingPool { places: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))) }
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
        self.start(job).await.await.map_err(reason)
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
        let work = Arc::new(work);
        let mut jobs = Vec::new();
        for input in inputs {
            let work = Arc::clone(&work);
            jobs.push(self.start(move || work(input)).await);
        }
        let mut results = Vec::new();
        for job in jobs {
            results.push(job.await.map_err(reason));
        }
        results
    }

    /// Waits for a place, and starts the job in it.
    async fn start<T, F>(&self, job: F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("nobody closes the semaphore");
        spawn_blocking(move || {
            // The place goes along to the job's thread. If the future had it, it would be free as soon as that is dropped, and the thread
            // would still be busy.
            let _place = place;
            job()
        })
    }
}

/// Why a job has no result.
fn reason(error: JoinError) -> JobError {
    if error.is_panic() { JobError::Panicked } else { JobError::Stopped }
}

/// Answers the requests of one connection, as [`serve`] does, and returns how it ended. The runtime takes care of turns and pauses.
///
/// `answer` may block: it runs as a job of `pool`. Each answer is flushed before more is read.
///
/// # Errors
/// Those of [`serve`], but no stream of a runtime is interrupted; and `Other` if there is no answer: `answer` has panicked, or the
/// runtime is shut down.
pub async fn converse<S, A>(stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = Vec::new();
        // With a limit, or a line without an end would fill the memory.
        (&mut stream).take(LONGEST as u64 + 1).read_until(b'\n', &mut request).await?;
        match request.pop() {
            None => return Ok(()),
            Some(b'\n') => {}
            Some(_) if request.len() == LONGEST => return Err(ErrorKind::InvalidData.into()),
            Some(_) => return Err(ErrorKind::UnexpectedEof.into()),
        }
        let answer = Arc::clone(&answer);
        let answered = pool.run(move || answer(&request)).await;
        let mut line = answered.map_err(|error| io::Error::other(format!("the answer: {error:?}")))?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        stream.flush().await?;
    }
}

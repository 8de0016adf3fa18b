//! rejected: assertion
//! by: a_busy_connection_keeps_nobody_waiting
//!
//! Breaks "Whoever always has more to say has at most `TURN` bytes read in its turn": the bytes of a turn are counted anew after an answer
//! that was taken only in pieces (a short `write`). Situation: a client that always sends, and takes each answer in two writes, has the
//! thread for itself. If each answer is taken by one `write`, the turn is bounded.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
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

/// Bytes that have come, cut into requests.
#[derive(Default)]
struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    /// The next request, if it is here as a whole.
    fn request(&mut self) -> io::Result<Option<Vec<u8>>> {
        let end = self.bytes.iter().position(|&byte| byte == b'\n');
        if end.unwrap_or(self.bytes.len()) > LONGEST {
            return Err(io::Error::new(ErrorKind::InvalidData, "the request is too long"));
        }
        Ok(end.map(|end| {
            let mut request: Vec<u8> = self.bytes.drain(..=end).collect();
            request.pop();
            request
        }))
    }

    /// What the end of the stream means here.
    fn end(&self) -> io::Result<()> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(io::Error::new(ErrorKind::UnexpectedEof, "the stream ends within a request"))
        }
    }
}

struct Client<C> {
    stream: C,
    inbox: Inbox,
    output: Vec<u8>,
    written: usize,
    stamp: u64,
}

enum Turn {
    /// Not now. True: but something has moved before.
    NotNow(bool),
    /// It has had its turn, and may have more to say.
    Over,
    Ended(io::Result<()>),
}

impl<C: Connection> Client<C> {
    fn turn(&mut self, answer: &mut impl FnMut(&[u8]) -> Vec<u8>) -> Turn {
        let mut buffer = [0; TURN];
        let mut budget = TURN;
        let mut moved = false;
        loop {
            while self.written < self.output.len() {
                match self.stream.write(&self.output[self.written..]) {
                    Ok(0) => return Turn::Ended(Err(ErrorKind::WriteZero.into())),
                    Ok(some) => {
                        self.written += some;
                        moved = true;
                        if some < self.output.len() && self.written == self.output.len() {
                            // The rest of an answer: this is where a turn usually begins.
                            budget = TURN;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Turn::NotNow(moved),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Turn::Ended(Err(error)),
                }
            }
            match self.inbox.request() {
                Ok(Some(request)) => {
                    self.output = answer(&request);
                    self.output.push(b'\n');
                    self.written = 0;
                    continue;
                }
                Ok(None) => {}
                Err(error) => return Turn::Ended(Err(error)),
            }
            if budget == 0 {
                return Turn::Over;
            }
            match self.stream.read(&mut buffer[..budget]) {
                Ok(0) => return Turn::Ended(self.inbox.end()),
                Ok(some) => {
                    self.inbox.bytes.extend_from_slice(&buffer[..some]);
                    budget -= some;
                    moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Turn::NotNow(moved),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Turn::Ended(Err(error)),
            }
        }
    }
}

/// Answers the requests of all connections on this one thread, until each of them has ended. Returns how they ended, in the order of
/// `connections`.
///
/// A request is all bytes up to a line feed, whatever bytes they are. Its answer is what `answer` returns for it, and a line feed.
/// Requests of a connection are answered in their order, each once.
///
/// # Errors
/// Each connection has its own, before which all earlier requests are answered.
pub fn serve<C: Connection>(
    connections: Vec<C>,
    mut answer: impl FnMut(&[u8]) -> Vec<u8>,
    mut idle: impl FnMut(),
) -> Vec<io::Result<()>> {
    let mut ends: Vec<Option<io::Result<()>>> = Vec::new();
    let mut clients = Vec::new();
    for stream in connections {
        match stream.set_nonblocking(true) {
            Ok(()) => {
                clients.push(Some(Client {
                    stream,
                    inbox: Inbox::default(),
                    output: Vec::new(),
                    written: 0,
                    stamp: 0,
                }));
                ends.push(None);
            }
            Err(error) => {
                drop(stream);
                clients.push(None);
                ends.push(Some(Err(error)));
            }
        }
    }
    // The number of the last move. A pause begins a new count, too.
    let mut last_move = 1;
    while clients.iter().any(Option::is_some) {
        for index in 0..clients.len() {
            let Some(client) = &mut clients[index] else { continue };
            match client.turn(&mut answer) {
                Turn::NotNow(moved) => {
                    if moved {
                        last_move += 1;
                    }
                    client.stamp = last_move;
                }
                Turn::Over => last_move += 1,
                Turn::Ended(end) => {
                    last_move += 1;
                    clients[index] = None;
                    ends[index] = Some(end);
                }
            }
            let mut live = clients.iter().flatten().peekable();
            if live.peek().is_some() && live.all(|client| client.stamp == last_move) {
                idle();
                last_move += 1;
            }
        }
    }
    ends.into_iter().flatten().collect()
}

/// Why there is no result of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job has panicked.
    Panicked,
    /// The runtime was shut down before the job had begun.
    Stopped,
}

impl From<JoinError> for JobError {
    fn from(error: JoinError) -> JobError {
        if error.is_panic() { JobError::Panicked } else { JobError::Stopped }
    }
}

/// Runs jobs that block or compute beside the tasks of a tokio runtime, so many at once at most. Clones share the places.
#[derive(Clone, Debug)]
pub struct BlockingPool {
    places: Arc<Semaphore>,
}

impl BlockingPool {
    /// So many jobs may run at once. `usize::MAX` is as many as you like.
    ///
    /// # Panics
    /// If it is 0, for then no job could ever run.
    pub fn new(at_once: usize) -> BlockingPool {
        assert!(at_once > 0, "no job could ever run");
        BlockingPool { places: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))) }
    }

    async fn place(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.places).acquire_owned().await.expect("nobody closes it")
    }

    /// Starts the job when it has its place. The place goes along with it.
    async fn start<T, F>(&self, job: F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let place = self.place().await;
        spawn_blocking(move || {
            let _place = place;
            job()
        })
    }

    /// Runs a job as soon as there is a place for it, and returns its result. Tasks go on while it blocks.
    ///
    /// A job that has begun can't be stopped. If this future is dropped, the job runs to its end, keeps its place until then, and its
    /// result is dropped. One that still waits for its place never begins.
    ///
    /// # Errors
    /// [`JobError`], if the job has panicked or the runtime is shut down. Its place is free again.
    pub async fn run<T, F>(&self, job: F) -> Result<T, JobError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        Ok(self.start(job).await.await?)
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
        let mut jobs = Vec::with_capacity(inputs.len());
        for input in inputs {
            let work = Arc::clone(&work);
            jobs.push(self.start(move || work(input)).await);
        }
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            results.push(job.await.map_err(JobError::from));
        }
        results
    }
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
    let mut stream = stream;
    let mut inbox = Inbox::default();
    let mut buffer = vec![0; TURN];
    loop {
        while let Some(request) = inbox.request()? {
            let answer = Arc::clone(&answer);
            let output = pool.run(move || answer(&request)).await;
            let mut output = output.map_err(|error| io::Error::other(format!("there is no answer: {error:?}")))?;
            output.push(b'\n');
            stream.write_all(&output).await?;
            stream.flush().await?;
        }
        match stream.read(&mut buffer).await? {
            0 => return inbox.end(),
            some => inbox.bytes.extend_from_slice(&buffer[..some]),
        }
    }
}

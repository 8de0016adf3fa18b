//! rejected: assertion
//! by: a_conversation_on_a_runtime_keeps_the_same_contract
//!
//! Breaks "If it can't be flushed, that is how the connection ends": `converse` flushes once before it reads more or ends. At an end for
//! another reason (a request that is too long, an answer that panics), it flushes as well, but the failure of that flush is lost behind
//! this reason. Situation: one read brings a good request and one that is too long, and the flush fails: `InvalidData` instead of its
//! error.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

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

fn too_long() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("a request of more than {LONGEST} bytes"))
}

fn cut_off() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the rest of a request is missing")
}

/// Where a connection stands.
enum State {
    Listening,
    /// The answer, and how much of it was taken.
    Talking(Vec<u8>, usize),
}

struct Guest<C> {
    seat: usize,
    connection: C,
    state: State,
    /// What has come and was not yet answered.
    heard: VecDeque<u8>,
}

/// How a turn goes on.
enum Step {
    On,
    NotNow,
    End(io::Result<()>),
}

/// Sorts the outcomes of a call. `None`: ask again.
fn outcome(result: io::Result<usize>) -> Option<Result<usize, Step>> {
    match result {
        Ok(some) => Some(Ok(some)),
        Err(error) => match error.kind() {
            ErrorKind::Interrupted => None,
            ErrorKind::WouldBlock => Some(Err(Step::NotNow)),
            _ => Some(Err(Step::End(Err(error)))),
        },
    }
}

impl<C: Connection> Guest<C> {
    /// One call of the connection, or one answer.
    fn step(&mut self, budget: &mut usize, moves: &mut u64, answer: &mut impl FnMut(&[u8]) -> Vec<u8>) -> Step {
        match &mut self.state {
            State::Talking(words, said) => match outcome(self.connection.write(&words[*said..])) {
                None => Step::On,
                Some(Err(step)) => step,
                Some(Ok(0)) => Step::End(Err(io::Error::from(ErrorKind::WriteZero))),
                Some(Ok(some)) => {
                    *moves += 1;
                    *said += some;
                    if *said == words.len() {
                        self.state = State::Listening;
                    }
                    Step::On
                }
            },
            State::Listening => {
                let line = self.heard.iter().position(|&byte| byte == b'\n');
                if line.unwrap_or(self.heard.len()) > LONGEST {
                    return Step::End(Err(too_long()));
                }
                if let Some(line) = line {
                    let request: Vec<u8> = self.heard.drain(..line).collect();
                    self.heard.pop_front();
                    let mut words = answer(&request);
                    words.push(b'\n');
                    self.state = State::Talking(words, 0);
                    return Step::On;
                }
                let mut bytes = [0; 512];
                let room = bytes.len().min(*budget);
                match outcome(self.connection.read(&mut bytes[..room])) {
                    None => Step::On,
                    Some(Err(step)) => step,
                    Some(Ok(0)) => Step::End(if self.heard.is_empty() { Ok(()) } else { Err(cut_off()) }),
                    Some(Ok(some)) => {
                        *moves += 1;
                        *budget -= some;
                        self.heard.extend(&bytes[..some]);
                        Step::On
                    }
                }
            }
        }
    }

    /// Whether the next step would be a read.
    fn listens(&self) -> bool {
        matches!(self.state, State::Listening) && !self.heard.contains(&b'\n') && self.heard.len() <= LONGEST
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
    answer: impl FnMut(&[u8]) -> Vec<u8>,
    idle: impl FnMut(),
) -> Vec<io::Result<()>> {
    let (mut answer, mut idle) = (answer, idle);
    let mut ends: Vec<io::Result<()>> = connections.iter().map(|_| Ok(())).collect();
    let mut ring = VecDeque::new();
    for (seat, connection) in connections.into_iter().enumerate() {
        match connection.set_nonblocking(true) {
            Ok(()) => ring.push_back(Guest { seat, connection, state: State::Listening, heard: VecDeque::new() }),
            Err(error) => ends[seat] = Err(error),
        }
    }
    // So many at the back of the ring have said "not now", one after the other, and nothing has moved since.
    let mut quiet = 0;
    while let Some(mut guest) = ring.pop_front() {
        let mut budget = TURN;
        let mut moves = 0;
        let last = loop {
            if budget == 0 && guest.listens() {
                break Step::On;
            }
            match guest.step(&mut budget, &mut moves, &mut answer) {
                Step::On => {}
                last => break last,
            }
        };
        if moves > 0 {
            quiet = 0;
        }
        match last {
            Step::On => ring.push_back(guest),
            Step::NotNow => {
                ring.push_back(guest);
                quiet += 1;
                if quiet == ring.len() {
                    idle();
                    quiet = 0;
                }
            }
            Step::End(end) => {
                quiet = 0;
                ends[guest.seat] = end;
                drop(guest);
            }
        }
    }
    ends
}

/// Why there is no result of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job has panicked.
    Panicked,
    /// The runtime was shut down before the job had begun.
    Stopped,
}

/// The free places, and those who wait for one.
struct Row {
    chairs: Mutex<(usize, VecDeque<oneshot::Sender<Chair>>)>,
}

impl fmt::Debug for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Row").finish_non_exhaustive()
    }
}

/// A place. Dropped, it is somebody else's.
struct Chair {
    row: Option<Arc<Row>>,
}

impl Drop for Chair {
    fn drop(&mut self) {
        let Some(row) = self.row.take() else { return };
        loop {
            let next = {
                let mut chairs = row.chairs.lock().unwrap_or_else(PoisonError::into_inner);
                let next = chairs.1.pop_front();
                if next.is_none() {
                    chairs.0 += 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(Chair { row: Some(Arc::clone(&row)) }) {
                Ok(()) => return,
                // Nobody waits there any more. This one must not look for the next as well.
                Err(mut chair) => chair.row = None,
            }
        }
    }
}

impl Row {
    async fn chair(self: &Arc<Row>) -> Chair {
        let waiting = {
            let mut chairs = self.chairs.lock().unwrap_or_else(PoisonError::into_inner);
            if chairs.0 > 0 {
                chairs.0 -= 1;
                None
            } else {
                let (next, waiting) = oneshot::channel();
                chairs.1.push_back(next);
                Some(waiting)
            }
        };
        match waiting {
            None => Chair { row: Some(Arc::clone(self)) },
            Some(waiting) => waiting.await.expect("who waits is given a chair, sooner or later"),
        }
    }
}

/// Runs jobs that block or compute beside the tasks of a tokio runtime, so many at once at most. Clones share the places.
#[derive(Clone, Debug)]
pub struct BlockingPool {
    row: Arc<Row>,
}

impl BlockingPool {
    /// So many jobs may run at once. `usize::MAX` is as many as you like.
    ///
    /// # Panics
    /// If it is 0, for then no job could ever run.
    pub fn new(at_once: usize) -> BlockingPool {
        assert_ne!(at_once, 0, "a row without a chair");
        BlockingPool { row: Arc::new(Row { chairs: Mutex::new((at_once, VecDeque::new())) }) }
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
        let runtime = Handle::current();
        let chair = self.row.chair().await;
        let job = runtime.spawn_blocking(move || {
            let result = job();
            drop(chair);
            result
        });
        match job.await {
            Ok(result) => Ok(result),
            Err(error) if error.is_cancelled() => Err(JobError::Stopped),
            Err(_) => Err(JobError::Panicked),
        }
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
        let mut jobs = VecDeque::new();
        for input in inputs {
            let chair = self.row.chair().await;
            let work = Arc::clone(&work);
            jobs.push_back(runtime.spawn_blocking(move || {
                let result = work(input);
                drop(chair);
                result
            }));
        }
        let mut results = Vec::new();
        while let Some(job) = jobs.pop_front() {
            results.push(match job.await {
                Ok(result) => Ok(result),
                Err(error) if error.is_cancelled() => Err(JobError::Stopped),
                Err(_) => Err(JobError::Panicked),
            });
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
    let mut stream = BufReader::with_capacity(4 * LONGEST, stream);
    let mut owed = false;
    let end = talk(&mut stream, &mut owed, pool, answer).await;
    // Nothing that was said stays here.
    if owed {
        let _ = stream.flush().await;
    }
    end
}

/// Talks up to the end. What was said and not flushed is `owed`.
async fn talk<S, A>(stream: &mut BufReader<S>, owed: &mut bool, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    let mut request = Vec::new();
    loop {
        if stream.buffer().is_empty() && std::mem::take(owed) {
            stream.flush().await?;
        }
        let bytes = stream.fill_buf().await?;
        if bytes.is_empty() {
            return if request.is_empty() { Ok(()) } else { Err(cut_off()) };
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let more = end.unwrap_or(bytes.len());
        if request.len() + more > LONGEST {
            return Err(too_long());
        }
        request.extend_from_slice(&bytes[..more]);
        let Some(end) = end else {
            stream.consume(more);
            continue;
        };
        stream.consume(end + 1);
        let answer = Arc::clone(&answer);
        let asked = std::mem::take(&mut request);
        let Ok(mut words) = pool.run(move || answer(&asked)).await else {
            return Err(io::Error::other("nobody has an answer"));
        };
        words.push(b'\n');
        stream.write_all(&words).await?;
        *owed = true;
    }
}

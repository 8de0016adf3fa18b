//! Requests and answers on many connections: by hand on one thread, and on a runtime, with what blocks beside it. The lesson is in
//! `README.md`.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

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
    answer: impl FnMut(&[u8]) -> Vec<u8>,
    idle: impl FnMut(),
) -> Vec<io::Result<()>> {
    todo!()
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
    // The fields are yours to choose: what do all clones share?
}

impl BlockingPool {
    /// So many jobs may run at once. `usize::MAX` is as many as you like.
    ///
    /// # Panics
    /// If it is 0, for then no job could ever run.
    pub fn new(at_once: usize) -> BlockingPool {
        todo!()
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
        todo!()
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
        todo!()
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
    todo!()
}

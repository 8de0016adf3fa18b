//! accepted
//!
//! Panics are caught where they happen and sent as results; places are a number and a `Notify`; outcomes are told apart by a macro.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

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

/// Why there is no result of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job has panicked.
    Panicked,
    /// The runtime was shut down before the job had begun.
    Stopped,
}

/// `None` for "not now", `Some` for all else; asked again if it was interrupted.
macro_rules! now {
    ($call:expr) => {
        loop {
            match $call {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break None,
                result => break Some(result),
            }
        }
    };
}

struct Visitor<C> {
    connection: C,
    request: Vec<u8>,
    /// What has come behind the request, backwards.
    behind: Vec<u8>,
    answer: Option<io::Cursor<Vec<u8>>>,
}

enum Told {
    NotNow,
    EnoughForNow,
}

impl<C: Connection> Visitor<C> {
    fn new(connection: C) -> Visitor<C> {
        Visitor { connection, request: Vec::new(), behind: Vec::new(), answer: None }
    }

    fn turn(
        &mut self,
        answer: &mut impl FnMut(&[u8]) -> Vec<u8>,
        moved: &mut impl FnMut(),
    ) -> Result<Told, io::Result<()>> {
        let mut room = TURN;
        loop {
            if let Some(said) = &mut self.answer {
                let from = said.position() as usize;
                match now!(self.connection.write(&said.get_ref()[from..])) {
                    None => return Ok(Told::NotNow),
                    Some(Ok(0)) => return Err(Err(ErrorKind::WriteZero.into())),
                    Some(Ok(n)) => {
                        moved();
                        said.set_position((from + n) as u64);
                        if from + n == said.get_ref().len() {
                            self.answer = None;
                        }
                    }
                    Some(Err(error)) => return Err(Err(error)),
                }
            } else if let Some(byte) = self.behind.pop() {
                if byte == b'\n' {
                    let mut said = answer(&self.request);
                    said.push(b'\n');
                    self.request.clear();
                    self.answer = Some(io::Cursor::new(said));
                } else if self.request.len() == LONGEST {
                    return Err(Err(ErrorKind::InvalidData.into()));
                } else {
                    self.request.push(byte);
                }
            } else if room == 0 {
                return Ok(Told::EnoughForNow);
            } else {
                let mut bytes = [0; 512];
                let most = room.min(bytes.len());
                match now!(self.connection.read(&mut bytes[..most])) {
                    None => return Ok(Told::NotNow),
                    Some(Ok(0)) if self.request.is_empty() => return Err(Ok(())),
                    Some(Ok(0)) => return Err(Err(ErrorKind::UnexpectedEof.into())),
                    Some(Ok(n)) => {
                        moved();
                        room -= n;
                        self.behind.extend(bytes[..n].iter().rev());
                    }
                    Some(Err(error)) => return Err(Err(error)),
                }
            }
        }
    }
}

pub fn serve<C: Connection>(
    connections: Vec<C>,
    mut answer: impl FnMut(&[u8]) -> Vec<u8>,
    mut idle: impl FnMut(),
) -> Vec<io::Result<()>> {
    let mut ends = Vec::new();
    let mut visitors = Vec::new();
    for connection in connections {
        let ready = connection.set_nonblocking(true);
        visitors.push(ready.is_ok().then(|| Visitor::new(connection)));
        ends.push(ready);
    }
    let mut here = visitors.iter().flatten().count();
    // Who has said "not now" since something moved.
    let mut waiting = BTreeSet::new();
    while here > 0 {
        for (place, seat) in visitors.iter_mut().enumerate() {
            let Some(visitor) = seat else { continue };
            let turn = visitor.turn(&mut answer, &mut || waiting.clear());
            match turn {
                Ok(Told::EnoughForNow) => {}
                Ok(Told::NotNow) => {
                    waiting.insert(place);
                }
                Err(end) => {
                    *seat = None;
                    here -= 1;
                    ends[place] = end;
                    waiting.clear();
                }
            }
            if here > 0 && waiting.len() == here {
                idle();
                waiting.clear();
            }
        }
    }
    ends
}

#[derive(Debug)]
struct Places {
    free: Mutex<usize>,
    freed: Notify,
}

struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap() += 1;
        self.0.freed.notify_one();
    }
}

/// Runs jobs that block or compute beside the tasks of a tokio runtime, so many at once at most. Clones share the places.
#[derive(Clone, Debug)]
pub struct BlockingPool {
    places: Arc<Places>,
}

type Ending<T> = oneshot::Receiver<Result<T, JobError>>;

fn begin<T, F>(runtime: &Handle, place: Place, job: F) -> Ending<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (told, ending) = oneshot::channel();
    runtime.spawn_blocking(move || {
        let result = catch_unwind(AssertUnwindSafe(job));
        drop(place);
        // If nobody listens, the result is dropped here.
        let _ = told.send(result.map_err(|_| JobError::Panicked));
    });
    ending
}

async fn end<T>(ending: Ending<T>) -> Result<T, JobError> {
    ending.await.unwrap_or(Err(JobError::Stopped))
}

impl BlockingPool {
    /// So many jobs may run at once.
    pub fn new(at_once: usize) -> BlockingPool {
        assert!(at_once != 0, "at least one place");
        BlockingPool { places: Arc::new(Places { free: Mutex::new(at_once), freed: Notify::new() }) }
    }

    fn try_place(&self) -> Option<Place> {
        let mut free = self.places.free.lock().unwrap();
        *free = free.checked_sub(1)?;
        Some(Place(Arc::clone(&self.places)))
    }

    async fn place(&self) -> Place {
        loop {
            let mut freed = pin!(self.places.freed.notified());
            freed.as_mut().enable();
            if let Some(place) = self.try_place() {
                return place;
            }
            freed.await;
        }
    }

    /// Runs a job as soon as there is a place for it.
    pub async fn run<T, F>(&self, job: F) -> Result<T, JobError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let runtime = Handle::current();
        let place = self.place().await;
        end(begin(&runtime, place, job)).await
    }

    /// Works on all inputs, and returns the results in the order of the inputs.
    pub async fn map<I, T, F>(&self, inputs: Vec<I>, work: F) -> Vec<Result<T, JobError>>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Fn(I) -> T + Send + Sync + 'static,
    {
        let runtime = Handle::current();
        let work = Arc::new(work);
        let mut endings = Vec::with_capacity(inputs.len());
        for input in inputs {
            let place = self.place().await;
            let work = Arc::clone(&work);
            endings.push(begin(&runtime, place, move || work(input)));
        }
        let mut results = Vec::with_capacity(endings.len());
        for ending in endings {
            results.push(end(ending).await);
        }
        results
    }
}

/// Answers the requests of one connection, as [`serve`] does.
pub async fn converse<S, A>(stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    let mut stream = BufReader::with_capacity(TURN, stream);
    let mut request = Vec::new();
    loop {
        // Reads only if everything that has come before is used up.
        let come = stream.fill_buf().await?;
        if come.is_empty() {
            return if request.is_empty() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
        let line_end = come.iter().position(|&byte| byte == b'\n');
        let piece = line_end.unwrap_or(come.len());
        if request.len() + piece > LONGEST {
            return Err(ErrorKind::InvalidData.into());
        }
        request.extend_from_slice(&come[..piece]);
        stream.consume(piece + usize::from(line_end.is_some()));
        if line_end.is_some() {
            let answer = Arc::clone(&answer);
            let asked = std::mem::take(&mut request);
            let said = pool.run(move || answer(&asked)).await;
            let mut said = said.map_err(|why| io::Error::other(format!("{why:?}")))?;
            said.push(b'\n');
            stream.write_all(&said).await?;
            stream.flush().await?;
        }
    }
}

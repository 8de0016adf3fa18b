//! accepted
//!
//! Each round goes the other way, connections are in slots of an `Option`, a byte is read at a time, and answers have an iterator. Places are
//! counted under a lock of `std`, with a `Notify` for those who wait; `map` joins calls of `run` by polling them itself.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

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

#[derive(Default)]
struct Memory {
    request: Vec<u8>,
    answer: Vec<u8>,
}

enum Said {
    NotNow,
    Much,
    Goodbye,
}

#[allow(missing_docs)]
pub fn serve<C>(
    connections: Vec<C>,
    mut answer: impl FnMut(&[u8]) -> Vec<u8>,
    mut idle: impl FnMut(),
) -> Vec<io::Result<()>>
where
    C: Connection,
{
    let mut ends: Vec<io::Result<()>> = connections.iter().map(|connection| connection.set_nonblocking(true)).collect();
    let with_memory = |(connection, end): (C, &io::Result<()>)| end.is_ok().then(|| (connection, Memory::default()));
    let mut slots: Vec<Option<(C, Memory)>> = connections.into_iter().zip(&ends).map(with_memory).collect();
    let mut forwards = true;
    while slots.iter().any(Option::is_some) {
        let mut order: Vec<usize> = (0..slots.len()).collect();
        if !forwards {
            order.reverse();
        }
        forwards = !forwards;
        let mut all_wait = true;
        for number in order {
            let Some((connection, memory)) = &mut slots[number] else { continue };
            match talk(connection, memory, &mut answer) {
                Ok(Said::NotNow) => continue,
                Ok(Said::Much) => {}
                Ok(Said::Goodbye) => slots[number] = None,
                Err(error) => {
                    ends[number] = Err(error);
                    slots[number] = None;
                }
            }
            all_wait = false;
        }
        if all_wait {
            idle();
        }
    }
    ends
}

fn talk<C: Connection>(
    connection: &mut C,
    memory: &mut Memory,
    answer: &mut impl FnMut(&[u8]) -> Vec<u8>,
) -> io::Result<Said> {
    let mut calls = 0;
    let mut said = Said::NotNow;
    while calls < 100 {
        calls += 1;
        let mut byte = [0];
        let outcome =
            if memory.answer.is_empty() { connection.read(&mut byte) } else { connection.write(&memory.answer) };
        match outcome {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(said),
            Err(error) => return Err(error),
            Ok(0) if !memory.answer.is_empty() => return Err(ErrorKind::WriteZero.into()),
            Ok(0) if memory.request.is_empty() => return Ok(Said::Goodbye),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(written) if !memory.answer.is_empty() => {
                memory.answer.drain(..written);
            }
            Ok(_) if byte == [b'\n'] => {
                memory.answer = answer(&std::mem::take(&mut memory.request));
                memory.answer.push(b'\n');
            }
            Ok(_) if memory.request.len() == LONGEST => return Err(ErrorKind::InvalidData.into()),
            Ok(_) => memory.request.push(byte[0]),
        }
        said = Said::Much;
    }
    Ok(said)
}

/// Why there is no result of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job has panicked.
    Panicked,
    /// The runtime was shut down before the job had begun.
    Stopped,
}

#[derive(Clone, Debug)]
pub struct BlockingPool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    free: Mutex<usize>,
    one_is_free: Notify,
}

struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.one_is_free.notify_one();
    }
}

#[allow(missing_docs)]
impl BlockingPool {
    pub fn new(at_once: usize) -> BlockingPool {
        if at_once == 0 {
            panic!("a pool without places");
        }
        BlockingPool { shared: Arc::new(Shared { free: Mutex::new(at_once), one_is_free: Notify::new() }) }
    }

    fn try_place(&self) -> Option<Place> {
        let mut free = self.shared.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        if *free > 0 {
            // Two that come back at once are one notification.
            self.shared.one_is_free.notify_one();
        }
        Some(Place(Arc::clone(&self.shared)))
    }

    async fn place(&self) -> Place {
        loop {
            if let Some(place) = self.try_place() {
                return place;
            }
            self.shared.one_is_free.notified().await;
        }
    }

    pub async fn run<T, F>(&self, job: F) -> Result<T, JobError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let place = self.place().await;
        let job = move || (job(), place);
        match tokio::task::spawn_blocking(job).await {
            Ok((result, _place)) => Ok(result),
            Err(error) => Err(if error.is_panic() { JobError::Panicked } else { JobError::Stopped }),
        }
    }

    pub async fn map<I, T, F>(&self, inputs: Vec<I>, work: F) -> Vec<Result<T, JobError>>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Fn(I) -> T + Send + Sync + 'static,
    {
        let work = &Arc::new(work);
        let runs = inputs.into_iter().map(|input| {
            let work = Arc::clone(work);
            Box::pin(self.run(move || work(input)))
        });
        let mut runs: Vec<_> = runs.collect();
        let mut results: Vec<Option<Result<T, JobError>>> = runs.iter().map(|_| None).collect();
        poll_fn(|context| {
            for (run, result) in runs.iter_mut().zip(&mut results) {
                if result.is_none()
                    && let Poll::Ready(ready) = run.as_mut().poll(context)
                {
                    *result = Some(ready);
                }
            }
            if results.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        results.into_iter().flatten().collect()
    }
}

#[allow(missing_docs)]
pub async fn converse<S, A>(stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    let mut stream = stream;
    let mut request = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).await? > 0 {
        if byte != *b"\n" {
            request.push(byte[0]);
            if request.len() > LONGEST {
                return Err(ErrorKind::InvalidData.into());
            }
            continue;
        }
        let (answer, asked) = (Arc::clone(&answer), std::mem::take(&mut request));
        let said = pool.run(move || answer(&asked)).await;
        let said = said.map_err(|error| io::Error::other(format!("{error:?}")))?;
        stream.write_all(&said).await?;
        stream.write_u8(b'\n').await?;
        stream.flush().await?;
    }
    if request.is_empty() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

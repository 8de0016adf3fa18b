//! accepted
//!
//! One call in each turn: a connection is an enum of what it waits for, and the round is a queue from which those that have ended are taken
//! out. Places are tokens in a channel, `map` is a `JoinSet`, and a conversation is polled by hand.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::ready;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Mutex, mpsc};
use tokio::task::{JoinSet, spawn_blocking};

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

enum Waits {
    ToRead,
    ToWrite(VecDeque<u8>),
}

struct Client<C> {
    number: usize,
    line: C,
    heard: VecDeque<u8>,
    waits: Waits,
    is_ready: bool,
}

#[allow(missing_docs)]
pub fn serve<C: Connection>(
    connections: Vec<C>,
    mut answer: impl FnMut(&[u8]) -> Vec<u8>,
    mut idle: impl FnMut(),
) -> Vec<io::Result<()>> {
    let mut ends: Vec<_> = connections.iter().map(|line| Some(line.set_nonblocking(true))).collect();
    let mut round = VecDeque::new();
    for (number, line) in connections.into_iter().enumerate() {
        if ends[number].as_ref().is_some_and(Result::is_ok) {
            ends[number] = None;
            round.push_back(Client { number, line, heard: VecDeque::new(), waits: Waits::ToRead, is_ready: true });
        }
    }
    let mut still = 0;
    while let Some(mut client) = round.pop_front() {
        match client.step(&mut answer) {
            Ok(true) => {
                still = if client.is_ready { 0 } else { still + 1 };
                round.push_back(client);
                if still == round.len() {
                    idle();
                    still = 0;
                }
            }
            Ok(false) => {
                ends[client.number] = Some(Ok(()));
                still = 0;
            }
            Err(error) => {
                ends[client.number] = Some(Err(error));
                still = 0;
            }
        }
    }
    ends.into_iter().flatten().collect()
}

impl<C: Connection> Client<C> {
    /// One call. Whether there will be more.
    fn step(&mut self, answer: &mut impl FnMut(&[u8]) -> Vec<u8>) -> io::Result<bool> {
        let mut bytes = [0; 500];
        let outcome = match &mut self.waits {
            Waits::ToRead => self.line.read(&mut bytes),
            Waits::ToWrite(rest) => self.line.write(rest.as_slices().0),
        };
        self.is_ready = true;
        let count = match outcome {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.is_ready = false;
                return Ok(true);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            other => other?,
        };
        match &mut self.waits {
            Waits::ToRead if count == 0 && self.heard.is_empty() => return Ok(false),
            Waits::ToRead if count == 0 => return Err(io::Error::from(ErrorKind::UnexpectedEof)),
            Waits::ToRead => self.heard.extend(&bytes[..count]),
            Waits::ToWrite(_) if count == 0 => return Err(io::Error::from(ErrorKind::WriteZero)),
            Waits::ToWrite(rest) => {
                rest.drain(..count);
                if !rest.is_empty() {
                    return Ok(true);
                }
            }
        }
        self.waits = match take_line(&mut self.heard)? {
            Some(request) => Waits::ToWrite(answer(&request).into_iter().chain([b'\n']).collect()),
            None => Waits::ToRead,
        };
        Ok(true)
    }
}

/// A whole request, and its line feed is gone.
fn take_line(heard: &mut VecDeque<u8>) -> io::Result<Option<Vec<u8>>> {
    let length = heard.iter().take_while(|byte| **byte != b'\n').count();
    if length > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidData, "no request is so long"));
    }
    let is_whole = length < heard.len();
    Ok(is_whole.then(|| heard.drain(..=length).take(length).collect()))
}

/// Why there is no result of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job has panicked.
    Panicked,
    /// The runtime was shut down before the job had begun.
    Stopped,
}

/// A token for each job that may run. None are made for a number that nobody reaches.
#[derive(Clone, Debug)]
pub struct BlockingPool {
    give_back: mpsc::UnboundedSender<()>,
    tokens: Arc<Mutex<Tokens>>,
}

#[derive(Debug)]
struct Tokens {
    back: mpsc::UnboundedReceiver<()>,
    never_used: usize,
}

struct Token(mpsc::UnboundedSender<()>);

impl Drop for Token {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[allow(missing_docs)]
impl BlockingPool {
    pub fn new(at_once: usize) -> BlockingPool {
        assert_ne!(at_once, 0);
        let (give_back, back) = mpsc::unbounded_channel();
        BlockingPool { give_back, tokens: Arc::new(Mutex::new(Tokens { back, never_used: at_once })) }
    }

    async fn token(&self) -> Token {
        let mut tokens = self.tokens.lock().await;
        if tokens.never_used > 0 {
            tokens.never_used -= 1;
        } else {
            tokens.back.recv().await;
        }
        Token(self.give_back.clone())
    }

    pub async fn run<T, F>(&self, job: F) -> Result<T, JobError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let token = self.token().await;
        let job = spawn_blocking(move || {
            let result = job();
            drop(token);
            result
        });
        match job.await {
            Ok(result) => Ok(result),
            Err(error) if error.is_cancelled() => Err(JobError::Stopped),
            Err(_) => Err(JobError::Panicked),
        }
    }

    pub async fn map<I, T, F>(&self, inputs: Vec<I>, work: F) -> Vec<Result<T, JobError>>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Fn(I) -> T + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let mut results: Vec<_> = inputs.iter().map(|_| Err(JobError::Stopped)).collect();
        let mut running = JoinSet::new();
        let mut places = std::collections::HashMap::new();
        for (place, input) in inputs.into_iter().enumerate() {
            let (token, work) = (self.token().await, work.clone());
            let task = running.spawn_blocking(move || {
                let _token = token;
                work(input)
            });
            places.insert(task.id(), place);
        }
        while let Some(ended) = running.join_next_with_id().await {
            match ended {
                Ok((id, result)) => results[places[&id]] = Ok(result),
                Err(error) if error.is_panic() => results[places[&error.id()]] = Err(JobError::Panicked),
                Err(_) => {}
            }
        }
        results
    }
}

#[allow(missing_docs)]
pub async fn converse<S, A>(mut stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    let mut heard = VecDeque::new();
    loop {
        while let Some(request) = take_line(&mut heard)? {
            let answer = answer.clone();
            let answer = pool.run(move || answer(&request)).await.map_err(|_| io::Error::from(ErrorKind::Other))?;
            let mut rest: VecDeque<u8> = answer.into_iter().chain([b'\n']).collect();
            poll_fn(|context| {
                while !rest.is_empty() {
                    let count = ready!(Pin::new(&mut stream).poll_write(context, rest.as_slices().0))?;
                    if count == 0 {
                        return std::task::Poll::Ready(Err(io::Error::from(ErrorKind::WriteZero)));
                    }
                    rest.drain(..count);
                }
                Pin::new(&mut stream).poll_flush(context)
            })
            .await?;
        }
        let mut bytes = [0; 64];
        let mut buffer = ReadBuf::new(&mut bytes);
        poll_fn(|context| Pin::new(&mut stream).poll_read(context, &mut buffer)).await?;
        match (buffer.filled(), heard.is_empty()) {
            ([], true) => return Ok(()),
            ([], false) => return Err(io::Error::from(ErrorKind::UnexpectedEof)),
            (some, _) => heard.extend(some),
        }
    }
}

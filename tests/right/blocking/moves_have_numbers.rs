//! accepted
//!
//! Every move has a number, and who was quiet remembers at which; the pool is a desk with numbered tickets and wakers, by hand.

use std::collections::{BTreeMap, VecDeque};
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

/// Why there is no result of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job has panicked.
    Panicked,
    /// The runtime was shut down before the job had begun.
    Stopped,
}

/// The number of a move: of some bytes, or of an end.
type Generation = u64;

/// One end of a talk, wherever its bytes come from.
#[derive(Default)]
struct Buffers {
    heard: VecDeque<u8>,
    to_say: VecDeque<u8>,
}

impl Buffers {
    /// Takes the next request out, if it is whole.
    fn request(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.heard.iter().take(LONGEST + 1).position(|&byte| byte == b'\n') {
            Some(length) => {
                let request = self.heard.drain(..length).collect();
                self.heard.pop_front();
                Ok(Some(request))
            }
            None if self.heard.len() > LONGEST => Err(ErrorKind::InvalidData.into()),
            None => Ok(None),
        }
    }

    fn say(&mut self, mut answer: Vec<u8>) {
        answer.push(b'\n');
        self.to_say = VecDeque::from(answer);
    }

    fn end(&self) -> io::Result<()> {
        if self.heard.is_empty() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }
}

struct Guest<C> {
    connection: C,
    buffers: Buffers,
    quiet_at: Option<Generation>,
}

impl<C: Connection> Guest<C> {
    /// `Some` at its end, `None` if it has to be asked again.
    fn turn(
        &mut self,
        generation: &mut Generation,
        answer: &mut dyn FnMut(&[u8]) -> Vec<u8>,
    ) -> Option<io::Result<()>> {
        self.quiet_at = None;
        let mut piece = [0; 1024];
        let mut left = TURN;
        loop {
            let (speak, _) = self.buffers.to_say.as_slices();
            let speaks = !speak.is_empty();
            let moved = if speaks {
                self.connection.write(speak)
            } else {
                match self.buffers.request() {
                    Err(error) => return Some(Err(error)),
                    Ok(Some(request)) => {
                        self.buffers.say(answer(&request));
                        continue;
                    }
                    Ok(None) if left == 0 => return None,
                    Ok(None) => {
                        let room = left.min(piece.len());
                        self.connection.read(&mut piece[..room])
                    }
                }
            };
            match moved {
                Ok(0) if speaks => return Some(Err(ErrorKind::WriteZero.into())),
                Ok(0) => return Some(self.buffers.end()),
                Ok(n) => {
                    *generation = generation.wrapping_add(1);
                    if speaks {
                        self.buffers.to_say.drain(..n);
                    } else {
                        left -= n;
                        self.buffers.heard.extend(&piece[..n]);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.quiet_at = Some(*generation);
                    return None;
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

pub fn serve<C: Connection>(
    connections: Vec<C>,
    mut answer: impl FnMut(&[u8]) -> Vec<u8>,
    mut idle: impl FnMut(),
) -> Vec<io::Result<()>> {
    let mut results: Vec<Option<io::Result<()>>> = Vec::new();
    let mut guests: Vec<Option<Guest<C>>> = Vec::new();
    for connection in connections {
        let (guest, result) = match connection.set_nonblocking(true) {
            Ok(()) => (Some(Guest { connection, buffers: Buffers::default(), quiet_at: None }), None),
            Err(error) => (None, Some(Err(error))),
        };
        guests.push(guest);
        results.push(result);
    }
    let mut generation: Generation = 0;
    while results.iter().any(Option::is_none) {
        for place in 0..guests.len() {
            let Some(guest) = &mut guests[place] else { continue };
            if let Some(end) = guest.turn(&mut generation, &mut answer) {
                generation = generation.wrapping_add(1);
                results[place] = Some(end);
                guests[place] = None;
            } else if guest.quiet_at.is_some() {
                let nobody_can_go_on = guests.iter().flatten().all(|guest| guest.quiet_at == Some(generation));
                if nobody_can_go_on {
                    idle();
                    guests.iter_mut().flatten().for_each(|guest| guest.quiet_at = None);
                }
            }
        }
    }
    results.into_iter().flatten().collect()
}

#[derive(Debug)]
enum Ticket {
    Waits(Waker),
    Called,
}

#[derive(Debug)]
struct Desk {
    free: usize,
    next: u64,
    tickets: BTreeMap<u64, Ticket>,
}

/// The lock of a desk is never held while anything foreign is called, but for cloning a waker.
fn open(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a place to the first who waits, or puts it back.
fn give_back(desk: &Mutex<Desk>) {
    let mut open = open(desk);
    let first = open.tickets.values_mut().find(|ticket| matches!(ticket, Ticket::Waits(_)));
    let called = match first {
        Some(ticket) => mem::replace(ticket, Ticket::Called),
        None => {
            open.free += 1;
            return;
        }
    };
    drop(open);
    if let Ticket::Waits(waker) = called {
        waker.wake();
    }
}

struct Place {
    desk: Arc<Mutex<Desk>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        give_back(&self.desk);
    }
}

struct Wait {
    desk: Arc<Mutex<Desk>>,
    ticket: Option<u64>,
}

impl Future for Wait {
    type Output = Place;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Place> {
        let this = self.get_mut();
        let waker = context.waker().clone();
        let mut desk = open(&this.desk);
        let old = match this.ticket {
            None if desk.free > 0 => {
                desk.free -= 1;
                drop(desk);
                return Poll::Ready(Place { desk: Arc::clone(&this.desk) });
            }
            None => {
                let number = desk.next;
                desk.next += 1;
                this.ticket = Some(number);
                desk.tickets.insert(number, Ticket::Waits(waker))
            }
            Some(number) => match desk.tickets.remove(&number) {
                Some(Ticket::Waits(old)) => {
                    desk.tickets.insert(number, Ticket::Waits(waker));
                    Some(Ticket::Waits(old))
                }
                _ => {
                    this.ticket = None;
                    drop(desk);
                    return Poll::Ready(Place { desk: Arc::clone(&this.desk) });
                }
            },
        };
        drop(desk);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(number) = self.ticket.take() {
            let ticket = open(&self.desk).tickets.remove(&number);
            if let Some(Ticket::Called) = ticket {
                give_back(&self.desk);
            }
        }
    }
}

/// Runs jobs that block or compute beside the tasks of a tokio runtime, so many at once at most. Clones share the places.
#[derive(Clone, Debug)]
pub struct BlockingPool {
    desk: Arc<Mutex<Desk>>,
}

async fn end_of<T>(job: JoinHandle<T>) -> Result<T, JobError> {
    match job.await {
        Ok(result) => Ok(result),
        Err(error) if error.is_panic() => Err(JobError::Panicked),
        Err(_) => Err(JobError::Stopped),
    }
}

impl BlockingPool {
    /// So many jobs may run at once.
    pub fn new(at_once: usize) -> BlockingPool {
        assert_ne!(at_once, 0, "no place at all");
        BlockingPool { desk: Arc::new(Mutex::new(Desk { free: at_once, next: 0, tickets: BTreeMap::new() })) }
    }

    async fn begin<T, F>(&self, runtime: &Handle, job: F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let place = Wait { desk: Arc::clone(&self.desk), ticket: None }.await;
        runtime.spawn_blocking(move || {
            let place = place;
            let result = job();
            drop(place);
            result
        })
    }

    /// Runs a job as soon as there is a place for it.
    pub async fn run<T, F>(&self, job: F) -> Result<T, JobError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let runtime = Handle::current();
        end_of(self.begin(&runtime, job).await).await
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
        let mut begun = VecDeque::new();
        for input in inputs {
            let work = Arc::clone(&work);
            begun.push_back(self.begin(&runtime, move || work(input)).await);
        }
        let mut results = Vec::new();
        while let Some(job) = begun.pop_front() {
            results.push(end_of(job).await);
        }
        results
    }
}

/// Answers the requests of one connection, as [`serve`] does.
pub async fn converse<S, A>(mut stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
{
    let mut buffers = Buffers::default();
    let mut piece = vec![0; 1024];
    loop {
        while let Some(request) = buffers.request()? {
            let answer = Arc::clone(&answer);
            match pool.run(move || answer(&request)).await {
                Ok(said) => buffers.say(said),
                Err(why) => return Err(io::Error::other(format!("{why:?}"))),
            }
            while !buffers.to_say.is_empty() {
                let (some, _) = buffers.to_say.as_slices();
                let n = stream.write(some).await?;
                if n == 0 {
                    return Err(ErrorKind::WriteZero.into());
                }
                buffers.to_say.drain(..n);
            }
            stream.flush().await?;
        }
        let n = stream.read(&mut piece).await?;
        if n == 0 {
            return buffers.end();
        }
        buffers.heard.extend(&piece[..n]);
    }
}

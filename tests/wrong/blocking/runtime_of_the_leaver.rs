//! rejected: assertion
//! by: a_shutdown_waits_for_jobs_that_have_begun
//!
//! Breaks `a_shutdown_waits_for_jobs_that_have_begun` ("A job belongs to the runtime on which it is asked for, also if others use the same
//! pool"): whoever frees a place launches the next job where he himself is. Shows with one pool of one place and two runtimes: a job of A
//! runs, one is asked for on B and waits, A's ends, and B's begins on a thread of A. If B is dropped now (the task with it), it does not
//! wait for the job; if A is dropped, it does. Without waiting, and with one runtime, all is right. Jobs wait in the pool as orders.

use std::io::{self, Read, Write};
use std::net::TcpStream;

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

pub use by_hand::serve;
pub use conversation::converse;
pub use pool::BlockingPool;

mod by_hand {
    use std::io::{self, ErrorKind};

    use super::{Connection, LONGEST, TURN};

    struct Peer<C> {
        connection: C,
        input: Vec<u8>,
        output: Vec<u8>,
        written: usize,
    }

    enum Turn {
        Blocked,
        More,
        Ended(io::Result<()>),
    }

    impl<C: Connection> Peer<C> {
        fn new(connection: C) -> Peer<C> {
            Peer { connection, input: Vec::new(), output: Vec::new(), written: 0 }
        }

        fn turn(&mut self, answer: &mut impl FnMut(&[u8]) -> Vec<u8>, moved: &mut bool) -> Turn {
            let mut bytes = [0; TURN];
            let mut left = TURN;
            loop {
                if self.written < self.output.len() {
                    match self.connection.write(&self.output[self.written..]) {
                        Ok(0) => return Turn::Ended(Err(ErrorKind::WriteZero.into())),
                        Ok(n) => {
                            self.written += n;
                            *moved = true;
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => return Turn::Blocked,
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => return Turn::Ended(Err(error)),
                    }
                    continue;
                }
                match self.input.iter().position(|&byte| byte == b'\n') {
                    Some(end) if end <= LONGEST => {
                        self.output = answer(&self.input[..end]);
                        self.output.push(b'\n');
                        self.written = 0;
                        self.input.drain(..=end);
                        continue;
                    }
                    None if self.input.len() <= LONGEST => {}
                    _ => return Turn::Ended(Err(ErrorKind::InvalidData.into())),
                }
                if left == 0 {
                    return Turn::More;
                }
                match self.connection.read(&mut bytes[..left]) {
                    Ok(0) if self.input.is_empty() => return Turn::Ended(Ok(())),
                    Ok(0) => return Turn::Ended(Err(ErrorKind::UnexpectedEof.into())),
                    Ok(n) => {
                        self.input.extend_from_slice(&bytes[..n]);
                        left -= n;
                        *moved = true;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Turn::Blocked,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Turn::Ended(Err(error)),
                }
            }
        }
    }

    /// Answers the requests of all connections on this one thread, until each of them has ended.
    pub fn serve<C: Connection>(
        connections: Vec<C>,
        mut answer: impl FnMut(&[u8]) -> Vec<u8>,
        mut idle: impl FnMut(),
    ) -> Vec<io::Result<()>> {
        let mut results = Vec::with_capacity(connections.len());
        let mut peers = Vec::with_capacity(connections.len());
        for connection in connections {
            let made = connection.set_nonblocking(true);
            peers.push(if made.is_ok() { Some(Peer::new(connection)) } else { None });
            results.push(made);
        }
        // Who has said `WouldBlock` since something moved for the last time?
        let mut quiet = vec![false; peers.len()];
        let mut open = peers.iter().flatten().count();
        while open > 0 {
            for number in 0..peers.len() {
                let Some(peer) = &mut peers[number] else { continue };
                let mut moved = false;
                let turn = peer.turn(&mut answer, &mut moved);
                if moved {
                    quiet.fill(false);
                }
                match turn {
                    Turn::Blocked => quiet[number] = true,
                    Turn::More => {}
                    Turn::Ended(result) => {
                        results[number] = result;
                        peers[number] = None;
                        open -= 1;
                        quiet.fill(false);
                    }
                }
                if open > 0 && quiet.iter().filter(|&&said| said).count() == open {
                    idle();
                    quiet.fill(false);
                }
            }
        }
        results
    }
}

mod pool {
    use std::collections::VecDeque;
    use std::fmt;
    use std::future::poll_fn;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::task::{Context, Poll, Waker};

    use tokio::runtime::Handle;
    use tokio::task::JoinHandle;

    use super::JobError;

    /// Runs jobs that block or compute beside the tasks of a tokio runtime, so many at once at most. Clones share the places.
    #[derive(Clone, Debug)]
    pub struct BlockingPool {
        desk: Arc<Desk>,
    }

    /// Where orders wait for a place. Whoever frees one launches the next order, on the runtime of that order.
    struct Desk {
        book: Mutex<Book>,
    }

    struct Book {
        free: usize,
        launching: bool,
        line: VecDeque<Arc<dyn Launch>>,
    }

    trait Launch: Send + Sync {
        fn launch(&self, place: Place);
        fn is_wanted(&self) -> bool;
    }

    /// A place in use. It is free again when this is dropped.
    struct Place {
        desk: Arc<Desk>,
    }

    type Job<T> = Box<dyn FnOnce() -> T + Send>;

    struct Order<T> {
        runtime: Handle,
        state: Mutex<OrderState<T>>,
    }

    struct OrderState<T> {
        job: Option<Job<T>>,
        running: Option<JoinHandle<T>>,
        waker: Option<Waker>,
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl fmt::Debug for Desk {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            let book = lock(&self.book);
            formatter.debug_struct("Desk").field("free", &book.free).field("waiting", &book.line.len()).finish()
        }
    }

    impl Desk {
        fn enter(self: &Arc<Desk>, orders: impl IntoIterator<Item = Arc<dyn Launch>>) {
            lock(&self.book).line.extend(orders);
            self.launch();
        }

        /// Launches as many as there are places. Only one does so at a time, and looks again for all others before it ends.
        fn launch(self: &Arc<Desk>) {
            let mut book = lock(&self.book);
            if book.launching {
                return;
            }
            book.launching = true;
            while book.free > 0 {
                let Some(order) = book.line.pop_front() else { break };
                book.free -= 1;
                drop(book);
                order.launch(Place { desk: Arc::clone(self) });
                drop(order);
                book = lock(&self.book);
            }
            book.launching = false;
        }

        fn sweep(&self) {
            lock(&self.book).line.retain(|order| order.is_wanted());
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            lock(&self.desk.book).free += 1;
            self.desk.launch();
        }
    }

    impl<T: Send + 'static> Order<T> {
        fn new(runtime: &Handle, job: Job<T>) -> Arc<Order<T>> {
            let state = OrderState { job: Some(job), running: None, waker: None };
            Arc::new(Order { runtime: runtime.clone(), state: Mutex::new(state) })
        }

        fn poll_launched(&self, context: &mut Context<'_>) -> Poll<JoinHandle<T>> {
            let waker = context.waker().clone();
            let mut state = lock(&self.state);
            match state.running.take() {
                Some(running) => Poll::Ready(running),
                None => {
                    state.waker = Some(waker);
                    Poll::Pending
                }
            }
        }

        async fn outcome(&self) -> Result<T, JobError> {
            let running = poll_fn(|context| self.poll_launched(context)).await;
            running.await.map_err(|error| if error.is_panic() { JobError::Panicked } else { JobError::Stopped })
        }
    }

    impl<T: Send + 'static> Launch for Order<T> {
        fn launch(&self, place: Place) {
            // Whoever has no job any more has called it off: the place goes back.
            let Some(job) = lock(&self.state).job.take() else { return };
            // Mostly it is a thread of a runtime that gets here. If not, the order knows one.
            let runtime = Handle::try_current().unwrap_or_else(|_| self.runtime.clone());
            let running = runtime.spawn_blocking(move || {
                let _place = place;
                job()
            });
            let waker = {
                let mut state = lock(&self.state);
                state.running = Some(running);
                state.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }

        fn is_wanted(&self) -> bool {
            lock(&self.state).job.is_some()
        }
    }

    /// What somebody has asked for. When this is dropped, all that has not been launched is called off.
    struct Claim<T: Send + 'static> {
        desk: Arc<Desk>,
        orders: Vec<Arc<Order<T>>>,
    }

    impl<T: Send + 'static> Claim<T> {
        fn enter(desk: &Arc<Desk>, jobs: impl Iterator<Item = Job<T>>) -> Claim<T> {
            let runtime = Handle::current();
            let orders: Vec<_> = jobs.map(|job| Order::new(&runtime, job)).collect();
            let claim = Claim { desk: Arc::clone(desk), orders };
            claim.desk.enter(claim.orders.iter().map(|order| order.clone() as Arc<dyn Launch>));
            claim
        }
    }

    impl<T: Send + 'static> Drop for Claim<T> {
        fn drop(&mut self) {
            let jobs: Vec<_> = self.orders.iter().filter_map(|order| lock(&order.state).job.take()).collect();
            if !jobs.is_empty() {
                self.desk.sweep();
            }
            // Their destructors are the caller's, and may do what they want: no lock is held any more.
            drop(jobs);
        }
    }

    impl BlockingPool {
        /// So many jobs may run at once. `usize::MAX` is as many as you like.
        ///
        /// # Panics
        /// If it is 0, for then no job could ever run.
        pub fn new(at_once: usize) -> BlockingPool {
            assert!(at_once >= 1, "a pool needs a place");
            let book = Book { free: at_once, launching: false, line: VecDeque::new() };
            BlockingPool { desk: Arc::new(Desk { book: Mutex::new(book) }) }
        }

        /// Runs a job as soon as there is a place for it, and returns its result.
        ///
        /// # Errors
        /// [`JobError`], if the job has panicked or the runtime is shut down.
        pub async fn run<T, F>(&self, job: F) -> Result<T, JobError>
        where
            T: Send + 'static,
            F: FnOnce() -> T + Send + 'static,
        {
            let job: Job<T> = Box::new(job);
            let claim = Claim::enter(&self.desk, std::iter::once(job));
            claim.orders[0].outcome().await
        }

        /// Works on all inputs, and returns the results in the order of the inputs.
        pub async fn map<I, T, F>(&self, inputs: Vec<I>, work: F) -> Vec<Result<T, JobError>>
        where
            I: Send + 'static,
            T: Send + 'static,
            F: Fn(I) -> T + Send + Sync + 'static,
        {
            let work = Arc::new(work);
            let claim = Claim::enter(
                &self.desk,
                inputs.into_iter().map(|input| {
                    let work = Arc::clone(&work);
                    Box::new(move || work(input)) as Job<T>
                }),
            );
            let mut results = Vec::with_capacity(claim.orders.len());
            for order in &claim.orders {
                results.push(order.outcome().await);
            }
            results
        }
    }
}

mod conversation {
    use std::io::{self, ErrorKind};
    use std::sync::Arc;

    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

    use super::{BlockingPool, LONGEST, TURN};

    /// Takes the first request out of what has come, if the whole of it is there.
    fn next_request(input: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        match input.iter().position(|&byte| byte == b'\n') {
            Some(end) if end <= LONGEST => {
                let mut request: Vec<u8> = input.drain(..=end).collect();
                request.pop();
                Ok(Some(request))
            }
            None if input.len() <= LONGEST => Ok(None),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Answers the requests of one connection, and returns how it ended.
    ///
    /// # Errors
    /// Those of `serve`, and `Other` if there is no answer.
    pub async fn converse<S, A>(mut stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    {
        let mut input = Vec::new();
        let mut bytes = vec![0; TURN];
        loop {
            while let Some(request) = next_request(&mut input)? {
                let answer = Arc::clone(&answer);
                let job = pool.run(move || answer(&request));
                let mut output = job.await.map_err(|_| io::Error::other("there is no answer"))?;
                output.push(b'\n');
                stream.write_all(&output).await?;
                stream.flush().await?;
            }
            let n = stream.read(&mut bytes).await?;
            if n == 0 {
                return if input.is_empty() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
            input.extend_from_slice(&bytes[..n]);
        }
    }
}

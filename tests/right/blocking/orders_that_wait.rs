//! accepted
//!
//! Special: in `serve` each connection is a future that is polled by hand, with a waker that does nothing: `WouldBlock` is `Pending`, and an
//! epoch says since when nothing has moved. The pool knows nothing of permits in futures: jobs wait *in the pool* as orders, and whoever
//! frees a place launches the next one, on the runtime that belongs to the order. A future that is dropped calls its orders off.
//! `converse` looks into a buffer that is refilled only when it is empty.

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
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;
    use std::io::{self, ErrorKind};
    use std::task::{Context, Poll, Waker};

    use super::{Connection, LONGEST, TURN};

    /// What `serve` and the future whose turn it is tell each other.
    #[derive(Default)]
    struct Turn {
        /// So much may still be read.
        budget: Cell<usize>,
        moved: Cell<bool>,
        refused: Cell<bool>,
    }

    impl Turn {
        /// Tries until the call is done, in this turn or in later ones.
        async fn done(&self, mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
            poll_fn(|_| {
                loop {
                    match call() {
                        Ok(n) => {
                            self.moved.set(true);
                            return Poll::Ready(Ok(n));
                        }
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {
                            self.refused.set(true);
                            return Poll::Pending;
                        }
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
            })
            .await
        }

        /// Waits for a turn in which something may be read, and says how much.
        async fn budget(&self) -> usize {
            poll_fn(|_| match self.budget.get() {
                0 => Poll::Pending,
                budget => Poll::Ready(budget),
            })
            .await
        }
    }

    /// The whole life of a connection, as one would write it with a thread for each.
    async fn live<C, A>(mut connection: C, turn: &Turn, answer: &RefCell<A>) -> io::Result<()>
    where
        C: Connection,
        A: FnMut(&[u8]) -> Vec<u8>,
    {
        connection.set_nonblocking(true)?;
        // All are made non-blocking before one of them is asked.
        turn.budget().await;
        let mut heard: Vec<u8> = Vec::new();
        let mut bytes = vec![0; TURN];
        loop {
            let line_feed = heard.iter().position(|&byte| byte == b'\n');
            if line_feed.unwrap_or(heard.len()) > LONGEST {
                return Err(ErrorKind::InvalidData.into());
            }
            if let Some(end) = line_feed {
                let mut output = (*answer.borrow_mut())(&heard[..end]);
                output.push(b'\n');
                heard.drain(..=end);
                let mut told = 0;
                while told < output.len() {
                    let n = turn.done(|| connection.write(&output[told..])).await?;
                    if n == 0 {
                        return Err(ErrorKind::WriteZero.into());
                    }
                    told += n;
                }
                continue;
            }
            let budget = turn.budget().await;
            // The turn may be over while it waits. Then it has the whole budget of the next one, of which this is not more.
            let n = turn.done(|| connection.read(&mut bytes[..budget])).await?;
            turn.budget.set(turn.budget.get() - n);
            if n == 0 {
                return if heard.is_empty() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
            heard.extend_from_slice(&bytes[..n]);
        }
    }

    /// Answers the requests of all connections on this one thread, until each of them has ended.
    pub fn serve<C: Connection>(
        connections: Vec<C>,
        answer: impl FnMut(&[u8]) -> Vec<u8>,
        mut idle: impl FnMut(),
    ) -> Vec<io::Result<()>> {
        let answer = RefCell::new(answer);
        let turn = Turn::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut ends: Vec<Option<io::Result<()>>> = Vec::new();
        let mut lives = Vec::new();
        // The first poll has no budget: it only makes the connection non-blocking.
        for connection in connections {
            let mut life = Box::pin(live(connection, &turn, &answer));
            match life.as_mut().poll(&mut context) {
                Poll::Ready(end) => {
                    ends.push(Some(end));
                    lives.push(None);
                }
                Poll::Pending => {
                    ends.push(None);
                    lives.push(Some(life));
                }
            }
        }
        // In which epoch has it been refused? An epoch ends when something moves, and with a pause.
        let mut refused_in = vec![0_u64; lives.len()];
        let mut epoch = 1;
        while lives.iter().any(Option::is_some) {
            for number in 0..lives.len() {
                let Some(life) = &mut lives[number] else { continue };
                turn.budget.set(TURN);
                turn.moved.set(false);
                turn.refused.set(false);
                let polled = life.as_mut().poll(&mut context);
                epoch += u64::from(turn.moved.get());
                if let Poll::Ready(end) = polled {
                    lives[number] = None;
                    ends[number] = Some(end);
                    epoch += 1;
                } else if turn.refused.get() {
                    refused_in[number] = epoch;
                    let mut open = lives.iter().zip(&refused_in).filter(|(life, _)| life.is_some());
                    if open.all(|(_, &refused)| refused == epoch) {
                        idle();
                        epoch += 1;
                    }
                }
            }
        }
        ends.into_iter().flatten().collect()
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
            let running = self.runtime.spawn_blocking(move || {
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

    use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

    use super::{BlockingPool, LONGEST, TURN};

    /// The next request, or `None` if the stream ends before one. It reads only when nothing is left of what it has read before.
    async fn hear<S>(stream: &mut BufReader<S>) -> io::Result<Option<Vec<u8>>>
    where
        S: AsyncRead + Unpin,
    {
        let mut request = Vec::new();
        loop {
            let here = stream.fill_buf().await?;
            if here.is_empty() {
                return if request.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
            let line_feed = here.iter().position(|&byte| byte == b'\n');
            let part = &here[..line_feed.unwrap_or(here.len())];
            if part.len() > LONGEST - request.len() {
                return Err(ErrorKind::InvalidData.into());
            }
            request.extend_from_slice(part);
            let used = part.len() + usize::from(line_feed.is_some());
            stream.consume(used);
            if line_feed.is_some() {
                return Ok(Some(request));
            }
        }
    }

    /// Answers the requests of one connection, and returns how it ended.
    ///
    /// # Errors
    /// Those of `serve`, and `Other` if there is no answer.
    pub async fn converse<S, A>(stream: S, pool: &BlockingPool, answer: Arc<A>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        A: Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    {
        let mut stream = BufReader::with_capacity(TURN, stream);
        while let Some(request) = hear(&mut stream).await? {
            let answer = Arc::clone(&answer);
            let answered = pool.run(move || answer(&request)).await;
            let Ok(mut output) = answered else {
                return Err(io::Error::other("nobody could answer"));
            };
            output.push(b'\n');
            stream.write_all(&output).await?;
            stream.flush().await?;
        }
        Ok(())
    }
}

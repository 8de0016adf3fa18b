//! rejected: lost-wakeup
//! by: a_job_whose_caller_has_gone_keeps_its_place_until_it_ends
//!
//! Breaks `a_job_whose_caller_has_gone_keeps_its_place_until_it_ends` ("A place that it was given and has not used is free again"): it is
//! counted as free, but not offered to those who wait already. Shows with one place and two who wait: the job ends, the first in the line
//! is given the place, and its future is dropped before it is polled again. The second sleeps for ever, beside a free place. With nobody
//! behind it, all is right. Who waits owns a seat that the line knows only by a `Weak`.

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
    use std::mem;
    use std::pin::Pin;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
    use std::task::{Context, Poll, Waker};

    use tokio::runtime::Handle;
    use tokio::task::JoinError;

    use super::JobError;

    /// Runs jobs that block or compute beside the tasks of a tokio runtime, so many at once at most. Clones share the places.
    #[derive(Clone, Debug)]
    pub struct BlockingPool {
        places: Arc<Places>,
    }

    #[derive(Debug)]
    struct Places {
        ledger: Mutex<Ledger>,
    }

    #[derive(Debug)]
    struct Ledger {
        free: usize,
        /// Who waits has the seat; the line only knows of it.
        line: VecDeque<Weak<Seat>>,
    }

    #[derive(Debug)]
    struct Seat {
        state: Mutex<SeatState>,
    }

    #[derive(Debug)]
    enum SeatState {
        Waiting(Waker),
        Given,
        Over,
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl Places {
        /// A place is free: it is for the first who still waits, or for whoever comes.
        fn hand_on(&self) {
            let mut ledger = lock(&self.ledger);
            while let Some(seat) = ledger.line.pop_front() {
                let Some(seat) = seat.upgrade() else { continue };
                let mut state = lock(&seat.state);
                match mem::replace(&mut *state, SeatState::Given) {
                    SeatState::Waiting(waker) => {
                        drop(state);
                        drop(ledger);
                        waker.wake();
                        return;
                    }
                    other => *state = other,
                }
            }
            ledger.free += 1;
        }
    }

    /// A place that somebody has. It goes on when this is dropped, wherever that is.
    struct Place {
        places: Arc<Places>,
    }

    impl Drop for Place {
        fn drop(&mut self) {
            self.places.hand_on();
        }
    }

    /// The future of a place.
    struct Wait<'pool> {
        places: &'pool Arc<Places>,
        seat: Option<Arc<Seat>>,
    }

    impl Future for Wait<'_> {
        type Output = Place;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Place> {
            let this = self.get_mut();
            let waker = context.waker().clone();
            if let Some(seat) = &this.seat {
                let mut state = lock(&seat.state);
                return match mem::replace(&mut *state, SeatState::Over) {
                    SeatState::Waiting(_) => {
                        *state = SeatState::Waiting(waker);
                        Poll::Pending
                    }
                    SeatState::Given => Poll::Ready(Place { places: Arc::clone(this.places) }),
                    SeatState::Over => panic!("polled after it was ready"),
                };
            }
            let mut ledger = lock(&this.places.ledger);
            if ledger.free > 0 {
                ledger.free -= 1;
                return Poll::Ready(Place { places: Arc::clone(this.places) });
            }
            let seat = Arc::new(Seat { state: Mutex::new(SeatState::Waiting(waker)) });
            ledger.line.push_back(Arc::downgrade(&seat));
            this.seat = Some(seat);
            Poll::Pending
        }
    }

    impl Drop for Wait<'_> {
        fn drop(&mut self) {
            let Some(seat) = self.seat.take() else { return };
            let state = mem::replace(&mut *lock(&seat.state), SeatState::Over);
            drop(seat);
            match state {
                SeatState::Waiting(_) => lock(&self.places.ledger).line.retain(|seat| seat.strong_count() > 0),
                SeatState::Given => lock(&self.places.ledger).free += 1,
                SeatState::Over => {}
            }
        }
    }

    impl BlockingPool {
        /// So many jobs may run at once. `usize::MAX` is as many as you like.
        ///
        /// # Panics
        /// If it is 0, for then no job could ever run.
        pub fn new(at_once: usize) -> BlockingPool {
            assert_ne!(at_once, 0, "with no place at all, no job could ever run");
            let ledger = Ledger { free: at_once, line: VecDeque::new() };
            BlockingPool { places: Arc::new(Places { ledger: Mutex::new(ledger) }) }
        }

        fn place(&self) -> Wait<'_> {
            Wait { places: &self.places, seat: None }
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
            let runtime = Handle::current();
            let place = self.place().await;
            let running = runtime.spawn_blocking(move || {
                let _place = place;
                job()
            });
            running.await.map_err(reason)
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
            let mut begun = Vec::with_capacity(inputs.len());
            for input in inputs {
                let place = self.place().await;
                let work = Arc::clone(&work);
                begun.push(runtime.spawn_blocking(move || {
                    let _place = place;
                    work(input)
                }));
            }
            let mut results = Vec::with_capacity(begun.len());
            for running in begun {
                results.push(running.await.map_err(reason));
            }
            results
        }
    }

    fn reason(error: JoinError) -> JobError {
        if error.is_panic() { JobError::Panicked } else { JobError::Stopped }
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

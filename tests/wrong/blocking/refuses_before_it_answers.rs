//! rejected: assertion
//! by: a_request_that_is_too_long_is_refused_at_once
//!
//! Breaks `the_end_is_well_between_two_requests_only` and the stub's "before which all earlier requests are answered": what is behind the
//! last line feed is looked at as soon as it has come. Shows when a single read brings a whole request and behind it `LONGEST` bytes and
//! one more without a line feed: the connection ends with `InvalidData`, and the request before was never answered. If the two come in
//! reads of their own, all is right. Each connection is a future that is polled by hand.

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
            if let Some(end) = line_feed {
                if end > LONGEST {
                    return Err(ErrorKind::InvalidData.into());
                }
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
            let begun = heard.rsplit(|&byte| byte == b'\n').next().map_or(0, <[u8]>::len);
            if begun > LONGEST {
                return Err(ErrorKind::InvalidData.into());
            }
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
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    use tokio::runtime::Handle;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::JobError;

    /// Runs jobs that block or compute beside the tasks of a tokio runtime, so many at once at most. Clones share the places.
    #[derive(Clone, Debug)]
    pub struct BlockingPool {
        house: Arc<House>,
    }

    #[derive(Debug)]
    struct House {
        door: Mutex<Door>,
    }

    #[derive(Debug)]
    struct Door {
        free: usize,
        line: VecDeque<oneshot::Sender<Key>>,
    }

    /// Whoever has a key has a place. It may lie in a channel, in a future, or in a job: where it is dropped, the place goes on.
    #[derive(Debug)]
    struct Key {
        house: Option<Arc<House>>,
    }

    impl Key {
        fn of(house: &Arc<House>) -> Key {
            Key { house: Some(Arc::clone(house)) }
        }
    }

    impl Drop for Key {
        fn drop(&mut self) {
            if let Some(house) = self.house.take() {
                house.key_is_back();
            }
        }
    }

    impl House {
        fn door(&self) -> MutexGuard<'_, Door> {
            self.door.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// The key for the first who is still there, or for whoever comes.
        fn key_is_back(self: &Arc<House>) {
            loop {
                let mut door = self.door();
                let Some(first) = door.line.pop_front() else {
                    door.free += 1;
                    return;
                };
                drop(door);
                match first.send(Key::of(self)) {
                    Ok(()) => return,
                    // This one has gone. The key is still ours, but must not come back a second time.
                    Err(mut key) => key.house = None,
                }
            }
        }

        fn ask_for_key(self: &Arc<House>) -> oneshot::Receiver<Key> {
            let (sender, receiver) = oneshot::channel();
            let mut door = self.door();
            if door.free > 0 {
                door.free -= 1;
                drop(door);
                // If that could fail, the key would come back by itself.
                drop(sender.send(Key::of(self)));
            } else {
                if door.line.len().is_power_of_two() {
                    door.line.retain(|waiting| !waiting.is_closed());
                }
                door.line.push_back(sender);
            }
            receiver
        }
    }

    /// A job. Nobody can stop it, but if it has no thread yet when this is dropped, it never begins.
    struct Running<T> {
        handle: JoinHandle<T>,
    }

    impl<T: Send + 'static> Running<T> {
        fn new(runtime: &Handle, key: Key, job: impl FnOnce() -> T + Send + 'static) -> Running<T> {
            let handle = runtime.spawn_blocking(move || {
                let _key = key;
                job()
            });
            Running { handle }
        }

        async fn outcome(mut self) -> Result<T, JobError> {
            match (&mut self.handle).await {
                Ok(result) => Ok(result),
                Err(error) if error.is_panic() => Err(JobError::Panicked),
                Err(_) => Err(JobError::Stopped),
            }
        }
    }

    impl<T> Drop for Running<T> {
        fn drop(&mut self) {
            self.handle.abort();
        }
    }

    impl BlockingPool {
        /// So many jobs may run at once. `usize::MAX` is as many as you like.
        ///
        /// # Panics
        /// If it is 0, for then no job could ever run.
        pub fn new(at_once: usize) -> BlockingPool {
            assert!(at_once != 0, "a house without a key");
            let door = Door { free: at_once, line: VecDeque::new() };
            BlockingPool { house: Arc::new(House { door: Mutex::new(door) }) }
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
            let key = self.house.ask_for_key().await.expect("the house gives every key away");
            Running::new(&runtime, key, job).outcome().await
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
            let mut all = Vec::with_capacity(inputs.len());
            for input in inputs {
                let key = self.house.ask_for_key().await.expect("the house gives every key away");
                let work = Arc::clone(&work);
                all.push(Running::new(&runtime, key, move || work(input)));
            }
            let mut results = Vec::with_capacity(all.len());
            for running in all {
                results.push(running.outcome().await);
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

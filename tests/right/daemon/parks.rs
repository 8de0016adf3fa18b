//! accepted
//!
//! Parks instead of condition variables. A thread's park token is one wakeup that is kept until the thread parks, so an
//! `unpark` between its look at the flag and its sleep is not lost. Each end of the channel of results says what is needed:
//! the worker catches its panic and sends it like any other result.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<()>,
    told: Arc<AtomicBool>,
    result: Receiver<thread::Result<T>>,
}

#[derive(Debug)]
pub struct StopSignal {
    told: Arc<AtomicBool>,
    worker: Thread,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let told = Arc::new(AtomicBool::new(false));
        let (tell, result) = mpsc::sync_channel(1);
        let thread_body = {
            let told = Arc::clone(&told);
            move || {
                let stop = StopSignal { told, worker: thread::current() };
                let result = panic::catch_unwind(AssertUnwindSafe(|| work(&stop)));
                // It fails if the worker was dropped: nobody wants to know.
                let _ = tell.send(result);
            }
        };
        let handle = thread::Builder::new().name(name.into()).spawn(thread_body).expect("a thread");
        Worker { handle, told, result }
    }

    pub fn stop(&self) {
        self.told.store(true, Ordering::Release);
        self.handle.thread().unpark();
    }

    pub fn is_alive(&self) -> bool {
        !self.handle.is_finished()
    }

    pub fn join(self) -> thread::Result<T> {
        let result = self.result.recv().expect("the worker sends before it ends");
        self.handle.join()?;
        result
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        match self.result.recv_timeout(limit) {
            Ok(result) => Joined::Ended(self.handle.join().and(result)),
            Err(RecvTimeoutError::Timeout) => Joined::StillRunning(self),
            Err(RecvTimeoutError::Disconnected) => unreachable!("the worker sends before it ends"),
        }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        self.told.load(Ordering::Acquire)
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        debug_assert_eq!(thread::current().id(), self.worker.id(), "only the worker's own thread can be unparked");
        let start = Instant::now();
        loop {
            if self.is_set() {
                return true;
            }
            match pause.checked_sub(start.elapsed()) {
                None | Some(Duration::ZERO) => return false,
                Some(left) => thread::park_timeout(left),
            }
        }
    }
}

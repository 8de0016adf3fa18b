//! accepted
//!
//! Everything parks: the worker for its sleeps, and the thread that started it for the end. So neither the handle nor the signal may
//! go to another thread, and the types say so: they are neither `Send` nor `Sync`.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// Something that stays on the thread where it was made.
type Stays = PhantomData<*const ()>;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    told: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    _stays: Stays,
}

#[derive(Debug)]
pub struct StopSignal {
    told: Arc<AtomicBool>,
    _stays: Stays,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

/// Says at its end that the worker has ended, and wakes its owner.
struct TellsEnd {
    ended: Arc<AtomicBool>,
    owner: Thread,
}

impl Drop for TellsEnd {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.owner.unpark();
    }
}

/// Waits for the flag. Whoever sets it unparks this thread.
fn wait_for(flag: &AtomicBool, limit: Duration) -> bool {
    let start = Instant::now();
    loop {
        if flag.load(Ordering::Acquire) {
            return true;
        }
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            return false;
        }
        thread::park_timeout(left);
    }
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let (told, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let end = TellsEnd { ended: Arc::clone(&ended), owner: thread::current() };
        let flag = Arc::clone(&told);
        let thread_body = move || {
            let _end = end;
            work(&StopSignal { told: flag, _stays: PhantomData })
        };
        let handle = thread::Builder::new().name(name.to_owned()).spawn(thread_body).expect("a thread");
        Worker { handle, told, ended, _stays: PhantomData }
    }

    pub fn stop(&self) {
        self.told.store(true, Ordering::Release);
        self.handle.thread().unpark();
    }

    pub fn is_alive(&self) -> bool {
        !self.ended.load(Ordering::Acquire)
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        match wait_for(&self.ended, limit) {
            true => Joined::Ended(self.join()),
            false => Joined::StillRunning(self),
        }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        self.told.load(Ordering::Acquire)
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        wait_for(&self.told, pause)
    }
}

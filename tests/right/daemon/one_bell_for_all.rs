//! accepted
//!
//! One static condition variable for all workers and owners of the program: whoever hears it looks whether it was meant. The end of the
//! work is told by the signal's own destructor.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One lock and one condition variable for all workers of the program.
static LOCK: Mutex<()> = Mutex::new(());
static NEWS: Condvar = Condvar::new();

#[derive(Debug, Default)]
struct State {
    told: Mutex<bool>,
    ended: Mutex<bool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set(flag: &Mutex<bool>) {
    let all = lock(&LOCK);
    *lock(flag) = true;
    drop(all);
    NEWS.notify_all();
}

fn wait_for(flag: &Mutex<bool>, limit: Duration) -> bool {
    let begun = Instant::now();
    let mut all = lock(&LOCK);
    loop {
        if *lock(flag) {
            return true;
        }
        let left = limit.saturating_sub(begun.elapsed());
        if left == Duration::ZERO {
            return false;
        }
        all = NEWS.wait_timeout(all, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    state: Arc<State>,
}

#[derive(Debug)]
pub struct StopSignal {
    state: Arc<State>,
}

impl Drop for StopSignal {
    fn drop(&mut self) {
        set(&self.state.ended);
    }
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let state: Arc<State> = Arc::default();
        let signal = StopSignal { state: Arc::clone(&state) };
        let builder = thread::Builder::new().name(name.to_owned());
        let handle = builder.spawn(move || {
            let signal = signal;
            work(&signal)
        });
        Worker { handle: handle.expect("a thread"), state }
    }

    pub fn stop(&self) {
        set(&self.state.told);
    }

    pub fn is_alive(&self) -> bool {
        !*lock(&self.state.ended)
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        match wait_for(&self.state.ended, limit) {
            true => Joined::Ended(self.join()),
            false => Joined::StillRunning(self),
        }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        *lock(&self.state.told)
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        wait_for(&self.state.told, pause)
    }
}

//! rejected: race
//! by: a_worker_is_alive_until_it_returns_or_panics
//!
//! A `join_timeout` that gives up leaves a helper thread behind, which joins the worker and sends what came of it. The work is over before
//! the helper has sent that: `is_alive` is false, and `join_timeout` still gives the worker back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread in the background, in the hands of the thread that started it.
#[derive(Debug)]
pub struct Worker<T> {
    outcome: Outcome<T>,
    stop: Arc<StopSignal>,
    over: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Outcome<T> {
    /// Nobody has waited with a limit yet.
    Handle(JoinHandle<T>),
    /// A helper joins the worker and sends what came of it.
    Helper(Receiver<thread::Result<T>>),
}

/// Notes that the work is over when it is dropped, also in a panic.
struct NotesEnd(Arc<AtomicBool>);

impl Drop for NotesEnd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// How a worker learns that it shall stop. Its work gets a reference.
#[derive(Debug)]
pub struct StopSignal {
    told: Mutex<bool>,
    tell: Condvar,
}

/// What came of waiting for a worker for a while.
#[derive(Debug)]
pub enum Joined<T> {
    /// It has ended, with a result or in a panic: exactly what `join` would have given.
    Ended(thread::Result<T>),
    /// The time was up first. Here is the worker, for another try.
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    /// Starts `work` in a thread of that name, and goes on at once.
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let stop = Arc::new(StopSignal { told: Mutex::new(false), tell: Condvar::new() });
        let over = Arc::new(AtomicBool::new(false));
        let notes_end = NotesEnd(Arc::clone(&over));
        let signal = Arc::clone(&stop);
        let handle = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _notes_end = notes_end;
                work(&signal)
            })
            .expect("the system starts a thread");
        Worker { outcome: Outcome::Handle(handle), stop, over }
    }

    /// Tells the worker to stop, and goes on at once.
    pub fn stop(&self) {
        *self.stop.told.lock().unwrap() = true;
        self.stop.tell.notify_all();
    }

    /// Whether the thread has not ended yet, well or in a panic.
    pub fn is_alive(&self) -> bool {
        !self.over.load(Ordering::SeqCst)
    }

    /// Waits until the worker has ended.
    pub fn join(self) -> thread::Result<T> {
        match self.outcome {
            Outcome::Handle(handle) => handle.join(),
            Outcome::Helper(outcomes) => outcomes.recv().expect("the helper sends what it got"),
        }
    }

    /// Waits until the worker has ended, but for `limit` at most.
    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        let Worker { outcome, stop, over } = self;
        let outcomes = match outcome {
            Outcome::Handle(handle) => {
                if over.load(Ordering::SeqCst) {
                    return Joined::Ended(handle.join());
                }
                let (sender, outcomes) = mpsc::channel();
                thread::spawn(move || {
                    // If nobody gets it, the worker was dropped.
                    let _ = sender.send(handle.join());
                });
                outcomes
            }
            Outcome::Helper(outcomes) => outcomes,
        };
        match outcomes.recv_timeout(limit) {
            Ok(result) => Joined::Ended(result),
            Err(_) => Joined::StillRunning(Worker { outcome: Outcome::Helper(outcomes), stop, over }),
        }
    }
}

impl StopSignal {
    /// Whether the worker has been told to stop.
    pub fn is_set(&self) -> bool {
        *self.told.lock().unwrap()
    }

    /// Sleeps for `pause`, and wakes earlier only if the worker is told to stop.
    pub fn sleep(&self, pause: Duration) -> bool {
        let told = self.told.lock().unwrap();
        let (told, _) = self.tell.wait_timeout_while(told, pause, |told| !*told).unwrap();
        *told
    }
}

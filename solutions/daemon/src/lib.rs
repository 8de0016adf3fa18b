//! A worker in the background: tell it to stop, wait for it for ever or for a while, or forget it.
//!
//! Two questions go between a worker and its owner, one in each direction, and each has an answer of its own kind:
//!
//! - "Shall I stop?" is a *fact* that stays true once it is. So it is a flag, and a condition variable for those who sleep
//!   until it changes.
//! - "Have you ended?" must be answered even by a worker that panics. So nobody answers it: the worker holds one end of a
//!   channel, and whatever ends the worker drops that end.

use std::convert::Infallible;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A thread in the background, in the hands of the thread that started it.
///
/// Dropping it changes nothing for the thread: that goes on until its work is done or the program ends.
// There is no `impl Drop`. Dropping the handle detaches the thread, and dropping our share of the signal sets no flag.
#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    stop: Arc<StopSignal>,
    /// `join` has no timeout, but a channel has one. Nothing can be sent through this one, since there is no value of type
    /// `Infallible`. All that can happen is that the other end goes away, and that is the message.
    ended: Receiver<Infallible>,
}

/// How a worker learns that it shall stop. Its work gets a reference.
#[derive(Debug, Default)]
pub struct StopSignal {
    told: Mutex<bool>,
    changed: Condvar,
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
    ///
    /// # Panics
    /// If the system has no room for one more thread.
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let stop = Arc::new(StopSignal::default());
        let (alive, ended) = mpsc::channel();
        let thread_body = {
            let stop = Arc::clone(&stop);
            move || {
                // Dropped when this closure is left: at its end, or while a panic unwinds through it. The underscore keeps
                // the compiler quiet; a bare `_` would drop it here and now.
                let _alive = alive;
                work(&stop)
            }
        };
        // `thread::spawn` would do, but for the name. That is what a debugger, `top -H` and the message of a panic show.
        let handle = thread::Builder::new().name(name.to_owned()).spawn(thread_body);
        Worker { handle: handle.expect("the system has room for one more thread"), stop, ended }
    }

    /// Tells the worker to stop, and goes on at once. The worker decides when it does: see [`StopSignal`].
    pub fn stop(&self) {
        self.stop.set();
    }

    /// Whether the thread has not ended yet, well or in a panic.
    pub fn is_alive(&self) -> bool {
        !self.handle.is_finished()
    }

    /// Waits until the worker has ended. Gives what its work returned, or what it panicked with.
    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    /// Waits until the worker has ended, but for `limit` at most.
    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        // No arm for `Ok`: the compiler knows that a message can't come.
        match self.ended.recv_timeout(limit) {
            // The thread has left its work and has only to leave the system, so this `join` is a matter of microseconds. It
            // gives the result, or the payload of the panic.
            Err(RecvTimeoutError::Disconnected) => Joined::Ended(self.join()),
            // We took `self`, so that nobody can join twice. Who may still want to join gets it back.
            Err(RecvTimeoutError::Timeout) => Joined::StillRunning(self),
        }
    }
}

impl StopSignal {
    /// Whether the worker has been told to stop.
    pub fn is_set(&self) -> bool {
        *self.told.lock().expect(NO_PANIC)
    }

    /// Sleeps for `pause`, and wakes earlier only if the worker is told to stop. Does not sleep at all if it was told before.
    ///
    /// Says whether the worker has been told to stop, so that work that repeats reads `while !stop.sleep(pause) { … }`.
    pub fn sleep(&self, pause: Duration) -> bool {
        let told = self.told.lock().expect(NO_PANIC);
        // Three things that a `wait_timeout` by hand has to get right: look at the flag before the first wait, go on waiting
        // after a wakeup that nobody asked for, and then only for the rest of the time.
        let (told, _) = self.changed.wait_timeout_while(told, pause, |told| !*told).expect(NO_PANIC);
        // The flag says more than the timeout does: the stop may have come just as the time was up.
        *told
    }

    /// Sets the flag for good and wakes who sleeps.
    fn set(&self) {
        // The sleeper looks at the flag and goes to sleep without letting go of the lock in between. So the flag can change
        // before its look, or when it is asleep and can be woken, but not between the two, where a wakeup would be lost.
        *self.told.lock().expect(NO_PANIC) = true;
        self.changed.notify_all();
    }
}

/// Why the lock is never poisoned.
const NO_PANIC: &str = "nothing panics while it holds the flag";

//! rejected: race
//! by: every_small_program_of_calls_keeps_the_contract
//!
//! The worker says first that it has gone, and then lets go of the channel at which whoever joins it waits. In between, `is_alive` is
//! false, and `join_timeout` with a limit of zero gives it back as still running.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    ended: Receiver<()>,
    stop: Arc<StopSignal>,
    over: Arc<std::sync::atomic::AtomicBool>,
}

#[derive(Debug)]
pub struct StopSignal {
    told: Mutex<bool>,
    changed: Condvar,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let stop = Arc::new(StopSignal { told: Mutex::new(false), changed: Condvar::new() });
        let (alive, ended) = mpsc::channel();
        let over = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let is_over = over.clone();
        let signal = Arc::clone(&stop);
        let handle = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                struct Over(Arc<std::sync::atomic::AtomicBool>);
                impl Drop for Over {
                    fn drop(&mut self) {
                        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
                    }
                }
                let _alive = alive;
                let _over = Over(is_over);
                work(&signal)
            })
            .unwrap();
        Worker { handle, ended, stop, over }
    }

    pub fn stop(&self) {
        *self.stop.told.lock().unwrap() = true;
        self.stop.changed.notify_all();
    }

    pub fn is_alive(&self) -> bool {
        !self.over.load(std::sync::atomic::Ordering::SeqCst)
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        match self.ended.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => Joined::StillRunning(self),
            _ => Joined::Ended(self.handle.join()),
        }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        *self.told.lock().unwrap()
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        let told = self.told.lock().unwrap();
        let (told, _) = self.changed.wait_timeout_while(told, pause, |told| !*told).unwrap();
        *told
    }
}

//! rejected: leak
//! by: a_sleep_lasts_until_its_time_or_the_stop
//!
//! Each sleep starts a second thread that sleeps for it and then notifies; `stop` notifies too. Whichever comes first ends
//! the sleep. But the second thread sleeps on after the stop, and nobody ever waits for it.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    stop: StopSignal,
    ended: Receiver<()>,
}

#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    told: bool,
    timers_over: usize,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let stop = StopSignal::default();
        let shared = stop.clone();
        let (alive, ended) = mpsc::channel();
        let thread_body = move || {
            let _alive = alive;
            work(&shared)
        };
        let handle = thread::Builder::new().name(name.to_owned()).spawn(thread_body).unwrap();
        Worker { handle, stop, ended }
    }

    pub fn stop(&self) {
        self.stop.change(|state| state.told = true);
    }

    pub fn is_alive(&self) -> bool {
        !self.handle.is_finished()
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        match self.ended.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => Joined::StillRunning(self),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Joined::Ended(self.join()),
        }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        self.shared.0.lock().unwrap().told
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        let (state, changed) = &*self.shared;
        let state = state.lock().unwrap();
        if state.told {
            return true;
        }
        let before = state.timers_over;
        let timer = self.clone();
        thread::spawn(move || {
            thread::sleep(pause);
            timer.change(|state| state.timers_over += 1);
        });
        changed.wait_while(state, |state| !state.told && state.timers_over == before).unwrap().told
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.0.lock().unwrap());
        self.shared.1.notify_all();
    }
}

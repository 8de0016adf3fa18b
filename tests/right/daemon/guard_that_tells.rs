//! accepted
//!
//! One lock and one condition variable for everything that worker and owner tell each other. The end of the work is told by
//! the destructor of a local variable, which runs in a panic too.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Worker<T> {
    handle: JoinHandle<T>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub struct StopSignal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub enum Joined<T> {
    Ended(thread::Result<T>),
    StillRunning(Worker<T>),
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    told_to_stop: bool,
    ended: bool,
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut State)) {
        // A destructor calls this, maybe in a panic, so it must not panic itself.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn wait(&self, limit: Duration, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let start = Instant::now();
        let mut state = self.state.lock().unwrap();
        while !until(&state) {
            let Some(left) = limit.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) else { break };
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
        state
    }
}

struct TellsOnDrop(Arc<Shared>);

impl Drop for TellsOnDrop {
    fn drop(&mut self) {
        self.0.change(|state| state.ended = true);
    }
}

impl<T: Send + 'static> Worker<T> {
    pub fn start(name: &str, work: impl FnOnce(&StopSignal) -> T + Send + 'static) -> Worker<T> {
        let shared = Arc::<Shared>::default();
        let stop = StopSignal { shared: shared.clone() };
        let end = TellsOnDrop(shared.clone());
        let thread_body = move || {
            let _end = end;
            work(&stop)
        };
        Worker { handle: thread::Builder::new().name(name.to_string()).spawn(thread_body).unwrap(), shared }
    }

    pub fn stop(&self) {
        self.shared.change(|state| state.told_to_stop = true);
    }

    pub fn is_alive(&self) -> bool {
        !self.shared.state.lock().unwrap().ended
    }

    pub fn join(self) -> thread::Result<T> {
        self.handle.join()
    }

    pub fn join_timeout(self, limit: Duration) -> Joined<T> {
        let ended = self.shared.wait(limit, |state| state.ended).ended;
        if ended { Joined::Ended(self.join()) } else { Joined::StillRunning(self) }
    }
}

impl StopSignal {
    pub fn is_set(&self) -> bool {
        self.shared.state.lock().unwrap().told_to_stop
    }

    pub fn sleep(&self, pause: Duration) -> bool {
        self.shared.wait(pause, |state| state.told_to_stop).told_to_stop
    }
}

//! rejected: leak
//! by: a_wait_with_a_limit_ends_with_the_event_or_with_the_limit
//!
//! Breaks "a thread that you start yourself has ended when its event is dropped": each `wait_timeout` starts a timer, and the event joins
//! it at its end, but only the newest one. Shows if a pulse lets one wait go on, the next wait begins at once and is let go on as well,
//! and the event is dropped before the first timer has run again.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[derive(Debug, PartialEq, Eq)]
enum News {
    GoOn,
    TimeIsUp,
}

#[derive(Debug, Default)]
struct State {
    set: bool,
    ids: u64,
    waiting: Vec<(u64, Sender<News>)>,
}

impl State {
    fn let_all_go(&mut self) {
        for (_, waiting) in self.waiting.drain(..) {
            let _ = waiting.send(News::GoOn);
        }
    }
}

/// Something that threads wait for: it is set or clear. They share it by reference.
#[derive(Debug)]
pub struct Event {
    state: Mutex<State>,
    /// Looks after the limit of whoever waits.
    timer: Mutex<Option<JoinHandle<()>>>,
}

impl Event {
    /// An event that is clear.
    pub fn cleared() -> Event {
        Event { state: Mutex::default(), timer: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Sets the event, until it is cleared. Everybody who waits goes on, whatever comes next.
    pub fn set(&self) {
        let mut state = self.lock();
        state.set = true;
        state.let_all_go();
    }

    /// Clears the event. Whoever was let go on before still goes on.
    pub fn clear(&self) {
        self.lock().set = false;
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.lock().set
    }

    /// Lets everybody go on who waits now, and nobody who comes later. The event stays set or clear, as it was.
    pub fn pulse(&self) {
        self.lock().let_all_go();
    }

    /// Begins to wait, unless the event is set: a number, where news can be sent to, and where they come.
    fn begin(&self) -> Option<(u64, Sender<News>, Receiver<News>)> {
        let mut state = self.lock();
        if state.set {
            return None;
        }
        let (sender, news) = mpsc::channel();
        state.ids += 1;
        let id = state.ids;
        state.waiting.push((id, sender.clone()));
        Some((id, sender, news))
    }

    /// Waits until the event is set or pulsed. Does not wait if it is set already.
    pub fn wait(&self) {
        if let Some((_, _sender, news)) = self.begin() {
            let _ = news.recv();
        }
    }

    /// Like [`wait`](Event::wait), but waits for `limit` at most. Says whether the event let it go on; with `Duration::MAX`, it
    /// waits until that is so.
    pub fn wait_timeout(&self, limit: Duration) -> bool {
        if limit.is_zero() {
            return self.is_set();
        }
        if Instant::now().checked_add(limit).is_none() {
            self.wait();
            return true;
        }
        let Some((id, sender, news)) = self.begin() else {
            return true;
        };
        let (stop, stopped) = mpsc::channel::<()>();
        let timer = thread::spawn(move || {
            if stopped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let _ = sender.send(News::TimeIsUp);
            }
        });
        *self.timer.lock().unwrap() = Some(timer);
        let first = news.recv().expect("the event or the timer says something");
        // The timer needs to go no further.
        drop(stop);
        if first == News::GoOn {
            return true;
        }
        self.lock().waiting.retain(|(other, _)| *other != id);
        // It may have been let go on meanwhile.
        news.try_recv().is_ok()
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.get_mut().unwrap().take() {
            timer.join().expect("the timer does not panic");
        }
    }
}

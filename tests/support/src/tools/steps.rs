//! A thread that moves only when it is told to.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// A thread that stands still at each of its pauses until the test lets it take the next step.
///
/// Dropped, it goes on to its end without pausing, and is waited for.
///
/// ```
/// use kata::{Log, Steps};
///
/// let log = Log::new();
/// let thread = Steps::of({
///     let log = log.clone();
///     move |pause| {
///         log.note("one");
///         pause();
///         log.note("two");
///     }
/// });
/// thread.step();
/// assert_eq!(log.events(), ["one"]);
/// drop(thread);
/// assert_eq!(log.events(), ["one", "two"]);
/// ```
#[derive(Debug)]
#[must_use = "dropping it at once lets it go to its end at once"]
pub struct Steps {
    // Dropped first, so that the thread pauses no more.
    go: Option<Sender<()>>,
    stands: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Steps {
    /// A thread that will do this. It has not begun yet.
    ///
    /// # Panics
    /// If the system has no room for one more thread.
    #[track_caller]
    pub fn of(body: impl FnOnce(&dyn Fn()) + Send + 'static) -> Steps {
        let ((go, orders), (paused, stands)) = (channel(), channel());
        let thread = thread::Builder::new().name("step by step".to_owned()).spawn(move || {
            let pause = || {
                // Whoever gave the orders has gone: then nobody counts steps any more.
                let _ = paused.send(());
                let _ = orders.recv();
            };
            let _ = orders.recv();
            body(&pause);
        });
        let thread = thread.expect("the system has room for one more thread");
        Steps { go: Some(go), stands, thread: Some(thread) }
    }

    /// Lets the thread go on, and waits until it stands still at its next pause. At its end, it takes no more steps.
    #[track_caller]
    pub fn step(&self) {
        if self.go.as_ref().is_some_and(|go| go.send(()).is_ok()) {
            let _ = self.stands.recv();
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.go = None;
        if let Some(thread) = self.thread.take()
            && !thread::panicking()
            && let Err(panic) = thread.join()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

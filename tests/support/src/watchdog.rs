//! Waits for a test's body, and notices when nothing moves any more.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use verdict::patience::is_over;

use crate::tasks::{State, Task, family, own_id, spent, turns_of_family};

/// How often the watchdog looks.
const TICK: Duration = Duration::from_millis(50);
/// So many looks in a row must show the same picture: about a second. Looks are counted rather than time, so that a
/// machine which is slow to let the watchdog run makes it more patient.
const STILL_TICKS: u32 = 20;

/// How the body came to its end, as soon as it has.
///
/// Joining its thread would say the same, but later: a destructor of a thread-local value may block for ever.
#[derive(Debug, Default)]
pub(crate) struct Done {
    result: Mutex<Option<thread::Result<()>>>,
    changed: Condvar,
}

impl Done {
    /// The body is done.
    pub(crate) fn set(&self, result: thread::Result<()>) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        self.changed.notify_all();
    }

    /// The result, if the body is done.
    pub(crate) fn take(&self) -> Option<thread::Result<()>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits for the body, a tick at most.
    fn within_a_tick(&self) -> bool {
        let result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(result, TICK, |result| result.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }
}

/// What the watchdog saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// What it waited for came.
    Done,
    /// Nothing moves any more.
    Idle,
    /// The time is up.
    Overdue,
}

/// How long the watchdog waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// When the body began with the input that it is run with.
    pub(crate) begun: fn() -> Instant,
    /// How long it may take.
    pub(crate) deadline: Duration,
    /// Whether it may stand still so long.
    pub(crate) while_idle: bool,
}

/// Waits until the body is done.
pub(crate) fn watch(done: &Done, patience: Patience) -> Seen {
    watch_until(|| done.within_a_tick(), patience)
}

/// Waits until no thread or process is left over in the eyes of `left_over`.
pub(crate) fn watch_leaving(mut left_over: impl FnMut() -> bool, patience: Patience) -> Seen {
    // A joined thread needs a moment to vanish, so look often at first.
    let mut pause = Duration::from_micros(50);
    let gone = || {
        if !left_over() {
            return true;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(TICK);
        false
    };
    watch_until(gone, patience)
}

/// Waits until `came`, which takes a tick, says so.
fn watch_until(mut came: impl FnMut() -> bool, patience: Patience) -> Seen {
    let mut stillness = Stillness::default();
    let (mut begun, mut before) = ((patience.begun)(), spent(std::process::id()));
    loop {
        if came() {
            return Seen::Done;
        }
        // What it has spent on other inputs is not held against the next one.
        if begun != (patience.begun)() {
            (begun, before) = ((patience.begun)(), spent(std::process::id()));
        }
        if is_over(begun.elapsed(), patience.deadline, || turns_of_family(before)) {
            return Seen::Overdue;
        }
        if !patience.while_idle && family().is_some_and(|tasks| stillness.lasts(without_watchdog(tasks))) {
            return Seen::Idle;
        }
    }
}

/// For how many looks nothing has moved.
#[derive(Debug, Default)]
struct Stillness {
    last: Option<Vec<Task>>,
    ticks: u32,
}

impl Stillness {
    /// Whether nothing has moved for long enough, now that this is the picture.
    ///
    /// A thread that had run and fallen asleep again would have been counted as switched, and one that is ready but
    /// gets no processor counts as running: a loaded machine is never taken for a deadlock.
    fn lasts(&mut self, tasks: Vec<Task>) -> bool {
        let still = tasks.iter().all(|task| task.state != State::Running) && self.last.as_ref() == Some(&tasks);
        self.ticks = if still { self.ticks + 1 } else { 0 };
        self.last = Some(tasks);
        self.ticks >= STILL_TICKS
    }
}

/// The watchdog itself moves whenever it looks.
fn without_watchdog(mut tasks: Vec<Task>) -> Vec<Task> {
    let watchdog = own_id();
    tasks.retain(|task| Some(task.id) != watchdog);
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(state: State, switches: u64) -> Vec<Task> {
        vec![Task { process: 1, id: 1, name: "main".to_owned(), state, waits: 0, switches }]
    }

    #[test]
    fn only_a_picture_that_stays_the_same_is_still() {
        let mut stillness = Stillness::default();
        let looks = (0..=STILL_TICKS).filter(|_| stillness.lasts(picture(State::Asleep, 7))).count();
        assert_eq!(looks, 1, "the last look of so many is the first that says so");
        assert!(!stillness.lasts(picture(State::Asleep, 8)), "it has moved");
        assert!(!stillness.lasts(picture(State::Asleep, 8)), "it must be still for long again");
    }

    #[test]
    fn a_thread_that_runs_or_waits_for_a_processor_is_not_still() {
        let mut stillness = Stillness::default();
        assert!((0..100).all(|_| !stillness.lasts(picture(State::Running, 7))));
    }
}

//! Several who wait for the same thing, while some of them give up.

use std::fmt::{self, Display};
use std::thread;
use std::time::{Duration, Instant};

use super::start;
use crate::inputs::{listed, subsets};

/// Four who come one after the other to wait for the same thing, and which of them give up. Each comes a second after the one before; who
/// gives up does so when the next one is there, and before another one comes. Whoever keeps a list of those who wait has to change it in
/// each of its places. For schedules: time is exact there.
#[derive(Clone, Debug)]
pub struct Crowd {
    impatient: Vec<usize>,
}

const WAITERS: usize = 4;
/// Between one who comes and the next one.
const BETWEEN: Duration = Duration::from_secs(1);
/// How long those wait who give up.
const LIMIT: Duration = Duration::from_millis(1_500);
/// When those are let go on who are still there.
const END: Duration = Duration::from_secs(10);

impl Crowd {
    /// All of them: nobody gives up, each alone, each two, and so on.
    pub fn all() -> Vec<Crowd> {
        subsets(WAITERS).into_iter().map(|impatient| Crowd { impatient }).collect()
    }

    /// Lets them wait by `wait`, with a limit or with none, which says whether it was let go on; and lets all of them go on by `let_go`
    /// who are still there.
    ///
    /// # Panics
    /// If somebody who gives up returns at another moment than that of its limit, or anybody else at another one than that of `let_go`,
    /// or says the wrong thing.
    #[track_caller]
    pub fn wait(&self, wait: impl Fn(Option<Duration>) -> bool + Sync, let_go: impl FnOnce()) {
        let begin = Instant::now();
        let waits = |place: usize| {
            thread::sleep(BETWEEN * place as u32);
            let is_let_go = wait(self.gives_up(place).then_some(LIMIT));
            (is_let_go, begin.elapsed())
        };
        let waited = thread::scope(|scope| {
            let waiter = |place| start(scope, &format!("waiter {}", place + 1), move || waits(place));
            let waiters: Vec<_> = (0..WAITERS).map(waiter).collect();
            thread::sleep(END);
            let_go();
            waiters.into_iter().map(|waiter| waiter.join().expect("no wait panics")).collect::<Vec<_>>()
        });
        let expected = |place| match self.gives_up(place) {
            true => (false, BETWEEN * place as u32 + LIMIT),
            false => (true, END),
        };
        let expected: Vec<_> = (0..WAITERS).map(expected).collect();
        assert_eq!(waited, expected, "whether each was let go on, and when");
    }

    fn gives_up(&self, place: usize) -> bool {
        self.impatient.contains(&place)
    }
}

impl Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.impatient[..] {
            [] => write!(f, "{WAITERS} who wait"),
            [_] => write!(f, "{WAITERS} who wait, of whom number {} gives up", listed(&self.impatient)),
            _ => write!(f, "{WAITERS} who wait, of whom numbers {} give up", listed(&self.impatient)),
        }
    }
}

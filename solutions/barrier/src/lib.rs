//! A barrier that can be used again and again, and that breaks rather than let anybody wait for somebody who never
//! comes.
//!
//! The parties of one round wait for one answer: all were here, or the round is broken. That answer belongs to the
//! round, not to the barrier. The fastest may be back for the next round, or break it, before the slowest has woken up
//! from the last one. So each round has an object of its own, which gets its answer once and keeps it, and the barrier
//! has the current one.

use std::mem;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::Duration;

/// A place where a fixed number of parties wait for each other. Threads share it by reference.
#[derive(Debug)]
pub struct Barrier {
    parties: NonZeroUsize,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    round: Round,
    /// How many parties of this round are here.
    here: usize,
    broken: bool,
}

/// What becomes of a round, once that is known.
type Round = Arc<OnceLock<Result<(), Broken>>>;

/// One party: whoever has it takes part, also if another thread has made it. Each thread that takes part has its own. If it
/// is dropped by a panic, the barrier breaks.
#[derive(Debug)]
pub struct Party<'barrier> {
    barrier: &'barrier Barrier,
}

/// This wait is in vain: somebody gave up or panicked, or has reset the barrier while this one waited. The barrier itself is
/// not broken any more once it is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Barrier {
    /// A barrier for so many parties, however many.
    pub fn new(parties: NonZeroUsize) -> Barrier {
        Barrier { parties, state: Mutex::default(), ended: Condvar::new() }
    }

    /// One party. Nobody counts how many of them there are: it is those that wait who count.
    pub fn party(&self) -> Party<'_> {
        Party { barrier: self }
    }

    /// Whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.lock().broken
    }

    /// Mends the barrier: a new round begins. For whoever waits now, the barrier has broken.
    pub fn reset(&self) {
        let mut state = self.lock();
        self.end(&mut state, Err(Broken));
        state.broken = false;
    }

    /// Ends the round for everybody who is here, and begins the next.
    fn end(&self, state: &mut State, outcome: Result<(), Broken>) {
        let ended = mem::replace(state, State { broken: outcome.is_err(), ..State::default() });
        // Those who wait have this round in their hands. What becomes of the next one is no matter to them.
        ended.round.set(outcome).expect("a round ends once");
        self.ended.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNBROKEN)
    }
}

impl Party<'_> {
    /// Waits until all parties are here, and then all go on. Says "true" to exactly one of them, the leader of this round.
    ///
    /// # Errors
    /// [`Broken`] if the barrier is broken, or if it breaks or is reset while this one waits.
    pub fn wait(&self) -> Result<bool, Broken> {
        self.wait_timeout(Duration::MAX)
    }

    /// Like [`wait`](Party::wait), but waits for `limit` at most. Then it gives up, and that breaks the barrier for all.
    /// `Duration::MAX`, or whatever else is too long for the clock, is no limit.
    ///
    /// # Errors
    /// As `wait`, and [`Broken`] if the time is up.
    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, Broken> {
        let Barrier { parties, ended, .. } = self.barrier;
        let mut state = self.barrier.lock();
        if state.broken {
            return Err(Broken);
        }
        state.here += 1;
        if state.here == parties.get() {
            self.barrier.end(&mut state, Ok(()));
            return Ok(true);
        }
        let round = Arc::clone(&state.round);
        let waiting = ended.wait_timeout_while(state, limit, |_| round.get().is_none());
        let (mut state, timeout) = waiting.expect(UNBROKEN);
        if timeout.timed_out() {
            // The others wait for one who does not come any more. They have to know.
            self.barrier.end(&mut state, Err(Broken));
        }
        round.get().expect("it has ended").map(|()| false)
    }
}

impl Drop for Party<'_> {
    /// However a scope is left, what is in it is dropped. A party that panics will not come any more.
    fn drop(&mut self) {
        if thread::panicking() {
            self.barrier.end(&mut self.barrier.lock(), Err(Broken));
        }
    }
}

/// A lock is poisoned when a thread panics while it holds it. No code here panics under the lock.
const UNBROKEN: &str = "nothing panics while it holds the lock";

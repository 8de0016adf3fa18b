//! A fact that Linux knows: nobody but the caller moves.

/// Waits until nothing else moves: all other threads of the test and all its child processes are asleep. Then a call that could
/// return has returned, and one that has not returned waits for something.
///
/// It helps a test to catch those who don't wait. No right answer may depend on it: who spins is not waited for, and where the
/// system doesn't say what threads do, this returns at once.
///
/// # Panics
/// In explored builds: there the scheduler tries all orders anyway.
pub fn until_still() {
    #[cfg(feature = "explore")]
    panic!("until_still is for real threads: run this body with `on_threads` or `Check::threads_only`");
    #[cfg(not(feature = "explore"))]
    on_threads::until_still();
}

#[cfg(not(feature = "explore"))]
mod on_threads {
    use std::collections::BTreeMap;
    use std::thread;
    use std::time::Duration;

    use crate::tasks::{State, family, own_id};
    use crate::threads::harness;

    /// Who has had a processor for so long (the clock's ticks, of 10 ms mostly) or so often, and still runs, spins. Time on the
    /// wall would say nothing on a busy machine.
    const LONG: u64 = 3;
    const OFTEN: u64 = 50;

    pub(super) fn until_still() {
        let (own, mut quiet, mut before) = (own_id(), 0, BTreeMap::new());
        // What one thread has done may still be on its way to another one. Two looks are apart for long enough.
        while quiet < 2 {
            let Some(mut others) = family() else { return };
            let harness = harness();
            others.retain(|task| Some(task.id) != own && !harness.contains(&task.id));
            let runs = others.iter().any(|task| {
                let now = (task.processor_time(), task.switches);
                let first = *before.entry(task.id).or_insert(now);
                let spins = now.0.saturating_sub(first.0) >= LONG || now.1 - first.1 >= OFTEN;
                task.state == State::Running && !spins
            });
            quiet = if runs { 0 } else { quiet + 1 };
            thread::sleep(Duration::from_micros(200));
        }
    }
}

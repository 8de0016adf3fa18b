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

    use crate::tasks::{State, Task, family, own_id};
    use crate::threads::harness;

    /// Who has had a processor for so long (the clock's ticks, of 10 ms mostly) without once waiting for anything, spins. Time on
    /// the wall would say nothing on a busy machine.
    const LONG: u64 = 3;
    /// Who has made way for others so often without once waiting for anything, spins, too.
    const OFTEN: u64 = 50;
    /// Who has gone on and off a processor so often asks again and again, with a pause in between.
    const VERY_OFTEN: u64 = 2_000;
    /// What one thread has done may still be on its way to another one.
    const BETWEEN_LOOKS: Duration = Duration::from_micros(200);

    /// One look takes its time, and two threads that hand work to and fro could each be seen asleep while the other one works. So
    /// two looks must see the same: whoever has not moved from one to the other slept when the second one began.
    pub(super) fn until_still() {
        let (mut first_seen, mut last) = (BTreeMap::new(), None);
        while let Some(mut now) = others() {
            now.retain(|task| !spins(task, first_seen.entry(task.id).or_insert_with(|| Seen::of(task))));
            let asleep = now.iter().all(|task| task.state != State::Running);
            if asleep && last.as_ref() == Some(&now) {
                return;
            }
            last = Some(now);
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// All threads of the test and its children but the caller. `None` where the system doesn't tell.
    fn others() -> Option<Vec<Task>> {
        let (own, harness) = (own_id(), harness());
        let mut tasks = family()?;
        tasks.retain(|task| Some(task.id) != own && !harness.contains(&task.id));
        Some(tasks)
    }

    /// How far a thread had come.
    struct Seen {
        processor_time: u64,
        waits: u64,
        switches: u64,
    }

    impl Seen {
        fn of(task: &Task) -> Seen {
            Seen { processor_time: task.processor_time(), waits: task.waits, switches: task.switches }
        }
    }

    fn spins(task: &Task, first: &Seen) -> bool {
        let now = Seen::of(task);
        let switches = now.switches - first.switches;
        let long = now.processor_time.saturating_sub(first.processor_time) >= LONG || switches >= OFTEN;
        switches >= VERY_OFTEN || (now.waits == first.waits && long)
    }
}

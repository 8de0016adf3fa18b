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

    use crate::tasks::{State, Task, family, is_on_its_way, own_id};
    use crate::threads::harness;

    /// Who has had a processor for so long (the clock's ticks, of 10 ms mostly) since it last waited for anything, spins. Time on
    /// the wall would say nothing on a busy machine.
    const LONG: u64 = 10;
    /// Who has made way for others so often since it last waited for anything, spins, too.
    const OFTEN: u64 = 200;
    /// Who has waited so often asks again and again, with very short pauses.
    const VERY_OFTEN: u64 = 500;
    /// So many still moments are enough, and so far apart.
    const STILL: u32 = 10;
    const BETWEEN_LOOKS: Duration = Duration::from_micros(200);

    /// A look takes its time, and two threads that hand work to and fro could each be seen asleep while the other one works. So
    /// there are two: whoever has not moved from one to the other slept between them. So did all at once, and if nothing was on
    /// its way to them then, nobody will wake them.
    ///
    /// But the kernel shows not all that it is about to do: a process that has ended is gone from one list before its parent hears of
    /// it. So it takes some such moments, between which nobody comes or goes.
    pub(super) fn until_still() {
        let (mut seen, mut still, mut who) = (BTreeMap::new(), 0, Vec::new());
        while still < STILL {
            let Some(earlier) = others(&mut seen) else { return };
            let on_its_way = is_on_its_way();
            let Some(now) = others(&mut seen) else { return };
            let ids: Vec<u32> = now.iter().map(|task| task.id).collect();
            if ids != who {
                (still, who) = (0, ids);
            }
            let asleep = now.iter().all(|task| task.state != State::Running);
            if asleep && earlier == now && !on_its_way {
                still += 1;
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// All threads of the test and its children but the caller and those that spin. `None` where the system doesn't tell.
    fn others(seen: &mut BTreeMap<u32, Seen>) -> Option<Vec<Task>> {
        let (own, harness) = (own_id(), harness());
        let mut tasks = family()?;
        tasks.retain(|task| Some(task.id) != own && !harness.contains(&task.id));
        tasks.retain(|task| !seen.entry(task.id).or_insert_with(|| Seen::of(task)).spins(task));
        Some(tasks)
    }

    /// How far a thread had come.
    struct Seen {
        /// How often it had waited when it was first seen.
        first: u64,
        /// How often when it was last seen to have waited, and what it had done by then.
        waits: u64,
        processor_time: u64,
        switches: u64,
    }

    impl Seen {
        fn of(task: &Task) -> Seen {
            let processor_time = task.processor_time();
            Seen { first: task.waits, waits: task.waits, processor_time, switches: task.switches }
        }

        /// Whether a thread will never be still by itself, to judge by what it has done since it was first seen, or since it last
        /// waited. Numbers are used again: a new thread may have come less far than the one before it.
        fn spins(&mut self, task: &Task) -> bool {
            if task.waits != self.waits {
                *self = Seen { first: self.first, ..Seen::of(task) };
            }
            let long = task.processor_time().saturating_sub(self.processor_time) >= LONG;
            let often = task.switches.saturating_sub(self.switches) >= OFTEN;
            long || often || task.waits.saturating_sub(self.first) >= VERY_OFTEN
        }
    }
}

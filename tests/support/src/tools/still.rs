//! A fact that Linux knows: nobody but the caller moves.

#[cfg(not(feature = "explore"))]
use crate::{
    tasks::{State, family, own_id},
    threads::harness,
};

/// Waits until nothing else moves: all other threads of the test and all its child processes are asleep. Then a call that could
/// return has returned, and one that has not returned waits for something.
///
/// It helps a test to catch those who don't wait. No right answer may depend on it: who never sleeps is not waited for without
/// end, and where the system doesn't say what threads do, this returns at once.
///
/// # Panics
/// In explored builds: there the scheduler tries all orders anyway.
pub fn until_still() {
    #[cfg(feature = "explore")]
    panic!("until_still is for real threads: run this body with `on_threads` or `Check::threads_only`");
    #[cfg(not(feature = "explore"))]
    {
        let (own, mut quiet) = (own_id(), 0);
        for _ in 0..LOOKS {
            let Some(tasks) = family() else { return };
            let harness = harness();
            let others = tasks.iter().filter(|task| Some(task.id) != own && !harness.contains(&task.id));
            quiet = if others.clone().any(|task| task.state == State::Running) { 0 } else { quiet + 1 };
            // What one thread has done may still be on its way to another one. Two looks are apart for long enough.
            if quiet == 2 {
                return;
            }
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
    }
}

/// More looks than these would only be for somebody who spins.
#[cfg(not(feature = "explore"))]
const LOOKS: u32 = 500;

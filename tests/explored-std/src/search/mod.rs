//! Which schedules are run: see `README.md` for the plan.

mod budget;
mod config;
mod outcomes;
pub(crate) mod plan;
mod position;
mod preemptions;
mod reduction;
mod replay;
pub(crate) mod runner;
mod sample;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::grain::Grain;
use crate::engine::names::thread_name;
use crate::engine::operation::{Choice, ThreadIndex};
use crate::engine::overflow::install_handler;
use crate::engine::panics::install_hook;
use crate::engine::run::{EXPLORING, Ending};
use crate::engine::state::State;
pub use config::{Config, Effort, Exploration, Glance, Timeouts};
pub use session::{Judge, Session};

/// The test's body, to be run once for each schedule.
pub(crate) type Body = Arc<dyn Fn() + Send + Sync>;

/// What a test of the search itself adds to an outcome.
pub(crate) type Log = Arc<dyn Fn() -> String + Send + Sync>;

/// Explores by the plan.
pub(crate) fn explore(config: &Config, body: Body) -> Exploration {
    let config = config.clone();
    on_new_thread(move || plan::explore(&config, body))
}

/// Lets `work` explore several bodies on one OS thread.
pub(crate) fn session<R: Send>(work: impl FnOnce(&mut Session) -> R + Send) -> R {
    on_new_thread(|| work(&mut Session::default()))
}

/// Runs every schedule and counts how they end.
pub(crate) fn every_outcome(
    config: &Config,
    reduced: bool,
    grain: Grain,
    log: Log,
    body: Body,
) -> Option<BTreeMap<String, u64>> {
    let config = config.clone();
    on_new_thread(move || outcomes::every_outcome(&config, body, reduced, grain, &*log))
}

/// Explores on an OS thread of its own: what a cleared-away thread has left behind, such as std's count of panics, stays
/// there.
fn on_new_thread<R: Send>(explore: impl FnOnce() -> R + Send) -> R {
    // A test that failed while it held the lock has left nothing half done.
    let _alone = EXPLORING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    install_hook();
    install_handler();
    let name = std::thread::current().name().unwrap_or("explorer").to_string();
    std::thread::scope(|scope| {
        let explorer = std::thread::Builder::new().name(name).spawn_scoped(scope, explore);
        let explored = explorer.expect("an OS thread for the explorer").join();
        explored.unwrap_or_else(|bug| std::panic::resume_unwind(bug))
    })
}

/// What the scheduler sees at a decision, mixed into what it has seen before: two runs of one program that make the same
/// choices see the same.
pub(crate) fn signature(seen: u64, state: &State, choices: &[Choice]) -> u64 {
    let mut hash = seen ^ choices.len() as u64;
    for choice in choices {
        let operation = &state.threads[choice.thread].pending;
        let place = std::ptr::from_ref(operation.at) as u64;
        let what = ((operation.object as u64) << 32) | (operation.kind as u64) << 24;
        for part in [what, u64::from(choice.pack()), place] {
            hash = (hash.rotate_left(5) ^ part).wrapping_mul(0x517C_C1B7_2722_0A95);
        }
    }
    hash
}

/// The program did something else than before under the same schedule.
pub(crate) fn nondeterministic(state: &State, thread: ThreadIndex) -> Ending {
    let who = state.threads.get(thread).map_or("a thread".to_string(), |_| thread_name(&state.threads, thread));
    let at = state.threads.get(thread).map_or(String::new(), |known| {
        let at = known.pending.at;
        format!(", now at {}:{}", at.file().rsplit(['/', '\\']).next().unwrap_or_default(), at.line())
    });
    Ending::Nondeterministic(format!(
        "{DIFFERENT}: {who}{at}, took a different path earlier. A random number, an address used as a number or a value that is \
         left in a static can be the reason"
    ))
}

/// The sentence for code that is not deterministic.
const DIFFERENT: &str = "this code does different things under one and the same schedule";

/// Whether the thread that runs has nothing against another one going on.
pub(crate) fn yields(state: &State) -> bool {
    state.threads.get(state.current).is_some_and(|thread| thread.pending.yields())
}

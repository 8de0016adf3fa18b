//! What a test harness needs of the explorer. In explored builds this is `std::explored`.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::engine::operation::{Kind, Operation};
use crate::engine::run::{self, Ending, step, with};
use crate::engine::state::{Phase, State};
use crate::engine::thread::{Note, Status};
use crate::search;
use crate::thread::Thread;

/// How to explore.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many schedules to run at most.
    pub schedules: u64,
    /// The seed of sampled schedules.
    pub seed: u64,
    /// When a timeout fires.
    pub timeouts: Timeouts,
    /// Whether threads that still run when the body returns simply die, as when a process ends. Otherwise they are a leak.
    pub daemons: bool,
    /// How many spurious wakeups one schedule has.
    pub spurious: u32,
    /// How many steps one schedule may have before it is called a livelock.
    pub steps: u32,
    /// Run only this schedule, in the notation of [`verdict::Trace::schedule`], and record it.
    pub replay: Option<String>,
    /// Which kind of failure a panic is, by its message and the file of the `panic!`.
    pub kind_of_panic: fn(message: &str, file: &str) -> verdict::Kind,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            schedules: 10_000,
            seed: 0,
            timeouts: Timeouts::Patient,
            daemons: false,
            spurious: 1,
            steps: 20_000,
            replay: None,
            kind_of_panic: |message, _file| match message.starts_with("assertion") {
                true => verdict::Kind::Assertion,
                false => verdict::Kind::Panic,
            },
        }
    }
}

/// When a timeout fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timeouts {
    /// When nothing else can run.
    #[default]
    Patient,
    /// Whenever it could.
    Hostile,
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Whether the body failed in some schedule, and how in the one that has the fewest preemptions.
    pub outcome: verdict::Outcome,
    /// What was explored.
    pub coverage: verdict::Coverage,
    /// The failing schedule, or the replayed one.
    pub trace: Option<verdict::Trace>,
}

/// Runs the body on every schedule that the configuration's budget allows for.
///
/// Panics, deadlocks and whatever else the body does wrong are in the result.
pub fn explore(config: &Config, body: impl Fn() + Send + Sync + 'static) -> Exploration {
    search::explore(config, Arc::new(body))
}

/// Runs every schedule, reduced or not, also after failures, and counts how they end: by the failure's text, or `passed`, and
/// by what `log` says after each. Nothing if there are more than the budget allows. For tests of the search itself.
#[doc(hidden)]
pub fn every_outcome(
    config: &Config,
    reduced: bool,
    log: impl Fn() -> String + Send + Sync + 'static,
    body: impl Fn() + Send + Sync + 'static,
) -> Option<std::collections::BTreeMap<String, u64>> {
    search::every_outcome(config, reduced, Arc::new(log), Arc::new(body))
}

/// Whether the caller runs in a schedule.
#[must_use]
pub fn exploring() -> bool {
    run::try_with(|state| state.phase == Phase::Running).unwrap_or(false)
}

/// Runs `f`; while it blocks, the thread waits at the test tool that the note describes. If the schedule ends with the
/// thread inside, because nobody can go on, the failure is of this kind.
pub fn waiting_at<R>(kind: Option<verdict::Kind>, note: impl Fn() -> String, f: impl FnOnce() -> R) -> R {
    let note: Rc<dyn Fn() -> String + '_> = Rc::new(note);
    // SAFETY: the note is taken away again before this call returns or unwinds, and used only while the thread's stack, and
    // with it whatever the note borrows, is in place: before anything is torn down.
    let note = unsafe { std::mem::transmute::<Rc<dyn Fn() -> String + '_>, Note>(note) };
    let thread = with(|state| {
        state.me().waits_at.push((kind, note));
        state.current
    });
    let _leave = Leave(thread);
    f()
}

/// Takes a thread's innermost note away.
struct Leave(usize);

impl Drop for Leave {
    fn drop(&mut self) {
        drop(run::try_with(|state| state.threads.get_mut(self.0).and_then(|thread| thread.waits_at.pop())));
    }
}

/// Ends the schedule as failed: a test tool's own verdict.
pub fn fail(kind: verdict::Kind, message: String) -> ! {
    run::end(Ending::Failed(kind, message))
}

/// Whether a thread is blocked now.
#[must_use]
#[track_caller]
pub fn is_blocked(thread: &Thread) -> bool {
    with(State::observe);
    step(Operation::on_thread(Kind::Look, "is_blocked", thread.index, std::panic::Location::caller()));
    with(|state| state.threads[thread.index].status == Status::Live && !state.can_go_on(thread.index))
}

/// Waits until a thread is blocked or has ended.
#[track_caller]
pub fn until_blocked(thread: &Thread) {
    with(State::observe);
    step(Operation::on_thread(Kind::UntilBlocked, "until_blocked", thread.index, std::panic::Location::caller()));
}

/// Where text goes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// For `print!` and its kin. Text is always formatted, since that may itself use modelled objects, but shown only in the run
/// that records a trace, and outside an exploration.
#[doc(hidden)]
pub fn output(stream: Stream, text: fmt::Arguments<'_>, newline: bool) {
    let mut text = text.to_string();
    if newline {
        text.push('\n');
    }
    let shown = run::try_with(|state| state.recorder.is_some()).unwrap_or(true);
    match (shown, stream) {
        (false, _) => {}
        (true, Stream::Out) => ::std::print!("{text}"),
        (true, Stream::Err) => ::std::eprint!("{text}"),
    }
}

//! What a test harness needs of the explorer. In explored builds this is `std::explored`.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

use crate::engine::grain::Grain;
pub use crate::engine::judge::{Blame, Objection};
use crate::engine::kind::Kind;
pub use crate::engine::mark::{Mark, Marked};
use crate::engine::operation::{NEVER, NOTHING, Operation};
use crate::engine::run::{self, Ending, step, with};
use crate::engine::state::{Phase, State};
use crate::engine::thread::{Note, Status};
use crate::search;
pub use crate::search::{Config, Effort, Exploration, Glance, Judge, Session, Timeouts};
use crate::thread::Thread;

/// Runs the body on every schedule that the configuration's budget allows for.
///
/// Panics, deadlocks and whatever else the body does wrong are in the result.
pub fn explore(config: &Config, body: impl Fn() + Send + Sync + 'static) -> Exploration {
    search::explore(config, Arc::new(body))
}

/// Lets `work` explore several bodies.
pub fn session<R: Send>(work: impl FnOnce(&mut Session) -> R + Send) -> R {
    search::session(work)
}

/// Notes something for the judge of the schedule. `name` and `value` stand in its trace; `value` is called only for one. It is a
/// step that touches nothing: other threads may go first.
#[track_caller]
pub fn mark(what: Marked, name: &'static str, value: impl FnOnce(&Marked) -> String) {
    step(Operation::new(Kind::Mark, name, NOTHING, Location::caller()));
    with(|state| {
        if let Some(recorder) = &mut state.recorder {
            recorder.value(value(&what));
        }
        state.mark(what);
    });
}

/// Waits until so much virtual time has passed since the schedule's start: until nobody else can go on and no other limit comes
/// first. That is how a main thread lets a scenario settle.
#[track_caller]
pub fn rest_until(time: std::time::Duration) {
    let operation = Operation::new(Kind::Never, "rest", NOTHING, Location::caller());
    step(operation.until(u64::try_from(time.as_nanos()).unwrap_or(NEVER)));
}

/// Waits until nobody else can go on at this time, and takes what was done so far as given: no other order of it is tried. So
/// what a harness prepares costs steps, and no schedules.
#[track_caller]
pub fn settle() {
    step(Operation::new(Kind::Settle, "settle", NOTHING, Location::caller()));
    with(|state| {
        state.mark(Marked::StandsStill);
        state.memory.everybody_sees_all();
        if let Some(strategy) = &mut state.strategy {
            strategy.takes_as_given();
        }
    });
}

/// Waits for ever: the end of a main thread whose schedule is over when nobody can go on.
#[track_caller]
pub fn rest() -> ! {
    step(Operation::new(Kind::Never, "rest", NOTHING, Location::caller()));
    unreachable!("what is never possible was done")
}

/// Runs every schedule, or every one that begins as `config.replay` does, reduced or not, coarsely or not, also after failures, and
/// counts how they end: by the failure's text, or `passed`, and by what `log` says after each. Nothing if there are more than the
/// budget allows. For tests of the search itself.
#[doc(hidden)]
pub fn every_outcome(
    config: &Config,
    reduced: bool,
    coarse: bool,
    log: impl Fn() -> String + Send + Sync + 'static,
    body: impl Fn() + Send + Sync + 'static,
) -> Option<std::collections::BTreeMap<String, u64>> {
    search::every_outcome(
        config,
        reduced,
        if coarse { Grain::Coarse } else { Grain::Fine },
        Arc::new(log),
        Arc::new(body),
    )
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

/// The next panic of the calling thread is one that the test wants: nobody has to look at it, and where somebody hangs then, the failure
/// is that.
pub fn panics_on_purpose() {
    run::try_with(|state| state.me().panics_on_purpose = true);
}

/// Says whether the calling thread has to go on: a harness's schedule in which it then waits for ever fails, whatever its judge says.
pub fn has_to_go_on(yes: bool) {
    with(|state| state.me().has_to_go_on = yes);
}

/// Whether the panic that the calling thread has just caught was one that the test wanted.
#[must_use]
pub fn panicked_on_purpose() -> bool {
    with(|state| state.me().panic.as_ref().is_some_and(|note| note.on_purpose))
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
    step(Operation::on_thread(Kind::LookAround, "is_blocked", thread.index, std::panic::Location::caller()));
    with(|state| state.threads[thread.index].status == Status::Live && !state.can_go_on(thread.index))
}

/// Waits until a thread is blocked, yields again and again without getting anywhere, or has ended.
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

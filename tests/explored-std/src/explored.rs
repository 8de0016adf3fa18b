//! What a test harness needs of the explorer. In explored builds this is `std::explored`.

use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

use crate::engine::grain::Grain;
pub use crate::engine::judge::{Blame, Objection};
pub use crate::engine::mark::{Mark, Marked};
use crate::engine::operation::{Kind, NEVER, NOTHING, Operation};
use crate::engine::run::{self, Ending, Stacks, step, with};
use crate::engine::state::{Phase, State};
use crate::engine::thread::{Note, Status};
use crate::search::{self, plan};
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
    /// How many accidents one schedule has: spurious wakeups, and weak exchanges that fail for no reason.
    pub spurious: u32,
    /// How many decisions one schedule may have before it is called too long.
    pub steps: u32,
    /// Run only this schedule, in the notation of [`verdict::Trace::schedule`], and record it.
    pub replay: Option<String>,
    /// A question about a position of that schedule, in the place of running it to its end.
    pub ask: Option<verdict::Ask>,
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
            ask: None,
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
    /// The position that was asked for.
    pub position: Option<verdict::Position>,
}

/// Runs the body on every schedule that the configuration's budget allows for.
///
/// Panics, deadlocks and whatever else the body does wrong are in the result.
pub fn explore(config: &Config, body: impl Fn() + Send + Sync + 'static) -> Exploration {
    search::explore(config, Arc::new(body))
}

/// Explores several bodies one after the other, which a harness judges by what it notes in each schedule. The bodies call
/// [`rest`] at the end of their main thread; a schedule is over when nobody can go on.
#[derive(Default)]
pub struct Session {
    stacks: Stacks,
}

/// How much to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// All schedules, reduced, but so many at most.
    Reduced {
        /// How many are run at most.
        schedules: u64,
    },
    /// All schedules with few preemptions, but so many at most.
    Preemptions {
        /// How many preemptions a schedule has at most.
        most: u32,
        /// How many are run at most.
        schedules: u64,
    },
}

impl Effort {
    /// The same with so many schedules at most.
    #[must_use]
    pub fn at_most(self, limit: u64) -> Effort {
        match self {
            Effort::Reduced { schedules } => Effort::Reduced { schedules: schedules.min(limit) },
            Effort::Preemptions { most, schedules } => Effort::Preemptions { most, schedules: schedules.min(limit) },
        }
    }
}

/// What a [`Session::glance`] saw.
#[derive(Clone, Copy, Debug)]
pub struct Glance {
    /// What was explored; it ended at the first failure.
    pub coverage: verdict::Coverage,
    /// How many steps all schedules had together.
    pub steps: u64,
}

/// Judges the marks of a schedule in which nobody can go on any more.
pub type Judge = Rc<RefCell<dyn FnMut(&[Mark]) -> Option<Objection>>>;

impl Session {
    /// Runs schedules of the body until one fails, or the effort is made.
    pub fn glance(
        &mut self,
        config: &Config,
        effort: Effort,
        judge: &Judge,
        body: impl Fn() + Send + Sync + 'static,
    ) -> Glance {
        self.with_runner(config, judge, body, |runner| plan::glance(runner, effort))
    }

    /// Explores the body as [`explore`] does.
    pub fn explore(&mut self, config: &Config, judge: &Judge, body: impl Fn() + Send + Sync + 'static) -> Exploration {
        self.with_runner(config, judge, body, |runner| plan::explore_with(runner, config))
    }

    fn with_runner<R>(
        &mut self,
        config: &Config,
        judge: &Judge,
        body: impl Fn() + Send + Sync + 'static,
        work: impl FnOnce(&mut search::runner::Runner) -> R,
    ) -> R {
        let stacks = std::mem::take(&mut self.stacks);
        let mut runner = plan::new_runner(config, Arc::new(body)).judged_by(Rc::clone(judge), stacks);
        let result = work(&mut runner);
        self.stacks = runner.take_stacks();
        result
    }
}

/// Lets `work` explore several bodies.
pub fn session<R: Send>(work: impl FnOnce(&mut Session) -> R + Send) -> R {
    search::session(work)
}

/// Notes something for the judge of the schedule. `name` and `value` stand in its trace. It is a step that touches nothing:
/// other threads may go first.
#[track_caller]
pub fn mark(what: Marked, name: &'static str, value: &str) {
    step(Operation::new(Kind::Mark, name, NOTHING, Location::caller()));
    with(|state| {
        state.mark(what);
        if let Some(recorder) = &mut state.recorder {
            recorder.value(value.to_string());
        }
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

/// The next panic of the calling thread is one that the test wants: where somebody hangs then, the failure is that.
pub fn panics_on_purpose() {
    run::try_with(|state| state.me().panics_on_purpose = true);
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

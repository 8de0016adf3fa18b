//! Runs a body once, on the operating system's threads, under a watchdog.

use std::any::Any;
use std::collections::BTreeSet;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use verdict::{Failure, Kind, Mode, Outcome, Record};

use crate::calls;
use crate::check::{Builds, Cases, Check, MayOutlive, for_input};
use crate::kind::kind_of_panic;
use crate::panics::{self, Panic, Panics};
use crate::stacks;
use crate::tasks::{FOR_CHILDREN, State, Task, family, own_id, whoever_is_told};
use crate::tools::situation::on_threads as situation;
use crate::tools::waiting::{self, Waiter};
use crate::watchdog::{Done, Patience, Seen, watch, watch_leaving};

/// Tests of one process take turns: then every thread that moves, and every panic, belongs to the test that runs.
static TURN: Mutex<()> = Mutex::new(());

/// The test harness's own threads, which wait for their turn or for a test: they are nobody's leak.
static HARNESS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// What the test that runs now is run with at the moment, in words, and since when.
static GIVEN: Mutex<(Option<String>, Option<Instant>)> = Mutex::new((None, None));

/// The numbers of the test harness's own threads, those that watch a test among them.
pub(crate) fn harness() -> BTreeSet<u32> {
    HARNESS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A test that runs now.
struct Running {
    panics: Panics,
    done: Arc<Done>,
    /// The threads and processes that were there before it.
    before: BTreeSet<u32>,
    main: ThreadId,
    /// The number by which `/proc` knows the test's main thread.
    main_id: Arc<OnceLock<u32>>,
}

/// Runs the body, with one input after the other, and judges it.
pub(crate) fn run(check: &Check, cases: Cases) -> Record {
    if check.builds == Builds::Schedules {
        return record(Outcome::Skipped);
    }
    #[cfg(feature = "child")]
    crate::child::must_not_test();
    let harness = own_id();
    HARNESS.lock().unwrap_or_else(PoisonError::into_inner).extend(harness);
    let outcome = {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        run_in_turn(check, cases)
    };
    HARNESS.lock().unwrap_or_else(PoisonError::into_inner).retain(|id| Some(*id) != harness);
    record(outcome)
}

fn record(outcome: Outcome) -> Record {
    Record::new(Mode::Threads, outcome)
}

fn run_in_turn(check: &Check, cases: Cases) -> Outcome {
    waiting::forget_earlier_tests();
    situation::set(None);
    let before: BTreeSet<u32> = family().unwrap_or_default().iter().map(|task| task.id).collect();
    let panics = Panics::without(before.clone());
    let _capture = panics::capture(&panics);
    give(None);
    let patience = Patience { begun, deadline: check.deadline, while_idle: check.patient };
    let test = start(cases, before, panics);
    let failure = match watch(&test.done, patience) {
        Seen::Done => match finish(&test, check.may_outlive, patience) {
            Ok(()) => return Outcome::Passed,
            Err(failure) => failure,
        },
        Seen::Idle => stuck(&test, "nothing moves any more"),
        Seen::Overdue => stuck(&test, &format!("not done after {:?}", check.deadline)),
    };
    let given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner).0.take();
    let failure = Failure { message: for_input(given.as_deref(), &failure.message), ..failure };
    Outcome::Failed(with_situation(failure))
}

/// Adds which of many situations it was, where the test has said so.
fn with_situation(mut failure: Failure) -> Failure {
    if let Some(situation) = situation::get().filter(|_| failure.kind != Kind::Unsolved) {
        failure.message.push_str("\nSituation: ");
        failure.message.push_str(&situation);
    }
    failure
}

/// Says with what the test is run from now on.
fn give(given: Option<String>) {
    *GIVEN.lock().unwrap_or_else(PoisonError::into_inner) = (given, Some(Instant::now()));
}

/// When the test began with what it is run with.
fn begun() -> Instant {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).1.expect("a test runs")
}

/// Starts the body on a thread of its own, so that a stuck one can be left behind.
fn start(cases: Cases, before: BTreeSet<u32>, panics: Panics) -> Running {
    let body = move || {
        for (number, given) in cases.given.into_iter().enumerate() {
            give(given);
            (cases.body)(number);
        }
        give(None);
    };
    let (done, main_id) = (Arc::new(Done::default()), Arc::new(OnceLock::new()));
    let main = {
        let (done, main_id) = (Arc::clone(&done), Arc::clone(&main_id));
        thread::Builder::new().name("main".to_owned()).spawn(move || {
            own_id().map(|id| main_id.set(id));
            done.set(panic::catch_unwind(AssertUnwindSafe(body)));
        })
    };
    let main = main.expect("the system has room for one more thread").thread().id();
    Running { panics, done, before, main, main_id }
}

/// Judges a body that has come to its end.
fn finish(test: &Running, may_outlive: MayOutlive, patience: Patience) -> Result<(), Failure> {
    if let Some(Err(payload)) = test.done.take() {
        let panics = test.panics.so_far();
        return Err(judged(&panics, || panicked(&panics, test.main, &*payload)));
    }
    let left_over = || {
        let mut tasks = tasks_of(test)?;
        // The body's own thread has returned: it is at its end, however long the system takes to be rid of it.
        tasks.retain(|task| Some(&task.id) != test.main_id.get());
        tasks.retain(
            |task| if task.process == std::process::id() { !may_outlive.threads } else { !may_outlive.processes },
        );
        io::Result::Ok(tasks)
    };
    // What can't be seen may be there.
    match watch_leaving(|| left_over().map_or(true, |tasks| !tasks.is_empty()), patience) {
        Seen::Done => Ok(()),
        Seen::Idle | Seen::Overdue => match left_over() {
            Ok(left_over) if left_over.is_empty() => Ok(()),
            left_over => Err(judged(&test.panics.so_far(), || left_over.map_or_else(unseen, leaked))),
        },
    }
}

/// What the test has started, and hasn't ended: its main thread too. Nothing where the system doesn't say.
fn tasks_of(test: &Running) -> io::Result<Vec<Task>> {
    let harness = harness();
    let mut tasks = whoever_is_told()?;
    tasks.retain(|task| !test.before.contains(&task.id) && !harness.contains(&task.id));
    Ok(tasks)
}

/// The failure, unless a `todo!()` was reached anywhere: then that is why, whatever came of it.
fn judged(panics: &[Panic], failure: impl FnOnce() -> Failure) -> Failure {
    match panics.iter().find(|panic| panic.kind() == Kind::Unsolved) {
        Some(todo) => Failure { kind: Kind::Unsolved, message: described(todo) },
        None => failure(),
    }
}

/// The body panicked.
fn panicked(panics: &[Panic], main: ThreadId, payload: &(dyn Any + Send)) -> Failure {
    let Some(cause) = panics::cause(panics, main) else {
        // Nobody noted it: `resume_unwind`, or a panic hook of the learner's own.
        let message = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        let message = message.unwrap_or("a panic without a message");
        return Failure { kind: kind_of_panic(message, ""), message: message.to_owned() };
    };
    Failure { kind: cause.kind(), message: described(cause) }
}

fn described(panic: &Panic) -> String {
    match &panic.at {
        Some(at) => format!("{} ({at}, in {})", panic.message, panic.thread_name),
        None => format!("{} (in {})", panic.message, panic.thread_name),
    }
}

/// The body has returned, but not everything that it started has ended.
fn leaked(left_over: Vec<Task>) -> Failure {
    let own = std::process::id();
    let threads = left_over.iter().filter(|task| task.process == own).count();
    let processes = left_over.iter().filter(|task| task.process != own && task.process == task.id).count();
    let counted = |n: usize, what: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {many}")),
    };
    let who: Vec<String> = [counted(threads, "thread", "threads"), counted(processes, "process", "processes")]
        .into_iter()
        .flatten()
        .collect();
    let verb = if threads + processes == 1 { "outlives" } else { "outlive" };
    let lines = together(left_over.iter().map(|task| format!("{}: {}", named(task, None), task.state.told())));
    let lines: String = lines.iter().map(|line| format!("\n    {line}")).collect();
    Failure { kind: Kind::Leak, message: format!("{} {verb} the test{lines}", who.join(" and ")) }
}

/// The body has returned, and nobody can see whether everything has ended that it started.
fn unseen(error: io::Error) -> Failure {
    let message = format!("nobody can see whether a thread or a process outlives the test: {error}");
    Failure { kind: Kind::Leak, message }
}

/// The body doesn't come to its end.
fn stuck(test: &Running, what: &str) -> Failure {
    let (waiters, panics) = (waiting::waiters(), test.panics.so_far());
    judged(&panics, || {
        let verdict = waiters.iter().find(|waiter| waiter.kind.is_some());
        let mut message = match verdict {
            Some(waiter) => format!("{what}, and {} does not open", waiter.note),
            None => what.to_owned(),
        };
        for line in stuck_threads(test, &waiters).into_iter().chain(other_panics(&panics)) {
            message.push_str("\n    ");
            message.push_str(&line);
        }
        Failure { kind: verdict.and_then(|waiter| waiter.kind).unwrap_or(Kind::Timeout), message }
    })
}

/// One line for each thread that has not finished, and for all of whom the same is to be said.
fn stuck_threads(test: &Running, waiters: &[Waiter]) -> Vec<String> {
    let mut tasks = tasks_of(test).unwrap_or_default();
    // Our own, which wait for the children to say something, are in nobody's way.
    tasks.retain(|task| task.name != FOR_CHILDREN);
    if tasks.is_empty() {
        // Where there is no `/proc`, only the threads at the test's own tools are known.
        return together(waiters.iter().map(|waiter| format!("{}: waits at {}", waiter.thread, waiter.note)));
    }
    let line = |task: &Task| {
        let mut line = format!("{}: {}", named(task, test.main_id.get().copied()), task.state.told());
        // What waits at a tool is told by the tool.
        let by_the_system = !waiters.iter().any(|waiter| waiter.task == Some(task.id)) && task.state == State::Asleep;
        if let Some(awaited) = by_the_system.then(|| calls::awaited(task, &tasks)).flatten() {
            line.push_str(&format!(", {awaited}"));
        }
        if let Some(waiter) = waiters.iter().find(|waiter| waiter.task == Some(task.id)) {
            line.push_str(&format!(", waits at {}", waiter.note));
        }
        if let Some(at) = (task.state == State::Asleep).then(|| stacks::line_of(task)).flatten() {
            line.push_str(&format!(" ({at})"));
        }
        line
    };
    together(tasks.iter().map(line))
}

/// How many different lines are read by anybody.
const MOST_LINES: usize = 20;

/// Each line once, with how many there are like it. Of very many different ones, the first.
fn together(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for line in lines {
        match counted.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += 1,
            None => counted.push((line, 1)),
        }
    }
    let more: usize = counted.iter().skip(MOST_LINES).map(|(_, count)| count).sum();
    let told = counted.into_iter().take(MOST_LINES).map(|(line, count)| match count {
        1 => line,
        _ => format!("{line}, and {} more like it", count - 1),
    });
    told.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

/// One line for each panic that the stuck test did not end with.
fn other_panics(panics: &[Panic]) -> impl Iterator<Item = String> {
    panics.iter().map(|panic| {
        let place = panic.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
        format!("{} panicked{place}: {}", panic.thread_name, panic.message)
    })
}

fn named(task: &Task, main: Option<u32>) -> String {
    if task.process != std::process::id() {
        return format!("{} (process {})", task.name, task.process);
    }
    // A thread without a name of its own carries that of the thread that started it, mostly `main`.
    if task.name == "main" && main != Some(task.id) { "a thread without a name".to_owned() } else { task.name.clone() }
}

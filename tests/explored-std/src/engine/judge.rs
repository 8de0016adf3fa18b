//! Says how a schedule that has ended went: well, or with which kind of mistake.

use std::cell::RefCell;
use std::rc::Rc;

use verdict::{Failure, Kind as Verdict};

use super::kind::Kind;
use super::mark::{Mark, Marked};
use super::names::{name_objects, thread_name};
use super::object::Model;
use super::operation::{NOBODY, ThreadIndex};
use super::record::awaited_object;
use super::run::{self, Ending};
use super::state::{Phase, State};
use super::thread::{Note, PanicNote, Status, ThreadState};

/// Which kind of failure a panic with this message in this file is.
pub(crate) type KindOfPanic = fn(message: &str, file: &str) -> Verdict;

/// A harness that judges a schedule in which nobody can go on by what it noted.
pub(crate) type Historian = Rc<RefCell<dyn FnMut(&[Mark]) -> Option<Objection>>>;

/// What a harness objects to in a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What is wrong, in words.
    pub message: String,
    /// What is at fault.
    pub blame: Blame,
    /// The marks' places, in an order in which it is wrong, up to where it is.
    pub order: Vec<usize>,
}

/// What was said of a schedule that fails.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) failure: Failure,
    /// If it fails because its marks could have come in another order: what happened before each of them, in that order.
    pub(crate) disputed: Option<Vec<Box<[u32]>>>,
}

/// What is at fault in a schedule that a harness objects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blame {
    /// An answer, or when it came.
    Answer,
    /// The last panic of this thread.
    Panic(usize),
    /// These threads, which wait for ever although they need not; or any that waits, if none is named.
    Waiting(Vec<usize>),
}

/// Judges the schedule that has just ended. Nothing is torn down yet. `notes` are what test tools say of the threads inside.
pub(crate) fn judge(
    kind_of_panic: KindOfPanic,
    notes: &[Option<String>],
    historian: Option<&Historian>,
) -> Option<Judged> {
    let marks = run::with(|state| std::mem::take(&mut state.marks));
    let stands_still = run::with(|state| matches!(state.ending, Some(Ending::Stuck)));
    // Outside the borrow: the harness's code may be compiled against the model.
    let objection = historian.filter(|_| stands_still).and_then(|historian| historian.borrow_mut()(&marks));
    let disputed = objection.as_ref().and_then(|objection| in_another_order(&marks, &objection.order));
    run::with(|state| {
        let ending = state.ending.clone().unwrap_or(Ending::Main);
        let failure = match ending {
            Ending::Failed(kind, message) => Some(Failure { kind, message }),
            Ending::Aborted(thread) => Some(judge_abort(state, thread)),
            Ending::Nondeterministic(message) => Some(Failure { kind: Verdict::Nondeterministic, message }),
            Ending::Misfit(message) => Some(Failure { kind: Verdict::Nondeterministic, message }),
            Ending::Paused => None,
            Ending::Main => judge_end_of_main(state, kind_of_panic),
            Ending::Stuck => match historian {
                None => Some(judge_no_end(state, kind_of_panic, |state| judge_stuck(state, notes))),
                Some(_) => {
                    unplanned_panic(state, kind_of_panic).or_else(|| match objection.or_else(|| held_up(state)) {
                        Some(objection) => Some(judge_objection(state, objection, kind_of_panic, notes)),
                        // A main that waits for something else than the end of the schedule has not prepared all of it.
                        None => (state.threads[0].pending.kind != Kind::Never).then(|| judge_stuck(state, notes)),
                    })
                }
            },
            Ending::TooLong => {
                Some(judge_no_end(state, kind_of_panic, |state| judge_endless(state, notes, judge_too_long)))
            }
            Ending::Livelock => {
                Some(judge_no_end(state, kind_of_panic, |state| judge_endless(state, notes, judge_livelock)))
            }
        }?;
        let failure = unsolved(state).filter(|_| failure.kind != Verdict::Nondeterministic).unwrap_or(failure);
        Some(Judged { failure, disputed })
    })
}

/// Objects to threads that wait where the harness wants them to go on.
fn held_up(state: &State) -> Option<Objection> {
    let waits = |&index: &ThreadIndex| state.threads[index].has_to_go_on && !state.threads[index].returned;
    let threads: Vec<ThreadIndex> = (0..state.threads.len()).filter(waits).collect();
    let names = names_of(state, &threads);
    let message = match threads.len() {
        0 => return None,
        1 => format!("{names} waits for ever outside of its calls: before one of them, or behind the last"),
        _ => format!("{names} wait for ever outside of their calls: before one of them, or behind the last"),
    };
    Some(Objection { message, blame: Blame::Waiting(threads), order: Vec::new() })
}

/// What happened before each of the marks in this order, if that is not the order in which they came.
fn in_another_order(marks: &[Mark], order: &[usize]) -> Option<Vec<Box<[u32]>>> {
    let is_noted = |place: &usize| !matches!(marks[*place].what, Marked::StandsStill | Marked::TimeMoves { .. });
    if (0..marks.len()).filter(is_noted).take(order.len()).eq(order.iter().copied()) {
        return None;
    }
    order.iter().map(|&place| marks[place].past().map(Box::from)).collect()
}

/// A test that fails after a thread has reached a `todo!()` fails for that, whatever came of it.
fn unsolved(state: &State) -> Option<Failure> {
    let panics = state.threads.iter().enumerate().filter_map(|(index, thread)| Some((index, thread.panic.as_ref()?)));
    let mut stubs = panics.filter(|(_, note)| note.is_of_a_stub());
    let (thread, note) = stubs.next()?;
    Some(Failure { kind: Verdict::Unsolved, message: tell_panic(state, thread, note) })
}

/// A thread-local's destructor must not panic.
fn judge_abort(state: &State, thread: ThreadIndex) -> Failure {
    let panic = state.threads[thread].panic.as_ref().map_or(String::new(), |note| tell_panic(state, thread, note));
    let message = format!("the process aborts, since the destructor of a thread-local panicked: {panic}");
    Failure { kind: Verdict::Panic, message }
}

/// What the test lets a thread panic with on purpose is no mistake, and nobody has to look at it: a test that wants it looked at asks
/// what came of it.
fn judge_end_of_main(state: &State, kind_of_panic: KindOfPanic) -> Option<Failure> {
    if let Some(told) =
        panic_to_tell(state, kind_of_panic).filter(|told| unwinds(&state.threads[0]) || !told.on_purpose)
    {
        return Some(told.failure);
    }
    let left: Vec<ThreadIndex> = (0..state.threads.len())
        .filter(|&index| !state.threads[index].returned && !state.threads[index].serves && index > 0)
        .collect();
    if state.settings.daemons || left.is_empty() {
        return None;
    }
    let names = names_of(state, &left);
    let message = match left.len() {
        1 => format!("1 thread outlives the test: {names}"),
        many => format!("{many} threads outlive the test: {names}"),
    };
    Some(Failure { kind: Verdict::Leak, message })
}

/// A schedule that does not come to its end fails with a panic, since that is why, unless the test has panicked there on purpose:
/// then it fails for what hangs.
fn judge_no_end(state: &State, kind_of_panic: KindOfPanic, hang: impl FnOnce(&State) -> Failure) -> Failure {
    match panic_to_tell(state, kind_of_panic) {
        None => hang(state),
        Some(told) if !told.on_purpose => told.failure,
        Some(told) => {
            let mut failure = hang(state);
            failure.message = format!("{}; before that, {}, on purpose", failure.message, told.failure.message);
            failure
        }
    }
}

/// A panic as it is told.
struct ToldPanic {
    failure: Failure,
    on_purpose: bool,
}

/// The panic that a harness's schedule fails with. Of those on purpose, other than main's, the harness knows what has to come.
fn unplanned_panic(state: &State, kind_of_panic: KindOfPanic) -> Option<Failure> {
    let told = panic_to_tell(state, kind_of_panic)?;
    (unwinds(&state.threads[0]) || !told.on_purpose).then_some(told.failure)
}

fn unwinds(thread: &ThreadState) -> bool {
    thread.panicked || thread.panicking > 0
}

/// The panic that a test fails with: main's, or the first that nobody has looked at, of those that nobody wanted if there are any. A
/// panic that only passes another one on, as `join().unwrap()` does, is told as that other one.
fn panic_to_tell(state: &State, kind_of_panic: KindOfPanic) -> Option<ToldPanic> {
    let mut thread = if unwinds(&state.threads[0]) {
        0
    } else {
        let unseen = state.threads.iter().enumerate().filter(|(_, thread)| thread.panicked && !thread.seen);
        unseen.min_by_key(|(_, thread)| thread.panic.as_ref().map(|note| (note.on_purpose, note.order)))?.0
    };
    let mut note = state.threads[thread].panic.as_ref()?;
    while let Some(cause) = cause_of(state, note) {
        thread = cause;
        note = state.threads[thread].panic.as_ref()?;
    }
    let failure = Failure { kind: kind_of_panic(&note.message, &note.file), message: tell_panic(state, thread, note) };
    Some(ToldPanic { failure, on_purpose: note.on_purpose })
}

/// The thread whose panic is what a schedule failed with.
pub(crate) fn thread_that_panicked(state: &State, failure: &Failure) -> Option<ThreadIndex> {
    let is_told = |(index, thread): (ThreadIndex, &ThreadState)| {
        let note = thread.panic.as_ref()?;
        (failure.message == tell_panic(state, index, note)).then_some(index)
    };
    state.threads.iter().enumerate().find_map(is_told)
}

/// `worker panicked: out of order (lib.rs:14)`.
pub(super) fn tell_panic(state: &State, thread: ThreadIndex, note: &PanicNote) -> String {
    let at = if note.line == 0 { String::new() } else { format!(" ({}:{})", file_name(&note.file), note.line) };
    match thread {
        0 => format!("{}{at}", note.message),
        _ => format!("{} panicked: {}{at}", thread_name(&state.threads, thread), note.message),
    }
}

/// The thread whose panic this one only passes on.
fn cause_of(state: &State, note: &PanicNote) -> Option<ThreadIndex> {
    let passes_on =
        note.message.ends_with("Any { .. }") || note.message == super::panics::OF_A_SCOPED_THREAD || note.line == 0;
    let earlier =
        |thread: &ThreadIndex| state.threads[*thread].panic.as_ref().is_some_and(|cause| cause.order < note.order);
    if passes_on && note.after != NOBODY && earlier(&note.after) {
        return Some(note.after);
    }
    if note.message.contains("PoisonError") {
        let panicked = state.threads.iter().enumerate().filter(|(_, thread)| thread.panicked);
        let first = panicked.min_by_key(|(_, thread)| thread.panic.as_ref().map(|note| note.order));
        return first.map(|(index, _)| index).filter(earlier);
    }
    None
}

/// A thread at a test tool that names a kind waits for what does not come: that is why, whoever else runs meanwhile.
fn judge_endless(state: &State, notes: &[Option<String>], endless: fn(&State) -> Failure) -> Failure {
    let failure = endless(state);
    let waiting: Vec<ThreadIndex> = (0..state.threads.len()).filter(|&index| !state.can_go_on(index)).collect();
    match waiting.iter().find_map(|&index| Some((index, kind_of_tool(state, index)?))) {
        Some((thread, kind)) => {
            let message = format!("{}; {}", waits_of(state, &[thread], notes), failure.message);
            Failure { kind, message }
        }
        None => failure,
    }
}

fn judge_livelock(state: &State) -> Failure {
    let message = format!("{} on for ever without progress", subject(state, &running(state), "runs", "run"));
    Failure { kind: Verdict::Livelock, message }
}

fn judge_too_long(state: &State) -> Failure {
    let who = subject(state, &running(state), "runs", "run");
    let message = format!("too long: {who} on and on, and no end is in sight");
    Failure { kind: Verdict::Timeout, message }
}

/// The threads that could go on; all of them, if none can.
fn running(state: &State) -> Vec<ThreadIndex> {
    let rests = |index: ThreadIndex| state.threads[index].pending.kind == Kind::Never || state.threads[index].serves;
    let live: Vec<ThreadIndex> =
        (0..state.threads.len()).filter(|&index| state.is_live(index) && !rests(index)).collect();
    let running: Vec<ThreadIndex> = live.iter().copied().filter(|&index| state.can_go_on(index)).collect();
    if running.is_empty() { live } else { running }
}

/// A wrong answer is a broken assertion. A thread that waits although it need not is in a deadlock if it, or somebody that it
/// waits for, waits for a lock; else nobody has called it.
fn judge_objection(
    state: &State,
    objection: Objection,
    kind_of_panic: KindOfPanic,
    notes: &[Option<String>],
) -> Failure {
    let Objection { message, blame, .. } = objection;
    let mut involved = match blame {
        Blame::Answer => return Failure { kind: Verdict::Assertion, message },
        Blame::Panic(thread) => {
            let Some(note) = &state.threads[thread].panic else { return Failure { kind: Verdict::Panic, message } };
            let kind = kind_of_panic(&note.message, &note.file);
            return Failure { kind, message: format!("{message}\n{}", tell_panic(state, thread, note)) };
        }
        Blame::Waiting(threads) => threads,
    };
    if involved.is_empty() {
        involved = (0..state.threads.len())
            .filter(|&index| state.is_live(index) && state.threads[index].pending.kind != Kind::Never)
            .collect();
    }
    let mut next = 0;
    while next < involved.len() {
        let others = state.waits_on(involved[next]);
        involved.extend(others.into_iter().filter(|other| !involved.contains(other)).collect::<Vec<_>>());
        next += 1;
    }
    let message = format!("{message}\n{}", waits_of(state, &involved, notes));
    Failure { kind: kind_of_waits(state, &involved), message }
}

/// Whether these threads wait for locks and the like, or to be called.
fn kind_of_waits(state: &State, threads: &[ThreadIndex]) -> Verdict {
    let waits_in = |index: &ThreadIndex, kinds: &[Kind]| kinds.contains(&state.threads[*index].pending.kind);
    let locks = [Kind::Acquire, Kind::AcquireAgain, Kind::AcquireShared, Kind::Enter, Kind::Completed];
    let on_lock = threads.iter().any(|index| waits_in(index, &locks));
    let on_call = |index: &ThreadIndex| {
        let thread = &state.threads[*index];
        let called = waits_in(index, &[Kind::Wake, Kind::Park]) || waits_for_a_waker(state, thread);
        thread.waits_at.is_empty() && called
    };
    if !on_lock && threads.iter().any(on_call) { Verdict::LostWakeup } else { Verdict::Deadlock }
}

/// Whether a thread polls a future of which nobody knows what would wake it, or that waits to be notified.
fn waits_for_a_waker(state: &State, thread: &ThreadState) -> bool {
    let awaited = state.objects.get(thread.pending.second as usize);
    let is_call = awaited.is_none_or(|object| object.what.what == "Notify");
    thread.pending.kind == Kind::Poll && !thread.woken && thread.pending.other == NOBODY && is_call
}

/// The rule for threads that all wait, in this order:
/// 1. a circle of threads that wait for each other's locks or ends: deadlock;
/// 2. a thread at a test tool that names a kind: that kind;
/// 3. a thread that waits for a lock or an initialisation, whose holder waits too or is gone: deadlock;
/// 4. a thread, in no test tool, that waits for a notification or an unpark: lost wakeup;
/// 5. anything else, a channel, a barrier, a join: deadlock.
fn judge_stuck(state: &State, notes: &[Option<String>]) -> Failure {
    // A part of a model counts where it is a test tool.
    let is_told = |thread: &ThreadState| !thread.serves || !thread.waits_at.is_empty();
    let stuck: Vec<ThreadIndex> =
        (0..state.threads.len()).filter(|&index| state.is_live(index) && is_told(&state.threads[index])).collect();
    if let Some(circle) = circle(state) {
        let message = match circle[..] {
            [one] => format!("{} waits for itself: {}", names_of(state, &circle), wait_of(state, one, notes)),
            _ => format!("{} wait for each other: {}", names_of(state, &circle), waits_of(state, &circle, notes)),
        };
        return Failure { kind: Verdict::Deadlock, message };
    }
    let at_tool = stuck.iter().find_map(|&index| kind_of_tool(state, index));
    let kind = at_tool.unwrap_or_else(|| kind_of_waits(state, &awaited_by_main(state, &stuck)));
    Failure { kind, message: waits_of(state, &stuck, notes) }
}

/// The kind that the test tool names in which a thread is.
fn kind_of_tool(state: &State, index: ThreadIndex) -> Option<Verdict> {
    let thread = &state.threads[index];
    thread.waits_at.iter().rev().find_map(|(kind, _)| *kind).filter(|_| thread.status == Status::Live)
}

/// Of threads that all wait, those whose waits are why the test does not end: main, whom it waits for, and so on. Others may be idle
/// and wait as they should. Where that leads to a test tool, or to nobody in particular, all of them.
fn awaited_by_main(state: &State, stuck: &[ThreadIndex]) -> Vec<ThreadIndex> {
    let mut chain = vec![0];
    let mut next = 0;
    while next < chain.len() {
        let others = state.waits_on(chain[next]);
        chain.extend(others.into_iter().filter(|other| !chain.contains(other)).collect::<Vec<_>>());
        next += 1;
    }
    let thread = |index: &ThreadIndex| &state.threads[*index];
    chain.retain(|index| thread(index).status == Status::Live && thread(index).pending.kind != Kind::Join);
    let decides = !chain.is_empty() && chain.iter().all(|index| thread(index).waits_at.is_empty());
    if decides { chain } else { stuck.to_vec() }
}

/// A circle of threads, each waiting for the next.
fn circle(state: &State) -> Option<Vec<ThreadIndex>> {
    for start in 0..state.threads.len() {
        let mut path = vec![start];
        if walk(state, start, &mut path) {
            return Some(path);
        }
    }
    None
}

/// Looks for a way from the path's end back to its start.
fn walk(state: &State, start: ThreadIndex, path: &mut Vec<ThreadIndex>) -> bool {
    let last = path[path.len() - 1];
    for next in state.waits_on(last) {
        if next == start {
            return true;
        }
        if !path.contains(&next) {
            path.push(next);
            if walk(state, start, path) {
                return true;
            }
            path.pop();
        }
    }
    false
}

impl State {
    /// The threads that could let a blocked thread go on: the lock's holders, the thread to join.
    pub(crate) fn waits_on(&self, index: ThreadIndex) -> Vec<ThreadIndex> {
        let thread = &self.threads[index];
        if thread.status != Status::Live || self.can_go_on(index) {
            return Vec::new();
        }
        if thread.pending.kind == Kind::Join
            || thread.pending.kind == Kind::Poll && !thread.woken && thread.pending.other != NOBODY
        {
            return vec![thread.pending.other];
        }
        let model = awaited_object(self, index).map(|object| &self.objects[object as usize].model);
        let mut on = match model {
            Some(Model::Lock(lock)) if lock.writer != NOBODY => vec![lock.writer],
            Some(Model::Lock(lock)) => lock.readers.iter().map(|reader| reader.0).collect(),
            Some(Model::Once(super::object::Once::Running(by))) => vec![*by],
            _ => Vec::new(),
        };
        on.sort_unstable();
        on.dedup();
        on
    }
}

fn waits_of(state: &State, threads: &[ThreadIndex], notes: &[Option<String>]) -> String {
    let waits: Vec<String> = threads
        .iter()
        .take(few_of(threads.len()))
        .map(|&index| format!("{} {}", thread_name(&state.threads, index), wait_of(state, index, notes)))
        .collect();
    match threads.len() - waits.len() {
        0 => waits.join("; "),
        others => format!("{}; and {others} others wait", waits.join("; ")),
    }
}

/// Of how many threads a message tells, of so many: of all, or of the first few of a crowd.
fn few_of(threads: usize) -> usize {
    const FEW: usize = 8;
    if threads <= FEW + 1 { threads } else { FEW }
}

/// `waits for account#2 (lib.rs:15), held by bob→alice`.
fn wait_of(state: &State, index: ThreadIndex, notes: &[Option<String>]) -> String {
    let thread = &state.threads[index];
    if let Some(Some(note)) = notes.get(index) {
        return format!("waits at {note}");
    }
    let at = format!("{}:{}", file_name(thread.pending.at.file()), thread.pending.at.line());
    let held = |by: Vec<ThreadIndex>| match by[..] {
        [] => String::new(),
        [one] if one == index => ", which it holds itself".to_string(),
        [one] if state.threads[one].status == Status::Finished => {
            format!(", held by {}, which has ended", names_of(state, &by))
        }
        _ => format!(", held by {}", names_of(state, &by)),
    };
    match (thread.pending.kind, awaited_object(state, index)) {
        (Kind::Join, _) => format!("waits for {} to finish ({at})", names_of(state, &[thread.pending.other])),
        (Kind::Park, _) => format!("is parked ({at})"),
        (Kind::Poll, _) if !thread.woken && thread.pending.other != NOBODY => {
            format!("awaits the end of {} ({at})", names_of(state, &[thread.pending.other]))
        }
        (Kind::Poll, Some(object)) if !thread.woken => {
            format!("awaits {} ({at}){}", name_of(state, object), held(state.waits_on(index)))
        }
        (Kind::Poll, Some(_)) => {
            format!("is woken and waits for a worker ({at}){}", held(state.waits_on(index)))
        }
        (Kind::Poll, None) => format!("awaits to be woken ({at})"),
        (Kind::UntilBlocked, _) => {
            format!("waits for {} to be blocked ({at})", names_of(state, &[thread.pending.other]))
        }
        (Kind::Wake, Some(object)) if !thread.notified => {
            format!("waits for a notification of {} ({at})", name_of(state, object))
        }
        (Kind::Receive, Some(object)) => format!("waits for a message from {} ({at})", name_of(state, object)),
        (Kind::Select, _) => {
            let names: Vec<String> = thread.awaits.iter().map(|arm| name_of(state, arm.object)).collect();
            format!("waits for one of {} ({at})", names.join(", "))
        }
        (Kind::Send, Some(object)) => format!("waits for room in {} ({at})", name_of(state, object)),
        (Kind::Handoff, Some(object)) => format!("waits for a receiver at {} ({at})", name_of(state, object)),
        (_, Some(object)) => format!("waits for {} ({at}){}", name_of(state, object), held(state.waits_on(index))),
        _ => format!("waits ({at})"),
    }
}

fn name_of(state: &State, object: u32) -> String {
    name_objects(&state.objects).swap_remove(object as usize).name
}

fn names_of(state: &State, threads: &[ThreadIndex]) -> String {
    let few = &threads[..few_of(threads.len())];
    let names: Vec<String> = few.iter().map(|&index| thread_name(&state.threads, index)).collect();
    match (&names[..], threads.len() - few.len()) {
        ([], _) => "nobody".to_string(),
        ([one], _) => one.clone(),
        ([all @ .., last], 0) => format!("{} and {last}", all.join(", ")),
        (all, others) => format!("{} and {others} others", all.join(", ")),
    }
}

fn subject(state: &State, threads: &[ThreadIndex], one: &str, many: &str) -> String {
    format!("{} {}", names_of(state, threads), if threads.len() == 1 { one } else { many })
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// What test tools say of the threads inside them, by thread.
pub(crate) fn notes() -> Vec<Option<String>> {
    let notes: Vec<Option<Note>> = run::with(|state| {
        state.phase = Phase::Ended;
        state.threads.iter().map(|thread| thread.waits_at.last().map(|(_, note)| note.clone())).collect()
    });
    // Outside the borrow: a note may look at modelled objects.
    notes.into_iter().map(|note| note.map(|note| note())).collect()
}

//! Runs one schedule from its first step to the last destructor.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use corosensei::stack::{DefaultStack, Stack as _};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use verdict::Kind as Verdict;

use super::heap;
use super::kind::Kind;
use super::operation::{How, Operation, Site, ThreadIndex};
use super::state::{Announced, Next, Phase, State};
use super::thread::Status;

/// A modelled thread's stack, in bytes, as std's default is. Pages that are never touched cost nothing.
pub(crate) const STACK_SIZE: usize = 2 << 20;
/// What the explorer needs of a stack for itself, on top of what the thread asked for.
const OWN_STACK: usize = 128 << 10;

/// How a schedule ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// `main` returned or panicked.
    Main,
    /// Nobody can go on.
    Stuck,
    /// They go on for ever, and nothing changes.
    Livelock,
    /// They go on and on.
    TooLong,
    /// A panic of this thread ends the process.
    Aborted(ThreadIndex),
    /// A test tool says that the test failed.
    Failed(Verdict, String),
    /// The program did something else than before under the same schedule.
    Nondeterministic(String),
    /// The schedule to replay does not fit the program.
    Misfit(String),
    /// The position that was asked for is reached.
    Paused,
}

type Stack = Coroutine<(), (), (), DefaultStack>;

/// How to suspend the thread that runs.
#[derive(Clone, Copy)]
pub(crate) struct Suspender(*const Yielder<(), ()>);

/// One exploration at a time: modelled objects in statics are shared by the whole process.
pub(crate) static EXPLORING: Mutex<()> = Mutex::new(());

/// Counts schedules over all explorations of the process.
static EPOCH: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static STATE: RefCell<Option<Box<State>>> = const { RefCell::new(None) };
}

/// Uses the state of the schedule that runs.
///
/// # Panics
/// If no schedule runs on this OS thread.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(|state| match state {
        Some(state) => f(state),
        None => outside(),
    })
}

/// The same, and nothing outside of an exploration.
#[inline]
pub(crate) fn try_with<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    STATE.try_with(|state| Some(f(state.try_borrow_mut().ok()?.as_mut()?))).ok().flatten()
}

/// Whether the explorer works on the state right now.
#[inline]
pub(super) fn is_at_work() -> bool {
    STATE.try_with(|state| state.try_borrow().is_err()).unwrap_or(true)
}

/// The state of the schedule that runs, for a signal handler.
///
/// # Safety
/// Nobody changes the state as long as it is used.
#[cfg(unix)]
pub(crate) unsafe fn peek<'a>() -> Option<&'a State> {
    let state = STATE.try_with(RefCell::as_ptr).ok()?;
    // SAFETY: as the caller promises.
    unsafe { (*state).as_deref() }
}

#[cold]
fn outside() -> ! {
    panic!("a modelled type of `std` was used outside an explored test: use it inside the test's body")
}

/// Gives this OS thread a state for an exploration, and takes it away.
pub(crate) fn install(state: Option<Box<State>>) -> Option<Box<State>> {
    STATE.with_borrow_mut(|slot| std::mem::replace(slot, state))
}

/// Announces an operation and returns when the scheduler lets it be done.
pub(crate) fn step(operation: Operation) -> How {
    match with(|state| state.announce(operation)) {
        Announced::Go(how) => how,
        Announced::Switch(suspender) => {
            suspend(suspender);
            with(|state| state.me().resumed)
        }
    }
}

/// Ends the schedule from inside a thread.
///
/// # Panics
/// If it has ended, and a destructor runs that came too late.
pub(crate) fn end(ending: Ending) -> ! {
    let suspender = with(|state| {
        assert!(state.phase == Phase::Running, "the schedule has ended: {ending:?}");
        state.ending.get_or_insert(ending);
        state.suspender(state.current)
    });
    loop {
        suspend(suspender);
    }
}

fn suspend(suspender: Suspender) {
    // SAFETY: the yielder lies at the foot of the stack that this runs on, so it lives as long as this call; `State` gives a
    // thread its own suspender only (`current` is the thread that runs).
    unsafe { &*suspender.0 }.suspend(());
}

/// Stacks, kept from schedule to schedule. In one that is run again, each thread has the same one again.
#[derive(Default)]
pub(crate) struct Stacks {
    /// By the size in bytes that was asked for, and numbered as they were made.
    idle: BTreeMap<usize, BTreeMap<usize, DefaultStack>>,
    made: usize,
    /// By thread, each with its stack's number.
    running: Vec<(usize, Option<Stack>)>,
}

/// Runs the body under the state's strategy until the schedule ends. The threads are left as they stand then.
pub(crate) fn run(body: &Arc<dyn Fn() + Send + Sync>, stacks: &mut Stacks) {
    let epoch = EPOCH.fetch_add(1, Ordering::Relaxed) + 1;
    let body = Arc::clone(body);
    let at: Site = Location::caller();
    with(|state| {
        state.begin(epoch);
        let job = Box::new(move || run_main(&*body));
        let spawn = Operation::new(Kind::Never, "start", super::operation::NOTHING, at);
        state.add_thread(None, job, spawn);
        state.next();
    });
    loop {
        let (current, job) = with(|state| {
            let current = state.current;
            (current, state.threads[current].job.take())
        });
        if let Some(job) = job {
            debug_assert_eq!(stacks.running.len(), current);
            let (number, stack) = match stacks.take(with(|state| state.threads[current].stack_size)) {
                Ok(taken) => taken,
                Err(error) => {
                    let message = format!("failed to spawn thread: {error}");
                    with(|state| state.ending = Some(Ending::Failed(Verdict::Panic, message)));
                    return;
                }
            };
            with(|state| state.threads[current].stack = stack.limit().get()..stack.base().get());
            let coroutine = Coroutine::with_stack(stack, move |yielder, _| thread(yielder, job));
            stacks.running.push((number, Some(coroutine)));
        }
        let (number, running) = &mut stacks.running[current];
        let coroutine = running.as_mut().expect("only threads that have not ended are resumed");
        heap::in_program(true);
        let finished = matches!(coroutine.resume(()), CoroutineResult::Return(()));
        heap::in_program(false);
        if finished {
            let (number, stack) = (*number, running.take().map(Coroutine::into_stack));
            stacks.give_back(with(|state| state.threads[current].stack_size), number, stack);
        }
        if with(|state| state.ending.is_some() || (finished && end_of_thread(state))) {
            return;
        }
    }
}

/// A thread is done: notes it, and finds the next one. Returns whether the schedule has ended.
fn end_of_thread(state: &mut State) -> bool {
    let current = state.current;
    state.threads[current].status = Status::Finished;
    state.live.retain(|live| *live != current);
    state.changed();
    if let Some(order) = &state.order {
        order.borrow_mut().exited(current);
    }
    state.memory.exited(current);
    if current == 0 {
        state.ending.get_or_insert(Ending::Main);
        return true;
    }
    matches!(state.next(), Next::Nobody)
}

impl Stacks {
    /// A stack of that size, and its number: of the idle ones that which was made first.
    fn take(&mut self, size: usize) -> io::Result<(usize, DefaultStack)> {
        if let Some(idle) = self.idle.get_mut(&size).and_then(BTreeMap::pop_first) {
            return Ok(idle);
        }
        self.made += 1;
        // More than the address space would overflow while it is rounded up.
        Ok((self.made, DefaultStack::new(size.saturating_add(OWN_STACK).min(isize::MAX as usize))?))
    }

    fn give_back(&mut self, size: usize, number: usize, stack: Option<DefaultStack>) {
        self.idle.entry(size).or_default().extend(stack.map(|stack| (number, stack)));
    }
}

fn run_main(body: &(dyn Fn() + Send + Sync)) {
    drop(super::panics::run_to_result(body));
}

/// What runs at the foot of every stack.
fn thread(yielder: &Yielder<(), ()>, job: super::thread::Job) {
    with(|state| {
        let me = state.me();
        me.suspender = Some(Suspender(yielder));
        me.status = Status::Live;
        state.live.push(state.current);
    });
    let ended = catch_unwind(AssertUnwindSafe(|| {
        job();
        with(State::returned);
        // Who looks sees its end before its thread-locals are destroyed.
        let leaves = with(|state| state.current != 0 && state.settings.detailed && state.me().has_locals());
        if leaves && exit() {
            with(|state| state.me().left = true);
        }
        destroy_locals();
        exit();
    }));
    if ended.is_err() {
        // A destructor of a thread-local has panicked: std aborts the process.
        with(|state| {
            state.ending.get_or_insert(Ending::Aborted(state.current));
        });
    }
}

/// The thread that runs ends, by a step if that matters. Says whether it does.
fn exit() -> bool {
    let exit = with(|state| {
        let me = state.current;
        // Nobody can see a thread's end but by waiting for it, unless somebody looks.
        let matters = if me == 0 { !state.threads[0].panicked } else { state.settings.observed };
        matters.then(|| Operation::on_thread(Kind::Exit, "exit", me, state.threads[me].pending.at))
    });
    exit.map(step).is_some()
}

/// Clears away what a schedule has left, as the end of a process does: threads that have not ended are gone, and no
/// destructor of theirs runs. What they own is leaked. Unwinding their stacks instead would run code that std never runs, and
/// abort the process where a destructor panics.
pub(crate) fn clear_away(stacks: &mut Stacks) {
    for (thread, (number, running)) in std::mem::take(&mut stacks.running).into_iter().enumerate() {
        let Some(mut coroutine) = running else { continue };
        // SAFETY: the thread is never resumed again, so nobody sees what it leaves half done; leaking what its stack owns is
        // safe. What it has lent to scoped threads is not used any more either, as those are cleared away with it.
        unsafe { coroutine.force_reset() };
        stacks.give_back(with(|state| state.threads[thread].stack_size), number, Some(coroutine.into_stack()));
    }
    with(|state| state.phase = Phase::Ended);
    super::left::drop_what_is_left();
    with(|state| {
        std::mem::forget(state.exchange_hook(None));
        state.live.clear();
        for mut thread in state.threads.drain(..) {
            std::mem::forget((
                thread.job.take(),
                std::mem::take(&mut thread.locals),
                std::mem::take(&mut thread.waits_at),
            ));
        }
    });
}

/// Destroys the values of the thread that ends, first made first. A destructor may make more of them.
fn destroy_locals() {
    loop {
        let value = with(|state| state.me().locals.iter_mut().find_map(|local| local.1.take()));
        match value {
            Some(value) => drop(value),
            None => return,
        }
    }
}

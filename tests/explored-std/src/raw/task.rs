//! What an executor is made of: threads that poll futures, wakers, workers, and choices among several ways.
//!
//! Every task of a modelled runtime is a modelled thread that polls its future and then waits to be woken. To poll it needs one of the
//! runtime's workers, so that as many tasks run at a time as there are workers.

use std::panic::Location;

use crate::engine::kind::Kind;
use crate::engine::object::{Identity, Lock, Model, What};
use crate::engine::operation::{NEVER, NOBODY, NOTHING, ObjectIndex, Operation, Site, YIELDED};
use crate::engine::run::{step, try_with, with};
use crate::engine::state::{Phase, State};
use crate::raw::{RawLock, looks_closely};
use crate::thread::Thread;
use crate::time::Instant;

/// The workers of a runtime: so many tasks are polled at a time.
#[derive(Debug)]
pub struct RawWorkers {
    identity: Identity,
}

impl RawWorkers {
    /// So many workers, which may be none, of what is made at this place.
    pub fn new(count: usize, at: Site) -> RawWorkers {
        let workers = RawWorkers { identity: Identity::made_at(at) };
        workers.set(count);
        workers
    }

    /// Changes how many there are.
    pub fn set(&self, count: usize) {
        try_with(|state| {
            let object = self.index(state);
            state.lock(object).0.room = count;
            state.changed();
        });
    }

    fn index(&self, state: &mut State) -> ObjectIndex {
        self.identity.register(state, What::plain("worker"), || Model::Lock(Lock::free())).0
    }
}

/// What a future that is not ready waits for, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub struct Awaited {
    object: ObjectIndex,
    thread: usize,
    number: u64,
    at: Site,
}

impl Awaited {
    /// Nothing that is known.
    pub fn nothing(at: Site) -> Awaited {
        Awaited { object: NOTHING, thread: NOBODY, number: 0, at }
    }

    /// What is modelled with this lock.
    pub fn object(lock: &RawLock, at: Site) -> Awaited {
        Awaited { object: lock.index(), ..Awaited::nothing(at) }
    }

    /// The end of another task.
    pub fn end_of(task: &Thread, at: Site) -> Awaited {
        Awaited { thread: task.index, ..Awaited::nothing(at) }
    }

    /// Others, which go first.
    pub fn others(at: Site) -> Awaited {
        Awaited { number: YIELDED, ..Awaited::nothing(at) }
    }
}

/// Waits until the running thread is woken and one of the workers, if it needs any, is free. Then it has that worker until
/// [`end_poll`].
pub fn begin_poll(workers: Option<&RawWorkers>, awaited: Awaited) {
    let object = with(|state| workers.map_or(NOTHING, |workers| workers.index(state)));
    let poll = Operation::new(Kind::Poll, "poll", object, awaited.at);
    step(Operation { second: awaited.object, other: awaited.thread, number: awaited.number, ..poll });
    with(|state| {
        let me = state.current;
        let thread = state.me();
        thread.woken = false;
        thread.polls = true;
        let object = thread.pending.object;
        if object != NOTHING {
            state.lock(object).0.readers.push((me, awaited.at));
        }
    });
}

/// Gives the worker back that the running thread has.
pub fn end_poll(workers: Option<&RawWorkers>) {
    try_with(|state| {
        let me = state.current;
        state.me().polls = false;
        if let Some(workers) = workers {
            let object = workers.index(state);
            let polling = &mut state.lock(object).0.readers;
            if let Some(mine) = polling.iter().position(|polling| polling.0 == me) {
                polling.remove(mine);
            }
            state.released(object, false);
        }
    });
}

/// Wakes a thread that polls a future, or will. Nothing outside of the schedule that the thread belongs to.
pub fn wake(task: &Thread) {
    if !task.is_of_this_schedule() {
        return;
    }
    let here = with(|state| state.here());
    step(Operation::on_thread(Kind::WakeTask, "wake", task.index, here));
    with(|state| {
        let myself = state.current == task.index;
        if let Some(thread) = state.threads.get_mut(task.index)
            && !std::mem::replace(&mut thread.woken, true)
            && !myself
        {
            state.changed();
        }
    });
}

/// Lets the thread wait to be woken again. Says whether it had been woken. That belongs to the poll which is under way: the thread
/// could have polled before it.
pub fn unwake(task: &Thread) -> bool {
    task.is_of_this_schedule()
        && with(|state| {
            let here = state.here();
            state.touch_with_last(Operation::on_thread(Kind::WakeTask, "unwake", task.index, here));
            std::mem::take(&mut state.threads[task.index].woken)
        })
}

/// The running thread has been woken: it begins to poll as soon as it has a worker.
pub fn wake_me() {
    with(|state| state.me().woken = true);
}

/// The running thread is a part of a model: no report speaks of it.
pub fn serve() {
    with(|state| state.me().serves = true);
}

/// How often a thread chooses at one place. Beyond that it takes the ways in turn, as chance would in the end.
const MOST_CHOICES: u32 = 12;

/// One of so many ways, each of which is explored. It is the first one where there is nothing to choose.
#[track_caller]
pub fn choose(ways: usize) -> usize {
    let (ways, at) = (ways.min(256), Location::caller());
    if ways < 2 || try_with(|state| state.phase) != Some(Phase::Running) {
        return 0;
    }
    let times = with(|state| {
        let chosen = &mut state.me().chosen;
        let place = chosen.iter().position(|(place, _)| std::ptr::eq(*place, at)).unwrap_or_else(|| {
            chosen.push((at, 0));
            chosen.len() - 1
        });
        chosen[place].1 += 1;
        chosen[place].1
    });
    if times > MOST_CHOICES {
        with(|state| state.forced = true);
        return times as usize % ways;
    }
    let choose = Operation::new(Kind::Choose, "choose", NOTHING, at);
    match step(Operation { number: ways as u64, ..choose }) {
        crate::engine::operation::How::Way(way) => way.into(),
        _ => 0,
    }
}

/// Does all of `f` as one step: the last one that was made. What would have to wait for others is a step of its own.
pub fn whole<R>(f: impl FnOnce() -> R) -> R {
    let _whole = Whole::begin();
    f()
}

/// As long as it is there, the thread that runs makes no step of its own.
struct Whole;

impl Whole {
    fn begin() -> Whole {
        Whole::count(|more| more + 1);
        Whole
    }

    fn count(change: impl FnOnce(u32) -> u32) {
        try_with(|state| {
            if let Some(me) = state.threads.get_mut(state.current) {
                me.whole = change(me.whole);
            }
        });
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        Whole::count(|more| more.saturating_sub(1));
    }
}

/// Waits for this moment, or an earlier one that others set by [`set_alarm`].
pub fn wait_for_alarm(moment: Option<Instant>) {
    let here = with(|state| state.here());
    let wait = Operation::new(Kind::Sleep, "timer", NOTHING, here);
    step(wait.until(moment.and_then(Instant::virtual_nanos).unwrap_or(NEVER)));
}

/// Lets a thread that is in [`wait_for_alarm`] go on at this moment at the latest.
pub fn set_alarm(thread: &Thread, moment: Instant) {
    with(|state| {
        let pending = &mut state.threads[thread.index].pending;
        if pending.kind == Kind::Sleep {
            pending.deadline = pending.deadline.min(moment.virtual_nanos().unwrap_or(NEVER));
        }
    });
}

impl RawLock {
    /// A primitive for tasks that is made at this place.
    pub const fn made_at<T: ?Sized>(what: &'static str, at: Site) -> RawLock {
        RawLock { identity: Identity::made_at(at), what: What::holding::<T>(what) }
    }

    /// A step of a primitive for tasks, which may change it. It is the model's, and so never waits.
    pub fn touch(&self, name: &'static str, at: Site) {
        if try_with(|_| ()).is_some() {
            step(Operation::new(Kind::Change, name, self.index(), at));
        }
    }

    /// The same, where details are steps that hardly any program sees.
    pub fn touch_closely(&self, name: &'static str, at: Site) {
        if looks_closely() {
            self.touch(name, at);
        }
    }

    /// A step that changes nothing, where details are steps.
    pub fn look_closely(&self, name: &'static str, at: Site) {
        if looks_closely() {
            step(Operation::new(Kind::Look, name, self.index(), at));
        }
    }

    /// Notes that something was changed, so that whoever repeats itself may now see something else.
    pub fn has_changed(&self) {
        try_with(State::changed);
    }

    /// Notes that the last step was refused.
    pub fn was_refused(&self) {
        try_with(State::record_refusal);
    }

    /// Notes that the running thread holds it, alone or with others.
    pub fn hold(&self, alone: bool, at: Site) {
        let object = self.index();
        with(|state| {
            let (lock, me) = state.lock(object);
            if alone {
                (lock.writer, lock.taken_at) = (me, Some(at));
            } else {
                lock.readers.push((me, at));
            }
        });
    }

    /// Notes that a holder has given it back: the running thread, if it is one.
    pub fn let_go(&self, alone: bool) {
        let object = self.index();
        try_with(|state| {
            let (lock, me) = state.lock(object);
            if alone {
                (lock.writer, lock.taken_at) = (NOBODY, None);
                return;
            }
            let mine = lock.readers.iter().rposition(|reader| reader.0 == me);
            if let Some(mine) = mine.or(lock.readers.len().checked_sub(1)) {
                lock.readers.remove(mine);
            }
        });
    }
}

/// A thread that polls no future at this time needs no worker for its next poll. Says whether it is such a thread.
pub fn free_from_workers(task: &Thread) -> bool {
    task.is_of_this_schedule()
        && with(|state| {
            state.changed();
            let pending = &mut state.threads[task.index].pending;
            let waits = pending.kind == Kind::Poll;
            if waits {
                pending.object = NOTHING;
            }
            waits
        })
}

/// Waits for the end of a thread. Unlike a join it does not look how that was.
pub fn wait_for_end(task: &Thread) {
    if task.is_of_this_schedule() {
        let here = with(|state| state.here());
        step(Operation::on_thread(Kind::Join, "wait for the end of", task.index, here));
    }
}

/// Somebody has seen how a thread has ended.
pub fn saw_end(task: &Thread) {
    if task.is_of_this_schedule() {
        with(|state| {
            state.threads[task.index].seen = true;
            if state.threads[task.index].panicked {
                state.me().saw_panic_of = task.index;
            }
        });
    }
}

/// Whether somebody has seen the end of a thread, so that what it did came before.
pub fn was_seen_to_end(thread: &Thread) -> bool {
    !thread.is_of_this_schedule() || with(|state| state.threads[thread.index].seen)
}

/// Runs what a task does. A panic is the task's, and told if nobody sees its end.
///
/// # Errors
/// If it panicked: with the payload.
pub fn contain<T>(f: impl FnOnce() -> T) -> std::thread::Result<T> {
    crate::engine::panics::run_to_result(f)
}

/// Starts a thread of a model, for the learner's code at this place.
pub fn start_thread(name: String, at: Site, run: impl FnOnce() + Send + 'static) -> Thread {
    let job = Box::new(move || drop(crate::engine::panics::run_to_result(run)));
    crate::thread::start(crate::thread::Builder::new().name(name), job, at)
}

/// Counts, in every schedule anew from 1.
pub fn next_number() -> u64 {
    with(|state| {
        state.numbers += 1;
        state.numbers
    })
}
